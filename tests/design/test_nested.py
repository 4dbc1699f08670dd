from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesbench.design.gain import bald, epig
from bayesbench.design.moments import gaussian_mi
from bayesbench.design.nested import nested_bald, nested_epig, sample_scores
from bayesbench.errors import UnknownIdError, UsageError
from tests.design.design_helpers import gaussian_draws, ids, random_covariance


def test_sampled_scores_follow_the_noise() -> None:
    rng = np.random.default_rng(0)
    draws = gaussian_draws(rng, 1e-12 * np.eye(1), np.array([4.0]), 3, nu=3.0)
    scores = sample_scores(draws, 0, np.zeros(20_000, dtype=int), rng)
    assert stats.kstest(scores, stats.t(3, scale=2.0).cdf).pvalue > 0.001


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
    covariance = np.tile(signal, (2, 2)) + np.diag(np.tile(noise, 2))
    across = nested_epig(draws, "bench_0", "bench_1", n_outer=n_outer, seed=seed)
    assert abs(across.value - gaussian_mi(covariance, [0], [3])) < 3 * across.mcse
    again = nested_epig(draws, "bench_0", "bench_0", n_outer=n_outer, seed=seed)
    assert abs(again.value - gaussian_mi(covariance, [0], [2])) < 3 * again.mcse
    latents = nested_bald(draws, "bench_1", n_outer=n_outer, seed=seed)
    exact = 0.5 * np.log1p(signal[1, 1] / noise[1])
    assert abs(latents.value - exact) < 3 * latents.mcse
    moment = epig(draws, ["bench_0"], ["bench_1"])[0]
    assert moment == pytest.approx(gaussian_mi(covariance, [0], [3]), abs=2e-3)


@pytest.mark.parametrize("nu", [2.0, 3.0, 10.0])
def test_moments_stay_near_nested_under_student_t_noise(nu: float) -> None:
    """The entropy power is an approximation: 0.03 nats beyond the Monte Carlo error."""
    rng = np.random.default_rng(int(nu))
    signal, noise = np.array([[1.0, 0.9], [0.9, 1.0]]), np.array([0.3, 0.2])
    draws = gaussian_draws(rng, signal, noise, 2000, nu=nu, exact=True)
    slow = nested_epig(draws, "bench_0", "bench_1", n_outer=2000)
    assert abs(epig(draws, ["bench_0"], ["bench_1"])[0] - slow.value) < 0.03 + 3 * slow.mcse
    slow = nested_bald(draws, "bench_0", n_outer=2000)
    assert abs(bald(draws, ["bench_0"])[0] - slow.value) < 0.03 + 3 * slow.mcse


def test_the_standard_error_is_honest() -> None:
    """The spread of 40 repeated estimates agrees with the error each reports."""
    signal, noise = np.array([[1.0, 0.7], [0.7, 1.0]]), np.array([0.5, 0.5])
    estimates = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        draws = gaussian_draws(rng, signal, noise, 600, exact=True)
        estimates.append(nested_epig(draws, "bench_0", "bench_1", n_outer=400, seed=seed))
    spread = np.std([e.value for e in estimates], ddof=1)
    reported = np.mean([e.mcse for e in estimates])
    # the relative error of a standard deviation from 40 values is 1 / sqrt(78) = 0.11
    assert 0.6 < spread / reported < 1.4


def test_bad_calls() -> None:
    draws = gaussian_draws(np.random.default_rng(0), np.eye(2), np.ones(2), 10)
    with pytest.raises(UnknownIdError, match="unknown target 'y'"):
        nested_epig(draws, "bench_0", "y")
    with pytest.raises(UsageError, match="needs 2 draws or more"):
        nested_bald(draws, "bench_0", n_outer=1)
    assert ids(2) == draws.benchmark_ids
