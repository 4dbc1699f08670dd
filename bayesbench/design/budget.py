"""A batch of probes within a budget: what it is worth, and the best one that can be paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from .gain import Indices, Targets
from .moments import Floats, Moments

__all__ = ["batch_worth", "budget_batch"]

_EXACT_UP_TO = 10
_ROUNDING = 1e-12
_NOTHING = 1e-9
"""Nats below which a probe tells nothing."""


@dataclass(frozen=True, eq=False)
class _Run:
    """A batch, what it is worth, and the moments once it is run.

    Attributes
    ----------
    state : Moments
        Given the readings of the batch, chance taken out.
    about : Targets
        The same whatever is in the batch.
    batch : tuple of int
    worth : float
        Nats.
    """

    state: Moments
    about: Targets
    batch: tuple[int, ...] = ()
    worth: float = 0.0

    def added(self, candidates: Indices) -> Floats:
        """What each candidate would add, (C,) nats, never negative."""
        total, targets = self.state.variance, self.about.indices
        cross = self.state.signal[np.ix_(candidates, targets)]
        share = cross**2 / np.outer(total[candidates], total[targets])
        told = -0.5 * np.log1p(-np.minimum(share, 1.0 - _ROUNDING))
        doubt = np.maximum(0.5 * np.log(total[candidates] / self.state.noise[candidates]), 0.0)
        told = np.where(candidates[:, None] == targets[None, :], doubt[:, None], told)
        weights = np.where(np.isin(targets, self.batch), 0.0, self.about.weights)
        return np.asarray(told @ weights)

    def then(self, index: int, added: float) -> _Run:
        """Run one more."""
        state = self.state.given(index)
        return _Run(state, self.about, (*self.batch, index), self.worth + added)


def batch_worth(state: Moments, batch: Sequence[int], about: Targets) -> float:
    r"""What is known about a fixed set T of targets once a batch A is run, nats.

    .. math:: F(A) = \sum_{t \in T \setminus A} w_t \, I(y_A; y_t) + \sum_{t \in T \cap A} w_t L_t,
       \quad L_t = \tfrac12 \log(V_t / N_t)

    A target that is run is known down to its reading noise N (V: signal plus noise before the
    batch); about any other the whole batch informs jointly, ``0.5 log(V_t / V_t|A)``, with
    ``V_t|A`` from the moments without chance (:meth:`Moments.without_chance`).

    F never falls as A grows: ``V_t|A`` only falls with more readings, and as
    ``V_a|A >= N_a`` a target that joins the batch counts ``L_a >= I(y_A; y_a)``. What each probe
    adds to those before it sums to F, in any order. ``about.own`` plays no part.
    """
    run = _Run(state.without_chance(), about)
    for index in batch:
        run = run.then(index, float(run.added(np.array([index]))[0]))
    return run.worth


def budget_batch(
    state: Moments,
    candidates: Indices,
    about: Targets,
    costs: Floats,
    budget: float,
    names: Sequence[str],
    k: int | None = None,
) -> tuple[tuple[int, float], ...]:
    """Best batch found within a budget, by :func:`batch_worth`.

    Information overlaps, so this is no plain knapsack. Up to 10 affordable candidates every
    batch is tried (exact). Beyond, the best of three: greedy by what is added per cost, greedy by
    what is added, and the best single probe, each filled up with what still fits. The first alone
    can be arbitrarily bad (a cheap probe crowding out a dear one); the best of them keeps a
    constant share of the optimum where gains diminish. Probes that add nothing are left out, so
    the batch is empty if none tells anything about the targets.

    Parameters
    ----------
    state : Moments
    candidates : (C,) int array
    about : Targets
    costs : (C,) array
        Positive.
    budget : float
    names : sequence of str
        Benchmark ids, for messages.
    k : int, optional
        Most probes; by default no limit.

    Returns
    -------
    tuple of (index, gain)
        In the order to run them, best per cost first; gain = what it adds to those before it,
        above 0. The gains sum to the worth of the batch.

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
    limit = budget * (1 + _ROUNDING)
    if costs[cheapest] > limit:
        name = names[int(candidates[cheapest])]
        raise UsageError(
            f"the budget {budget:g} is below the cheapest probe, {name!r} at {costs[cheapest]:g}"
        )
    pairs = zip(candidates.tolist(), costs.tolist(), strict=True)
    price = {index: cost for index, cost in pairs if cost <= limit}
    most = len(price) if k is None else min(k, len(price))
    start = _Run(state.without_chance(), about)
    if most == len(price) and sum(price.values()) <= limit:
        best = tuple(price)  # it never pays to leave one out
    elif len(price) <= _EXACT_UP_TO:
        best = _best_of_all(start, price, limit, most)
    else:
        best = _best_of_three(start, price, limit, most)
    return _in_order(start, {index: price[index] for index in best})


def _best_of_all(start: _Run, price: dict[int, float], limit: float, most: int) -> tuple[int, ...]:
    """The batch worth most of all that can be paid; the cheapest of equals."""
    found = list(_batches(start, tuple(price), price, limit, most))
    top = max(worth for worth, _ in found)
    equals = [batch for worth, batch in found if worth >= top - _NOTHING]
    return min(equals, key=lambda batch: sum(price[index] for index in batch))


def _batches(
    run: _Run, rest: tuple[int, ...], price: dict[int, float], left: float, most: int
) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Worth and members of every batch that adds some of ``rest`` to a run, and of the run."""
    yield run.worth, run.batch
    payable = tuple(index for index in rest if price[index] <= left)
    if not payable or len(run.batch) == most:
        return
    added = run.added(np.array(payable, dtype=np.intp))
    for place, index in enumerate(payable):
        after = run.then(index, float(added[place]))
        yield from _batches(after, payable[place + 1 :], price, left - price[index], most)


def _best_of_three(
    start: _Run, price: dict[int, float], limit: float, most: int
) -> tuple[int, ...]:
    added = start.added(np.array(list(price), dtype=np.intp))
    single = list(price)[int(np.argmax(added))]
    runs = (
        _grown(start, price, limit, most, per_cost=True),
        _grown(start, price, limit, most, per_cost=False),
        _grown(start.then(single, float(added.max())), price, limit, most, per_cost=True),
    )
    return max(runs, key=lambda run: run.worth).batch


def _grown(run: _Run, price: dict[int, float], limit: float, most: int, *, per_cost: bool) -> _Run:
    """Add one probe after another, the best of those that still fit, until none does."""
    left = limit - sum(price[index] for index in run.batch)
    while len(run.batch) < most:
        payable = [i for i, cost in price.items() if cost <= left and i not in run.batch]
        if not payable:
            break
        added = run.added(np.array(payable, dtype=np.intp))
        costs = np.array([price[index] for index in payable])
        place = int(np.argmax(added / costs if per_cost else added))
        run = run.then(payable[place], float(added[place]))
        left -= costs[place]
    return run


def _in_order(start: _Run, price: dict[int, float]) -> tuple[tuple[int, float], ...]:
    """A batch in the order to run it, with what each adds, down to the last that adds anything."""
    run = start
    steps: list[tuple[int, float]] = []
    while len(steps) < len(price):
        rest = [index for index in price if index not in run.batch]
        added = run.added(np.array(rest, dtype=np.intp))
        place = int(np.argmax(added / [price[index] for index in rest]))
        if not added.max() > _NOTHING:
            break
        steps.append((rest[place], float(added[place])))
        run = run.then(*steps[-1])
    return tuple(steps)
