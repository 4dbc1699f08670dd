"""Running folds: in place, through executors, batched, interrupted and taken up again."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bayesbench.errors import UsageError
from bayesbench.evaluation import CellPredictions, Folds
from bayesbench.evaluation.methods.peers.als import BiasALS
from bayesbench.evaluation.runner import run_tasks
from bayesbench.evaluation.tasks import FinishedFold, FoldTask
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Grouped, Logged, Normal


@pytest.fixture
def tasks(dated_matrix: ScoreMatrix) -> list[FoldTask]:
    return Folds(seeds=2, seed=1).tasks(dated_matrix)


def medians(folds: Sequence[FinishedFold]) -> np.ndarray:
    return np.concatenate([fold.predictions.median for fold in folds])


def test_executors_give_the_same(dated_matrix: ScoreMatrix, tasks: list[FoldTask]) -> None:
    here = run_tasks(dated_matrix, BiasALS(n_starts=2), tasks)
    with ThreadPoolExecutor(2) as executor:
        there = run_tasks(dated_matrix, BiasALS(n_starts=2), tasks, executor=executor)
    np.testing.assert_array_equal(medians(here), medians(there))
    for fold in here:
        cells = fold.task.cells
        np.testing.assert_array_equal(fold.truth, dated_matrix.values[cells[:, 0], cells[:, 1]])


def test_spawned_processes_give_the_same(dated_matrix: ScoreMatrix, tasks: list[FoldTask]) -> None:
    here = run_tasks(dated_matrix, BiasALS(n_starts=2), tasks)
    there = run_tasks(dated_matrix, BiasALS(n_starts=2), tasks, jobs=2)
    np.testing.assert_array_equal(medians(here), medians(there))


def test_an_interrupted_run_goes_on(
    dated_matrix: ScoreMatrix, tasks: list[FoldTask], tmp_path: Path
) -> None:
    log, work = tmp_path / "log", tmp_path / "work"
    with pytest.raises(RuntimeError, match="died"):
        run_tasks(dated_matrix, Logged(str(log), die_at=4), tasks, work_dir=work)
    (kept,) = work.iterdir()
    assert len(list(kept.glob("*.npz"))) == 4
    next(kept.glob("*.npz")).write_bytes(b"PK half a file")
    seen: list[tuple[int, int]] = []
    folds = run_tasks(
        dated_matrix,
        Logged(str(log)),
        tasks,
        work_dir=work,
        report=lambda done, total: seen.append((done, total)),
    )
    assert len(log.read_text().split()) == 4 + 3  # the broken file is done again
    assert seen == [(3, 6), (4, 6), (5, 6), (6, 6)]
    np.testing.assert_array_equal(medians(folds), medians(run_tasks(dated_matrix, Normal(), tasks)))
    assert folds[0].predictions.quantiles is not None and "sd" in folds[0].predictions.extras
    assert not list(work.iterdir())


def test_a_killed_process_loses_nothing(
    dated_matrix: ScoreMatrix, tasks: list[FoldTask], tmp_path: Path
) -> None:
    log, work, data = tmp_path / "log", tmp_path / "work", tmp_path / "data.pickle"
    data.write_bytes(pickle.dumps((dated_matrix, tasks)))
    script = (
        "import pickle, sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from evaluation_methods import Logged\n"
        "from bayesbench.evaluation.runner import run_tasks\n"
        f"matrix, tasks = pickle.loads(Path({str(data)!r}).read_bytes())\n"
        f"run_tasks(matrix, Logged({str(log)!r}, 2, True), tasks, work_dir=Path({str(work)!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -9
    folds = run_tasks(dated_matrix, Logged(str(log)), tasks, work_dir=work)
    assert len(log.read_text().split()) == len(folds) == 6


def test_wrong_methods_are_named(dated_matrix: ScoreMatrix, tasks: list[FoldTask]) -> None:
    class Short(Grouped):
        def predict_tasks(
            self, matrix: ScoreMatrix, tasks: Sequence[FoldTask]
        ) -> list[CellPredictions]:
            return []

    with pytest.raises(UsageError, match="gave 0 of 3 folds"):
        run_tasks(dated_matrix, Short("unused"), tasks)
    with pytest.raises(UsageError, match="jobs must be"):
        run_tasks(dated_matrix, Normal(), tasks, jobs=0)


def test_a_method_that_takes_several_gets_a_group_in_one_call(
    dated_matrix: ScoreMatrix, tasks: list[FoldTask], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    mixed = [tasks[n] for n in (0, 3, 1, 4, 2, 5)]  # two groups, dealt out in turn
    folds = run_tasks(dated_matrix, Grouped(str(log)), mixed)
    assert list(map(int, log.read_text().split())) == [3, 3]
    assert [fold.task for fold in folds] == mixed
    plain = medians(run_tasks(dated_matrix, Normal(), mixed))
    np.testing.assert_allclose(medians(folds), plain + 3)  # finalize adds the seed's three folds


def test_the_last_step_sees_the_folds_as_they_were_arranged(
    dated_matrix: ScoreMatrix, tasks: list[FoldTask], tmp_path: Path
) -> None:
    folds = run_tasks(
        dated_matrix, Grouped(str(tmp_path / "log")), tasks, arrange=lambda made: [*made, made[0]]
    )
    assert len(folds) == 7
    plain = run_tasks(dated_matrix, Normal(), tasks[:1])
    # the first seed has four folds now
    np.testing.assert_allclose(folds[6].predictions.median, plain[0].predictions.median + 4)


def test_a_file_of_predictions_is_asked_for_the_fold(
    dated_matrix: ScoreMatrix, tasks: list[FoldTask]
) -> None:
    class ByFold(Normal):
        def predict_fold(
            self, train: ScoreMatrix, cells: np.ndarray, seed: int | None, fold: int | None
        ) -> CellPredictions:
            return CellPredictions(np.full(len(cells), 10.0 * (seed or 0) + (fold or 0)))

    found = [fold.predictions.median[0] for fold in run_tasks(dated_matrix, ByFold(), tasks)]
    assert found == [10.0, 11.0, 12.0, 20.0, 21.0, 22.0]


def test_finished_folds_stay_for_a_caller_who_asks_for_it(
    dated_matrix: ScoreMatrix, tasks: list[FoldTask], tmp_path: Path
) -> None:
    run_tasks(dated_matrix, Normal(), tasks, work_dir=tmp_path, keep=True)
    (kept,) = tmp_path.iterdir()
    assert len(list(kept.iterdir())) == len(tasks)
