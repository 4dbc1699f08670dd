"""Protocols P4 and P5: a model's scores are hidden but for a few, every other model stays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UsageError
from ...scores.matrix import ScoreMatrix
from ..tasks import FoldTask, task_seed

__all__ = [
    "LOW_COST",
    "PlannedProbes",
    "Policy",
    "ProbeOrder",
    "curve_tasks",
    "low_cost_of",
    "plan_probes",
    "random_policy",
]

ProbeOrder = Sequence[str] | Mapping[str, Sequence[str]]

LOW_COST = "-low-cost"
"""End of the names of policies that choose among the low-cost benchmarks only."""


@dataclass(frozen=True)
class Policy:
    """A way to choose probes, made before the evaluation.

    Attributes
    ----------
    name : str
    orders : tuple
        One entry per replicate (random sets have several): either one order of benchmark ids for
        all models, or an order per model id. The first k entries are the probes at k; a model
        without a score on a probe simply does not show it.
    in_sample : bool
        The order was chosen by looking at the errors that are evaluated.
    """

    name: str
    orders: tuple[ProbeOrder, ...]
    in_sample: bool = False


@dataclass(frozen=True, eq=False)
class PlannedProbes:
    """Tasks of protocol P4 without repetition, and where each policy finds its own.

    Attributes
    ----------
    tasks : list of FoldTask
        One per model and set of revealed scores.
    uses : mapping of (policy, k, replicate) to task numbers
    """

    tasks: list[FoldTask]
    uses: dict[tuple[str, int, int], list[int]]


def low_cost_of(matrix: ScoreMatrix, low_cost: Sequence[str] | None) -> tuple[str, ...]:
    """The low-cost benchmarks that the matrix has."""
    return tuple(name for name in low_cost or () if name in matrix.benchmark_ids)


def random_policy(
    matrix: ScoreMatrix,
    n_sets: int,
    seed: int,
    length: int = 10,
    *,
    name: str = "random",
    among: Sequence[str] | None = None,
) -> Policy:
    """`n_sets` random global orders of `length` benchmarks: the lower anchor.

    Drawn `among` the named benchmarks, by default all.
    """
    names = matrix.benchmark_ids if among is None else tuple(among)
    orders = []
    for number in range(n_sets):
        order = np.random.default_rng([seed, number]).permutation(len(names))
        orders.append(tuple(names[j] for j in order[:length]))
    return Policy(name, tuple(orders))


def plan_probes(
    matrix: ScoreMatrix, policies: Sequence[Policy], ks: Sequence[int], seed: int
) -> PlannedProbes:
    """Tasks of protocol P4: per model, all its scores but the probes' are hidden.

    Raises
    ------
    UnknownIdError
        If a policy names a benchmark or model that is not in the matrix.
    UsageError
        If two policies share a name, or an order is shorter than the largest k that it serves.
    """
    names = [policy.name for policy in policies]
    if len(set(names)) < len(names):
        raise UsageError(f"two policies share a name: {', '.join(names)}; rename one")
    tasks: list[FoldTask] = []
    known: dict[tuple[int, frozenset[int]], int] = {}
    uses: dict[tuple[str, int, int], list[int]] = {}
    for policy in policies:
        for replicate, order in enumerate(policy.orders):
            columns = _columns(matrix, order)
            for k in ks:
                used = []
                for row in range(matrix.shape[0]):
                    probes = frozenset(columns[row][:k]) & set(
                        np.flatnonzero(matrix.observed[row]).tolist()
                    )
                    if probes and len(probes) == int(matrix.observed[row].sum()):
                        continue
                    if not matrix.observed[row].any():
                        continue
                    if (row, probes) not in known:
                        known[row, probes] = len(tasks)
                        tasks.append(_one_model(matrix, row, probes, seed, len(tasks)))
                    used.append(known[row, probes])
                uses[policy.name, k, replicate] = used
    return PlannedProbes(tasks, uses)


def _columns(matrix: ScoreMatrix, order: ProbeOrder) -> list[list[int]]:
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


def curve_tasks(
    matrix: ScoreMatrix,
    *,
    ks: Sequence[int] = (1, 2, 3, 5, 8, 13),
    n_seeds: int = 10,
    seed: int = 42,
    models_per_fit: int | None = None,
) -> list[FoldTask]:
    """Tasks of protocol P5, the learning curve: scores revealed one at a time in random order.

    To spare fits, `models_per_fit` models (drawn at random; by default a tenth of all) are hidden
    together; 1 is the protocol to the letter. A model with no more than k scores sits out at k.
    """
    size = max(1, math.ceil(matrix.shape[0] / 10)) if models_per_fit is None else models_per_fit
    tasks = []
    for draw in range(n_seeds):
        rng = np.random.default_rng([seed, draw])
        shuffled = rng.permutation(np.flatnonzero(matrix.observed.any(axis=1)))
        orders = {int(i): rng.permutation(np.flatnonzero(matrix.observed[i])) for i in shuffled}
        for number, start in enumerate(range(0, shuffled.size, size)):
            group = sorted(int(i) for i in shuffled[start : start + size])
            for k in ks:
                hidden = np.zeros(matrix.shape, dtype=np.bool_)
                shown: list[tuple[int, int]] = []
                for i in group:
                    if orders[i].size > k:
                        hidden[i, orders[i][k:]] = True
                        shown.extend((i, int(j)) for j in sorted(orders[i][:k]))
                if hidden.any():
                    tasks.append(
                        FoldTask(
                            seed=seed + draw,
                            fold=number,
                            cells=np.argwhere(hidden).astype(np.int64),
                            hidden=hidden,
                            random_seed=task_seed(seed, draw, number, k),
                            revealed=np.array(shown, dtype=np.int64).reshape(-1, 2),
                            label=f"k={k}",
                            group=f"{draw}/{number}",
                            tags={"k": k},
                        )
                    )
    return tasks
