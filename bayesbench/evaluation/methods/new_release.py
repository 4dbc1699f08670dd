"""The low-rank model in protocol P3: releases predicted from the models before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...answers.calibrated import predictive_features
from ...answers.predictive import PREDICTIVE_LEVELS, Predictive, predict_cells
from ...errors import UsageError
from ...fitting.crossfit import (
    HeldOut,
    condition_on_row,
    held_out_models,
    held_out_releases,
)
from ...fitting.engines.contract import Engine
from ...fitting.sample import sample
from ...low_rank.spec import ModelSpec
from ...posterior.calibration import Recalibration
from ...posterior.stored import StoredPosterior
from ...scores.matrix import ScoreMatrix
from ..predictions import CellPredictions, IntArray
from ..tasks import FoldTask
from .low_rank_options import FOLD_CONFIG, gibbs_only, settings

__all__ = ["NewReleaseLowRank"]

UPDATES = ("refit", "condition")


@dataclass(frozen=True)
class NewReleaseLowRank:
    """Low-rank model of the models before a release, brought up to date with what it shows.

    Recalibrated on cross-fits of whole models inside the training scores, in time order where
    dates are known, brought up to date in the same way.

    Attributes
    ----------
    name : str
    spec : ModelSpec
    config : Engine
    update : {"refit", "condition"}
        Fit everything shown together, so that siblings released together tell of each other; or
        condition one fit of the earlier models on each new model's scores alone.
    """

    name: str
    spec: ModelSpec = field(default_factory=ModelSpec)
    config: Engine = FOLD_CONFIG
    update: str = "refit"

    def __post_init__(self) -> None:
        if self.update not in UPDATES:
            raise UsageError(f"update must be {' or '.join(UPDATES)}, got {self.update!r}")

    @classmethod
    def built(cls, name: str, options: Mapping[str, Any]) -> NewReleaseLowRank:
        """The method ``low-rank`` with its options, of which ``update`` is one."""
        gibbs_only(name, "new-release")
        rest = {key: value for key, value in options.items() if key != "update"}
        spec, config = settings(name, rest, FOLD_CONFIG, "update")
        return cls(name, spec, config, options.get("update", cls.update))

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict models that show a few scores; all others of `train` were out before them."""
        rest = np.setdiff1d(np.flatnonzero(train.observed.any(axis=1)), cells[:, 0])
        others = _only(train, rest)
        recalibration = self._recalibration(others, seed, train.n_cells)
        if self.update == "refit":
            return self._refitted(train, train.n_cells, recalibration, cells, seed)
        posterior = self._fit(others, train.n_cells, seed)
        return self._conditioned(posterior, recalibration, train, cells, seed)

    def predict_tasks(
        self, matrix: ScoreMatrix, tasks: Sequence[FoldTask]
    ) -> list[CellPredictions]:
        """The tasks that share their other models share the recalibration too."""
        recalibrations: dict[tuple[int, ...], Recalibration | None] = {}
        fits: dict[tuple[int, ...], StoredPosterior] = {}
        size, first = matrix.n_cells, tasks[0].random_seed
        out = []
        for task in tasks:
            rows = np.arange(matrix.shape[0]) if task.rows is None else task.rows
            rest = np.setdiff1d(rows, task.cells[:, 0])
            others, key = _only(matrix, rest), tuple(rest.tolist())
            if key not in recalibrations:
                recalibrations[key] = self._recalibration(others, first, size)
            train = _only(matrix.mask(task.hidden), rows)
            cells, seed = task.cells, task.random_seed
            if self.update == "refit":
                out.append(self._refitted(train, size, recalibrations[key], cells, seed))
                continue
            if key not in fits:
                fits[key] = self._fit(others, size, first)
            out.append(self._conditioned(fits[key], recalibrations[key], train, cells, seed))
        return out

    def _fit(self, train: ScoreMatrix, size: int, seed: int) -> StoredPosterior:
        return sample(
            train, self.spec, self.config, seed=seed % 2**31, n_readings=size, check=False
        )

    def _recalibration(self, others: ScoreMatrix, seed: int, size: int) -> Recalibration | None:
        source = held_out_releases if self.update == "refit" else held_out_models
        parts = source(others, self.spec, self.config.lighter(), seed=seed % 2**31, n_readings=size)
        return HeldOut.joined(parts).recalibration("models") if parts else None

    def _refitted(
        self,
        train: ScoreMatrix,
        size: int,
        recalibration: Recalibration | None,
        cells: IntArray,
        seed: int,
    ) -> CellPredictions:
        posterior = self._fit(train, size, seed)
        known = np.flatnonzero(np.asarray(train.observed.any(axis=0))[cells[:, 1]])
        made = predict_cells(posterior, cells[known])
        shown = train.observed.sum(axis=1)[cells[known, 0]]
        return _placed(len(cells), [(known, _recalibrated(made, recalibration, shown, train))])

    def _conditioned(
        self,
        posterior: StoredPosterior,
        recalibration: Recalibration | None,
        train: ScoreMatrix,
        cells: IntArray,
        seed: int,
    ) -> CellPredictions:
        parts = []
        for model in np.unique(cells[:, 0]):
            rows = np.flatnonzero(cells[:, 0] == model)
            shown = np.flatnonzero(train.observed[model])
            made = condition_on_row(posterior, train, int(model), shown, seed % 2**31)
            count = np.full(rows.size, shown.size)
            made = made.take(cells[rows, 1])
            parts.append((rows, _recalibrated(made, recalibration, count, posterior.matrix)))
        return _placed(len(cells), parts)


def _only(matrix: ScoreMatrix, rows: IntArray) -> ScoreMatrix:
    """The scores of some models; all other rows stay, empty, to keep the shape."""
    hidden = matrix.observed.copy()
    hidden[rows] = False
    return matrix.mask(hidden)


def _recalibrated(
    made: Predictive, recalibration: Recalibration | None, shown: IntArray, fitted: ScoreMatrix
) -> Predictive:
    if recalibration is None:
        return made
    per_benchmark = fitted.observed.sum(axis=0)[made.column].astype(np.float64)
    features = predictive_features(made, shown.astype(np.float64), per_benchmark)
    quantiles = recalibration.apply(made.quantiles, PREDICTIVE_LEVELS, features)
    return replace(made, quantiles=quantiles)


def _placed(n: int, parts: Sequence[tuple[IntArray, Predictive]]) -> CellPredictions:
    median = np.full(n, np.nan)
    quantiles = np.full((n, PREDICTIVE_LEVELS.size), np.nan)
    for rows, made in parts:
        median[rows], quantiles[rows] = made.median, made.score_quantiles
    return CellPredictions(median, quantiles)
