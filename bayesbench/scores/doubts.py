"""Columns of a matrix that contradict what is stated of them: another scale, another direction."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from .scales import LEAST_SCORES, LOW_MEDIAN

if TYPE_CHECKING:
    from .matrix import ScoreMatrix

__all__ = ["ColumnDoubt", "column_doubts"]

Floats = NDArray[np.float64]

ERROR_RATE = 0.05
"""Probability that any column of a table of unrelated columns is said to be reversed."""
LEAST_CORRELATION = -0.3
LEAST_MODELS = 6
RANK_VARIANCE = 1.06
"""Of the z-transformed rank correlation, times n - 3."""


@dataclass(frozen=True)
class ColumnDoubt:
    """A column that contradicts what is stated of it.

    Attributes
    ----------
    benchmark_id : str
    kind : {"shares", "direction"}
        Its scores look like shares of 1 although its scale is 0-100, or fall where the other
        columns rise.
    sentence : str
        The evidence with the remedy.
    """

    benchmark_id: str
    kind: Literal["shares", "direction"]
    sentence: str


def column_doubts(matrix: ScoreMatrix) -> tuple[ColumnDoubt, ...]:
    r"""Columns on another scale or in another direction than stated.

    *Shares*: every score lies in 0-1 although the scale is 0-100, at a median that no hard
    benchmark explains, while most other such columns have scores above 1.

    *Direction*: the rank correlation :math:`r` of the column (turned so that higher is better)
    with the mean of the other columns' standardised ranks is negative. Between unrelated columns
    :math:`\operatorname{artanh}(r)\sqrt{(n-3)/1.06}` is nearly standard normal (Fieller, Hartley
    and Pearson 1957, doi:10.1093/biomet/44.3-4.470); the column is named where its lower tail is
    below `ERROR_RATE` over the number of columns and :math:`r \le -0.3`.

    Parameters
    ----------
    matrix : ScoreMatrix

    Returns
    -------
    tuple of ColumnDoubt

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesbench.scores import ScoreMatrix
    >>> table = pd.DataFrame({f"b{j}": np.arange(20.0) + j for j in range(4)})
    >>> table["errors"] = 100 - table["b0"]
    >>> table.index = [f"m{i}" for i in range(20)]
    >>> matrix = ScoreMatrix.from_frame(table, scale="percent")
    >>> [doubt.benchmark_id for doubt in column_doubts(matrix)]
    ['errors']
    """
    return (*_shares(matrix), *_reversed(matrix))


def _shares(matrix: ScoreMatrix) -> list[ColumnDoubt]:
    upper = matrix.benchmarks["upper"].to_numpy(dtype=np.float64)
    lower = matrix.benchmarks["lower"].to_numpy(dtype=np.float64)
    hundred = (upper == 100) & (lower == 0)
    count = matrix.observed.sum(axis=0)
    highest = _by_column(matrix.values, np.max)
    low = hundred & (highest <= 1)
    if low.sum() >= (hundred & (highest > 1)).sum():
        return []
    found = []
    for j in np.flatnonzero(low & (count >= LEAST_SCORES)):
        seen = matrix.values[matrix.observed[:, j], j]
        if np.median(seen) >= LOW_MEDIAN:
            name = matrix.benchmark_ids[j]
            found.append(
                ColumnDoubt(
                    name,
                    "shares",
                    f"column {name}: its {len(seen)} scores lie in {seen.min():g} to "
                    f"{seen.max():g} on a scale of 0-100; if they are shares of 1, state the scale "
                    "unit (--benchmarks) or multiply by 100",
                )
            )
    return found


def _reversed(matrix: ScoreMatrix) -> list[ColumnDoubt]:
    sign = np.where(matrix.benchmarks["higher_is_better"].to_numpy(dtype=bool), 1.0, -1.0)
    scores = _standard_ranks(matrix.values * sign)
    known = np.isfinite(scores)
    total, count = np.nansum(scores, axis=1), known.sum(axis=1)
    found = []
    for j, name in enumerate(matrix.benchmark_ids):
        rows = known[:, j] & (count > 1)
        n = int(rows.sum())
        if n < LEAST_MODELS:
            continue
        others = (total[rows] - scores[rows, j]) / (count[rows] - 1)
        r = _correlation(_ranks(matrix.values[rows, j]) * sign[j], _ranks(others))
        size = math.atanh(np.clip(-r, -0.999, 0.999)) * math.sqrt((n - 3) / RANK_VARIANCE)
        tail = 0.5 * math.erfc(size / math.sqrt(2))
        if r <= LEAST_CORRELATION and tail * len(matrix.benchmark_ids) < ERROR_RATE:
            stated = "higher" if sign[j] > 0 else "lower"
            found.append(
                ColumnDoubt(
                    name,
                    "direction",
                    f"column {name}: falls where the other columns rise (rank correlation {r:.2f} "
                    f"over {n} models) although {stated} is stated to be better; if it is the "
                    "other way round, state higher_is_better (--benchmarks)",
                )
            )
    return found


def _by_column(values: Floats, of: Callable[[Floats], float]) -> Floats:
    seen = [column[np.isfinite(column)] for column in values.T]
    return np.array([of(column) if column.size else np.nan for column in seen])


def _standard_ranks(values: Floats) -> Floats:
    """Ranks within each column with mean 0 and standard deviation 1; NaN where it has no spread."""
    out = np.full(values.shape, np.nan)
    for j, column in enumerate(values.T):
        seen = np.isfinite(column)
        ranks = _ranks(column[seen])
        spread = ranks.std() if ranks.size else 0.0
        if spread > 0:
            out[seen, j] = (ranks - ranks.mean()) / spread
    return out


def _ranks(values: Floats) -> Floats:
    """Ranks from 1, ties at their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], dtype=np.float64)


def _correlation(first: Floats, second: Floats) -> float:
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
