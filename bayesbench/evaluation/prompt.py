"""A matrix with one fold hidden as text, for a predictor that reads nothing else."""

from __future__ import annotations

import io

from ..scores.matrix import ScoreMatrix
from ..scores.splits import Split

__all__ = ["export_prompt"]


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
