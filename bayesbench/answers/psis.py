"""Pareto-smoothed importance sampling (Vehtari et al. 2024, arXiv:1507.02646), in numpy alone.

Written out here because conditioning must not wait for a statistics package to be imported; its
oracle in the tests is arviz-stats.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "effective_share",
    "pareto_shape",
    "smoothed_weights",
    "systematic_resample",
    "tempered",
]

Floats = NDArray[np.float64]

BISECTIONS = 40
"""Halvings of the power of tempered weights: to twelve digits."""
LEAST_TAIL = 5
"""A Pareto tail is not fitted to fewer weights."""


def pareto_shape(excess: ArrayLike) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution (Zhang & Stephens 2009).

    With the weak prior of the PSIS paper: the shape is drawn toward 0.5 by 10 pseudo-observations.

    Parameters
    ----------
    excess : (n,) array
        Sorted positive excesses over the cutoff.

    Returns
    -------
    shape, scale : float
    """
    x = np.asarray(excess, dtype=np.float64)
    n = x.size
    m = 30 + int(math.sqrt(n))
    theta = 1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))
    theta = theta / (3.0 * x[int(n / 4 + 0.5) - 1]) + 1.0 / x[-1]
    shape = np.mean(np.log1p(-theta[:, None] * x), axis=1)
    profile = n * (np.log(-theta / shape) - shape - 1.0)
    weight = np.exp(profile - profile.max())
    weight = np.where(weight >= 10 * np.finfo(float).eps * weight.sum(), weight, 0.0)
    best = float(theta @ weight / weight.sum())
    k = float(np.mean(np.log1p(-best * x)))
    return (n * k + 5.0) / (n + 10.0), -k / best


def smoothed_weights(log_weights: ArrayLike) -> tuple[Floats, float]:
    """Normalised importance weights with the largest ones replaced by Pareto quantiles.

    Parameters
    ----------
    log_weights : (S,) array
        Unnormalised log weights.

    Returns
    -------
    weights : (S,) array
        Sum to 1.
    k_hat : float
        Pareto shape; above 0.7 the weights are not to be relied on. NaN where no tail can be
        fitted (fewer than 25 draws, or equal weights): the weights then stay as they are.
    """
    log_w = np.array(log_weights, dtype=np.float64)
    log_w -= log_w.max()
    n = log_w.size
    n_tail = int(3.0 * math.sqrt(n)) if n > 225 else n // 5
    k_hat = math.nan
    if n_tail >= LEAST_TAIL:
        order = np.argsort(log_w, kind="stable")
        tail = order[-n_tail:]
        cutoff = math.exp(log_w[order[-n_tail - 1]])
        excess = np.exp(log_w[tail]) - cutoff
        if excess[-1] > excess[0] and excess[int(n_tail / 4 + 0.5) - 1] > 0:
            k_hat, scale = pareto_shape(excess)
            level = (np.arange(n_tail) + 0.5) / n_tail
            fitted = cutoff + scale * np.expm1(-k_hat * np.log1p(-level)) / k_hat
            log_w[tail] = np.minimum(np.log(fitted), 0.0)
    weights = np.exp(log_w - log_w.max())
    return weights / weights.sum(), k_hat


def effective_share(weights: ArrayLike) -> float:
    """Effective share of the draws, ``1 / (S sum w^2)`` for weights that sum to 1."""
    w = np.asarray(weights, dtype=np.float64)
    return float(1.0 / (w.size * np.sum(w**2)))


def tempered(weights: ArrayLike, least: float) -> tuple[Floats, float]:
    """The weights to the largest power, at most 1, at which their effective share is `least`.

    The share falls as the power grows, so the power is found by bisection; it moves smoothly with
    the weights, where leaving uneven weights aside would switch.

    Parameters
    ----------
    weights : (S,) array
        Sum to 1.
    least : float
        Effective share, between 1 / S and 1.

    Returns
    -------
    weights : (S,) array
        Sum to 1.
    power : float

    Examples
    --------
    >>> w, power = tempered([0.98, 0.01, 0.01, 0.0], 0.5)
    >>> round(effective_share(w), 3), 0 < power < 1
    (0.5, True)
    """
    given = np.asarray(weights, dtype=np.float64)
    with np.errstate(divide="ignore"):
        log_w = np.log(given / given.max())

    def at(power: float) -> Floats:
        raised = np.exp(power * log_w)
        return np.asarray(raised / raised.sum())

    if effective_share(given) >= least:
        return given / given.sum(), 1.0
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective_share(at(middle)) >= least else (low, middle)
    return at(low), low


def systematic_resample(weights: ArrayLike, start: float) -> NDArray[np.int64]:
    """Indices of S equally weighted draws; draw s comes up S w_s times, rounded up or down.

    Parameters
    ----------
    weights : (S,) array
        Sum to 1.
    start : float
        Uniform number in [0, 1).
    """
    w = np.asarray(weights, dtype=np.float64)
    edges = np.cumsum(w)
    points = (np.arange(w.size) + start) / w.size * edges[-1]
    return np.asarray(np.minimum(np.searchsorted(edges, points, side="right"), w.size - 1))
