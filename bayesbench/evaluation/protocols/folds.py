"""Protocols P1 and P2: random cells of every model are held out, all the rest is training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ...errors import UsageError
from ...scores.matrix import ScoreMatrix
from ...scores.splits import Split, per_model_folds
from ..cells import CellTable, ranking_of
from ..figures import headline
from ..pair_order import published_ranking
from ..predictor import Setting
from ..tasks import FinishedFold, FoldTask, task_seed
from .interface import at_least

__all__ = ["Folds"]


@dataclass(frozen=True)
class Folds:
    """Hold out folds of the observed cells.

    Attributes
    ----------
    splits : sequence of Split, optional
        The held-out sets; without them `n_folds` folds per model for each of `seeds` seeds from
        `seed` on.
    n_folds : int
        A fold holds 1 / n_folds of every model's scores.
    seeds : int
        Number of partitions.
    seed : int
        Of the partitions and the methods.
    max_folds : int, optional
        Only the first so many folds.

    Raises
    ------
    UsageError
        If a number is out of its range, or `splits` stand beside `n_folds` or `seeds`.

    Examples
    --------
    >>> Folds(seeds=3).n_folds
    3
    """

    splits: Sequence[Split] | None = field(default=None, repr=False)
    n_folds: int = 3
    seeds: int = 1
    seed: int = 42
    max_folds: int | None = None

    name: ClassVar[str] = "folds"
    setting: ClassVar[Setting] = "cells"
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __post_init__(self) -> None:
        at_least(self, 2, "n_folds")
        at_least(self, 1, "seeds", "max_folds")
        at_least(self, 0, "seed")
        if self.splits is not None:
            object.__setattr__(self, "splits", tuple(self.splits))
            if (self.n_folds, self.seeds) != (Folds.n_folds, Folds.seeds):
                raise UsageError("splits say which folds there are: leave out n_folds and seeds")

    def tasks(self, matrix: ScoreMatrix) -> list[FoldTask]:
        """One task per fold: its cells are hidden."""
        splits = self.splits
        if splits is None:
            splits = [
                split
                for number in range(self.seeds)
                for split in per_model_folds(matrix, self.n_folds, self.seed + number)
            ]
        return [
            FoldTask(
                seed=split.seed,
                fold=split.fold,
                cells=np.asarray(split.cells, dtype=np.int64),
                hidden=split.mask(matrix.shape),
                random_seed=task_seed(self.seed, split.seed, split.fold),
                group=str(split.seed),
            )
            for split in splits[: self.max_folds]
        ]

    def figures(
        self, matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
    ) -> dict[str, Any]:
        """Figures over all held-out cells, pooled, and the ranking as published."""
        pooled = headline(matrix, table, ranking_of(matrix, folds, table))
        return {**pooled, "ranking_published": published_ranking(matrix, folds, table)}
