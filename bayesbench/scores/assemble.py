"""From one table of scores, long or wide, to the checked tables of a matrix."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..errors import UsageError
from .layout import is_long, long_from_wide, name_aliases
from .schema import (
    benchmarks_from_scale,
    check_benchmarks,
    check_models,
    check_readings,
    require_rows,
)
from .tables import Table, read_table, table_of

__all__ = ["AUTO", "assemble", "proposed_scale"]

AUTO = "auto"
"""Scale of a table that states none: proposed from what its scores look like, never in silence."""

Metadata = str | Path | pd.DataFrame | None


def assemble(
    table: Table, scale: str | None, benchmarks: Metadata, models: Metadata
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Check a table of scores with its metadata.

    Parameters
    ----------
    table : Table
        Long or wide.
    scale : str or None
        Scale of every benchmark that ``benchmarks`` says nothing about; ``"auto"`` proposes one.
    benchmarks, models : frame, CSV path or None
        Metadata; models without any are taken from the scores.

    Returns
    -------
    tuple of pandas.DataFrame
        models, benchmarks and readings, as :class:`~bayesbench.scores.ScoreMatrix` takes them.

    Raises
    ------
    UsageError
        If neither ``scale`` nor ``benchmarks`` states the scale of the scores.
    SchemaError
        Naming the source, the row, the value and the remedy.
    """
    if scale is None and benchmarks is None:
        raise UsageError(
            f"{table.source} states no scale; say scale percent (0-100), unit (0-1) or rating "
            "(unbounded), or give per-benchmark metadata"
        )
    table = name_aliases(table)
    table = table if is_long(table) else long_from_wide(table)
    table.require(["model_id", "benchmark_id", "score"])
    require_rows(table)
    if scale == AUTO:
        scale = proposed_scale(table)
    columns = _benchmarks_for(table, scale, benchmarks)
    if models is None:
        models = pd.DataFrame({"model_id": table.ids("model_id").unique()})
    rows = check_models(_metadata(models, "models"))
    return rows, columns, check_readings(table, rows, columns)


def proposed_scale(table: Table) -> str:
    """Scale that all scores of a long table look like: unit, percent or rating.

    One for the whole table: shares where every score lies in 0-1, percentages where every score
    lies in 0-100, else ratings. A single column is not judged by its own few scores: a hard
    benchmark in percent may well lie below 1.
    """
    scores = pd.to_numeric(table.frame["score"], errors="coerce").dropna()
    if scores.empty or (scores < 0).any() or (scores > 100).any():
        return "rating"
    return "unit" if (scores <= 1).all() else "percent"


def _metadata(given: str | Path | pd.DataFrame, name: str) -> Table:
    return table_of(given, name) if isinstance(given, pd.DataFrame) else read_table(given)


def _benchmarks_for(table: Table, scale: str | None, benchmarks: Metadata) -> pd.DataFrame:
    used = [str(value) for value in table.ids("benchmark_id").unique()]
    if benchmarks is None:
        return benchmarks_from_scale(used, str(scale))
    stated = check_benchmarks(_metadata(benchmarks, "benchmarks"), scale)
    known = set(stated.index)
    unstated = [benchmark_id for benchmark_id in used if benchmark_id not in known]
    if scale is None or not unstated:
        return stated
    return pd.concat([stated, benchmarks_from_scale(unstated, scale)])
