"""Ranking as published: pairs in the right order and top models recovered, per benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..scores.matrix import ScoreMatrix
from .cells import CellTable, visible_scores
from .metrics import RankingCounts, ranking_counts_by_benchmark
from .predictions import FloatArray
from .tasks import FinishedFold

__all__ = ["MARGINS", "TOP", "published_ranking", "top_recovered"]

MARGINS = (0.0, 1.0, 2.0, 5.0)
"""Least gaps of the true scores of a pair."""
TOP = (10, 20, 30)
"""Parts of the best models, in %."""


def published_ranking(
    matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
) -> dict[str, Any]:
    """Ranking per benchmark over the folds, then the median over benchmarks, in 0-1.

    A fold shows true scores and predicts the others. Pairs are those of models with a score on the
    benchmark, at least one of the two held out (``scored``), or both (``held_out``); pairs of all
    folds are pooled within a benchmark. The top tenth, fifth and 30 % of the models (rounded up)
    by what a fold shows and predicts are compared with the true ones, over all models or the
    held-out ones alone, and averaged over folds.

    Parameters
    ----------
    matrix : ScoreMatrix
    folds : sequence of FinishedFold
    table : CellTable
        Of these folds.

    Returns
    -------
    dict
        ``pairs``, by margin, and ``top``, by percentage; each has ``scored`` and ``held_out``.

    References
    ----------
    Zeng & Papailiopoulos (2026), arXiv:2606.24020, the section on rankings.
    """
    kinds = ("scored", "held_out")
    n = matrix.shape[1]
    pairs = {(margin, kind): [RankingCounts(0.0, 0.0)] * n for margin in MARGINS for kind in kinds}
    recovered: dict[tuple[int, str], list[list[float]]] = {
        (part, kind): [[] for _ in range(n)] for part in TOP for kind in kinds
    }
    upwards = matrix.benchmarks["higher_is_better"].to_numpy(dtype=np.bool_, na_value=True)
    for scores, predicted, held_out in visible_scores(matrix, folds, table):
        seen = {"scored": scores, "held_out": np.where(held_out, scores, np.nan)}
        shown = np.where(held_out, predicted, scores)
        for kind, truth in seen.items():
            for margin in MARGINS:
                added = ranking_counts_by_benchmark(truth, predicted, held_out, margin)
                before = pairs[margin, kind]
                pairs[margin, kind] = [a + b for a, b in zip(before, added, strict=True)]
            for j in np.flatnonzero(held_out.any(axis=0)):
                known = np.isfinite(truth[:, j]) & np.isfinite(shown[:, j])
                sign = 1.0 if upwards[j] else -1.0
                if known.sum() > 1:
                    for part in TOP:
                        share = top_recovered(sign * truth[known, j], sign * shown[known, j], part)
                        recovered[part, kind][j].append(share)
    return {
        "pairs": {
            f"{margin:g}": {
                kind: _median([c.accuracy for c in pairs[margin, kind] if c.total])
                for kind in kinds
            }
            for margin in MARGINS
        },
        "top": {
            str(part): {
                kind: _median([float(np.mean(v)) for v in recovered[part, kind] if v])
                for kind in kinds
            }
            for part in TOP
        },
    }


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else float("nan")


def top_recovered(truth: FloatArray, shown: FloatArray, percent: int) -> float:
    """Share of the best `percent` % by `truth` (rounded up) that are among the best by `shown`.

    Of equal values the earlier ones are taken.

    Examples
    --------
    >>> import numpy as np
    >>> top_recovered(np.array([9.0, 8, 3, 2, 1]), np.array([9.0, 1, 8, 2, 3]), 40)
    0.5
    """
    size = -(-percent * truth.size // 100)
    best = np.argsort(-truth, kind="stable")[:size]
    found = np.argsort(-shown, kind="stable")[:size]
    return float(np.isin(best, found).mean())
