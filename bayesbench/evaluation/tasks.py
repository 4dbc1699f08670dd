"""One unit of evaluation: which cells are hidden from a method, and which it must predict."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..scores.matrix import ScoreMatrix
from .predictions import BoolArray, CellPredictions, FloatArray, IntArray

__all__ = ["FinishedFold", "FoldTask", "task_seed", "training_matrix"]


def _no_cells() -> IntArray:
    return np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class FoldTask:
    """Hide some cells, predict some of them.

    Attributes
    ----------
    seed, fold : int
        As in the predictions table; with `label` they name the task.
    cells : (n, 2) int
        (model, benchmark) positions in the whole matrix to predict.
    hidden : (M, B) bool
        Cells the method must not see; contains `cells`.
    random_seed : int
        Seed handed to the method.
    rows : (m,) int or None
        Models the method sees at all, in this order; None = all.
    revealed : (r, 2) int
        Cells of the predicted models that the method is shown on purpose.
    label, group : str
        Protocol's name for the task; tasks of one group share the rest of their training scores.
    tags : mapping
        Extra columns of the predictions table (k, family, policy).
    posterior : str
        A posterior file fitted to the other models the task shows, for methods that ask one; empty
        where there is none.
    """

    seed: int
    fold: int
    cells: IntArray
    hidden: BoolArray
    random_seed: int
    rows: IntArray | None = None
    revealed: IntArray = field(default_factory=_no_cells)
    label: str = ""
    group: str = ""
    tags: dict[str, int | str] = field(default_factory=dict)
    posterior: str = ""

    @property
    def key(self) -> str:
        """Name of the task, unique within a run."""
        return f"{self.seed}/{self.fold}/{self.label}"


@dataclass(frozen=True, eq=False)
class FinishedFold:
    """A task with what the method said and what was true.

    Attributes
    ----------
    task : FoldTask
    predictions : CellPredictions
    truth : (n,) float
    seconds : float
        Time the method took.
    """

    task: FoldTask
    predictions: CellPredictions
    truth: FloatArray
    seconds: float


def task_seed(seed: int, *path: int) -> int:
    """A 32-bit seed that depends on all the numbers given."""
    return int(np.random.SeedSequence([seed, *path]).generate_state(1)[0])


def training_matrix(matrix: ScoreMatrix, task: FoldTask) -> tuple[ScoreMatrix, IntArray]:
    """What the method sees, and the positions in it of the cells to predict."""
    train = matrix.mask(task.hidden)
    if task.rows is None:
        return train, task.cells
    train = train.subset(models=[matrix.model_ids[row] for row in task.rows])
    place = np.full(matrix.shape[0], -1, dtype=np.int64)
    place[task.rows] = np.arange(task.rows.size)
    return train, np.stack([place[task.cells[:, 0]], task.cells[:, 1]], axis=1)
