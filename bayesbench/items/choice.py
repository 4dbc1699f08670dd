"""Which items to ask next: gains about any weighted score, batches, quotas, costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..scores.ids import look_up
from .bank import ItemBank
from .reconstruction import PRIOR_SD, estimate_scores
from .responses import ItemResponses

__all__ = ["Chosen", "Quotas", "Standing", "attenuated", "choose", "standing", "target_weights"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Quotas:
    """How many items of a category are asked at least and at most.

    Attributes
    ----------
    limits : mapping of str to (int, int)
        Of categories without limits any number is asked.

    Raises
    ------
    UsageError
        A limit is below 0, or the least above the most.

    Examples
    --------
    >>> Quotas({"algebra": (2, 3)}).allowed(("algebra", "logic"), ["algebra"] * 3, left=5)
    array([False,  True])
    """

    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (least, most) in self.limits.items():
            if not 0 <= least <= most:
                raise UsageError(f"quota of {name!r} must rise from 0 on, got {least} to {most}")

    def check(self, categories: Sequence[str], n: int, forms: int = 1) -> None:
        """Refuse what cannot be met by `forms` disjoint sets of `n` of these items.

        Raises
        ------
        UnknownIdError
            There is no such category.
        UsageError
            Naming the category, or what is too many.
        """
        there = Counter(categories)
        for name, (least, _) in self.limits.items():
            look_up("category", name, dict.fromkeys(there, 0))
            if least * forms > there[name]:
                raise UsageError(
                    f"quota of {name!r}: {least * forms} items wanted, {there[name]} are there"
                )
        least_of_all = sum(least for least, _ in self.limits.values())
        if least_of_all > n:
            raise UsageError(f"quotas ask for {least_of_all} items, but there are to be {n}")
        free = sum(
            min(times, self.limits[name][1] * forms) if name in self.limits else times
            for name, times in there.items()
        )
        if free < n * forms:
            raise UsageError(f"{n * forms} items wanted, {free} are there within the quotas")

    def missing(self, asked: Sequence[str]) -> int:
        """How many items of named categories still have to be asked, given those asked."""
        have = Counter(asked)
        return sum(max(0, least - have[name]) for name, (least, _) in self.limits.items())

    def allowed(self, categories: Sequence[str], asked: Sequence[str], left: int) -> Array:
        """Which items may be asked next, (items,) bool.

        Parameters
        ----------
        categories : sequence of str
            Of every item.
        asked : sequence of str
            Category of every item asked so far.
        left : int
            How many may still be asked.
        """
        have = Counter(asked)
        must = self.missing(asked) >= left
        fine = {}
        for name in set(categories):
            least, most = self.limits.get(name, (0, left + len(asked)))
            fine[name] = have[name] < (least if must else most)
        return np.array([fine[name] for name in categories])


@dataclass(frozen=True, eq=False, repr=False)
class Standing:
    """What is known of a weighted score of models that answered some items.

    Attributes
    ----------
    score, variance : (models,) arrays
        Percent, and percent squared as the bank states it.
    lowest, highest : (models,) arrays
        Percent, if all items that are open were answered wrongly, or correctly.
    ability : (models, factors) array
    ability_covariance : (models, factors, factors) array
    probability : (models, items) array
        Of a correct answer.
    asked : (models, items) array
        Whether there is an answer.
    """

    score: Array
    variance: Array
    lowest: Array
    highest: Array
    ability: Array
    ability_covariance: Array
    probability: Array
    asked: Array


@dataclass(frozen=True)
class Chosen:
    """An item to ask.

    Attributes
    ----------
    item_id, benchmark_id, category : str
    probability : float
        Of a correct answer, as known now.
    gain : float
        By how much the answer is expected to lower the variance of the score (percent squared),
        or the information about the ability (nats).
    sd_after : float or None
        Expected sd of the score once it and those before it in the batch are answered; None where
        the ability is asked about.
    """

    item_id: str
    benchmark_id: str
    category: str
    probability: float
    gain: float
    sd_after: float | None


def target_weights(
    bank: ItemBank, benchmarks: Sequence[str] | None = None, *, macro: bool = False
) -> Array:
    """Weight of every item in the score that is asked about; their sum is 100.

    Parameters
    ----------
    bank : ItemBank
    benchmarks : sequence of str, optional
        Only their items count; all by default.
    macro : bool
        Each benchmark counts the same, whatever its number of items.

    Raises
    ------
    UnknownIdError
        There is no such benchmark.
    """
    of = bank.items["benchmark_id"].to_numpy(dtype=object)
    names = list(dict.fromkeys(of)) if benchmarks is None else list(dict.fromkeys(benchmarks))
    for name in names:
        look_up("benchmark", name, dict.fromkeys(of, 0))
    weights = np.zeros(len(of))
    for name in names:
        mine = of == name
        weights[mine] = 1 / mine.sum() if macro else 1.0
    return np.asarray(100 * weights / weights.sum())


def attenuated(bank: ItemBank) -> tuple[Array, Array]:
    """Easiness (items,) and slopes (items, factors) with the items' uncertainty taken in.

    Both divided by ``sqrt(1 + pi v / 8)``, ``v`` the variance of ``b + a . theta`` over items and
    abilities, as in `estimate_scores`.
    """
    spread = bank.covariance[:, 0, 0] + np.trace(bank.covariance[:, 1:, 1:], axis1=1, axis2=2)
    shrink = 1 / np.sqrt(1 + np.pi * spread / 8)
    return bank.easiness * shrink, bank.slope * shrink[:, None]


def standing(
    bank: ItemBank, responses: ItemResponses, weights: Array, *, prior_sd: float = PRIOR_SD
) -> Standing:
    """Estimate a weighted score of models from the answers to some items.

    The ability's posterior is that of `estimate_scores`. With ``p`` the probability of an item that
    is open, ``d = p (1 - p)`` and ``g = sum w d a``, the variance of ``sum w y`` is
    ``g' S g + sum w^2 d``.

    Parameters
    ----------
    bank : ItemBank
    responses : ItemResponses
        Of the bank's items, in its order.
    weights : (items,) array
        Of `target_weights`.
    prior_sd : float
        Of the abilities.

    Raises
    ------
    DataError
        The items are not those of the bank.
    """
    found = estimate_scores(bank, responses, prior_sd=prior_sd)
    b, a = attenuated(bank)
    p = 1 / (1 + np.exp(-(b + found.ability @ a.T)))
    trials = responses.trials.astype(np.float64)
    asked = trials > 0
    share = np.divide(responses.correct, trials, out=np.zeros_like(trials), where=asked)
    d = np.where(asked, 0.0, p * (1 - p))
    slope = (weights * d) @ a
    known = share @ weights
    return Standing(
        np.where(asked, share, p) @ weights,
        np.einsum("ij,ijk,ik->i", slope, found.ability_covariance, slope) + d @ weights**2,
        known,
        known + (~asked) @ weights,
        found.ability,
        found.ability_covariance,
        p,
        asked,
    )


def choose(
    bank: ItemBank,
    now: Standing,
    weights: Array | None,
    k: int = 1,
    *,
    allowed: Array | None = None,
    costs: Array | None = None,
    budget: float | None = None,
    quotas: Quotas | None = None,
    asked: Sequence[str] = (),
    left: int | None = None,
) -> tuple[Chosen, ...]:
    """Choose the items whose answers tell most of one model's score, per cost.

    An answer is correlated with the score by the ability and by itself: it lowers the variance by
    ``d (g' S a + w)^2 / (1 + d a' S a)`` (the fall of a normal's variance by conditioning). Of a
    batch the items are chosen one after another, S and g after each as an answer leaves them.

    Parameters
    ----------
    bank : ItemBank
    now : Standing
        Of one model.
    weights : (items,) array or None
        Of the score; None asks about the ability: ``log(1 + d a' S a) / 2`` nats.
    k : int
        At most so many.
    allowed : (items,) bool, optional
    costs : (items,) array, optional
        1 each by default.
    budget : float, optional
        What the batch may cost.
    quotas : Quotas, optional
    asked : sequence of str
        Categories of the items asked so far, for the quotas.
    left : int, optional
        How many may still be asked, for the quotas; `k` by default.

    Returns
    -------
    tuple of Chosen
        Best first; fewer than `k` where no more may be asked.

    Raises
    ------
    UsageError
        `k` is below 1.
    """
    if k < 1:
        raise UsageError(f"number of items must be 1 or more, got {k}")
    a = attenuated(bank)[1]
    about = np.zeros(len(a)) if weights is None else weights
    cov, p = now.ability_covariance[0], now.probability[0]
    free = ~now.asked[0] & (True if allowed is None else allowed)
    d = np.where(now.asked[0], 0.0, p * (1 - p))
    price = np.ones(len(a)) if costs is None else costs
    rest = np.inf if budget is None else budget
    categories, asked = bank.categories, list(asked)
    slope, own = (about * d) @ a, float(d @ about**2)
    found: list[Chosen] = []
    while len(found) < k:
        may = free & (price <= rest)
        if quotas is not None and quotas.limits:
            may &= quotas.allowed(categories, asked, (left or k) - len(found))
        if not may.any():
            break
        reach = a @ cov
        spread = np.einsum("lk,lk->l", reach, a)
        if weights is None:
            gain = np.log1p(d * spread) / 2
        else:
            gain = d * (reach @ slope + about) ** 2 / (1 + d * spread)
        at = int(np.argmax(np.where(may, gain / price, -np.inf)))
        cov = cov - np.outer(reach[at], reach[at]) * d[at] / (1 + d[at] * spread[at])
        slope, own = slope - about[at] * d[at] * a[at], own - about[at] ** 2 * d[at]
        d[at], free[at] = 0.0, False
        rest -= price[at]
        asked.append(categories[at])
        found.append(
            Chosen(
                str(bank.items.index[at]),
                str(bank.items["benchmark_id"].iloc[at]),
                categories[at],
                float(p[at]),
                float(gain[at]),
                None if weights is None else float(np.sqrt(max(slope @ cov @ slope + own, 0.0))),
            )
        )
    return tuple(found)
