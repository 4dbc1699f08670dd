"""What it costs to ask each item, from a table."""

from __future__ import annotations

from pathlib import Path

from ..design import Costs
from ..errors import SchemaError
from ..scores.ids import nearest_ids
from ..scores.tables import read_table, shown
from .bank import ItemBank

__all__ = ["read_item_costs"]


def read_item_costs(path: str | Path, bank: ItemBank) -> Costs:
    """Read costs of items: ``item_id,cost[,unit]``, one row per item.

    Parameters
    ----------
    path : str or Path
        CSV of any dialect, parquet or xlsx.
    bank : ItemBank

    Returns
    -------
    Costs
        By item id; items that the table does not name have none.

    Raises
    ------
    SchemaError
        Naming the file, the row and the value: an item that the bank does not have or that stands
        twice, a cost that is no number above 0, a second unit.
    """
    table = read_table(path)
    table.require(["item_id", "cost"])
    items = table.unique_ids("item_id")
    there = items.isin(bank.items.index).to_numpy()
    if not there.all():
        at = int(there.argmin())
        near = nearest_ids(items[at], bank.items.index)
        hint = f"; nearest: {', '.join(near)}" if near else ""
        raise table.fault(at, f"item_id {shown(items[at])}: not in the bank{hint}")
    costs = table.numbers("cost", lambda v: v > 0, "must be a number above 0", optional=False)
    if not len(items):
        raise SchemaError(f"{table.source}: no cost in the file; give a row for each item")
    unit = ""
    if "unit" in table.frame.columns:
        units = table.ids("unit")
        unit = units[0]
        table.check("unit", (units == unit).to_numpy(), f"{unit!r} before; use one unit")
    return Costs(dict(zip(items, map(float, costs), strict=True)), unit)
