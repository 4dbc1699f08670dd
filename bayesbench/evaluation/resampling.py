"""How sure a figure is: bootstrap over models, of one method and of two on the same cells.

The scores of a model are not independent of each other, so models are drawn, with all their cells.
Every figure is the plain one of :mod:`~bayesbench.evaluation.metrics` over the drawn cells; none is
approximated, but cells are weighted by how often their model was drawn instead of being copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .cells import CellTable
from .predictions import BoolArray, FloatArray, IntArray

__all__ = ["FIGURES", "INTERVAL", "RESAMPLES", "drawn", "intervals", "paired", "weighted_medians"]

FIGURES = ("medae", "medape", "within5", "coverage90", "width90")
"""What gets intervals and differences."""
INTERVAL = "_interval95"
"""What the name of a figure's interval ends in."""
RESAMPLES = 1000
SEED = 2024
"""Of the draws: the same for every method, so that equal cells are drawn alike."""
_BLOCK = 4_000_000  # weights held at once

Figures = Mapping[str, float]
Resampled = dict[str, FloatArray]


def drawn(n_models: int, resamples: int, seed: int) -> IntArray:
    """(resamples, models): how often each model is drawn."""
    shares = np.full(n_models, 1 / n_models)
    out: IntArray = np.random.default_rng(seed).multinomial(n_models, shares, size=resamples)
    return out


def weighted_medians(values: FloatArray, weights: IntArray, group: IntArray) -> FloatArray:
    """Median of `values` with every value copied as often as its group was drawn.

    Parameters
    ----------
    values : (n,)
    weights : (R, G) whole numbers from 0 on
    group : (n,) position of each value's group

    Returns
    -------
    (R,) array
        What ``numpy.median`` gives of the copies; NaN where there is none.
    """
    out = np.full(len(weights), np.nan)
    if not values.size:
        return out
    order = np.argsort(values, kind="stable")
    ordered, place = values[order], group[order]
    step = max(1, _BLOCK // values.size)
    for start in range(0, len(weights), step):
        counts = np.cumsum(weights[start : start + step].take(place, axis=1), axis=1)
        for row, count in enumerate(counts):
            total = int(count[-1])
            if total:
                middle = np.searchsorted(count, [(total - 1) // 2, total // 2], side="right")
                out[start + row] = 0.5 * (ordered[middle[0]] + ordered[middle[1]])
    return out


def _shares(hit: BoolArray, weights: IntArray, group: IntArray) -> FloatArray:
    """Share of hits among the copies, (R,)."""
    n_groups = weights.shape[1]
    hits = weights @ np.bincount(group, weights=hit, minlength=n_groups)
    total = weights @ np.bincount(group, minlength=n_groups)
    out: FloatArray = np.where(total > 0, hits / np.maximum(total, 1), np.nan)
    return out


def _figures(cells: pd.DataFrame, weights: IntArray, group: IntArray) -> Resampled:
    """Every figure of `FIGURES` per row of weights; those of intervals only with intervals."""
    truth, median, lower, upper = (
        cells[name].to_numpy(dtype=np.float64) for name in ("truth", "median", "lower90", "upper90")
    )
    error = np.abs(median - truth)
    nonzero = truth != 0
    relative = error[nonzero] / np.abs(truth[nonzero])
    out = {
        "medae": weighted_medians(error, weights, group),
        "medape": 100 * weighted_medians(relative, weights, group[nonzero]),
        "within5": 100 * _shares(error <= 5, weights, group),
    }
    if len(cells) and (np.isfinite(lower) & np.isfinite(upper)).all():
        out["coverage90"] = _shares((lower <= truth) & (truth <= upper), weights, group)
        out["width90"] = weighted_medians(upper - lower, weights, group)
    return out


def _interval(values: FloatArray) -> list[float]:
    known = values[np.isfinite(values)]
    if not known.size:
        return [float("nan"), float("nan")]
    return [float(q) for q in np.quantile(known, (0.025, 0.975))]


def intervals(
    table: CellTable, *, by: str = "model_id", seed: int = SEED, resamples: int = RESAMPLES
) -> dict[str, list[float]]:
    """95 % intervals of the figures of `FIGURES` over the predictable cells.

    Parameters
    ----------
    table : CellTable
    by : str
        Column that says what is drawn: models, or families of them.
    seed : int
        Of the draws.
    resamples : int

    Returns
    -------
    dict
        ``medae_interval95``: [lower, upper], and so on; NaN for a figure that the method does not
        have, and with fewer than two models (or families).
    """
    cells = table.cells[table.predictable]
    group, ids = pd.factorize(cells[by])
    found: Resampled = {}
    if len(ids) > 1:
        found = _figures(cells, drawn(len(ids), resamples, seed), group.astype(np.int64))
    none = np.empty(0)
    return {f"{name}{INTERVAL}": _interval(found.get(name, none)) for name in FIGURES}


def paired(
    one: CellTable, other: CellTable, *, seed: int = SEED, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Differences of the figures of two methods over the cells that both predict, model by model.

    Parameters
    ----------
    one, other : CellTable
        Of the same tasks.
    seed : int
        Of the draws of models.
    resamples : int

    Returns
    -------
    dict
        By figure (those that both have) ``difference``, that of `one` minus that of `other`, and
        its ``interval95``; empty if they share no cells of two models.
    """
    first, second = _shared(one, other)
    group, ids = pd.factorize(first["model_id"])
    if len(ids) < 2:
        return {}
    place = group.astype(np.int64)
    # the first row draws every model once: the figures themselves
    whole = np.ones((1, len(ids)), dtype=np.int64)
    weights = np.concatenate([whole, drawn(len(ids), resamples, seed)])
    mine, theirs = (_figures(cells, weights, place) for cells in (first, second))
    return {
        name: {
            "difference": float(mine[name][0] - theirs[name][0]),
            "interval95": _interval(mine[name][1:] - theirs[name][1:]),
        }
        for name in FIGURES
        if name in mine and name in theirs
    }


_PREDICTED = ("truth", "median", "lower90", "upper90", "n_train_model", "n_train_benchmark")


def _shared(one: CellTable, other: CellTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells that both predict, in one order."""
    kept = [table.cells[table.predictable] for table in (one, other)]
    keys = [name for name in kept[0] if name in kept[1] and name not in (*_PREDICTED, "n_task")]
    index = [pd.MultiIndex.from_frame(cells[keys]) for cells in kept]
    at = index[1].get_indexer(index[0])
    return kept[0][at >= 0], kept[1].iloc[at[at >= 0]]
