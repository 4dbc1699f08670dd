"""Regression on the most correlated benchmarks, in logit space, and its blend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ....scores.matrix import ScoreMatrix
from ...predictions import CellPredictions, FloatArray, IntArray, pick
from .columns import StandardColumns
from .soft_impute import SoftImpute

__all__ = ["BenchmarkRegression", "Blend", "benchmark_regression"]


@dataclass(frozen=True)
class BenchmarkRegression:
    """Each benchmark from its `top_k` best single predictors, weighted by their R^2.

    One ridge regression per predictor, because rows seldom have all five; a cell whose model has
    none of them gets the benchmark mean.

    Attributes
    ----------
    top_k : int
        Predictors kept per benchmark.
    min_r2 : float
        Least R^2 of a predictor.
    min_shared : int
        Models two benchmarks must share.
    penalty : float
        Ridge on the slope, in units of squared z; 0 is the published least squares.

    References
    ----------
    The post "You Don't Need to Run Every Eval" (LogitBenchReg), whose settings are the defaults
    but for the light ridge.
    """

    top_k: int = 5
    min_r2: float = 0.2
    min_shared: int = 5
    penalty: float = 0.1
    name: ClassVar[str] = "bench-regression"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` is not used."""
        columns = StandardColumns.of(train)
        local = self._complete(columns.z)
        return CellPredictions(pick(columns.to_score(np.where(np.isnan(local), 0, local)), cells))

    def _complete(self, z: FloatArray) -> FloatArray:
        return benchmark_regression(z, self.top_k, self.min_r2, self.min_shared, self.penalty)

    def predict_where_possible(self, train: ScoreMatrix, cells: IntArray) -> FloatArray:
        """As :meth:`predict`, but NaN where the model has none of the predictors."""
        columns = StandardColumns.of(train)
        return pick(columns.to_score(self._complete(columns.z)), cells)


@dataclass(frozen=True)
class Blend:
    """The post's blend: ``weight`` x benchmark regression + the rest x logit soft-impute.

    Averaged on the score scale; soft-impute alone where the regression has no predictor.
    """

    weight: float = 0.6
    regression: BenchmarkRegression = field(default_factory=BenchmarkRegression)
    completion: SoftImpute = field(default_factory=SoftImpute)
    name: ClassVar[str] = "blend"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` is not used."""
        local = self.regression.predict_where_possible(train, cells)
        whole = self.completion.predict(train, cells, seed).median
        blended = self.weight * local + (1 - self.weight) * whole
        return CellPredictions(np.where(np.isnan(local), whole, blended))


def benchmark_regression(
    z: FloatArray, top_k: int, min_r2: float, min_shared: int, penalty: float
) -> FloatArray:
    """R^2-weighted mean of single-predictor ridge regressions, (M, B); NaN without a predictor."""
    observed = np.isfinite(z)
    slope, intercept, r2 = _pairwise(z, min_shared, penalty)
    out = np.full(z.shape, np.nan)
    for target in range(z.shape[1]):
        order = np.argsort(-r2[target], kind="stable")[:top_k]
        chosen = order[r2[target, order] >= min_r2]
        if chosen.size == 0:
            continue
        weight = observed[:, chosen] * r2[target, chosen]
        each = slope[target, chosen] * np.where(observed[:, chosen], z[:, chosen], 0.0)
        summed = (weight * (each + intercept[target, chosen])).sum(axis=1)
        total = weight.sum(axis=1)
        usable = total > 0
        out[usable, target] = summed[usable] / total[usable]
    return out


def _pairwise(
    z: FloatArray, min_shared: int, penalty: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slope, intercept and R^2 of column j on column l over shared rows, each (B, B) as [j, l]."""
    observed = np.isfinite(z)
    mask, filled = observed.astype(np.float64), np.where(observed, z, 0.0)
    n = mask.T @ mask
    safe = np.maximum(n, 1.0)
    mean_y = (filled.T @ mask) / safe  # of column j over the rows shared with l
    mean_x = mean_y.T
    square_y = (filled**2).T @ mask - safe * mean_y**2
    square_x = square_y.T
    cross = filled.T @ filled - safe * mean_y * mean_x
    usable = (n >= min_shared) & (square_x > 1e-10) & (square_y > 1e-10)
    np.fill_diagonal(usable, False)
    slope = np.where(usable, cross / np.where(usable, square_x + penalty, 1.0), 0.0)
    r2 = np.where(usable, cross**2 / np.where(usable, square_x * square_y, 1.0), -1.0)
    return slope, mean_y - slope * mean_x, r2
