"""Open LLM Leaderboard v2: its one Parquet file, the raw columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .records import Found, LeftOut, Record, as_date, as_number, as_text

__all__ = ["COLUMNS", "FORMAT", "matches", "read"]

FORMAT = "Open LLM Leaderboard v2"

_BENCHMARKS = {
    "IFEval Raw": ("IFEval", "strict, mean of prompts and instructions"),
    "BBH Raw": ("BBH", "3-shot"),
    "MATH Lvl 5 Raw": ("MATH level 5", "4-shot"),
    "GPQA Raw": ("GPQA (diamond, extended and main)", "0-shot"),
    "MUSR Raw": ("MuSR", "0-shot"),
    "MMLU-PRO Raw": ("MMLU-Pro", "5-shot"),
}
"""Raw column: benchmark, and how it was run there."""
_RESCALED = tuple(name.removesuffix(" Raw") for name in _BENCHMARKS)
_MODEL, _FLAGGED, _PRECISION, _DATE = "fullname", "Flagged", "Precision", "Submission Date"
_URL = "https://huggingface.co/datasets/open-llm-leaderboard/contents"

COLUMNS = (_MODEL, _FLAGGED, _PRECISION, _DATE, *_BENCHMARKS)
"""Columns that are read."""


def matches(columns: Sequence[str]) -> bool:
    """Whether a table's columns look like its."""
    return _MODEL in columns and any(name in columns for name in _BENCHMARKS)


def read(rows: Sequence[Mapping[str, Any]], source: str) -> Found:
    """Scores of the leaderboard: the raw columns, shares.

    Those without Raw are rescaled so that guessing is 0, and are left out; so are flagged models,
    and all but the first row of a model and precision.

    Raises
    ------
    DataError
        Naming the file, the row, the column and the value.
    """
    records: list[Record] = []
    left = [LeftOut(f"column {name}", "", name, "rescaled: guessing is 0") for name in _RESCALED]
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(rows, start=1):
        model = as_text(row.get(_MODEL), source, f"row {number} {_MODEL}")
        precision = str(row.get(_PRECISION) or "")
        if row.get(_FLAGGED) is True or (model, precision) in seen:
            reason = "flagged there" if row.get(_FLAGGED) is True else "the first row is read"
            left.append(LeftOut(f"row {number}", model, "", reason))
            continue
        seen.add((model, precision))
        for column, (benchmark, how) in _BENCHMARKS.items():
            if row.get(column) is None:
                continue
            place = f"row {number}, {column}"
            records.append(
                Record(
                    place=place,
                    model=model,
                    benchmark=benchmark,
                    score=as_number(row[column], source, place),
                    scale="unit",
                    setting=", ".join(part for part in (how, precision) if part),
                    date=as_date(str(row.get(_DATE) or "")),
                    url=_URL,
                )
            )
    return Found(FORMAT, tuple(records), tuple(left))
