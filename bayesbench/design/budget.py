"""A batch of probes within a budget: a knapsack whose items share information."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from ..errors import UsageError
from .gain import Indices, Targets, greedy, information, without
from .moments import Floats, Moments

__all__ = ["batch_information", "budget_batch"]

_EXACT_UP_TO = 10
_LEAST = 1e-12


def batch_information(state: Moments, batch: Sequence[int], about: Targets) -> float:
    """Weighted sum over targets of MI(scores of the whole batch; score of target), nats.

    By the chain rule: each probe's gain given those before it (the sum does not depend on the
    order). Under ``own="exclude"`` the benchmarks of the batch are no targets.
    """
    for index in batch:
        about = without(about, index)
    total = 0.0
    for index in batch:
        total += float(information(state, np.array([index]), about)[0])
        state = state.given(index)
    return total


def budget_batch(
    state: Moments,
    candidates: Indices,
    about: Targets,
    costs: Floats,
    budget: float,
    k: int,
    names: Sequence[str],
) -> tuple[int, ...]:
    """Best batch found within a budget, as benchmark indices in the order to run them.

    Information overlaps, so this is no plain knapsack. Up to 10 affordable candidates every
    batch is tried (exact). Beyond, the best of three: greedy by gain per cost, greedy by gain,
    and the best single probe - the first alone can be arbitrarily bad (a cheap probe crowding
    out a dear one), the best of them keeps a constant share of the optimum for a monotone
    submodular gain.

    Raises
    ------
    UsageError
        If the budget is not positive, or below the cheapest candidate.

    References
    ----------
    Leskovec et al., Cost-effective outbreak detection in networks,
    doi:10.1145/1281192.1281239.
    """
    if not budget > 0:
        raise UsageError(f"the budget must be above 0, got {budget:g}")
    cheapest = int(np.argmin(costs))
    limit = budget * (1 + _LEAST)
    if costs[cheapest] > limit:
        name = names[int(candidates[cheapest])]
        raise UsageError(
            f"the budget {budget:g} is below the cheapest probe, {name!r} at {costs[cheapest]:g}"
        )
    affordable = costs <= limit
    candidates, costs = candidates[affordable], costs[affordable]
    price = dict(zip(candidates.tolist(), costs.tolist(), strict=True))
    if len(candidates) <= _EXACT_UP_TO:
        batches = _all_batches(price, limit, k)
    else:
        batches = [
            tuple(i for i, _ in greedy(state, candidates, about, k, costs, budget)),
            _greedy_by_gain(state, candidates, about, k, price, limit),
            (int(candidates[np.argmax(information(state, candidates, about))]),),
        ]
    best = max(batches, key=lambda batch: batch_information(state, batch, about))
    return _in_order(state, best, about, costs=np.array([price[i] for i in best]))


def _all_batches(price: dict[int, float], limit: float, k: int) -> list[tuple[int, ...]]:
    return [
        batch
        for size in range(1, min(k, len(price)) + 1)
        for batch in itertools.combinations(price, size)
        if sum(price[i] for i in batch) <= limit
    ]


def _greedy_by_gain(
    state: Moments,
    candidates: Indices,
    about: Targets,
    k: int,
    price: dict[int, float],
    limit: float,
) -> tuple[int, ...]:
    batch: list[int] = []
    left = limit
    while len(batch) < k:
        rest = np.array([i for i in candidates if i not in batch and price[i] <= left], dtype=int)
        step = greedy(state, rest, about, 1)
        if not step:
            break
        batch.append(step[0][0])
        left -= price[batch[-1]]
        state = state.given(batch[-1])
        about = without(about, batch[-1])
    return tuple(batch)


def _in_order(
    state: Moments, batch: Sequence[int], about: Targets, costs: Floats
) -> tuple[int, ...]:
    order = greedy(state, np.asarray(batch, dtype=np.intp), about, len(batch), costs)
    return tuple(index for index, _ in order)
