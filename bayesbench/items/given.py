"""Answers of models to some items of a bank, from a table, in the order of the bank."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import DataError, SchemaError
from ..scores.ids import nearest_ids
from ..scores.tables import read_table, shown
from .bank import ItemBank
from .loaders import correct_column, trials_column
from .responses import ItemResponses, smallest

__all__ = ["aligned", "changed_since", "of_one", "read_answers"]

NEW = "new"
"""Model id where a table names none."""


def read_answers(path: str | Path, bank: ItemBank) -> ItemResponses:
    """Read answers to items of a bank: ``item_id, correct[, n][, model_id]``, one row per answer.

    Parameters
    ----------
    path : str or Path
        CSV of any dialect, parquet or xlsx; ``share`` of ``n`` instead of ``correct`` as in
        `read_long`. Without ``model_id`` the model is called ``new``.
    bank : ItemBank

    Returns
    -------
    ItemResponses
        Of all items of the bank, in its order; no trials where there is no answer.

    Raises
    ------
    SchemaError
        Naming the file, the row and the value; also for an item that the bank does not have.
    """
    table = read_table(path)
    value = "share" if "share" in table.frame.columns else "correct"
    table.require(["item_id", value])
    if table.frame.empty:
        raise SchemaError(f"{table.source}: no answer in the file; give a row for each")
    items = table.ids("item_id")
    if "benchmark_id" in table.frame.columns:  # an item of several benchmarks bears both names
        both = table.ids("benchmark_id") + "/" + items
        items = items.where(items.isin(bank.items.index) | ~both.isin(bank.items.index), both)
    columns = bank.items.index.get_indexer(pd.Index(items))
    if (columns < 0).any():
        at = int(np.argmax(columns < 0))
        near = nearest_ids(items[at], dict.fromkeys(bank.items.index, 0))
        hint = f"; nearest: {', '.join(near)}" if near else "; take ids from the bank"
        old = changed_since(items[at], bank)
        said = (
            f"its document changed since the bank, where it is {old}; ask that one" if old else ""
        )
        raise table.fault(at, f"item_id {shown(items[at])}: {said or 'not in the bank' + hint}")
    if "benchmark_id" in table.frame.columns:
        said_of = table.ids("benchmark_id")
        own = bank.items["benchmark_id"].to_numpy(dtype=object)[columns]
        same = (said_of.to_numpy(dtype=object) == own).astype(bool)
        if not same.all():
            at = int(np.argmin(same))
            raise table.fault(
                at,
                f"benchmark_id {shown(said_of[at])}: item {shown(items[at])} is of {own[at]!r} in "
                "the bank; correct it",
            )
    named = "model_id" in table.frame.columns
    models = table.ids("model_id") if named else pd.Series([NEW] * len(items), dtype="str")
    trials = trials_column(table)
    correct = correct_column(table, value, trials)
    rows, ids = pd.factorize(models)
    twice = pd.DataFrame({"row": rows, "column": columns}).duplicated().to_numpy()
    if twice.any():
        at = int(np.argmax(twice))
        raise table.fault(
            at,
            f"item {shown(items[at])} is answered in an earlier row; add them up with a column n",
        )
    held = np.zeros((2, len(ids), len(bank.items)), dtype=np.float32)
    held[0, rows, columns], held[1, rows, columns] = correct, trials
    frame = pd.DataFrame(index=pd.Index(list(ids), name="model_id", dtype="str"))
    return ItemResponses(frame, bank.items, smallest(held[0]), smallest(held[1]))


def changed_since(item: str, bank: ItemBank) -> str:
    """Id of the bank's item whose document is the same but for its hash; empty if there is none.

    Examples
    --------
    >>> from bayesbench.items.simulator import simulate_items
    >>> from bayesbench.items.variational import fit_bank
    >>> changed_since("item_0", fit_bank(simulate_items(20, 5, seed=1).responses, factors=1))
    ''
    """
    document, colon, _ = item.rpartition(":")
    if not colon:
        return ""
    alike = [str(one) for one in bank.items.index if str(one).rpartition(":")[0] == document]
    return alike[0] if alike else ""


def aligned(responses: ItemResponses, bank: ItemBank) -> tuple[ItemResponses, int]:
    """Answers to the bank's items in its order, and how many of the other items were left out.

    Raises
    ------
    DataError
        No item is in the bank.
    """
    columns = responses.items.index.get_indexer(bank.items.index)
    there = columns >= 0
    if not there.any():
        first, known = responses.items.index[0], bank.items.index[0]
        raise DataError(f"no item is in the bank: {first!r} here, {known!r} there; check the ids")
    held = []
    for values in (responses.correct, responses.trials):
        full = np.zeros((len(responses.models), len(there)), dtype=values.dtype)
        full[:, there] = values[:, columns[there]]
        held.append(full)
    found = ItemResponses(responses.models, bank.items, held[0], held[1], responses.notes)
    return found, responses.shape[1] - int(there.sum())


def of_one(
    bank: ItemBank, answers: Mapping[str, tuple[float, int]], model_id: str = NEW
) -> ItemResponses:
    """Answers of one model as ``item_id -> (correct, n)``, in the order of the bank."""
    held = np.zeros((2, 1, len(bank.items)), dtype=np.float32)
    columns = bank.items.index.get_indexer(pd.Index(list(answers)))
    if len(columns):
        held[:, 0, columns] = np.array(list(answers.values()), dtype=np.float32).T
    frame = pd.DataFrame(index=pd.Index([model_id], name="model_id", dtype="str"))
    return ItemResponses(frame, bank.items, held[0], held[1])
