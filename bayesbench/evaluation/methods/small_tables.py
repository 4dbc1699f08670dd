"""The low-rank model in protocol P8: a small table fitted and recalibrated as users do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...answers.predictive import PREDICTIVE_LEVELS
from ...errors import DataError, UsageError
from ...low_rank.facts import COVARIATES
from ...scores.matrix import ScoreMatrix
from ..honesty import RAW, RAW_LEVELS
from ..predictions import CellPredictions, IntArray
from .front_door import UserFit

__all__ = ["SmallTablesLowRank"]


@dataclass(frozen=True)
class SmallTablesLowRank:
    """`fit` of a small table and `Posterior.predict`, as users call them.

    Attributes
    ----------
    name : str
    fit : UserFit
    facts : bool
        Whether the table says more of its models than their ids; a table of scores does not.
    least : int, optional
        Least number of scores of a model and of a benchmark, as ``--min-model`` and
        ``--min-benchmark`` of ``bayesbench fit``; by default what `fit` finds to suit the table.
    """

    name: str
    fit: UserFit = field(default_factory=UserFit)
    facts: bool = False
    least: int | None = None

    def __post_init__(self) -> None:
        whole = isinstance(self.least, int) and not isinstance(self.least, bool)
        if self.least is not None and (not whole or self.least < 0):
            raise UsageError(f"least must be a whole number from 0 on, got {self.least!r}")
        if not isinstance(self.facts, bool):
            raise UsageError(f"facts must be true or false, got {self.facts!r}")

    @classmethod
    def built(cls, name: str, options: Mapping[str, Any]) -> SmallTablesLowRank:
        """The method ``low-rank`` (or -nuts, -svi) with its options: of `UserFit` and its own."""
        own = {key: options[key] for key in ("facts", "least") if key in options}
        rest = {key: value for key, value in options.items() if key not in own}
        return cls(name, UserFit.built(name, rest), **own)

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict held-out cells of a table; none where it is too small for a fit."""
        n = len(cells)
        median, raw = np.full(n, np.nan), np.full((n, len(RAW_LEVELS)), np.nan)
        quantiles = np.full((n, PREDICTIVE_LEVELS.size), np.nan)
        try:
            posterior = self.fit.of(_table(train, self.facts), seed % 2**31, self.least)
        except DataError:
            return CellPredictions(median, quantiles, extras={RAW: raw})
        rows = {name: at for at, name in enumerate(posterior.model_ids)}
        columns = {name: at for at, name in enumerate(posterior.benchmark_ids)}
        row = np.array([rows.get(train.model_ids[i], -1) for i in cells[:, 0]])
        column = np.array([columns.get(train.benchmark_ids[j], -1) for j in cells[:, 1]])
        at = np.flatnonzero((row >= 0) & (column >= 0))
        if at.size:
            whole = posterior.predict()
            place = row[at] * len(columns) + column[at]
            made = whole.cells.take(place)  # type: ignore[union-attr]
            median[at], quantiles[at] = made.median, made.score_quantiles
            raw[at] = whole.raw.take(place).table(RAW_LEVELS)  # type: ignore[union-attr]
        return CellPredictions(median, quantiles, extras={RAW: raw})


def _table(train: ScoreMatrix, facts: bool) -> ScoreMatrix:
    """What a user's file holds: rows and columns with a score, and the facts if it has them."""
    rows, columns = (np.flatnonzero(train.observed.any(axis=axis)) for axis in (1, 0))
    table = train.subset(
        [train.model_ids[i] for i in rows], [train.benchmark_ids[j] for j in columns]
    )
    if facts:
        return table
    models = table.models.copy()
    nothing = np.zeros(len(models), dtype=np.bool_)
    for name in ("provider", *COVARIATES):
        models[name] = models[name].where(nothing)
    return ScoreMatrix(models, table.benchmarks, table.readings)
