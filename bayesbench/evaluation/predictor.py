"""What a method of the evaluation must have, and what it may offer beyond that."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Literal, Protocol, runtime_checkable

from ..scores.matrix import ScoreMatrix
from .policies import Policy
from .predictions import CellPredictions, IntArray
from .tasks import FinishedFold, FoldTask

__all__ = [
    "AskingMethod",
    "BatchMethod",
    "FinalizingMethod",
    "LookUpMethod",
    "PlanningMethod",
    "Predictor",
    "Setting",
    "fingerprint",
]

Setting = Literal["cells", "releases", "probes", "shipped", "tables"]
"""What is unknown: single cells; whole models that came out later; a model known by probes alone; a
model that is asked about as users do; cells of a small table that is fitted as users do.

A protocol says which it is, and the low-rank model is fitted and recalibrated accordingly.
"""


class Predictor(Protocol):
    """A method of the evaluation: sees training scores only, predicts the named cells.

    ``predict(train, cells, seed)``: `train` is the matrix with the held-out cells hidden, `cells`
    (n, 2) holds (model, benchmark) positions in it. The result depends on these alone.
    """

    @property
    def name(self) -> str:
        """Name of the method, as in ``--method``."""
        ...

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells."""
        ...


@runtime_checkable
class BatchMethod(Protocol):
    """A method that takes all tasks of a group at once (one fit with many conditionings)."""

    def predict_tasks(
        self, matrix: ScoreMatrix, tasks: Sequence[FoldTask]
    ) -> Sequence[CellPredictions]:
        """Predict the cells of each task from what that task shows (:func:`training_matrix`)."""
        ...


@runtime_checkable
class LookUpMethod(Protocol):
    """A method that tells folds apart by their seed and number, such as a file of predictions."""

    def predict_fold(
        self, train: ScoreMatrix, cells: IntArray, seed: int | None, fold: int | None
    ) -> CellPredictions:
        """Predict the cells of one fold."""
        ...


@runtime_checkable
class FinalizingMethod(Protocol):
    """A method with a last step over all folds, such as recalibration across a seed's folds."""

    def finalize(
        self, matrix: ScoreMatrix, folds: Sequence[FinishedFold]
    ) -> Sequence[CellPredictions]:
        """Final predictions, one per fold in the same order."""
        ...


@runtime_checkable
class PlanningMethod(Protocol):
    """A method that chooses its own probes."""

    def policies(
        self,
        matrix: ScoreMatrix,
        rows: IntArray,
        length: int,
        seed: int,
        low_cost: Sequence[str] | None,
        executor: Executor | None = None,
    ) -> Sequence[Policy]:
        """Policies for the models `rows`, of which `length` probes are needed.

        `executor` may be used to make them.
        """
        ...


@runtime_checkable
class AskingMethod(Protocol):
    """A method that is told more than scores, and may choose which scores it is shown.

    The tags ``input`` and ``reveal`` of a task say what it gets. Of a task whose scores the method
    reveals itself it predicts every hidden cell of the model, and marks those it has looked at in
    ``extras["shown"]``.
    """

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it can be told: ``scores``, ``facts`` (and scores), ``id`` (and all of them)."""
        ...

    @property
    def reveals(self) -> tuple[str, ...]:
        """How scores can be revealed to it: ``random``, ``adaptive``."""
        ...


def fingerprint(method: Predictor) -> str:
    """Text that changes with the method's settings: its ``fingerprint`` if any, else its repr."""
    return str(getattr(method, "fingerprint", repr(method)))
