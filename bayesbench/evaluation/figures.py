"""The figures of an evaluation, from its table of cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..answers.predictive import PREDICTIVE_LEVELS
from ..scores.matrix import ScoreMatrix
from ..scores.repeats import noise_floor
from . import metrics
from .cells import CellTable
from .metrics import RankingCounts
from .predictions import FloatArray
from .resampling import FIGURES, INTERVAL, intervals
from .tasks import FinishedFold

__all__ = ["by_k", "calibration", "counted", "headline", "scales", "sharpness", "short"]


def _columns(table: CellTable) -> dict[str, FloatArray]:
    names = ("truth", "median", "lower90", "upper90", "n_train_model", "n_train_benchmark")
    return {name: table.cells[name].to_numpy(dtype=np.float64) for name in names}


def _has_intervals(columns: Mapping[str, FloatArray]) -> bool:
    both = np.isfinite(columns["lower90"]) & np.isfinite(columns["upper90"])
    return bool(both.size) and bool(both.all())


def short(table: CellTable) -> dict[str, Any]:
    """n_cells, medae, medape, within5, coverage90, width90, not_predictable (share of cells)."""
    kept = table.select(table.predictable)
    c = _columns(kept)
    intervals = _has_intervals(c)
    return {
        "n_cells": len(kept.cells),
        "medae": metrics.medae(c["truth"], c["median"]),
        "medape": metrics.medape(c["truth"], c["median"]),
        "within5": metrics.within(c["truth"], c["median"], 5),
        "coverage90": metrics.coverage(c["truth"], c["lower90"], c["upper90"])
        if intervals
        else math.nan,
        "width90": metrics.median_width(c["lower90"], c["upper90"]) if intervals else math.nan,
        "not_predictable": 1 - len(kept.cells) / max(len(table.cells), 1),
    }


def _with_intervals(table: CellTable, clusters: str = "model_id") -> dict[str, Any]:
    """The figures of :func:`short`, each with its 95 % interval over models, or benchmarks."""
    return {**short(table), **intervals(table, by=clusters)}


def _scored(kept: CellTable) -> dict[str, float]:
    """Mean interval score and CRPS of predictable cells; NaN without intervals, or quantiles."""
    c = _columns(kept)
    out = {"winkler90": math.nan, "crps": math.nan}
    if _has_intervals(c):
        out["winkler90"] = metrics.winkler(c["truth"], c["lower90"], c["upper90"], 0.9)
    if kept.quantiles is not None and np.isfinite(kept.quantiles).all() and len(kept.cells):
        crps = metrics.crps_from_quantiles(c["truth"], PREDICTIVE_LEVELS, kept.quantiles)
        out["crps"] = float(crps.mean())
    return out


def scales(table: CellTable) -> dict[str, dict[str, float]]:
    """Figures of :func:`short`, interval score and CRPS by scale of the benchmark.

    A point of a rating is no percentage point: means of points are made for each scale apart.
    """
    scale = table.cells["scale"].to_numpy()
    out = {}
    for name in sorted(set(scale.tolist())):
        part = table.select(np.asarray(scale == name, dtype=np.bool_))
        out[str(name)] = {**short(part), **_scored(part.select(part.predictable))}
    return out


def counted(table: CellTable, n_revealed: int) -> dict[str, float]:
    """MedAE and MedAPE the published way: revealed cells count as predicted without error."""
    kept = table.select(table.predictable)
    c = _columns(kept)
    error = np.abs(c["median"] - c["truth"])
    nonzero = c["truth"] != 0
    zeros = np.zeros(n_revealed)
    relative = np.concatenate([error[nonzero] / np.abs(c["truth"][nonzero]), zeros])
    pooled = np.concatenate([error, zeros])
    return {
        "medae_counted": float(np.median(pooled)) if pooled.size else math.nan,
        "medape_counted": 100 * float(np.median(relative)) if relative.size else math.nan,
        "n_cells_counted": pooled.size,
    }


def _scales(matrix: ScoreMatrix, table: CellTable) -> np.ndarray[Any, np.dtype[np.object_]]:
    scale = matrix.benchmarks["scale"].astype(str).to_dict()
    return np.array([scale[b] for b in table.cells["benchmark_id"]], dtype=object)


def _levels(matrix: ScoreMatrix, table: CellTable) -> FloatArray:
    """Predicted level as a share of the benchmark's range, NaN without bounds."""
    columns = matrix.benchmarks.index.get_indexer(pd.Index(table.cells["benchmark_id"]))
    lower, upper = (
        matrix.benchmarks[name].to_numpy(dtype=np.float64, na_value=np.nan)[columns]
        for name in ("lower", "upper")
    )
    level: FloatArray = (table.cells["median"].to_numpy(dtype=np.float64) - lower) / (upper - lower)
    return level


