"""A small suite of benchmarks for a matrix, and how well it stands for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UsageError
from ..fitting.crossfit import condition_on_row
from ..fitting.engines.contract import Engine
from ..fitting.engines.settings import Gibbs
from ..fitting.sample import sample
from ..low_rank.link import Transform
from ..low_rank.spec import ModelSpec
from ..posterior.stored import StoredPosterior
from ..scores.ids import id_indices
from ..scores.matrix import ScoreMatrix
from .methods.probe_orders import Asked, Criterion, by_information, global_orders
from .policies import LOW_COST, popularity_policy, random_policy
from .predictions import BoolArray, FloatArray, IntArray
from .resampling import RESAMPLES, drawn, weighted_medians

__all__ = ["Standing", "agreement", "chosen_suite", "measured", "stood"]

Suites = Mapping[str, Sequence[Sequence[str]]]
"""Sets of benchmarks by the name of the way they were chosen; random ones are several."""


@dataclass(frozen=True, eq=False)
class Standing:
    """How tested models stand by a few scores, and how they do by all of them.

    Attributes
    ----------
    rows : (m,) int
        The models, as rows of the matrix.
    full, short : (m,) float
        Mean standardised latent score over all benchmarks, given all scores and those of the suite.
    error : (n,) float
        Absolute errors of the hidden scores, in % of the range of their benchmark.
    model : (n,) int
        Place in `rows` of each.
    """

    rows: IntArray
    full: FloatArray
    short: FloatArray
    error: FloatArray
    model: IntArray


def chosen_suite(
    posterior: StoredPosterior,
    k: int,
    candidates: Sequence[str] | None = None,
    costs: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    """The k benchmarks that are expected to tell most about all scores of the fitted models.

    Greedy, each given those before it, summed over models that are known by their facts alone
    (EPIG); with costs by information per cost.

    Raises
    ------
    UsageError
        `k` is below 1 or above the number of candidates; a candidate has no cost.
    """
    names = posterior.benchmark_ids if candidates is None else tuple(candidates)
    id_indices(posterior.benchmark_ids, names, "benchmark")
    if not 1 <= k <= len(names):
        raise UsageError(f"k must lie between 1 and {len(names)}, the candidates; got {k}")
    dear = [name for name in names if costs is not None and name not in costs]
    if dear:
        raise UsageError(f"no cost known for {dear[0]!r}: give it, or leave the benchmark out")
    found = global_orders(posterior, names, {"suite-global": _per_cost(costs)})
    return found[f"suite{LOW_COST}"][:k]


def _per_cost(costs: Mapping[str, float] | None) -> Criterion:
    if costs is None:
        return by_information

    def worth(asked: Asked, candidates: Any, about: Any) -> Any:
        # benchmarks that are no candidates are never looked at by the order
        prices = [costs.get(asked.state.benchmark_ids[j], np.inf) for j in candidates]
        return by_information(asked, candidates, about) / np.array(prices)

    return worth


def agreement(full: FloatArray, short: FloatArray, weights: IntArray) -> dict[str, FloatArray]:
    """Agreement of two orders of models, for every row of weights.

    ``pairs`` is the share of pairs of models in the same order, over those not tied in `full`, a
    tie in `short` counting half; ``kendall`` is Kendall's tau-b; ``spearman`` the rank
    correlation. A model counts as often as it was drawn; pairs of one model with itself do not.

    Parameters
    ----------
    full, short : (m,)
    weights : (R, m) whole numbers

    Returns
    -------
    dict of (R,) arrays; NaN where nothing is left to compare.
    """
    first, second = np.triu_indices(full.size, 1)
    a, b = (np.sign(x[first] - x[second]) for x in (full, short))
    pair = (weights[:, first] * weights[:, second]).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = pair @ np.abs(a)
        pairs = pair @ (np.abs(a) * (a * b + 1) / 2) / apart
        kendall = (pair @ (a * b)) / np.sqrt(apart * (pair @ np.abs(b)))
        first_ranks, second_ranks = (_weighted_ranks(x, weights) for x in (full, short))
        spearman = _weighted_correlation(first_ranks, second_ranks, weights.astype(np.float64))
    return {"pairs": pairs, "kendall": kendall, "spearman": spearman}


def _weighted_ranks(values: FloatArray, weights: IntArray) -> FloatArray:
    """(R, m) mean ranks of the copies."""
    below = (values[:, None] < values[None, :]).astype(np.float64)
    equal = (values[:, None] == values[None, :]).astype(np.float64)
    return np.asarray(weights @ below + (weights @ equal + 1) / 2)


def _weighted_correlation(a: FloatArray, b: FloatArray, weights: FloatArray) -> FloatArray:
    share = weights / weights.sum(axis=1, keepdims=True)
    a, b = (x - (share * x).sum(axis=1, keepdims=True) for x in (a, b))
    spread = np.sqrt((share * a * a).sum(axis=1) * (share * b * b).sum(axis=1))
    return np.asarray((share * a * b).sum(axis=1) / spread)


def stood(standings: Sequence[Standing], seed: int = 0) -> dict[str, Any]:
    """Figures of one way to choose, each with a 95 % interval over models.

    ``medae`` is the median error of hidden scores in % of the range; the others are those of
    `agreement`. Of several sets the figures are means over them; models are drawn alike for all.

    Parameters
    ----------
    standings : sequence of Standing
        One per set, of the same models.
    seed : int
        Of the bootstrap.
    """
    count = standings[0].rows.size
    weights = np.concatenate([np.ones((1, count), np.int64), drawn(count, RESAMPLES, seed)])
    each: list[dict[str, FloatArray]] = [
        {
            "medae": weighted_medians(one.error, weights, one.model),
            **agreement(one.full, one.short, weights),
        }
        for one in standings
    ]
    out: dict[str, Any] = {}
    for name in each[0]:
        mean = np.mean([found[name] for found in each], axis=0)
        known = mean[1:][np.isfinite(mean[1:])]
        out[name] = float(mean[0])
        out[f"{name}_interval95"] = (
            [float(q) for q in np.quantile(known, (0.025, 0.975))] if known.size else [np.nan] * 2
        )
    return out


def measured(
    matrix: ScoreMatrix,
    k: int,
    *,
    candidates: Sequence[str] | None = None,
    costs: Mapping[str, float] | None = None,
    folds: int = 5,
    sets: int = 5,
    spec: ModelSpec | None = None,
    engine: Engine | None = None,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Figures of suites of k benchmarks that were chosen without the models they are tested on.

    Models are dealt into folds. A fit without a fold chooses the suite, popularity counts the
    other models, and random sets are drawn; each tested model is then known by its scores on the
    suite alone. It is set against a fit of all models that knows all its scores.

    Returns
    -------
    dict
        ``information``, ``popularity`` and ``random``, each as `stood`.
    """
    spec, engine = spec or ModelSpec(), engine or Gibbs().lighter()
    base = Transform.from_matrix(matrix)
    whole = sample(matrix, spec, engine, seed=seed, check=False)
    rows = np.flatnonzero(matrix.observed.any(axis=1))
    part_of = np.random.default_rng(seed).permutation(rows.size) % min(folds, rows.size)
    found: dict[tuple[str, int], list[Standing]] = {}
    for part in range(int(part_of.max()) + 1):
        tested = rows[part_of == part]
        hidden: BoolArray = matrix.observed & np.isin(np.arange(matrix.shape[0]), tested)[:, None]
        train = matrix.mask(hidden)
        fit = sample(
            train, spec, engine, seed=seed + 1 + part, n_readings=matrix.n_cells, check=False
        )
        for name, suites in _suites(fit, train, k, candidates, costs, sets, seed).items():
            for number, suite in enumerate(suites):
                one = _standing(whole, fit, matrix, base, tested, suite, seed)
                found.setdefault((name, number), []).append(one)
    joined = {key: _joined(parts) for key, parts in found.items()}
    return {
        name: stood([one for (own, _), one in joined.items() if own == name], seed)
        for name in dict.fromkeys(name for name, _ in joined)
    }


