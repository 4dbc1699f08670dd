"""What the bank misses of a score: ridge on the residual answers of the nearest models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .adaptive import Abilities
from .bank import ItemBank
from .reconstruction import PRIOR_SD
from .responses import ItemResponses

__all__ = ["LocalStack", "ridge_with_intercept"]

Array = NDArray[Any]
NEIGHBOURS = 300
LEAST_MODELS = 20
"""Complete training models below which there is no stack."""
PENALTIES = 10.0 ** np.arange(-1, 4.1, 0.5)
"""Tried in turn, in units of the features' mean variance per model."""
EDGE = 0.01
"""Share of the training models at either end beyond whose scores nothing is added."""


def ridge_with_intercept(
    features: Array, target: Array, penalties: Array = PENALTIES
) -> tuple[float, Array]:
    """Ridge regression whose penalty has the least squared error of leave-one-out prediction.

    Minimises ``sum (y - c - x b)^2 + k s b'b`` with s the mean variance of a feature; the errors of
    leaving one out are ``e_i / (1 - h_i)`` with h the diagonal of the hat matrix.

    Parameters
    ----------
    features : (models, features) array
    target : (models,) array
    penalties : array
        Values of k.

    Returns
    -------
    intercept : float
    coefficients : (features,) array

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(6.0)[:, None]
    >>> c, b = ridge_with_intercept(x, 1 + 2 * x[:, 0], np.array([1e-9]))
    >>> round(float(c), 6), round(float(b[0]), 6)
    (1.0, 2.0)
    """
    mean, middle = features.mean(axis=0), float(target.mean())
    x, y = features - mean, target - middle
    values, axes = np.linalg.eigh(x.T @ x)
    values = np.maximum(values, 0)
    turned = x @ axes
    pull = turned.T @ y
    squares = turned**2
    unit = max(float(values.mean()) / len(x), 1e-12)
    best, chosen = np.inf, np.zeros(len(values))
    for penalty in penalties * unit:
        scale = 1 / (values + penalty)
        error = (y - turned @ (scale * pull)) / (1 - 1 / len(y) - squares @ scale).clip(1e-6)
        loss = float(error @ error)
        if loss < best:
            best, chosen = loss, scale * pull
    coefficients = axes @ chosen
    return middle - float(mean @ coefficients), coefficients


@dataclass(frozen=True, eq=False, repr=False)
class LocalStack:
    """Training models whose answers to all items say what a bank misses of a score.

    Attributes
    ----------
    engine : Abilities
        Of the bank.
    correct, trials : (models, items) arrays
        Answers of the training models that ran every item.
    ability : (models, factors) array
        From all their answers.
    score : (models,) array
        Percent.
    neighbours : int
        How many of them a regression takes.
    """

    engine: Abilities
    correct: Array
    trials: Array
    ability: Array
    score: Array
    neighbours: int

    @classmethod
    def of(
        cls,
        bank: ItemBank,
        responses: ItemResponses,
        *,
        neighbours: int = NEIGHBOURS,
        prior_sd: float = PRIOR_SD,
    ) -> LocalStack:
        """Of the training models that ran every item of the bank.

        Raises
        ------
        DataError
            The items are not those of the bank.
        """
        if not responses.items.index.equals(bank.items.index):
            raise DataError("the items are not those of the bank, in its order; take them from it")
        known = np.flatnonzero(responses.complete())
        engine = Abilities.of(bank, prior_sd)
        correct, trials = responses.correct[known], responses.trials[known]
        ability = engine.found(
            correct.astype(np.float64), trials.astype(np.float64),
            np.zeros((len(known), engine.slope.shape[1])),
        )[0] if len(known) else np.zeros((0, engine.slope.shape[1]))  # fmt: skip
        return cls(engine, correct, trials, ability, responses.scores()[known], neighbours)

    @property
    def usable(self) -> bool:
        """Whether there are enough training models."""
        return len(self.score) >= LEAST_MODELS

    def within(self, score: Array) -> Array:
        """Whether scores lie where training models do, all but the outermost 1 % on each side."""
        if not self.usable:
            return np.zeros(np.shape(score), dtype=bool)
        low, high = np.quantile(self.score, [EDGE, 1 - EDGE])
        return np.asarray((score >= low) & (score <= high))

    def correction(self, correct: Array, trials: Array, ability: Array) -> float:
        """What to add to the bank's score of one model, in points.

        The nearest training models are those whose logits of all items differ least from the
        model's in mean square. Each of them is scored by the bank from its answers to the same
        items; what was missed is regressed on its residuals of these items, ``share - p``.

        Parameters
        ----------
        correct, trials : (items,) arrays
            No trials where not asked.
        ability : (factors,) array
            Of the model, by the bank.
        """
        asked = np.flatnonzero(trials > 0)
        if not self.usable or not len(asked) or len(asked) == len(trials):
            return 0.0
        apart = (self.ability - ability) @ self.engine.slope.T
        distance = (apart**2).sum(axis=1)
        near = np.argsort(distance, kind="stable")[: self.neighbours]
        few = self.engine.only(asked)
        right = self.correct[near][:, asked].astype(np.float64)
        runs = self.trials[near][:, asked].astype(np.float64)
        found = few.found(right, runs, self.ability[near])[0]
        share = right / runs
        p = self.engine.probability(found)
        rest = p.sum(axis=1) - p[:, asked].sum(axis=1)
        missed = self.score[near] - 100 / len(trials) * (share.sum(axis=1) + rest)
        intercept, weights = ridge_with_intercept(share - p[:, asked], missed)
        own = correct[asked] / trials[asked] - few.probability(ability[None])[0]
        return intercept + float(own @ weights)
