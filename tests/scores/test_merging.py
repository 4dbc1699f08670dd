"""Two matrices as one: numbers, repeats, names, scales."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from bayesbench.errors import AmbiguousIdError, SchemaError, UnknownIdError
from bayesbench.scores import ScoreMatrix, open_scores
from bayesbench.scores.merging import First, merged_tables
from tests.design.design_helpers import failed_examples
from tests.factories import make_matrix
from tests.scores.upkeep.kept import repeated


def long(*rows: tuple[object, ...], scale: str = "percent", extra: str = "") -> ScoreMatrix:
    names = ["model_id", "benchmark_id", "score", "reading", *filter(None, [extra])]
    return ScoreMatrix.from_frame(pd.DataFrame(rows, columns=names), scale=scale)


def cell(matrix: ScoreMatrix, model: str = "a", benchmark: str = "b") -> dict[int, float]:
    frame = matrix.readings
    own = frame[(frame["model_id"] == model) & (frame["benchmark_id"] == benchmark)]
    return dict(sorted(zip(own["reading"], own["score"], strict=True)))


BASE = long(("a", "b", 50.0, 1), ("a", "b", 51.0, 4), ("c", "b", 60.0, 1))


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("base", {1: 50.0, 4: 51.0, 5: 70.0, 6: 71.0}),
        ("other", {1: 70.0, 2: 71.0, 3: 50.0, 4: 51.0}),
    ],
)
def test_numbers_go_on_and_none_stands_twice(first: First, expected: dict[int, float]) -> None:
    both, account = BASE.merged_with(long(("a", "b", 70.0, 1), ("a", "b", 71.0, 2)), first=first)
    assert cell(both) == expected and cell(both, "c") == {1: 60.0}
    assert (account.shared_cells, account.new_cells, account.readings) == (1, 0, 2)


def test_two_spellings_of_one_model_in_a_cell_get_two_numbers() -> None:
    given = long(("A", "b", 70.0, 1), ("a.", "B", 71.0, 1))
    both, account = BASE.merged_with(given, first="base")
    assert cell(both) == {1: 50.0, 4: 51.0, 5: 70.0, 6: 71.0}
    assert account.taken[:2] == ("model 'A' is taken for a", "model 'a.' is taken for a")


@pytest.mark.parametrize(("first", "one"), [("base", 50.0), ("other", 51.0)])
def test_a_repeat_counts_once_and_is_named(first: First, one: float) -> None:
    both, account = BASE.merged_with(long(("a", "b", 51.0, 1)), first=first)
    assert account.repeats == (("a", "b", 51.0),) and account.readings == 0
    assert sorted(cell(both).values()) == [50.0, 51.0] and cell(both)[1] == one


def test_a_reading_that_says_more_is_no_repeat() -> None:
    base = long(("a", "b", 50.0, 1, "0-shot"), extra="setting")
    for setting, repeats in (("0-shot", 1), (None, 1), ("5-shot", 0)):
        given = long(("a", "b", 50.0, 1, setting), ("d", "b", 1.0, 1, "x"), extra="setting")
        _, account = base.merged_with(given)
        assert len(account.repeats) == repeats, setting
    with_error = long(("a", "b", 50.0, 1, 0.5), extra="stderr")
    both, account = base.merged_with(with_error)
    assert not account.repeats and both.stderr[0, 0] == 0.5


def test_a_matrix_with_itself_is_itself() -> None:
    one = repeated(make_matrix())
    for first in ("base", "other"):
        both, account = one.merged_with(one, first=first)  # type: ignore[arg-type]
        assert both.data_hash == one.data_hash, first
        assert len(account.repeats) == len(one.readings)
    assert account.line.endswith("repeat what is there")


def test_the_bundled_matrix_keeps_its_types() -> None:
    bundled = open_scores()
    both, account = bundled.merged_with(
        long(("GPT-4.1", "GPQA Diamond", 70.0, 1), ("mine", "own test", 40.0, 1))
    )
    assert account.new_models == ("mine",) and account.shared_models == ("gpt-4.1",)
    assert both.benchmark_ids[-1] == "own test"
    assert (both.models.dtypes == bundled.models.dtypes).all()
    assert (both.benchmarks.dtypes == bundled.benchmarks.dtypes).all()
    assert both.values[both.model_index("gpt-4.1"), both.benchmark_index("gpqa_diamond")] == 70


def test_unknown_names_are_all_refused_at_once_with_candidates() -> None:
    given = long(*[(f"gpt-4.1-{n}", "gpqa_diamond", 50.0, 1) for n in range(7)])
    with pytest.raises(UnknownIdError) as refused:
        open_scores().merged_with(given, new_ids=False)
    text = str(refused.value)
    assert "'gpt-4.1-4' (nearest: gpt-4.1" in text and "and 2 more" in text and "--new-ids" in text
    given = long(("gpt-4.1", "no such thing at all", 50.0, 1))
    with pytest.raises(UnknownIdError, match="unknown benchmark 'no such thing at all'"):
        open_scores().merged_with(given, new_ids=False)


def test_a_name_of_two_is_refused() -> None:
    base = long(("a-1", "b", 1.0, 1), ("a.1", "b", 2.0, 1))
    with pytest.raises(AmbiguousIdError, match=r"a-1, a\.1"):
        base.merged_with(long(("A 1", "b", 3.0, 1)))


def test_another_scale_is_refused() -> None:
    with pytest.raises(SchemaError, match="scale is unit, but percent of b"):
        BASE.merged_with(long(("a", "b", 0.5, 1), scale="unit"))


def test_examples() -> None:
    assert failed_examples(sys.modules[merged_tables.__module__]) == 0
