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
from ...predictions import FloatArray

__all__ = ["StandardColumns"]

_CLIP = 0.005
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
        span = np.where(bounded, upper - lower, 1.0)
        unit = np.clip((values - np.where(bounded, lower, 0.0)) / span, _CLIP, 1 - _CLIP)
        linked = np.where(bounded, np.log(unit) - np.log1p(-unit), values)
        center, spread = column_moments(linked)
        nan = np.where(bounded, 0.0, np.nan)
        return cls((linked - center) / spread, center, spread, lower + nan, upper + nan)

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        """Cells with a training score, (M, B)."""
        return np.isfinite(self.z)

    def to_score(self, z: FloatArray) -> FloatArray:
        """Score of each z, (M, B); NaN for a column without training scores."""
        linked = z * self.spread + self.center
        bounded = np.isfinite(self.lower)
        share = 0.5 * (1 + np.tanh(0.5 * linked))
        span = self.upper - self.lower
        out: FloatArray = np.where(bounded, self.lower + span * share, linked)
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
