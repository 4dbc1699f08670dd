"""Observational scaling: each step against an independent one, and the whole on exact data."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import curve_fit
from scipy.special import expit
from sklearn.decomposition import PCA

from bayesbench.evaluation.methods.peers.observational import (
    ObservationalScaling,
    completed_block,
    components,
    sigmoid_regression,
)
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.peers.low_rank_cases import hide_some


def test_components_are_those_of_scikit_learn() -> None:
    block = np.random.default_rng(0).normal(size=(30, 5)) * [3, 2, 1, 1, 1]
    got = components(block, 3)
    expected = PCA(n_components=3).fit_transform(block)
    expected /= expected[:, 0].std()
    signs = np.sign((got * expected).sum(axis=0))
    np.testing.assert_allclose(got, signs * expected, atol=1e-10)
    np.testing.assert_allclose(components(-block[:, ::-1], 3), -got, atol=1e-10)


def test_a_block_of_one_component_is_completed_exactly() -> None:
    rng = np.random.default_rng(1)
    whole = rng.normal(size=(40, 1)) @ rng.uniform(0.5, 1.5, (1, 6)) + rng.normal(size=6)
    holed = np.where(rng.random(whole.shape) < 0.15, np.nan, whole)
    got = completed_block(holed, 1, 5000)
    np.testing.assert_allclose(got, whole, atol=1e-3)
    np.testing.assert_array_equal(got[np.isfinite(holed)], whole[np.isfinite(holed)])


def test_the_regression_finds_the_law_and_the_least_squares() -> None:
    rng = np.random.default_rng(2)
    known, wanted = rng.normal(size=(60, 3)), rng.normal(size=(9, 3))

    def law(at: np.ndarray, a: float, *rest: float) -> np.ndarray:
        return rest[3] + (1 - rest[3]) * expit(a + at @ np.array(rest[:3]))

    exact = sigmoid_regression(known, law(known, 0.3, 1.2, -0.4, 0.2, 0.12), wanted)
    np.testing.assert_allclose(exact, law(wanted, 0.3, 1.2, -0.4, 0.2, 0.12), atol=1e-4)
    noisy = law(known, 0.3, 1.2, -0.4, 0.2, 0.12) + 0.05 * rng.normal(size=60)
    bounds = ([-np.inf] * 4 + [0], [np.inf] * 4 + [0.2])
    best, _ = curve_fit(law, known, noisy, p0=[0, 0.1, 0, 0, 0.05], bounds=bounds)
    np.testing.assert_allclose(
        sigmoid_regression(known, noisy, wanted), law(wanted, *best), atol=1e-3
    )


def test_a_target_is_predicted_from_the_densest_others(small_matrix: ScoreMatrix) -> None:
    """The densest benchmark of all, from the next four; put together step by step."""
    train, cells = hide_some(small_matrix)
    order = np.argsort(-train.observed.sum(axis=0), kind="stable")
    target, others = order[0], order[1:5]
    assert target < 12  # a percentage
    cells = cells[cells[:, 1] == target]
    values = train.values
    z = (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)
    known = components(completed_block(z[:, others], 1, 1000), 2)
    rows = np.flatnonzero(train.observed[:, target])
    expected = sigmoid_regression(known[rows], values[rows, target] / 100, known[cells[:, 0]])
    got = ObservationalScaling(block=4, n_components=2).predict(train, cells, 0).median
    np.testing.assert_allclose(got, 100 * expected, rtol=1e-9)


def test_exact_data_are_recovered() -> None:
    """Standard scores of shares near the middle are nearly the capability itself."""
    rng = np.random.default_rng(3)
    capability = rng.normal(size=(50, 1))
    shares = expit(0.3 * capability * rng.uniform(0.8, 1.2, 9) + rng.normal(0, 0.2, 9))
    shares[:, 8] = expit(1.5 * capability[:, 0] - 1)
    names = [f"b{j}" for j in range(9)]
    frame = pd.DataFrame(100 * shares, index=[f"m{i}" for i in range(50)], columns=names)
    matrix = ScoreMatrix.from_frame(frame, scale="percent")
    train, cells = hide_some(matrix)
    got = ObservationalScaling().predict(train, cells, 0).median
    error = np.abs(got - matrix.values[tuple(cells.T)])
    assert np.median(error) < 0.5 and np.median(error[cells[:, 1] == 8]) < 2


def test_too_few_scores_give_the_mean(small_matrix: ScoreMatrix) -> None:
    column = np.flatnonzero(small_matrix.observed[:, 4])
    hidden = np.zeros(small_matrix.shape, dtype=bool)
    hidden[column[4:], 4] = True
    train, cells = small_matrix.mask(hidden), np.argwhere(hidden)
    got = ObservationalScaling().predict(train, cells, 0).median
    np.testing.assert_allclose(got, small_matrix.values[column[:4], 4].mean())
    more = ObservationalScaling(n_components=2).predict(train, cells, 0).median
    assert np.ptp(more) > 0
