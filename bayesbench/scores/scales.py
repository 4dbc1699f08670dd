"""Scales for benchmarks that state none: from what is known of them and what their scores are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .known import known_scales

__all__ = ["LOW_MEDIAN", "Proposal", "proposed_scales"]

LOW_MEDIAN = 0.1
"""Scores of at most 1 among percentages are shares if their median is at least this."""
LEAST_SCORES = 3


@dataclass(frozen=True, eq=False)
class Proposal:
    """Scales that are proposed, never in silence.

    Attributes
    ----------
    benchmarks : pandas.DataFrame
        benchmark_id, scale, lower, upper, higher_is_better.
    known : tuple of str
        Those whose scale or direction is that of a known benchmark.
    odd : tuple of str
        Those that stand on another scale than most of the table, 0-1 among percentages or the
        reverse, or on another than the known benchmark of that name.
    """

    benchmarks: pd.DataFrame
    known: tuple[str, ...]
    odd: tuple[str, ...]


def proposed_scales(readings: pd.DataFrame, percent: np.ndarray) -> Proposal:
    """A scale for every benchmark of a long table.

    In this order: percentages where a percent sign stands; the scale of the benchmark of that name
    if its scores lie in its bounds; by content, ``rating`` outside 0-100, ``percent`` where a
    score is above 1. Where all lie in 0-1 the table decides: shares (``unit``), unless other
    columns are percentages and the scores so low that a hard benchmark explains them.

    Parameters
    ----------
    readings : pandas.DataFrame
        benchmark_id, score.
    percent : numpy.ndarray of bool
        Where a percent sign stood.

    Examples
    --------
    >>> long = pd.DataFrame({"benchmark_id": ["a", "a", "b"], "score": [50.0, 60.0, 1280.0]})
    >>> proposed_scales(long, np.zeros(3, dtype=bool)).benchmarks["scale"].tolist()
    ['percent', 'rating']
    """
    names = [str(name) for name in readings["benchmark_id"].unique()]
    known = known_scales(names)
    scores = readings.groupby("benchmark_id")["score"]
    low, high, median = scores.min(), scores.max(), scores.median()
    signed = set(readings["benchmark_id"][percent])
    above = [n for n in names if n not in signed and low[n] >= 0 and 1 < high[n] <= 100]
    shares = [n for n in names if n not in signed and low[n] >= 0 and high[n] <= 1]
    percentages = len(signed) + len(above)
    rows, used, odd = [], list[str](), list[str]()
    for name in names:
        own = known.get(name)
        bounds = (np.nan, np.nan)
        if name in signed:
            scale = "percent"
        elif own is not None and own.scale not in _SHARES and own.holds(low[name], high[name]):
            scale, bounds = own.scale, (own.lower, own.upper)
        elif name in above:
            scale = "percent"
        elif name in shares:
            hard = percentages > 0 and (
                median[name] < LOW_MEDIAN or scores.count()[name] < LEAST_SCORES
            )
            scale = "percent" if hard else "unit"
            if hard or percentages:
                odd.append(name)
        else:
            scale = "rating"
        agrees = own is not None and (scale == own.scale or {scale, own.scale} <= _SHARES)
        if agrees:
            used.append(name)
        elif own is not None:
            odd.append(name)
        rows.append(
            {
                "benchmark_id": name,
                "scale": scale,
                "lower": bounds[0],
                "upper": bounds[1],
                "higher_is_better": own.higher_is_better if own is not None and agrees else True,
            }
        )
    if len(shares) > percentages:
        odd = [*(name for name in names if name in signed or name in above), *odd]
    return Proposal(pd.DataFrame(rows), tuple(used), tuple(dict.fromkeys(odd)))


_SHARES = {"percent", "unit"}
