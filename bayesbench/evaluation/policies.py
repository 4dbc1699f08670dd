"""Probe policies: which benchmarks are run on a model none of whose scores are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..scores.matrix import ScoreMatrix

__all__ = [
    "LOW_COST",
    "Policy",
    "ProbeOrder",
    "low_cost_of",
    "own_random_policy",
    "popularity_policy",
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
        all models, or an order per model id. The first k entries are the k probes; a model without
        a score on a probe simply does not show it. Where scores are counted instead of probes, a
        model shows the first k entries it has a score for.
    in_sample : bool
        The order was chosen by looking at the errors that are evaluated.
    """

    name: str
    orders: tuple[ProbeOrder, ...]
    in_sample: bool = False


def low_cost_of(matrix: ScoreMatrix, low_cost: Sequence[str] | None) -> tuple[str, ...]:
    """The low-cost benchmarks that the matrix has."""
    return tuple(name for name in low_cost or () if name in matrix.benchmark_ids)


def random_policy(
    matrix: ScoreMatrix,
    n_sets: int,
    seed: int,
    *,
    name: str = "random",
    among: Sequence[str] | None = None,
) -> Policy:
    """`n_sets` random global orders: the lower anchor where probes are counted.

    Of the benchmarks `among` which is chosen, by default all.
    """
    names = matrix.benchmark_ids if among is None else tuple(among)
    orders = []
    for number in range(n_sets):
        order = np.random.default_rng([seed, number]).permutation(len(names))
        orders.append(tuple(names[j] for j in order))
    return Policy(name, tuple(orders))


def own_random_policy(
    matrix: ScoreMatrix,
    n_draws: int,
    seed: int,
    *,
    name: str = "random",
    among: Sequence[str] | None = None,
) -> Policy:
    """`n_draws` random orders of the scores of each model: the lower anchor at equal numbers.

    Drawn model by model `among` the named benchmarks, by default all, that it has a score for.
    """
    allowed = np.ones(matrix.shape[1], dtype=np.bool_)
    if among is not None:
        allowed = np.isin(matrix.benchmark_ids, list(among))
    orders = []
    for number in range(n_draws):
        own: dict[str, tuple[str, ...]] = {}
        for row, model_id in enumerate(matrix.model_ids):
            there = np.flatnonzero(matrix.observed[row] & allowed)
            order = np.random.default_rng([seed, 1, number, row]).permutation(there)
            own[model_id] = tuple(matrix.benchmark_ids[j] for j in order)
        orders.append(own)
    return Policy(name, tuple(orders))


def popularity_policy(
    matrix: ScoreMatrix, *, name: str = "popularity", among: Sequence[str] | None = None
) -> Policy:
    """The benchmarks that most models have a score for, those first; ties in column order.

    A model's own scores lift all benchmarks it has by one, so they do not bear on the order in
    which it shows them.
    """
    count = matrix.observed.sum(axis=0)
    names = matrix.benchmark_ids if among is None else tuple(among)
    order = sorted(names, key=lambda one: -int(count[matrix.benchmark_index(one)]))
    return Policy(name, (tuple(order),))
