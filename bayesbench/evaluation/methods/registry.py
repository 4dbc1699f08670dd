"""Methods by name, and what a method may offer beyond ``predict``."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, Protocol, cast, runtime_checkable

from ...errors import UnknownIdError
from ...scores.matrix import ScoreMatrix
from ..protocols.reveal import Policy
from ..tasks import FinishedFold, FoldTask
from .peers import BASELINES, build_baseline
from .peers.base import CellPredictions, Predictor

__all__ = [
    "LOW_RANK_METHODS",
    "BatchMethod",
    "FinalizingMethod",
    "PlanningMethod",
    "available_methods",
    "build_method",
    "fingerprint",
]

LOW_RANK_METHODS = ("low-rank", "low-rank-nuts", "low-rank-svi")
_LOW_RANK_MODULE = "bayesbench.evaluation.methods.low_rank"


@runtime_checkable
class BatchMethod(Protocol):
    """A method that takes several tasks at once (one compile, one fit with many conditionings).

    ``batch`` says how much it wants in one call: ``"fold"`` one task, ``"group"`` the tasks that
    share a group (a seed's folds in P1, a family in P3, a model in P4), ``"all"`` everything.
    """

    @property
    def batch(self) -> str:
        """``"fold"``, ``"group"`` or ``"all"``."""
        ...

    def predict_tasks(
        self, matrix: ScoreMatrix, tasks: Sequence[FoldTask]
    ) -> Sequence[CellPredictions]:
        """Predict the cells of each task from what that task shows (:func:`training_matrix`)."""
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
    """A method that chooses its own probes for protocol P4."""

    def policies(
        self,
        matrix: ScoreMatrix,
        length: int,
        seed: int,
        low_cost: Sequence[str] | None,
        executor: Executor | None = None,
    ) -> Sequence[Policy]:
        """Policies with orders of `length` probes; `executor` may be used to make them."""
        ...


def available_methods() -> tuple[str, ...]:
    """Names that :func:`build_method` takes."""
    return (*LOW_RANK_METHODS, *BASELINES)


def build_method(name: str, *, protocol: str = "folds", **options: Any) -> Predictor:
    """Build a method by name.

    Parameters
    ----------
    name : str
        One of :func:`available_methods`.
    protocol : str
        What it will be used for: the low-rank methods recalibrate accordingly.
    **options
        Settings of the method.

    Raises
    ------
    UnknownIdError
        With the nearest names.
    UsageError
        If an option does not belong to the method.
    """
    if name in BASELINES:
        return build_baseline(name, **options)
    if name in LOW_RANK_METHODS:
        module = importlib.import_module(_LOW_RANK_MODULE)
        return cast(Predictor, module.build(name, protocol=protocol, **options))
    known = available_methods()
    raise UnknownIdError("method", name, difflib.get_close_matches(name, known, 3) or known)


def fingerprint(method: Predictor) -> str:
    """Text that changes with the method's settings: its ``fingerprint`` if any, else its repr."""
    return str(getattr(method, "fingerprint", repr(method)))
