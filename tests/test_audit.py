"""The audit: planted errors are found."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.audit import audit
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores import ScoreMatrix

CONFIG = Gibbs(chains=1, warmup=300, draws=100, thin=3)


@pytest.mark.slow
def test_planted_errors_are_found() -> None:
    """Directions turned round in 12 of some 700 readings: recall, precision, a clean control."""
    made = simulate(3, 40, 25, ModelSpec(rank=2), fill=0.7)
    matrix, rng = made.matrix, np.random.default_rng(1)
    cells = np.argwhere(matrix.observed & (np.abs(matrix.values - 50) > 30))
    planted = cells[rng.choice(len(cells), 12, replace=False)]
    wrong = {(matrix.model_ids[i], matrix.benchmark_ids[j]) for i, j in planted}
    readings = matrix.readings.copy()
    for at, row in readings.iterrows():
        if (row["model_id"], row["benchmark_id"]) in wrong:
            readings.loc[at, "score"] = 100 - row["score"]
    damaged = ScoreMatrix(matrix.models, matrix.benchmarks, readings)
    found = audit(damaged, ModelSpec(rank=2), engine=CONFIG, seed=0)
    flagged = {(one.model_id, one.benchmark_id) for one in found if one.probability > 0.5}
    clean = audit(matrix, ModelSpec(rank=2), engine=CONFIG, seed=0)
    already = {(one.model_id, one.benchmark_id) for one in clean if one.probability > 0.5}
    assert len(flagged & wrong) >= 9
    assert len(flagged - wrong - already) <= 4
    assert not already & wrong or len(already & wrong) <= 2
