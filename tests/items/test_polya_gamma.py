"""Polya-Gamma draws against exact moments and the exact Laplace transform."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import UsageError
from bayesbench.items.polya_gamma import CUT, _accepted, draw_polya_gamma

DRAWS = 40_000


@pytest.mark.parametrize("z", [0.0, 0.3, 2.0, 3.2, 8.0, 40.0])
@pytest.mark.parametrize("n", [1, 4])
def test_moments_and_laplace_transform_are_exact(n: int, z: float) -> None:
    rng = np.random.default_rng(int(10 * z) + n)
    draws = draw_polya_gamma(np.full(DRAWS, n), np.full(DRAWS, -z), rng)
    mean = n / 4 if z == 0 else n * np.tanh(z / 2) / (2 * z)
    var = n / 24 if z == 0 else n * (np.sinh(z) - z) / (4 * z**3 * np.cosh(z / 2) ** 2)
    assert abs(draws.mean() - mean) < 4 * draws.std() / np.sqrt(DRAWS)
    squares = (draws - mean) ** 2
    assert abs(squares.mean() - var) < 4 * squares.std() / np.sqrt(DRAWS)
    for t in (0.5, 4.0, 40.0):  # E exp(-t omega) = cosh(z/2)^n / cosh(sqrt(z^2/4 + t/2))^n
        exact = (np.cosh(z / 2) / np.cosh(np.sqrt(z**2 / 4 + t / 2))) ** n
        values = np.exp(-t * draws)
        assert abs(values.mean() - exact) < 4 * values.std() / np.sqrt(DRAWS) + 1e-12


def test_no_trials_give_nothing_and_shapes_are_kept() -> None:
    draws = draw_polya_gamma(np.array([[0, 2], [1, 0]]), np.ones((2, 2)), np.random.default_rng(1))
    assert draws.shape == (2, 2)
    assert draws[0, 0] == draws[1, 1] == 0 and (draws[[0, 1], [1, 0]] > 0).all()


def test_trials_must_be_whole() -> None:
    for bad in (0.5, -1.0):
        with pytest.raises(UsageError, match="whole and 0 or more"):
            draw_polya_gamma(np.array([bad]), np.zeros(1), np.random.default_rng(1))


@pytest.mark.parametrize("x", [0.5, CUT, 0.7])
def test_proposals_are_kept_in_proportion_to_the_density(x: float) -> None:
    """The first term is 99.4 % of the density or more: draws alone would hide a wrong series."""
    n = np.arange(200)
    if x <= CUT:
        terms = np.pi * (n + 0.5) * (2 / np.pi / x) ** 1.5 * np.exp(-2 * (n + 0.5) ** 2 / x)
    else:
        terms = np.pi * (n + 0.5) * np.exp(-((n + 0.5) ** 2) * np.pi**2 * x / 2)
    exact = ((-1.0) ** n * terms).sum() / terms[0]
    tries = 400_000
    share = _accepted(np.full(tries, x), np.random.default_rng(3)).mean()
    assert abs(share - exact) < 4 * np.sqrt(exact * (1 - exact) / tries)
