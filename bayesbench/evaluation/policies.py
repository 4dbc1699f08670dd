"""Probe policies: which benchmarks are run on a model none of whose scores are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..scores.matrix import ScoreMatrix

__all__ = ["LOW_COST", "Policy", "ProbeOrder", "low_cost_of", "random_policy"]

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
