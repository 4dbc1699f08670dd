"""Metrics of predictions on held-out cells: pure array functions, no state, no files.

Everything is on the score scale. Arrays are one entry per held-out cell and must be finite: a cell
that a method cannot predict is counted and left out by the caller, never dropped in here. An empty
selection gives NaN. Shares named ``within`` and relative errors are in %, coverages are in 0-1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import UsageError

__all__ = [
    "RankingCounts",
    "brier",
    "cdf_from_quantiles",
    "coverage",
    "crps_from_quantiles",
    "interval_from_quantiles",
    "medae",
    "medape",
    "median_width",
    "pit_from_quantiles",
    "probability_within",
    "ranking_counts",
    "ranking_counts_by_benchmark",
    "reliability_curve",
    "spearman",
    "strata",
    "top_share_medape",
    "winkler",
    "within",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_RANKING_BLOCK = 2_000_000  # pairs compared at once: bounds the memory on tall matrices


def _same_shape(**arrays: npt.ArrayLike) -> list[FloatArray]:
    """Finite float arrays of one shape, or a :class:`UsageError` that names the odd one."""
    out = {name: np.asarray(value, dtype=np.float64) for name, value in arrays.items()}
    first_name, first = next(iter(out.items()))
    for name, value in out.items():
        if value.shape != first.shape:
            raise UsageError(
                f"{name} has shape {value.shape} but {first_name} has {first.shape}; "
                "give one entry per held-out cell"
            )
        if not np.isfinite(value).all():
            raise UsageError(
                f"{name} holds {int((~np.isfinite(value)).sum())} non-finite values; "
                "leave out the cells that cannot be predicted"
            )
    return list(out.values())


def _median(values: FloatArray) -> float:
    return float(np.median(values)) if values.size else float("nan")


def _mean(values: FloatArray) -> float:
    return float(np.mean(values)) if values.size else float("nan")


def medae(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Median absolute error, in score points."""
    t, p = _same_shape(truth=truth, predicted=predicted)
    return _median(np.abs(p - t))


