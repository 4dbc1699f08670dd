"""One capability per model and a sigmoid per benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ....scores.matrix import ScoreMatrix
from ...predictions import BoolArray, CellPredictions, FloatArray, IntArray, pick
from .columns import StandardColumns
from .simple import model_mean

__all__ = ["OneFactor", "SigmoidProblem"]


@dataclass(frozen=True)
class OneFactor:
    """The form of the Epoch capabilities index: ``share = sigmoid(slope_b (capability_m - d_b))``.

    Least squares on the share of the scale, with weak normal priors; a benchmark without two ends
    follows the same line in its standard deviations, without the sigmoid.

    Attributes
    ----------
    penalty : float
        Weight of the priors beside squared shares: the square of the error that a share is taken
        to have (0.1), for priors of standard deviation 1 (capability, slope) and 3 (difficulty).
    max_iter : int
        Steps of L-BFGS.

    References
    ----------
    Ho et al. (2025), "A Rosetta Stone for AI Benchmarks", arXiv:2512.00193; Epoch AI,
    epoch.ai/benchmarks/eci.
    """

    penalty: float = 0.01
    max_iter: int = 500
    name: ClassVar[str] = "one-factor"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` is not used."""
        columns = StandardColumns.of(train)
        problem = SigmoidProblem.of(train, columns, self.penalty)
        fitted = problem.predicted(problem.solution(self.max_iter))
        span = np.where(problem.bounded, columns.upper - columns.lower, columns.spread / problem.sd)
        start = np.where(problem.bounded, columns.lower, columns.center)
        return CellPredictions(pick(start + span * fitted + 0 * columns.center, cells))


@dataclass(frozen=True, eq=False)
class SigmoidProblem:
    """Penalised least squares of shares on one capability.

    Parameters are one vector: capability (M,), difficulty (B,), slope (B,).

    Attributes
    ----------
    values : (M, B) shares of the scale, or standard scores times `sd`; 0 where missing
    observed : (M, B) bool
    bounded : (B,) bool
        Columns with a sigmoid.
    sd : float
        Standard deviation of the shares within a benchmark: what one standard deviation of a
        column without ends counts beside them.
    start : (M + 2 B,)
    penalty : float
    """

    values: FloatArray
    observed: BoolArray
    bounded: BoolArray
    sd: float
    start: FloatArray
    penalty: float

    @classmethod
    def of(cls, train: ScoreMatrix, columns: StandardColumns, penalty: float) -> SigmoidProblem:
        """The problem of a training matrix."""
        observed, bounded = columns.observed, np.isfinite(columns.lower)
        share = (np.asarray(train.values, dtype=np.float64) - columns.lower) / (
            columns.upper - columns.lower
        )
        inside = observed & bounded
        count = inside.sum(axis=0)
        mean = np.where(inside, share, 0.0).sum(axis=0) / np.maximum(count, 1)
        squares = np.where(inside, (share - mean) ** 2, 0.0).sum()
        sd = float(np.sqrt(squares / max(int(count.sum()), 1))) or 1.0
        values = np.where(observed, np.where(bounded, share, sd * columns.z), 0.0)
        difficulty = np.where(bounded & (count > 0), -columns.center, 0.0)
        start = [model_mean(columns.z)[:, 0], np.clip(difficulty, -4, 4), np.ones(count.size)]
        return cls(values, observed, bounded, sd, np.concatenate(start), penalty)

    def split(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Capability, difficulty and slope."""
        m, b = self.values.shape
        return parameters[:m], parameters[m : m + b], parameters[m + b :]

    def predicted(self, parameters: FloatArray) -> FloatArray:
        """Predicted values, (M, B)."""
        capability, difficulty, slope = self.split(parameters)
        eta = slope * (capability[:, None] - difficulty)
        out: FloatArray = np.where(self.bounded, 0.5 * (1 + np.tanh(0.5 * eta)), self.sd * eta)
        return out

    def loss(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        """Penalised sum of squares and its gradient."""
        capability, difficulty, slope = self.split(parameters)
        made = self.predicted(parameters)
        residual = np.where(self.observed, made - self.values, 0.0)
        by_eta = 2 * residual * np.where(self.bounded, made * (1 - made), self.sd)
        prior = capability @ capability + difficulty @ difficulty / 9 + ((slope - 1) ** 2).sum()
        gradient = [
            (by_eta * slope).sum(axis=1) + 2 * self.penalty * capability,
            -slope * by_eta.sum(axis=0) + 2 * self.penalty * difficulty / 9,
            (by_eta * (capability[:, None] - difficulty)).sum(axis=0)
            + 2 * self.penalty * (slope - 1),
        ]
        return float((residual**2).sum() + self.penalty * prior), np.concatenate(gradient)

    def solution(self, max_iter: int) -> FloatArray:
        """Parameters after at most `max_iter` steps of L-BFGS."""
        # scipy's optimizers take longer to import than most commands to answer
        from scipy.optimize import minimize

        found = minimize(
            self.loss,
            self.start,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": max_iter, "maxfun": 2 * max_iter, "ftol": 1e-10, "gtol": 1e-7},
        )
        return np.asarray(found.x, dtype=np.float64)
