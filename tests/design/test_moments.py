from __future__ import annotations

from functools import reduce

import numpy as np
import pytest

from bayesbench.design.moments import Moments, moments
from bayesbench.errors import UsageError
from tests.design.design_helpers import exact_state, gaussian_draws, ids, random_covariance
from tests.design.oracles import chance_free


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
    seen = [1, 3]
    state = reduce(Moments.given, seen, Moments(ids(5), np.zeros(5), signal, noise))
    inner = signal[np.ix_(seen, seen)] + np.diag(noise[seen])
    expected = signal - signal[:, seen] @ np.linalg.solve(inner, signal[seen])
    np.testing.assert_allclose(state.signal, expected, atol=1e-12)


def test_exact_moments_hold_no_chance() -> None:
    state = exact_state(0, 4)
    assert state.without_chance() is state


@pytest.mark.parametrize("n_draws", [5, 40, 4000])
def test_chance_is_taken_out_by_each_benchmarks_share(n_draws: int) -> None:
    rng = np.random.default_rng(n_draws)
    state = moments(gaussian_draws(rng, random_covariance(rng, 6), np.full(6, 0.3), n_draws))
    cleaned = state.without_chance()
    np.testing.assert_allclose(cleaned.signal, chance_free(state.signal, n_draws), rtol=1e-10)
    np.testing.assert_array_equal(cleaned.variance, state.variance)
    assert cleaned.n_draws is None
    assert np.linalg.eigvalsh(cleaned.signal).min() > -1e-12


def test_what_is_related_stays_and_what_is_not_goes() -> None:
    """Ten benchmarks of one factor among 100 unrelated ones, 200 draws."""
    rng = np.random.default_rng(3)
    related, n = np.arange(110) < 10, 110
    signal = np.where(np.outer(related, related), 0.8, 0.0) + np.diag(np.where(related, 0.2, 1.0))
    state = moments(gaussian_draws(rng, signal, np.full(n, 0.3), 200))
    cleaned = state.without_chance().signal
    # r**2 of a related pair is 0.64, nine of them 5.8; by chance 0.5 more from the others
    inside = np.ix_(related, related)
    np.testing.assert_allclose(cleaned[inside], state.signal[inside], rtol=0.1)
    off = ~np.eye(n, dtype=bool)[np.ix_(~related, ~related)]
    left, found = (m[np.ix_(~related, ~related)][off] for m in (cleaned, state.signal))
    # left over of the chance squares: about 2 % (the positive part of the noise in the shares)
    assert (left**2).sum() < 0.1 * (found**2).sum()


def test_a_benchmark_without_doubt_stays_one() -> None:
    signal = np.array([[0.0, 0.0], [0.0, 1.0]])
    cleaned = Moments(ids(2), np.zeros(2), signal, np.ones(2), 10).without_chance()
    np.testing.assert_array_equal(cleaned.signal, signal)


def test_too_few_draws() -> None:
    rng = np.random.default_rng(3)
    with pytest.raises(UsageError, match="at least 3 draws, got 2"):
        moments(gaussian_draws(rng, np.eye(2), np.ones(2), 2))
