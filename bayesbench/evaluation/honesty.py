"""How honest predictions are: coverage, tails, width and certainty, with clustered intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..answers.predictive import PREDICTIVE_LEVELS
from . import metrics
from .cells import CellTable
from .clusters import mean_interval, median_interval, share_interval
from .predictions import BoolArray, FloatArray
from .resampling import INTERVAL
from .tasks import FinishedFold

__all__ = ["RAW", "RAW_LEVELS", "Judged", "honesty", "tables", "tails"]

RAW = "raw"
"""Name under which a method keeps the quantiles before its recalibration in ``extras``."""
RAW_LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
PROBS = (0.5, 0.8, 0.9)
WITHIN = 10.0
"""Score points of `p_within_10`."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Cells that have a prediction, with what is needed to judge them.

    Attributes
    ----------
    table : CellTable
        With a column ``cluster`` beside its own.
    raw : (n, 7) array, optional
        Quantiles before recalibration, at `RAW_LEVELS`.
    not_predictable : (n,) bool
        Cells without a prediction, which only count.
    """

    table: CellTable
    raw: FloatArray | None
    not_predictable: BoolArray

    @classmethod
    def of(cls, folds: Sequence[FinishedFold], table: CellTable, cluster: str) -> Judged:
        """The cells of finished folds; `cluster` is the column that says what belongs together."""
        cells = table.cells.assign(cluster=table.cells[cluster])
        parts = [fold.predictions.extras.get(RAW) for fold in folds]
        raw = None
        if parts and all(part is not None for part in parts):
            raw = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])
        return cls(CellTable(cells, table.quantiles), raw, ~table.predictable)

    def select(self, rows: BoolArray) -> Judged:
        """Some of the cells."""
        raw = None if self.raw is None else self.raw[rows]
        return Judged(self.table.select(rows), raw, self.not_predictable[rows])


def honesty(judged: Judged) -> dict[str, Any]:
    """Figures of some cells of one scale.

    Returns
    -------
    dict
        ``n_cells``, ``n_clusters``, ``not_predictable``; ``medae``, ``medape``; ``coverage50``,
        ``coverage80``, ``coverage90``; the tails apart: ``below90`` and ``above90`` (shares of
        truths outside the 90 % interval on either side), ``above_median``; ``width90`` (median),
        ``winkler90``, ``crps``; ``shift`` and ``spread``, mean and root mean square of the normal
        scores of the PIT (0 and 1 for honest predictions, a spread above 1 where intervals are too
        narrow); ``coverage90_raw``, ``width90_raw``, ``winkler90_raw`` before recalibration;
        ``medae_interval95`` and so on, 95 % intervals, clustered; ``pit``, a histogram in 20 parts;
        ``within10`` with ``brier`` and the ``reliability`` of `p_within_10` by tenth.
        NaN or absent for what a method does not give.
    """
    kept = judged.select(~judged.not_predictable)
    cells = kept.table.cells
    truth, median, lower, upper = (
        cells[name].to_numpy(dtype=np.float64) for name in ("truth", "median", "lower90", "upper90")
    )
    cluster = cells["cluster"].to_numpy()
    out: dict[str, Any] = {
        "n_cells": len(cells),
        "n_clusters": int(pd.unique(cluster).size),
        "not_predictable": float(judged.not_predictable.mean()) if len(judged.table.cells) else 0.0,
        "medae": metrics.medae(truth, median),
        "medape": metrics.medape(truth, median),
    }
    ranges: dict[str, tuple[float, float]] = {
        "medae": median_interval(np.abs(truth - median), cluster)
    }

    def share(name: str, hits: BoolArray) -> None:
        out[name] = float(hits.mean()) if hits.size else math.nan
        ranges[name] = share_interval(hits, cluster)

    def mean(name: str, values: FloatArray) -> None:
        out[name] = float(values.mean()) if values.size else math.nan
        ranges[name] = mean_interval(values, cluster)

    quantiles = kept.table.quantiles
    full = quantiles is not None and bool(np.isfinite(quantiles).all())
    if full and quantiles is not None:
        for prob in PROBS[:-1]:
            low, high = metrics.interval_from_quantiles(PREDICTIVE_LEVELS, quantiles, prob)
            share(f"coverage{100 * prob:.0f}", (low <= truth) & (truth <= high))
    if np.isfinite(lower).all() and np.isfinite(upper).all():
        share("coverage90", (lower <= truth) & (truth <= upper))
        share("below90", truth < lower)
        share("above90", truth > upper)
        share("above_median", truth > median)
        out["width90"] = metrics.median_width(lower, upper)
        mean("winkler90", _winkler(truth, lower, upper))
    if kept.raw is not None:
        low, high = kept.raw[:, 0], kept.raw[:, -1]
        share("coverage90_raw", (low <= truth) & (truth <= high))
        out["width90_raw"] = metrics.median_width(low, high)
        mean("winkler90_raw", _winkler(truth, low, high))
    if full and quantiles is not None:
        mean("crps", metrics.crps_from_quantiles(truth, PREDICTIVE_LEVELS, quantiles))
        pit = metrics.pit_from_quantiles(truth, PREDICTIVE_LEVELS, quantiles)
        normal = np.asarray(ndtri(pit), dtype=np.float64)
        mean("shift", normal)
        mean("spread", normal**2)
        out["spread"] = math.sqrt(out["spread"])
        ranges["spread"] = _roots(ranges["spread"])
        out["pit"] = np.histogram(pit, bins=20, range=(0, 1))[0].tolist()
        out["within10"] = _within(truth, median, quantiles, cluster)
    return {**out, **{f"{name}{INTERVAL}": list(ends) for name, ends in ranges.items()}}


SCALE_FREE = (
    "n_clusters", "coverage50", "coverage80", "below90", "above90", "above_median", "shift",
    "spread", "pit",
)  # fmt: skip
"""Figures of `honesty` that have no points in them."""


def tails(judged: Judged) -> dict[str, Any]:
    """Figures of `honesty` that may be pooled over scales: shares, both tails, and the PIT.

    ``n_clusters``, ``coverage50``, ``coverage80``, ``below90``, ``above90``, ``above_median``,
    ``shift``, ``spread`` and ``pit``, with their clustered intervals; those a method gives.
    """
    found = honesty(judged)
    kept = [*SCALE_FREE, *(f"{name}{INTERVAL}" for name in SCALE_FREE)]
    return {name: found[name] for name in kept if name in found}


def _roots(ends: tuple[float, float]) -> tuple[float, float]:
    return math.sqrt(max(ends[0], 0.0)), math.sqrt(ends[1])


def _winkler(truth: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Interval score of every cell at 90 %; see `metrics.winkler`."""
    fine = np.maximum(lower - truth, 0.0) + np.maximum(truth - upper, 0.0)
    return np.asarray(upper - lower + 20.0 * fine)


