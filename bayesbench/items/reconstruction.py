"""The full score from some answers, and which item would tell most of it, by the bank alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from .bank import ItemBank
from .responses import ItemResponses

__all__ = ["ScoreEstimate", "estimate_scores"]

Array = NDArray[Any]
PRIOR_SD = 2.0
"""Of the ability of a model that the bank has not seen; those of the bank have sd 1."""
STEPS = 50
LONGEST_STEP = 2.0


@dataclass(frozen=True, eq=False, repr=False)
class ScoreEstimate:
    """What the bank says of the full scores of models that answered some items.

    Attributes
    ----------
    ability : (models, factors) array
        Posterior mode.
    ability_covariance : (models, factors, factors) array
    score : (models,) array
        Percent: answers where there are some, probabilities elsewhere.
    variance : (models,) array
        Of the score, percent squared; not calibrated.
    gain : (models, items) array
        By how much an item's answer is expected to lower the variance; minus infinity where it
        was answered.
    """

    ability: Array
    ability_covariance: Array
    score: Array
    variance: Array
    gain: Array


def estimate_scores(
    bank: ItemBank, responses: ItemResponses, *, prior_sd: float = PRIOR_SD
) -> ScoreEstimate:
    """Estimate the mean over all items of the bank from the answers to some.

    Items' uncertainty is taken in by dividing ``(b, a)`` by ``sqrt(1 + pi v / 8)``, ``v`` the
    variance of ``b + a . theta`` over items and abilities. The ability's posterior is normal around
    its mode with covariance S. With ``p`` the probability of an item not answered, ``d = p (1 -
    p)``, ``w = 100 / items`` and ``g = sum w d a``, the variance of the score is ``g' S g + sum w^2
    d``, and an answer lowers it by ``(g' S a)^2 d / (1 + d a' S a) + w^2 d``.

    Parameters
    ----------
    bank : ItemBank
    responses : ItemResponses
        Of the bank's items, in its order; no trials where not answered yet.
    prior_sd : float
        Of the abilities.

    Returns
    -------
    ScoreEstimate

    Raises
    ------
    DataError
        The items are not those of the bank.
    UsageError
        `prior_sd` is not above 0.

    Examples
    --------
    >>> from bayesbench.items.simulator import simulate_items
    >>> from bayesbench.items.variational import fit_bank
    >>> drawn = simulate_items(60, 30, missing=0.5, seed=1).responses
    >>> estimate_scores(fit_bank(drawn), drawn).score.shape
    (60,)
    """
    if not responses.items.index.equals(bank.items.index):
        raise DataError("the items are not those of the bank, in its order; take them from it")
    if not prior_sd > 0:
        raise UsageError(f"prior_sd must be above 0, got {prior_sd}")
    spread = bank.covariance[:, 0, 0] + np.trace(bank.covariance[:, 1:, 1:], axis1=1, axis2=2)
    shrink = 1 / np.sqrt(1 + np.pi * spread / 8)
    b, a = bank.easiness * shrink, bank.slope * shrink[:, None]
    trials = responses.trials.astype(np.float64)
    correct = responses.correct.astype(np.float64)
    ability, cov = _abilities(b, a, correct, trials, prior_sd)
    p = 1 / (1 + np.exp(-(b + ability @ a.T)))
    asked = trials > 0
    weight = 100 / len(b)
    share = np.divide(correct, trials, out=np.zeros_like(correct), where=asked)
    d = np.where(asked, 0.0, p * (1 - p))
    slope_of_score = weight * d @ a
    reach = np.einsum("ij,ijk->ik", slope_of_score, cov)
    own = weight**2 * d
    spread_of_item = np.einsum("lj,ijk,lk->il", a, cov, a, optimize=True)
    gain = (reach @ a.T) ** 2 * d / (1 + d * spread_of_item) + own
    return ScoreEstimate(
        ability,
        cov,
        weight * np.where(asked, share, p).sum(axis=1),
        np.einsum("ij,ij->i", reach, slope_of_score) + own.sum(axis=1),
        np.where(asked, -np.inf, gain),
    )


def _abilities(
    b: Array, a: Array, correct: Array, trials: Array, prior_sd: float
) -> tuple[Array, Array]:
    """Posterior modes and covariances by Newton's steps, none longer than `LONGEST_STEP`."""
    factors = a.shape[1]
    outer = (a[:, :, None] * a[:, None, :]).reshape(len(a), -1)
    prior = np.eye(factors) / prior_sd**2
    ability = np.zeros((len(trials), factors))
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-(b + ability @ a.T)))
        curved = ((trials * p * (1 - p)) @ outer).reshape(-1, factors, factors) + prior
        slope = (correct - trials * p) @ a - ability / prior_sd**2
        step = np.linalg.solve(curved, slope[:, :, None])[:, :, 0]
        length = np.linalg.norm(step, axis=1, keepdims=True)
        ability = ability + step * np.minimum(1, LONGEST_STEP / np.maximum(length, 1e-12))
        if length.max() < 1e-8:
            break
    return ability, np.linalg.inv(curved)
