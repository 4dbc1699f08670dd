"""The evaluation protocols, under one function."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError, UsageError
from ...jsonable import plain
from ...scores.matrix import ScoreMatrix
from ...scores.splits import Split, per_model_folds
from ..cells import CellTable, cell_table, ranking_of
from ..figures import counted, headline, short
from ..methods.peers.base import Predictor
from ..methods.registry import PlanningMethod, build_method
from ..runner import Arrange, OnProgress, run_tasks, spawned_executor
from ..store import FoldStore
from ..tasks import FinishedFold, FoldTask, fold_tasks
from .probe_curves import by_policy, policy_curves
from .releases import Family, default_families, new_release_tasks
from .reveal import (
    LOW_COST,
    PlannedProbes,
    Policy,
    curve_tasks,
    low_cost_of,
    plan_probes,
    random_policy,
)

__all__ = ["PROTOCOLS", "EvaluationResult", "evaluate"]

PROTOCOLS = ("folds", "new-release", "probes", "curve", "structure")
_KS = {"new-release": (1, 5, 10), "curve": (1, 2, 3, 5, 8, 13), "probes": tuple(range(11))}
_SEEDS = {"folds": 1, "new-release": 10, "curve": 10, "probes": 10}


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """What an evaluation found.

    Attributes
    ----------
    protocol, method : str
    figures : dict
        The figures by name, numbers as they are (NaN where undefined).
    table : CellTable or None
        Held-out cells with their predictions; None for the structure protocol.
    """

    protocol: str
    method: str
    figures: dict[str, Any]
    table: CellTable | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``: protocol, method, then the figures; NaN becomes null."""
        head = {"protocol": self.protocol, "method": self.method}
        return {**head, **{str(key): plain(value) for key, value in self.figures.items()}}

    def to_parquet(self, path: str | Path) -> None:
        """Write the per-cell predictions with their quantiles.

        Raises
        ------
        UsageError
            If the protocol predicts no cells.
        """
        if self.table is None:
            raise UsageError(f"protocol {self.protocol!r} has no per-cell predictions to write")
        self.table.with_quantiles().to_parquet(path, index=False)


@dataclass(frozen=True, eq=False)
class _Run:
    """How to run tasks; the same for every protocol."""

    matrix: ScoreMatrix
    method: Predictor
    protocol: str
    executor: Executor | None
    jobs: int
    work_dir: Path | None
    on_progress: OnProgress | None

    def __call__(
        self, tasks: Sequence[FoldTask], arrange: Arrange | None = None
    ) -> tuple[list[FinishedFold], CellTable]:
        if not sum(len(task.cells) for task in tasks):
            raise DataError(f"protocol {self.protocol!r} finds no cell to hold out in this matrix")
        folds = run_tasks(
            self.matrix,
            self.method,
            tasks,
            protocol=self.protocol,
            executor=self.executor,
            jobs=self.jobs,
            work_dir=self.work_dir,
            on_progress=self.on_progress,
            arrange=arrange,
            keep=True,
        )
        return folds, cell_table(self.matrix, folds)

    def forget(self, tasks: Sequence[FoldTask]) -> None:
        """Remove what was kept of the tasks: their figures are made."""
        if self.work_dir is not None:
            store = FoldStore.of(self.work_dir, self.protocol, self.method, self.matrix, tasks)
            store.clear()


