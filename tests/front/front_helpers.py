"""A small posterior with names, aliases, lineages and a recalibration that doubles all spreads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesbench.front.posterior import Posterior
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores import ScoreMatrix
from tests.factories import make_posterior, with_calibration

MODELS = (
    ("solo-1", "Solo One", "Aleph", None),
    ("solo-2", "Solo Two", "Aleph", "solo-latest|s2"),
    ("tetra-3", "Tetra", "Aleph", None),
    ("duet-1", "Duet", "Beth", None),
    ("duet-2", "Duet", "Beth", None),
    ("trio-4", "Trio", "Gimel", None),
    ("lone", "Lone", None, None),
)
BENCHMARKS = (
    ("gpqa", "GPQA (main set)", "quiz"),
    ("gpqa_diamond", "GPQA Diamond", None),
    ("error_rate", "Errors", None),
    ("arena", "Arena", "the rating"),
    ("humaneval", "HumanEval", None),
    ("humaneval_plus", "HumanEval+", None),
    ("exam", "Exam", "quiz|final"),
)
"""Errors: lower is better. Arena: a rating. "quiz" may be gpqa or exam, "Duet" either of two."""


def named_matrix() -> ScoreMatrix:
    """Three quarters of the cells filled."""
    rng = np.random.default_rng(8)
    models = pd.DataFrame(MODELS, columns=["model_id", "name", "provider", "aliases"])
    models["release_date"] = ["2024-01", "2024-06", "2025-01", "2023-05", "2024-05", "2025", None]
    models["reasoning"] = [False, False, True, False, True, True, None]
    benchmarks = pd.DataFrame(BENCHMARKS, columns=["benchmark_id", "name", "aliases"])
    rating = benchmarks["benchmark_id"] == "arena"
    benchmarks["scale"] = np.where(rating, "rating", "percent")
    benchmarks["lower"] = np.where(rating, np.nan, 0.0)
    benchmarks["upper"] = np.where(rating, np.nan, 100.0)
    benchmarks["higher_is_better"] = benchmarks["benchmark_id"] != "error_rate"
    unit = rng.uniform(0.25, 0.85, (len(MODELS), len(BENCHMARKS)))
    values = np.where(rating, 1000 + 500 * unit, 100 * unit).round(1)
    row, column = np.nonzero(np.add.outer(np.arange(len(MODELS)), np.arange(len(BENCHMARKS))) % 4)
    scores = pd.DataFrame(
        {
            "model_id": models["model_id"].to_numpy()[row],
            "benchmark_id": benchmarks["benchmark_id"].to_numpy()[column],
            "score": values[row, column],
        }
    )
    return ScoreMatrix.from_frame(scores, benchmarks=benchmarks, models=models)


def front_posterior(widen: float | None = 2.0, *, n_draws: int = 400, seed: int = 3) -> Posterior:
    """The same draws with and without (`widen` None) a recalibration."""
    spec = ModelSpec(rank=2, groups=("provider", "lineage"))
    made = make_posterior(seed, n_draws=n_draws, spec=spec, matrix=named_matrix())
    return made if widen is None else with_calibration(made, widen)
