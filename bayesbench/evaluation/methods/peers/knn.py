"""Nearest models, in logit space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ....scores.matrix import ScoreMatrix
from ...predictions import CellPredictions, FloatArray, IntArray, pick
from .columns import StandardColumns

__all__ = ["ModelKNN", "model_knn"]

_BLOCK = 512  # rows of the distance matrix held at once


@dataclass(frozen=True)
class ModelKNN:
    """Mean score of those of the `k` nearest models that have one; else the benchmark mean.

    Attributes
    ----------
    k : int
        Neighbours; 10 is the best published setting.
    min_shared : int
        Benchmarks two models must share to be compared.

    References
    ----------
    Settings of arXiv:2606.24020.
    """

    k: int = 10
    min_shared: int = 3
    name: ClassVar[str] = "model-knn"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` is not used."""
        columns = StandardColumns.of(train)
        completed = model_knn(columns.z, self.k, self.min_shared)
        return CellPredictions(pick(columns.to_score(completed), cells))


def model_knn(z: FloatArray, k: int, min_shared: int = 3) -> FloatArray:
    """Mean of each column over a row's `k` nearest rows that have an entry, 0 without any.

    Nearness: root mean square difference over the shared columns; ties go to the earlier row.
    """
    observed = np.isfinite(z)
    mask, filled = observed.astype(np.float64), np.where(observed, z, 0.0)
    squares = filled**2
    out = np.zeros(z.shape)
    for start in range(0, z.shape[0], _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, z.shape[0]))
        shared = mask[rows] @ mask.T
        distance = squares[rows] @ mask.T + mask[rows] @ squares.T - 2 * filled[rows] @ filled.T
        distance = np.where(shared >= min_shared, distance / np.maximum(shared, 1), np.inf)
        distance[np.arange(rows.size), rows] = np.inf
        nearest = np.argsort(distance, axis=1, kind="stable")[:, :k]
        usable = np.isfinite(np.take_along_axis(distance, nearest, axis=1))[:, :, None]
        count = (usable * mask[nearest]).sum(axis=1)
        out[rows] = (usable * filled[nearest]).sum(axis=1) / np.maximum(count, 1)
    return out
