"""Gaussian latent draws with known moments: the closed-form cases the estimators are held to."""

from __future__ import annotations

import doctest
from types import ModuleType

import numpy as np

from bayesbench.answers.predictive import LatentDraws
from bayesbench.design.moments import Moments


def ids(n: int) -> tuple[str, ...]:
    return tuple(f"bench_{j}" for j in range(n))


def random_covariance(rng: np.random.Generator, n: int, rank: int = 2) -> np.ndarray:
    loadings = rng.normal(size=(n, rank))
    return loadings @ loadings.T + 0.05 * np.eye(n)


def exact_state(seed: int, n: int, rank: int = 3) -> Moments:
    rng = np.random.default_rng(seed)
    signal = random_covariance(rng, n, rank)
    return Moments(ids(n), np.zeros(n), signal, rng.uniform(0.2, 1.0, n))


def gaussian_draws(
    rng: np.random.Generator,
    signal: np.ndarray,
    noise: np.ndarray,
    n_draws: int,
    nu: float = np.inf,
    exact: bool = False,
) -> LatentDraws:
    """Draws of eta ~ N(0, signal); ``exact`` makes the sample covariance equal ``signal``."""
    n = len(signal)
    white = rng.normal(size=(n_draws, n))
    if exact:
        white -= white.mean(axis=0)
        white = white @ np.linalg.inv(np.linalg.cholesky(np.cov(white.T).reshape(n, n))).T
    eta = white @ np.linalg.cholesky(signal).T
    scale = np.tile(np.sqrt(noise), (n_draws, 1))
    return LatentDraws("model", ids(n), eta, scale, np.full(n_draws, nu), np.full(n, np.nan))


def failed_examples(module: ModuleType) -> int:
    """Docstring examples of a module that do not print what they say; there must be some."""
    found = doctest.testmod(module)
    assert found.attempted > 0
    return found.failed
