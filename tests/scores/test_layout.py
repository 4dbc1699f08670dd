from __future__ import annotations

import pandas as pd
import pytest

from bayesbench.errors import SchemaError
from bayesbench.scores.layout import is_long, long_from_wide, name_aliases
from bayesbench.scores.tables import Table, table_of


def table(**columns: list[object]) -> Table:
    return table_of(pd.DataFrame(columns), "t")


def test_short_names_become_ids_unless_those_are_there() -> None:
    renamed = name_aliases(table(model=["m"], benchmark=["b"], score=[1]))
    assert list(renamed.frame) == ["model_id", "benchmark_id", "score"]
    kept = name_aliases(table(model=["M 1"], model_id=["m"]))
    assert list(kept.frame) == ["model", "model_id"]


@pytest.mark.parametrize(
    ("columns", "long"),
    [(["model_id", "score"], True), (["model_id", "benchmark_id"], True), (["x", "gpqa"], False)],
)
def test_a_long_table_is_told_by_its_columns(columns: list[str], long: bool) -> None:
    assert is_long(table(**{name: [1] for name in columns})) == long


def test_wide_becomes_long_with_the_rows_of_the_source() -> None:
    wide = table(model=["m0", "m1"], b0=["1", "NA"], b1=[None, "-"], b2=["2", "3"])
    long = long_from_wide(wide)
    assert long.frame.to_numpy().tolist() == [
        ["m0", "b0", "1"], ["m0", "b2", "2"], ["m1", "b2", "3"],
    ]  # fmt: skip
    assert list(long.frame) == ["model_id", "benchmark_id", "score"]
    assert long.rows.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["model"], "one column only"),
        (["model", " "], "column 2 has no benchmark id"),
        (["model", "b0", "b0"], "column 'b0' stands twice"),
    ],
)
def test_faults_of_wide_tables_are_named(columns: list[str], message: str) -> None:
    frame = pd.DataFrame([["m0"] * len(columns)], columns=columns)
    with pytest.raises(SchemaError, match=message):
        long_from_wide(table_of(frame, "t"))


def test_a_model_that_stands_twice_is_named_with_its_row() -> None:
    with pytest.raises(SchemaError, match="row 1: model 'm0': this id stands twice"):
        long_from_wide(table(model=["m0", "m0"], b0=[1, 2]))
