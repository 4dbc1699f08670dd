"""Long and wide tables of scores, and the short names of their columns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..errors import SchemaError
from .tables import Table, shown

__all__ = ["is_long", "long_from_wide", "name_aliases"]

_ALIASES = {"model": "model_id", "benchmark": "benchmark_id"}
_MISSING_WORDS = frozenset({"NA", "N/A", "NaN", "nan", "None", "-"})


def name_aliases(table: Table) -> Table:
    """Table with the columns ``model`` and ``benchmark`` named ``model_id``, ``benchmark_id``."""
    renamed = {
        old: new
        for old, new in _ALIASES.items()
        if old in table.frame.columns and new not in table.frame.columns
    }
    return Table(table.source, table.frame.rename(columns=renamed), table.rows)


def is_long(table: Table) -> bool:
    """Whether a table has one row per reading (else one row per model, a column per benchmark)."""
    return "benchmark_id" in table.frame.columns or "score" in table.frame.columns


def long_from_wide(table: Table) -> Table:
    """Long table of a wide one: first column model ids, one column per benchmark, empty = missing.

    Parameters
    ----------
    table : Table
        Wide table with at least two columns.

    Returns
    -------
    Table
        Columns model_id, benchmark_id, score; each record keeps the row of its model.

    Raises
    ------
    SchemaError
        If there is no benchmark column, a column has no name, or a model id stands twice.
    """
    if table.frame.shape[1] < 2:
        raise SchemaError(
            f"{table.source}: one column only; give model_id, benchmark_id, score per row, or "
            "model ids in the first column and a column per benchmark"
        )
    columns = list(table.frame.columns)
    for position, name in enumerate(columns[1:], start=2):
        if pd.isna(name) or not str(name).strip():
            raise SchemaError(f"{table.source}: column {position} has no benchmark id; name it")
    twice = [str(name) for name in columns if columns.count(name) > 1]
    if twice:
        raise SchemaError(f"{table.source}: column {shown(twice[0])} stands twice; keep one")
    models = table.unique_ids(columns[0]).to_numpy()
    scores = table.frame[columns[1:]]
    scores = scores.mask(scores.isin(_MISSING_WORDS))
    rows, cols = np.nonzero(scores.notna().to_numpy())
    ids = np.array([str(name) for name in columns[1:]], dtype=object)
    values = scores.to_numpy(dtype=object)[rows, cols]
    frame = pd.DataFrame(
        {"model_id": models[rows], "benchmark_id": ids[cols], "score": values},
    )
    return Table(table.source, frame, table.rows[rows])
