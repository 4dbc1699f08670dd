"""Which benchmark to run next: ranked recommendations with gain, cost and what they buy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, overload

import numpy as np

from ..errors import DataError, UsageError
from ..scores.ids import id_indices
from .budget import budget_batch
from .costs import Costs
from .gain import Indices, Targets, candidate_indices, greedy, information, target
from .moments import Floats, moments
from .widths import all_width_reductions, width_reductions

if TYPE_CHECKING:
    import pandas as pd

    from ..answers.predictive import LatentDraws, Predictive

__all__ = ["DEFAULT_K", "Recommendation", "Recommendations", "alone", "recommend"]

DEFAULT_K = 5
"""How many are recommended without a budget, unless said otherwise."""


@dataclass(frozen=True)
class Recommendation:
    """One benchmark worth running.

    Attributes
    ----------
    benchmark_id : str
    gain_nats : float
        Expected information about the targets, given the recommendations before it. Within a
        budget what it adds to the worth of the batch: 0 or more, its own score included if that
        is a target.
    cost : float or None
        None if no costs were asked for.
    gain_per_cost : float or None
    width_reduction : float
        Expected fall of the mean width of the printed intervals over the targets, in score points.
    median, lower, upper : float
        What it is predicted to score.

    Examples
    --------
    >>> Recommendation("gpqa", 0.7, None, None, 4.1, median=61.0, lower=48.0, upper=72.0).gain_nats
    0.7
    """

    benchmark_id: str
    gain_nats: float
    cost: float | None
    gain_per_cost: float | None
    width_reduction: float
    median: float
    lower: float
    upper: float


@dataclass(frozen=True, repr=False)
class Recommendations(Sequence[Recommendation]):
    """Benchmarks worth running, best first: a tuple that prints as a table.

    Attributes
    ----------
    items : tuple of Recommendation
    prob : float
        Probability of the intervals.
    unit : str
        Of the costs; empty if unknown.
    note : str
        What the reader should know about how they were chosen; empty if nothing.

    Examples
    --------
    >>> first = Recommendation("gpqa", 0.7, 198.0, 0.0035, 4.1, median=61.0, lower=48.0, upper=72.0)
    >>> found = Recommendations((first,), unit="items")
    >>> found
    run next  gain (nats)  cost (items)  gain per cost  narrower by  median  90% interval
    gpqa             0.70           198         0.0035         4.10    61.0  48.0 to 72.0
    >>> found[0].benchmark_id, len(found), found.to_frame()["gain_nats"].tolist()
    ('gpqa', 1, [0.7])
    >>> found.sentence[:53]
    'Run gpqa: predicted at 61.0 (90 % interval 48.0 to 72'
    """

    items: tuple[Recommendation, ...]
    prob: float = 0.9
    unit: str = ""
    note: str = ""

    @overload
    def __getitem__(self, at: int) -> Recommendation: ...

    @overload
    def __getitem__(self, at: slice) -> Recommendations: ...

    def __getitem__(self, at: int | slice) -> Recommendation | Recommendations:
        if isinstance(at, slice):
            return Recommendations(self.items[at], self.prob, self.unit, self.note)
        return self.items[at]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Recommendation]:
        return iter(self.items)

    def __repr__(self) -> str:
        lines = self._table() if self.items else ["nothing to run"]
        return "\n".join([*lines, *([f"note: {self.note}"] if self.note else [])])

    @property
    def sentence(self) -> str:
        """The first in words, and what all of them tell together."""
        if not self.items:
            return "Nothing is left to run that tells anything about the targets."
        first, worth = self.items[0], sum(each.gain_nats for each in self.items)
        interval = f"{100 * self.prob:g} % interval {first.lower:.1f} to {first.upper:.1f}"
        told = f"{first.gain_nats:.2f} nats about the targets"
        if first.cost is not None:
            told += f" for {f'{first.cost:g} {self.unit}'.strip()}"
        together = (
            f"; the {len(self.items)} together {worth:.2f} nats" if len(self.items) > 1 else ""
        )
        return (
            f"Run {first.benchmark_id}: predicted at {first.median:.1f} ({interval}), it tells "
            f"{told}{together}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per recommendation, one column per field of `Recommendation`."""
        import pandas as pd

        names = [field.name for field in fields(Recommendation)]
        return pd.DataFrame([asdict(each) for each in self.items], columns=names)

    def _table(self) -> list[str]:
        priced = any(each.cost is not None for each in self.items)
        cost = f"cost ({self.unit})" if self.unit else "cost"
        head = ["run next", "gain (nats)", *([cost, "gain per cost"] if priced else [])]
        rows = [[*head, "narrower by", "median", f"{100 * self.prob:g}% interval"]]
        for each in self.items:
            prices = [
                "-" if value is None else format(value, style)
                for value, style in ((each.cost, "g"), (each.gain_per_cost, ".3g"))
            ]
            rows.append(
                [
                    each.benchmark_id,
                    f"{each.gain_nats:.2f}",
                    *(prices if priced else []),
                    f"{each.width_reduction:.2f}",
                    f"{each.median:.1f}",
                    f"{each.lower:.1f} to {each.upper:.1f}",
                ]
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in rows
        ]


