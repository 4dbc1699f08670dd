"""Bias-decomposed low-rank completion by alternating ridge regressions, in logit space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ....scores.matrix import ScoreMatrix
from ...predictions import CellPredictions, FloatArray, IntArray, pick
from .columns import StandardColumns

__all__ = ["BiasALS", "Offsets", "bias_als"]

_START_SD = 0.01


@dataclass(frozen=True)
class BiasALS:
    """The published BenchPress predictor: logit bias ALS, averaged over random starts.

    Attributes
    ----------
    rank, penalty, n_iter, n_starts
        Published: rank 2, lambda 0.1, 40 sweeps, 10 starts.

    References
    ----------
    Zeng & Papailiopoulos (2026), arXiv:2606.24020.
    """

    rank: int = 2
    penalty: float = 0.1
    n_iter: int = 40
    n_starts: int = 10
    name: ClassVar[str] = "als"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` draws the starts."""
        columns = StandardColumns.of(train)
        rng = np.random.default_rng(seed)
        completed = bias_als(
            columns.z, self.rank, self.penalty, self.n_iter, self.n_starts, rng=rng
        )
        return CellPredictions(pick(columns.to_score(completed), cells))


@dataclass(frozen=True)
class Offsets:
    """Published "offsets only": the same predictor at rank 0, model + benchmark offsets alone.

    Nothing in it is random. Sweeps end after `n_iter`, as published, where ``bias`` goes on until
    nothing moves.

    Attributes
    ----------
    penalty, n_iter
        As in :class:`BiasALS`.
    """

    penalty: float = 0.1
    n_iter: int = 40
    name: ClassVar[str] = "offsets"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` is not used."""
        columns = StandardColumns.of(train)
        completed = bias_als(
            columns.z, 0, self.penalty, self.n_iter, 1, rng=np.random.default_rng(seed)
        )
        return CellPredictions(pick(columns.to_score(completed), cells))


def bias_als(
    z: FloatArray,
    rank: int,
    penalty: float,
    n_iter: int,
    n_starts: int,
    *,
    rng: np.random.Generator,
) -> FloatArray:
    """Mean over starts of ``mu + a_i + c_j + u_i . v_j`` fitted to the observed entries.

    Minimises ``sum (z - mu - a - c - u . v)^2 + penalty (|a|^2 + |c|^2 + |U|^2 + |V|^2)``: in turn
    all (a_i, u_i), all (c_j, v_j), then mu as the mean residual.

    Parameters
    ----------
    z : (M, B) NaN where missing
    rank, penalty, n_iter, n_starts : see :class:`BiasALS`
    rng : numpy.random.Generator

    Returns
    -------
    (M, B) array
    """
    observed = np.isfinite(z)
    weight = observed.astype(np.float64)
    filled = np.where(observed, z, 0.0)
    total = np.zeros(z.shape)
    for _ in range(n_starts):
        u = rng.normal(0.0, _START_SD, (z.shape[0], rank))
        v = rng.normal(0.0, _START_SD, (z.shape[1], rank))
        total += _one_start(filled, weight, u, v, penalty, n_iter)
    return total / n_starts


def _one_start(
    filled: FloatArray,
    weight: FloatArray,
    u: FloatArray,
    v: FloatArray,
    penalty: float,
    n_iter: int,
) -> FloatArray:
    n_observed = max(weight.sum(), 1.0)
    mu = filled.sum() / n_observed
    a, c = np.zeros(u.shape[0]), np.zeros(v.shape[0])
    for _ in range(n_iter):
        a, u = _ridge_rows(filled - weight * (mu + c[None, :]), weight, v, penalty)
        c, v = _ridge_rows((filled - weight * (mu + a[:, None])).T, weight.T, u, penalty)
        mu = float((filled - weight * (a[:, None] + c[None, :] + u @ v.T)).sum() / n_observed)
    out: FloatArray = mu + a[:, None] + c[None, :] + u @ v.T
    return out


def _ridge_rows(
    residual: npt.NDArray[np.float64], weight: FloatArray, factors: FloatArray, penalty: float
) -> tuple[FloatArray, FloatArray]:
    """Ridge of every row on (1, factors) over its observed entries: intercepts and slopes."""
    design = np.column_stack([np.ones(factors.shape[0]), factors])
    size = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(-1, size * size)
    gram = (weight @ products).reshape(-1, size, size) + penalty * np.eye(size)
    solution = np.linalg.solve(gram, (residual @ design)[:, :, None])[:, :, 0]
    return solution[:, 0], solution[:, 1:]
