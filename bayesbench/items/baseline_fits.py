"""How the simple methods predict a score from a form's answers: mean, ridge, kernel, gp-IRT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .adaptive import Abilities

__all__ = ["Fitted", "fit_anchors", "fit_kernel", "fit_mean", "fit_ridge"]

Array = NDArray[Any]
Fitted = Callable[[Array], Array]
"""From shares of a form's items (models, items) to scores (models,) in percent."""
PENALTIES = 10.0 ** np.arange(-2, 5.1, 0.5)
KERNEL_PENALTIES = 10.0 ** np.arange(-4, 1.1, 0.5)
KERNEL_SCALES = (0.1, 0.5)
"""Of the squared distance over its mean."""
MOST_MODELS = 800
"""Of a kernel."""
FOLDS = 4
BLENDS = np.linspace(0, 1, 21)


def fit_mean() -> Fitted:
    """The plain mean of the answers.

    Examples
    --------
    >>> import numpy as np
    >>> fit_mean()(np.array([[1.0, 0.0]]))
    array([50.])
    """

    def predict(share: Array) -> Array:
        return np.asarray(100 * share.mean(axis=1))

    return predict


def _folds(groups: Array) -> Array:
    """Groups dealt to folds by size, so that folds are of about one size."""
    names, of, size = np.unique(groups, return_inverse=True, return_counts=True)
    place = np.empty(len(names), dtype=np.int64)
    place[np.argsort(-size, kind="stable")] = np.arange(len(names)) % min(FOLDS, len(names))
    return np.asarray(place[of])


def _solved(features: Array, target: Array, penalties: Array) -> tuple[Array, Array]:
    """Coefficients (penalties, features) and intercepts (penalties,) of ridge regressions."""
    mean, middle = features.mean(axis=0), target.mean()
    x, y = features - mean, target - middle
    values, axes = np.linalg.eigh(x.T @ x)
    pull = axes.T @ (x.T @ y)
    unit = max(float(values.mean()) / len(x), 1e-12)
    coefficients = (pull / (np.maximum(values, 0) + penalties[:, None] * unit)) @ axes.T
    return coefficients, middle - coefficients @ mean


def fit_ridge(share: Array, score: Array, groups: Array) -> Fitted:
    """Ridge regression; the penalty has the least squared error on groups that were left out.

    Parameters
    ----------
    share : (models, items) array
    score : (models,) array
    groups : (models,) array
    """
    fold = _folds(groups)
    loss = np.zeros(len(PENALTIES))
    for at in np.unique(fold):
        held = fold == at
        if not held.all():
            b, c = _solved(share[~held], score[~held], PENALTIES)
            loss += ((share[held] @ b.T + c - score[held][:, None]) ** 2).sum(axis=0)
    coefficients, intercepts = _solved(share, score, PENALTIES[[int(loss.argmin())]])

    def predict(given: Array) -> Array:
        return np.asarray(given @ coefficients[0] + intercepts[0])

    return predict


def fit_kernel(share: Array, score: Array, groups: Array, rng: np.random.Generator) -> Fitted:
    """Kernel ridge regression with ``exp(-g |x - x'|^2)``; g and the penalty as in `fit_ridge`.

    Parameters
    ----------
    share : (models, items) array
        Of at most 800 of the models, drawn at random.
    score : (models,) array
    groups : (models,) array
    rng : numpy.random.Generator
    """
    kept = rng.permutation(len(share))[:MOST_MODELS]
    x, y, fold = share[kept], score[kept], _folds(groups[kept])
    squared = _distances(x, x)
    unit = max(float(squared.mean()), 1e-12)
    best, chosen = np.inf, (KERNEL_SCALES[0], KERNEL_PENALTIES[-1])
    for scale in KERNEL_SCALES:
        kernel = np.exp(-scale / unit * squared)
        loss = np.zeros(len(KERNEL_PENALTIES))
        for at in np.unique(fold):
            held = fold == at
            if not held.all():
                inner = kernel[np.ix_(~held, ~held)]
                values, axes = np.linalg.eigh(inner)
                pull = axes.T @ (y[~held] - y[~held].mean())
                ways = kernel[np.ix_(held, ~held)] @ axes
                found = ways @ (pull[:, None] / (values.clip(0)[:, None] + KERNEL_PENALTIES))
                loss += ((found + y[~held].mean() - y[held][:, None]) ** 2).sum(axis=0)
        if loss.min() < best:
            best, chosen = float(loss.min()), (scale, KERNEL_PENALTIES[int(loss.argmin())])
    scale, penalty = chosen
    kernel = np.exp(-scale / unit * squared) + penalty * np.eye(len(x))
    dual, middle = np.linalg.solve(kernel, y - y.mean()), y.mean()

    def predict(given: Array) -> Array:
        return np.asarray(np.exp(-scale / unit * _distances(given, x)) @ dual + middle)

    return predict


def _distances(one: Array, other: Array) -> Array:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.asarray(np.maximum(squares, 0))


def fit_anchors(
    engine: Abilities, form: Array, weights: Array, runs: Array, share: Array, score: Array
) -> Fitted:
    """gp-IRT: ``k (weighted mean of the anchors) + (1 - k) (observed + predicted rest)``.

    k has the least mean absolute error on the training models.

    Parameters
    ----------
    engine : Abilities
    form : index array
    weights : (form,) array
        Sum to 1.
    runs : (items,) array
        Of every item, which the ability's likelihood counts.
    share : (models, form) array
    score : (models,) array
    """
    few, items = engine.only(form), len(engine.easiness)

    def parts(given: Array) -> tuple[Array, Array]:
        trials = np.broadcast_to(runs[form], given.shape).astype(np.float64)
        start = np.zeros((len(given), engine.slope.shape[1]))
        p = engine.probability(few.found(given * trials, trials, start)[0])
        predicted = given.sum(axis=1) + p.sum(axis=1) - p[:, form].sum(axis=1)
        return 100 * given @ weights, 100 / items * predicted

    anchors, irt = parts(share)
    errors = np.abs(BLENDS[:, None] * anchors + (1 - BLENDS[:, None]) * irt - score)
    blend = float(BLENDS[int(errors.mean(axis=1).argmin())])

    def predict(given: Array) -> Array:
        anchor, rest = parts(given)
        return np.asarray(blend * anchor + (1 - blend) * rest)

    return predict
