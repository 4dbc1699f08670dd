"""The low-rank model in protocol P4: each model is left out of the fit and then conditioned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ...fitting.chains import run_all
from ...fitting.crossfit import HeldOut, condition_on_row
from ...fitting.engines.contract import Engine
from ...fitting.engines.settings import Gibbs
from ...fitting.sample import sample
from ...low_rank.link import Transform
from ...low_rank.spec import ModelSpec
from ...posterior.calibration import Recalibration
from ...posterior.stored import StoredPosterior
from ...progress import Report
from ...scores.matrix import ScoreMatrix
from ..policies import Policy
from ..predictions import CellPredictions, IntArray
from ..tasks import FinishedFold, FoldTask
from .low_rank_options import FOLD_CONFIG, gibbs_only, settings
from .probe_orders import (
    by_information,
    by_variance,
    in_sample_policies,
    informed_policies,
    own_order,
)
from .raw import held_out, raw_predictions, recalibrated_fold

__all__ = ["ProbesLowRank"]

Orders = tuple[tuple[str, ...], tuple[str, ...]]

MOST_CELLS = 8000
"""Held-out predictions that one recalibration learns from, drawn from all there are."""
PARTS = 12
"""Models are dealt into so many parts; each is recalibrated on the others."""


@dataclass(frozen=True)
class ProbesLowRank:
    """Low-rank model of all models but one, conditioned on the scores that one shows.

    Recalibrated on the predictions of other models, each made by a fit that left it out.

    Attributes
    ----------
    name : str
    spec : ModelSpec
    config : Engine
        Of the fits whose predictions are evaluated.
    planning : Engine
        Of the fits that choose adaptive probes.
    """

    name: str
    spec: ModelSpec = field(default_factory=ModelSpec)
    config: Engine = FOLD_CONFIG
    planning: Engine = field(default_factory=lambda: Gibbs().lighter())

    @classmethod
    def built(cls, name: str, options: Mapping[str, Any]) -> ProbesLowRank:
        """The method ``low-rank`` with its options, which go for the planning fits too."""
        gibbs_only(name, "probes")
        spec, config = settings(name, options, FOLD_CONFIG)
        _, planning = settings(name, options, Gibbs().lighter())
        return cls(name, spec, config, planning)

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Raw predictions of the one model that has cells to predict."""
        row = int(cells[0, 0])
        return self._conditioned(self._without(train, row, seed), train, row, cells, seed)

    def predict_tasks(
        self, matrix: ScoreMatrix, tasks: Sequence[FoldTask]
    ) -> list[CellPredictions]:
        """One fit for all tasks of a model."""
        fits: dict[int, StoredPosterior] = {}
        out = []
        for task in tasks:
            row, seed = int(task.cells[0, 0]), task.random_seed
            if row not in fits:
                fits[row] = self._without(matrix, row, tasks[0].random_seed)
            train = matrix.mask(task.hidden)
            out.append(self._conditioned(fits[row], train, row, task.cells, seed))
        return out

    def finalize(self, matrix: ScoreMatrix, folds: Sequence[FinishedFold]) -> list[CellPredictions]:
        """Recalibrate each model's predictions on those of other models, policy by policy.

        Which scores are shown bears on how hard the others are to predict, so every policy is
        recalibrated on its own folds.
        """
        base = Transform.from_matrix(matrix)
        # policies share folds, and what a fold teaches is worked out once
        keys = [(id(fold.predictions), id(fold.truth)) for fold in folds]
        shared = dict(zip(keys, folds, strict=True))
        taught = {key: held_out(matrix, base, fold) for key, fold in shared.items()}
        parts = [taught[key] for key in keys]
        owner = np.array([int(fold.task.cells[0, 0]) for fold in folds])
        part_of = _dealt(owner)
        policy = [str(fold.task.tags.get("policy", "")) for fold in folds]
        learned: dict[tuple[str, int], Recalibration | None] = {}
        for name in sorted(set(policy)):
            mine = [n for n, own in enumerate(policy) if own == name]
            everything = HeldOut.joined([parts[n] for n in mine])
            part_of_cell = np.repeat(part_of[mine], [parts[n].truth.size for n in mine])
            for part in sorted(set(part_of[mine].tolist())):
                others = np.flatnonzero(part_of_cell != part)
                learned[name, part] = _sample(everything, others, part).recalibration()
        return [
            recalibrated_fold(matrix, base, fold, learned[name, int(part)])
            for fold, name, part in zip(folds, policy, part_of, strict=True)
        ]

    def policies(
        self,
        matrix: ScoreMatrix,
        length: int,
        seed: int,
        low_cost: Sequence[str] | None,
        executor: Executor | None = None,
    ) -> list[Policy]:
        """Global, low-cost and adaptive orders by information; by variance; in-sample ones."""
        rows = [int(row) for row in np.flatnonzero(matrix.observed.any(axis=1))]
        plan = partial(_own_orders, self, matrix, length, seed)
        if executor is None:
            made = run_all([_quietly(plan, row) for row in rows], first_alone=True)
        else:
            made = list(executor.map(plan, rows))
        orders = dict(zip((matrix.model_ids[row] for row in rows), made, strict=True))
        fitted = sample(matrix, self.spec, self.config, seed=seed, check=False)
        return [
            *informed_policies(fitted, matrix, length, low_cost),
            Policy("epig-adaptive", ({name: own[0] for name, own in orders.items()},)),
            Policy("max-variance-adaptive", ({name: own[1] for name, own in orders.items()},)),
            *in_sample_policies(fitted, matrix, length),
        ]

    def _without(
        self, matrix: ScoreMatrix, row: int, seed: int, config: Engine | None = None
    ) -> StoredPosterior:
        """Fit of all models but one; its row stays, empty, to keep the shape."""
        hidden = np.zeros(matrix.shape, dtype=np.bool_)
        hidden[row] = matrix.observed[row]
        return sample(
            matrix.mask(hidden),
            self.spec,
            config or self.config,
            seed=seed % 2**31,
            n_readings=matrix.n_cells,
            check=False,
        )

    def _conditioned(
        self, posterior: StoredPosterior, train: ScoreMatrix, row: int, cells: IntArray, seed: int
    ) -> CellPredictions:
        shown = np.flatnonzero(train.observed[row])
        made = condition_on_row(posterior, train, row, shown, seed % 2**31).take(cells[:, 1])
        per_benchmark = posterior.matrix.observed.sum(axis=0)[cells[:, 1]]
        count = np.full(len(cells), float(shown.size))
        return raw_predictions(made, count, per_benchmark.astype(np.float64))


def _own_orders(
    method: ProbesLowRank, matrix: ScoreMatrix, length: int, seed: int, row: int
) -> Orders:
    """Adaptive orders of one model by information and by variance, from a fit without it."""
    posterior = method._without(matrix, row, seed + 1 + row, method.planning)
    informed = own_order(posterior, matrix, row, length, by_information)
    return informed, own_order(posterior, matrix, row, length, by_variance)


def _quietly(plan: Callable[[int], Orders], row: int) -> Callable[[Report], Orders]:
    return lambda _: plan(row)


def _dealt(owner: IntArray) -> IntArray:
    """Number of the part that each fold's model is dealt to."""
    models = np.unique(owner)
    dealt = np.random.default_rng(models.size).permutation(models.size) % PARTS
    return np.asarray(dealt[np.searchsorted(models, owner)])


def _sample(taught: HeldOut, rows: IntArray, seed: int) -> HeldOut:
    if rows.size > MOST_CELLS:
        rows = np.sort(np.random.default_rng([seed, 3]).choice(rows, MOST_CELLS, replace=False))
    return taught.take(rows)
