"""What a level costs: the cheapest model that reaches it, and what more money buys."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError
from .joint import ScoreDraws
from .ranking import Comparison, total

if TYPE_CHECKING:
    from ..low_rank.link import Transform

__all__ = ["Affordable", "PricedModel", "Prices", "affordable", "direction", "reaching"]


@dataclass(frozen=True)
class Prices:
    """What a model costs to use.

    Attributes
    ----------
    values : mapping of model to price
        0 or more and finite; a model not named has no known price.
    unit : str
        ``"USD per million tokens"``...; empty if unknown.

    Raises
    ------
    UsageError
        If a price is below 0 or not finite; the message names it.

    Examples
    --------
    >>> Prices({"gpt-5": 10.0, "gpt-4o": 2.5}, "USD").values["gpt-4o"]
    2.5
    """

    values: Mapping[str, float]
    unit: str = ""

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            _check(name, value)

    @classmethod
    def from_table(cls, path: str | Path) -> Prices:
        """Prices from a table with the columns ``model_id,price[,unit]``.

        A model whose price is missing is left out, as one that does not stand there.

        Raises
        ------
        UsageError
            If the file cannot be read, lacks a column, repeats a model, mixes units, or holds a
            price that is not a number of at least 0.
        """
        from ..scores.pairs import read_amounts

        return cls(*read_amounts(path, "price", "model_id", _check, missing=True))


def _check(name: str, value: float, where: str = "") -> None:
    if not (math.isfinite(value) and value >= 0):
        raise UsageError(f"{where}price of {name!r} must be a number of at least 0, got {value:g}")


@dataclass(frozen=True)
class PricedModel:
    """A model with its price and the chance that it reaches the level.

    Attributes
    ----------
    model_id : str
    price : float or None
        None if it is not known.
    p_reaches : float or None
        P(its score reaches the level); None for a model that the posterior knows nothing of.
    median : float or None
        Of its score, or of the weighted average.
    frontier : bool
        No other model is as cheap with a larger probability, or cheaper with the same.
    """

    model_id: str
    price: float | None
    p_reaches: float | None
    median: float | None
    frontier: bool = False


@dataclass(frozen=True, eq=False)
class Affordable:
    """The cheapest model that reaches a level, and the frontier of price and probability.

    Attributes
    ----------
    benchmarks : tuple of str
    at_least : float
        The level, in points; at most this where lower is better.
    probability : float
        With which it is to be reached.
    unit : str
        Of the prices.
    cheapest : PricedModel or None
        None if no priced model reaches the level so surely.
    models : tuple of PricedModel
        The cheapest first, of equal prices the likeliest; then those without a price or without a
        prediction.
    without_price : tuple of str
        Models that could be asked and have no price.
    without_prediction : tuple of str
        Models with a price that the posterior does not know.
    not_asked : tuple of str
        Models with a price that were not among those asked about.
    lower_is_better : bool

    Examples
    --------
    >>> import bayesbench as bb
    >>> posterior = bb.open_posterior()
    >>> found = posterior.affordable({"gpt-5": 10, "gpt-4o": 2.5}, on=["hle"], at_least=15)
    >>> found.cheapest.model_id
    'gpt-5-high'
    """

    benchmarks: tuple[str, ...]
    at_least: float
    probability: float
    unit: str
    cheapest: PricedModel | None
    models: tuple[PricedModel, ...]
    without_price: tuple[str, ...] = ()
    without_prediction: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    lower_is_better: bool = False

    @property
    def frontier(self) -> tuple[PricedModel, ...]:
        """Models that no other one beats on price and probability, the cheapest first."""
        return tuple(one for one in self.models if one.frontier)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        where = ", ".join(self.benchmarks[:3]) + (", ..." if len(self.benchmarks) > 3 else "")
        average = "on average over " if len(self.benchmarks) > 1 else "on "
        side = "at most" if self.lower_is_better else "at least"
        level = f"{side} {self.at_least:g} {average}{where}"
        asked = [one for one in self.models if _comparable(one)]
        best = self.cheapest
        if best is not None:
            found = f"{best.model_id}, at {self._money(best)}, is the cheapest of {len(asked)} "
            return found + (
                f"priced models that reach {level} with probability {self.probability:g} "
                f"or more: {best.p_reaches:.2f}."
            )
        likeliest = self.frontier[-1]
        return (
            f"None of {len(asked)} priced models reaches {level} with probability "
            f"{self.probability:g} or more; the likeliest is {likeliest.model_id}, at "
            f"{self._money(likeliest)}: {likeliest.p_reaches:.2f}."
        )

    def _money(self, one: PricedModel) -> str:
        return f"{one.price:g} {self.unit}".strip()

    def __repr__(self) -> str:
        return self.sentence


def reaching(
    draws: ScoreDraws, transform: Transform, comparison: Comparison, at_least: float
) -> tuple[float, float]:
    """P(weighted mean score >= level) and the median of that mean, from joint draws.

    The share of the draws in which the level is reached; where lower is better, in which the mean
    is at most the level.

    Parameters
    ----------
    draws : ScoreDraws
    transform : Transform
    comparison : Comparison
        Scale ``"score"``, with benchmarks of one direction.
    at_least : float

    Returns
    -------
    (float, float)

    Raises
    ------
    UsageError
        As `direction`.
    """
    sign = direction(transform, comparison, at_least)
    found = total(draws, transform, comparison)
    # a weighted mean of equal scores may fall short of them by a rounding error
    slack = 1e-9 * max(1.0, abs(at_least))
    return float(np.mean(found >= sign * at_least - slack)), float(sign * np.median(found))


def direction(transform: Transform, comparison: Comparison, at_least: float) -> float:
    """1 where higher is better, -1 where lower is.

    Raises
    ------
    UsageError
        Latent scale, benchmarks of both directions, or a level outside the scale.
    """
    if comparison.scale != "score":
        raise UsageError("a level is a score in points: compare on scale 'score', not 'latent'")
    columns = [transform.index(name) for name in comparison.benchmarks]
    used = comparison.shares > 0
    signs = {float(transform.sign[column]) for column in np.array(columns)[used]}
    if len(signs) > 1:
        raise UsageError(
            "higher is better on some of these benchmarks and lower on others: an average of them "
            "has no level; ask for those of one direction"
        )
    lower, upper = (
        float(np.dot(np.asarray(ends)[columns][used], comparison.shares[used]))
        for ends in (transform.lower, transform.upper)
    )
    if not math.isfinite(at_least) or at_least < lower or at_least > upper:
        where = f" ({lower:g} to {upper:g})" if math.isfinite(lower + upper) else ""
        raise UsageError(f"level {at_least:g} lies outside the scale{where}; give one inside")
    return signs.pop()


def affordable(
    asked: Sequence[tuple[str, float | None, tuple[float, float] | None]],
    comparison: Comparison,
    *,
    at_least: float,
    probability: float = 0.9,
    unit: str = "",
    without_price: Sequence[str] = (),
    not_asked: Sequence[str] = (),
    lower_is_better: bool = False,
) -> Affordable:
    """The cheapest model that reaches a level, from prices and probabilities.

    A model is on the frontier if every model that is as cheap or cheaper reaches the level less
    probably; of models alike in both the first by name.

    Parameters
    ----------
    asked : sequence of (model id, price or None, (P(reaches), median) or None)
    comparison : Comparison
    at_least, probability : float
    unit : str
    without_price : sequence of str
        Further models without a price.
    not_asked : sequence of str
    lower_is_better : bool

    Raises
    ------
    UsageError
        `probability` is not in (0, 1], or no model has both a price and a prediction.
    """
    if not 0 < probability <= 1:
        raise UsageError(f"probability must lie in (0, 1], got {probability:g}")
    models = [
        PricedModel(name, price, *((None, None) if found is None else found))
        for name, price, found in asked
    ]
    both = sorted(filter(_comparable, models), key=_by_price)
    if not both:
        raise UsageError(
            "no model has both a price and a prediction: name models of the posterior "
            '(see "bayesbench models") in the table of prices'
        )
    rows, most = list[PricedModel](), -1.0
    for one in both:
        chance = _known(one.p_reaches)
        rows.append(PricedModel(one.model_id, one.price, chance, one.median, chance > most))
        most = max(most, chance)
    sure = [one for one in rows if _known(one.p_reaches) >= probability]
    rest = sorted((one for one in models if not _comparable(one)), key=lambda one: one.model_id)
    unpriced = [one.model_id for one in rest if one.price is None]
    return Affordable(
        benchmarks=comparison.benchmarks,
        at_least=float(at_least),
        probability=float(probability),
        unit=unit,
        cheapest=sure[0] if sure else None,
        models=(*rows, *rest),
        without_price=tuple(sorted({*unpriced, *without_price})),
        without_prediction=tuple(one.model_id for one in rest if one.p_reaches is None),
        not_asked=tuple(not_asked),
        lower_is_better=lower_is_better,
    )


def _comparable(one: PricedModel) -> bool:
    return one.price is not None and one.p_reaches is not None


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _by_price(one: PricedModel) -> tuple[float, float, str]:
    return _known(one.price), -_known(one.p_reaches), one.model_id
