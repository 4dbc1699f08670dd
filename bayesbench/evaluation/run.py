"""Methods evaluated on held-out cells: the one function in front of protocols and methods."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from ..scores.matrix import ScoreMatrix
from .cells import cell_table
from .methods.registry import build_method
from .predictor import Predictor
from .protocols import PROTOCOLS, EvaluationProtocol, Folds
from .protocols.interface import PlannedProtocol, PreparedProtocol
from .results import Evaluation, EvaluationResult, different_names
from .runner import Report, run_tasks, spawned_executor
from .store import FoldStore

__all__ = ["evaluate"]

DEFAULT = Folds()


def evaluate(
    scores: ScoreMatrix,
    protocol: EvaluationProtocol = DEFAULT,
    methods: str | Predictor | Sequence[str | Predictor] = "low-rank",
    *,
    options: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    jobs: int = 1,
    work_dir: Path | None = None,
    report: Report | None = None,
) -> Evaluation:
    """Evaluate methods on held-out cells of a matrix, all on the same ones.

    Parameters
    ----------
    scores : ScoreMatrix
        Used as it is; filter it first if rows or columns are too empty.
    protocol : EvaluationProtocol
        What is held out: `Folds`, `NewRelease`, `Probes`, `Curve`, `NewBenchmark`,
        `AsShipped`, `SmallTables`.
    methods : str, Predictor or a sequence of them
        Names of :func:`~bayesbench.evaluation.available_methods`, or any objects with ``name`` and
        ``predict``.
    options : mapping, optional
        Settings of a single method given by name.
    executor : concurrent.futures.Executor, optional
        Where the tasks run; it is not shut down. Without it `jobs` spawned processes.
    jobs : int
        1 runs in this process.
    work_dir : Path, optional
        Where finished folds are kept until the figures of a method are made; a later call with the
        same data, method, options and protocol takes them up. Nothing is kept without it.
    report : callable, optional
        Called with (folds done, folds in all), over all methods.

    Returns
    -------
    Evaluation

    Raises
    ------
    UsageError, UnknownIdError
        For something that is no protocol, and an unknown method or option.
    DataError
        If the matrix leaves nothing to hold out.

    Examples
    --------
    >>> import bayesbench as bb
    >>> scores = bb.open_scores().filter(30, 20)
    >>> found = evaluate(scores, Folds(max_folds=1), methods=["bias", "mean"])
    >>> list(found.to_frame()["method"])
    ['bias', 'mean']
    """
    if isinstance(protocol, type) or not isinstance(protocol, EvaluationProtocol):
        there = ", ".join(f"{kind.__name__}()" for kind in PROTOCOLS.values())
        raise UsageError(f"protocol must be one of {there}, got {protocol!r}")
    wanted = _built(methods, protocol, options)
    results: list[EvaluationResult] = []
    behind = 0
    for number, method in enumerate(wanted):
        part = None if report is None else _Part(report, behind, len(wanted) - number)
        results.append(_one(scores, protocol, method, executor, jobs, work_dir, part))
        behind += 0 if part is None else part.total
    return Evaluation(protocol, tuple(results))


@dataclass
class _Part:
    """Progress of one method within the whole; those to come are taken to be as long as it."""

    report: Report
    before: int
    left: int
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        self.total = total
        self.report(self.before + done, self.before + self.left * total)


def _built(
    methods: str | Predictor | Sequence[str | Predictor],
    protocol: EvaluationProtocol,
    options: Mapping[str, Any] | None,
) -> list[Predictor]:
    given: list[str | Predictor] = []
    if isinstance(methods, Sequence) and not isinstance(methods, str):
        given.extend(methods)
    else:
        given.append(methods)
    if not given:
        raise UsageError("methods is empty; name at least one")
    if options and not (len(given) == 1 and isinstance(given[0], str)):
        raise UsageError(
            "options belong to a single method given by name; build the methods with them "
            "(build_method)"
        )
    built = [
        build_method(method, setting=protocol.setting, **(options or {}))
        if isinstance(method, str)
        else method
        for method in given
    ]
    different_names([method.name for method in built])
    return built


def _one(
    matrix: ScoreMatrix,
    protocol: EvaluationProtocol,
    method: Predictor,
    executor: Executor | None,
    jobs: int,
    work_dir: Path | None,
    report: Report | None,
) -> EvaluationResult:
    start = time.perf_counter()
    arrange = None
    if isinstance(protocol, PreparedProtocol):
        matrix = protocol.prepared(matrix)
    if isinstance(protocol, PlannedProtocol):
        planned = _planned(protocol, matrix, method, executor, jobs)
        arrange, protocol = (lambda folds: planned.arranged(matrix, folds)), planned
    tasks = protocol.tasks(matrix)
    if not sum(len(task.cells) for task in tasks):
        raise DataError(f"protocol {protocol.name!r} finds no cell to hold out in this matrix")
    folds = run_tasks(
        matrix,
        method,
        tasks,
        protocol=protocol.name,
        executor=executor,
        jobs=jobs,
        work_dir=work_dir,
        report=report,
        arrange=arrange,
        keep=True,
    )
    table = cell_table(matrix, folds)
    figures = protocol.figures(matrix, folds, table)
    if work_dir is not None:  # only now: a run that dies over its figures takes the folds up
        FoldStore.of(work_dir, protocol.name, method, matrix, tasks).clear()
    figures["wall_s"] = time.perf_counter() - start
    return EvaluationResult(protocol, method.name, figures, table)


def _planned(
    protocol: PlannedProtocol,
    matrix: ScoreMatrix,
    method: Predictor,
    executor: Executor | None,
    jobs: int,
) -> PlannedProtocol:
    if executor is not None:
        return protocol.planned_by(matrix, method, executor)
    with spawned_executor(jobs) as own:
        return protocol.planned_by(matrix, method, own)
