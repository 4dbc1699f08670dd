"""Costs of items from a table: by id, one unit, faults that name their row."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.errors import SchemaError
from bayesbench.items.bank import ItemBank
from bayesbench.items.item_costs import read_item_costs
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


@pytest.fixture(scope="module")
def bank() -> ItemBank:
    return fit_bank(simulate_items(20, 5, seed=1).responses, factors=1)


def test_costs_are_read(tmp_path: Path, bank: ItemBank) -> None:
    file = tmp_path / "costs.csv"
    file.write_text("item_id,cost,unit\nitem_2,0.5,USD\nitem_0,3,USD\n")
    found = read_item_costs(file, bank)
    assert (found.values, found.unit) == ({"item_2": 0.5, "item_0": 3.0}, "USD")
    file.write_text("item_id,cost\nitem_2,2\n")
    assert read_item_costs(file, bank).unit == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item_id,cost\nitem_1,2\nitem_11,2\n", "row 3: item_id 'item_11': not in the bank; near"),
        ("item_id,cost\nitem_1,2\nitem_1,2\n", "row 3: item_id 'item_1': this id stands twice"),
        ("item_id,cost\nitem_1,0\n", "row 2: cost '0': must be a number above 0"),
        ("item_id,cost\nitem_1,inf\n", "row 2: cost 'inf'"),
        ("item_id,cost\nitem_1,\n", "row 2: cost"),
        ("item_id,cost,unit\nitem_1,1,USD\nitem_2,1,EUR\n", "row 3: unit 'EUR': 'USD' before"),
        ("item_id,price\nitem_1,1\n", "missing column cost"),
        ("item_id,cost\n", "costs.csv"),
        ("", "costs.csv"),
    ],
)
def test_a_fault_is_one_line(tmp_path: Path, bank: ItemBank, text: str, message: str) -> None:
    file = tmp_path / "costs.csv"
    file.write_text(text)
    with pytest.raises(SchemaError, match=message) as caught:
        read_item_costs(file, bank)
    assert "\n" not in str(caught.value) and "costs.csv" in str(caught.value)
