"""A new benchmark: k of its scores shown, and an error that falls."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import DataError
from bayesbench.evaluation import NewBenchmark, evaluate
from bayesbench.evaluation.tasks import training_matrix
from bayesbench.scores.matrix import ScoreMatrix


def test_every_k_is_measured_on_the_same_benchmarks(dated_matrix: ScoreMatrix) -> None:
    counts = dated_matrix.observed.sum(axis=0)
    tasks = NewBenchmark(ks=(2, 5), benchmarks_per_fit=2).tasks(dated_matrix)
    for k in (2, 5):
        chosen = [task for task in tasks if task.tags["k"] == k]
        columns = np.concatenate([np.unique(task.cells[:, 1]) for task in chosen])
        assert sorted(columns) == np.flatnonzero(counts > 5).tolist()
        assert sum(len(task.cells) for task in chosen) == (counts[counts > 5] - k).sum()
    for task in tasks:
        train, _ = training_matrix(dated_matrix, task)
        shown = train.observed[:, np.unique(task.cells[:, 1])].sum(axis=0)
        assert (shown == task.tags["k"]).all()
        # what is not asked about stays
        kept = np.setdiff1d(np.arange(dated_matrix.shape[1]), task.cells[:, 1])
        assert (train.observed[:, kept] == dated_matrix.observed[:, kept]).all()


def test_scores_are_revealed_one_after_another(dated_matrix: ScoreMatrix) -> None:
    few, more = NewBenchmark(ks=(2, 3), benchmarks_per_fit=99).tasks(dated_matrix)
    shown = [set(map(tuple, task.revealed.tolist())) for task in (few, more)]
    assert shown[0] < shown[1]


def test_benchmarks_with_few_scores_leave_nothing_to_ask(dated_matrix: ScoreMatrix) -> None:
    with pytest.raises(DataError, match="no benchmark has more than 500 scores"):
        NewBenchmark(ks=(500,)).tasks(dated_matrix)


def test_new_benchmark(dated_matrix: ScoreMatrix) -> None:
    found = evaluate(dated_matrix, NewBenchmark(ks=(1, 8), seeds=3), "bias")["bias"].to_json()
    assert set(found["by_k"]) == {"1", "8"}
    assert found["by_k"]["8"]["medae"] < found["by_k"]["1"]["medae"]
    low, high = found["by_k"]["1"]["medae_interval95"]
    assert low < found["by_k"]["1"]["medae"] < high
