"""Numbers by name, from a file: scores of one model, weights, costs; prices of models."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..errors import SchemaError, UsageError
from .headers import column_for
from .ids import folded
from .layout import is_long, laid_out
from .numerals import NotANumber, decimal_sign, is_missing_mark, read_written
from .tables import Table, is_missing, read_table, shown

__all__ = ["NamedNumber", "read_amounts", "read_pairs"]


@dataclass(frozen=True)
class NamedNumber:
    """A number of one benchmark, or of one model.

    Attributes
    ----------
    name : str
        As written.
    value, stderr : float
        NaN where none is written; a value that is missing is NaN too.
    where : str
        File and row, for messages.
    beside : str
        What stands in a further column; empty without.
    """

    name: str
    value: float
    stderr: float
    where: str
    beside: str = ""


def read_pairs(
    path: str | Path, what: str, beside: str = "", key: str = "benchmark_id"
) -> tuple[NamedNumber, ...]:
    """Read a number per benchmark, or per model, from any table file.

    A row for each with columns `key` (or benchmark, task, ...; model, system, ...) and `what` (for
    scores also score, value, ...); or for scores one row of a wide table.

    Parameters
    ----------
    path : str or Path
    what : str
        Column of the numbers: ``"score"``, ``"weight"``, ``"cost"``, ``"price"``.
    beside : str
        A column to read along.
    key : str
        Column of the names: ``"benchmark_id"`` or ``"model_id"``.

    Raises
    ------
    UsageError
        Naming the file, the row, the value and the remedy.
    """
    try:
        table = read_table(path)
        found = _rows(table, what, beside, key)
        if found is None and what == "score" and len(table.frame) == 1 and not is_long(table):
            found = _one_row(table)
    except SchemaError as error:
        raise UsageError(f"{error} (columns {key},{what})") from None
    if not found:
        raise UsageError(f"{path}: it needs columns {key},{what} and at least one row")
    return tuple(found)


def read_amounts(
    path: str | Path,
    what: str,
    key: str,
    check: Callable[[str, float, str], None],
    *,
    missing: bool = False,
) -> tuple[dict[str, float], str]:
    """Read an amount per benchmark, or per model, all in one unit.

    Parameters
    ----------
    path : str or Path
        A table with the columns `key`, `what` and perhaps ``unit``.
    what : str
        ``"cost"``, ``"price"``.
    key : str
        ``"benchmark_id"`` or ``"model_id"``.
    check : callable
        Given name, amount and where it stands, raises for what is no such amount.
    missing : bool
        Leave out a name without an amount; else it is for `check` to refuse.

    Returns
    -------
    amounts : dict of str to float
    unit : str
        Empty where none is written.

    Raises
    ------
    UsageError
        As `read_pairs`; a name stands twice, the units differ, or there is no amount at all.
    """
    amounts: dict[str, float] = {}
    units: dict[str, None] = {}
    for one in read_pairs(path, what, "unit", key):
        if one.name in amounts:
            raise UsageError(f"{one.where}: {what} of {one.name!r} is given twice; give it once")
        if missing and math.isnan(one.value):
            continue
        check(one.name, one.value, f"{one.where}: ")
        amounts[one.name] = one.value
        units[one.beside] = None
    if len(units) > 1:
        shown = ", ".join(unit or "none" for unit in units)
        raise UsageError(f"{path}: {what}s in several units ({shown}); give all in one")
    if not amounts:
        raise UsageError(f"{path}: no {what} in the file; it needs at least one")
    return amounts, next(iter(units))


def _rows(table: Table, what: str, beside: str, key: str) -> list[NamedNumber] | None:
    headers = ["" if is_missing(name) else str(name) for name in table.frame.columns]
    name = column_for(headers, key)
    number = column_for(headers, "score") if what == "score" else _column(headers, what)
    if name is None or number is None:
        return None
    frame = table.frame.set_axis(headers, axis=1)
    stderr = column_for(headers, "stderr") if what == "score" else None
    along = _column(headers, beside)
    return [
        NamedNumber(
            *_number(table, at, frame, (name, number, stderr), what, key),
            f"{table.source}, row {table.rows[at]}",
            "" if along is None or is_missing(row[along]) else str(row[along]).strip(),
        )
        for at, (_, row) in enumerate(frame.iterrows())
    ]


def _one_row(table: Table) -> list[NamedNumber]:
    laid = laid_out(table).table
    columns = "benchmark_id", "score", "stderr" if "stderr" in laid.frame else None
    return [
        NamedNumber(
            *_number(laid, at, laid.frame, columns, "score"), f"{laid.source}, row {laid.rows[at]}"
        )
        for at in range(len(laid.frame))
    ]


def _number(
    table: Table,
    at: int,
    frame: pd.DataFrame,
    columns: tuple[str, str, str | None],
    what: str,
    key: str = "benchmark_id",
) -> tuple[str, float, float]:
    name, number, beside = columns
    own = "" if is_missing(frame[name].iloc[at]) else str(frame[name].iloc[at]).strip()
    if not own:
        raise table.fault(at, f"no {key}; fill it in")
    decimal = decimal_sign(cell for cell in frame[number] if isinstance(cell, str))
    cell = frame[number].iloc[at]
    if is_missing_mark(cell):
        return own, float("nan"), float("nan")
    try:
        written = read_written(cell, decimal)
        stderr = written.stderr
        if beside is not None and not is_missing_mark(frame[beside].iloc[at]):
            if not math.isnan(stderr):
                raise table.fault(at, f"standard error of {shown(own)} is given twice; give one")
            stderr = read_written(frame[beside].iloc[at], decimal).value
    except NotANumber as fault:
        raise table.fault(at, f"{what} {shown(cell)} of {shown(own)} {fault}") from None
    return own, written.value, stderr


def _column(headers: list[str], name: str) -> str | None:
    return next((header for header in headers if name and folded(header) == folded(name)), None)
