from __future__ import annotations

import pytest

from bayesbench.errors import UnknownIdError
from bayesbench.scores.ids import look_up, nearest_ids

KNOWN = ("gpqa", "gpqa_diamond", "mmlu", "mmlu_pro", "swe_bench_verified")


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ("GPQA Diamond", "gpqa_diamond"),
        ("gpqa-diamnod", "gpqa"),
        ("MMLU-Pro", "mmlu_pro"),
        ("swe-bench", "swe_bench_verified"),
        ("swebench_verifed", "swe_bench_verified"),
    ],
)
def test_nearest_ids_look_past_case_and_punctuation(value: str, first: str) -> None:
    assert nearest_ids(value, KNOWN)[0] == first


def test_nearest_ids_are_few_distinct_and_known() -> None:
    near = nearest_ids("gpqa", KNOWN, n=2)
    assert near == ("gpqa", "gpqa_diamond")
    assert nearest_ids("zzzzzz", KNOWN) == ()
    assert nearest_ids("", KNOWN) == ()


def test_look_up() -> None:
    positions = {"a": 0, "b": 1}
    assert look_up("model", "b", positions) == 1
    with pytest.raises(UnknownIdError, match="unknown model 'q'"):
        look_up("model", "q", positions)
