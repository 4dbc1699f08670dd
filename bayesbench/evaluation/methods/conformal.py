"""Split-conformal intervals around the predictions of any method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...answers.predictive import PREDICTIVE_LEVELS
from ...scores.matrix import ScoreMatrix
from ...scores.splits import per_model_folds
from ..predictions import CellPredictions, FloatArray, IntArray
from ..predictor import Predictor, fingerprint
from ..tasks import task_seed
from .peers.columns import CLIP, StandardColumns

__all__ = ["CONFORMAL", "Conformal", "conformal_quantiles", "difficulty", "fitted_difficulty"]

CONFORMAL = "+conformal"
LEAST = 19
"""Errors from which a 90 % interval can be told: one in 20 lies beyond the largest of 19."""
ENOUGH_FOR_DIFFICULTY = 200
"""Errors from which half of them are spent on how hard a cell is."""
_RIDGE = 1.0


@dataclass(frozen=True)
class Conformal:
    """A method with intervals from its own errors on training cells that it was not shown.

    Folds of the training cells, per model, are hidden in turn and predicted. Errors are taken on
    the standardised logit scale of the peers, divided by how hard a cell is, and their quantiles,
    with the correction for a finite number of them, are put around the predictions of the method
    fitted to all training cells. How hard: an absolute error expected from the number of scores of
    the model and of the benchmark, the predicted level and the spread of the benchmark, learned on
    half of the errors; the quantiles come from the other half, so that they are exchangeable with
    a new error however wrong that law is. The prediction itself stays what it was.

    With fewer than 19 errors there are no intervals.

    Attributes
    ----------
    method : Predictor
    n_folds : int
        Of the training cells. The method is fitted so many times more.

    References
    ----------
    Lei et al. (2018), doi:10.1080/01621459.2017.1307116, algorithms 2 and 4.
    """

    method: Predictor
    n_folds: int = 10

    @property
    def name(self) -> str:
        """Name of the method, as in ``--method``."""
        return f"{self.method.name}{CONFORMAL}"

    @property
    def fingerprint(self) -> str:
        """That of the method, and the number of folds."""
        return f"{fingerprint(self.method)}{CONFORMAL} {self.n_folds}"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells with quantiles; `seed` is the method's, and draws folds and halves."""
        median = self.method.predict(train, cells, seed).median
        columns = StandardColumns.of(train)
        error, features = self._errors(train, seed)
        if error.size < LEAST:
            return CellPredictions(median)
        rng = np.random.default_rng([seed, 1])
        first = np.zeros(error.size, dtype=np.bool_)
        if error.size >= ENOUGH_FOR_DIFFICULTY:
            first[rng.permutation(error.size)[: error.size // 2]] = True
        weights = fitted_difficulty(np.abs(error[first]), features[first])
        scale = difficulty(weights, features[~first])
        grid = conformal_quantiles(error[~first] / scale, PREDICTIVE_LEVELS)
        wide = difficulty(weights, _features(train, columns, cells, median))
        quantiles = _around(columns.take(cells[:, 1]), median, wide, grid)
        return CellPredictions(median, quantiles)

    def _errors(self, train: ScoreMatrix, seed: int) -> tuple[FloatArray, FloatArray]:
        """Errors of hidden training cells in z, and what is known of these cells."""
        errors, features = [], []
        for split in per_model_folds(train, self.n_folds, seed):
            shown = train.mask(split.mask(train.shape))
            inner = task_seed(seed, split.fold)
            made = self.method.predict(shown, split.cells, inner).median
            known = np.isfinite(made)
            # of what was shown: a score that helped to set the spread of its column is nearer to it
            columns = StandardColumns.of(shown)
            cells = split.cells[known]
            there = columns.take(cells[:, 1])
            truth = train.values[cells[:, 0], cells[:, 1]]
            errors.append(there.to_z(truth) - there.to_z(made[known]))
            # counts of all training scores but the cell itself, which is how a new cell meets them
            features.append(_features(train, columns, cells, made[known], 1))
        return np.concatenate(errors), np.concatenate(features)


def _features(
    shown: ScoreMatrix,
    columns: StandardColumns,
    cells: IntArray,
    median: FloatArray,
    itself: int = 0,
) -> FloatArray:
    """What the size of an error may depend on, (n, 4), each next to 0 for a usual cell.

    `itself` is what a cell counts among the scores of its row and column.
    """
    there = columns.take(cells[:, 1])
    bounded = np.isfinite(there.lower)
    share = np.clip((median - there.lower) / (there.upper - there.lower), CLIP, 1 - CLIP)
    level = np.where(bounded, np.log(4 * share * (1 - share)), 0.0)
    spread = np.where(bounded, np.log(there.spread), 0.0)
    observed = shown.observed
    counts = (observed.sum(axis=1)[cells[:, 0]], observed.sum(axis=0)[cells[:, 1]])
    out = np.column_stack(
        [*(np.log1p(count - itself) - np.log(16) for count in counts), level, spread]
    )
    return np.where(np.isfinite(out), out, 0.0)


def difficulty(weights: FloatArray, features: FloatArray) -> FloatArray:
    """Expected absolute error ``exp(w_0 + features . w)``, (n,)."""
    out: FloatArray = np.exp(np.clip(weights[0] + features @ weights[1:], -20, 20))
    return out


def fitted_difficulty(error: FloatArray, features: FloatArray, max_iter: int = 100) -> FloatArray:
    """Weights of :func:`difficulty` by penalised exponential likelihood.

    Minimises ``sum(eta + error exp(-eta)) + |w|^2 / 2`` with ``eta = w_0 + features . w`` and `w_0`
    free, which is convex, by Newton steps; all 0 without errors.

    Parameters
    ----------
    error : (n,) absolute errors
    features : (n, p)

    Returns
    -------
    (p + 1,) array
    """
    weights = np.zeros(features.shape[1] + 1)
    if not error.size or not error.any():
        return weights
    design = np.column_stack([np.ones(error.size), features])
    ridge = _RIDGE * np.eye(weights.size)
    ridge[0, 0] = 0.0
    weights[0] = np.log(error.mean())

    def loss(at: FloatArray) -> float:
        eta = design @ at
        return float((eta + error * np.exp(-eta)).sum() + 0.5 * at @ ridge @ at)

    for _ in range(max_iter):
        ratio = error * np.exp(-design @ weights)
        gradient = design.T @ (1 - ratio) + ridge @ weights
        step = np.linalg.solve((design * ratio[:, None]).T @ design + ridge, gradient)
        before, share = loss(weights), 1.0
        while loss(weights - share * step) > before and share > 1e-8:
            share /= 2
        weights = weights - share * step
        if float(np.abs(share * step).max()) < 1e-10:
            break
    return weights


def conformal_quantiles(errors: FloatArray, levels: FloatArray) -> FloatArray:
    """Quantiles of n errors between which a new, exchangeable one lies at least as often as said.

    The upper half takes the ``ceil(level (n + 1))``-th smallest error, the lower half the
    ``floor(level (n + 1))``-th: a new error lies below the k-th smallest of n with probability
    ``k / (n + 1)``. Levels further out than n errors can tell take the outermost one.

    Parameters
    ----------
    errors : (n,)
    levels : (L,) increasing in (0, 1)

    Examples
    --------
    >>> import numpy as np
    >>> conformal_quantiles(np.arange(1.0, 20), np.array([0.05, 0.5, 0.95]))
    array([ 1., 10., 19.])
    """
    ordered = np.sort(errors)
    # rounded, because 0.29 * 100 is a little less than 29
    place = np.round(levels * (errors.size + 1), 9)
    rank = np.where(levels >= 0.5, np.ceil(place), np.floor(place)).astype(np.int64)
    out: FloatArray = ordered[np.clip(rank, 1, errors.size) - 1]
    return out


def _around(
    columns: StandardColumns, median: FloatArray, wide: FloatArray, grid: FloatArray
) -> FloatArray:
    """Quantiles on the score scale, (n, L), from those of the errors."""
    z = columns.to_z(median) + wide * grid[:, None]
    scores = columns.to_score(z)
    # scores next to an end were all taken for one: an interval that gets there holds the end
    edge = CLIP * (columns.upper - columns.lower)
    upper_half = (PREDICTIVE_LEVELS >= 0.5)[:, None]
    at_top = upper_half & (scores >= columns.upper - edge)
    at_bottom = ~upper_half & (scores <= columns.lower + edge)
    scores = np.where(at_top, columns.upper, np.where(at_bottom, columns.lower, scores))
    out: FloatArray = scores.T
    return out