def recommend(
    draws: LatentDraws,
    prediction: Predictive,
    *,
    targets: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
    candidates: Sequence[str] | None = None,
    costs: Costs | Mapping[str, float] | None = None,
    k: int | None = None,
    budget: float | None = None,
    exclude: Sequence[str] = (),
    prob: float = 0.9,
) -> Recommendations:
    """Benchmarks to run, best first, each given the ones before it.

    Ranked by EPIG under the Gaussian moments of the joint predictive (per cost, if costs are
    given), chosen greedily. Within a budget the batch that is worth most, see
    :func:`~bayesbench.design.batch_worth`: there a target that is run is known, down to
    its reading noise, so a larger batch is never worth less, and a budget that pays for
    everything recommends every benchmark that tells something.

    Parameters
    ----------
    draws : LatentDraws
        Of the model, conditioned on what it has scored so far.
    prediction : Predictive
        What is predicted of it (recalibrated or not), over ``draws.benchmark_ids`` in that order:
        source of medians, intervals and how much narrower they get.
    targets : sequence of str, optional
        Whose scores matter. By default every benchmark not yet run; without a budget a
        candidate's own score then counts for nothing (what matters is the rest), and a named
        target that is a candidate counts through a second reading of itself. Targets already run
        are dropped.
    weights : mapping of target id to weight, optional
    candidates : sequence of str, optional
        Allow-list; by default every benchmark. What is already run, excluded, or (by default
        only) of unknown cost is left out.
    costs : Costs or mapping of benchmark id to cost, optional
    k : int, optional
        At most so many; by default 5, with a budget as many as it pays for.
    budget : float, optional
        Limit of the summed cost; without ``costs`` of the number of probes, and ``note`` says so.
    exclude : sequence of str
        Unavailable or forbidden benchmarks.
    prob : float
        Probability of the intervals.

    Returns
    -------
    Recommendations
        Empty, with a note, if nothing within the budget tells anything about the targets.

    Raises
    ------
    UnknownIdError
        For an unknown target, candidate, excluded id or id with a cost.
    UsageError
        If nothing is left to run or to learn about, a cost is unknown or not positive, ``k`` is
        below 1, ``prob`` wider than the predictions reach, or the budget below the cheapest
        candidate.
    DataError
        If draws and predictions are of different benchmarks.

    Examples
    --------
    Two benchmarks that measure the same, and one of its own:

    >>> from bayesbench.answers.predictive import LatentDraws, predictive
    >>> from bayesbench.low_rank.link import Transform
    >>> ids, rng = ("arc", "gsm8k", "ifeval"), np.random.default_rng(0)
    >>> skill, other = rng.normal(size=(2, 400, 1))
    >>> eta = np.hstack([skill, 0.9 * skill, other])
    >>> noise, normal, unknown = np.full((400, 3), 0.3), np.full(400, np.inf), np.full(3, np.nan)
    >>> draws = LatentDraws("new-model", ids, eta, noise, normal, unknown)
    >>> link = Transform.from_scores(
    ...     ids, rng.uniform(20, 80, (9, 3)), lower=np.zeros(3), upper=np.full(3, 100.0),
    ...     higher_is_better=np.ones(3, dtype=bool), n_items=unknown,
    ... )
    >>> prediction = predictive(draws, link)
    >>> recommend(draws, prediction, targets=["gsm8k"], exclude=["gsm8k"])[0].benchmark_id
    'arc'
    >>> both = recommend(draws, prediction, budget=2)
    >>> [each.benchmark_id for each in both], both.note
    (['arc', 'ifeval'], 'the budget counts probes: no costs were given')
    """
    if k is not None and k < 1:
        raise UsageError(f"k must be at least 1, got {k}")
    _check_same(draws, prediction)
    lower, upper = prediction.interval(prob)
    prices = _prices(draws.benchmark_ids, costs)
    chosen = _candidates(draws, candidates, exclude, prices)
    about = _targets(draws, targets, weights)
    state = moments(draws)
    price = None if prices is None else prices[chosen]
    if budget is None:
        steps = greedy(state, chosen, about, DEFAULT_K if k is None else k, price)
    else:
        flat = np.ones(len(chosen)) if price is None else price
        steps = budget_batch(state, chosen, about, flat, budget, draws.benchmark_ids, k)
    levels, quantiles = _with_interval(prediction, prob, lower, upper)
    falls = width_reductions(state, [i for i, _ in steps], about, levels, quantiles, prob)
    found = _described(prediction, steps, falls, prices, lower, upper)
    notes = []
    if budget is not None and prices is None:
        notes.append("the budget counts probes: no costs were given")
    if not found:
        notes.append("nothing within the budget tells anything about the targets")
    unit = costs.unit if isinstance(costs, Costs) else ""
    return Recommendations(found, prob, unit, "; ".join(notes))


