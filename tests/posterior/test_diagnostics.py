from __future__ import annotations

import math

import numpy as np
import pytest

from bayesbench.errors import DataError
from bayesbench.posterior.diagnostics import Diagnostics


def test_they_come_back_from_json_with_null_for_what_is_not_finite() -> None:
    made = Diagnostics("fail", ("a",), {"x": math.nan}, {"y": np.array([1.0, math.nan])})
    back = Diagnostics.from_json(made.to_json())
    assert (back.verdict, back.reasons, back.summary) == ("fail", ("a",), {"x": None})
    np.testing.assert_array_equal(back.arrays["y"], [1, math.nan])
    assert Diagnostics.from_json(made.to_json(arrays=False)).arrays == {}


def test_a_verdict_is_one_of_three() -> None:
    with pytest.raises(DataError, match="verdict must be one of pass, warn, fail, got 'good'"):
        Diagnostics("good")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Diagnostics(), "pass; nothing to do."),
        (
            Diagnostics("pass", (), {"rhat_eta_share_within_limit": 0.997}),
            "pass: the chains agree in 99.7% of the cells; nothing to do.",
        ),
        (
            Diagnostics("warn", ("slow; draw more", "odd")),
            "warn, the answers can be used, with these doubts: slow; draw more; odd.",
        ),
        (  # each reason begins with its own verdict: that of the whole is not said twice
            Diagnostics("fail", ("warn: one chain; run 4", "fail: 8 draws", "fail: R-hat 1.2")),
            "fail, do not rely on the answers: 8 draws; R-hat 1.2; warn: one chain; run 4.",
        ),
        (Diagnostics("fail"), "fail, do not rely on the answers: no reason given."),
    ],
)
def test_the_verdict_in_words(made: Diagnostics, words: str) -> None:
    assert made.sentence == words
    assert repr(made) == f"Diagnostics: {words}"
