"""What is hidden of models and of benchmarks is the same thing, turned."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesbench.evaluation.protocols.partly_revealed import partly_revealed
from bayesbench.scores.matrix import ScoreMatrix


def test_benchmarks_are_the_models_of_the_turned_matrix() -> None:
    rng = np.random.default_rng(3)
    seen = rng.random((7, 9)) < 0.6
    rows = [
        {"model_id": f"m{i}", "benchmark_id": f"b{j}", "score": 10.0 + i + j}
        for i, j in np.argwhere(seen)
    ]
    matrix = ScoreMatrix.from_frame(pd.DataFrame(rows), scale="percent")
    names = {"model_id": "benchmark_id", "benchmark_id": "model_id"}
    turned = ScoreMatrix.from_frame(pd.DataFrame(rows).rename(columns=names), scale="percent")
    turned = turned.subset(models=matrix.benchmark_ids, benchmarks=matrix.model_ids)
    taken = np.arange(matrix.shape[1])
    ours = partly_revealed(matrix, "benchmarks", taken, per_fit=3, ks=(1, 4), seeds=2, seed=5)
    theirs = partly_revealed(turned, "models", taken, per_fit=3, ks=(1, 4), seeds=2, seed=5)
    assert len(ours) == len(theirs) > 4
    for one, other in zip(ours, theirs, strict=True):
        assert (one.key, one.random_seed) == (other.key, other.random_seed)
        np.testing.assert_array_equal(one.hidden, other.hidden.T)
        np.testing.assert_array_equal(one.revealed, other.revealed[:, ::-1])
        assert matrix.observed[tuple(one.revealed.T)].all()
        assert (one.hidden[tuple(one.cells.T)]).all() and len(one.cells) == one.hidden.sum()
