"""Protocol P8: small tables, as a user brings them, fitted and recalibrated on themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import DataError, UsageError
from ...scores.matrix import ScoreMatrix
from ..cells import CellTable
from ..figures import short
from ..honesty import Judged, tables
from ..predictor import Setting
from ..tasks import FinishedFold, FoldTask, task_seed
from .interface import at_least
from .table_cuts import cut_table

__all__ = ["SmallTables"]


@dataclass(frozen=True)
class SmallTables:
    """Cut small tables at random, fit each as a user would, and predict what was held out of it.

    Attributes
    ----------
    sizes : sequence of (int, int)
        Numbers of models and benchmarks.
    fills : sequence of float
        Shares of the cells that have a score.
    tables : int
        Tables of every size and fill; those the matrix has no room for are left out.
    held_out : float
        Share of a table's scores to predict.
    seed : int
        Of the tables and the methods.
    max_folds : int, optional
        Only the first so many tables.

    Raises
    ------
    UsageError
        If a value is out of its range.

    Examples
    --------
    >>> SmallTables(sizes=[(8, 6)], fills=[0.5]).tables
    20
    """

    sizes: Sequence[tuple[int, int]] = ((8, 6), (12, 8), (20, 12), (40, 20), (60, 30))
    fills: Sequence[float] = (0.3, 0.6, 0.9)
    tables: int = 20
    held_out: float = 0.2
    seed: int = 42
    max_folds: int | None = None

    name: ClassVar[str] = "small-tables"
    setting: ClassVar[Setting] = "tables"
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {"by_size": ("scale", "size")}

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", _sizes(self.sizes))
        object.__setattr__(self, "fills", _fills(self.fills))
        at_least(self, 1, "tables", "max_folds")
        at_least(self, 0, "seed")
        if not 0 < self.held_out < 1:
            raise UsageError(
                f"held_out of SmallTables must lie between 0 and 1, got {self.held_out}"
            )

    def tasks(self, matrix: ScoreMatrix) -> list[FoldTask]:
        """One task per size, fill and table, in this order.

        Raises
        ------
        DataError
            If the matrix has no table of any of the sizes and fills.
        """
        tasks = []
        for rows, columns in self.sizes:
            for fill in self.fills:
                for number in range(self.tables):
                    path = (rows, columns, round(1000 * fill), number)
                    rng = np.random.default_rng([self.seed, *path])
                    cut = cut_table(matrix.observed, rows, columns, fill, self.held_out, rng)
                    if cut is None:
                        continue
                    hidden = matrix.observed.copy()
                    hidden[tuple(cut.shown.T)] = False
                    size = f"{rows}x{columns}"
                    tasks.append(
                        FoldTask(
                            seed=self.seed,
                            fold=number,
                            cells=cut.held_out,
                            hidden=hidden,
                            random_seed=task_seed(self.seed, *path),
                            rows=cut.rows,
                            label=f"{size} {fill:g}",
                            group=f"{size} {fill:g} {number}",
                            tags={"size": size, "fill": f"{fill:g}"},
                        )
                    )
        if not tasks:
            raise DataError(
                "the matrix has no table of these sizes and fills; give smaller --sizes or --fills"
            )
        return tasks[: self.max_folds]

    def figures(
        self, matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
    ) -> dict[str, Any]:
        """Figures over all cells, then those of `honesty`, clustered by table.

        ``by_scale``, ``by_size``, ``by_fill`` and ``crossed`` (size, then fill), each by scale
        first.
        """
        judged = Judged.of(folds, table, "n_task")
        return {
            **short(table),
            "by_scale": tables(judged),
            "by_size": tables(judged, "size"),
            "by_fill": tables(judged, "fill"),
            "crossed": tables(judged, "size", "fill"),
        }


def _sizes(given: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    try:
        found = tuple((int(rows), int(columns)) for rows, columns in given)
    except (TypeError, ValueError):
        found = ()
    if not found or len(set(found)) < len(found) or min(min(size) for size in found) < 2:
        raise UsageError(
            "sizes of SmallTables must be different pairs of whole numbers from 2 on like "
            f"((8, 6),), got {given!r}"
        )
    return found


def _fills(given: Sequence[float]) -> tuple[float, ...]:
    try:
        found = tuple(float(fill) for fill in given)
    except (TypeError, ValueError):
        found = ()
    if not found or len(set(found)) < len(found) or not all(0 < fill <= 1 for fill in found):
        raise UsageError(
            f"fills of SmallTables must be different shares like (0.3, 0.9), got {given!r}"
        )
    return found
