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

from bayesbench.errors import UnknownIdError, UsageError
from bayesbench.evaluation import FinishedFold, available_methods, build_method, run_tasks
from bayesbench.evaluation.methods.peers import BiasALS, build_baseline
from bayesbench.evaluation.methods.peers.base import CellPredictions
from bayesbench.evaluation.methods.registry import fingerprint
from bayesbench.evaluation.store import FoldStore, run_key
from bayesbench.evaluation.tasks import FoldTask, fold_tasks
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.scores.splits import per_model_folds
from tests.evaluation.evaluation_methods import Grouped, Logged, Normal


@pytest.fixture
def tasks(dated_matrix: ScoreMatrix) -> list[FoldTask]:
    splits = [split for seed in (1, 2) for split in per_model_folds(dated_matrix, 3, seed)]
    return fold_tasks(dated_matrix, splits, seed=0)


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
        on_progress=lambda done, total: seen.append((done, total)),
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
        "from bayesbench.evaluation import run_tasks\n"
        f"matrix, tasks = pickle.loads(Path({str(data)!r}).read_bytes())\n"
        f"run_tasks(matrix, Logged({str(log)!r}, 2, True), tasks, work_dir=Path({str(work)!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -9
    folds = run_tasks(dated_matrix, Logged(str(log)), tasks, work_dir=work)
    assert len(log.read_text().split()) == len(folds) == 6


def test_a_run_is_known_by_all_it_depends_on(
    dated_matrix: ScoreMatrix, tasks: list[FoldTask], tmp_path: Path
) -> None:
    hidden = np.zeros(dated_matrix.shape, dtype=bool)
    hidden[0] = True
    keys = {
        run_key("folds", BiasALS(), dated_matrix, tasks),
        run_key("folds", BiasALS(rank=3), dated_matrix, tasks),
        run_key("folds", build_baseline("mean"), dated_matrix, tasks),
        run_key("curve", BiasALS(), dated_matrix, tasks),
        run_key("folds", BiasALS(), dated_matrix, tasks[:-1]),
        run_key("folds", BiasALS(), dated_matrix.mask(hidden), tasks),
        run_key(
            "folds", BiasALS(), dated_matrix.subset(models=dated_matrix.model_ids[::-1]), tasks
        ),
    }
    assert len(keys) == 7
    assert run_key("folds", BiasALS(), dated_matrix, tasks) in keys
    path = tmp_path / "p.csv"
    path.write_text("a")
    before = fingerprint(build_baseline("external", path=str(path)))
    path.write_text("b")
    assert fingerprint(build_baseline("external", path=str(path))) != before


@pytest.mark.parametrize(("batch", "calls"), [("fold", [1] * 6), ("group", [3, 3]), ("all", [6])])
def test_batches_and_the_last_step(
    dated_matrix: ScoreMatrix,
    tasks: list[FoldTask],
    tmp_path: Path,
    batch: str,
    calls: list[int],
) -> None:
    log = tmp_path / "log"
    folds = run_tasks(dated_matrix, Grouped(str(log), batch), tasks)
    assert list(map(int, log.read_text().split())) == calls
    plain = medians(run_tasks(dated_matrix, Normal(), tasks))
    np.testing.assert_allclose(medians(folds), plain + 3)  # finalize adds the seed's three folds


def test_wrong_methods_are_named(dated_matrix: ScoreMatrix, tasks: list[FoldTask]) -> None:
    class Short(Grouped):
        def predict_tasks(
            self, matrix: ScoreMatrix, tasks: Sequence[FoldTask]
        ) -> list[CellPredictions]:
            return []

    with pytest.raises(UsageError, match="gave 0 of 3 folds"):
        run_tasks(dated_matrix, Short("unused"), tasks)
    with pytest.raises(UsageError, match="batch must be"):
        run_tasks(dated_matrix, Grouped("unused", "some"), tasks)
    with pytest.raises(UsageError, match="jobs must be"):
        run_tasks(dated_matrix, Normal(), tasks, jobs=0)


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


def test_methods_by_name() -> None:
    assert {"low-rank", "low-rank-nuts", "als", "external"} <= set(available_methods())
    assert build_method("als", rank=3) == BiasALS(rank=3)
    with pytest.raises(UnknownIdError, match="nearest: soft-impute"):
        build_method("softimpute")
