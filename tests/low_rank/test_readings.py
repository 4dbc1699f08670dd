"""Readings of a cell against closed forms, and on readings whose noise is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats

from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.readings import (
    CUT,
    PRIOR_PAIRS,
    cell_readings,
    pooled_variance,
    reporting_variance,
)
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix

MEAN = integrate.quad(lambda x: min(x**2, CUT**2) * stats.norm.pdf(x), -12, 12, points=(-CUT, CUT))[
    0
]


def ratings(scores: np.ndarray, **columns: np.ndarray) -> ScoreMatrix:
    """Scores (M, B, R) of R readings on an unbounded scale."""
    model, benchmark, reading = np.indices(scores.shape).reshape(3, -1)
    frame = pd.DataFrame(
        {
            "model_id": [f"model_{i:04d}" for i in model],
            "benchmark_id": [f"bench_{j}" for j in benchmark],
            "score": scores.ravel(),
            "reading": reading + 1,
            **{name: value.ravel() for name, value in columns.items()},
        }
    )
    return ScoreMatrix.from_frame(frame, scale="rating")


def test_small_squares_are_averaged_with_the_prior() -> None:
    squares, weights, prior = np.array([0.9, 1.1, 1.0]), np.array([1.0, 0.5, 1.0]), 1.0
    expected = (weights @ squares / MEAN + PRIOR_PAIRS * prior) / (weights.sum() + PRIOR_PAIRS)
    assert pooled_variance(squares, weights, prior) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_the_root_is_that_of_its_equation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    squares, weights = rng.standard_t(2, 30) ** 2, rng.uniform(0.2, 1.0, 30)

    def equation(t: float) -> float:
        cut = np.minimum(squares / t, CUT**2)
        return float(weights @ cut / MEAN + PRIOR_PAIRS * 0.3 / t - weights.sum() - PRIOR_PAIRS)

    expected = optimize.brentq(equation, 1e-6, 1e4, xtol=1e-12)
    assert pooled_variance(squares, weights, 0.3) == pytest.approx(expected, rel=1e-7)


def test_a_cell_is_the_weighted_mean_of_its_different_readings() -> None:
    scores = np.array([[[1000.0, 1010.0, 1000.0]], [[1100.0, 1120.0, 1150.0]]])
    matrix = ratings(scores, stderr=np.array([[[5.0, np.nan, 9.0]], [[4.0, 8.0, np.nan]]]))
    link, tau2 = Transform.from_matrix(matrix), np.array([0.02])
    found = cell_readings(matrix, link, ModelSpec(readings="all"), tau2)
    # of readings of equal score the first counts
    for cell, kept, errors in ((0, [0, 1], [5.0, np.nan]), (1, [0, 1, 2], [4.0, 8.0, np.nan])):
        score, column = scores[cell, 0, kept], np.zeros(len(kept), int)
        variance = tau2[0] + link.error_variance(score, np.array(errors), column)
        z, precision = link.to_latent(score, column), (1 / variance).sum()
        assert found.z[cell] == pytest.approx((z / variance).sum() / precision)
        assert found.error[cell] == pytest.approx(1 / precision)


def test_the_first_reading_alone_is_the_score_of_the_matrix() -> None:
    matrix = make_matrix()
    link = Transform.from_matrix(matrix)
    found = cell_readings(matrix, link, ModelSpec(), np.zeros(matrix.shape[1]))
    row, col = np.nonzero(matrix.observed)
    np.testing.assert_array_equal(np.stack([found.row, found.col]), np.stack([row, col]))
    np.testing.assert_array_equal(found.z, link.to_latent(matrix.values[row, col], col))
    assert not found.error.any()


def test_reporting_noise_is_split_from_the_interaction() -> None:
    rng, (models, noise) = np.random.default_rng(7), (400, np.array([0.2, 0.4, 0.8]))
    cell = rng.normal(size=(models, 3))
    readings = cell[..., None] + noise[:, None] * rng.normal(size=(models, 3, 2))
    matrix = ratings(1000.0 + 100.0 * readings)
    link = Transform.from_matrix(matrix)
    column = np.arange(3)
    unit = link.to_latent(np.full(3, 1100.0), column) - link.to_latent(np.full(3, 1000.0), column)
    found = reporting_variance(matrix, link)
    # a variance from 400 pairs is known to 7 %, a robust one a little worse; five pairs of prior
    np.testing.assert_allclose(found, (noise * unit) ** 2, rtol=0.35)
    cells = cell_readings(matrix, link, ModelSpec(readings="all"), found)
    truth = link.to_latent(1000.0 + 100.0 * cell[cells.row, cells.col], cells.col)
    for j in range(3):
        own = cells.col == j
        ratio = np.mean((cells.z[own] - truth[own]) ** 2 / cells.error[own])
        assert 0.7 < ratio < 1.4
