"""The figures of one method in plain text rows."""

from __future__ import annotations

from typing import Any

from .results import EvaluationResult

__all__ = ["table_rows"]

_FIGURES = {
    "n_cells": ("held-out cells", "{:,.0f}"),
    "not_predictable": ("not predictable (share)", "{:.3f}"),
    "medae": ("median absolute error", "{:.2f}"),
    "medape": ("median relative error (%)", "{:.2f}"),
    "within3": ("within 3 points (%)", "{:.1f}"),
    "within5": ("within 5 points (%)", "{:.1f}"),
    "coverage90": ("coverage of 90 % intervals", "{:.3f}"),
    "width90": ("median width", "{:.1f}"),
    "winkler90": ("mean interval score", "{:.1f}"),
    "crps": ("CRPS", "{:.2f}"),
    "spearman": ("Spearman of width and error", "{:.3f}"),
    "top20_medape": ("relative error, surest 20 % (%)", "{:.2f}"),
    "ranking_margin0": ("ranking accuracy", "{:.3f}"),
    "ranking_margin5": ("ranking accuracy, gaps >= 5", "{:.3f}"),
    "wall_s": ("wall time (s)", "{:.1f}"),
}


def _text(name: str, value: Any) -> str:
    return "-" if value is None else _FIGURES[name][1].format(value)


def table_rows(result: EvaluationResult) -> list[tuple[str, str]]:
    """(label, text) of every pooled figure of a result; ``-`` where there is none."""
    figures = result.to_json()
    return [(_FIGURES[name][0], _text(name, figures[name])) for name in _FIGURES if name in figures]
