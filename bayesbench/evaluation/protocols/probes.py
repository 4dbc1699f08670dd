"""Protocol P4: a model left out of the fit and known by a few chosen probes alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ...errors import UsageError
from ...scores.ids import id_indices
from ...scores.matrix import ScoreMatrix
from ..cells import CellTable
from ..figures import headline
from ..policies import (
    LOW_COST,
    Policy,
    ProbeOrder,
    low_cost_of,
    own_random_policy,
    popularity_policy,
    random_policy,
)
from ..predictions import IntArray
from ..predictor import PlanningMethod, Predictor, Setting
from ..tasks import FinishedFold, FoldTask, task_seed
from .interface import at_least, whole_numbers
from .probe_curves import ANCHORS, MATCHED, POLICIES, TABLE, policy_curves

__all__ = ["Probes"]

Shown = tuple[int, frozenset[int]]
"""A model and the benchmarks it shows."""


class Use(NamedTuple):
    """What a task serves: a policy at k, k being probes (`POLICIES`) or scores (`MATCHED`)."""

    table: str
    policy: str
    k: int
    replicate: int


Uses = dict[Use, list[int]]
"""Every use with the numbers of its tasks."""


@dataclass(frozen=True)
class Probes:
    """Compare ways to choose the benchmarks that are run on a model first.

    Every policy is read in two ways: its first k probes, of which a model shows those it has a
    score for, and its first k probes that the model has a score for. Only the second reveals
    equally much whatever the policy; the first is how such figures are published.

    Attributes
    ----------
    policies : sequence of Policy
        Beside random ones, popularity-first and those of the method.
    low_cost : sequence of str, optional
        Cheap benchmarks, for the policies that choose among them.
    ks : sequence of int
        Numbers of probes, and of scores.
    sets : int
        Random sets and, at equal numbers of scores, random orders of each model; 0 for none. A
        policy called ``random`` takes their place.
    models : sequence of str, optional
        Models to be tested; by default all. The others stay in every fit.
    seed : int
        Of the random sets and the methods.
    max_folds : int, optional
        Only the first so many tasks.

    Raises
    ------
    UsageError
        If a number is out of its range, two policies share a name, or `models` is empty.

    Examples
    --------
    >>> Probes(policies=[Policy("mine", (("gpqa_diamond", "aime_2025"),))], ks=(1, 2)).sets
    10
    """

    policies: Sequence[Policy] = ()
    low_cost: Sequence[str] | None = None
    ks: Sequence[int] = tuple(range(11))
    sets: int = 10
    models: Sequence[str] | None = None
    seed: int = 42
    max_folds: int | None = None

    name: ClassVar[str] = "probes"
    setting: ClassVar[Setting] = "probes"
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        POLICIES: ("policy", "k"),
        MATCHED: ("policy", "k"),
    }

    def __post_init__(self) -> None:
        object.__setattr__(self, "ks", whole_numbers(self, "ks"))
        object.__setattr__(self, "policies", tuple(self.policies))
        if self.low_cost is not None:
            object.__setattr__(self, "low_cost", tuple(self.low_cost))
        if self.models is not None:
            object.__setattr__(self, "models", tuple(self.models))
            if not self.models:
                raise UsageError("models of Probes is empty; leave it out to test all of them")
        at_least(self, 1, "max_folds")
        at_least(self, 0, "sets", "seed")
        _with_different_names(self.policies)

    def planned_by(
        self, matrix: ScoreMatrix, method: Predictor, executor: Executor | None = None
    ) -> Probes:
        """The protocol with the method's own policies, if it has any."""
        if not isinstance(method, PlanningMethod):
            return self
        rows = self._tested(matrix)
        own = method.policies(matrix, rows, max(self.ks), self.seed, self.low_cost, executor)
        return replace(self, policies=(*self.policies, *own))

    def compared(self, matrix: ScoreMatrix) -> list[Policy]:
        """The policies in the order of the figures: those given, popularity-first, random ones."""
        found = list(self.policies)
        cheap = low_cost_of(matrix, self.low_cost)
        lists: list[tuple[str, Sequence[str] | None]] = [("", None)]
        if cheap:
            lists.append((LOW_COST, cheap))
        given = {policy.name for policy in found}
        for end, among in lists:
            if f"popularity{end}" not in given:
                found.append(popularity_policy(matrix, name=f"popularity{end}", among=among))
        if self.sets and "random" not in given:
            for end, among in lists:
                name = f"random{end}"
                found.append(random_policy(matrix, self.sets, self.seed, name=name, among=among))
        _with_different_names(found)
        return found

    def tasks(self, matrix: ScoreMatrix) -> list[FoldTask]:
        """One task per model and set of revealed scores: all its other scores are hidden.

        Policies that show a model the same scores share the task.

        Raises
        ------
        UnknownIdError
            If a policy names a benchmark or model that is not in the matrix, or `models` does.
        """
        shown, _ = self._plan(matrix)
        return [
            _one_model(matrix, row, probes, self.seed, number)
            for number, (row, probes) in enumerate(shown[: self.max_folds])
        ]

    def arranged(self, matrix: ScoreMatrix, folds: Sequence[FinishedFold]) -> list[FinishedFold]:
        """The folds as every policy uses them, tagged with table, policy, k and replicate."""
        _, uses = self._plan(matrix)
        out = []
        for use, numbers in uses.items():
            tags: dict[str, int | str] = dict(use._asdict())
            for number in numbers:
                if number < len(folds):
                    fold = folds[number]
                    out.append(replace(fold, task=replace(fold.task, tags=tags)))
        return out

    def figures(
        self, matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
    ) -> dict[str, Any]:
        """Figures over the folds of all probes, then ``policies`` and ``matched``.

        Both by name and number: of probes, and of scores that every model shows.
        """
        curves, ranking = policy_curves(
            matrix, self.compared(matrix), self.ks, folds, table, self.seed
        )
        run = table.select((table.cells[TABLE] == POLICIES).to_numpy())
        return {**headline(matrix, run, ranking), **curves}

    def _tested(self, matrix: ScoreMatrix) -> IntArray:
        """Rows of the models that are tested."""
        rows = np.flatnonzero(matrix.observed.any(axis=1)).astype(np.int64)
        if self.models is None:
            return rows
        chosen = id_indices(matrix.model_ids, tuple(self.models), "model")
        return np.asarray(rows[np.isin(rows, chosen)])

    def _plan(self, matrix: ScoreMatrix) -> tuple[list[Shown], Uses]:
        """What the tasks show, without repetition, and where each policy finds its own."""
        scored = {
            int(row): frozenset(np.flatnonzero(matrix.observed[row]).tolist())
            for row in self._tested(matrix)
        }
        known: dict[Shown, int] = {}
        uses: Uses = {}
        # where probes are counted, policies reveal these numbers of scores
        revealed = set(self.ks)

        def used(use: Use, shown: Iterable[Shown]) -> None:
            uses[use] = [
                known.setdefault((row, scores), len(known))
                for row, scores in shown
                if scores != scored[row]  # else there is nothing to predict
            ]

        compared = self.compared(matrix)
        for policy in compared:
            for replicate, order in enumerate(policy.orders):
                columns = _columns(matrix, order)
                for k in self.ks:
                    shown = [
                        (row, own & frozenset(columns[row][:k])) for row, own in scored.items()
                    ]
                    revealed.update(len(scores) for _, scores in shown)
                    used(Use(POLICIES, policy.name, k, replicate), shown)
        for policy in self._matched(matrix, compared):
            numbers = sorted(revealed) if policy.name in ANCHORS else self.ks
            for replicate, order in enumerate(policy.orders):
                columns = _columns(matrix, order)
                walks = {
                    row: [column for column in columns[row] if column in own]
                    for row, own in scored.items()
                }
                for k in numbers:
                    shown = [
                        (row, frozenset(walk[:k])) for row, walk in walks.items() if len(walk) >= k
                    ]
                    used(Use(MATCHED, policy.name, k, replicate), shown)
        return list(known), uses

    def _matched(self, matrix: ScoreMatrix, compared: Sequence[Policy]) -> list[Policy]:
        """The policies where scores are counted: random ones draw from what each model has."""
        given = {policy.name for policy in self.policies}
        cheap = low_cost_of(matrix, self.low_cost)
        lists: dict[str, Sequence[str] | None] = {"random": None, f"random{LOW_COST}": cheap}
        return [
            own_random_policy(
                matrix, self.sets, self.seed, name=policy.name, among=lists[policy.name]
            )
            if policy.name in lists and policy.name not in given
            else policy
            for policy in compared
        ]


