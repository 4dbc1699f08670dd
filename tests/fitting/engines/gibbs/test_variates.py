"""Gamma variates and the over-relaxed normal draw keep their laws."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from bayesbench.fitting.engines.gibbs.variates import (
    OVERRELAXATION,
    gamma_afresh,
    gamma_from_or_stay,
    gamma_or_stay,
    gamma_variate,
    gaussian,
    normal_above,
)

PRECISION = np.array([[2.0, 0.8, -0.3], [0.8, 1.5, 0.2], [-0.3, 0.2, 0.9]])
LINEAR = np.array([1.0, -2.0, 0.5])
N = 40_000
Z = 4.5
"""Standard errors allowed; 24 figures are compared."""


def moved(current: np.ndarray) -> np.ndarray:
    """Every row of `current` (N, 3) moved once."""
    precision = jnp.broadcast_to(jnp.asarray(PRECISION), (len(current), 3, 3))
    linear = jnp.broadcast_to(jnp.asarray(LINEAR), (len(current), 3))
    return np.asarray(gaussian(jax.random.key(3), precision, linear, jnp.asarray(current)))


def test_normal_law_is_left_unchanged_and_neighbours_are_opposed() -> None:
    cov = np.linalg.inv(PRECISION)
    mean = cov @ LINEAR
    before = np.random.default_rng(1).multivariate_normal(mean, cov, N)
    after = moved(before)
    sd = np.sqrt(np.diag(cov))
    # a product of two standard normals has a variance of at most 2
    close = Z * np.sqrt(2.0 / N)
    np.testing.assert_array_less(np.abs(after.mean(axis=0) - mean), close * sd)
    np.testing.assert_array_less(np.abs(np.cov(after.T) - cov), close * np.outer(sd, sd))
    both = (before - mean).T @ (after - mean) / N
    np.testing.assert_array_less(np.abs(both - OVERRELAXATION * cov), close * np.outer(sd, sd))


def test_far_start_is_forgotten_at_the_rate_of_the_relaxation() -> None:
    mean = np.linalg.inv(PRECISION) @ LINEAR
    far = np.full((N, 3), 50.0)
    expected = mean + OVERRELAXATION * (far[0] - mean)
    np.testing.assert_allclose(moved(far).mean(axis=0), expected, atol=0.02, rtol=1e-4)


def test_an_indefinite_precision_leaves_the_block_where_it_is() -> None:
    bad = jnp.asarray(PRECISION - 2.0 * np.eye(3))
    precision = jnp.stack([bad, jnp.asarray(PRECISION)])
    current = jnp.ones((2, 3))
    after = gaussian(jax.random.key(3), precision, jnp.broadcast_to(LINEAR, (2, 3)), current)
    np.testing.assert_array_equal(after[0], current[0])
    assert np.isfinite(after[1]).all()
    assert (after[1] != current[1]).all()


@pytest.mark.parametrize(("shape", "rate"), [(4.0, 8.0), (4.0, 40.0), (30.0, 400.0), (4.0, 2e3)])
def test_gamma_law_cut_off_below_is_left_unchanged(shape: float, rate: float) -> None:
    """From where hardly anything is cut off to where all but the far tail is."""
    least, size = 0.1, 20_000
    law = stats.gamma(shape, scale=1 / rate)
    below = law.sf(least)

    def survival(value: np.ndarray) -> np.ndarray:
        return np.exp(law.logsf(value) - law.logsf(least))

    rng = np.random.default_rng(6)
    if below > 1e-3:
        now = law.isf(below * rng.random(size))
    else:  # so far out the tail is an exponential to one part in a thousand
        now = least + rng.exponential(size=size) / (rate - (shape - 1) / least)
    now = jnp.asarray(now, jnp.float32)
    start, shapes, rates = now, jnp.full(size, shape), jnp.full(size, rate)
    for step in range(5):
        now = gamma_from_or_stay(jax.random.key(step), shapes, rates, least, now)
    assert float(now.min()) >= least
    assert float((now == start).mean()) < 0.2
    assert stats.kstest(survival(np.asarray(now, np.float64)), "uniform").pvalue > 1e-3


AFRESH = jax.jit(gamma_afresh)
"""One program for all shapes; operation by operation it would take six times as long."""


@pytest.mark.parametrize("shape", [1.0, 2.5, 40.0])
def test_gamma_afresh_is_a_gamma_variate(shape: float) -> None:
    n = 200_000
    rate = jnp.linspace(0.5, 2.0, n)
    drawn = AFRESH(jax.random.PRNGKey(2), jnp.full(n, shape), rate)
    drawn = np.asarray(drawn, np.float64)
    assert stats.kstest(drawn * np.asarray(rate), stats.gamma(shape).cdf).pvalue > 1e-3
    # where the mode stands in, it does so many times: some hundred are refused twice
    assert np.unique((drawn * np.asarray(rate)).round(4), return_counts=True)[1].max() < 100


@pytest.mark.parametrize("shape", [1.0, 1.5, 4.0, 60.0])
def test_gamma_variates(shape: float) -> None:
    drawn = np.asarray(gamma_variate(jax.random.PRNGKey(3), jnp.full(20_000, shape)))
    assert stats.kstest(drawn, stats.gamma(shape).cdf).pvalue > 1e-3


def test_gamma_or_stay_leaves_its_law_unchanged() -> None:
    rng = np.random.default_rng(0)
    now = jnp.asarray(rng.gamma(1.5, 1 / 2.0, 20_000), jnp.float32)
    for step in range(5):
        now = gamma_or_stay(
            jax.random.PRNGKey(step), jnp.full(now.shape, 1.5), jnp.asarray(2.0), now
        )
    assert stats.kstest(np.asarray(now), stats.gamma(1.5, scale=0.5).cdf).pvalue > 1e-3


def test_gamma_that_never_stays_would_differ() -> None:
    """The check above has teeth: a law off by 5 % in its scale is refused."""
    rng = np.random.default_rng(0)
    off = rng.gamma(1.5, 1.05 / 2.0, 20_000)
    assert stats.kstest(off, stats.gamma(1.5, scale=0.5).cdf).pvalue < 1e-3


ABOVE = jax.jit(normal_above)


@pytest.mark.parametrize("least", [-30.0, -3.0, 0.0, 3.0, 4.4, 5.0, 9.0, 13.0, 40.0])
def test_a_normal_above_a_bound_follows_its_law(least: float) -> None:
    """Also where the probability of being there underflows in single precision."""
    drawn = np.asarray(ABOVE(jax.random.PRNGKey(4), jnp.full(20_000, least)), np.float64)
    assert drawn.min() >= least
    share = np.exp(stats.norm.logsf(drawn) - stats.norm.logsf(least))
    assert stats.kstest(share, "uniform").pvalue > 1e-3
    # a bound that is off by a tenth of the distance from it would show
    off = np.exp(stats.norm.logsf(least + 1.1 * (drawn - least)) - stats.norm.logsf(least))
    assert stats.kstest(off, "uniform").pvalue < 1e-3
