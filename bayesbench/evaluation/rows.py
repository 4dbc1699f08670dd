"""An evaluation in plain text rows, and a prompt for predictors that only read text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from ..scores.matrix import ScoreMatrix
from ..scores.splits import Split
from .protocols.run import EvaluationResult

__all__ = ["comparison_rows", "export_prompt", "table_rows"]

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
    "medae_counted": ("MedAE with revealed cells as 0", "{:.2f}"),
    "wall_s": ("wall time (s)", "{:.1f}"),
}


def _text(name: str, value: Any) -> str:
    return "-" if value is None else _FIGURES[name][1].format(value)


def table_rows(result: EvaluationResult) -> list[tuple[str, str]]:
    """(label, text) of every pooled figure of a result; ``-`` where there is none."""
    figures = result.to_json()
    return [(_FIGURES[name][0], _text(name, figures[name])) for name in _FIGURES if name in figures]


def comparison_rows(
    figures: Sequence[dict[str, Any]],
    columns: Sequence[str] = ("medae", "medape", "within5", "coverage90", "width90", "n_cells"),
) -> list[list[str]]:
    """Header and one row per entry (each with ``method``), for results side by side.

    Entries are :meth:`EvaluationResult.to_json` data, or one ``by_k`` / ``policies`` entry of it
    with a ``method`` added.
    """
    rows = [["method", *(_FIGURES[name][0] for name in columns)]]
    rows.extend(
        [str(entry["method"]), *(_text(name, entry.get(name)) for name in columns)]
        for entry in figures
    )
    return rows


def export_prompt(matrix: ScoreMatrix, split: Split | None = None) -> str:
    """The matrix as wide CSV text with the held-out cells left blank, for an external predictor.

    Parameters
    ----------
    matrix : ScoreMatrix
    split : Split, optional
        Its cells are written as ``?`` (to be predicted), other missing cells are empty. Without
        it nothing is hidden and every empty cell is there to be predicted.

    Returns
    -------
    str
        Header ``model_id,<benchmark ids>``; scores with at most six significant digits. The answer
        is scored by ``--method external`` from a CSV ``model_id, benchmark_id, predicted[, lower,
        upper]``.
    """
    shown = matrix if split is None else matrix.mask(split.mask(matrix.shape))
    text = shown.to_frame(wide=True).map(lambda value: "" if value != value else f"{value:.6g}")
    if split is not None:
        for row, column in split.cells:
            text.iat[int(row), int(column)] = "?"
    buffer = io.StringIO()
    text.rename_axis("model_id").to_csv(buffer)
    return buffer.getvalue()
