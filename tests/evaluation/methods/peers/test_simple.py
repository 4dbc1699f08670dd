"""The means by hand, and the additive fit against normal equations."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from bayesbench.evaluation.methods.peers.simple import BenchmarkMean, ModelMean, additive_fit
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


def test_model_mean_by_hand() -> None:
    """c lies one standard deviation over the mean on p, and 50 points under it on r."""
    frame = pd.DataFrame(
        {
            "p": [20.0, 80.0, 80.0, 20.0],
            "q": [10.0, 90.0, np.nan, np.nan],
            "r": [1100.0, 1300.0, 1150.0, 1250.0],
        },
        index=["a", "b", "c", "d"],
    )
    scales = ["percent", "percent", "rating"]
    metadata = pd.DataFrame({"benchmark_id": ["p", "q", "r"], "scale": scales})
    train = ScoreMatrix.from_frame(frame, benchmarks=metadata)
    got = ModelMean().predict(train, np.array([[2, 1], [2, 2]]), 0).median
    spread = np.std([1100, 1300, 1150, 1250])
    level = (1 - 50 / spread) / 2
    np.testing.assert_allclose(got, [100 * expit(level * logit(0.9)), 1200 + level * spread])


def test_a_model_without_scores_has_the_mean(small_matrix: ScoreMatrix) -> None:
    hidden = np.zeros(small_matrix.shape, dtype=bool)
    hidden[0] = small_matrix.observed[0]
    train, cells = small_matrix.mask(hidden), np.argwhere(hidden)
    rating = cells[:, 1] == 13
    expected = np.nanmean(train.values[:, 13])
    assert rating.any()
    np.testing.assert_allclose(ModelMean().predict(train, cells, 0).median[rating], expected)
