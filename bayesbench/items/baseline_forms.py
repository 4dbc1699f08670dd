"""Which items the simple methods ask of everybody: greedy, mRMR, centres of clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["anchor_forms", "greedy_order", "mrmr_order"]

Array = NDArray[Any]
PASSES = 25


def greedy_order(share: Array, score: Array, n: int) -> Array:
    """Items one after another, each the one that a linear regression gains most by.

    Forward selection: the item with the largest ``(x'r)^2 / x'x``, x its answers and r the scores,
    both less what the items before explain. As regressions run out of models, after every third of
    their number it begins again among the items that are left.

    Parameters
    ----------
    share : (models, items) array
    score : (models,) array
    n : int

    Returns
    -------
    (n,) array of positions

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 1], [1, 1, 0]])
    >>> greedy_order(x, 3 * x[:, 1] + x[:, 0], 2)
    array([1, 0])
    """
    centred = (share - share.mean(axis=0)).astype(np.float32)
    target = (score - score.mean()).astype(np.float32)
    first = (centred**2).sum(axis=0)
    free = np.ones(share.shape[1], dtype=bool)
    x, r, order, since = centred.copy(), target.copy(), list[int](), 0
    while len(order) < n:
        if since >= max(1, len(share) // 3):
            x, r, since = centred.copy(), target.copy(), 0
        size = np.einsum("ij,ij->j", x, x)
        left = size > 1e-3 * np.maximum(first, 1e-6)
        gain = np.where(left, (r @ x) ** 2 / np.where(left, size, 1), 0)
        at = int(np.where(free, gain, -1).argmax())
        order.append(at)
        free[at], since = False, since + 1
        if left[at]:
            unit = x[:, at] / np.sqrt(size[at])
            r = r - unit * (unit @ r)
            x -= np.outer(unit, unit @ x)
    return np.array(order)


def mrmr_order(share: Array, score: Array, n: int) -> Array:
    """Items of largest ``|corr(x, y)|`` less the mean ``|corr(x, x')|`` with those before.

    Peng, Long & Ding 2005, doi:10.1109/TPAMI.2005.159, with correlations.

    Parameters
    ----------
    share : (models, items) array
    score : (models,) array
    n : int

    Returns
    -------
    (n,) array of positions

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0, 0, 1], [1, 1, 0], [0, 0, 1], [1, 1, 1]])
    >>> mrmr_order(x, np.array([0.0, 2, 0, 2.1]), 2).tolist()
    [0, 1]
    """
    centred = share - share.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(length > 0, length, 1)
    target = score - score.mean()
    relevance = np.abs(target @ unit) / max(float(np.sqrt(target @ target)), 1e-12)
    relevance[length == 0] = -1
    repeated, order = np.zeros(share.shape[1]), list[int]()
    free = np.ones(share.shape[1], dtype=bool)
    while len(order) < n:
        worth = relevance - repeated / max(len(order), 1)
        at = int(np.where(free, worth, -np.inf).argmax())
        order.append(at)
        free[at] = False
        repeated += np.abs(unit[:, at] @ unit)
    return np.array(order)


def anchor_forms(
    easiness: Array, slope: Array, n: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Items nearest the centres of `n` clusters of ``(b, a)``, with the clusters' shares.

    Lloyd's algorithm from centres drawn as in k-means++.

    Parameters
    ----------
    easiness : (items,) array
    slope : (items, factors) array
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    form : (n,) array of positions
    weights : (n,) array
        Share of all items in each one's cluster.

    Examples
    --------
    >>> import numpy as np
    >>> b = np.array([0.0, 0.1, 0.2, 9.0])
    >>> form, weights = anchor_forms(b, np.ones((4, 1)), 2, np.random.default_rng(0))
    >>> sorted(zip(form.tolist(), weights.tolist()))
    [(1, 0.75), (3, 0.25)]
    """
    points = np.column_stack([easiness, slope])
    distance = np.full(len(points), np.inf)
    at = int(rng.integers(len(points)))
    chosen = list[int]()
    while len(chosen) < n:
        chosen.append(at)
        distance = np.minimum(distance, ((points - points[at]) ** 2).sum(axis=1))
        distance[chosen] = 0
        total = distance.sum()
        if total > 0:
            at = int(rng.choice(len(points), p=distance / total))
        else:
            at = int(np.setdiff1d(np.arange(len(points)), chosen)[:1].sum())
    centres = points[chosen]
    for _ in range(PASSES):
        of = _nearest(points, centres)
        size = np.bincount(of, minlength=n)
        sums = np.array([np.bincount(of, column, minlength=n) for column in points.T]).T
        centres = np.where(size[:, None] > 0, sums / np.maximum(size, 1)[:, None], centres)
    of = _nearest(points, centres)
    form, free = np.empty(n, dtype=np.int64), np.ones(len(points), dtype=bool)
    for cluster in np.argsort(np.bincount(of, minlength=n), kind="stable"):
        away = ((points - centres[cluster]) ** 2).sum(axis=1)
        form[cluster] = np.where(free, away, np.inf).argmin()
        free[form[cluster]] = False
    return form, np.bincount(of, minlength=n) / len(points)


def _nearest(points: Array, centres: Array) -> Array:
    apart = (centres**2).sum(axis=1) - 2 * points @ centres.T
    return np.asarray(apart.argmin(axis=1))