def _within(
    truth: FloatArray, median: FloatArray, quantiles: FloatArray, cluster: np.ndarray[Any, Any]
) -> dict[str, Any]:
    predicted = metrics.probability_within(median, PREDICTIVE_LEVELS, quantiles, WITHIN)
    hit = (np.abs(truth - median) <= WITHIN).astype(np.float64)
    rows = metrics.reliability_curve(predicted, hit)
    place = np.clip((predicted * 10).astype(int), 0, 9)
    return {
        "brier": metrics.brier(predicted, hit),
        "reliability": [
            {**row, f"observed{INTERVAL}": list(share_interval(hit[chosen], cluster[chosen]))}
            for row in rows
            for chosen in [place == round(10 * row["lower"])]
        ],
    }


def tables(judged: Judged, *columns: str) -> dict[str, Any]:
    """`honesty` by scale and then by the values of some columns, nested in this order.

    Values keep the order in which they come, numbers are sorted; keys are text.
    """
    return _nested(judged, ("scale", *columns))


def _nested(judged: Judged, columns: Sequence[str]) -> dict[str, Any]:
    if not columns:
        return honesty(judged)
    column = judged.table.cells[columns[0]]
    values: Sequence[Any] = list(pd.unique(column))
    if columns[0] in ("scale", "k"):
        values = sorted(values)
    parts: Mapping[Any, Judged] = {
        value: judged.select((column == value).to_numpy()) for value in values
    }
    return {str(value): _nested(part, columns[1:]) for value, part in parts.items()}
