"""Fixed forms: the same few items for everybody, and forms that are parallel to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .bank import ItemBank
from .choice import Quotas, attenuated, target_weights
from .reconstruction import PRIOR_SD

__all__ = ["Form", "select_forms"]

Array = NDArray[Any]
MOST_ABILITIES = 100
"""Models of the bank that a form is made for."""


@dataclass(frozen=True)
class Form:
    """Items that stand for the whole.

    Attributes
    ----------
    item_ids : tuple of str
        In the order in which they were chosen: the first n of them are the form of n items, where
        there are no quotas and no other forms.
    sd : tuple of float
        Expected sd of the full score after each item, root mean square over the models of the bank,
        in points.
    """

    item_ids: tuple[str, ...]
    sd: tuple[float, ...]


@dataclass(eq=False)
class _Course:
    """Where a form stands, for every ability."""

    cov: Array
    d: Array
    slope: Array
    own: Array
    chosen: list[int]
    sd: list[float]

    def variance(self) -> float:
        inner = np.einsum("pj,pjk,pk->p", self.slope, self.cov, self.slope)
        return float(np.mean(inner + self.own))

    def gain(self, a: Array, weights: Array) -> Array:
        """Mean fall of the variance by each item, (items,)."""
        reach = self.cov @ a.T
        spread = np.einsum("pkl,lk->pl", reach, a)
        across = np.einsum("pk,pkl->pl", self.slope, reach)
        return np.asarray((self.d * (across + weights) ** 2 / (1 + self.d * spread)).mean(axis=0))

    def add(self, at: int, a: Array, weights: Array) -> None:
        d = self.d[:, at]
        reach = self.cov @ a[at]
        factor = d / (1 + d * (reach @ a[at]))
        self.cov = self.cov - factor[:, None, None] * reach[:, :, None] * reach[:, None, :]
        self.slope = self.slope - (weights[at] * d)[:, None] * a[at]
        self.own = self.own - weights[at] ** 2 * d
        self.d[:, at] = 0.0
        self.chosen.append(at)
        self.sd.append(float(np.sqrt(max(self.variance(), 0.0))))


def select_forms(
    bank: ItemBank,
    n: int,
    *,
    forms: int = 1,
    quotas: Quotas | None = None,
    weights: Array | None = None,
    seed: int = 0,
) -> tuple[Form, ...]:
    """Choose `n` items for everybody, or several such forms without a common item.

    Greedy: each item is the one that lowers the variance of the full score most, on average over
    abilities like those of the bank's models, each with the wide prior of an unknown model. With
    several forms the one whose variance is largest chooses next, so that they stay alike.

    Parameters
    ----------
    bank : ItemBank
    n : int
        Items of a form.
    forms : int
    quotas : Quotas, optional
        Of each form.
    weights : (items,) array, optional
        Of the score, from `target_weights`; the mean over all items by default.
    seed : int
        Of the models that stand for all where the bank has more than 100.

    Returns
    -------
    tuple of Form

    Raises
    ------
    UsageError
        A number is below 1, or there are too few items.

    Examples
    --------
    >>> from bayesbench.items.simulator import simulate_items
    >>> from bayesbench.items.variational import fit_bank
    >>> bank = fit_bank(simulate_items(60, 30, seed=1).responses, factors=1)
    >>> one, other = select_forms(bank, 5, forms=2)
    >>> len(set(one.item_ids) | set(other.item_ids))
    10
    """
    if n < 1 or forms < 1:
        raise UsageError(f"items and forms must be 1 or more, got {n} items in {forms} forms")
    limits, categories = quotas or Quotas(), bank.categories
    if n * forms > len(categories):
        raise UsageError(f"{n * forms} items wanted, the bank has {len(categories)}")
    limits.check(categories, n, forms)
    about = target_weights(bank) if weights is None else weights
    b, a = attenuated(bank)
    courses = [_start(bank, b, a, about, seed) for _ in range(forms)]
    free = np.ones(len(a), dtype=bool)
    for _ in range(n):
        for course in sorted(courses, key=lambda one: -one.variance()):
            may = _fillable(limits, categories, free, courses, course, n)
            at = int(np.argmax(np.where(may, course.gain(a, about), -np.inf)))
            course.add(at, a, about)
            free[at] = False
    ids = bank.items.index
    return tuple(Form(tuple(str(ids[at]) for at in one.chosen), tuple(one.sd)) for one in courses)


def _start(bank: ItemBank, b: Array, a: Array, weights: Array, seed: int) -> _Course:
    ability = bank.ability
    if len(ability) > MOST_ABILITIES:
        chosen = np.random.default_rng(seed).permutation(len(ability))[:MOST_ABILITIES]
        ability = ability[np.sort(chosen)]
    p = 1 / (1 + np.exp(-(b + ability @ a.T)))
    d = p * (1 - p)
    cov = np.broadcast_to(PRIOR_SD**2 * np.eye(bank.factors), (len(p), *[bank.factors] * 2))
    return _Course(cov.copy(), d, (weights * d) @ a, d @ weights**2, [], [])


def _fillable(
    limits: Quotas,
    categories: tuple[str, ...],
    free: Array,
    courses: list[_Course],
    course: _Course,
    n: int,
) -> Array:
    """Items that may be added to a form so that it and the others can still be filled, (items,)."""
    if not limits.limits:
        return free.copy()
    of = np.array(categories, dtype=object)
    names = list(dict.fromkeys(categories))
    have = np.array([[sum(categories[at] == x for at in one.chosen) for x in names]
                     for one in courses])  # fmt: skip
    bounds = np.array([limits.limits.get(name, (0, n)) for name in names])
    stock = np.array([int(free[of == name].sum()) for name in names])
    mine = courses.index(course)
    fine = np.zeros(len(of), dtype=bool)
    for at, name in enumerate(names):
        after = have.copy()
        after[mine, at] += 1
        if stock[at] > 0 and _can_finish(
            stock - (np.arange(len(names)) == at), n - after.sum(axis=1),
            np.maximum(bounds[:, 0] - after, 0), bounds[:, 1] - after,
        ):  # fmt: skip
            fine |= free & (of == name)
    return fine


def _can_finish(stock: Array, needs: Array, least: Array, most: Array) -> bool:
    """Whether forms can be filled from what is left: a flow from forms to categories.

    Parameters
    ----------
    stock : (categories,) array
    needs : (forms,) array
        Items that each form still has to have.
    least, most : (forms, categories) arrays
        Of them, by category.
    """
    needs, stock = needs - least.sum(axis=1), stock - least.sum(axis=0)
    room = most - least
    if min(needs.min(), stock.min(), room.min()) < 0:
        return False
    flow = np.zeros_like(room)
    for form in range(len(needs)):
        while needs[form] > 0:
            path = _path(form, room - flow, flow, stock)
            if path is None:
                return False
            for at, (giver, category) in enumerate(path):
                flow[giver, category] += 1
                if at + 1 < len(path):  # the next giver hands over what it had of this category
                    flow[path[at + 1][0], category] -= 1
            stock[path[-1][1]] -= 1
            needs[form] -= 1
    return True


def _path(form: int, room: Array, flow: Array, stock: Array) -> list[tuple[int, int]] | None:
    """Steps from a form to a category with stock, over forms that can do with another category."""
    paths: list[tuple[int, list[tuple[int, int]]]] = [(form, [])]
    seen = {form}
    while paths:
        at, so_far = paths.pop(0)
        reached = np.flatnonzero(room[at] > 0)
        for category in reached[np.argsort(-stock[reached], kind="stable")]:
            steps = [*so_far, (at, int(category))]
            if stock[category] > 0:
                return steps
            others = [int(one) for one in np.flatnonzero(flow[:, category]) if one not in seen]
            seen.update(others)
            paths += [(one, steps) for one in others]
    return None
