"""One capability with sigmoids: an independent optimizer, numerical gradients, exact data."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import check_grad, least_squares
from scipy.special import expit

from bayesbench.evaluation.methods.peers.columns import StandardColumns
from bayesbench.evaluation.methods.peers.one_factor import OneFactor, SigmoidProblem
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.peers.low_rank_cases import hide_some


def problem(matrix: ScoreMatrix, penalty: float = 0.01) -> SigmoidProblem:
    return SigmoidProblem.of(matrix, StandardColumns.of(matrix), penalty)


def test_gradient_is_that_of_the_loss(small_matrix: ScoreMatrix) -> None:
    made = problem(small_matrix)
    at = np.random.default_rng(0).normal(size=made.start.size)
    wrong = check_grad(lambda p: made.loss(p)[0], lambda p: made.loss(p)[1], at)
    assert wrong < 1e-5 * np.linalg.norm(made.loss(at)[1])


def test_the_minimum_is_that_of_stacked_residuals(small_matrix: ScoreMatrix) -> None:
    """Levenberg-Marquardt on shares, standard scores and prior rows written out one by one."""
    made, (m, b) = problem(small_matrix), small_matrix.shape
    scores, z = small_matrix.values, StandardColumns.of(small_matrix).z
    top = [100.0] * 12 + [1.0]
    shares = [scores[:, j][np.isfinite(scores[:, j])] / top[j] for j in range(13)]
    deviation = np.sqrt(
        sum(((s - s.mean()) ** 2).sum() for s in shares) / sum(s.size for s in shares)
    )

    def residuals(p: np.ndarray) -> np.ndarray:
        out = [0.1 * p[:m], 0.1 * p[m : m + b] / 3, 0.1 * (p[m + b :] - 1)]
        for i, j in np.argwhere(np.isfinite(scores)):
            eta = p[m + b + j] * (p[i] - p[m + j])
            share = scores[i, j] / top[j] if j < 13 else 0.0
            wrong = expit(eta) - share if j < 13 else deviation * (eta - z[i, j])
            out.append(np.array([wrong]))
        return np.concatenate(out)

    found = least_squares(residuals, made.start, method="lm", xtol=1e-12, ftol=1e-12)
    got = made.solution(2000)
    assert abs(made.loss(got)[0] - 2 * found.cost) < 1e-6 * found.cost
    np.testing.assert_allclose(made.predicted(got), made.predicted(found.x), atol=2e-3)


def test_exact_data_are_recovered() -> None:
    rng = np.random.default_rng(1)
    capability = rng.normal(size=(40, 1))
    shares = expit(rng.uniform(0.6, 1.8, 10) * (capability - rng.normal(size=10)))
    names = [f"b{j}" for j in range(10)]
    frame = pd.DataFrame(100 * shares, index=[f"m{i}" for i in range(40)], columns=names)
    matrix = ScoreMatrix.from_frame(frame, scale="percent")
    train, cells = hide_some(matrix)
    got = OneFactor(penalty=1e-8, max_iter=5000).predict(train, cells, 0).median
    # an additive model of the logits, without slopes, is off by 3 points in the median
    assert np.median(np.abs(got - matrix.values[tuple(cells.T)])) < 0.1
