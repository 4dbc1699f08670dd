"""The scores of a long table as numbers, with standard errors and settings written beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .numerals import (
    Decimal,
    NotANumber,
    Written,
    decimal_sign,
    is_missing_mark,
    read_written,
)
from .tables import Table, shown

__all__ = ["Scored", "as_numbers", "in_scale"]


@dataclass(frozen=True, eq=False)
class Scored:
    """A long table whose scores are numbers.

    Attributes
    ----------
    table : Table
        Readings with a score: score and (where any is known) stderr as floats.
    percent : numpy.ndarray of bool
        Where a percent sign stood.
    decimal : {"point", "comma", "unknown"}
    missing : int
        Rows without a score, which were left out.
    """

    table: Table
    percent: np.ndarray
    decimal: Decimal
    missing: int


def as_numbers(table: Table, *, wide: bool = False) -> Scored:
    """Read the cells of a long table: numbers, ``85.3%``, ``85.3 ± 1.2``, ``85.3 (5-shot)``.

    Rows whose score is a mark of missing (blank, ``N/A``, ``-``, ...) are left out and counted.
    Where every benchmark was a column (`wide`), a fault says how to leave that out.

    Raises
    ------
    SchemaError
        Naming the cell that is not one number, or has two standard errors.
    """
    filled = ~table.frame["score"].map(is_missing_mark).to_numpy(dtype=bool)
    missing = int(len(filled) - filled.sum())
    table = table.holding(table.frame[filled].reset_index(drop=True), table.rows[filled])
    texts = {value for value in _unique(table, "score") if isinstance(value, str)}
    decimal = decimal_sign(texts)
    written = _read(table, "score", decimal, wide)
    frame = table.frame.assign(score=np.array([one.value for one in written], dtype=np.float64))
    stderr = np.array([one.stderr for one in written], dtype=np.float64)
    if "stderr" in frame:
        stderr = _with_column(table, stderr, decimal)
        frame["stderr"] = stderr
    elif np.isfinite(stderr).any():
        frame["stderr"] = stderr
    if any(one.setting is not None for one in written):
        frame["setting"] = _settings(frame, written)
    percent = np.array([one.percent for one in written], dtype=bool)
    return Scored(table.holding(frame), percent, decimal, missing)


def in_scale(scored: Scored, scales: Mapping[str, str]) -> Table:
    """Scores and standard errors in the units of their benchmarks' scales.

    A percentage on a scale from 0 to 1 is divided by 100; that is the only conversion there is.

    Parameters
    ----------
    scored : Scored
    scales : mapping of benchmark id to scale

    Raises
    ------
    SchemaError
        Where a benchmark in percentages has a score of at most 1 without a percent sign, which
        may be a share.
    """
    table, percent = scored.table, scored.percent
    if not percent.any():
        return table
    ids = table.frame["benchmark_id"]
    unit = ids.map(lambda name: scales.get(name) == "unit").to_numpy(dtype=bool)
    marked = ids.isin(set(ids[percent])).to_numpy()
    scores = table.frame["score"].to_numpy()
    doubtful = np.flatnonzero(marked & ~percent & ~unit & (scores > 0) & (scores <= 1))
    if len(doubtful):
        first = int(doubtful[0])
        raise table.fault(
            first,
            f"score {scores[first]:g} of {ids[first]} stands without % among percentages; write "
            f"{scores[first]:g}% or {100 * scores[first]:g}%",
        )
    divisor = np.where(percent & unit, 100.0, 1.0)
    changed = {name: table.frame[name] / divisor for name in ("score", "stderr")
               if name in table.frame}  # fmt: skip
    return table.holding(table.frame.assign(**changed))


def _unique(table: Table, column: str) -> list[object]:
    values = table.frame[column]
    if pd.api.types.is_numeric_dtype(values.dtype):
        return []
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _read(table: Table, column: str, decimal: Decimal, wide: bool = False) -> list[Written]:
    """Every cell of a column; equal texts are read once."""
    values = table.frame[column]
    read: dict[str, Written] = {}
    found = []
    for position, value in enumerate(values):
        known = read.get(value) if isinstance(value, str) else None
        if known is None:
            try:
                known = read_written(value, decimal)
            except NotANumber as fault:
                raise table.fault(position, _fault(table, position, column, fault, wide)) from None
            if isinstance(value, str):
                read[value] = known
        found.append(known)
    return found


def _fault(table: Table, position: int, column: str, fault: NotANumber, wide: bool) -> str:
    value = table.frame[column].iloc[position]
    benchmark = table.frame["benchmark_id"].iloc[position]
    drop = f", or leave that column out (--drop {benchmark!r})" if wide else ""
    return f"{column} {shown(value)} of {benchmark} {fault}{drop}"


def _with_column(table: Table, stderr: np.ndarray, decimal: Decimal) -> np.ndarray:
    """Standard errors of their own column, where the score has none written behind it."""
    missing = table.frame["stderr"].map(is_missing_mark).to_numpy(dtype=bool)
    given = np.flatnonzero(~missing)
    own = table.holding(table.frame.iloc[given].reset_index(drop=True), table.rows[given])
    found = stderr.copy()
    for at, one in zip(given, _read(own, "stderr", decimal), strict=True):
        if one.value < 0:
            raise table.fault(int(at), f"stderr {one.value:g}: must be a number of at least 0")
        if np.isfinite(found[at]) and found[at] != one.value:
            raise table.fault(
                int(at), f"two standard errors: {found[at]:g} and {one.value:g}; keep one"
            )
        found[at] = one.value
    return found


def _settings(frame: pd.DataFrame, written: list[Written]) -> list[str | None]:
    own = frame["setting"] if "setting" in frame else pd.Series([None] * len(frame))
    found: list[str | None] = []
    for given, one in zip(own, written, strict=True):
        parts = [str(given)] if not is_missing_mark(given) else []
        found.append("; ".join([*parts, *([one.setting] if one.setting else [])]) or None)
    return found
