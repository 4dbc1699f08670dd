"""Families of new releases, and what is known of their dates."""

from __future__ import annotations

import calendar
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ...errors import DataError, SchemaError
from ...scores.matrix import ScoreMatrix

__all__ = [
    "BENCHPRESS_FAMILIES",
    "Family",
    "default_families",
    "families_by_time",
    "last_day",
    "load_families",
]


@dataclass(frozen=True)
class Family:
    """A group of releases predicted from the models released before them.

    Attributes
    ----------
    name : str
    cutoff : str
        ISO date; training models were released strictly before it.
    prefixes, ids : tuple of str
        A model belongs if its id is listed or starts with a prefix ...
    exclude : tuple of str
        ... and contains none of these.
    """

    name: str
    cutoff: str
    prefixes: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def members(self, model_ids: Sequence[str]) -> list[int]:
        """Positions of the family's models."""
        return [
            i
            for i, model_id in enumerate(model_ids)
            if (model_id in self.ids or model_id.startswith(self.prefixes))
            and not any(text in model_id for text in self.exclude)
        ]


# families and cutoffs of the public matrix's temporal study (arXiv:2606.24020)
BENCHPRESS_FAMILIES = (
    Family("deepseek-r1", "2025-01-20", prefixes=("deepseek-r1",), exclude=("0528",)),
    Family("gemini-2.5-pro", "2025-03-25", ids=("gemini-2.5-pro",)),
    Family("gpt-4.1", "2025-04-14", prefixes=("gpt-4.1",)),
    Family("qwen3", "2025-05-15", prefixes=("qwen3-",)),
    Family("claude-4", "2025-05-22", ids=("claude-sonnet-4", "claude-opus-4")),
    Family("gpt-5", "2025-08-01", ids=("gpt-5",)),
    Family("claude-sonnet-4.5", "2025-09-29", ids=("claude-sonnet-4.5",)),
    Family("gpt-5.1", "2025-11-13", ids=("gpt-5.1",)),
)


def last_day(text: object) -> dt.date | None:
    """Last day a release date (YYYY, YYYY-MM or YYYY-MM-DD) can mean; None if there is none.

    The last one, so that a model of uncertain date is never training data for an earlier release.
    """
    if not isinstance(text, str) or not text:
        return None
    parts = [int(part) for part in text.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else 12
    day = parts[2] if len(parts) > 2 else calendar.monthrange(year, month)[1]
    return dt.date(year, month, day)


def load_families(path: str | Path) -> tuple[Family, ...]:
    """Read families from JSON: a list of ``{"name", "cutoff", "prefixes"|"ids"[, "exclude"]}``.

    Raises
    ------
    SchemaError
        If the file is not such JSON.
    """
    file = Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return tuple(_family(entry) for entry in content)
    except OSError as error:
        raise SchemaError(f"{file}: cannot be read ({error.strerror}); check the path") from None
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaError(
            f"{file.name}: not a families file ({type(error).__name__}: {error}); it is a list of "
            "objects with name, cutoff (YYYY-MM-DD) and prefixes or ids"
        ) from None


def _family(entry: Mapping[str, Any]) -> Family:
    dt.date.fromisoformat(entry["cutoff"])
    lists = {key: tuple(map(str, entry.get(key, ()))) for key in ("prefixes", "ids", "exclude")}
    if not lists["prefixes"] and not lists["ids"]:
        raise ValueError(f"family {entry['name']!r} has neither prefixes nor ids")
    return Family(str(entry["name"]), str(entry["cutoff"]), **lists)


def families_by_time(
    matrix: ScoreMatrix, n_families: int = 8, min_scores: int = 20
) -> tuple[Family, ...]:
    """The latest `n_families` releases (provider and date) with a well-tested model each.

    A release is left out unless at least a third of the dated models were out before it.
    """
    days = [last_day(text) for text in matrix.models["release_date"]]
    dated = sorted(day for day in days if day is not None)
    counts = matrix.observed.sum(axis=1)
    found: dict[tuple[dt.date, str], list[str]] = {}
    for model_id, provider, day, count in zip(
        matrix.model_ids, matrix.models["provider"], days, counts, strict=True
    ):
        if day is not None and count >= min_scores and dated.index(day) >= len(dated) / 3:
            key = (day, "unknown" if pd.isna(provider) else str(provider))
            found.setdefault(key, []).append(model_id)
    latest = sorted(found)[-n_families:]
    return tuple(
        Family(f"{provider} {day.isoformat()}", day.isoformat(), ids=tuple(found[day, provider]))
        for day, provider in latest
    )


def default_families(matrix: ScoreMatrix) -> tuple[Family, ...]:
    """The published families if the matrix has them all, else the latest releases of its own.

    Raises
    ------
    DataError
        If the matrix has too few release dates for either.
    """
    if all(family.members(matrix.model_ids) for family in BENCHPRESS_FAMILIES):
        return BENCHPRESS_FAMILIES
    families = families_by_time(matrix)
    if not families:
        raise DataError(
            "no release can be predicted from earlier ones: too few models have a release date; "
            "add release_date to models.csv or give --families"
        )
    return families
