"""Error of a reading's own: what its standard error, or the number of its items, says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scores.matrix import ScoreMatrix
from .link import Transform
from .spec import ModelSpec

__all__ = ["own_error_variance"]


def own_error_variance(
    matrix: ScoreMatrix,
    transform: Transform,
    spec: ModelSpec,
    row: NDArray[Any],
    col: NDArray[Any],
) -> NDArray[np.float64]:
    """Variance of the error of observed cells beside the noise that is fitted, latent scale.

    That of the reading's standard error; without one, ``spec.item_noise`` times the binomial
    variance of its items; 0 where nothing is known.

    Parameters
    ----------
    matrix : ScoreMatrix
    transform : Transform
    spec : ModelSpec
    row, col : integer arrays (n,)
        Model and benchmark index of each observed cell.

    Returns
    -------
    array (n,)
    """
    scores, stderr = matrix.values[row, col], matrix.stderr[row, col]
    given = transform.error_variance(scores, stderr, col)
    if not spec.item_noise:
        return given
    binomial = transform.binomial_variance(transform.to_latent(scores, col), col)
    # a reading may be of other items than the benchmark has
    items = np.nan_to_num(transform.n_items[col] / matrix.n_items[row, col], nan=1.0)
    return np.where(np.isnan(stderr), spec.item_noise * items * binomial, given)
