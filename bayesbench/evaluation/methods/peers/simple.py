"""Benchmark mean, model mean, and model + benchmark bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ....scores.matrix import ScoreMatrix
from ...predictions import CellPredictions, FloatArray, IntArray, pick
from .columns import StandardColumns, column_moments

__all__ = ["BenchmarkMean", "ModelBenchmarkBias", "ModelMean", "additive_fit", "model_mean"]


@dataclass(frozen=True)
class BenchmarkMean:
    """Every model gets the benchmark's mean training score."""

    name: ClassVar[str] = "mean"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` is not used."""
        center, _ = column_moments(np.asarray(train.values, dtype=np.float64))
        return CellPredictions(center[cells[:, 1]])


@dataclass(frozen=True)
class ModelMean:
    """The published logit model mean: how far a model lies above the others, on every benchmark.

    The mean of the model's standardised logits, put on each benchmark's own mean and spread; the
    benchmark mean for a model without scores.

    References
    ----------
    The baseline of the prospective test that goes with Zeng & Papailiopoulos (2026),
    arXiv:2606.24020.
    """

    name: ClassVar[str] = "model-mean"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` is not used."""
        columns = StandardColumns.of(train)
        return CellPredictions(pick(columns.to_score(model_mean(columns.z)), cells))


def model_mean(z: FloatArray) -> FloatArray:
    """Mean of the observed entries of each row of `z` (M, B), in all of its columns; 0 without."""
    observed = np.isfinite(z)
    count = observed.sum(axis=1)
    mean = np.where(observed, z, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.repeat(mean[:, None], z.shape[1], axis=1)


@dataclass(frozen=True)
class ModelBenchmarkBias:
    """Additive model ``z_ij = mu + a_i + c_j`` in standardised logit space, ridge-penalised.

    Attributes
    ----------
    penalty : float
        Weight of ``|a|^2 + |c|^2`` beside the squared error.
    """

    penalty: float = 0.1
    name: ClassVar[str] = "bias"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` is not used."""
        columns = StandardColumns.of(train)
        return CellPredictions(pick(columns.to_score(additive_fit(columns.z, self.penalty)), cells))


def additive_fit(
    z: FloatArray, penalty: float = 0.1, max_iter: int = 500, tol: float = 1e-10
) -> FloatArray:
    """Fit ``mu + a_i + c_j`` to the observed entries of `z` (M, B); returns all of it.

    Minimises ``sum (z - mu - a - c)^2 + penalty (|a|^2 + |c|^2)``, `mu` free, by taking the three
    blocks in turn until no entry moves by more than `tol`.
    """
    observed = np.isfinite(z)
    filled = np.where(observed, z, 0.0)
    n_row, n_column = observed.sum(axis=1), observed.sum(axis=0)
    mu = filled.sum() / max(int(n_row.sum()), 1)
    a, c = np.zeros(z.shape[0]), np.zeros(z.shape[1])
    for _ in range(max_iter):
        before = (mu, a, c)
        a = (filled.sum(axis=1) - mu * n_row - observed @ c) / (n_row + penalty)
        c = (filled.sum(axis=0) - mu * n_column - a @ observed) / (n_column + penalty)
        mu = (filled.sum() - a @ n_row - c @ n_column) / max(int(n_row.sum()), 1)
        steps = zip((mu, a, c), before, strict=True)
        moved = [float(np.max(np.abs(new - old))) for new, old in steps]
        if max(moved) < tol:
            break
    out: FloatArray = mu + a[:, None] + c[None, :]
    return out
