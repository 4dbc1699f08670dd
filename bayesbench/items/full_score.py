"""The full score of a model from some answers, with its interval and what scale it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .bank import ItemBank
from .choice import Standing, standing, target_weights
from .reconstruction import PRIOR_SD
from .responses import ItemResponses

__all__ = ["FullScore", "full_scores", "scale_name", "scored"]

Array = NDArray[Any]
ROUNDING = 1e-9


@dataclass(frozen=True)
class FullScore:
    """What a model would score on all items.

    Attributes
    ----------
    model_id : str
    score, lower, upper : float
        Percent; the interval lies within what the open items allow.
    sd : float
        Points, multiplied by the width factor.
    observed : float or None
        Plain mean of the answers in percent; None without one.
    answered, items : int
        Items of the score that were answered, and all of them.
    lowest, highest : float
        Percent, if all items that are open were answered wrongly, or correctly.
    """

    model_id: str
    score: float
    lower: float
    upper: float
    sd: float
    observed: float | None
    answered: int
    items: int
    lowest: float = 0.0
    highest: float = 100.0

    def probability_above(self, bar: float) -> float:
        """Probability that the full score is at least `bar` percent; 0 or 1 where answers say so.

        Examples
        --------
        >>> FullScore("m", 60.0, 50.1, 69.9, 6.0, None, 0, 100).probability_above(60.0)
        0.5
        """
        if bar <= self.lowest + ROUNDING:
            return 1.0
        if bar > self.highest + ROUNDING or self.sd == 0:
            return 0.0
        return 1 - NormalDist(self.score, self.sd).cdf(bar)


def scale_name(
    bank: ItemBank, benchmarks: Sequence[str] | None = None, *, macro: bool = False
) -> str:
    """What a score is, in words: the mean over which items.

    It is the official score of a benchmark only where the bank holds all items of the benchmark and
    the official score is their mean.

    Examples
    --------
    >>> from bayesbench.items.simulator import simulate_items
    >>> from bayesbench.items.variational import fit_bank
    >>> scale_name(fit_bank(simulate_items(20, 10, seed=1).responses, factors=1))
    'percent correct, mean over the 10 items of benchmark_0 in the bank'
    """
    of = bank.items["benchmark_id"]
    names = list(dict.fromkeys(of if benchmarks is None else benchmarks))
    items = int(of.isin(names).sum())
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    if macro and len(names) > 1:
        return f"percent correct, mean over {len(names)} benchmarks ({listed}) of their item means"
    return f"percent correct, mean over the {items} items of {listed} in the bank"


def full_scores(
    bank: ItemBank,
    responses: ItemResponses,
    *,
    benchmarks: Sequence[str] | None = None,
    macro: bool = False,
    prob: float = 0.9,
    prior_sd: float = PRIOR_SD,
) -> tuple[FullScore, ...]:
    """Full scores of models from their answers to some items of the bank.

    Parameters
    ----------
    bank : ItemBank
    responses : ItemResponses
        Of the bank's items, in its order; no trials where not answered.
    benchmarks, macro
        Of `target_weights`.
    prob : float
        Of the interval.
    prior_sd : float
        Of the abilities.

    Returns
    -------
    tuple of FullScore
        One per model.

    Raises
    ------
    UsageError
        `prob` is not between 0 and 1.
    UnknownIdError
        There is no such benchmark.
    DataError
        The items are not those of the bank.
    """
    weights = target_weights(bank, benchmarks, macro=macro)
    now = standing(bank, responses, weights, prior_sd=prior_sd)
    return scored(bank, tuple(responses.models.index), now, responses, weights, prob)


def scored(
    bank: ItemBank,
    names: Sequence[str],
    now: Standing,
    responses: ItemResponses,
    weights: Array,
    prob: float,
) -> tuple[FullScore, ...]:
    """Scores and intervals of a standing: ``score +- z c sd``, c the bank's width factor.

    Raises
    ------
    UsageError
        `prob` is not between 0 and 1.
    """
    if not 0 < prob < 1:
        raise UsageError(f"interval probability must lie in (0, 1), got {prob:g}")
    z = NormalDist().inv_cdf((1 + prob) / 2)
    sd = np.sqrt(np.maximum(now.variance, 0)) * bank.width_factor(now.asked.sum(axis=1))
    lower = np.clip(now.score - z * sd, now.lowest, now.highest)
    upper = np.clip(now.score + z * sd, now.lowest, now.highest)
    mine = weights > 0
    found = []
    for row, name in enumerate(names):
        asked = now.asked[row] & mine
        share = responses.correct[row, asked] / responses.trials[row, asked]
        found.append(
            FullScore(
                str(name), float(now.score[row]), float(lower[row]), float(upper[row]),
                float(sd[row]), 100 * float(share.mean()) if asked.any() else None,
                int(asked.sum()), int(mine.sum()), float(now.lowest[row]), float(now.highest[row]),
            )
        )  # fmt: skip
    return tuple(found)
