"""Finished folds on disk: whole, known by all they depend on, ignored when broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayesbench.evaluation import CellPredictions, Folds
from bayesbench.evaluation.methods.peers.als import BiasALS
from bayesbench.evaluation.methods.peers.simple import BenchmarkMean
from bayesbench.evaluation.store import FoldStore, run_key
from bayesbench.evaluation.tasks import FoldTask
from bayesbench.scores.matrix import ScoreMatrix


@pytest.fixture
def tasks(dated_matrix: ScoreMatrix) -> list[FoldTask]:
    return Folds(seeds=2, seed=1).tasks(dated_matrix)


def test_a_run_is_known_by_all_it_depends_on(
    dated_matrix: ScoreMatrix, tasks: list[FoldTask]
) -> None:
    hidden = np.zeros(dated_matrix.shape, dtype=bool)
    hidden[0] = True
    keys = {
        run_key("folds", BiasALS(), dated_matrix, tasks),
        run_key("folds", BiasALS(rank=3), dated_matrix, tasks),
        run_key("folds", BenchmarkMean(), dated_matrix, tasks),
        run_key("curve", BiasALS(), dated_matrix, tasks),
        run_key("folds", BiasALS(), dated_matrix, tasks[:-1]),
        run_key("folds", BiasALS(), dated_matrix.mask(hidden), tasks),
        run_key(
            "folds", BiasALS(), dated_matrix.subset(models=dated_matrix.model_ids[::-1]), tasks
        ),
    }
    assert len(keys) == 7
    assert run_key("folds", BiasALS(), dated_matrix, tasks) in keys


def test_the_seed_of_a_task_is_part_of_the_run(
    dated_matrix: ScoreMatrix, tasks: list[FoldTask]
) -> None:
    other = [replace(tasks[0], random_seed=tasks[0].random_seed + 1), *tasks[1:]]
    one, two = (run_key("folds", BiasALS(), dated_matrix, part) for part in (tasks, other))
    assert one != two


def test_store_round_trip(tasks: list[FoldTask], tmp_path: Path) -> None:
    store = FoldStore(tmp_path / "run")
    n = len(tasks[0].cells)
    bounds = np.arange(n, dtype=float)
    given = CellPredictions(
        bounds + 1, lower=bounds, upper=bounds + 2, extras={"draws": np.ones((n, 2))}
    )
    assert store.load(tasks[0]) is None
    store.save(tasks[0], given, 1.5)
    loaded = store.load(tasks[0])
    assert loaded is not None and loaded[1] == 1.5
    np.testing.assert_array_equal(loaded[0].upper, given.upper)
    np.testing.assert_array_equal(loaded[0].extras["draws"], given.extras["draws"])
    assert loaded[0].quantiles is None and store.load(tasks[1]) is None
    store.clear()
    assert not store.directory.exists()


def test_a_broken_file_is_as_good_as_none(tasks: list[FoldTask], tmp_path: Path) -> None:
    store = FoldStore(tmp_path)
    store.save(tasks[0], CellPredictions(np.zeros(len(tasks[0].cells))), 1.0)
    assert store.load(tasks[0]) is not None
    whole = store.path(tasks[0]).read_bytes()
    store.path(tasks[0]).write_bytes(whole[: len(whole) // 2])
    assert store.load(tasks[0]) is None
    # a whole file of another number of cells
    store.save(tasks[0], CellPredictions(np.zeros(3)), 1.0)
    assert store.load(tasks[0]) is None
