"""LMArena leaderboards: ratings with their variance, one row per model and category."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import DataError
from .bounded import ROW
from .records import Found, LeftOut, Record, as_count, as_date, as_number, as_stderr, as_text

__all__ = ["COLUMNS", "FORMAT", "arena_of", "matches", "read"]

FORMAT = "LMArena leaderboard"
COLUMNS = (
    *("model_name", "organization", "rating", "rating_lower", "rating_upper", "variance"),
    *("vote_count", "category", "leaderboard_publish_date"),
    *("score", "score_ci_lower", "score_ci_upper", "observation_count"),
)
"""Columns that are read; those of the last line are the agent board's."""
ARENAS = ("text", "vision", "webdev", "search", "copilot", "agent", "image_edit", "text_to_image")
STYLE = "_style_control"
"""End of the name of a board that accounts for style: another rating than the one without."""
_URL = "https://lmarena.ai/leaderboard"
_INTERVAL_SDS = 2 * 1.959964
"""Width of a 95 % interval in standard errors."""


def matches(columns: Sequence[str]) -> bool:
    """Whether a table's columns look like its."""
    rated = {"rating", "variance"} <= set(columns) or {"rating", "rating_lower"} <= set(columns)
    return "model_name" in columns and (rated or "score_ci_lower" in columns)


def arena_of(path: Path) -> str:
    """Which arena a file is of, if its folder or name begins with it; the table does not say."""
    known = (*ARENAS, *(f"{arena}{STYLE}" for arena in ARENAS))
    for part in (path.name, path.resolve().parent.name):
        for arena in sorted(known, key=len, reverse=True):
            rest = part.casefold().removeprefix(arena)
            if rest != part.casefold() and not rest[:1].isalnum():
                return arena
    return ""


def read(rows: Sequence[Mapping[str, Any]], source: str, arena: str) -> Found:
    """Ratings of the latest date in a table, by model and category.

    The standard error is the root of the variance, or the 95 % interval over 3.92. Categories are
    judged on shared votes: their errors are correlated within a model.

    Parameters
    ----------
    rows : sequence of mapping
    source : str
    arena : str
        ``"text"``, ...; empty if not known.

    Raises
    ------
    DataError
        Naming the file, the row, the column and the value.
    """
    dates = [as_date(str(row.get("leaderboard_publish_date") or "")) for row in rows]
    latest = max(dates, default="")
    earlier = sum(date != latest for date in dates)
    left = [
        LeftOut("rows", "", "", f"{earlier} rows of dates before {latest}") for _ in [0] if earlier
    ]
    records: list[Record] = []
    for number, (row, date) in enumerate(zip(rows, dates, strict=True), start=1):
        if date == latest:
            at = f"row {row.get(ROW, number)}"
            records.append(_record(row, source, at, arena, date))
    twice = {(r.model, r.benchmark) for r in records}
    if len(twice) < len(records):
        raise DataError(f"{source}: a model stands twice in a category on {latest}; keep one row")
    return Found(FORMAT, tuple(records), tuple(left))


def _record(row: Mapping[str, Any], source: str, at: str, arena: str, date: str) -> Record:
    rated = row.get("rating") not in (None, "")
    column = "rating" if rated else "score"
    category = str(row.get("category") or "overall").strip() or "overall"
    return Record(
        place=f"{at}, {column}",
        model=as_text(row.get("model_name"), source, f"{at}, model_name"),
        benchmark=" ".join(part for part in ("LMArena", arena, category) if part),
        score=as_number(row.get(column), source, f"{at}, {column}"),
        scale="rating" if rated else None,
        metric=column,
        stderr=_stderr(row, source, at, rated) or None,
        n_items=as_count(
            row.get("vote_count" if rated else "observation_count"), source, f"{at}, votes"
        ),
        setting=category,
        date=date,
        url=_URL,
        note="categories share votes" if category != "overall" else "",
        provider=str(row.get("organization") or "").strip(),
    )


def _stderr(row: Mapping[str, Any], source: str, at: str, rated: bool) -> float | None:
    variance = as_stderr(row.get("variance"), source, f"{at}, variance")
    if variance is not None:
        return math.sqrt(variance)
    low, high = ("rating_lower", "rating_upper") if rated else ("score_ci_lower", "score_ci_upper")
    if row.get(low) in (None, "") or row.get(high) in (None, ""):
        return None
    width = as_number(row[high], source, f"{at}, {high}") - as_number(
        row[low], source, f"{at}, {low}"
    )
    if width < 0:
        raise DataError(f"{source}: {at}: {high} lies below {low}; correct the interval")
    return width / _INTERVAL_SDS
