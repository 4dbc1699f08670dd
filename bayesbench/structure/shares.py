"""Complete submatrices, and the shares of their variance by rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Share",
    "Submatrix",
    "complete_submatrices",
    "cumulative_shares",
    "submatrix_shares",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_BENCHMARKS = 60
"""Widest submatrix looked for."""
MOST_RANK = 10
"""Ranks reported."""


@dataclass(frozen=True, eq=False)
class Submatrix:
    """Positions of models and benchmarks between which every score is known."""

    rows: Ints
    columns: Ints

    @property
    def n_cells(self) -> int:
        """Number of scores."""
        return self.rows.size * self.columns.size


def complete_submatrices(
    observed: NDArray[np.bool_],
    *,
    n: int = 5,
    min_models: int = 12,
    min_benchmarks: int = 6,
    max_overlap: float = 0.5,
) -> tuple[Submatrix, ...]:
    """Large complete submatrices, found greedily.

    From every benchmark in turn, the benchmark that keeps most models is added, again and again.
    Of all stops on these paths the one with most scores is taken, then the next that shares at
    most `max_overlap` of its scores with each one taken before.

    Parameters
    ----------
    observed : (M, B) bool array
    n : int
        At most so many.
    min_models, min_benchmarks : int
        Least size.
    max_overlap : float
        Share (0-1) of a submatrix's scores that an earlier one may hold.

    Returns
    -------
    tuple of Submatrix
        Largest first; empty if there is none of that size.
    """
    stops = [
        stop
        for start in range(observed.shape[1])
        for stop in _greedy_path(observed, start, min_models)
        if stop.columns.size >= min_benchmarks
    ]
    taken: list[Submatrix] = []
    for stop in sorted(stops, key=lambda s: -s.n_cells):
        if all(_shared_cells(stop, other) <= max_overlap * stop.n_cells for other in taken):
            taken.append(stop)
        if len(taken) == n:
            break
    return tuple(taken)


def _greedy_path(observed: NDArray[np.bool_], start: int, min_models: int) -> list[Submatrix]:
    rows = np.flatnonzero(observed[:, start])
    columns, stops = [start], []
    while rows.size >= min_models:
        stops.append(Submatrix(rows, np.sort(np.array(columns, dtype=np.int64))))
        counts = observed[rows].sum(axis=0)
        counts[columns] = 0
        best = int(np.argmax(counts))
        if len(columns) >= MOST_BENCHMARKS or counts[best] < min_models:
            break
        rows = rows[observed[rows, best]]
        columns.append(best)
    return stops


def _shared_cells(a: Submatrix, b: Submatrix) -> int:
    return np.intersect1d(a.rows, b.rows).size * np.intersect1d(a.columns, b.columns).size


@dataclass(frozen=True)
class Share:
    """Share (0-1) of a submatrix's variance that its leading components hold.

    Attributes
    ----------
    rank : int
        Number of components.
    share : float
    lower, upper : float
        90 % bootstrap interval over models, unless another probability was asked for.
    chance : float
        The share after shuffling every column on its own.
    """

    rank: int
    share: float
    lower: float
    upper: float
    chance: float


def cumulative_shares(values: NDArray[Any]) -> Floats:
    """Share of the variance that the leading components hold, for 1, 2, ... of them.

    ``sum_{r <= R} d_r^2 / sum_r d_r^2`` with d the singular values of the column-centred matrix.

    Parameters
    ----------
    values : (..., n, q) array
        Complete.

    Returns
    -------
    (..., min(n - 1, q)) array
        Increasing to 1; NaN for a matrix without variance.
    """
    centred = np.asarray(values, dtype=np.float64)
    centred = centred - centred.mean(axis=-2, keepdims=True)
    n, q = centred.shape[-2:]
    power = np.linalg.svd(centred, compute_uv=False)[..., : min(n - 1, q)] ** 2
    total = power.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(total > 0, np.cumsum(power, axis=-1) / total, np.nan))


def submatrix_shares(
    values: Floats,
    rng: np.random.Generator,
    *,
    resamples: int = 400,
    shuffles: int = 100,
    prob: float = 0.9,
) -> tuple[Share, ...]:
    """Cumulative share of variance by rank, with an interval and what chance alone would give.

    The interval is the basic bootstrap over models, ``2 share - quantiles``: resampled models
    repeat one another, which inflates leading shares, and the reflection takes that out to first
    order. Where it lies below the share itself (high ranks, few models), the share flatters. The
    chance level is the mean over matrices whose columns are shuffled on their own
    (parallel analysis, Horn 1965, doi:10.1007/BF02289447).

    Parameters
    ----------
    values : (n, q) array
        Complete, link scale.
    rng : numpy.random.Generator
    resamples, shuffles : int
        Of the bootstrap and for the chance level.
    prob : float
        Probability of the interval.

    Returns
    -------
    tuple of Share
        By rank from 1 on; at most 10.
    """
    shares = cumulative_shares(values)
    n = len(values)
    resampled = cumulative_shares(values[rng.integers(n, size=(resamples, n))])
    low, high = np.nanquantile(resampled, [(1 + prob) / 2, (1 - prob) / 2], axis=0)
    shuffled = rng.permuted(np.broadcast_to(values, (shuffles, *values.shape)), axis=1)
    chance = cumulative_shares(shuffled).mean(axis=0)
    return tuple(
        Share(
            rank=r + 1,
            share=float(shares[r]),
            lower=float(np.clip(2 * shares[r] - low[r], 0.0, 1.0)),
            upper=float(np.clip(2 * shares[r] - high[r], 0.0, 1.0)),
            chance=float(chance[r]),
        )
        for r in range(min(MOST_RANK, shares.size))
    )
