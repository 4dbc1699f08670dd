"""The over-relaxed normal draw keeps its law, and lands on the other side of the mean."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from bayesbench.inference.variates import OVERRELAXATION, gaussian

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
