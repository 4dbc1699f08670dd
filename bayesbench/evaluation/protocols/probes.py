"""Protocol P4: a model left out of the fit and known by a few chosen probes alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ...errors import UsageError
from ...scores.matrix import ScoreMatrix
from ..cells import CellTable
from ..figures import headline
from ..policies import LOW_COST, Policy, ProbeOrder, low_cost_of, random_policy
from ..predictor import PlanningMethod, Predictor, Setting
from ..tasks import FinishedFold, FoldTask, task_seed
from .interface import at_least, whole_numbers
from .probe_curves import policy_curves

__all__ = ["Probes"]

Shown = tuple[int, frozenset[int]]
"""A model and the benchmarks it shows."""
Uses = dict[tuple[str, int, int], list[int]]
"""(policy, k, replicate) to the numbers of its tasks."""


@dataclass(frozen=True)
class Probes:
    """Compare ways to choose the benchmarks that are run on a model first.

    Attributes
    ----------
    policies : sequence of Policy
        Beside random ones and those of the method.
    low_cost : sequence of str, optional
        Cheap benchmarks, for the policies that choose among them.
    ks : sequence of int
        Numbers of probes.
    sets : int
        Random sets; 0 for none. A policy called ``random`` takes their place.
    seed : int
        Of the random sets and the methods.
    max_folds : int, optional
        Only the first so many tasks.

    Raises
    ------
    UsageError
        If a number is out of its range, or two policies share a name.

    Examples
    --------
    >>> Probes(policies=[Policy("mine", (("gpqa_diamond", "aime_2025"),))], ks=(1, 2)).sets
    10
    """

    policies: Sequence[Policy] = ()
    low_cost: Sequence[str] | None = None
    ks: Sequence[int] = tuple(range(11))
    sets: int = 10
    seed: int = 42
    max_folds: int | None = None

    name: ClassVar[str] = "probes"
    setting: ClassVar[Setting] = "probes"
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {"policies": ("policy", "k")}

    def __post_init__(self) -> None:
        object.__setattr__(self, "ks", whole_numbers(self, "ks"))
        object.__setattr__(self, "policies", tuple(self.policies))
        if self.low_cost is not None:
            object.__setattr__(self, "low_cost", tuple(self.low_cost))
        at_least(self, 1, "max_folds")
        at_least(self, 0, "sets", "seed")
        _with_different_names(self.policies)

    def planned_by(
        self, matrix: ScoreMatrix, method: Predictor, executor: Executor | None = None
    ) -> Probes:
        """The protocol with the method's own policies, if it has any."""
        if not isinstance(method, PlanningMethod):
            return self
        own = method.policies(matrix, max(self.ks), self.seed, self.low_cost, executor)
        return replace(self, policies=(*self.policies, *own))

    def compared(self, matrix: ScoreMatrix) -> list[Policy]:
        """The policies in the order of the figures, random ones last."""
        found = list(self.policies)
        if self.sets and not any(policy.name == "random" for policy in found):
            length = max(self.ks)
            found.append(random_policy(matrix, self.sets, self.seed, length))
            cheap = low_cost_of(matrix, self.low_cost)
            if cheap:
                name = f"random{LOW_COST}"
                found.append(
                    random_policy(matrix, self.sets, self.seed, length, name=name, among=cheap)
                )
        _with_different_names(found)
        return found

    def tasks(self, matrix: ScoreMatrix) -> list[FoldTask]:
        """One task per model and set of revealed scores: all its other scores are hidden.

        Policies that show a model the same scores share the task.

        Raises
        ------
        UnknownIdError
            If a policy names a benchmark or model that is not in the matrix.
        """
        shown, _ = self._plan(matrix)
        return [
            _one_model(matrix, row, probes, self.seed, number)
            for number, (row, probes) in enumerate(shown[: self.max_folds])
        ]

    def arranged(self, matrix: ScoreMatrix, folds: Sequence[FinishedFold]) -> list[FinishedFold]:
        """The folds as every policy uses them, tagged with policy, k and replicate.

        What is made of shared predictions later (recalibration, figures) is each policy's own.
        """
        _, uses = self._plan(matrix)
        out = []
        for (policy, k, replicate), numbers in uses.items():
            tags: dict[str, int | str] = {"policy": policy, "k": k, "replicate": replicate}
            for number in numbers:
                if number < len(folds):
                    fold = folds[number]
                    out.append(replace(fold, task=replace(fold.task, tags=tags)))
        return out

    def figures(
        self, matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
    ) -> dict[str, Any]:
        """Figures over all arranged folds, and ``policies``, by name and number of probes."""
        curves, ranking = policy_curves(
            matrix, self.compared(matrix), self.ks, folds, table, self.seed
        )
        return {**headline(matrix, table, ranking), "policies": curves}

    def _plan(self, matrix: ScoreMatrix) -> tuple[list[Shown], Uses]:
        """What the tasks show, without repetition, and where each policy finds its own."""
        scored = [frozenset(np.flatnonzero(row).tolist()) for row in matrix.observed]
        known: dict[Shown, int] = {}
        uses: Uses = {}
        for policy in self.compared(matrix):
            for replicate, order in enumerate(policy.orders):
                columns = _columns(matrix, order)
                for k in self.ks:
                    used = []
                    for row, scores in enumerate(scored):
                        probes = scores & frozenset(columns[row][:k])
                        if probes != scores:  # else there is nothing to predict
                            used.append(known.setdefault((row, probes), len(known)))
                    uses[policy.name, k, replicate] = used
        return list(known), uses


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
