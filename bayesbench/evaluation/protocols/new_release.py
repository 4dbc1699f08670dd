"""Protocol P3: new releases are predicted from the models before them, a few scores shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...errors import DataError, UsageError
from ...scores.matrix import ScoreMatrix
from ..cells import CellTable, ranking_of
from ..figures import by_k, headline, short
from ..honesty import Judged, tails
from ..predictions import IntArray
from ..predictor import Setting
from ..resampling import INTERVAL, intervals
from ..tasks import FinishedFold, FoldTask, task_seed
from .interface import at_least, whole_numbers
from .releases import Family, default_families, last_day

__all__ = ["NewRelease"]


@dataclass(frozen=True)
class NewRelease:
    """Predict families of new releases from the models released before them.

    Attributes
    ----------
    families : sequence of Family, optional
        By default those of the public matrix, or the latest releases of another one.
    ks : sequence of int
        Numbers of revealed scores.
    seeds : int
        Draws of the revealed scores.
    seed : int
        The first one; of the methods too.
    max_folds : int, optional
        Only the first so many tasks.

    Raises
    ------
    UsageError
        If a number is out of its range, or there is no family.

    Examples
    --------
    >>> NewRelease(families=[Family("one", "2025-08-01", ids=("gpt-5",))], ks=(1, 5)).ks
    (1, 5)
    """

    families: Sequence[Family] | None = None
    ks: Sequence[int] = (1, 5, 10)
    seeds: int = 10
    seed: int = 42
    max_folds: int | None = None

    name: ClassVar[str] = "new-release"
    setting: ClassVar[Setting] = "releases"
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {"by_k": ("k",)}

    def __post_init__(self) -> None:
        object.__setattr__(self, "ks", whole_numbers(self, "ks"))
        at_least(self, 1, "seeds", "max_folds")
        at_least(self, 0, "seed")
        if self.families is not None:
            object.__setattr__(self, "families", tuple(self.families))
            if not self.families:
                raise UsageError("families of NewRelease is empty; leave it out for the default")

    def tasks(self, matrix: ScoreMatrix) -> list[FoldTask]:
        """One task per draw, family and k, in this order.

        The models of a family are predicted together; each shows k of its scores, drawn at random,
        the draw for a larger k containing that for a smaller one. A model with no more than k
        scores sits out.

        Raises
        ------
        DataError
            If a family has no model in the matrix or no model was released before its cutoff.
        """
        families = default_families(matrix) if self.families is None else self.families
        days = [last_day(text) for text in matrix.models["release_date"]]
        tasks = []
        for draw in range(self.seeds):
            for number, family in enumerate(families):
                members = family.members(matrix.model_ids)
                cutoff = dt.date.fromisoformat(family.cutoff)
                earlier = [
                    i
                    for i, day in enumerate(days)
                    if day is not None and day < cutoff and i not in members
                ]
                if not members or not earlier:
                    what = "no model in the matrix" if not members else "nothing released before it"
                    raise DataError(f"family {family.name!r} has {what}; correct --families")
                rng = np.random.default_rng([self.seed, draw, number])
                orders = {i: rng.permutation(np.flatnonzero(matrix.observed[i])) for i in members}
                for k in self.ks:
                    hidden = _hidden(matrix, orders, earlier, k)
                    if hidden is not None:
                        tasks.append(
                            FoldTask(
                                seed=self.seed + draw,
                                fold=number,
                                random_seed=task_seed(self.seed, draw, number, k),
                                label=f"{family.name} k={k}",
                                group=family.name,
                                tags={"family": family.name, "k": k},
                                **hidden,
                            )
                        )
        return tasks[: self.max_folds]

    def figures(
        self, matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
    ) -> dict[str, Any]:
        """Figures over all hidden cells, ``by_k``, and ``by_family`` and k.

        Beside intervals over models ``by_k`` has those over families (``medae_by_family``...), who
        are fewer and whose models are alike, and clustered by family the tails and the PIT.
        """
        pooled = headline(matrix, table, ranking_of(matrix, folds, table))
        numbers = by_k(folds, table)
        families = Judged.of(folds, table, "family")
        for k, entry in numbers.items():
            part = _at(families, "k", int(k))
            for name, ends in intervals(part.table, by="family").items():
                entry[f"{name.removesuffix(INTERVAL)}_by_family{INTERVAL}"] = ends
            entry.update(tails(part))
        return {**pooled, "by_k": numbers, "by_family": _by_family(folds, table)}


def _at(judged: Judged, column: str, value: object) -> Judged:
    return judged.select((judged.table.cells[column] == value).to_numpy())


def _by_family(
    folds: Sequence[FinishedFold], table: CellTable
) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures, tails and PIT of every family at every k, in order of the tasks."""
    judged = Judged.of(folds, table, "model_id")
    out: dict[str, dict[str, dict[str, Any]]] = {}
    for family in table.cells["family"].unique():
        own = _at(judged, "family", family)
        out[str(family)] = {
            str(k): {**short(part.table), **intervals(part.table), **tails(part)}
            for k in sorted(own.table.cells["k"].unique())
            for part in [_at(own, "k", k)]
        }
    return out


def _hidden(
    matrix: ScoreMatrix, orders: Mapping[int, IntArray], earlier: Sequence[int], k: int
) -> dict[str, Any] | None:
    """What a task hides and shows; None where no model has more than k scores."""
    active = {i: order for i, order in orders.items() if order.size > k}
    if not active:
        return None
    hidden = np.zeros(matrix.shape, dtype=np.bool_)
    cells: list[tuple[int, int]] = []
    revealed: list[tuple[int, int]] = []
    for i, order in active.items():
        hidden[i, order[k:]] = True
        cells.extend((i, int(j)) for j in order[k:])
        revealed.extend((i, int(j)) for j in order[:k])
    return {
        "cells": np.array(sorted(cells), dtype=np.int64).reshape(-1, 2),
        "revealed": np.array(sorted(revealed), dtype=np.int64).reshape(-1, 2),
        "hidden": hidden,
        "rows": np.array(sorted([*earlier, *active]), dtype=np.int64),
    }
