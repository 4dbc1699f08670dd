"""A matrix with release dates and a rating, small enough for every protocol."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesbench.scores.matrix import ScoreMatrix


@pytest.fixture
def dated_matrix() -> ScoreMatrix:
    """18 models x 12 benchmarks (the last a rating), one model a month, rank 1 plus noise."""
    rng = np.random.default_rng(7)
    m, b = 18, 12
    z = rng.normal(size=(m, 1)) * rng.uniform(0.5, 1.5, b) + rng.normal(size=b)
    z += 0.3 * rng.normal(size=(m, b))
    scores = 100 / (1 + np.exp(-z))
    scores[:, -1] = 1200 + 100 * z[:, -1]
    scores[rng.random((m, b)) < 0.25] = np.nan
    names = [f"b{j}" for j in range(b)]
    ids = [f"m{i:02d}" for i in range(m)]
    frame = pd.DataFrame(np.round(scores, 1), index=ids, columns=names)
    benchmarks = pd.DataFrame({"benchmark_id": names, "scale": ["percent"] * (b - 1) + ["rating"]})
    models = pd.DataFrame(
        {
            "model_id": ids,
            "provider": ["Aleph", "Beth", "Gimel"] * (m // 3),
            "release_date": [f"{2024 + i // 12}-{i % 12 + 1:02d}-15" for i in range(m)],
        }
    )
    return ScoreMatrix.from_frame(frame, benchmarks=benchmarks, models=models)