def medape(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Median of ``|error| / |score|`` over the cells whose score is not 0, in %."""
    t, p = _same_shape(truth=truth, predicted=predicted)
    nonzero = t != 0
    return 100.0 * _median(np.abs(p - t)[nonzero] / np.abs(t[nonzero]))


def within(truth: npt.ArrayLike, predicted: npt.ArrayLike, points: float) -> float:
    """Share of cells with an absolute error of at most `points`, in %."""
    t, p = _same_shape(truth=truth, predicted=predicted)
    return 100.0 * _mean((np.abs(p - t) <= points).astype(np.float64))


def coverage(truth: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike) -> float:
    """Share (0-1) of scores inside their interval, bounds included."""
    t, lo, hi = _same_shape(truth=truth, lower=lower, upper=upper)
    return _mean(((lo <= t) & (t <= hi)).astype(np.float64))


def median_width(lower: npt.ArrayLike, upper: npt.ArrayLike) -> float:
    """Median width of the intervals, in score points."""
    lo, hi = _same_shape(lower=lower, upper=upper)
    return _median(hi - lo)


def winkler(
    truth: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike, prob: float = 0.9
) -> float:
    """Mean interval (Winkler) score of central intervals; smaller is better.

    ``(u - l) + 2/alpha (l - y)_+ + 2/alpha (y - u)_+`` with ``alpha = 1 - prob``: the width plus a
    fine for each miss, proper for the pair of quantiles.

    References
    ----------
    Gneiting & Raftery (2007), doi:10.1198/016214506000001437, section 6.2.
    """
    t, lo, hi = _same_shape(truth=truth, lower=lower, upper=upper)
    if not 0 < prob < 1:
        raise UsageError(f"prob must lie in (0, 1), got {prob}")
    fine = np.maximum(lo - t, 0.0) + np.maximum(t - hi, 0.0)
    return _mean(hi - lo + 2.0 / (1.0 - prob) * fine)


def _grid(levels: npt.ArrayLike, quantiles: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    grid = np.asarray(levels, dtype=np.float64)
    values = np.asarray(quantiles, dtype=np.float64)
    if grid.ndim != 1 or grid.size < 2 or values.ndim != 2 or values.shape[1] != grid.size:
        raise UsageError(
            f"quantiles must have shape (cells, {grid.size}) for {grid.size} levels, "
            f"got {values.shape}"
        )
    if (np.diff(grid) <= 0).any() or grid[0] <= 0 or grid[-1] >= 1:
        raise UsageError("levels must increase strictly inside (0, 1)")
    if not np.isfinite(values).all():
        raise UsageError("quantiles must be finite; leave out the cells that cannot be predicted")
    if (np.diff(values, axis=1) < 0).any():
        raise UsageError("quantiles must not decrease along the levels")
    return grid, values


def interval_from_quantiles(
    levels: npt.ArrayLike, quantiles: npt.ArrayLike, prob: float = 0.9
) -> tuple[FloatArray, FloatArray]:
    """Equal-tailed interval ``(lower, upper)``, each ``(n,)``, linear between levels."""
    grid, values = _grid(levels, quantiles)
    if not 0 < prob < 1:
        raise UsageError(f"prob must lie in (0, 1), got {prob}")
    return _quantile_at(grid, values, (1 - prob) / 2), _quantile_at(grid, values, (1 + prob) / 2)


def _quantile_at(grid: FloatArray, values: FloatArray, level: float) -> FloatArray:
    right = int(np.clip(np.searchsorted(grid, level), 1, grid.size - 1))
    share = float(np.clip((level - grid[right - 1]) / (grid[right] - grid[right - 1]), 0.0, 1.0))
    out: FloatArray = (1 - share) * values[:, right - 1] + share * values[:, right]
    return out


def crps_from_quantiles(
    truth: npt.ArrayLike, levels: npt.ArrayLike, quantiles: npt.ArrayLike
) -> FloatArray:
    """Continuous ranked probability score per cell, in score points; smaller is better.

    ``CRPS = integral (F(x) - 1{x >= y})^2 dx``, integrated exactly for the distribution whose CDF
    runs linearly through the points ``(quantile, level)``, the mass below the first and above the
    last level sitting on the end points.

    Parameters
    ----------
    truth : (n,)
    levels : (L,) increasing in (0, 1)
    quantiles : (n, L) score scale, not decreasing

    References
    ----------
    Gneiting & Raftery (2007), doi:10.1198/016214506000001437, equation 20.
    """
    grid, values = _grid(levels, quantiles)
    (y,) = _same_shape(truth=truth)
    left, right = values[:, :-1], values[:, 1:]
    low, high = np.broadcast_to(grid[:-1], left.shape), np.broadcast_to(grid[1:], left.shape)
    width = right - left
    share = np.clip((y[:, None] - left) / np.where(width > 0, width, 1.0), 0.0, 1.0)
    cut = low + share * (high - low)
    below = share * width * (low**2 + low * cut + cut**2) / 3.0
    above = (1 - share) * width * ((1 - cut) ** 2 + (1 - cut) * (1 - high) + (1 - high) ** 2) / 3.0
    outside = np.maximum(values[:, 0] - y, 0.0) + np.maximum(y - values[:, -1], 0.0)
    total: FloatArray = (below + above).sum(axis=1) + outside
    return total


def cdf_from_quantiles(
    x: npt.ArrayLike, levels: npt.ArrayLike, quantiles: npt.ArrayLike
) -> FloatArray:
    """CDF of each cell's predictive distribution at `x` ``(n,)``, linear between quantiles.

    Beyond the grid it is half the outer level (and its mirror image); where several quantiles tie
    with `x` it is the middle of their levels.
    """
    grid, values = _grid(levels, quantiles)
    (at,) = _same_shape(x=x)
    padded = np.concatenate([[grid[0] / 2], grid, [(1 + grid[-1]) / 2]])
    n_below = (values < at[:, None]).sum(axis=1)
    n_upto = (values <= at[:, None]).sum(axis=1)
    rows = np.arange(at.size)
    last = grid.size - 1
    left = values[rows, np.clip(n_below - 1, 0, last)]
    right = values[rows, np.clip(n_below, 0, last)]
    inside = (n_below > 0) & (n_below <= last)
    gap = np.where(inside & (right > left), right - left, 1.0)
    share = np.where(inside, (at - left) / gap, 0.0)
    low, high = padded[n_below], padded[n_below + 1]
    between = np.where(inside, low + share * (high - low), padded[np.where(n_below > 0, -1, 0)])
    tied = 0.5 * (padded[n_below + 1] + padded[n_upto])
    out: FloatArray = np.where(n_upto > n_below, tied, between)
    return out


def pit_from_quantiles(
    truth: npt.ArrayLike, levels: npt.ArrayLike, quantiles: npt.ArrayLike
) -> FloatArray:
    """Probability integral transform ``F(y)`` per cell: uniform if the predictions are honest."""
    return cdf_from_quantiles(truth, levels, quantiles)


def probability_within(
    center: npt.ArrayLike, levels: npt.ArrayLike, quantiles: npt.ArrayLike, points: float
) -> FloatArray:
    """Predicted ``P(|score - center| <= points)`` per cell."""
    (mid,) = _same_shape(center=center)
    upper = cdf_from_quantiles(mid + points, levels, quantiles)
    return np.clip(upper - cdf_from_quantiles(mid - points, levels, quantiles), 0.0, 1.0)


def spearman(uncertainty: npt.ArrayLike, absolute_error: npt.ArrayLike) -> float:
    """Spearman rank correlation (ties share their mean rank); NaN if either is constant."""
    a, b = _same_shape(uncertainty=uncertainty, absolute_error=absolute_error)
    if a.size < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    ranks = [pd.Series(v).rank().to_numpy() for v in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def top_share_medape(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, uncertainty: npt.ArrayLike, share: float = 0.2
) -> float:
    """MedAPE (%) of the `share` of cells with the smallest predicted uncertainty."""
    t, p, u = _same_shape(truth=truth, predicted=predicted, uncertainty=uncertainty)
    if not 0 < share <= 1:
        raise UsageError(f"share must lie in (0, 1], got {share}")
    chosen = np.argsort(u, kind="stable")[: max(1, round(share * u.size))]
    return medape(t[chosen], p[chosen])


@dataclass(frozen=True)
class RankingCounts:
    """Pairs ordered rightly and pairs compared; counts of several folds add up."""

    correct: float
    total: float

    @property
    def accuracy(self) -> float:
        """Share (0-1) of the compared pairs in the right order; NaN without pairs."""
        return self.correct / self.total if self.total else float("nan")

    def __add__(self, other: RankingCounts) -> RankingCounts:
        return RankingCounts(self.correct + other.correct, self.total + other.total)


def ranking_counts(
    scores: npt.ArrayLike, predicted: npt.ArrayLike, held_out: npt.ArrayLike, margin: float = 0.0
) -> RankingCounts:
    """Pairs of models in the right order on a benchmark, at least one of the two held out.

    Parameters
    ----------
    scores : (M, B) true scores, NaN where missing
    predicted : (M, B) predictions, read at held-out cells; NaN there = not predictable, left out
    held_out : (M, B) bool; at the other cells the true score stands for the prediction
    margin : float
        Only pairs whose true scores differ, and by at least `margin` points, are compared.
        A predicted tie counts as wrong.
    """
    none = RankingCounts(0.0, 0.0)
    return sum(ranking_counts_by_benchmark(scores, predicted, held_out, margin), start=none)


def ranking_counts_by_benchmark(
    scores: npt.ArrayLike, predicted: npt.ArrayLike, held_out: npt.ArrayLike, margin: float = 0.0
) -> list[RankingCounts]:
    """What :func:`ranking_counts` adds up: the pairs of each benchmark, (B,)."""
    truth = np.asarray(scores, dtype=np.float64)
    hidden = np.asarray(held_out, dtype=np.bool_) & np.isfinite(truth)
    if margin < 0:
        raise UsageError(f"margin must be 0 or more, got {margin}")
    shown = np.where(hidden, np.asarray(predicted, dtype=np.float64), truth)
    counts = [RankingCounts(0.0, 0.0)] * truth.shape[1]
    for j in np.flatnonzero(hidden.any(axis=0)):
        rows = np.flatnonzero(np.isfinite(shown[:, j]))
        counts[j] = _column_pairs(truth[rows, j], shown[rows, j], hidden[rows, j], margin)
    return counts


def _column_pairs(
    truth: FloatArray, shown: FloatArray, hidden: BoolArray, margin: float
) -> RankingCounts:
    correct = total = 0.0
    chosen = np.flatnonzero(hidden)
    step = max(1, _RANKING_BLOCK // max(1, truth.size))
    for start in range(0, chosen.size, step):
        block = chosen[start : start + step]
        gap = truth[block, None] - truth[None, :]
        # a pair of two held-out cells is met twice, once from each side
        weight = np.where(hidden, 0.5, 1.0)[None, :] * ((gap != 0) & (np.abs(gap) >= margin))
        right = np.sign(gap) == np.sign(shown[block, None] - shown[None, :])
        correct += float((weight * right).sum())
        total += float(weight.sum())
    return RankingCounts(correct, total)


def brier(probability: npt.ArrayLike, outcome: npt.ArrayLike) -> float:
    """Mean squared difference of a predicted probability and the 0/1 outcome."""
    p, o = _same_shape(probability=probability, outcome=outcome)
    return _mean((p - o) ** 2)


def reliability_curve(
    probability: npt.ArrayLike, outcome: npt.ArrayLike, bins: int = 10
) -> list[dict[str, float]]:
    """Mean predicted probability against observed frequency in `bins` equal parts of 0-1.

    Empty bins are left out. Keys: ``lower``, ``upper``, ``predicted``, ``observed``, ``n``.
    """
    p, o = _same_shape(probability=probability, outcome=outcome)
    if bins < 1:
        raise UsageError(f"bins must be at least 1, got {bins}")
    place = np.clip((p * bins).astype(int), 0, bins - 1)
    rows = []
    for b in range(bins):
        chosen = place == b
        if chosen.any():
            rows.append(
                {
                    "lower": b / bins,
                    "upper": (b + 1) / bins,
                    "predicted": float(p[chosen].mean()),
                    "observed": float(o[chosen].mean()),
                    "n": float(chosen.sum()),
                }
            )
    return rows


def _parts(values: FloatArray, parts: int) -> npt.NDArray[np.int64]:
    """Part 0..parts-1 of each value by its quantile; equal values stay together."""
    edges = np.quantile(values, np.arange(1, parts) / parts) if values.size else np.empty(0)
    return np.searchsorted(edges, values, side="left").astype(np.int64)


def strata(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    lower: npt.ArrayLike | None,
    upper: npt.ArrayLike | None,
    *,
    level: npt.ArrayLike,
    n_model: npt.ArrayLike,
    n_benchmark: npt.ArrayLike,
    scale: Sequence[str] | npt.NDArray[Any],
) -> list[dict[str, Any]]:
    """Error and coverage by stratum.

    Strata: ``level`` = tenths (equal counts) of the predicted level, over the cells where `level`
    is finite; ``n_model`` / ``n_benchmark`` = thirds of the model's / the benchmark's number of
    training scores; ``scale`` = the benchmark's scale.

    Parameters
    ----------
    truth, predicted, lower, upper : (n,) score scale; intervals may be ``None``
    level : (n,) predicted level as a share of the benchmark's range, NaN where it has no bounds
    n_model, n_benchmark : (n,) numbers of training scores
    scale : (n,) text

    Returns
    -------
    list of dict
        ``stratum``, ``part`` (1-based, or the scale's name), ``lower``, ``upper`` (edges met),
        ``n``, ``medae``, ``coverage90``, ``width90`` (NaN without intervals).
    """
    t, p = _same_shape(truth=truth, predicted=predicted)
    bounds = None if lower is None or upper is None else _same_shape(lower=lower, upper=upper)
    rows: list[dict[str, Any]] = []

    def add(stratum: str, part: int | str, chosen: BoolArray, by: FloatArray | None) -> None:
        if not chosen.any():
            return
        rows.append(
            {
                "stratum": stratum,
                "part": part,
                "lower": None if by is None else float(by[chosen].min()),
                "upper": None if by is None else float(by[chosen].max()),
                "n": int(chosen.sum()),
                "medae": medae(t[chosen], p[chosen]),
                "coverage90": float("nan")
                if bounds is None
                else coverage(t[chosen], bounds[0][chosen], bounds[1][chosen]),
                "width90": float("nan")
                if bounds is None
                else median_width(bounds[0][chosen], bounds[1][chosen]),
            }
        )

    for stratum, given, parts in (
        ("level", level, 10),
        ("n_model", n_model, 3),
        ("n_benchmark", n_benchmark, 3),
    ):
        by = np.asarray(given, dtype=np.float64)
        known = np.isfinite(by)
        place = np.full(by.shape, -1, dtype=np.int64)
        place[known] = _parts(by[known], parts)
        for part in range(parts):
            add(stratum, part + 1, place == part, by)
    names = np.asarray(scale, dtype=object)
    for name in sorted(set(names.tolist())):
        add("scale", str(name), np.asarray(names == name, dtype=np.bool_), None)
    return rows
