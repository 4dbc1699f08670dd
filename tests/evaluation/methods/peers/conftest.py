"""Small matrices with a known truth, and the public matrix where it is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.peers.low_rank_cases import low_rank_z


@pytest.fixture
def small_matrix() -> ScoreMatrix:
    """24 models x 14 benchmarks: 12 percentages, a 0-1 share, a rating."""
    z = low_rank_z(0)
    scores = 100 / (1 + np.exp(-z))
    scores[:, 12] /= 100
    scores[:, 13] = 1200 + 80 * z[:, 13]
    names = [f"b{j}" for j in range(14)]
    frame = pd.DataFrame(scores, index=[f"m{i}" for i in range(24)], columns=names)
    metadata = pd.DataFrame({"benchmark_id": names, "scale": ["percent"] * 12 + ["unit", "rating"]})
    return ScoreMatrix.from_frame(frame, benchmarks=metadata)


@pytest.fixture(scope="session")
def benchpress(benchpress_directory: Path) -> ScoreMatrix:
    """The public 84 x 133 matrix."""
    return ScoreMatrix.from_directory(benchpress_directory)


@pytest.fixture(scope="session")
def benchpress_folds(benchpress_directory: Path) -> Path:
    """The published folds."""
    return benchpress_directory / "folds_10x3.json"
