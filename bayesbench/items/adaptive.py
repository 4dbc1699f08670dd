"""Asking many models at once, each the item that tells most of its score or its ability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from .bank import ItemBank
from .choice import attenuated
from .reconstruction import PRIOR_SD
from .responses import ItemResponses

__all__ = ["Abilities", "ask_adaptively", "checked_budgets"]

Array = NDArray[Any]
MOST_STEPS = 30
LONGEST_STEP = 2.0
TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False, repr=False)
class Abilities:
    """Finds posterior modes of abilities under a bank, from where a search may begin.

    Attributes
    ----------
    easiness : (items,) array
    slope : (items, factors) array
        Both with the items' uncertainty taken in, as `attenuated` gives them.
    outer : (items, factors * factors) array
        ``a a'`` of every item.
    prior_sd : float
    """

    easiness: Array
    slope: Array
    outer: Array
    prior_sd: float

    @classmethod
    def of(cls, bank: ItemBank, prior_sd: float = PRIOR_SD) -> Abilities:
        """Those of a bank."""
        b, a = attenuated(bank)
        return cls(b, a, (a[:, :, None] * a[:, None, :]).reshape(len(a), -1), prior_sd)

    def probability(self, ability: Array) -> Array:
        """``sigmoid(b + a . theta)``, (models, items)."""
        return np.asarray(1 / (1 + np.exp(-(self.easiness + ability @ self.slope.T))))

    def only(self, items: Array) -> Abilities:
        """Those of some items."""
        return Abilities(self.easiness[items], self.slope[items], self.outer[items], self.prior_sd)

    def found(self, correct: Array, trials: Array, start: Array) -> tuple[Array, Array]:
        """Posterior modes (models, factors) and covariances, by Newton's steps from `start`.

        Parameters
        ----------
        correct, trials : (models, items) arrays
        start : (models, factors) array
        """
        factors = self.slope.shape[1]
        prior = np.eye(factors) / self.prior_sd**2
        ability = start
        for _ in range(MOST_STEPS):
            p = self.probability(ability)
            curved = ((trials * p * (1 - p)) @ self.outer).reshape(-1, factors, factors) + prior
            slope = (correct - trials * p) @ self.slope - ability / self.prior_sd**2
            step = np.linalg.solve(curved, slope[:, :, None])[:, :, 0]
            length = np.sqrt((step**2).sum(axis=1, keepdims=True))
            ability = ability + step * np.minimum(1, LONGEST_STEP / np.maximum(length, 1e-12))
            if length.max() < TOLERANCE:
                break
        return ability, np.linalg.inv(curved)


def checked_budgets(budgets: Sequence[int], items: int) -> tuple[int, ...]:
    """Numbers of items to ask, checked.

    Raises
    ------
    UsageError
        They do not rise, or are below 1 or above the number of items.

    Examples
    --------
    >>> checked_budgets([5, 10], 20)
    (5, 10)
    """
    wanted = tuple(int(n) for n in budgets)
    if not wanted or list(wanted) != sorted(set(wanted)):
        raise UsageError(f"budgets must rise, got {', '.join(map(str, wanted)) or 'none'}")
    if wanted[0] < 1 or wanted[-1] > items:
        raise UsageError(f"budgets must be from 1 to the {items} items, got {wanted[-1]}")
    return wanted


def ask_adaptively(
    bank: ItemBank,
    responses: ItemResponses,
    budgets: Sequence[int],
    *,
    about: str = "score",
    prior_sd: float = PRIOR_SD,
) -> Iterator[Array]:
    """Ask every model one item after another, each time the one of the largest gain.

    With n runs of an item the answer lowers the variance of the mean over all items by
    ``n d (g' S a + w / n)^2 / (1 + n d a' S a)``; about the ability the gain is ``n d a' S a``,
    with one factor the order of Fisher information.

    Parameters
    ----------
    bank : ItemBank
    responses : ItemResponses
        Every item answered by every model; only the answers asked for are used.
    budgets : sequence of int
        Rising, at most the number of items.
    about : {"score", "ability"}
    prior_sd : float
        Of the abilities.

    Yields
    ------
    (models, items) bool array
        Which items were asked by each of the budgets.

    Raises
    ------
    UsageError
        Budgets do not rise, or are out of range.
    DataError
        An item was not run.
    """
    wanted = checked_budgets(budgets, responses.shape[1])
    if not responses.complete().all():
        first = responses.models.index[int(np.argmin(responses.complete()))]
        raise DataError(f"model {first!r} did not run every item; leave it out")
    engine = Abilities.of(bank, prior_sd)
    runs = responses.trials.astype(np.float64)
    right = responses.correct.astype(np.float64)
    asked = np.zeros(responses.shape)
    ability = np.zeros((len(asked), engine.slope.shape[1]))
    weight = 100 / responses.shape[1]
    rows = np.arange(len(asked))
    for number in range(1, wanted[-1] + 1):
        ability, cov = engine.found(right * asked, runs * asked, ability)
        p = engine.probability(ability)
        d = np.where(asked > 0, 0.0, p * (1 - p))
        spread = cov.reshape(len(cov), -1) @ engine.outer.T
        if about == "score":
            slope = weight * d @ engine.slope
            reach = np.einsum("ij,ijk->ik", slope, cov) @ engine.slope.T
            gain = runs * d * (reach + weight / runs) ** 2 / (1 + runs * d * spread)
        else:
            gain = runs * d * spread
        asked[rows, np.where(asked > 0, -np.inf, gain).argmax(axis=1)] = 1
        if number in wanted:
            yield asked > 0
