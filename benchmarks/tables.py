"""Markdown tables of figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from records import Record

COLUMNS = {
    "medae": ("MedAE", 2),
    "medape": ("MedAPE %", 2),
    "within3": ("<= 3 %", 1),
    "within5": ("<= 5 %", 1),
    "coverage90": ("90 % coverage", 3),
    "width90": ("median width", 1),
    "winkler90": ("interval score, percent scales", 1),
    "crps": ("CRPS, percent scales", 2),
    "spearman": ("Spearman", 3),
    "top20_medape": ("top-20 % MedAPE", 2),
    "ranking_margin0": ("ranking", 3),
    "wall_s": ("wall s", 0),
}
FOLDS = tuple(COLUMNS)
SHORT = ("medae", "medape", "within5", "coverage90", "width90", "n_cells")


POINTS = ("winkler90", "crps")
"""Means of points, which are not pooled over scales."""


def number(value: float | int | None, digits: int = 2) -> str:
    """A number in a cell; a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def with_interval(entry: Record, name: str, digits: int = 2) -> str:
    """A figure with its 95 % interval; alone where that was not measured."""
    low, high = entry.get(f"{name}_interval95") or (None, None)
    text = number(entry.get(name), digits)
    if low is None or high is None:
        return text
    return f"{text} ({number(low, digits)} to {number(high, digits)})"


def figures_table(rows: Iterable[tuple[str, Record]], names: Sequence[str]) -> str:
    """One row of figures per entry, with their intervals; means of points on percent scales."""
    known = {**COLUMNS, "n_cells": ("cells", 0)}
    head = ["method", *(known[name][0] for name in names)]
    return table(
        head,
        (
            [label, *(with_interval(_part(row, name), name, known[name][1]) for name in names)]
            for label, row in rows
        ),
    )


def _part(row: Record, name: str) -> Record:
    """Where a figure is to be read: that of percent scales if they stand apart."""
    scales: Record = row.get("by_scale", {})
    return scales.get("percent", {}) if name in POINTS and scales else row
