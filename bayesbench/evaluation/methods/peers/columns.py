"""The link and standardisation the published peers use, kept apart from the product's own.

BenchPress (arXiv:2606.24020) clips percentages to 0.5-99.5 and takes their logit, leaves ratings as
they are, and turns each column into z-scores of its training scores (population standard
deviation). What is a percentage comes from the metadata here (both bounds known), not from the
range of the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ....scores.matrix import ScoreMatrix
from ...predictions import FloatArray, IntArray

__all__ = ["CLIP", "StandardColumns", "column_moments"]

CLIP = 0.005
"""Shares closer to an end than this are taken to lie there."""
_SMALL = 1e-8


@dataclass(frozen=True, eq=False)
class StandardColumns:
    """Score <-> z of every column.

    Attributes
    ----------
    z : (M, B) standardised training scores, NaN where missing
    center, spread : (B,) mean and standard deviation on the link scale; center is NaN for a
        column without training scores, which no method can then predict
    lower, upper : (B,) bounds, NaN for columns without both
    """

    z: FloatArray
    center: FloatArray
    spread: FloatArray
    lower: FloatArray
    upper: FloatArray

    @classmethod
    def of(cls, train: ScoreMatrix) -> StandardColumns:
        """Learn center and spread from the training scores."""
        values = np.asarray(train.values, dtype=np.float64)
        lower = train.benchmarks["lower"].to_numpy(dtype=np.float64, na_value=np.nan)
        upper = train.benchmarks["upper"].to_numpy(dtype=np.float64, na_value=np.nan)
        bounded = np.isfinite(lower) & np.isfinite(upper)
        nan = np.where(bounded, 0.0, np.nan)
        lower, upper = lower + nan, upper + nan
        linked = _linked(values, lower, upper)
        center, spread = column_moments(linked)
        return cls((linked - center) / spread, center, spread, lower, upper)

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        """Cells with a training score, (M, B)."""
        return np.isfinite(self.z)

    def take(self, column: IntArray) -> StandardColumns:
        """The columns at these positions, repeated or not."""
        parts = (self.center, self.spread, self.lower, self.upper)
        return StandardColumns(self.z[:, column], *(part[column] for part in parts))

    def to_z(self, scores: FloatArray) -> FloatArray:
        """Z of each score, (..., B); scores near an end are clipped as the training scores are."""
        out: FloatArray = (_linked(scores, self.lower, self.upper) - self.center) / self.spread
        return out

    def to_score(self, z: FloatArray) -> FloatArray:
        """Score of each z, (..., B); NaN for a column without training scores."""
        linked = z * self.spread + self.center
        bounded = np.isfinite(self.lower)
        share = 0.5 * (1 + np.tanh(0.5 * linked))
        span = self.upper - self.lower
        out: FloatArray = np.where(bounded, self.lower + span * share, linked)
        return out


def _linked(values: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Logit of the clipped share of the scale; the score itself on a scale without ends."""
    bounded = np.isfinite(lower)
    start, span = np.where(bounded, lower, 0.0), np.where(bounded, upper - lower, 1.0)
    unit = np.clip((values - start) / span, CLIP, 1 - CLIP)
    out: FloatArray = np.where(bounded, np.log(unit) - np.log1p(-unit), values)
    return out


def column_moments(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean (NaN for an empty column) and population standard deviation (1 if next to 0), (B,)."""
    observed = np.isfinite(values)
    count = observed.sum(axis=0)
    filled = np.where(observed, values, 0.0)
    center = np.where(count > 0, filled.sum(axis=0) / np.maximum(count, 1), np.nan)
    deviation = np.where(observed, values - center, 0.0)
    spread = np.sqrt((deviation**2).sum(axis=0) / np.maximum(count, 1))
    return center, np.where(spread < _SMALL, 1.0, spread)
