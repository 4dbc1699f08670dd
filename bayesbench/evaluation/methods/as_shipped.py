"""The low-rank model in protocol P7: conditioned, asked and recalibrated as it ships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...answers.predictive import PREDICTIVE_LEVELS
from ...errors import ScoreError
from ...front.model import Model
from ...front.posterior import Posterior, open_posterior
from ...low_rank.facts import ModelFacts
from ...scores.matrix import ScoreMatrix
from ..honesty import RAW, RAW_LEVELS
from ..predictions import CellPredictions, IntArray
from ..tasks import FoldTask
from .front_door import UserFit

__all__ = ["AsShippedLowRank"]


@dataclass(frozen=True)
class AsShippedLowRank:
    """A fit or a given posterior, then `Posterior.condition` and `Model.predict`, as users call it.

    Attributes
    ----------
    name : str
    fit : UserFit
        Of the models before a cutoff, those with few scores left out by the protocol; a posterior
        that is given is asked as it is.
    """

    name: str
    fit: UserFit = field(default_factory=UserFit)

    inputs: ClassVar[tuple[str, ...]] = ("scores", "facts", "id")
    reveals: ClassVar[tuple[str, ...]] = ("random", "adaptive")

    @classmethod
    def built(cls, name: str, options: Mapping[str, Any]) -> AsShippedLowRank:
        """The method ``low-rank`` (or -nuts, -svi) with its options, those of `UserFit`."""
        return cls(name, UserFit.built(name, options))

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict one model from its shown scores alone, by a fit of all others of `train`."""
        row = int(cells[0, 0])
        others = np.delete(np.arange(train.shape[0]), row)
        posterior = self.fit.of(_trained(train, others), least=0)
        shown = train.observed[row]
        return _answered(posterior, train, row, cells[:, 1], np.flatnonzero(shown), "scores", seed)

    def predict_tasks(
        self, matrix: ScoreMatrix, tasks: Sequence[FoldTask]
    ) -> list[CellPredictions]:
        """Tasks that share their other models share the posterior."""
        fits: dict[tuple[int, ...], Posterior] = {}
        paths: dict[tuple[int, str], list[int]] = {}
        longest = max(int(task.tags["k"]) for task in tasks)
        out = []
        for task in tasks:
            row, columns = int(task.cells[0, 0]), task.cells[:, 1]
            posterior = self._posterior(matrix, task, row, fits)
            told, seed = str(task.tags["input"]), task.random_seed % 2**31
            shown = task.revealed[:, 1]
            if task.tags["reveal"] == "adaptive":
                if (row, told) not in paths:
                    paths[row, told] = _path(posterior, matrix, row, columns, told, seed, longest)
                shown = np.array(paths[row, told][: int(task.tags["k"])], dtype=np.int64)
            out.append(_answered(posterior, matrix, row, columns, shown, told, seed))
        return out

    def _posterior(
        self,
        matrix: ScoreMatrix,
        task: FoldTask,
        row: int,
        fits: dict[tuple[int, ...], Posterior],
    ) -> Posterior:
        if task.posterior:
            return _opened(task.posterior, Path(task.posterior).stat().st_mtime_ns)
        rows = np.arange(matrix.shape[0]) if task.rows is None else task.rows
        others = rows[rows != row]
        key = tuple(others.tolist())
        if key not in fits:
            fits[key] = self.fit.of(_trained(matrix.mask(task.hidden), others), least=0)
        return fits[key]


@lru_cache(maxsize=2)
def _opened(path: str, _changed: int) -> Posterior:
    """A posterior file, read once for all models that are asked about."""
    return open_posterior(path)


def _trained(matrix: ScoreMatrix, rows: IntArray) -> ScoreMatrix:
    """The shown scores of some models, without the benchmarks that have none."""
    part = matrix.subset(models=[matrix.model_ids[row] for row in rows])
    there = np.asarray(part.observed.any(axis=0))
    return part.subset(benchmarks=[part.benchmark_ids[j] for j in np.flatnonzero(there)])


def _asked(
    posterior: Posterior, matrix: ScoreMatrix, row: int, scores: IntArray, told: str, seed: int
) -> Model:
    return posterior.condition(
        {matrix.benchmark_ids[j]: float(matrix.values[row, j]) for j in scores},
        facts=None if told == "scores" else ModelFacts.of(matrix, row),
        id=matrix.model_ids[row] if told == "id" else None,
        seed=seed,
    )


def _path(
    posterior: Posterior,
    matrix: ScoreMatrix,
    row: int,
    columns: IntArray,
    told: str,
    seed: int,
    length: int,
) -> list[int]:
    """Benchmarks in the order in which they are recommended, each after the score of the last."""
    column = {matrix.benchmark_ids[j]: int(j) for j in columns}
    left = [name for name in column if name in posterior.benchmark_ids]
    path: list[int] = []
    while left and len(path) < length:
        try:
            model = _asked(posterior, matrix, row, np.array(path, dtype=np.int64), told, seed)
        except ScoreError:  # the product refuses the score it asked for: so do the predictions
            break
        found = model.recommend(1, candidates=left)
        name = found[0].benchmark_id if len(found) else left[0]
        left.remove(name)
        path.append(column[name])
    return path


def _answered(
    posterior: Posterior,
    matrix: ScoreMatrix,
    row: int,
    columns: IntArray,
    shown: IntArray,
    told: str,
    seed: int,
) -> CellPredictions:
    """Predictions of the columns but those shown; nothing where the product refuses a score."""
    n = columns.size
    median, raw = np.full(n, np.nan), np.full((n, len(RAW_LEVELS)), np.nan)
    quantiles = np.full((n, PREDICTIVE_LEVELS.size), np.nan)
    looked = np.isin(columns, shown)
    extras = {"shown": looked, RAW: raw}
    known = np.isin([matrix.benchmark_ids[j] for j in columns], posterior.benchmark_ids)
    at = np.flatnonzero(known & ~looked)
    try:
        model = _asked(posterior, matrix, row, shown, told, seed % 2**31)
    except ScoreError:
        return CellPredictions(median, quantiles, extras=extras)
    if at.size:
        made = model.predict([matrix.benchmark_ids[columns[i]] for i in at])
        median[at], quantiles[at] = made.median, made.cells.score_quantiles
        raw[at] = made.raw.table(RAW_LEVELS)
    return CellPredictions(median, quantiles, extras=extras)