def headline(
    matrix: ScoreMatrix, table: CellTable, ranking: Mapping[float, RankingCounts]
) -> dict[str, Any]:
    """Every figure of ``bayesbench evaluate``, over the predictable held-out cells, pooled.

    medape, within3, within5 and top20_medape are in %; coverage90, not_predictable and the ranking
    accuracies in 0-1; the rest in score points. The predicted uncertainty is the width of the
    central half of the predictive distribution (of the 90 % interval for a method that gives only
    that): as it is for spearman, whose error is in points, and relative to the predicted score for
    top20_medape, whose error is relative. Points, and what is made of them, mean different things
    on different scales: ``by_scale`` has percentages, shares and ratings apart, each with its
    ``noise_floor`` where cells of the matrix have several readings (see
    `bayesbench.scores.repeats.NoiseFloor`). Names that end in ``_interval95`` hold bootstrap 95 %
    intervals over models.
    """
    kept = table.select(table.predictable)
    c = _columns(kept)
    out: dict[str, Any] = {**_with_intervals(table), **_scored(kept)}
    out["within3"] = metrics.within(c["truth"], c["median"], 3)
    for name in ("spearman", "top20_medape"):
        out[name] = math.nan
    if _has_intervals(c):
        width = c["upper90"] - c["lower90"]
        error = np.abs(c["median"] - c["truth"])
        doubt = width
        if kept.quantiles is not None and np.isfinite(kept.quantiles).all():
            low, high = (int(np.argmin(np.abs(PREDICTIVE_LEVELS - p))) for p in (0.25, 0.75))
            doubt = kept.quantiles[:, high] - kept.quantiles[:, low]
        out["spearman"] = metrics.spearman(doubt, error)
        relative = doubt / np.maximum(np.abs(c["median"]), 1e-9)
        out["top20_medape"] = metrics.top_share_medape(c["truth"], c["median"], relative, 0.2)
    for margin, counts in ranking.items():
        out[f"ranking_margin{margin:g}"] = counts.accuracy
    scale = _scales(matrix, kept)
    floors = noise_floor(matrix)
    out["by_scale"] = {}
    for name in sorted(set(scale.tolist())):
        part = kept.select(scale == name)
        entry = {**_with_intervals(part), **_scored(part)}
        del entry["not_predictable"]
        if name in floors:
            entry["noise_floor"] = floors[name].to_json()
        out["by_scale"][name] = entry
    intervals = _has_intervals(c)
    out["strata"] = metrics.strata(
        c["truth"],
        c["median"],
        c["lower90"] if intervals else None,
        c["upper90"] if intervals else None,
        level=_levels(matrix, kept),
        n_model=c["n_train_model"],
        n_benchmark=c["n_train_benchmark"],
        scale=scale,
    )
    order = (
        "n_cells", "not_predictable", "medae", "medape", "within3", "within5", "coverage90",
        "width90", "winkler90", "crps", "spearman", "top20_medape", "ranking_margin0",
        "ranking_margin5", *(f"{name}{INTERVAL}" for name in FIGURES), "by_scale", "strata",
    )  # fmt: skip
    return {name: out[name] for name in order}


def by_k(
    folds: Sequence[FinishedFold], table: CellTable, *, clusters: str = "model_id"
) -> dict[str, Any]:
    """Figures per number of revealed scores (tag ``k``); hidden cells only, and as published.

    Intervals are over the ids of the column `clusters`.
    """
    out = {}
    for k in sorted(set(table.cells["k"])):
        part = table.select((table.cells["k"] == k).to_numpy())
        shown = sum(len(fold.task.revealed) for fold in folds if fold.task.tags["k"] == k)
        entry = {
            **_with_intervals(part, clusters),
            **counted(part, shown),
            "by_scale": scales(part),
        }
        if "family" in part.cells:
            per_family = [
                short(part.select((part.cells["family"] == family).to_numpy()))
                for family in sorted(set(part.cells["family"]))
            ]
            for name in ("medae", "medape"):
                values = np.array([row[name] for row in per_family])
                known = values[np.isfinite(values)]
                entry[f"{name}_family_median"] = np.median(known) if known.size else np.nan
        out[str(k)] = entry
    return out


def calibration(table: CellTable, points: float = 10.0, bins: int = 20) -> dict[str, Any]:
    """PIT histogram, coverage at several levels, and how far ``P(|error| <= points)`` is right.

    Returns
    -------
    dict
        ``pit`` (counts in `bins` equal parts), ``coverage`` (nominal to observed share),
        ``within`` with ``points``, ``brier``, ``base_rate``, ``reliability``. Empty for a method
        without quantiles.
    """
    kept = table.select(table.predictable)
    if kept.quantiles is None or not np.isfinite(kept.quantiles).all() or not len(kept.cells):
        return {}
    c = _columns(kept)
    pit = metrics.pit_from_quantiles(c["truth"], PREDICTIVE_LEVELS, kept.quantiles)
    nominal = {}
    for prob in (0.5, 0.8, 0.9, 0.95, 0.98):
        lower, upper = metrics.interval_from_quantiles(PREDICTIVE_LEVELS, kept.quantiles, prob)
        nominal[f"{prob:g}"] = metrics.coverage(c["truth"], lower, upper)
    probability = metrics.probability_within(c["median"], PREDICTIVE_LEVELS, kept.quantiles, points)
    hit = (np.abs(c["truth"] - c["median"]) <= points).astype(np.float64)
    return {
        "pit": np.histogram(pit, bins=bins, range=(0, 1))[0].tolist(),
        "coverage": nominal,
        "within": {
            "points": points,
            "brier": metrics.brier(probability, hit),
            "base_rate": float(hit.mean()),
            "reliability": metrics.reliability_curve(probability, hit),
        },
    }


def sharpness(table: CellTable) -> list[dict[str, Any]]:
    """Error, coverage and median width per benchmark, the widest first."""
    rows = [
        {"benchmark_id": str(benchmark), **short(table.select(chosen))}
        for benchmark in table.cells["benchmark_id"].unique()
        for chosen in [(table.cells["benchmark_id"] == benchmark).to_numpy()]
    ]
    return sorted(rows, key=lambda row: -np.nan_to_num(row["width90"], nan=-1.0))
