"""Held-out error by the number of factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..evaluation import EvaluationProtocol, Folds, evaluate
from ..scores.matrix import ScoreMatrix

__all__ = ["rank_sweep"]

DEFAULT = Folds()


def rank_sweep(
    matrix: ScoreMatrix,
    ranks: Sequence[int] = (0, 1, 2, 3, 4, 6, 8),
    *,
    method: str = "low-rank",
    protocol: EvaluationProtocol = DEFAULT,
    options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> list[dict[str, Any]]:
    """Held-out figures by the number of factors.

    Parameters
    ----------
    matrix : ScoreMatrix
    ranks : sequence of int
    method : str
        Any method with an option ``rank``.
    protocol : Folds, NewRelease, Probes or Curve
        What is held out.
    options : mapping, optional
        Other options of the method.
    **settings
        Of `evaluate`: executor, jobs, work_dir, report.

    Returns
    -------
    list of dict
        ``rank`` and the figures of `evaluate` that are single numbers, over all held-out cells.
    """
    rows = []
    for rank in ranks:
        asked = {**(options or {}), "rank": int(rank)}
        figures = evaluate(matrix, protocol, method, options=asked, **settings)[method].figures
        single = {k: v for k, v in figures.items() if not isinstance(v, (dict, list))}
        rows.append({"rank": int(rank), **single})
    return rows
