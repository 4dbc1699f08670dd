from __future__ import annotations

import numpy as np
import pytest

from bayesbench.design.moments import Moments, gaussian_mi, moments
from bayesbench.errors import UsageError
from tests.design.design_helpers import gaussian_draws, ids, random_covariance


def test_moments_of_draws_with_an_exact_covariance() -> None:
    rng = np.random.default_rng(1)
    signal = random_covariance(rng, 4)
    state = moments(gaussian_draws(rng, signal, np.full(4, 0.3), 50, exact=True))
    np.testing.assert_allclose(state.signal, signal, atol=1e-10)
    np.testing.assert_allclose(state.noise, 0.3)
    np.testing.assert_allclose(state.variance, np.diag(signal) + 0.3)
    assert state.n_draws == 50


def test_given_is_the_schur_complement() -> None:
    rng = np.random.default_rng(2)
    signal, noise = random_covariance(rng, 5), rng.uniform(0.1, 1, 5)
    state = Moments(ids(5), np.zeros(5), signal, noise).given_all([1, 3])
    seen = [1, 3]
    inner = signal[np.ix_(seen, seen)] + np.diag(noise[seen])
    expected = signal - signal[:, seen] @ np.linalg.solve(inner, signal[seen])
    np.testing.assert_allclose(state.signal, expected, atol=1e-12)


def test_gaussian_mi_of_a_pair_and_of_an_empty_block() -> None:
    assert gaussian_mi([[1, 0.6], [0.6, 1]], [0], [1]) == pytest.approx(-0.5 * np.log(1 - 0.36))
    assert gaussian_mi(np.eye(2), [0], []) == 0.0


def test_gaussian_mi_refuses_overlap_and_indefinite() -> None:
    with pytest.raises(UsageError, match="overlap"):
        gaussian_mi(np.eye(2), [0], [0, 1])
    with pytest.raises(UsageError, match="positive definite"):
        gaussian_mi([[1, 2], [2, 1]], [0], [1])


def test_too_few_draws() -> None:
    rng = np.random.default_rng(3)
    with pytest.raises(UsageError, match="at least 3 draws, got 2"):
        moments(gaussian_draws(rng, np.eye(2), np.ones(2), 2))