def _suites(
    fit: StoredPosterior,
    train: ScoreMatrix,
    k: int,
    candidates: Sequence[str] | None,
    costs: Mapping[str, float] | None,
    sets: int,
    seed: int,
) -> Suites:
    (popular,) = popularity_policy(train, among=candidates).orders
    drawn_sets = random_policy(train, sets, seed, among=candidates).orders
    return {
        "information": [chosen_suite(fit, k, candidates, costs)],
        "popularity": [tuple(popular)[:k]],
        "random": [tuple(order)[:k] for order in drawn_sets],
    }


def _standing(
    whole: StoredPosterior,
    fit: StoredPosterior,
    matrix: ScoreMatrix,
    base: Transform,
    tested: IntArray,
    suite: Sequence[str],
    seed: int,
) -> Standing:
    columns = id_indices(matrix.benchmark_ids, suite, "benchmark")
    extent = np.asarray(base.upper - base.lower, dtype=np.float64)
    every = np.arange(matrix.shape[1])
    full, short, errors, models = [], [], [], []
    for place, row in enumerate(tested.tolist()):
        own = np.flatnonzero(matrix.observed[row])
        shown = own[np.isin(own, columns)]
        guess = condition_on_row(fit, matrix, row, shown, seed + row).median
        known = condition_on_row(whole, matrix, row, own, seed + row).median
        full.append(float(base.to_latent(known, every).mean()))
        short.append(float(base.to_latent(guess, every).mean()))
        rest = own[~np.isin(own, columns) & np.isfinite(extent[own])]
        errors.append(100 * np.abs(guess[rest] - matrix.values[row, rest]) / extent[rest])
        models.append(np.full(rest.size, place))
    return Standing(
        tested,
        np.array(full),
        np.array(short),
        np.concatenate(errors),
        np.concatenate(models).astype(np.int64),
    )


def _joined(parts: Sequence[Standing]) -> Standing:
    """The folds of one set together."""
    starts = np.cumsum([0, *(one.rows.size for one in parts)])
    return Standing(
        np.concatenate([one.rows for one in parts]),
        np.concatenate([one.full for one in parts]),
        np.concatenate([one.short for one in parts]),
        np.concatenate([one.error for one in parts]),
        np.concatenate([one.model + start for one, start in zip(parts, starts, strict=False)]),
    )
