from __future__ import annotations

import numpy as np
import pytest

from bayesbench.design.gain import Targets, information
from bayesbench.design.moments import moments
from tests.design.design_helpers import gaussian_draws, random_covariance
from tests.design.oracles import gaussian_mi, nested_bald, nested_epig, two_readings, worth


def test_gaussian_mi_of_a_pair_and_of_an_empty_block() -> None:
    assert gaussian_mi([[1, 0.6], [0.6, 1]], [0], [1]) == pytest.approx(-0.5 * np.log(1 - 0.36))
    assert gaussian_mi(np.eye(2), [0], []) == 0.0


def test_worth_by_hand() -> None:
    """Variances of a reading 2 and 4, covariance 1; noise 1 and 2: half logs of 2, 2 and 8/7."""
    signal, noise = np.array([[1.0, 1.0], [1.0, 2.0]]), np.array([1.0, 2.0])
    weights = {0: 1.0, 1: 10.0}
    assert worth(signal, noise, [], weights) == 0.0
    expected = 0.5 * np.log(2.0) + 10 * 0.5 * np.log(8 / 7)
    assert worth(signal, noise, [0], weights) == pytest.approx(expected)
    assert worth(signal, noise, [1, 0], weights) == pytest.approx(11 * 0.5 * np.log(2.0))


@pytest.mark.parametrize("seed", range(3))
def test_nested_agrees_with_the_closed_form(seed: int) -> None:
    _agrees(seed, n_outer=1000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_nested_agrees_with_the_closed_form_on_many_cases(seed: int) -> None:
    _agrees(100 + seed, n_outer=3000)


def _agrees(seed: int, n_outer: int) -> None:
    """Closed form of the population; 3 standard errors, of the outer average as reported."""
    rng = np.random.default_rng(seed)
    signal, noise = random_covariance(rng, 2), rng.uniform(0.2, 1.5, 2)
    draws = gaussian_draws(rng, signal, noise, 3000, exact=True)
    covariance = two_readings(signal, noise)
    across = nested_epig(draws, 0, 1, n_outer=n_outer, seed=seed)
    assert abs(across.value - gaussian_mi(covariance, [0], [3])) < 3 * across.mcse
    again = nested_epig(draws, 0, 0, n_outer=n_outer, seed=seed)
    assert abs(again.value - gaussian_mi(covariance, [0], [2])) < 3 * again.mcse
    latents = nested_bald(draws, 1, n_outer=n_outer, seed=seed)
    exact = 0.5 * np.log1p(signal[1, 1] / noise[1])
    assert abs(latents.value - exact) < 3 * latents.mcse


@pytest.mark.parametrize("nu", [2.0, 3.0, 10.0])
def test_moments_stay_near_nested_under_student_t_noise(nu: float) -> None:
    """The entropy power is an approximation: 0.03 nats beyond the Monte Carlo error."""
    rng = np.random.default_rng(int(nu))
    signal, noise = np.array([[1.0, 0.9], [0.9, 1.0]]), np.array([0.3, 0.2])
    draws = gaussian_draws(rng, signal, noise, 2000, nu=nu, exact=True)
    state = moments(draws)
    slow = nested_epig(draws, 0, 1, n_outer=2000)
    fast = information(state, np.array([0]), Targets(np.array([1]), np.ones(1)))[0]
    assert abs(fast - slow.value) < 0.03 + 3 * slow.mcse
    slow = nested_bald(draws, 0, n_outer=2000)
    assert abs(0.5 * np.log(state.variance[0] / state.noise[0]) - slow.value) < 0.03 + 3 * slow.mcse


def test_the_standard_error_is_honest() -> None:
    """The spread of 40 repeated estimates agrees with the error each reports."""
    signal, noise = np.array([[1.0, 0.7], [0.7, 1.0]]), np.array([0.5, 0.5])
    estimates = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        draws = gaussian_draws(rng, signal, noise, 600, exact=True)
        estimates.append(nested_epig(draws, 0, 1, n_outer=400, seed=seed))
    spread = np.std([e.value for e in estimates], ddof=1)
    reported = np.mean([e.mcse for e in estimates])
    # the relative error of a standard deviation from 40 values is 1 / sqrt(78) = 0.11
    assert 0.6 < spread / reported < 1.4
