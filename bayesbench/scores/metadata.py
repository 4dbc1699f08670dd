"""Facts about models as tables write them: ``7B``, ``Jan 2025``, ``yes`` - to the schema's form."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime

from .numerals import is_missing_mark

__all__ = ["fact_values", "iso_date"]

_TRUE = frozenset({"true", "yes", "y", "1", "1.0", "open", "x", "\u2713", "\u2714", "\u2705"})
_FALSE = frozenset({"false", "no", "n", "0", "0.0", "closed", "proprietary", "\u2717", "\u274c"})
_SIZE = re.compile(r"~?(\d+(?:\.\d+)?)\s*([kmbt]?)(?:illion)?", re.IGNORECASE | re.ASCII)
_BILLIONS = {"k": 1e-6, "m": 1e-3, "b": 1.0, "t": 1e3}
LARGEST = 20_000
"""Billions of parameters: a plain number up to here is one of billions."""
_ISO = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?:[T ]\d\d:\d\d(?::\d\d)?.*)?")
_WORDS = (
    re.compile(r"(?P<day>\d{1,2})\.?\s+(?P<month>[a-z]+)\.?,?\s+(?P<year>\d{4})", re.IGNORECASE),
    re.compile(r"(?P<month>[a-z]+)\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})", re.IGNORECASE),
    re.compile(r"(?P<month>[a-z]+)\.?,?[\s-]+(?P<year>\d{4})", re.IGNORECASE),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def fact_values(fact: str, header: str, values: Sequence[object]) -> list[object] | None:
    """A column of facts in the schema's form, None where missing.

    Parameters
    ----------
    fact : str
        Column of the models table.
    header : str
        Of the column in its source; it may name the unit of a size.
    values : sequence
        Its cells.

    Returns
    -------
    list or None
        None if a cell cannot be understood: the column is then no such fact.

    Examples
    --------
    >>> fact_values("params_b", "Params", ["7B", "1.5T", "-"])
    [7.0, 1500.0, None]
    >>> fact_values("release_date", "Released", ["Jan 2025", "3 March 2025"])
    ['2025-01', '2025-03-03']
    >>> fact_values("release_date", "Released", ["03/04/2025"]) is None
    True
    """
    cells = [None if is_missing_mark(value) else value for value in values]
    if fact in ("params_b", "active_params_b"):
        return _sizes(header, cells)
    if fact == "release_date":
        return _each(cells, iso_date)
    if fact in ("open_weights", "reasoning"):
        return _each(cells, _flag)
    texts = _each(cells, lambda value: " ".join(str(value).split()))
    if texts is None or _all_numbers(cells):
        return None
    return texts


def iso_date(value: object) -> str | None:
    """A date as ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; None if it is none or may be several."""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    text = " ".join(str(value).split())
    found = _ISO.fullmatch(text.removesuffix(".0"))
    if found is not None:
        parts: list[int | None] = [int(part) if part else None for part in found.groups()]
        return _checked(*parts)
    for pattern in _WORDS:
        match = pattern.fullmatch(text)
        if match is not None and match["month"][:3].lower() in _MONTHS:
            named = match.groupdict()
            month = _MONTHS.index(named["month"][:3].lower()) + 1
            day = named.get("day")
            return _checked(int(named["year"]), month, int(day) if day else None)
    return None


def _checked(year: int | None, month: int | None = None, day: int | None = None) -> str | None:
    if year is None or not 1950 <= year <= 2200:
        return None
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    parts = [f"{year}", *(f"{part:02d}" for part in (month, day) if part is not None)]
    return "-".join(parts)


def _each(cells: Sequence[object], read: Callable[[object], object | None]) -> list[object] | None:
    found: list[object] = []
    for cell in cells:
        value = None if cell is None else read(cell)
        if cell is not None and value is None:
            return None
        found.append(value)
    return found


def _flag(value: object) -> bool | None:
    word = str(value).strip().casefold()
    return True if word in _TRUE else False if word in _FALSE else None


def _sizes(header: str, cells: Sequence[object]) -> list[object] | None:
    units: set[str] = set()
    numbers: list[float | None] = []
    for cell in cells:
        if cell is None:
            numbers.append(None)
            continue
        match = _SIZE.fullmatch(str(cell).strip().replace(",", ""))
        if match is None or float(match[1]) <= 0:
            return None
        unit = match[2].lower()
        units.add(unit)
        numbers.append(float(match[1]) * _BILLIONS.get(unit, 1.0))
    if "" in units:
        plain = [number for number in numbers if number is not None]
        factor = _unit(header, plain) if units == {""} else None
        if factor is None:
            return None
        numbers = [None if number is None else number * factor for number in numbers]
    return list(numbers)


def _unit(header: str, numbers: Sequence[float]) -> float | None:
    """Billions behind one unit of plain numbers, None if that cannot be told."""
    words = set(re.split(r"[\W_\d]+", header.casefold()))
    if words & {"m", "million", "millions"}:
        return 1e-3
    if max(numbers, default=0) <= LARGEST:
        return 1.0
    return 1e-9 if min(numbers) >= 1e6 else None


def _all_numbers(cells: Sequence[object]) -> bool:
    return all(isinstance(cell, int | float) for cell in cells if cell is not None) and any(
        cell is not None for cell in cells
    )
