"""Gaussian conditioning on a shrunken covariance of the benchmarks, as skillinfer does."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

import numpy as np

from ....answers.predictive import PREDICTIVE_LEVELS
from ....scores.matrix import ScoreMatrix
from ...predictions import BoolArray, CellPredictions, FloatArray, IntArray

__all__ = ["GaussianConditioning", "condition_gaussian", "ledoit_wolf"]


@dataclass(frozen=True)
class GaussianConditioning:
    """Multivariate normal over benchmarks, conditioned on a model's training scores.

    Columns are scaled to 0-1 by their training range, missing entries take the column mean, the
    covariance is Ledoit-Wolf's, the reading noise a share of the mean column deviation: what PyPI
    ``skillinfer`` 0.1.1 does with a table filled by column means. Intervals are those of the
    conditional normal, cut at the benchmark's bounds.

    Attributes
    ----------
    noise_share : float
        Standard deviation of a reading as a share of the mean standard deviation of the columns.
    """

    noise_share: float = 0.05
    name: ClassVar[str] = "gaussian"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells with quantiles; `seed` is not used."""
        values = np.asarray(train.values, dtype=np.float64)
        observed = np.isfinite(values)
        known: BoolArray = np.asarray(observed.any(axis=0))
        low = np.where(observed, values, np.inf).min(axis=0, initial=np.inf)
        high = np.where(observed, values, -np.inf).max(axis=0, initial=-np.inf)
        low = np.where(known, low, 0.0)
        span = np.where(known & (high > low), high - low, 1.0)
        scaled = (values - low) / span
        mean = np.where(observed, scaled, 0.0).sum(axis=0) / np.maximum(observed.sum(axis=0), 1)
        covariance, _ = ledoit_wolf(np.where(observed, scaled, mean))
        noise = max(self.noise_share * float(np.sqrt(np.diag(covariance)).mean()), 1e-8)
        center, sd = np.empty(len(cells)), np.empty(len(cells))
        for row in np.unique(cells[:, 0]):
            at = cells[:, 0] == row
            given = np.flatnonzero(observed[row])
            posterior = condition_gaussian(mean, covariance, given, scaled[row, given], noise)
            wanted = cells[at, 1]
            center[at], sd[at] = posterior[0][wanted], posterior[1][wanted]
        return _on_score_scale(train, cells, low, span, center, sd, known)


def _on_score_scale(
    train: ScoreMatrix,
    cells: IntArray,
    low: FloatArray,
    span: FloatArray,
    center: FloatArray,
    sd: FloatArray,
    known: BoolArray,
) -> CellPredictions:
    normal = NormalDist()
    steps = np.array([normal.inv_cdf(float(level)) for level in PREDICTIVE_LEVELS])
    column = cells[:, 1]
    quantiles = (center[:, None] + sd[:, None] * steps) * span[column, None] + low[column, None]
    median = center * span[column] + low[column]
    for bound, cut in (("lower", np.fmax), ("upper", np.fmin)):
        limit = train.benchmarks[bound].to_numpy(dtype=np.float64, na_value=np.nan)[column]
        median, quantiles = cut(median, limit), cut(quantiles, limit[:, None])
    unknown = ~known[column]
    median[unknown], quantiles[unknown] = np.nan, np.nan
    return CellPredictions(median, quantiles)


def ledoit_wolf(values: FloatArray) -> tuple[FloatArray, float]:
    """Covariance of the columns of `values` (M, B) shrunk to a multiple of the identity.

    Returns
    -------
    covariance : (B, B)
    shrinkage : float
        Share of the target in it.

    References
    ----------
    Ledoit & Wolf (2004), doi:10.1016/S0047-259X(03)00096-4.
    """
    n, size = values.shape
    centred = values - values.mean(axis=0)
    sample = centred.T @ centred / n
    mu = float(np.trace(sample)) / size
    distance = float((sample**2).sum()) - size * mu**2
    spread = (float(((centred**2).sum(axis=1) ** 2).sum()) / n - float((sample**2).sum())) / n
    shrinkage = min(max(spread / distance, 0.0), 1.0) if distance > 0 else 0.0
    return (1 - shrinkage) * sample + shrinkage * mu * np.eye(size), shrinkage


def condition_gaussian(
    mean: FloatArray,
    covariance: FloatArray,
    given: IntArray,
    values: FloatArray,
    noise: float,
) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation (B,) of a normal vector given noisy readings of some entries.

    ``m + S_g (S_gg + noise^2 I)^-1 (y - m_g)`` and the root of the diagonal of
    ``S - S_g (S_gg + noise^2 I)^-1 S_g'``.
    """
    if given.size == 0:
        return mean.copy(), np.sqrt(np.diag(covariance))
    joint = covariance[np.ix_(given, given)] + noise**2 * np.eye(given.size)
    cross = covariance[:, given]
    gain = np.linalg.solve(joint, cross.T).T
    variance = np.diag(covariance) - (gain * cross).sum(axis=1)
    out: FloatArray = mean + gain @ (values - mean[given])
    return out, np.sqrt(np.maximum(variance, 1e-10))
