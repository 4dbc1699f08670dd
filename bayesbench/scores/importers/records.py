"""What an importer hands on: scores as a file gives them, and what was left out with the reason."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from ...errors import DataError

__all__ = [
    "LARGEST_SHARE_STDERR",
    "Found",
    "LeftOut",
    "Record",
    "Scale",
    "as_count",
    "as_date",
    "as_list",
    "as_mapping",
    "as_number",
    "as_stderr",
    "as_text",
    "believable_stderr",
    "shares_stderr",
]

Scale = Literal["unit", "percent", "rating"]


@dataclass(frozen=True)
class Record:
    """One score as its file gives it, names and scale untouched.

    Attributes
    ----------
    place : str
        Where in the file, for messages: a path of keys, or a row.
    model, benchmark : str
        Names of the file.
    score : float
    scale : {"unit", "percent", "rating"} or None
        What the format says of the score: a share, a percentage, unbounded; None if it says
        nothing.
    metric : str
    others : tuple of str
        Further names of the benchmark, tried after `benchmark`.
    stderr, n_items : float or None
        Standard error on the score's own scale, and the number of items.
    setting, date, url : str
        How it was measured, YYYY-MM-DD, and where it stands; empty if not said.
    partial : str
        Why the run did not cover the benchmark; empty if it did.
    note : str
        What was worked out rather than read.
    lower_is_better : bool
    other_models : tuple of str
        Further names of the model, tried after `model`.
    provider, release_date : str
        Facts about the model that the file gives; empty if none.
    """

    place: str
    model: str
    benchmark: str
    score: float
    scale: Scale | None
    metric: str = ""
    others: tuple[str, ...] = ()
    stderr: float | None = None
    n_items: float | None = None
    setting: str = ""
    date: str = ""
    url: str = ""
    partial: str = ""
    note: str = ""
    lower_is_better: bool = False
    other_models: tuple[str, ...] = ()
    provider: str = ""
    release_date: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A score or a file that was not taken, and why."""

    place: str
    model: str
    benchmark: str
    reason: str


@dataclass(frozen=True)
class Found:
    """Everything one file says.

    Attributes
    ----------
    format : str
        Name of the format.
    records : tuple of Record
    left_out : tuple of LeftOut
    """

    format: str
    records: tuple[Record, ...]
    left_out: tuple[LeftOut, ...] = field(default=())


def as_mapping(value: Any, source: str, place: str) -> Mapping[str, Any]:
    """`value` as an object with keys.

    Raises
    ------
    DataError
        If it is none.
    """
    if not isinstance(value, Mapping):
        raise DataError(f"{source}: {place} {_shown(value)} must be an object with keys")
    return value


def as_list(value: Any, source: str, place: str) -> Sequence[Any]:
    """`value` as a list.

    Raises
    ------
    DataError
        If it is none.
    """
    if not isinstance(value, list):
        raise DataError(f"{source}: {place} {_shown(value)} must be a list")
    return value


def as_text(value: Any, source: str, place: str) -> str:
    """`value` as a text that is not empty and can be printed, without space around.

    Raises
    ------
    DataError
        If it is none.
    """
    if not isinstance(value, str) or not value.strip() or not value.strip().isprintable():
        raise DataError(f"{source}: {place} {_shown(value)} must be a printable name; fill it in")
    return value.strip()


def as_number(value: Any, source: str, place: str) -> float:
    """`value`, a number or a plain text of one, as a finite number.

    Raises
    ------
    DataError
        If it is none.
    """
    number = math.nan
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < LARGEST else math.inf
    if not math.isfinite(number) or abs(number) > LARGEST:
        raise DataError(f"{source}: {place} {_shown(value)} must be a finite number; correct it")
    return number


def as_stderr(value: Any, source: str, place: str) -> float | None:
    """Standard error: a number of at least 0; None where a file writes N/A, NaN or nothing.

    Raises
    ------
    DataError
        If it is anything else.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str) and value.strip().casefold() in ("", "n/a", "na", "nan", "none"):
        return None
    number = as_number(value, source, place)
    if number < 0:
        raise DataError(f"{source}: {place} {number:g} must be at least 0; correct it")
    return number


def as_count(value: Any, source: str, place: str) -> float | None:
    """Number of items: at least 1, or None where there is none.

    Raises
    ------
    DataError
        If it is anything else.
    """
    if value is None or value == "":
        return None
    number = as_number(value, source, place)
    if number < 0:
        raise DataError(f"{source}: {place} {number:g} must be at least 0; correct it")
    return number if number >= 1 else None


def as_date(value: Any) -> str:
    """Date as YYYY-MM-DD, from seconds since 1970 or an ISO text; empty where it says none."""
    if isinstance(value, str):
        found = _ISO_DATE.match(value.strip())
        if found:
            return _valid_day(found.group())
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds, UTC).date().isoformat() if seconds > 0 else ""
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def shares_stderr(share: float, n_items: float) -> float:
    """Standard error of a share of `n_items` right answers.

    sqrt(p (1 - p) / (n - 1)), the p of the formula being kept half an item from 0 and 1: some tools
    report 0 where all or none of the answers were right, which no share is known to.
    """
    half = 0.5 / n_items
    p = min(max(share, half), 1 - half)
    return math.sqrt(p * (1 - p) / max(n_items - 1, 1))


def believable_stderr(
    stated: float | None, share: float | None, n_items: float | None
) -> tuple[float | None, str]:
    """A stated standard error, with a note where it is 0, which no score is known to.

    It becomes that of a share of so many items where both are known, else none.
    """
    if stated != 0:
        return stated, ""
    if share is None or n_items is None or not 0 <= share <= 1:
        return None, "standard error 0"
    return shares_stderr(share, n_items), "standard error 0 replaced by that of a share"


LARGEST = 1e12
"""Scores beyond this are no scores."""
LARGEST_SHARE_STDERR = 0.5
"""The mean of numbers between 0 and 1 has no larger standard error."""
_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)


def _valid_day(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    except ValueError:
        return ""


def _shown(value: Any) -> str:
    if value is None:
        return "(missing)"
    if isinstance(value, Mapping | list):
        return "(an object)" if isinstance(value, Mapping) else "(a list)"
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 60 else text[:57] + "..."
