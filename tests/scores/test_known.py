from __future__ import annotations

import numpy as np

from bayesbench.scores import known
from bayesbench.scores.known import is_known, known_benchmark, known_scales
from tests.design.design_helpers import failed_examples


def test_known_names_are_unique_spellings() -> None:
    assert known_benchmark("gpqa-DIAMOND") == "gpqa_diamond"
    assert is_known("model", "gpt-4.1") and not is_known("model", "no such model")
    assert known_benchmark("") is None
    own = known_scales(["MT-Bench", "nothing"])
    assert list(own) == ["MT-Bench"]
    assert own["MT-Bench"].holds(0, 10) and not own["MT-Bench"].holds(0, 11)
    assert np.isfinite(own["MT-Bench"].upper)


def test_examples() -> None:
    assert failed_examples(known) == 0
