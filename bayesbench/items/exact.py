"""The item bank's exact posterior on small data, by Gibbs sampling with Polya-Gamma variables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from ..progress import Report
from .bank import ItemBank
from .polya_gamma import draw_polya_gamma
from .responses import ItemResponses

__all__ = ["BankDraws", "bank_of_draws", "draw_bank"]

Array = NDArray[Any]
MOST_CELLS = 2_000_000
LARGEST_RHAT = 1.05
"""Of the scores of models, over two halves of a chain that has converged."""


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
    responses: ItemResponses,
    bank: ItemBank,
    *,
    draws: int = 500,
    warmup: int = 200,
    seed: int,
    report: Report | None = None,
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
    report : Report, optional
        Told of every sweep.

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
        if report is not None:
            report(sweep + 1, warmup + draws)
        if sweep >= warmup:
            kept.append((ability, item))
    return BankDraws(
        np.array([one for one, _ in kept]),
        np.array([one[:, 0] for _, one in kept]),
        np.array([one[:, 1:] for _, one in kept]),
    )


def bank_of_draws(draws: BankDraws, bank: ItemBank) -> ItemBank:
    """The bank whose means and covariances are those of the draws.

    A rotation of the factors changes no probability. Each draw is turned so that its slopes are as
    near as possible to those of `bank` (orthogonal Procrustes: with ``U D V'`` of ``A' A_bank`` the
    rotation is ``U V'``) before means are taken, so that they are of one and the same factor.

    Parameters
    ----------
    draws : BankDraws
    bank : ItemBank
        The one that `draw_bank` was given.

    Returns
    -------
    ItemBank
        Scales, ids and the prior are those of `bank`; `iterations` is the number of draws, and
        `converged` whether split R-hat of every model's score is below 1.05.

    Raises
    ------
    UsageError
        Fewer than 4 draws.
    """
    number = len(draws.ability)
    if number < 4:
        raise UsageError(f"{number} draws; a bank needs at least 4")
    abilities, items = [], []
    for at in range(number):
        left, _, right = np.linalg.svd(draws.slope[at].T @ bank.slope)
        abilities.append(draws.ability[at] @ left @ right)
        items.append(np.column_stack([draws.easiness[at], draws.slope[at] @ left @ right]))
    ability, ability_cov = _moments(np.array(abilities))
    item, item_cov = _moments(np.array(items))
    return replace(
        bank,
        easiness=item[:, 0].copy(),
        slope=item[:, 1:].copy(),
        covariance=item_cov,
        ability=ability,
        ability_covariance=ability_cov,
        iterations=number,
        converged=bool((_split_rhat(draws.scores()) < LARGEST_RHAT).all()),
    )


def _moments(values: Array) -> tuple[Array, Array]:
    """Mean and covariance over the first axis of ``(draws, rows, width)``."""
    mean = values.mean(axis=0)
    off = values - mean
    return mean, np.einsum("dij,dik->ijk", off, off, optimize=True) / (len(values) - 1)


def _split_rhat(values: Array) -> Array:
    """R-hat of the halves of a chain (Gelman & Rubin 1992, doi:10.1214/ss/1177011136), by column.

    Examples
    --------
    >>> float(_split_rhat(np.array([[0.0], [1.0], [0.0], [1.0]]))[0]) < 1
    True
    """
    half = len(values) // 2
    halves = np.array([values[:half], values[half : 2 * half]])
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    between = halves.mean(axis=1).var(axis=0, ddof=1)
    return np.asarray(np.sqrt((half - 1) / half + between / np.maximum(within, 1e-300)))


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
