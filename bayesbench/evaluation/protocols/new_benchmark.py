"""How many models must have run a new benchmark: k of its scores shown, the others predicted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import DataError
from ...scores.matrix import ScoreMatrix
from ..cells import CellTable, ranking_of
from ..figures import by_k, headline
from ..predictor import Setting
from ..tasks import FinishedFold, FoldTask
from .interface import at_least, whole_numbers
from .partly_revealed import partly_revealed

__all__ = ["NewBenchmark"]


@dataclass(frozen=True)
class NewBenchmark:
    """Hide all but a few scores of some benchmarks, every other benchmark stays.

    Benchmarks with no more scores than the largest k sit out, so that every k is measured on the
    same ones.

    Attributes
    ----------
    ks : sequence of int
        Numbers of models whose score is shown, drawn at random; those of a smaller k are among
        those of a larger one.
    seeds : int
        Random orders of the models per benchmark.
    benchmarks_per_fit : int, optional
        So many benchmarks, drawn at random, are hidden together to spare fits; by default an
        eighth of those taken. 1 is the protocol to the letter.
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
    >>> NewBenchmark(ks=[5, 10]).ks
    (5, 10)
    """

    ks: Sequence[int] = (5, 10, 15, 20)
    seeds: int = 1
    benchmarks_per_fit: int | None = None
    seed: int = 42
    max_folds: int | None = None

    name: ClassVar[str] = "new-benchmark"
    setting: ClassVar[Setting] = "cells"
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {"by_k": ("k",)}

    def __post_init__(self) -> None:
        object.__setattr__(self, "ks", whole_numbers(self, "ks"))
        at_least(self, 1, "seeds", "benchmarks_per_fit", "max_folds")
        at_least(self, 0, "seed")

    def tasks(self, matrix: ScoreMatrix) -> list[FoldTask]:
        """One task per draw, group of benchmarks and k, in this order.

        Raises
        ------
        DataError
            If no benchmark has more scores than the largest k.
        """
        most = max(self.ks)
        taken = np.flatnonzero(matrix.observed.sum(axis=0) > most)
        if not taken.size:
            raise DataError(f"no benchmark has more than {most} scores; ask for smaller ks")
        tasks = partly_revealed(
            matrix,
            "benchmarks",
            taken,
            per_fit=self.benchmarks_per_fit or math.ceil(taken.size / 8),
            ks=self.ks,
            seeds=self.seeds,
            seed=self.seed,
        )
        return tasks[: self.max_folds]

    def figures(
        self, matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
    ) -> dict[str, Any]:
        """Figures over all hidden cells, and ``by_k``, whose intervals are over benchmarks."""
        pooled = headline(matrix, table, ranking_of(matrix, folds, table))
        return {**pooled, "by_k": by_k(folds, table, clusters="benchmark_id")}
