"""All readings of a cell: their reporting noise, and what they say of the cell together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .link import Transform
from .own_error import own_error_variance
from .spec import ModelSpec

if TYPE_CHECKING:
    from ..scores.matrix import ScoreMatrix

__all__ = ["CellReadings", "cell_readings", "pooled_variance", "reporting_variance"]

Floats = NDArray[np.float64]

CUT = 1.345
"""A difference of two readings counts up to this many standard deviations (Huber 1964, 1981)."""
PRIOR_PAIRS = 5.0
"""Pairs of readings that the pooled variance counts for in a benchmark's own, and that a variance
of 0 counts for in the pooled one."""
DIGITS = 9
"""Scores are decimal numbers: what a later digit says is rounding of the machine."""


@dataclass(frozen=True, eq=False)
class CellReadings:
    """What the readings of every cell say together, latent scale; row by row.

    Attributes
    ----------
    row, col : (n,) int array
        Model and benchmark of each cell.
    z : (n,) array
        Mean of its readings, those of a smaller error weighing more.
    error : (n,) array
        Known variance of that mean's error.
    beyond : (n,) int8 array
        +1 where only "this or higher" is known, -1 "this or lower", else 0.
    """

    row: NDArray[np.intp]
    col: NDArray[np.intp]
    z: Floats
    error: Floats
    beyond: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class _Readings:
    """Readings, sorted by cell and number: of readings of equal score one."""

    row: NDArray[np.intp]
    col: NDArray[np.intp]
    score: Floats
    stderr: Floats
    n_items: Floats

    @classmethod
    def of(cls, matrix: ScoreMatrix, which: str) -> _Readings:
        table = matrix.readings
        number = table["reading"].to_numpy(dtype=np.int64)
        row = np.asarray(matrix.models.index.get_indexer(pd.Index(table["model_id"])))
        col = np.asarray(matrix.benchmarks.index.get_indexer(pd.Index(table["benchmark_id"])))
        score = table["score"].to_numpy(dtype=np.float64)
        order = np.lexsort((number, col, row))
        if which == "first":
            order = order[number[order] == 1]
        else:
            same = np.stack([row, col, np.round(score, DIGITS)], axis=1)[order]
            order = order[np.sort(np.unique(same, axis=0, return_index=True)[1])]
        row, col = row[order], col[order]

        def column(name: str) -> Floats:
            if name not in table:
                return np.full(order.size, np.nan)
            return table[name].to_numpy(dtype=np.float64)[order]

        items = column("n_items")
        usual = matrix.benchmarks["n_items"].to_numpy(dtype=np.float64)[col]
        items = np.where(np.isnan(items), usual, items)
        return cls(row, col, score[order], column("stderr"), items)


def reporting_variance(matrix: ScoreMatrix, transform: Transform) -> Floats:
    """Variance of the reporting noise of every benchmark, latent scale, (B,).

    Reading r of model i on benchmark j is ``z_ijr = eta_ij + u_ij + e_ijr``: the interaction u
    stays, the reporting noise ``e ~ Normal(0, tau_j^2)`` is new in every reading. From the
    differences d of the readings of one cell, tau^2 solves (`pooled_variance`)

        sum_pairs w min(d^2 / (2 tau^2), c^2) / E min(x^2, c^2) + k tau_0^2 / tau^2 = sum w + k

    with w = 2 / R for a cell of R readings, so that it counts for R - 1 pairs. Large differences,
    which are often of other settings, count up to c. A benchmark's own is shrunken to that of all.
    Readings that agree exactly are mostly copies, so of readings of equal score one counts;
    readings at an end of the scale are left out. Fewer than four pairs of readings
    say too little: all is 0.

    Parameters
    ----------
    matrix : ScoreMatrix
    transform : Transform

    Notes
    -----
    Proposal 2 of P. J. Huber, Robust estimation of a location parameter, 1964,
    doi:10.1214/aoms/1177703732.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesbench import ScoreMatrix
    >>> scores = [0.0, 2.0, 1.0, 3.0, 2.0, 4.0, 3.0, 5.0, 4.0, 6.0]
    >>> ids = [name for name in "abcde" for _ in range(2)]
    >>> table = pd.DataFrame({"model_id": ids, "benchmark_id": "elo", "score": scores})
    >>> matrix = ScoreMatrix.from_frame(table.assign(reading=[1, 2] * 5), scale="rating")
    >>> bool(reporting_variance(matrix, Transform.from_matrix(matrix))[0] > 0)
    True
    """
    readings = _Readings.of(matrix, "all")
    z = transform.to_latent(readings.score, readings.col)
    inside = transform.beyond(readings.score, readings.col) == 0
    cell = readings.row * matrix.shape[1] + readings.col
    benchmark, squares, weights = [], [], []
    for own in np.split(np.arange(cell.size), np.flatnonzero(np.diff(cell)) + 1):
        kept = own[inside[own]]
        first, second = np.triu_indices(kept.size, 1)
        benchmark.append(readings.col[kept[first]])
        squares.append((z[kept[first]] - z[kept[second]]) ** 2 / 2.0)
        weights.append(np.full(first.size, 2.0 / max(kept.size, 1)))
    if not benchmark:
        return np.zeros(matrix.shape[1])
    column, square, weight = (np.concatenate(part) for part in (benchmark, squares, weights))
    level = pooled_variance(square, weight, 0.0)
    return np.array(
        [
            pooled_variance(square[column == j], weight[column == j], level)
            for j in range(matrix.shape[1])
        ]
    )


def pooled_variance(squares: Floats, weights: Floats, prior: float) -> float:
    """Robust variance of normal numbers from their squares, shrunken to a prior.

    The root t of ``sum_n w_n min(s_n / t, c^2) / m + k prior / t = sum_n w_n + k``, with
    ``m = E min(x^2, c^2)`` of a standard normal x and c and k of this module: at the normal it is
    consistent. Where no square exceeds ``c^2 t`` it is ``(w.s / m + k prior) / (sum w + k)``.

    Parameters
    ----------
    squares, weights : (n,) array
    prior : float
        Variance that counts for `PRIOR_PAIRS` numbers.

    Examples
    --------
    >>> pooled_variance(np.array([]), np.array([]), 0.3)
    0.3
    """
    wanted = float(weights.sum()) + PRIOR_PAIRS
    order = np.argsort(squares)
    square, weight = squares[order], weights[order]
    below = np.concatenate([[0.0], np.cumsum(weight * square)]) / _MEAN
    above = (weight.sum() - np.concatenate([[0.0], np.cumsum(weight)])) * CUT**2 / _MEAN
    # the first h squares count in full, the others up to the cut
    roots = (below + PRIOR_PAIRS * prior) / np.maximum(wanted - above, 1e-300)
    edges = np.concatenate([square / CUT**2, [np.inf]])
    fits = (wanted > above) & (roots <= edges)
    return float(roots[np.flatnonzero(fits)[0]])


def _mean_of_cut_square() -> float:
    inside = math.erf(CUT / math.sqrt(2.0))
    density = math.exp(-(CUT**2) / 2.0) / math.sqrt(2.0 * math.pi)
    return inside - 2.0 * CUT * density + CUT**2 * (1.0 - inside)


_MEAN = _mean_of_cut_square()


def cell_readings(
    matrix: ScoreMatrix, transform: Transform, spec: ModelSpec, reporting: Floats
) -> CellReadings:
    """What enters a fit of every cell: all its readings, or its first (`ModelSpec.readings`).

    With ``v_r = tau_j^2 + (variance of the reading's own error)`` a cell's readings are worth one
    of ``z = sum_r (z_r / v_r) / sum_r (1 / v_r)`` with the error ``1 / sum_r (1 / v_r)``: for the
    interaction and all that lies behind it nothing is lost, all being normal given tau. Readings of
    equal score are one. The variance of a reading's own error is that of its standard error;
    without one, ``spec.item_noise`` times the binomial variance of its items.

    A cell says "this or beyond" where all its readings do, on the same side; where only some do,
    they enter at face value, which is within half an item of the least that they say.

    Parameters
    ----------
    matrix : ScoreMatrix
    transform : Transform
    spec : ModelSpec
    reporting : (B,) array
        Variance of the reporting noise, see `reporting_variance`.
    """
    readings = _Readings.of(matrix, spec.readings)
    col = readings.col
    z = transform.to_latent(readings.score, col)
    own = own_error_variance(
        transform, spec, readings.score, readings.stderr, readings.n_items, col
    )
    variance = reporting[col] + own
    beyond = transform.beyond(readings.score, col)
    cell = readings.row * matrix.shape[1] + col
    start = np.concatenate([[0], np.flatnonzero(np.diff(cell)) + 1]) if cell.size else cell
    count = np.diff(np.append(start, cell.size))
    least = np.repeat(np.minimum.reduceat(variance, start), count) if cell.size else variance
    exact = least == 0
    # a reading without any error is all that counts
    with np.errstate(divide="ignore"):
        weight = np.where(exact, (variance == 0).astype(np.float64), 1.0 / variance)
    total = np.add.reduceat(weight, start) if cell.size else weight
    mean = np.add.reduceat(weight * z, start) / total if cell.size else z
    alone = count == 1
    ends = beyond[start]
    if cell.size:
        lowest, highest = np.minimum.reduceat(beyond, start), np.maximum.reduceat(beyond, start)
        ends = np.where(lowest == highest, lowest, 0).astype(np.int8)
    return CellReadings(
        readings.row[start],
        col[start],
        np.where(alone, z[start], mean),
        np.where(alone, variance[start], np.where(exact[start], 0.0, 1.0 / total)),
        ends if spec.censored else np.zeros_like(ends),
    )
