"""Predictions of held-out cells, whatever made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..errors import UsageError

__all__ = ["BoolArray", "CellPredictions", "FloatArray", "IntArray", "pick"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CellPredictions:
    """Predictions of n cells, on the score scale; NaN where a method has nothing to say.

    Attributes
    ----------
    median : (n,) float
    quantiles : (n, L) float or None
        On `bayesbench.answers.predictive.PREDICTIVE_LEVELS`.
    lower, upper : (n,) float or None
        90 % interval, for methods that give one without quantiles.
    extras : mapping of str to array
        Anything a method wants back in its ``finalize`` step (raw latent quantiles, say); arrays
        without object entries, so that they can be stored.

    Raises
    ------
    UsageError
        If the arrays do not belong to the same cells.
    """

    median: FloatArray
    quantiles: FloatArray | None = None
    lower: FloatArray | None = None
    upper: FloatArray | None = None
    extras: Mapping[str, npt.NDArray[np.generic]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.median.ndim != 1:
            raise UsageError(f"median must have one entry per cell, got {self.median.shape}")
        n = self.median.size
        if self.quantiles is not None and self.quantiles.shape[:1] != (n,):
            raise UsageError(f"quantiles must have {n} rows, got {self.quantiles.shape}")
        if (self.lower is None) != (self.upper is None):
            raise UsageError("an interval needs both lower and upper")
        for bound in (self.lower, self.upper):
            if bound is not None and bound.shape != (n,):
                raise UsageError(f"interval bounds must have {n} entries, got {bound.shape}")


def pick(completed: FloatArray, cells: IntArray) -> FloatArray:
    """Entries of a completed (M, B) matrix at the cells."""
    out: FloatArray = completed[cells[:, 0], cells[:, 1]]
    return out
