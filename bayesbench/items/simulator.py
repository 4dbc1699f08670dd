"""Answers drawn from the item bank's own model, together with the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .responses import ItemResponses

__all__ = ["SimulatedItems", "simulate_items"]

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedItems:
    """Answers with their truth.

    Attributes
    ----------
    responses : ItemResponses
    ability : (models, factors) array
    easiness : (items,) array
        ``b``.
    slope : (items, factors) array
        ``a``.
    probability : (models, items) array
        Of a correct answer.
    """

    responses: ItemResponses
    ability: Array
    easiness: Array
    slope: Array
    probability: Array


def simulate_items(
    n_models: int = 200,
    n_items: int = 100,
    *,
    factors: int = 2,
    slope_scales: tuple[float, ...] | None = None,
    missing: float = 0.0,
    trials: int = 1,
    benchmarks: int = 1,
    seed: int,
) -> SimulatedItems:
    """Draw abilities, items and answers: ``P(correct) = sigmoid(b + a . theta)``.

    Abilities are standard normal, easiness normal with mean 0.5 and sd 1.2. Slopes of the first
    factor are positive (the absolute value of a normal), those of the others of either sign.

    Parameters
    ----------
    n_models, n_items : int
    factors : int
    slope_scales : tuple of float, optional
        Scale of the slopes of each factor; 1.2, then 0.6 each by default.
    missing : float
        Share of the cells that were not run, at random.
    trials : int
        Runs of every item.
    benchmarks : int
        Items are dealt to so many in turn: ``benchmark_0``, ...
    seed : int

    Raises
    ------
    UsageError
        A number is out of range.

    Examples
    --------
    >>> simulate_items(30, 10, seed=1).responses
    ItemResponses(30 models x 10 items of benchmark_0)
    """
    if min(n_models, n_items, factors, trials, benchmarks) < 1 or not 0 <= missing < 1:
        raise UsageError("sizes must be 1 or more and missing at least 0 and below 1")
    scales = slope_scales or (1.2, *[0.6] * (factors - 1))
    if len(scales) != factors:
        raise UsageError(f"{len(scales)} slope scales for {factors} factors; give one for each")
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=(n_models, factors))
    easiness = rng.normal(0.5, 1.2, size=n_items)
    slope = rng.normal(size=(n_items, factors)) * np.array(scales)
    slope[:, 0] = np.abs(slope[:, 0])
    probability = 1 / (1 + np.exp(-(easiness + ability @ slope.T)))
    correct = rng.binomial(trials, probability).astype(np.float32)
    correct[rng.random(correct.shape) < missing] = np.nan
    responses = ItemResponses.of(
        correct,
        [f"model_{n}" for n in range(n_models)],
        [f"item_{n}" for n in range(n_items)],
        [f"benchmark_{n % benchmarks}" for n in range(n_items)],
        trials=trials,
    )
    return SimulatedItems(responses, ability, easiness, slope, probability)