def alone(
    draws: LatentDraws,
    prediction: Predictive,
    *,
    targets: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
    candidates: Sequence[str] | None = None,
    costs: Costs | Mapping[str, float] | None = None,
    exclude: Sequence[str] = (),
    prob: float = 0.9,
) -> tuple[Recommendation, ...]:
    """Every candidate with what one score of it would tell, whatever else is run.

    The gain of each is :func:`~bayesbench.design.information` as things stand, so that gains
    of several overlap and must not be added; the first is that of `recommend` without a budget.

    Parameters
    ----------
    draws, prediction, targets, weights, candidates, costs, exclude, prob
        As in `recommend`.

    Returns
    -------
    tuple of Recommendation
        All of them, the most telling (per cost, if costs are given) first.

    Raises
    ------
    UnknownIdError, UsageError, DataError
        As `recommend`.
    """
    _check_same(draws, prediction)
    lower, upper = prediction.interval(prob)
    prices = _prices(draws.benchmark_ids, costs)
    chosen = _candidates(draws, candidates, exclude, prices)
    about = _targets(draws, targets, weights)
    state = moments(draws)
    gains = information(state, chosen, about)
    levels, quantiles = _with_interval(prediction, prob, lower, upper)
    falls = all_width_reductions(state, chosen, about, levels, quantiles, prob)
    order = np.argsort(-(gains if prices is None else gains / prices[chosen]), kind="stable")
    steps = [(int(chosen[n]), float(gains[n])) for n in order]
    return _described(prediction, steps, falls[order].tolist(), prices, lower, upper)


def _check_same(draws: LatentDraws, prediction: Predictive) -> None:
    if prediction.benchmark_ids != draws.benchmark_ids:
        raise DataError("recommend: draws and predictions are of different benchmarks")


def _described(
    prediction: Predictive,
    steps: Sequence[tuple[int, float]],
    falls: Sequence[float],
    prices: Floats | None,
    lower: Floats,
    upper: Floats,
) -> tuple[Recommendation, ...]:
    """Indices and gains with what they cost, what they buy and what is predicted there."""
    found = []
    for (index, gain), fall in zip(steps, falls, strict=True):
        cost = None if prices is None else float(prices[index])
        found.append(
            Recommendation(
                benchmark_id=prediction.benchmark_ids[index],
                gain_nats=gain,
                cost=cost,
                gain_per_cost=None if cost is None else gain / cost,
                width_reduction=fall,
                median=float(prediction.median[index]),
                lower=float(lower[index]),
                upper=float(upper[index]),
            )
        )
    return tuple(found)


def _with_interval(
    prediction: Predictive, prob: float, lower: Floats, upper: Floats
) -> tuple[Floats, Floats]:
    """Levels (L,) and score quantiles (B, L) with the ends of the printed interval among them.

    So that the width before any probe is the one printed, also between the kept levels, where
    `Predictive` interpolates on the latent scale.
    """
    levels, quantiles = prediction.levels, prediction.score_quantiles
    for level, end in ((0.5 - prob / 2, lower), (0.5 + prob / 2, upper)):
        if not np.isclose(levels, level, rtol=0.0, atol=1e-9).any():
            at = int(np.searchsorted(levels, level))
            levels = np.insert(levels, at, level)
            quantiles = np.insert(quantiles, at, end, axis=1)
    return levels, quantiles


def _prices(names: Sequence[str], costs: Costs | Mapping[str, float] | None) -> Floats | None:
    if costs is None:
        return None
    values = (costs if isinstance(costs, Costs) else Costs(dict(costs))).values
    prices = np.full(len(names), np.nan)
    prices[id_indices(names, tuple(values), "benchmark with a cost")] = list(values.values())
    return prices


def _candidates(
    draws: LatentDraws,
    candidates: Sequence[str] | None,
    exclude: Sequence[str],
    prices: Floats | None,
) -> Indices:
    names = draws.benchmark_ids
    chosen = candidate_indices(names, names if candidates is None else candidates)
    barred = np.isfinite(draws.observed)
    barred[id_indices(names, tuple(dict.fromkeys(exclude)), "excluded benchmark")] = True
    chosen = chosen[~barred[chosen]]
    if prices is not None:
        unknown = chosen[np.isnan(prices[chosen])]
        if candidates is not None and unknown.size:
            raise UsageError(f"no cost known for {names[unknown[0]]!r}: add it or drop it")
        chosen = chosen[~np.isnan(prices[chosen])]
    if not chosen.size:
        raise UsageError(
            "no candidate benchmark left to run: all are already run, excluded or without a cost"
        )
    return chosen


def _targets(
    draws: LatentDraws, targets: Sequence[str] | None, weights: Mapping[str, float] | None
) -> Targets:
    names = draws.benchmark_ids
    if targets is None:
        named = tuple(weights) if weights is not None else names
        about = target(names, named, weights, "exclude" if weights is None else "reading")
    else:
        about = target(names, targets, weights, "reading")
    open_ = ~np.isfinite(draws.observed)[about.indices]
    if not (about.weights * open_).any():
        raise UsageError("every target benchmark has been run: nothing left to learn about")
    return Targets(about.indices[open_], about.weights[open_], about.own)
