"""Observational scaling: components of the densest benchmarks, then a sigmoid per benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ....scores.matrix import ScoreMatrix
from ...predictions import CellPredictions, FloatArray, IntArray
from .columns import column_moments

__all__ = ["ObservationalScaling", "completed_block", "components", "sigmoid_regression"]

_FLOOR_MAX = 0.2
_TOL = 1e-6


@dataclass(frozen=True)
class ObservationalScaling:
    """Every benchmark from the first components of the densest others.

    The block of the `block` benchmarks with the most training scores (but the target) is completed
    by its own first component; its leading principal components are the capabilities S of a model,
    and a target is ``floor + (1 - floor) sigmoid(a + b . S)`` of its scale, by least squares over
    the models that have it. A scale without two ends is taken to end at its training scores. A
    benchmark with fewer training scores than the law has parameters gets its mean.

    Attributes
    ----------
    block : int
        Benchmarks the components are made of.
    n_components : int
    max_iter : int
        Rounds of completion.

    References
    ----------
    Ruan, Maddison & Hashimoto (2024), arXiv:2405.10938; as compared in arXiv:2606.24020.
    """

    block: int = 8
    n_components: int = 3
    max_iter: int = 1000
    name: ClassVar[str] = "observational"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` is not used."""
        values = np.asarray(train.values, dtype=np.float64)
        center, spread = column_moments(values)
        z = (values - center) / spread
        densest = np.argsort(-np.isfinite(values).sum(axis=0), kind="stable")
        low, high = _ends(train)
        known: dict[tuple[int, ...], FloatArray] = {}
        median = np.full(len(cells), np.nan)
        for target in np.unique(cells[:, 1]):
            chosen = tuple(int(j) for j in densest[densest != target][: self.block])
            if chosen not in known:
                whole = completed_block(z[:, chosen], 1, self.max_iter)
                known[chosen] = components(whole, self.n_components)
            at = np.flatnonzero(cells[:, 1] == target)
            rows = np.flatnonzero(np.isfinite(values[:, target]))
            span = high[target] - low[target]
            if rows.size < self.n_components + 2 or not span > 0:
                median[at] = center[target]
                continue
            share = (values[rows, target] - low[target]) / span
            made = sigmoid_regression(known[chosen][rows], share, known[chosen][cells[at, 0]])
            median[at] = low[target] + span * made
        return CellPredictions(median)


def _ends(train: ScoreMatrix) -> tuple[FloatArray, FloatArray]:
    """Ends of every scale; the training scores' own where it lacks one; NaN without scores."""
    values = np.asarray(train.values, dtype=np.float64)
    observed = np.isfinite(values)
    some = observed.any(axis=0)
    found = []
    for name, reduce, other in (("lower", np.min, np.inf), ("upper", np.max, -np.inf)):
        bound = train.benchmarks[name].to_numpy(dtype=np.float64, na_value=np.nan)
        found.append((bound, reduce(np.where(observed, values, other), axis=0, initial=other)))
    bounded = np.isfinite(found[0][0]) & np.isfinite(found[1][0])
    low, high = (np.where(bounded, bound, np.where(some, met, np.nan)) for bound, met in found)
    return low, high


def completed_block(z: FloatArray, rank: int, max_iter: int) -> FloatArray:
    """Fill the missing entries of `z` (M, b) by its own first `rank` principal components.

    Missing entries start at 0, the column means of standardised scores; rounds end when none moves
    by more than a millionth.
    """
    missing = ~np.isfinite(z)
    filled = np.where(missing, 0.0, z)
    for _ in range(max_iter):
        mean = filled.mean(axis=0)
        left, singular, right = np.linalg.svd(filled - mean, full_matrices=False)
        made = (left[:, :rank] * singular[:rank]) @ right[:rank] + mean
        moved = float(np.abs(made - filled)[missing].max(initial=0.0))
        filled = np.where(missing, made, z)
        if moved < _TOL:
            break
    return filled


def components(block: FloatArray, n: int) -> FloatArray:
    """First `n` principal components of the rows, (M, n), the first with standard deviation 1."""
    centred = block - block.mean(axis=0)
    left, singular, right = np.linalg.svd(centred, full_matrices=False)
    signs = np.where(right.sum(axis=1) < 0, -1.0, 1.0)  # the sign of a component is arbitrary
    scale = np.sqrt(max(block.shape[0], 1)) / (singular[0] if singular[0] > 0 else 1.0)
    out: FloatArray = (left * singular * signs * scale)[:, :n]
    return out


def sigmoid_regression(known: FloatArray, share: FloatArray, wanted: FloatArray) -> FloatArray:
    """Least squares of ``floor + (1 - floor) sigmoid(a + b . S)`` at `known`, read at `wanted`.

    Parameters
    ----------
    known : (n, c) components of the models with a score
    share : (n,) their scores as shares of the scale
    wanted : (m, c)

    Returns
    -------
    (m,) array
        Shares; the floor lies in 0-0.2, the slopes are free.
    """
    # scipy's optimizers take longer to import than most commands to answer
    from scipy.optimize import least_squares

    n = known.shape[1]

    def law(parameters: FloatArray, at: FloatArray) -> tuple[FloatArray, FloatArray]:
        sigmoid = 0.5 * (1 + np.tanh(0.5 * (parameters[0] + at @ parameters[1 : n + 1])))
        return parameters[-1] + (1 - parameters[-1]) * sigmoid, sigmoid

    def residuals(parameters: FloatArray) -> FloatArray:
        return law(parameters, known)[0] - share

    def slopes(parameters: FloatArray) -> FloatArray:
        sigmoid = law(parameters, known)[1]
        by_eta = (1 - parameters[-1]) * sigmoid * (1 - sigmoid)
        return np.column_stack([by_eta, by_eta[:, None] * known, 1 - sigmoid])

    middle = float(np.clip(share.mean(), 0.02, 0.98))
    start = np.array([np.log(middle / (1 - middle)), 0.5, *np.zeros(n - 1), 0.01])
    bounds = ([-np.inf] * (n + 1) + [0.0], [np.inf] * (n + 1) + [_FLOOR_MAX])
    found = least_squares(residuals, start, slopes, bounds, max_nfev=200, xtol=1e-6, ftol=1e-6)
    return law(np.asarray(found.x, dtype=np.float64), wanted)[0]
