"""Held-out error by rank."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.evaluation import Folds, evaluate
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.structure import rank_sweep
from tests.structure.structure_cases import low_rank_scores


def test_rank_sweep_finds_the_planted_rank() -> None:
    frame = low_rank_scores(np.random.default_rng(8), 40, 15, rank=3, noise=0.05)
    matrix = ScoreMatrix.from_frame(frame, scale="percent")
    protocol = Folds(seed=3, max_folds=1)
    rows = rank_sweep(matrix, (1, 3), method="als", options={"n_starts": 2}, protocol=protocol)
    assert [row["rank"] for row in rows] == [1, 3]
    assert rows[1]["medae"] < 0.5 * rows[0]["medae"]
    assert rows[0]["n_cells"] == rows[1]["n_cells"] > 100
    assert "strata" not in rows[0]
    assert "by_scale" not in rows[0]
    alone = evaluate(matrix, protocol, "als", options={"rank": 3, "n_starts": 2})["als"]
    assert rows[1]["medae"] == pytest.approx(alone.figures["medae"], rel=1e-12)
