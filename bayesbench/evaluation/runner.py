"""Run a method over tasks: in this process or through any executor, resumable."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..errors import UsageError
from ..scores.matrix import ScoreMatrix
from .predictions import CellPredictions
from .predictor import BatchMethod, FinalizingMethod, LookUpMethod, Predictor
from .store import FoldStore
from .tasks import FinishedFold, FoldTask, training_matrix

__all__ = ["Report", "run_tasks", "spawned_executor"]

Report = Callable[[int, int], None]
Arrange = Callable[[list[FinishedFold]], list[FinishedFold]]
Outcome = tuple[CellPredictions, float]

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
"""NPROC is XLA's: processes that each spread small programs over all cores run at half speed."""


def _predict_one(method: Predictor, matrix: ScoreMatrix, task: FoldTask) -> CellPredictions:
    """Hide what the task hides and predict its cells."""
    train, cells = training_matrix(matrix, task)
    if isinstance(method, LookUpMethod):
        return method.predict_fold(train, cells, task.seed, task.fold)
    return method.predict(train, cells, task.random_seed)


def _run_chunk(method: Predictor, matrix: ScoreMatrix, tasks: Sequence[FoldTask]) -> list[Outcome]:
    start = time.perf_counter()
    if isinstance(method, BatchMethod):
        predictions = list(method.predict_tasks(matrix, tasks))
    else:
        predictions = [_predict_one(method, matrix, task) for task in tasks]
    if len(predictions) != len(tasks):
        raise UsageError(f"method {method.name!r} gave {len(predictions)} of {len(tasks)} folds")
    seconds = (time.perf_counter() - start) / max(len(tasks), 1)
    return [(prediction, seconds) for prediction in predictions]


def _chunks(method: Predictor, tasks: Sequence[int], groups: Sequence[str]) -> list[list[int]]:
    """Tasks that go to the method in one call: all of a group if it takes several."""
    if not isinstance(method, BatchMethod):
        return [[number] for number in tasks]
    by_group: dict[str, list[int]] = {}
    for number in tasks:
        by_group.setdefault(groups[number], []).append(number)
    return list(by_group.values())


@contextmanager
def spawned_executor(jobs: int) -> Iterator[Executor | None]:
    """`jobs` spawned processes of one numerical thread each; None (stay here) for one job.

    Spawned, because a process forked after jax was imported hangs.
    """
    if jobs < 1:
        raise UsageError(f"jobs must be at least 1, got {jobs}")
    if jobs == 1:
        yield None
        return
    added = [name for name in _ONE_THREAD if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(
            max_workers=jobs, mp_context=context, initializer=_leave_interrupts_to_the_parent
        ) as executor:
            try:
                yield executor
            except BaseException:
                _stop_workers(executor)
                raise
    finally:
        for name in added:
            os.environ.pop(name, None)


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C reaches every process of a terminal; only the parent is to answer it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stop_workers(executor: ProcessPoolExecutor) -> None:
    """End the workers, or leaving the executor would wait for the folds they are at."""
    # no public way before Python 3.14's terminate_workers
    for process in list((executor._processes or {}).values()):
        process.terminate()


def run_tasks(
    matrix: ScoreMatrix,
    method: Predictor,
    tasks: Sequence[FoldTask],
    *,
    protocol: str = "folds",
    executor: Executor | None = None,
    jobs: int = 1,
    work_dir: Path | None = None,
    report: Report | None = None,
    arrange: Arrange | None = None,
    keep: bool = False,
) -> list[FinishedFold]:
    """Predictions of every task, in order.

    Parameters
    ----------
    matrix, method, tasks
    protocol : str
        Part of the run's name.
    executor : concurrent.futures.Executor, optional
        Where the tasks run; it is not shut down. Without it `jobs` spawned processes.
    jobs : int
        1 runs in this process.
    work_dir : Path, optional
        Where finished folds are kept until the run is finished; a later call with the same data,
        method, options and tasks takes them up. Nothing is kept without it.
    report : callable, optional
        Called with (folds done, folds in all), first with the folds taken up.
    arrange : callable, optional
        Applied to the folds before the method's last step: what it gives back is finalized.
    keep : bool
        Leave the finished folds in `work_dir`, for a caller with work of its own to do on them.

    Returns
    -------
    list of FinishedFold
        After the method's own last step, if it has one.
    """
    store = None
    if work_dir is not None:
        store = FoldStore.of(work_dir, protocol, method, matrix, tasks)
    done: dict[int, Outcome] = {}
    for number, task in enumerate(tasks):
        kept = store.load(task) if store is not None else None
        if kept is not None:
            done[number] = kept
    if report is not None:
        report(len(done), len(tasks))
    pending = [number for number in range(len(tasks)) if number not in done]
    chunks = _chunks(method, pending, [task.group for task in tasks])

    def finished(chunk: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        for number, (prediction, seconds) in zip(chunk, outcomes, strict=True):
            if store is not None:
                store.save(tasks[number], prediction, seconds)
            done[number] = (prediction, seconds)
        if report is not None:
            report(len(done), len(tasks))

    if executor is not None:
        _run_through(executor, method, matrix, tasks, chunks, finished)
    else:
        with spawned_executor(min(jobs, len(chunks)) if jobs > 1 and chunks else jobs) as own:
            if own is None:
                for chunk in chunks:
                    finished(chunk, _run_chunk(method, matrix, [tasks[number] for number in chunk]))
            else:
                _run_through(own, method, matrix, tasks, chunks, finished)
    folds = [
        FinishedFold(task, done[n][0], matrix.values[tuple(task.cells.T)], done[n][1])
        for n, task in enumerate(tasks)
    ]
    if arrange is not None:
        folds = arrange(folds)
    final = _finalized(matrix, method, folds)
    if store is not None and not keep:
        store.clear()
    return [
        replace(fold, predictions=prediction) for fold, prediction in zip(folds, final, strict=True)
    ]


def _run_through(
    executor: Executor,
    method: Predictor,
    matrix: ScoreMatrix,
    tasks: Sequence[FoldTask],
    chunks: Sequence[Sequence[int]],
    keep: Callable[[Sequence[int], Sequence[Outcome]], None],
) -> None:
    futures: dict[Future[list[Outcome]], Sequence[int]] = {
        executor.submit(_run_chunk, method, matrix, [tasks[number] for number in chunk]): chunk
        for chunk in chunks
    }
    try:
        for future in as_completed(futures):
            keep(futures[future], future.result())
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _finalized(
    matrix: ScoreMatrix, method: Predictor, folds: Sequence[FinishedFold]
) -> list[CellPredictions]:
    if isinstance(method, FinalizingMethod):
        final = list(method.finalize(matrix, folds))
        if len(final) != len(folds):
            raise UsageError(f"method {method.name!r} finalized {len(final)} of {len(folds)} folds")
        return final
    return [fold.predictions for fold in folds]
