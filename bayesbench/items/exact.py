"""The item bank's exact posterior on small data, by Gibbs sampling with Polya-Gamma variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from .bank import ItemBank
from .polya_gamma import draw_polya_gamma
from .responses import ItemResponses

__all__ = ["BankDraws", "draw_bank"]

Array = NDArray[Any]
MOST_CELLS = 2_000_000


@dataclass(frozen=True, eq=False, repr=False)
class BankDraws:
    """Draws of the joint posterior of abilities and items.

    Attributes
    ----------
    ability : (draws, models, factors) array
    easiness : (draws, items) array
    slope : (draws, items, factors) array
    """

    ability: Array
    easiness: Array
    slope: Array

    def probability(self) -> Array:
        """Posterior mean of every probability of a correct answer, (models, items)."""
        return np.asarray(np.mean([self._of(draw) for draw in range(len(self.ability))], axis=0))

    def scores(self) -> Array:
        """Mean probability over the items in percent, (draws, models)."""
        return np.array([100 * self._of(draw).mean(axis=1) for draw in range(len(self.ability))])

    def _of(self, draw: int) -> Array:
        linear = self.easiness[draw] + self.ability[draw] @ self.slope[draw].T
        return np.asarray(1 / (1 + np.exp(-linear)))


def draw_bank(
    responses: ItemResponses, bank: ItemBank, *, draws: int = 500, warmup: int = 200, seed: int
) -> BankDraws:
    """Draw abilities and items from their joint posterior, the scales of the bank held fixed.

    One sweep draws ``omega ~ PG(n, b + a . theta)`` of every cell, then all abilities, then all
    items from their normal conditionals (Polson, Scott & Windle 2013, arXiv:1205.0310). Signs and
    rotations of factors are free: use probabilities and scores, not single factors.

    Parameters
    ----------
    responses : ItemResponses
        With whole counts, at most 2,000,000 cells.
    bank : ItemBank
        Fitted to the same items and models: gives the prior's scales and the start.
    draws, warmup : int
    seed : int

    Returns
    -------
    BankDraws

    Raises
    ------
    UsageError
        Too many cells, or a number of draws below 1.
    DataError
        The bank is of other items or models.
    """
    models, items = responses.shape
    if models * items > MOST_CELLS:
        raise UsageError(f"{models * items:,} cells; exact draws take at most {MOST_CELLS:,}")
    if draws < 1 or warmup < 0:
        raise UsageError("draws must be 1 or more and warmup 0 or more")
    if tuple(responses.models.index) != bank.model_ids or not responses.items.index.equals(
        bank.items.index
    ):
        raise DataError("the bank is of other models or items; fit it to these answers")
    rng = np.random.default_rng(seed)
    trials = responses.trials.astype(np.float64)
    half = responses.correct.astype(np.float64) - trials / 2
    centre = np.r_[bank.easiness_prior[0], np.zeros(bank.factors)]
    prior = np.diag(1 / np.r_[bank.easiness_prior[1], bank.slope_scale] ** 2)
    ability = np.array(bank.ability)
    item = np.column_stack([bank.easiness, bank.slope])
    kept = []
    for sweep in range(warmup + draws):
        linear = item[:, 0] + ability @ item[:, 1:].T
        weight = draw_polya_gamma(trials, linear, rng)
        pull = half - weight * item[:, 0]
        ability = _regressions(item[:, 1:], weight, pull, np.eye(bank.factors), 0.0, rng)
        full = np.column_stack([np.ones(models), ability])
        item = _regressions(full, weight.T, half.T, prior, prior @ centre, rng)
        if sweep >= warmup:
            kept.append((ability, item))
    return BankDraws(
        np.array([one for one, _ in kept]),
        np.array([one[:, 0] for _, one in kept]),
        np.array([one[:, 1:] for _, one in kept]),
    )


def _regressions(
    design: Array, weight: Array, pull: Array, prior: Array, shift: Any, rng: np.random.Generator
) -> Array:
    """One draw of every row's coefficients: ``N(P^-1 r, P^-1)``, ``P = prior + X' W X``."""
    width = design.shape[1]
    outer = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    precision = (weight @ outer).reshape(-1, width, width) + prior
    right = pull @ design + shift
    root = np.linalg.cholesky(precision)
    mean = np.linalg.solve(precision, right[:, :, None])
    noise = rng.normal(size=(len(weight), width, 1))
    return np.asarray((mean + np.linalg.solve(root.swapaxes(1, 2), noise))[:, :, 0])