def _with_different_names(policies: Iterable[Policy]) -> None:
    names = [policy.name for policy in policies]
    if len(set(names)) < len(names):
        raise UsageError(f"two policies share a name: {', '.join(names)}; rename one")


def _columns(matrix: ScoreMatrix, order: ProbeOrder) -> list[list[int]]:
    """Positions of the probes in their order, for every model."""
    if isinstance(order, Mapping):
        by_row: list[list[int]] = [[] for _ in range(matrix.shape[0])]
        for model_id, probes in order.items():
            by_row[matrix.model_index(model_id)] = [matrix.benchmark_index(b) for b in probes]
        return by_row
    shared = [matrix.benchmark_index(b) for b in order]
    return [shared] * matrix.shape[0]


def _one_model(
    matrix: ScoreMatrix, row: int, probes: Iterable[int], seed: int, number: int
) -> FoldTask:
    shown = sorted(probes)
    hidden = np.zeros(matrix.shape, dtype=np.bool_)
    hidden[row] = matrix.observed[row]
    hidden[row, shown] = False
    model_id = matrix.model_ids[row]
    return FoldTask(
        seed=seed,
        fold=row,
        cells=np.argwhere(hidden).astype(np.int64),
        hidden=hidden,
        random_seed=task_seed(seed, row, number),
        revealed=np.array([(row, j) for j in shown], dtype=np.int64).reshape(-1, 2),
        label=f"{model_id}: {','.join(map(str, shown))}",
        group=model_id,
    )
