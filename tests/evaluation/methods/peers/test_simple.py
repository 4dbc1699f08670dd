"""The benchmark mean, and the additive fit against normal equations."""

from __future__ import annotations

import numpy as np

from bayesbench.evaluation.methods.peers.simple import BenchmarkMean, additive_fit
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.peers.low_rank_cases import hide_some, low_rank_z


def test_mean(small_matrix: ScoreMatrix) -> None:
    train, cells = hide_some(small_matrix)
    got = BenchmarkMean().predict(train, cells, 0).median
    np.testing.assert_allclose(got, np.nanmean(train.values, axis=0)[cells[:, 1]])


def test_additive_fit_is_the_ridge_solution() -> None:
    z, penalty = low_rank_z(2), 0.3
    rows, columns = np.nonzero(np.isfinite(z))
    m, b = z.shape
    design = np.zeros((rows.size, 1 + m + b))
    design[:, 0] = 1
    design[np.arange(rows.size), 1 + rows] = 1
    design[np.arange(rows.size), 1 + m + columns] = 1
    ridge = penalty * np.eye(1 + m + b)
    ridge[0, 0] = 0  # mu is free
    solution = np.linalg.solve(design.T @ design + ridge, design.T @ z[rows, columns])
    expected = solution[0] + solution[1 : 1 + m, None] + solution[None, 1 + m :]
    np.testing.assert_allclose(additive_fit(z, penalty), expected, atol=1e-7)
