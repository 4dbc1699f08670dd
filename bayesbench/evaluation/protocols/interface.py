"""What every protocol of the evaluation has, and the checks their parameters share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ...errors import UsageError
from ...scores.matrix import ScoreMatrix
from ..cells import CellTable
from ..predictor import Predictor, Setting
from ..tasks import FinishedFold, FoldTask

__all__ = [
    "EvaluationProtocol",
    "PlannedProtocol",
    "PreparedProtocol",
    "at_least",
    "different_texts",
    "whole_numbers",
]


@runtime_checkable
class EvaluationProtocol(Protocol):
    """What is held out, and what is made of the predictions: a value with its own parameters.

    A protocol depends on the matrix and its parameters alone, so that every method gets the same
    tasks.
    """

    @property
    def name(self) -> str:
        """As in ``--protocol``."""
        ...

    @property
    def setting(self) -> Setting:
        """What is unknown; the low-rank model is fitted and recalibrated accordingly."""
        ...

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Figures that are tables of their own: what sets their rows apart, level by level.

        ``{"by_k": ("k",)}``: ``figures["by_k"]`` maps k to the figures at k.
        """
        ...

    def tasks(self, matrix: ScoreMatrix) -> list[FoldTask]:
        """The tasks of a matrix, always the same ones in the same order.

        Raises
        ------
        DataError, UsageError
            If the matrix lacks what the protocol needs.
        """
        ...

    def figures(
        self, matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
    ) -> dict[str, Any]:
        """The figures of a method.

        Parameters
        ----------
        matrix : ScoreMatrix
        folds : sequence of FinishedFold
            The tasks with their final predictions.
        table : CellTable
            The cells of these folds.
        """
        ...


@runtime_checkable
class PlannedProtocol(EvaluationProtocol, Protocol):
    """A protocol whose tasks depend on what the method plans, and serve several plans at once."""

    def planned_by(
        self, matrix: ScoreMatrix, method: Predictor, executor: Executor | None = None
    ) -> PlannedProtocol:
        """The protocol with the plans of a method beside its own."""
        ...

    def arranged(self, matrix: ScoreMatrix, folds: Sequence[FinishedFold]) -> list[FinishedFold]:
        """The finished folds as every plan uses them, before the method's last step."""
        ...


@runtime_checkable
class PreparedProtocol(EvaluationProtocol, Protocol):
    """A protocol whose tasks belong to another matrix than the one that was given."""

    def prepared(self, matrix: ScoreMatrix) -> ScoreMatrix:
        """The matrix of the tasks; that of itself is itself."""
        ...


def at_least(owner: object, least: int, *names: str) -> None:
    """Check whole numbers among the fields of a protocol; None stands for a default.

    Raises
    ------
    UsageError
        If one is smaller than `least` or no whole number.
    """
    for name in names:
        value = getattr(owner, name)
        if value is None:
            continue
        if not _whole(value) or value < least:
            raise UsageError(
                f"{name} of {type(owner).__name__} must be a whole number of at least {least}, "
                f"got {value!r}"
            )


def whole_numbers(owner: object, name: str) -> tuple[int, ...]:
    """A field that lists different whole numbers from 0 on, as a tuple.

    Raises
    ------
    UsageError
        If it is empty, names one twice or holds anything else.
    """
    value = getattr(owner, name)
    found = tuple(value) if isinstance(value, Sequence) else ()
    good = all(_whole(k) and k >= 0 for k in found) and len(set(found)) == len(found)
    if not found or not good or isinstance(value, str):
        raise UsageError(
            f"{name} of {type(owner).__name__} must be different whole numbers like (1, 5, 10), "
            f"got {value!r}"
        )
    return tuple(int(k) for k in found)


def different_texts(owner: object, name: str, known: Sequence[str]) -> tuple[str, ...]:
    """A field that lists some of the known words, each once, as a tuple.

    Raises
    ------
    UsageError
        If it is empty, names one twice or holds anything else.
    """
    value = getattr(owner, name)
    found = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if not found or len(set(found)) < len(found) or not set(found) <= set(known):
        raise UsageError(
            f"{name} of {type(owner).__name__} must be different ones of {', '.join(known)}, "
            f"got {value!r}"
        )
    return found


def _whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
