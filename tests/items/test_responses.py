"""Answers of models to items: labels, checks, scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayesbench.errors import DataError, UnknownIdError, UsageError
from bayesbench.items.responses import ItemResponses, smallest


def three_by_four() -> ItemResponses:
    correct = [[1, 0, 1, np.nan], [1, 0, 0, 1], [1, 0, 1, 1]]
    return ItemResponses.of(
        correct, ["a", "b", "c"], ["p", "q", "r", "s"], ["x", "x", "y", "y"],
        families=["f", "f", "g"],
    )  # fmt: skip


def test_scores_are_the_mean_share_of_those_who_ran_all() -> None:
    responses = three_by_four()
    np.testing.assert_allclose(responses.scores(), [np.nan, 50, 75])
    assert responses.complete().tolist() == [False, True, True]
    assert responses.benchmark_ids == ["x", "y"]
    assert responses.correct.dtype == np.uint8
    assert list(responses.models["family"]) == ["f", "f", "g"]


def test_counts_and_shares_weigh_by_item() -> None:
    counted = ItemResponses.of([[5, 1]], ["a"], ["p", "q"], "x", trials=[10, 2])
    assert counted.scores() == pytest.approx([50.0])
    shares = ItemResponses.of([[0.25 * 10, 3]], ["a"], ["p", "q"], "x", trials=10)
    assert shares.correct.dtype == np.float32
    assert shares.scores() == pytest.approx([27.5])


def test_subsets_keep_the_labels_together() -> None:
    part = three_by_four().subset(np.array([2, 0]), np.array([3, 1]))
    assert list(part.models.index) == ["c", "a"] and list(part.items.index) == ["s", "q"]
    assert part.correct.tolist() == [[1, 0], [0, 0]]
    assert part.trials.tolist() == [[1, 1], [0, 1]]
    assert list(three_by_four().of_benchmarks(["y"]).items.index) == ["r", "s"]
    with pytest.raises(UnknownIdError, match="unknown benchmark 'z'"):
        three_by_four().of_benchmarks(["z"])
    with pytest.raises(UsageError, match="no benchmark was named"):
        three_by_four().of_benchmarks([])


def test_arrays_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        three_by_four().correct[0, 0] = 0


def test_doubts_name_what_tells_nothing() -> None:
    found = three_by_four().doubts()
    assert found == ("1 item all answered wrongly: q", "2 items all answered correctly: p, s")
    empty = ItemResponses.of(
        [[np.nan, 1], [np.nan, 0], [np.nan, np.nan]], ["a", "b", "c"], ["p", "q"], "x"
    )
    assert empty.doubts() == ("1 item nobody ran: p", "1 model without an answer: c")
    many = ItemResponses.of(np.ones((2, 5)), ["a", "b"], list("pqrst"), "x").doubts()
    assert many == ("5 items all answered correctly: p, q, r and 2 more",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"correct": [[2, 0], [1, 1]]}, "model 'a', item 'p': 2 correct of 1"),
        ({"correct": [[1, -1.0], [1, 1]]}, "model 'a', item 'q': -1.0 correct of 1"),
        ({"trials": 1.5}, "model 'a', item 'p': 1 correct of 1.5"),
        ({"model_ids": ["a", "a"]}, "model 'a' stands twice"),
        ({"item_ids": ["p", "p"]}, "item 'p' stands twice"),
        ({"model_ids": ["a"]}, "the ids say"),
        ({"correct": [1, 0]}, "one row per model"),
        ({"trials": np.ones((3, 3))}, "do not fit"),
        ({"correct": np.ones((0, 2)), "model_ids": []}, "at least one of each"),
    ],
)
def test_bad_answers_are_one_line(change: dict[str, Any], message: str) -> None:
    given = {
        "correct": [[1, 0], [1, 1]],
        "model_ids": ["a", "b"],
        "item_ids": ["p", "q"],
        "benchmark_ids": "x",
    }
    with pytest.raises(DataError, match=message) as caught:
        ItemResponses.of(**{**given, **change})
    assert "\n" not in str(caught.value)


def test_values_are_kept_as_small_as_they_are_exact() -> None:
    assert smallest(np.array([256.0])).dtype == np.float32
    assert smallest(np.array([True, False])).dtype == np.uint8
