from __future__ import annotations

import pandas as pd
import pytest

from bayesbench.errors import SchemaError, UnknownIdError, UsageError
from bayesbench.scores.layout import is_long, laid_out
from bayesbench.scores.tables import Table, table_of


def table(**columns: list[object]) -> Table:
    return table_of(pd.DataFrame(columns), "t")


def rows(laid: Table) -> list[list[object]]:
    return laid.frame[["model_id", "benchmark_id", "score"]].to_numpy().tolist()


@pytest.mark.parametrize(
    ("columns", "long"),
    [
        (["model_id", "score"], True),
        (["model_id", "benchmark_id"], True),
        (["Model", "Benchmark", "Score"], True),
        (["System", "Task", "Value"], True),
        (["LLM", "Dataset", "Accuracy", "Date"], True),
        (["x", "gpqa"], False),
        (["Model", "Score", "MMLU"], False),  # an overall score beside a benchmark
        (["Benchmark", "gpt-5", "claude"], False),
        (["Model", "Test", "MMLU"], False),
    ],
)
def test_a_long_table_is_told_by_its_columns(columns: list[str], long: bool) -> None:
    assert is_long(table(**{name: [1] for name in columns})) == long


def test_wide_becomes_long_with_the_rows_of_the_source() -> None:
    wide = table(model=["m0", "m1"], b0=["1", "NA"], b1=[None, "-"], b2=["2", "3"])
    laid = laid_out(wide)
    assert rows(laid.table) == [["m0", "b0", "1"], ["m0", "b2", "2"], ["m1", "b2", "3"]]
    assert laid.table.rows.tolist() == [0, 0, 1]
    assert (laid.models, laid.benchmarks) == (("m0", "m1"), ("b0", "b1", "b2"))


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
        laid_out(table_of(frame, "t"))


def test_a_model_that_stands_twice_is_named_with_its_row_and_the_other_layout() -> None:
    with pytest.raises(SchemaError, match=r"row 1: model 'm0': this id stands twice; .* a row per"):
        laid_out(table(model=["m0", "m0"], b0=[1, 2]))


def test_the_column_of_models_need_not_be_the_first() -> None:
    laid = laid_out(table(Rank=[1, 2], Organization=["X", "Y"], Model=["a", "b"], GPQA=[7, 8]))
    assert rows(laid.table) == [["a", "GPQA", 7], ["b", "GPQA", 8]]
    assert laid.left_out == (("Rank", "rank"),)
    assert laid.taken == (("Organization", "provider"),)
    assert laid.facts.to_numpy().tolist() == [["a", "X"], ["b", "Y"]]


def test_row_numbers_that_a_frame_was_written_with_are_no_models() -> None:
    laid = laid_out(table(**{"": ["0", "1"], "Model": ["a", "b"], "GPQA": ["7", "8"]}))
    assert laid.left_out == (("(no name)", "row number"),)
    assert laid.models == ("a", "b")
    unnamed = laid_out(table(**{"": ["0", "1"], "Name of it": ["a", "b"], "GPQA": ["7", "8"]}))
    assert unnamed.models == ("a", "b")


def test_rows_that_average_the_models_are_left_out_by_name() -> None:
    laid = laid_out(table(Model=["a", "Average", "b"], GPQA=[70, 75, 80]))
    assert laid.models == ("a", "b")
    assert laid.left_out == (("Average", "aggregate of models"),)


def test_ids_have_their_space_tidied() -> None:
    laid = laid_out(table(Model=[" a  b\u00a0", "c"], **{"GPQA\nDiamond": [70, 80]}))
    assert rows(laid.table)[0] == ["a b", "GPQA Diamond", 70]


def test_standard_errors_stand_with_their_scores() -> None:
    laid = laid_out(table(m=["a", "b"], x=["5", "6"], x_stderr=["1", "N/A"], y=["7", "8"]))
    assert laid.table.frame["stderr"].tolist() == ["1", None, "N/A", None]
    assert laid.benchmarks == ("x", "y")


@pytest.mark.parametrize("corner", ["Benchmark", "task", "Dataset"])
def test_a_corner_that_says_benchmark_has_models_in_columns(corner: str) -> None:
    turned = table(**{corner: ["GPQA", "MMLU"], "gpt": [70, 80], "claude": [71, "-"]})
    laid = laid_out(turned)
    assert laid.layout == "models in columns"
    assert rows(laid.table) == [["gpt", "GPQA", 70], ["gpt", "MMLU", 80], ["claude", "GPQA", 71]]
    assert str(laid.table.fault(2, "wrong")) == "t, column 'claude': wrong"


def test_what_is_no_model_among_columns_is_left_out_by_name() -> None:
    turned = table(Benchmark=["GPQA", "Average"], Category=["x", "y"], gpt=[70, 80], Average=[7, 8])
    laid = laid_out(turned)
    assert laid.models == ("gpt",) and laid.benchmarks == ("GPQA",)
    assert [name for name, _ in laid.left_out] == ["Category", "Average", "Average"]


def test_known_models_as_headers_have_models_in_columns() -> None:
    columns = {"": ["GPQA", "x"], "gpt-4.1": [1, 2], "GPT-4o (2024-08-06)": [3, 4], "o1": [5, 6]}
    laid = laid_out(table(**columns))
    assert laid.layout == "models in columns"
    assert laid_out(table(**columns), models_in="rows").layout == "models in rows"
    assert laid_out(table(**{"": ["a"], "b": [1], "c": [2], "d": [3]})).layout == "models in rows"


def test_models_in_columns_may_be_asked_for() -> None:
    laid = laid_out(table(x=["GPQA", "MMLU"], a=[1, 2], b=[3, 4]), models_in="columns")
    assert laid.models == ("a", "b")
    with pytest.raises(UsageError, match="a long table has no models in columns"):
        laid_out(table(model=["a"], benchmark=["b"], score=[1]), models_in="columns")


def test_long_tables_give_facts_that_are_the_same_in_all_rows_of_a_model() -> None:
    laid = laid_out(
        table(
            Model=["a", "a", "b"], Task=["x", "y", "x"], Value=["1", "2", "3"],
            Provider=["P", "P", "Q"], Params=["7B", "8B", "9B"], metric=["acc", "acc", "acc"],
        )
    )  # fmt: skip
    assert laid.taken == (("Provider", "provider"),)
    assert laid.facts.to_dict("list") == {"model_id": ["a", "b"], "provider": ["P", "Q"]}
    assert [name for name, _ in laid.left_out] == ["Params", "metric"]
    assert list(laid.table.frame) == ["model_id", "benchmark_id", "score"]


def test_columns_are_kept_and_dropped_by_any_spelling() -> None:
    wide = table(Model=["a", "b"], Rank=[1, 2], GPQA=[7, 8], Text=["x", "y"])
    assert laid_out(wide, keep=["rank"], drop=["gpqa"]).benchmarks == ("Rank",)
    with pytest.raises(UnknownIdError, match="unknown column to keep 'Rnk'; nearest: Rank"):
        laid_out(wide, keep=["Rnk"])
    with pytest.raises(UnknownIdError, match="column to drop"):
        laid_out(table(model=["a"], benchmark=["b"], score=[1]), drop=["no"])


def test_a_table_without_any_column_of_scores_says_what_each_is() -> None:
    with pytest.raises(SchemaError, match=r"row 0: score 'one' of b: must be a number"):
        laid_out(table(Model=["a"], Rank=[1], b=["one"]))
    with pytest.raises(SchemaError, match=r"no column of scores among Rank \(rank\); name one"):
        laid_out(table(Model=["a", "b"], Rank=[1, 2]))
