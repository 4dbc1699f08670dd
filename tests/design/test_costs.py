from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesbench.design import costs
from bayesbench.design.costs import Costs, read_allowlist
from bayesbench.errors import UsageError
from tests.design.design_helpers import failed_examples


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_costs_from_a_csv_with_a_unit(tmp_path: Path) -> None:
    path = written(tmp_path, "benchmark_id,cost,unit\na,2.5,USD\nb,10,USD\n")
    assert Costs.load(path, pd.DataFrame()) == Costs({"a": 2.5, "b": 10.0}, "USD")


def test_costs_from_a_table_of_any_dialect(tmp_path: Path) -> None:
    path = written(tmp_path, "Benchmark;Cost;Unit\na;2,5;USD\nb;1.000,5;USD\n")
    assert Costs.from_csv(path) == Costs({"a": 2.5, "b": 1000.5}, "USD")


def test_costs_from_the_number_of_items_leave_unknown_ones_out() -> None:
    table = pd.DataFrame({"n_items": [198.0, np.nan]}, index=["gpqa", "hle"])
    assert Costs.load("n_items", table) == Costs({"gpqa": 198.0}, "items")
    assert Costs.from_n_items(pd.DataFrame(index=["a"])).values == {}


KINDS = {
    "known": ("math", "exact-match", 30.0, 30.0),
    "code": ("coding", "code-execution", 164.0, 328.0),
    "composite": ("composite", "composite", np.nan, 3000.0),
    "judge": ("knowledge", "judge", 500.0, 2500.0),
    "agentic": ("agentic", "agentic", np.nan, 40000.0),
    "agentic-known": ("agentic", "agentic", 50.0, 10000.0),
    "by-match": ("agentic", "exact-match", np.nan, 1000.0),
    "long": ("long-context", "judge", 100.0, 15000.0),
    "pictures": ("multimodal", "code-execution", np.nan, 4000.0),
}
"""Category, how, items and the cost worked out by hand."""


def kinds() -> pd.DataFrame:
    rows = [row[:3] for row in KINDS.values()]
    return pd.DataFrame(rows, index=list(KINDS), columns=["category", "how", "n_items"])


def test_costs_from_metadata() -> None:
    found = Costs.load("bundled", kinds())
    assert found == Costs({name: row[3] for name, row in KINDS.items()}, "item equivalents")
    unknown = Costs.from_metadata(kinds().drop(columns="n_items")).values
    assert (unknown["known"], unknown["agentic-known"]) == (1000.0, 40000.0)


@pytest.mark.parametrize(
    ("column", "value"), [("how", "human-preference"), ("how", None), ("category", None)]
)
def test_what_metadata_do_not_tell_has_no_cost(column: str, value: str | None) -> None:
    table = kinds()
    table.loc["judge", column] = value
    assert set(Costs.from_metadata(table).values) == set(KINDS) - {"judge"}


def test_metadata_without_the_columns_are_refused_in_one_line() -> None:
    for dropped, named in ((["how"], "no column how to"), (["category", "how"], "and no column")):
        with pytest.raises(UsageError, match=named) as caught:
            Costs.from_metadata(kinds().drop(columns=dropped))
        assert "\n" not in str(caught.value)


def test_costs_replace_single_ones_in_one_unit() -> None:
    table = Costs({"a": 1.0, "b": 2.0}, "USD")
    assert table.replaced_by(Costs({"b": 5.0, "c": 3.0}, "USD")) == Costs(
        {"a": 1.0, "b": 5.0, "c": 3.0}, "USD"
    )
    assert table.replaced_by(Costs({"b": 5.0})).unit == "USD"
    with pytest.raises(UsageError, match="costs in minutes cannot replace costs in USD"):
        table.replaced_by(Costs({"b": 5.0}, "minutes"))


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan, np.inf])
def test_a_cost_that_is_no_cost_is_named(value: float) -> None:
    with pytest.raises(UsageError, match=f"cost of 'a' must be a number above 0, got {value:g}"):
        Costs({"a": value})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("benchmark_id,cost\na,-3\n", "row 2: cost of 'a' must be a number above 0, got -3"),
        ("benchmark_id,cost\na,cheap\n", "row 2: cost 'cheap' of 'a' must be a number like"),
        ("benchmark_id,cost\na\n", "row 2: cost of 'a' .* got nan"),
        ("benchmark_id,cost\na,nan\n", "row 2: cost of 'a' .* got nan"),
        ("benchmark_id,cost\na,1\na,2\n", "row 3: cost of 'a' is given twice"),
        ("benchmark_id,cost\n,1\n", "row 2: no benchmark_id"),
        ("benchmark_id,price\na,1\n", "needs columns benchmark_id,cost"),
        ("benchmark_id,cost\n", "needs columns benchmark_id,cost and at least one row"),
        ("", "columns benchmark_id,cost"),
        ("benchmark_id,cost,unit\na,1,USD\nb,1,minutes\n", "several units"),
        (b"\xff\xfe\x00", "not UTF-16 text"),
    ],
)
def test_bad_cost_files_are_one_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        Costs.from_csv(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_cost_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.csv: no such file"):
        Costs.from_csv(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "text",
    [
        "a\n\n# dear ones left out\nb # cheap\na\n",
        '["a", "b", "a"]',
        '{"benchmark_ids": ["a", "b"]}',
    ],
)
def test_allowlists(tmp_path: Path, text: str) -> None:
    assert read_allowlist(written(tmp_path, text)) == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing\n", "names no benchmark"),
        ("[]", "names no benchmark"),
        ("[1]", "must be a list of ids"),
        (json.dumps({"ids": ["a"]}), "must be a list of ids"),
        ("[", "is not valid JSON"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_bad_allowlists(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_allowlist(written(tmp_path, text))


def test_examples() -> None:
    assert failed_examples(costs) == 0
