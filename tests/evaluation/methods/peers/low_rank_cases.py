"""Small standardised matrices with a known truth."""

from __future__ import annotations

import numpy as np

from bayesbench.scores.matrix import ScoreMatrix


def low_rank_z(seed: int, shape: tuple[int, int] = (24, 14), missing: float = 0.35) -> np.ndarray:
    """Rank-1 plus biases plus a little noise, with holes; every row and column keeps entries."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(shape[0], 1)) @ rng.normal(size=(1, shape[1]))
    z += 0.5 * rng.normal(size=(shape[0], 1)) + 0.1 * rng.normal(size=shape)
    z[rng.random(shape) < missing] = np.nan
    return z


def hide_some(matrix: ScoreMatrix, seed: int = 1) -> tuple[ScoreMatrix, np.ndarray]:
    """The matrix without a fifth of its scores, and where they were."""
    rng = np.random.default_rng(seed)
    hidden = matrix.observed & (rng.random(matrix.shape) < 0.2)
    return matrix.mask(hidden), np.argwhere(hidden)
