"""The noise floor: how far two readings of one cell lie apart, and what no prediction can beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .matrix import ScoreMatrix

__all__ = ["NoiseFloor", "noise_floor"]

Floats = NDArray[np.float64]

LEVELS = (0.25, 0.5, 0.75, 0.9, 0.95)
RESAMPLES = 2000


@dataclass(frozen=True)
class NoiseFloor:
    """Cells of one scale with several readings, and how far these lie apart; score points.

    Attributes
    ----------
    n_cells, n_readings : int
        Cells with two readings or more, and their readings.
    agree : float
        Mean over cells of the share of pairs of readings that are equal. Some are copies of one
        another, which the matrix cannot tell, so that the real noise is no smaller than it seems.
    difference : float
        Median over cells of the cell's difference: the median absolute difference of two of its
        readings.
    difference_interval95 : (float, float)
        Bootstrap interval over cells.
    quantiles : mapping of float to float
        Of the cells' differences.
    medae : float
        Floor of a median absolute error, ``difference / sqrt(2)``: that of who knows the mean of
        all readings of every cell, where cells have two readings with independent normal errors
        (of three or more the median difference is up to a tenth larger). Who knows one other
        reading has an error of `difference`.
    medae_interval95 : (float, float)

    Examples
    --------
    >>> floor = NoiseFloor(2, 4, 0.5, 1.0, (0.0, 2.0), {0.5: 1.0})
    >>> round(floor.medae, 3)
    0.707
    """

    n_cells: int
    n_readings: int
    agree: float
    difference: float
    difference_interval95: tuple[float, float]
    quantiles: Mapping[float, float]

    @property
    def medae(self) -> float:
        """Floor of a median absolute error."""
        return self.difference / sqrt(2.0)

    @property
    def medae_interval95(self) -> tuple[float, float]:
        """Its bootstrap interval."""
        low, high = self.difference_interval95
        return low / sqrt(2.0), high / sqrt(2.0)

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``: the attributes, ``medae`` and its interval."""
        return {
            **vars(self),
            "quantiles": {f"{level:g}": value for level, value in self.quantiles.items()},
            "medae": self.medae,
            "medae_interval95": self.medae_interval95,
        }


def noise_floor(
    matrix: ScoreMatrix, *, resamples: int = RESAMPLES, seed: int = 0
) -> Mapping[str, NoiseFloor]:
    """How far repeated readings lie apart, by scale of the benchmark.

    All readings of a cell count, those that agree too. A scale without a cell of two readings or
    more is left out: nothing is known of its noise.

    Parameters
    ----------
    matrix : ScoreMatrix
    resamples : int
        Of the bootstrap.
    seed : int
        Of the bootstrap.

    Returns
    -------
    mapping of scale to NoiseFloor
        Percentages, shares, points and ratings do not pool.

    Examples
    --------
    >>> import pandas as pd
    >>> readings = pd.DataFrame(
    ...     {
    ...         "model_id": ["a", "a", "b", "b"],
    ...         "benchmark_id": "gpqa",
    ...         "score": [70.0, 72.0, 55.0, 55.0],
    ...         "reading": [1, 2, 1, 2],
    ...     }
    ... )
    >>> floor = noise_floor(ScoreMatrix.from_frame(readings, scale="percent"))["percent"]
    >>> floor.n_cells, floor.agree, floor.difference
    (2, 0.5, 1.0)
    """
    scale_of = dict(zip(matrix.benchmark_ids, matrix.benchmarks["scale"], strict=True))
    by_scale: dict[str, list[Floats]] = {}
    cell = ["model_id", "benchmark_id"]
    repeated = matrix.readings[matrix.readings.duplicated(cell, keep=False)]
    for (_, benchmark_id), scores in repeated.groupby(cell, sort=True)["score"]:
        cells = by_scale.setdefault(str(scale_of[str(benchmark_id)]), [])
        cells.append(scores.to_numpy(dtype=np.float64))
    return MappingProxyType(
        {scale: _floor(cells, resamples, seed) for scale, cells in sorted(by_scale.items())}
    )


def _floor(cells: list[Floats], resamples: int, seed: int) -> NoiseFloor:
    # scores are decimal numbers: what the ninth digit says is rounding of the machine
    apart = [np.array([round(abs(a - b), 9) for a, b in combinations(cell, 2)]) for cell in cells]
    difference = np.array([np.median(pairs) for pairs in apart])
    drawn = np.random.default_rng(seed).integers(len(cells), size=(resamples, len(cells)))
    low, high = np.quantile(np.median(difference[drawn], axis=1), [0.025, 0.975])
    return NoiseFloor(
        n_cells=len(cells),
        n_readings=sum(cell.size for cell in cells),
        agree=float(np.mean([np.mean(pairs == 0) for pairs in apart])),
        difference=float(np.median(difference)),
        difference_interval95=(float(low), float(high)),
        quantiles=MappingProxyType(
            {level: float(np.quantile(difference, level)) for level in LEVELS}
        ),
    )
