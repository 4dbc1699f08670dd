"""Draws and predictions with known laws, for tests of what is computed from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesbench.answers.predictive import LatentDraws, Predictive
from bayesbench.low_rank.link import Transform

IDS = ("up", "down", "rating")
"""A percentage, a percentage where lower is better, and a rating without bounds."""


def three_scales() -> Transform:
    nan = np.nan
    values = np.random.default_rng(0).uniform(20, 80, (9, 3))
    return Transform.from_scores(
        IDS,
        values,
        lower=[0, 0, nan],
        upper=[100, 100, nan],
        higher_is_better=[True, False, True],
        n_items=[nan] * 3,
    )


def latent_draws(
    name: str = "a",
    *,
    mean: float = 0.0,
    sd: float = 0.5,
    noise: float = 0.3,
    correlation: float = 0.6,
    n: int = 500,
    seed: int = 0,
) -> LatentDraws:
    """Normal linear predictors, equally correlated between the benchmarks, and normal noise."""
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(size=(n, 1)), rng.normal(size=(n, 3))
    eta = mean + sd * (np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
    return LatentDraws(
        name, IDS, eta, np.full((n, 3), noise), np.full(n, np.inf), np.full(3, np.nan)
    )


def widened(made: Predictive, factor: float) -> Predictive:
    """The same medians with `factor` times the distance from them at every level."""
    median = made.quantiles[:, [made.levels.size // 2]]
    return replace(made, quantiles=median + factor * (made.quantiles - median))
