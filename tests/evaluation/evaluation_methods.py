"""Methods for the tests of the evaluation; importable by spawned processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.evaluation import CellPredictions, Policy
from bayesbench.evaluation.tasks import FinishedFold, FoldTask, training_matrix
from bayesbench.scores.matrix import ScoreMatrix


@dataclass(frozen=True)
class Normal:
    """Column mean with normal intervals of the column's deviation times `width`."""

    width: float = 1.0
    name: str = "normal"

    def predict(self, train: ScoreMatrix, cells: np.ndarray, seed: int) -> CellPredictions:
        from statistics import NormalDist

        steps = np.array([NormalDist().inv_cdf(float(p)) for p in PREDICTIVE_LEVELS])
        values = [column[np.isfinite(column)] for column in train.values.T]
        mean = np.array([column.mean() if column.size else np.nan for column in values])
        sd = np.array([column.std() if column.size else np.nan for column in values])
        column = cells[:, 1]
        quantiles = mean[column, None] + self.width * sd[column, None] * steps
        return CellPredictions(mean[column], quantiles, extras={"sd": sd[column]})


@dataclass(frozen=True)
class Logged:
    """Benchmark mean that notes every fold in a file, and may die at one of them."""

    log: str
    die_at: int = -1
    kill: bool = False
    name: str = "logged"

    @property
    def fingerprint(self) -> str:
        """The same run, whether it dies or not."""
        return self.log

    def predict(self, train: ScoreMatrix, cells: np.ndarray, seed: int) -> CellPredictions:
        path = Path(self.log)
        n_before = len(path.read_text().split()) if path.exists() else 0
        if n_before == self.die_at:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError("died")
        with path.open("a") as file:
            file.write(f"{seed}\n")
        return Normal().predict(train, cells, seed)


@dataclass(frozen=True)
class Grouped:
    """Batch method: one call per group; its last step adds the number of folds of the seed."""

    log: str
    name: str = "grouped"

    def predict(self, train: ScoreMatrix, cells: np.ndarray, seed: int) -> CellPredictions:
        return Normal().predict(train, cells, seed)

    def predict_tasks(
        self, matrix: ScoreMatrix, tasks: Sequence[FoldTask]
    ) -> list[CellPredictions]:
        with Path(self.log).open("a") as file:
            file.write(f"{len(tasks)}\n")
        shown = [training_matrix(matrix, task) for task in tasks]
        return [
            self.predict(train, cells, task.random_seed)
            for (train, cells), task in zip(shown, tasks, strict=True)
        ]

    def finalize(self, matrix: ScoreMatrix, folds: Sequence[FinishedFold]) -> list[CellPredictions]:
        return [
            replace(
                fold.predictions,
                quantiles=None,
                median=fold.predictions.median
                + sum(other.task.seed == fold.task.seed for other in folds),
            )
            for fold in folds
        ]


@dataclass(frozen=True)
class Planner(Normal):
    """Normal with a probe policy of its own."""

    def policies(
        self,
        matrix: ScoreMatrix,
        rows: np.ndarray,
        length: int,
        seed: int,
        low_cost: Sequence[str] | None,
        executor: Executor | None = None,
    ) -> list[Policy]:
        first = tuple(low_cost or matrix.benchmark_ids)[:length]
        own = {matrix.model_ids[0]: matrix.benchmark_ids[::-1][:length]}
        return [Policy("planned", (first,)), Policy("adaptive", (own,))]
