"""Numbers by benchmark name from any table."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bayesbench.errors import UsageError
from bayesbench.scores.pairs import NamedNumber, read_amounts, read_pairs


def read(
    tmp_path: Path, text: str, what: str = "score", beside: str = ""
) -> tuple[NamedNumber, ...]:
    path = tmp_path / "x.csv"
    path.write_text(text)
    return read_pairs(path, what, beside)


@pytest.mark.parametrize(
    "text",
    [
        "benchmark_id,score\na,70\nb,80.5\n",
        "Benchmark,Accuracy\na,70%\nb,80.5%\n",
        "Task;Value\na;70\nb;80,5\n",
        "Model,a,b,Average\nmine,70,80.5,75\n",
        "model,benchmark,score\nmine,a,70\nmine,b,80.5\n",
    ],
)
def test_a_row_per_benchmark_or_one_row_of_a_wide_table(tmp_path: Path, text: str) -> None:
    assert [(one.name, one.value) for one in read(tmp_path, text)] == [("a", 70.0), ("b", 80.5)]


def test_standard_errors_missing_scores_and_units(tmp_path: Path) -> None:
    found = read(tmp_path, "benchmark,score,stderr\na,70,1.5\nb,-,\nc,60 ± 2,\n")
    assert [one.stderr for one in found] == [1.5, pytest.approx(math.nan, nan_ok=True), 2.0]
    assert math.isnan(found[1].value) and found[1].where == "x.csv, row 3"
    (cost,) = read(tmp_path, "Benchmark,Cost,Unit\na,3,USD\n", "cost", "unit")
    assert (cost.value, cost.beside) == (3.0, "USD")


@pytest.mark.parametrize(
    ("text", "what", "message"),
    [
        ("benchmark_id,score\na,70*\n", "score", "row 2: score '70*' of 'a' must be a number"),
        ("benchmark_id,score\n,70\n", "score", "row 2: no benchmark_id; fill it in"),
        ("benchmark_id,price\na,1\n", "weight", "it needs columns benchmark_id,weight"),
        ("model,a\nm,1\nn,2\n", "score", "it needs columns benchmark_id,score"),
        ("", "cost", "the file is empty"),
    ],
)
def test_faults_are_wrong_calls(tmp_path: Path, text: str, what: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text, what)
    assert message in str(caught.value)


def at_least_one(name: str, value: float, where: str) -> None:
    if not value >= 1:
        raise UsageError(f"{where}{name} costs {value:g}")


def test_amounts_are_in_one_unit_and_missing_ones_left_out_only_where_asked(
    tmp_path: Path,
) -> None:
    path = tmp_path / "amounts.csv"
    path.write_text("model_id,price,unit\na,1,USD\nb,-,EUR\nc,3,USD\n")
    found = read_amounts(path, "price", "model_id", at_least_one, missing=True)
    assert found == ({"a": 1.0, "c": 3.0}, "USD")
    with pytest.raises(UsageError, match="row 3: b costs nan"):
        read_amounts(path, "price", "model_id", at_least_one)
    path.write_text("benchmark_id,cost\na,1\n")
    assert read_amounts(path, "cost", "benchmark_id", at_least_one) == ({"a": 1.0}, "")


@pytest.mark.parametrize(("rows", "message"), [
    ("a,1,USD\na,2,USD", "row 3: cost of 'a' is given twice; give it once"),
    ("a,1,USD\na,-,USD", "row 3: cost of 'a' is given twice; give it once"),
    ("a,1,USD\nb,1,", "costs in several units (USD, none); give all in one"),
    ("a,0,USD", "row 2: a costs 0"), ("a,-,USD", "no cost in the file; it needs at least one"),
])  # fmt: skip
def test_amounts_that_cannot_be_compared_are_named(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "amounts.csv"
    path.write_text(f"benchmark_id,cost,unit\n{rows}\n")
    with pytest.raises(UsageError) as caught:
        read_amounts(path, "cost", "benchmark_id", at_least_one, missing=True)
    assert message in str(caught.value) and "amounts.csv" in str(caught.value)
