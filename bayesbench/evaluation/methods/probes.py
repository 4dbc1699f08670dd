"""The low-rank model in protocol P4: each model is left out of the fit and then conditioned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np

from ...fitting.chains import run_all
from ...fitting.crossfit import condition_on_row, learned_calibration
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
from ..predictions import BoolArray, CellPredictions, IntArray
from ..tasks import FinishedFold, FoldTask
from .low_rank_options import FOLD_CONFIG, gibbs_only, settings
from .probe_orders import ADAPTIVE, GLOBAL, global_orders, in_sample_policies, own_orders
from .raw import raw_predictions, recalibrated_fold

__all__ = ["ProbesLowRank"]

Order = tuple[str, ...]
Item = TypeVar("Item")
Made = TypeVar("Made")

PARTS = 6
"""Models are dealt into so many parts; what a part is tested with comes from fits of the others."""


@dataclass(frozen=True)
class ProbesLowRank:
    """Low-rank model of all models but one, conditioned on the scores that one shows.

    Recalibrated as a user of a fitted posterior is: by the calibration that `fit` would have
    learned, here from the models of other parts. Orders for all models, too, come from fits of the
    other parts.

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
        """Recalibrate each model's predictions by what `fit` learns from the other parts."""
        base = Transform.from_matrix(matrix)
        part_of = _dealt(matrix)
        learned: dict[int, Recalibration | None] = {}
        made: dict[tuple[int, int], CellPredictions] = {}
        out = []
        for fold in folds:
            part = int(part_of[fold.task.cells[0, 0]])
            if part not in learned:
                learned[part] = self._recalibration(matrix, part_of == part, fold.task.seed + part)
            # policies share folds
            key = (id(fold.predictions), id(fold.truth))
            if key not in made:
                made[key] = recalibrated_fold(matrix, base, fold, learned[part])
            out.append(made[key])
        return out

    def _recalibration(
        self, matrix: ScoreMatrix, part: BoolArray, seed: int
    ) -> Recalibration | None:
        """That for new models, of a posterior of all models but a part; None if too few scores."""
        found = learned_calibration(
            matrix.mask(matrix.observed & part[:, None]),
            self.spec,
            self.config.lighter(),
            seed=seed,
        )
        return None if found is None else found.of(new=True)

    def policies(
        self,
        matrix: ScoreMatrix,
        rows: IntArray,
        length: int,
        seed: int,
        low_cost: Sequence[str] | None,
        executor: Executor | None = None,
    ) -> list[Policy]:
        """Global, low-cost and adaptive orders by the criteria of `probe_orders`; in-sample ones.

        Global orders have all benchmarks, so that a model shows the first it has a score for.
        """
        part_of = _dealt(matrix)
        names = [matrix.model_ids[row] for row in rows]
        parts = sorted({int(part) for part in part_of[rows]})
        plan = partial(_own_orders, self, matrix, length, seed)
        shared = partial(_part_orders, self, matrix, part_of, seed, low_cost)
        own = _mapped(plan, [int(row) for row in rows], executor)
        of_part = dict(zip(parts, _mapped(shared, parts, executor), strict=True))
        found = [
            Policy(
                name,
                (
                    {
                        model_id: of_part[int(part_of[row])][name]
                        for model_id, row in zip(names, rows, strict=True)
                    },
                ),
            )
            for name in of_part[parts[0]]
        ]
        found += [
            Policy(
                name,
                ({model_id: orders[name] for model_id, orders in zip(names, own, strict=True)},),
            )
            for name in own[0]
        ]
        fitted = sample(matrix, self.spec, self.config, seed=seed, check=False)
        return [*found, *in_sample_policies(fitted, matrix, rows, length)]

    def _without(
        self, matrix: ScoreMatrix, row: int, seed: int, config: Engine | None = None
    ) -> StoredPosterior:
        """Fit of all models but one; its row stays, empty, to keep the shape."""
        part = np.arange(matrix.shape[0]) == row
        return self._without_part(matrix, part, seed, config or self.config)

    def _without_part(
        self, matrix: ScoreMatrix, part: BoolArray, seed: int, config: Engine
    ) -> StoredPosterior:
        return sample(
            matrix.mask(matrix.observed & part[:, None]),
            self.spec,
            config,
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
) -> dict[str, Order]:
    """Adaptive orders of one model, by name, from a fit without it."""
    posterior = method._without(matrix, row, seed + 1 + row, method.planning)
    return own_orders(posterior, matrix, row, length, ADAPTIVE)


def _part_orders(
    method: ProbesLowRank,
    matrix: ScoreMatrix,
    part_of: IntArray,
    seed: int,
    low_cost: Sequence[str] | None,
    part: int,
) -> dict[str, Order]:
    """Global orders, by name, from a fit without a part of the models."""
    left = np.asarray(part_of == part)
    posterior = method._without_part(matrix, left, seed - 1 - part, method.config)
    return global_orders(posterior, low_cost, GLOBAL)


def _mapped(
    make: Callable[[Item], Made], items: Sequence[Item], executor: Executor | None
) -> list[Made]:
    """What is made of every item, in processes or in threads here."""
    if executor is not None:
        return list(executor.map(make, items))
    return run_all([_quietly(make, item) for item in items], first_alone=True)


def _quietly(make: Callable[[Item], Made], item: Item) -> Callable[[Report], Made]:
    return lambda _: make(item)


def _dealt(matrix: ScoreMatrix) -> IntArray:
    """(M,): number of the part that each model is dealt to, at random but always the same way."""
    out = np.full(matrix.shape[0], -1, dtype=np.int64)
    models = np.flatnonzero(matrix.observed.any(axis=1))
    out[models] = np.random.default_rng(models.size).permutation(models.size) % PARTS
    return out
