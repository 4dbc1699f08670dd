"""The figures of one method in plain text rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .resampling import INTERVAL
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


_BY_SCALE = ("medae", "medape", "within5", "coverage90", "width90", "winkler90", "crps")
"""Shown for each scale if there are several: a point of a rating is no percentage point."""
_POINTS = ("winkler90", "crps")
"""Never pooled over scales."""


def _text(name: str, figures: Mapping[str, Any]) -> str:
    form, value = _FIGURES[name][1], figures[name]
    if value is None:
        return "-"
    low, high = figures.get(f"{name}{INTERVAL}", (None, None))
    if low is None or high is None:
        return form.format(value)
    return f"{form.format(value)} ({form.format(low)} to {form.format(high)})"


def table_rows(result: EvaluationResult) -> list[tuple[str, str]]:
    """(label, text) of every pooled figure of a result; ``-`` where there is none.

    In brackets 95 % intervals over models. Scales stand apart where a matrix has several; interval
    score and CRPS, means of points, are never pooled over them.
    """
    figures = result.to_json()
    scales: Mapping[str, Mapping[str, Any]] = figures.get("by_scale", {})
    several = len(scales) > 1
    rows = [
        (_FIGURES[name][0], _text(name, figures))
        for name in _FIGURES
        if name in figures and not (several and name in _POINTS)
    ]
    if several:
        rows.extend(
            (f"{_FIGURES[name][0]}, {scale}", _text(name, part))
            for scale, part in scales.items()
            for name in _BY_SCALE
            if name in part
        )
    return rows
