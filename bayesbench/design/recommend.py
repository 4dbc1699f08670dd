"""Which benchmark to run next: ranked recommendations with gain, cost and what they buy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..answers.prediction import predictive
from ..errors import UsageError
from ..scores.ids import id_indices
from .budget import budget_batch
from .costs import Costs
from .gain import Indices, Targets, candidate_indices, greedy, information, target, without
from .moments import Floats, Moments, moments
from .widths import width_reductions

if TYPE_CHECKING:
    from ..answers.prediction import LatentDraws, Predictive
    from ..low_rank.link import Transform

__all__ = ["Recommendation", "recommend"]


@dataclass(frozen=True)
class Recommendation:
    """One benchmark worth running.

    Attributes
    ----------
    benchmark_id : str
    gain_nats : float
        Expected information about the targets, given the recommendations before it.
    cost : float or None
        None if no costs were asked for.
    gain_per_cost : float or None
    width_reduction : float
        Expected fall of the mean interval width over the targets, in score points.
    median, lower, upper : float
        What it is predicted to score.
    """

    benchmark_id: str
    gain_nats: float
    cost: float | None
    gain_per_cost: float | None
    width_reduction: float
    median: float
    lower: float
    upper: float


def recommend(
    draws: LatentDraws,
    transform: Transform,
    *,
    targets: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
    candidates: Sequence[str] | None = None,
    costs: Costs | Mapping[str, float] | None = None,
    k: int = 5,
    budget: float | None = None,
    exclude: Sequence[str] = (),
    prob: float = 0.9,
    predictions: Predictive | None = None,
) -> tuple[Recommendation, ...]:
    """Benchmarks to run, best first, each given the ones before it.

    Ranked by EPIG under the Gaussian moments of the joint predictive (per cost, if costs are
    given), chosen greedily; within a budget by :func:`~bayesbench.design.budget.budget_batch`.

    Parameters
    ----------
    draws : LatentDraws
        Of the model, conditioned on what it has scored so far.
    transform : Transform
        Of the posterior; holds every benchmark of ``draws``.
    targets : sequence of str, optional
        Whose scores matter. By default every benchmark not yet run: then a candidate's own score
        counts for nothing (it is about the rest). A named target that is a candidate counts
        through a second reading of itself. Targets already run are dropped.
    weights : mapping of target id to weight, optional
    candidates : sequence of str, optional
        Allow-list; by default every benchmark. What is already run, excluded, or (by default
        only) of unknown cost is left out.
    costs : Costs or mapping of benchmark id to cost, optional
    k : int
        At most so many.
    budget : float, optional
        Limit of the summed cost (of the number of probes, without ``costs``).
    exclude : sequence of str
        Unavailable or forbidden benchmarks.
    prob : float
        Probability of the intervals.
    predictions : Predictive, optional
        Of this model over ``draws.benchmark_ids``, in that order (for instance recalibrated); by
        default computed from ``draws``.

    Returns
    -------
    tuple of Recommendation

    Raises
    ------
    UnknownIdError
        For an unknown target, candidate, excluded id or id with a cost.
    UsageError
        If nothing is left to run or to learn about, a cost is unknown or not positive, ``k`` is
        below 1, or the budget below the cheapest candidate.
    """
    if k < 1:
        raise UsageError(f"k must be at least 1, got {k}")
    if not 0 < prob < 1:
        raise UsageError(f"prob must lie in (0, 1), got {prob:g}")
    names = draws.benchmark_ids
    prices = _prices(names, costs)
    chosen = _candidates(draws, candidates, exclude, prices)
    about = _targets(draws, targets, weights)
    state = moments(draws)
    price = None if prices is None else prices[chosen]
    if budget is None:
        batch = [index for index, _ in greedy(state, chosen, about, k, price)]
    else:
        flat = np.ones(len(chosen)) if price is None else price
        batch = list(budget_batch(state, chosen, about, flat, budget, k, names))
    columns = transform if transform.benchmark_ids == names else transform.subset(names)
    return _describe(draws, columns, state, batch, about, prices, prob, predictions)


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


def _columns(draws: LatentDraws, columns: Sequence[int]) -> LatentDraws:
    at = list(columns)
    return replace(
        draws,
        benchmark_ids=tuple(draws.benchmark_ids[i] for i in at),
        eta=draws.eta[:, at],
        noise_scale=draws.noise_scale[:, at],
        observed=draws.observed[at],
    )


def _describe(
    draws: LatentDraws,
    transform: Transform,
    state: Moments,
    batch: Sequence[int],
    about: Targets,
    prices: Floats | None,
    prob: float,
    predictions: Predictive | None,
) -> tuple[Recommendation, ...]:
    falls = width_reductions(state, batch, transform, about, prob)
    shown = predictions
    if shown is None:
        shown = predictive(_columns(draws, batch), transform)
    rows = range(len(batch)) if predictions is None else batch
    lower, upper = shown.interval(prob)
    found = []
    for row, index, fall in zip(rows, batch, falls, strict=True):
        gain = float(information(state, np.array([index]), about)[0])
        state, about = state.given(index), without(about, index)
        cost = None if prices is None else float(prices[index])
        found.append(
            Recommendation(
                benchmark_id=draws.benchmark_ids[index],
                gain_nats=gain,
                cost=cost,
                gain_per_cost=None if cost is None else gain / cost,
                width_reduction=fall,
                median=float(shown.median[row]),
                lower=float(lower[row]),
                upper=float(upper[row]),
            )
        )
    return tuple(found)
