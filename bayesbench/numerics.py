"""Sums of exponentials: the one place where a logarithm of a sum is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_sum_exp"]


def log_sum_exp(values: NDArray[Any], axis: int = -1) -> Any:
    """``log(sum(exp(values)))`` along an axis, without overflow.

    Parameters
    ----------
    values : array
        At least one finite value along the axis.
    axis : int

    Examples
    --------
    >>> round(float(log_sum_exp(np.array([1000.0, 1000.0]))), 3)
    1000.693
    """
    top = values.max(axis=axis, keepdims=True)
    return np.log(np.exp(values - top).sum(axis=axis)) + np.squeeze(top, axis=axis)
