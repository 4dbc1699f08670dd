"""Scores of a known rank."""

from __future__ import annotations

import numpy as np
import pandas as pd


def low_rank_scores(
    rng: np.random.Generator, n_models: int, n_benchmarks: int, rank: int, noise: float
) -> pd.DataFrame:
    latents, loadings = rng.normal(size=(n_models, rank)), rng.normal(size=(n_benchmarks, rank))
    logit = latents @ loadings.T + noise * rng.normal(size=(n_models, n_benchmarks))
    return pd.DataFrame(
        100 / (1 + np.exp(-logit)),
        index=[f"m{i}" for i in range(n_models)],
        columns=[f"b{j}" for j in range(n_benchmarks)],
    )
