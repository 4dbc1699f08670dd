"""Error of a reading's own: what its standard error, or the number of its items, says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .link import Transform
from .spec import ModelSpec

__all__ = ["own_error_variance"]

Floats = NDArray[np.float64]


def own_error_variance(
    transform: Transform,
    spec: ModelSpec,
    score: Floats,
    stderr: Floats,
    n_items: Floats,
    col: NDArray[Any],
) -> Floats:
    """Variance of the error of readings beside the noise that is fitted, latent scale.

    That of the reading's standard error; without one, ``spec.item_noise`` times the binomial
    variance of its items; 0 where nothing is known.

    Parameters
    ----------
    transform : Transform
    spec : ModelSpec
    score, stderr, n_items : arrays (n,)
        Score, its standard error and its number of items; NaN where unknown.
    col : integer array (n,)
        Benchmark index of each reading.

    Returns
    -------
    array (n,)
    """
    given = transform.error_variance(score, stderr, col)
    if not spec.item_noise:
        return given
    binomial = transform.binomial_variance(transform.to_latent(score, col), col)
    # a reading may be of other items than the benchmark has
    items = np.nan_to_num(transform.n_items[col] / n_items, nan=1.0)
    return np.where(np.isnan(stderr), spec.item_noise * items * binomial, given)
