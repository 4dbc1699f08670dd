"""A task: what it hides, what the method sees, its own seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.evaluation.tasks import FoldTask, task_seed, training_matrix
from bayesbench.scores.matrix import ScoreMatrix


@pytest.fixture
def task(dated_matrix: ScoreMatrix) -> FoldTask:
    """Hides all scores of m03 and predicts two of them."""
    hidden = np.zeros(dated_matrix.shape, dtype=np.bool_)
    hidden[3] = dated_matrix.observed[3]
    cells = np.argwhere(hidden)[:2]
    return FoldTask(seed=1, fold=2, cells=cells, hidden=hidden, random_seed=5, label="x")


def test_hidden_scores_are_gone_and_all_others_stay(
    dated_matrix: ScoreMatrix, task: FoldTask
) -> None:
    train, cells = training_matrix(dated_matrix, task)
    np.testing.assert_array_equal(cells, task.cells)
    np.testing.assert_array_equal(train.observed, dated_matrix.observed & ~task.hidden)


def test_only_the_named_rows_are_seen_and_cells_follow_them(
    dated_matrix: ScoreMatrix, task: FoldTask
) -> None:
    some = replace(task, rows=np.array([1, 3, 8]))
    train, cells = training_matrix(dated_matrix, some)
    assert train.model_ids == ("m01", "m03", "m08")
    assert set(cells[:, 0]) == {1}
    np.testing.assert_array_equal(cells[:, 1], task.cells[:, 1])
    np.testing.assert_array_equal(train.observed[2], dated_matrix.observed[8])


def test_keys_tell_tasks_apart(task: FoldTask) -> None:
    others = [replace(task, seed=2), replace(task, fold=3), replace(task, label="y")]
    assert len({task.key, *(other.key for other in others)}) == 4


def test_seeds_depend_on_every_number_and_their_order() -> None:
    seeds = [task_seed(1, 2, 3), task_seed(1, 3, 2), task_seed(2, 2, 3), task_seed(1, 2)]
    assert len(set(seeds)) == 4
    assert seeds[0] == task_seed(1, 2, 3)
    assert all(0 <= seed < 2**32 for seed in seeds)
