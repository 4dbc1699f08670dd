"""Intervals of shares and means whose cells come in clusters: the cells of one model, one table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from ..errors import UsageError
from .resampling import weighted_medians

__all__ = ["mean_interval", "median_interval", "share_interval"]

FloatArray = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]
Interval = tuple[float, float]

RESAMPLES = 300
NOTHING: Interval = (math.nan, math.nan)
"""Of fewer than two clusters, which say nothing of how clusters differ."""


def _numbered(values: npt.ArrayLike, clusters: Labels) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    given = np.asarray(values, dtype=np.float64)
    names = np.asarray(clusters)
    if given.shape != names.shape or given.ndim != 1:
        raise UsageError(f"{given.shape} values with {names.shape} clusters; give one for each")
    return given, np.unique(names, return_inverse=True)[1].astype(np.int64)


def _variance_of_mean(values: FloatArray, number: npt.NDArray[np.int64]) -> tuple[float, int]:
    """Cluster-robust variance of the mean over cells, and how many clusters there are."""
    apart = np.bincount(number, weights=values - values.mean())
    count = apart.size
    return float(count / (count - 1) * (apart**2).sum() / values.size**2), count


def share_interval(hits: npt.ArrayLike, clusters: Labels, prob: float = 0.95) -> Interval:
    """Interval of a share whose cells come in clusters.

    Wilson's interval for a share p of ``n* = p (1 - p) / v`` independent cells, ``v`` being the
    cluster-robust variance ``G / (G - 1) sum_g (sum_{i in g} (y_i - p))^2 / n^2``, with the
    quantile of Student's t with ``G - 1`` degrees of freedom. Where all cells agree, which says
    nothing of the clusters, every cluster counts as one cell.

    Parameters
    ----------
    hits : (n,) 0 or 1
    clusters : (n,) labels
    prob : float

    Returns
    -------
    (float, float)
        NaN for fewer than two clusters.

    References
    ----------
    Korn & Graubard (1998), Survey Methodology 24, 193-201; Dean & Pagano (2015),
    doi:10.1093/jssam/smv024, who put the effective sample into Wilson's interval.

    Examples
    --------
    >>> low, high = share_interval([1, 1, 1, 0, 0, 0], np.array(["a", "a", "b", "b", "c", "c"]))
    >>> round(low, 3), round(high, 3)
    (0.036, 0.964)
    """
    given, number = _numbered(hits, clusters)
    if not given.size or number.max() == 0:
        return NOTHING
    share = float(given.mean())
    variance, count = _variance_of_mean(given, number)
    size = float(count)
    if 0 < share < 1 and variance > 0:
        size = min(share * (1 - share) / variance, float(given.size))
    t2 = float(stdtrit(count - 1, 0.5 + prob / 2)) ** 2
    center = (share + t2 / (2 * size)) / (1 + t2 / size)
    half = math.sqrt(t2 * (share * (1 - share) / size + t2 / (4 * size**2))) / (1 + t2 / size)
    return max(center - half, 0.0), min(center + half, 1.0)


def mean_interval(values: npt.ArrayLike, clusters: Labels, prob: float = 0.95) -> Interval:
    """Interval of a mean over cells, by the cluster-robust variance and Student's t.

    Parameters
    ----------
    values : (n,)
    clusters : (n,) labels
    prob : float

    Returns
    -------
    (float, float)
        NaN for fewer than two clusters.
    """
    given, number = _numbered(values, clusters)
    if not given.size or number.max() == 0:
        return NOTHING
    variance, count = _variance_of_mean(given, number)
    half = float(stdtrit(count - 1, 0.5 + prob / 2)) * math.sqrt(variance)
    center = float(given.mean())
    return center - half, center + half


def median_interval(
    values: npt.ArrayLike, clusters: Labels, prob: float = 0.95, *, seed: int = 0
) -> Interval:
    """Interval of a median over cells, by drawing whole clusters again (`RESAMPLES` times).

    Parameters
    ----------
    values : (n,)
    clusters : (n,) labels
    prob : float
    seed : int

    Returns
    -------
    (float, float)
        NaN for fewer than two clusters.
    """
    given, number = _numbered(values, clusters)
    if not given.size or number.max() == 0:
        return NOTHING
    count = int(number.max()) + 1
    weights = np.random.default_rng(seed).multinomial(count, [1 / count] * count, size=RESAMPLES)
    medians = weighted_medians(given, weights, number)
    low, high = np.quantile(medians, [0.5 - prob / 2, 0.5 + prob / 2])
    return float(low), float(high)
