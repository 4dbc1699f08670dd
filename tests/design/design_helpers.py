"""Gaussian latent draws with known moments: the closed-form cases the estimators are held to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Draws:
    """The fields of ``LatentDraws`` that design reads."""

    benchmark_ids: tuple[str, ...]
    eta: np.ndarray
    noise_scale: np.ndarray
    nu: np.ndarray
    observed: np.ndarray
    model_id: str = "model"
    k_hat: float | None = None
    effective_share: float = 1.0


def ids(n: int) -> tuple[str, ...]:
    return tuple(f"bench_{j}" for j in range(n))


def random_covariance(rng: np.random.Generator, n: int, rank: int = 2) -> np.ndarray:
    loadings = rng.normal(size=(n, rank))
    return loadings @ loadings.T + 0.05 * np.eye(n)


def gaussian_draws(
    rng: np.random.Generator,
    signal: np.ndarray,
    noise: np.ndarray,
    n_draws: int,
    nu: float = np.inf,
    exact: bool = False,
) -> Draws:
    """Draws of eta ~ N(0, signal); ``exact`` makes the sample covariance equal ``signal``."""
    n = len(signal)
    white = rng.normal(size=(n_draws, n))
    if exact:
        white -= white.mean(axis=0)
        white = white @ np.linalg.inv(np.linalg.cholesky(np.cov(white.T))).T
    eta = white @ np.linalg.cholesky(signal).T
    scale = np.tile(np.sqrt(noise), (n_draws, 1))
    return Draws(ids(n), eta, scale, np.full(n_draws, nu), np.full(n, np.nan))
