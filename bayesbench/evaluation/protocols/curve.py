"""Protocol P5: the learning curve, scores of a model revealed one at a time in random order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...scores.matrix import ScoreMatrix
from ..cells import CellTable, ranking_of
from ..figures import by_k, headline
from ..predictor import Setting
from ..tasks import FinishedFold, FoldTask
from .interface import at_least, whole_numbers
from .partly_revealed import partly_revealed

__all__ = ["Curve"]


@dataclass(frozen=True)
class Curve:
    """Hide all but a few scores of some models, every other model stays.

    Attributes
    ----------
    ks : sequence of int
        Numbers of revealed scores.
    seeds : int
        Random orders per model.
    models_per_fit : int, optional
        So many models, drawn at random, are hidden together to spare fits; by default a tenth of
        all. 1 is the protocol to the letter.
    seed : int
        The first one; of the methods too.
    max_folds : int, optional
        Only the first so many tasks.

    Raises
    ------
    UsageError
        If a number is out of its range.

    Examples
    --------
    >>> Curve(ks=[1, 2], seeds=3)
    Curve(ks=(1, 2), seeds=3, models_per_fit=None, seed=42, max_folds=None)
    """

    ks: Sequence[int] = (1, 2, 3, 5, 8, 13)
    seeds: int = 10
    models_per_fit: int | None = None
    seed: int = 42
    max_folds: int | None = None

    name: ClassVar[str] = "curve"
    setting: ClassVar[Setting] = "cells"
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {"by_k": ("k",)}

    def __post_init__(self) -> None:
        object.__setattr__(self, "ks", whole_numbers(self, "ks"))
        at_least(self, 1, "seeds", "models_per_fit", "max_folds")
        at_least(self, 0, "seed")

    def tasks(self, matrix: ScoreMatrix) -> list[FoldTask]:
        """One task per draw, group of models and k, in this order.

        A model with no more than k scores sits out at k.
        """
        tasks = partly_revealed(
            matrix,
            "models",
            np.flatnonzero(matrix.observed.any(axis=1)),
            per_fit=self.models_per_fit or max(1, math.ceil(matrix.shape[0] / 10)),
            ks=self.ks,
            seeds=self.seeds,
            seed=self.seed,
        )
        return tasks[: self.max_folds]

    def figures(
        self, matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
    ) -> dict[str, Any]:
        """Figures over all hidden cells, and ``by_k``."""
        pooled = headline(matrix, table, ranking_of(matrix, folds, table))
        return {**pooled, "by_k": by_k(folds, table)}