def evaluate(
    matrix: ScoreMatrix,
    protocol: str = "folds",
    method: str | Predictor = "low-rank",
    *,
    splits: Sequence[Split] | None = None,
    n_folds: int = 3,
    max_folds: int | None = None,
    seed: int = 42,
    n_seeds: int | None = None,
    ks: Sequence[int] | None = None,
    families: Sequence[Family] | None = None,
    policies: Sequence[Policy] = (),
    low_cost: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    jobs: int = 1,
    work_dir: Path | None = None,
    on_progress: OnProgress | None = None,
) -> EvaluationResult:
    """Evaluate a method on held-out cells of a matrix.

    Parameters
    ----------
    matrix : ScoreMatrix
        Used as it is; filter it first if rows or columns are too empty.
    protocol : {"folds", "new-release", "probes", "curve", "structure"}
    method : str or Predictor
        A name of :func:`~bayesbench.evaluation.methods.available_methods`, or any object with
        ``name`` and ``predict``.
    splits : sequence of Split, optional
        For ``folds``: the held-out sets; without them `n_folds` per-model folds for each of
        `n_seeds` seeds from `seed` on.
    max_folds : int, optional
        Only the first so many tasks.
    seed : int
        Of splits, draws and methods.
    n_seeds : int, optional
        Repetitions: by default 1 for ``folds``, else 10 (random sets for ``probes``).
    ks : sequence of int, optional
        Numbers of revealed scores.
    families : sequence of Family, optional
        For ``new-release``; by default those of the public matrix, or the latest releases.
    policies, low_cost
        For ``probes``: probe orders to evaluate, beside random ones and the method's own, and the
        cheap benchmarks handed to it.
    options : mapping, optional
        Settings of a method given by name.
    executor, jobs, work_dir, on_progress
        See :func:`~bayesbench.evaluation.runner.run_tasks`.

    Returns
    -------
    EvaluationResult

    Raises
    ------
    UsageError, UnknownIdError
        For an unknown protocol, method or option.
    DataError
        If the matrix leaves nothing to hold out.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"unknown protocol {protocol!r}; it is one of {', '.join(PROTOCOLS)}")
    start = time.perf_counter()
    if protocol == "structure":
        figures = _structure(matrix, seed)
        figures["wall_s"] = time.perf_counter() - start
        return EvaluationResult(protocol, str(method), figures)
    if isinstance(method, str):
        method = build_method(method, protocol=protocol, **(options or {}))
    elif options:
        raise UsageError("options belong to a method given by name; build the method with them")
    run = _Run(matrix, method, protocol, executor, jobs, work_dir, on_progress)
    repetitions = _SEEDS[protocol] if n_seeds is None else n_seeds
    if protocol == "folds":
        if splits is None:
            splits = [
                split
                for number in range(repetitions)
                for split in per_model_folds(matrix, n_folds, seed + number)
            ]
        tasks = fold_tasks(matrix, splits, seed, max_folds)
        folds, table = run(tasks)
        figures = headline(matrix, table, ranking_of(matrix, folds, table))
    elif protocol == "probes":
        figures, table, tasks = _probes(
            run, policies, ks or _KS[protocol], seed, repetitions, low_cost, max_folds
        )
    else:
        if protocol == "new-release":
            tasks = new_release_tasks(
                matrix,
                default_families(matrix) if families is None else families,
                ks=ks or _KS[protocol],
                n_seeds=repetitions,
                seed=seed,
            )
        else:
            tasks = curve_tasks(matrix, ks=ks or _KS[protocol], n_seeds=repetitions, seed=seed)
        tasks = tasks[:max_folds]
        folds, table = run(tasks)
        figures = headline(matrix, table, ranking_of(matrix, folds, table))
        figures["by_k"] = _by_k(folds, table)
    run.forget(tasks)
    figures["wall_s"] = time.perf_counter() - start
    return EvaluationResult(protocol, method.name, figures, table)


def _by_k(folds: Sequence[FinishedFold], table: CellTable) -> dict[str, Any]:
    """Figures per number of revealed scores; hidden cells only, and the published way."""
    out = {}
    for k in sorted(set(table.cells["k"])):
        part = table.select((table.cells["k"] == k).to_numpy())
        shown = sum(len(fold.task.revealed) for fold in folds if fold.task.tags["k"] == k)
        entry = {**short(part), **counted(part, shown)}
        if "family" in part.cells:
            per_family = [
                short(part.select((part.cells["family"] == family).to_numpy()))
                for family in sorted(set(part.cells["family"]))
            ]
            for name in ("medae", "medape"):
                values = np.array([row[name] for row in per_family])
                known = values[np.isfinite(values)]
                entry[f"{name}_family_median"] = np.median(known) if known.size else np.nan
        out[str(k)] = entry
    return out


def _probes(
    run: _Run,
    policies: Sequence[Policy],
    ks: Sequence[int],
    seed: int,
    n_sets: int,
    low_cost: Sequence[str] | None,
    max_folds: int | None,
) -> tuple[dict[str, Any], CellTable, list[FoldTask]]:
    length = max(ks)
    wanted = list(policies)
    if isinstance(run.method, PlanningMethod):
        wanted.extend(_planned(run, run.method, length, seed, low_cost))
    if n_sets and not any(policy.name == "random" for policy in wanted):
        wanted.append(random_policy(run.matrix, n_sets, seed, length))
        cheap = low_cost_of(run.matrix, low_cost)
        if cheap:
            name = f"random{LOW_COST}"
            wanted.append(random_policy(run.matrix, n_sets, seed, length, name=name, among=cheap))
    plan = plan_probes(run.matrix, wanted, ks, seed)
    if max_folds is not None:
        uses = {use: [n for n in numbers if n < max_folds] for use, numbers in plan.uses.items()}
        plan = PlannedProbes(plan.tasks[:max_folds], uses)
    folds, table = run(plan.tasks, lambda made: by_policy(plan, made))
    curves, ranking = policy_curves(run.matrix, wanted, ks, folds, table, seed)
    return {**headline(run.matrix, table, ranking), "policies": curves}, table, plan.tasks


def _planned(
    run: _Run, method: PlanningMethod, length: int, seed: int, low_cost: Sequence[str] | None
) -> Sequence[Policy]:
    if run.executor is not None:
        return method.policies(run.matrix, length, seed, low_cost, run.executor)
    with spawned_executor(run.jobs) as executor:
        return method.policies(run.matrix, length, seed, low_cost, executor)


def _structure(matrix: ScoreMatrix, seed: int) -> dict[str, Any]:
    module = importlib.import_module("bayesbench.structure")
    figures: dict[str, Any] = dict(module.evaluate_structure(matrix, seed=seed))
    return figures
