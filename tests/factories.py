"""Small synthetic objects for tests: a matrix, and a posterior whose draws are random numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesbench.scores import ScoreMatrix

PROVIDERS = ("Aleph", "Beth", "Gimel")


def make_matrix(seed: int = 0, n_models: int = 6, n_benchmarks: int = 5) -> ScoreMatrix:
    """Two thirds of the cells filled; benchmark 1 lower-is-better, benchmark 2 a rating.

    The last model has neither provider nor covariates; every model and benchmark has a score.
    """
    rng = np.random.default_rng(seed)
    benchmark_ids = [f"bench_{j}" for j in range(n_benchmarks)]
    rating = np.arange(n_benchmarks) == 2
    benchmarks = pd.DataFrame(
        {
            "benchmark_id": benchmark_ids,
            "scale": np.where(rating, "rating", "percent"),
            "lower": np.where(rating, np.nan, 0.0),
            "upper": np.where(rating, np.nan, 100.0),
            "higher_is_better": np.arange(n_benchmarks) != 1,
            "n_items": np.where(np.arange(n_benchmarks) == 0, 500.0, np.nan),
        }
    )
    known = np.arange(n_models) < n_models - 1
    models = pd.DataFrame(
        {
            "model_id": [f"model_{i}" for i in range(n_models)],
            "provider": [PROVIDERS[i % 3] if known[i] else None for i in range(n_models)],
            "release_date": [
                f"{2023 + i % 3}-0{1 + i % 9}" if known[i] else None for i in range(n_models)
            ],
            "reasoning": [bool(i % 2) if known[i] else None for i in range(n_models)],
            "open_weights": [bool(i // 2 % 2) if known[i] else None for i in range(n_models)],
        }
    )
    unit = 1.0 / (1.0 + np.exp(-rng.normal(0.3, 1.0, (n_models, n_benchmarks))))
    values = np.where(rating, 1000.0 + 500.0 * unit, 100.0 * unit).round(2)
    shift = np.arange(n_models)[:, None] + np.arange(n_benchmarks)
    row, column = np.nonzero(shift % 3 != 0)
    frame = pd.DataFrame(
        {
            "model_id": models["model_id"].to_numpy()[row],
            "benchmark_id": np.asarray(benchmark_ids)[column],
            "score": values[row, column],
        }
    )
    return ScoreMatrix.from_frame(frame, benchmarks=benchmarks, models=models)
