from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from bayesbench.low_rank.density import JAX
from bayesbench.low_rank.noise import (
    NUMPY,
    entropy_power,
    log_density,
    log_kernel,
    log_tail,
    log_weights_of_nu,
    quantile,
    sample,
    stratified_points,
    upper_tail,
)


@pytest.mark.parametrize("nu", [2.0, 3.0, 4.5, 7.0, 20.0, 29.0, 31.0, 200.0, np.inf])
def test_quantile_against_scipy(nu: float) -> None:
    tail = np.logspace(-9, -0.31, 60)
    level = np.concatenate([tail, 1 - tail])
    expected = stats.norm.ppf(level) if np.isinf(nu) else stats.t.ppf(level, nu)
    np.testing.assert_allclose(quantile(level, nu), expected, rtol=3e-5, atol=1e-6)
    assert quantile(0.5, nu) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("nu", [2.0, 3.0, 4.5, 7.0, 29.0, 200.0, np.inf])
def test_upper_tail_against_scipy(nu: float) -> None:
    value = np.concatenate([-np.logspace(-2, 1, 20), [0.0], np.logspace(-2, 1, 20)])
    expected = stats.norm.sf(value) if np.isinf(nu) else stats.t.sf(value, nu)
    found = upper_tail(value, nu)
    kept = expected > 1e-12
    np.testing.assert_allclose(found[kept], expected[kept], rtol=1e-4)
    assert (found[~kept] < 1e-11).all()
    assert (np.diff(found[np.argsort(value)]) <= 0).all()


def test_upper_tail_is_the_inverse_of_the_quantile_and_broadcasts() -> None:
    level = np.array([1e-6, 0.01, 0.3, 0.9])
    for nu in (3.0, np.inf):
        np.testing.assert_allclose(upper_tail(quantile(1 - level, nu), nu), level, rtol=1e-6)
    mixed = upper_tail(np.array([[-1.0], [2.0]]), [3.0, np.inf, 3.0])
    assert mixed.shape == (2, 3)
    np.testing.assert_allclose(mixed[:, 1], stats.norm.sf([-1, 2]), rtol=1e-4)
    np.testing.assert_allclose(mixed[:, 2], stats.t.sf([-1, 2], 3), rtol=1e-4)


@pytest.mark.parametrize("nu", [0.5, 1.0, 2.0, 3.0, 7.0, 20.0])
def test_entropy_power_is_the_entropy_power(nu: float) -> None:
    expected = np.exp(2 * stats.t.entropy(nu)) / (2 * np.pi * np.e)
    assert entropy_power(nu) == pytest.approx(expected, rel=1e-8)


def test_entropy_power_of_the_normal_limit() -> None:
    np.testing.assert_allclose(entropy_power([np.inf, 1e8, 9e5]), 1.0, atol=1e-5)


@pytest.mark.parametrize("nu", [2.0, 3.0, 5.0, 10.0, 20.0])
def test_entropy_power_keeps_the_ninety_percent_width(nu: float) -> None:
    normal = np.sqrt(entropy_power(nu)) * stats.norm.ppf(0.95)
    assert normal == pytest.approx(stats.t.ppf(0.95, nu), rel=0.04)


def test_log_density_is_the_library_s() -> None:
    r = np.linspace(-4, 4, 9)
    np.testing.assert_allclose(
        log_density(r, np.full(9, 0.5), np.full(9, 3.0)), stats.t.logpdf(r, 3, scale=0.5)
    )
    np.testing.assert_allclose(
        log_density(r, np.full(9, 0.5), np.full(9, np.inf)), stats.norm.logpdf(r, scale=0.5)
    )


@pytest.mark.parametrize("nu", [1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0])
def test_log_tail_is_the_library_s(nu: float) -> None:
    at = np.array([-300.0, -4.0, -0.2, 0.0, 1e-4, 0.5, 3.0, 12.0, 80.0, 300.0])
    expected = stats.t.logsf(at, nu)
    known = np.isfinite(expected)  # it underflows far out
    np.testing.assert_allclose(
        log_tail(at, np.array(nu))[known], expected[known], rtol=1e-11, atol=1e-14
    )


@pytest.mark.parametrize("nu", [1.3, 1.5, 2.5, 3.7, 30.5])
def test_log_tail_between_whole_degrees_of_freedom(nu: float) -> None:
    at = np.array([-4.0, 0.0, 0.5, 3.0, 80.0])
    np.testing.assert_allclose(log_tail(at, np.array(nu)), stats.t.logsf(at, nu), atol=2e-5)


def test_log_tail_holds_far_out_in_single_precision() -> None:
    """Where the probability itself underflows; the ratio of neighbours is that of a power."""
    at = jnp.asarray([1e3, 2e3, 1e5], jnp.float32)
    got = np.asarray(log_tail(at, jnp.asarray(20.0), JAX), np.float64)
    assert (got < -87).all()  # below the least single precision number
    np.testing.assert_allclose(got[0] - got[1], 20 * np.log(2.0), rtol=1e-4)
    np.testing.assert_allclose(got[0] - got[2], 20 * np.log(100.0), rtol=1e-4)


def test_weights_of_the_grid_are_summed_densities_and_padding_counts_for_nothing() -> None:
    rng = np.random.default_rng(3)
    noise, grid = rng.normal(size=12), np.array([2.0, 5.0, 20.0])
    expected = [stats.t.logpdf(noise, nu).sum() for nu in grid]
    np.testing.assert_allclose(log_weights_of_nu(noise**2, grid, NUMPY), expected)
    padded = np.append(noise**2, 7.0)
    present = np.append(np.ones(12), 0.0)
    np.testing.assert_allclose(log_weights_of_nu(padded, grid, NUMPY, present), expected)


def test_numpy_and_jax_give_the_same() -> None:
    squares, grid = np.linspace(0.0, 9.0, 7), np.array([2.0, 5.0, 20.0])
    got = log_weights_of_nu(jnp.asarray(squares), jnp.asarray(grid), JAX)
    np.testing.assert_allclose(got, log_weights_of_nu(squares, grid, NUMPY), rtol=1e-5)
    np.testing.assert_allclose(
        log_kernel(jnp.asarray(squares), 3.0, JAX), log_kernel(squares, 3.0), rtol=1e-5
    )


@pytest.mark.parametrize("nu", [3.0, np.inf])
def test_samples_follow_the_law(nu: float) -> None:
    law = stats.norm() if np.isinf(nu) else stats.t(nu)
    drawn = sample(nu, (20_000,), np.random.default_rng(1))
    assert stats.kstest(drawn, law.cdf).pvalue > 0.001
    assert stats.kstest(1.05 * drawn, law.cdf).pvalue < 0.01


def test_stratified_points_reach_the_tails_of_every_nu() -> None:
    nu = np.repeat([2.0, np.inf], 50)
    points = stratified_points(nu, 40)
    for value, law in ((2.0, stats.t(2.0)), (np.inf, stats.norm())):
        level = np.sort(law.cdf(points[nu == value].ravel()))
        np.testing.assert_allclose(level, (np.arange(2000) + 0.5) / 2000, atol=2e-3)
