"""A small suite of benchmarks, tested on models left out: error, ranking, and those of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from ..answers.condition import condition
from ..errors import DataError, UsageError
from ..fitting.crossfit import CONDITIONING_WORK, FIT_WORK
from ..fitting.engines.contract import Engine
from ..fitting.engines.settings import Gibbs
from ..fitting.sample import sample
from ..low_rank.facts import ModelFacts
from ..low_rank.link import Transform
from ..low_rank.spec import ModelSpec
from ..posterior.stored import StoredPosterior
from ..progress import Job, Report
from ..scores.ids import id_indices
from ..scores.matrix import ScoreMatrix
from .methods.probe_orders import Asked, Criterion, by_information, global_order
from .policies import popularity_policy, random_policy
from .predictions import BoolArray, FloatArray, IntArray
from .resampling import RESAMPLES, drawn, weighted_medians
from .runner import spawned_executor

__all__ = [
    "Plan",
    "Standing",
    "SuiteDifference",
    "SuiteFigure",
    "Trial",
    "agreement",
    "chosen_suite",
    "compared",
    "tried",
]

Made = TypeVar("Made")
Figures = dict[str, FloatArray]
Way = tuple[str, int]
"""How a set was chosen, and its number: random ones are several."""


@dataclass(frozen=True)
class SuiteFigure:
    """A figure of a suite with its 95 % interval over models.

    Attributes
    ----------
    figure : str
        ``medae`` (median absolute error of the hidden scores in % of the range of their
        benchmark), ``pairs``, ``kendall``, ``spearman`` (see `agreement`), ``revealed`` (scores of
        the suite that a model has, on average) or ``cost``.
    value, lower, upper : float
        NaN where there is nothing to tell it from.
    """

    figure: str
    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class SuiteDifference:
    """A figure of a suite less that of as many benchmarks that were chosen otherwise.

    Attributes
    ----------
    against : str
        ``popularity``, ``random``, or ``nothing``: what is known of the models without a score.
    figure : str
        As in `SuiteFigure`; errors are of the scores that both hide.
    suite, other, difference : float
        Of random sets the mean over them.
    lower, upper : float
        95 % interval of the difference over models, drawn alike for both.
    n_cells : int
        Scores that both hide; of random sets on average.
    """

    against: str
    figure: str
    suite: float
    other: float
    difference: float
    lower: float
    upper: float
    n_cells: int


@dataclass(frozen=True, eq=False)
class Standing:
    """How models stand by their scores on a few benchmarks, and by all their scores.

    Attributes
    ----------
    full, short : (m,)
        Mean standardised latent score over all benchmarks, by all scores and by those of the set.
    error : (m, B)
        Absolute errors in % of the range; NaN where nothing is hidden, predicted or bounded.
    revealed : (m,)
        How many scores of the set each has.
    cost : (m,)
        Of the set; NaN where costs are not known.
    """

    full: FloatArray
    short: FloatArray
    error: FloatArray
    revealed: FloatArray
    cost: FloatArray

    def of(self, kept: BoolArray) -> Standing:
        """Some of the models."""
        return Standing(
            self.full[kept],
            self.short[kept],
            self.error[kept],
            self.revealed[kept],
            self.cost[kept],
        )


@dataclass(frozen=True, eq=False)
class Trial:
    """What came of a test on models left out.

    Attributes
    ----------
    rows : (m,)
        The models, as rows of the matrix.
    ways : mapping of str to tuple of Standing
        ``suite``, ``popularity``, ``random`` (several) and ``nothing``.
    suite : tuple of str
        That of the fit of all models; the one to be tested where it was given.
    chosen : mapping of benchmark id to int
        In how many folds it was chosen.
    """

    rows: IntArray
    ways: Mapping[str, tuple[Standing, ...]]
    suite: tuple[str, ...]
    chosen: Mapping[str, int]

    def of(self, kept: BoolArray) -> Trial:
        """The same for some of the models."""
        ways = {name: tuple(one.of(kept) for one in own) for name, own in self.ways.items()}
        return replace(self, rows=self.rows[kept], ways=ways)


@dataclass(frozen=True, eq=False)
class Plan:
    """What is tested, and how.

    Attributes
    ----------
    matrix : ScoreMatrix
    k : int
    candidates : tuple of str
    costs : mapping of str to float, or None
    suite : tuple of str or None
        The one to be tested; None chooses one in every fold.
    folds, sets : int
        Parts that models are dealt into; random sets.
    spec : ModelSpec
    engine : Engine
    seed : int

    Raises
    ------
    UsageError
        `k` is below 1 or above the number of candidates, fewer than 2 folds, no random set, or a
        candidate without a cost.
    DataError
        Fewer than two models with scores.
    """

    matrix: ScoreMatrix
    k: int
    candidates: tuple[str, ...]
    costs: Mapping[str, float] | None = None
    suite: tuple[str, ...] | None = None
    folds: int = 5
    sets: int = 5
    spec: ModelSpec = field(default_factory=ModelSpec)
    engine: Engine = field(default_factory=lambda: Gibbs().lighter())
    seed: int = 0

    def __post_init__(self) -> None:
        _check_choice(self.matrix.benchmark_ids, self.k, self.candidates, self.costs)
        for name, value, least in (("folds", self.folds, 2), ("sets", self.sets, 1)):
            if value < least:
                raise UsageError(f"{name} must be at least {least}, got {value}")
        if self.rows.size < 2:
            raise DataError("a suite is tested on models left out: two models with scores at least")

    @property
    def rows(self) -> IntArray:
        """Models with a score."""
        found: IntArray = np.flatnonzero(self.matrix.observed.any(axis=1))
        return found

    @property
    def part_of(self) -> IntArray:
        """The part that each of `rows` is dealt to."""
        size = self.rows.size
        dealt: IntArray = np.random.default_rng(self.seed).permutation(size)
        return dealt % min(self.folds, size)


def _check_choice(
    known: Sequence[str], k: int, candidates: Sequence[str], costs: Mapping[str, float] | None
) -> None:
    id_indices(known, candidates, "benchmark")
    if not 1 <= k <= len(candidates):
        raise UsageError(f"k must lie between 1 and {len(candidates)}, the candidates; got {k}")
    dear = [name for name in candidates if costs is not None and name not in costs]
    if dear:
        raise UsageError(f"no cost known for {dear[0]!r}: give it, or leave the benchmark out")


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
    _check_choice(posterior.benchmark_ids, k, names, costs)
    return global_order(posterior, names, _per_cost(costs), k)


def _per_cost(costs: Mapping[str, float] | None) -> Criterion:
    if costs is None:
        return by_information

    def worth(asked: Asked, candidates: Any, about: Any) -> Any:
        prices = [costs[asked.state.benchmark_ids[j]] for j in candidates]
        return by_information(asked, candidates, about) / np.array(prices)

    return worth


def agreement(full: FloatArray, short: FloatArray, weights: IntArray) -> Figures:
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
    a, b = (np.sign(x[:, None] - x[None, :]) for x in (full, short))
    copies = weights.astype(np.float64)

    def over_pairs(values: FloatArray) -> FloatArray:
        return np.asarray(((copies @ values) * copies).sum(axis=1) / 2)

    with np.errstate(invalid="ignore", divide="ignore"):
        apart, same = over_pairs(np.abs(a)), over_pairs(a * b)
        pairs = (same / apart + 1) / 2
        kendall = same / np.sqrt(apart * over_pairs(np.abs(b)))
        first_ranks, second_ranks = (_weighted_ranks(x, copies) for x in (full, short))
        spearman = _weighted_correlation(first_ranks, second_ranks, copies)
    return {"pairs": pairs, "kendall": kendall, "spearman": spearman}


def _weighted_ranks(values: FloatArray, weights: FloatArray) -> FloatArray:
    """(R, m) mean ranks of the copies."""
    below = (values[:, None] < values[None, :]).astype(np.float64)
    equal = (values[:, None] == values[None, :]).astype(np.float64)
    return np.asarray(weights @ below + (weights @ equal + 1) / 2)


def _weighted_correlation(a: FloatArray, b: FloatArray, weights: FloatArray) -> FloatArray:
    share = weights / weights.sum(axis=1, keepdims=True)
    a, b = (x - (share * x).sum(axis=1, keepdims=True) for x in (a, b))
    spread = np.sqrt((share * a * a).sum(axis=1) * (share * b * b).sum(axis=1))
    return np.asarray((share * a * b).sum(axis=1) / spread)


def compared(
    found: Trial, seed: int = 0
) -> tuple[tuple[SuiteFigure, ...], tuple[SuiteDifference, ...]]:
    """Figures of a suite, and what they are less those of other ways to choose.

    Models are drawn again (bootstrap), alike for all ways; the errors of two ways are those of the
    scores that both hide, so that neither gains by showing what is hard to predict.

    Parameters
    ----------
    found : Trial
    seed : int
        Of the bootstrap.
    """
    (own,) = found.ways["suite"]
    count = found.rows.size
    weights = np.concatenate([np.ones((1, count), np.int64), drawn(count, RESAMPLES, seed)])
    mine = _figures(own, weights)
    whole = {"medae": _median_error(own, weights, np.isfinite(own.error)), **mine}
    figures = tuple(
        SuiteFigure(name, float(values[0]), *_ends(values[1:])) for name, values in whole.items()
    )
    against = []
    for way in [name for name in found.ways if name != "suite"]:
        others = found.ways[way]
        shared = [np.isfinite(own.error) & np.isfinite(one.error) for one in others]
        cells = round(float(np.mean([part.sum() for part in shared])))
        theirs = [
            {"medae": _median_error(one, weights, part), **_figures(one, weights)}
            for one, part in zip(others, shared, strict=True)
        ]
        there = {**mine, "medae": _mean([_median_error(own, weights, part) for part in shared])}
        for name in whole:
            first, second = there[name], _mean([one[name] for one in theirs])
            moved = first - second
            values = (float(first[0]), float(second[0]), float(moved[0]))
            against.append(SuiteDifference(way, name, *values, *_ends(moved[1:]), cells))
    return figures, tuple(against)


def _figures(one: Standing, weights: IntArray) -> Figures:
    """All that does not depend on which scores are looked at."""
    found = {**agreement(one.full, one.short, weights), "revealed": _means(one.revealed, weights)}
    if np.isfinite(one.cost).all():
        found["cost"] = _means(one.cost, weights)
    return found


def _means(values: FloatArray, weights: IntArray) -> FloatArray:
    return np.asarray(weights @ values / weights.sum(axis=1))


def _median_error(one: Standing, weights: IntArray, cells: BoolArray) -> FloatArray:
    return weighted_medians(one.error[cells], weights, np.nonzero(cells)[0])


def _mean(values: Sequence[FloatArray]) -> FloatArray:
    return np.asarray(np.mean(values, axis=0))


def _ends(values: FloatArray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not known.size:
        return np.nan, np.nan
    lower, upper = np.quantile(known, (0.025, 0.975))
    return float(lower), float(upper)


def tried(plan: Plan, *, jobs: int = 1, report: Report | None = None) -> Trial:
    """Test suites on models that had no part in their choice, nor in the fits that predict them.

    Models are dealt into folds. A fit without a fold chooses the suite, popularity counts the
    other models, and random sets are drawn; each model of the fold is then known by its facts and
    its scores on the set alone, or by its facts with no score at all. It is set against a fit of
    all models that knows all its scores. A suite that is given is tested as it is.

    Parameters
    ----------
    plan : Plan
    jobs : int
        Processes; 1 stays in this one.
    report : Report, optional
    """
    rows, part_of = plan.rows, plan.part_of
    parts = range(int(part_of.max()) + 1)
    whole: Callable[..., tuple[tuple[str, ...], FloatArray]] = partial(_whole, plan)
    folds: list[Callable[..., _Fold]] = [partial(_fold, plan, part) for part in parts]
    made: list[Any] = _run([whole, *folds], jobs, report)
    suite, latent = made[0]
    by_way: dict[str, list[Standing]] = {}
    for way in made[1].sets:
        joined = _joined(plan, way, made[1:], part_of, latent)
        by_way.setdefault(way[0], []).append(joined)
    chosen = Counter(name for fold in made[1:] for name in fold.sets[("suite", 0)])
    return Trial(rows, {name: tuple(own) for name, own in by_way.items()}, suite, chosen)


def _run(tasks: Sequence[Callable[..., Made]], jobs: int, report: Report | None) -> list[Made]:
    stages = Job([("", FIT_WORK + CONDITIONING_WORK)] * len(tasks), report).reports
    with spawned_executor(min(jobs, len(tasks))) as executor:
        if executor is None:
            return [task(report=stage) for task, stage in zip(tasks, stages, strict=True)]
        futures = {executor.submit(task): stage for task, stage in zip(tasks, stages, strict=True)}
        for future in as_completed(futures):
            future.result()
            futures[future](1, 1)
        return [future.result() for future in futures]


@dataclass(frozen=True, eq=False)
class _Fold:
    """One part of the models, by every set: means on the benchmarks that were fitted, errors."""

    known: BoolArray
    sets: Mapping[Way, tuple[str, ...]]
    short: Mapping[Way, FloatArray]
    error: Mapping[Way, FloatArray]


def _whole(plan: Plan, report: Report | None = None) -> tuple[tuple[str, ...], FloatArray]:
    """The suite of all models, and where they stand by all their scores, (m, B)."""
    fitting, asking = Job([("", FIT_WORK), ("", CONDITIONING_WORK)], report).reports
    matrix = plan.matrix
    fit = sample(matrix, plan.spec, plan.engine, seed=plan.seed, report=fitting, check=False)
    suite = plan.suite or chosen_suite(fit, plan.k, plan.candidates, plan.costs)
    base, out = Transform.from_matrix(matrix), []
    for number, row in enumerate(plan.rows.tolist()):
        own = np.flatnonzero(matrix.observed[row])
        out.append(_latent(base, matrix, row, own, _guess(plan, fit, row, own)))
        asking(number + 1, plan.rows.size)
    return suite, np.array(out)


def _fold(plan: Plan, part: int, report: Report | None = None) -> _Fold:
    """Models of a part, known by few scores to a fit without them."""
    fitting, asking = Job([("", FIT_WORK), ("", CONDITIONING_WORK)], report).reports
    matrix, rows = plan.matrix, plan.rows[plan.part_of == part]
    left_out = np.isin(np.arange(matrix.shape[0]), rows)[:, None]
    train = matrix.mask(matrix.observed & left_out)
    fit = sample(
        train,
        plan.spec,
        plan.engine,
        seed=plan.seed + 1 + part,
        report=fitting,
        n_readings=matrix.n_cells,
        check=False,
    )
    known: BoolArray = np.asarray(train.observed.any(axis=0))
    sets, base = _sets(plan, fit, train), Transform.from_matrix(matrix)
    short, error = {}, {}
    for number, (way, names) in enumerate(sets.items()):
        inside = np.isin(matrix.benchmark_ids, names) & known
        pairs = [_one(plan, fit, base, row, inside, known) for row in rows.tolist()]
        short[way] = np.array([mean for mean, _ in pairs])
        error[way] = np.array([errors for _, errors in pairs])
        asking(number + 1, len(sets))
    return _Fold(known, sets, short, error)


def _sets(plan: Plan, fit: StoredPosterior, train: ScoreMatrix) -> dict[Way, tuple[str, ...]]:
    """The benchmarks of every set, chosen without the models that they are tested on."""
    among = plan.candidates
    suite = plan.suite or chosen_suite(fit, plan.k, among, plan.costs)
    (popular,) = popularity_policy(train, among=among).orders
    random = random_policy(train, plan.sets, plan.seed, among=among).orders
    return {
        ("suite", 0): suite,
        ("popularity", 0): tuple(popular)[: plan.k],
        **{("random", n): tuple(order)[: plan.k] for n, order in enumerate(random)},
        ("nothing", 0): (),
    }


def _guess(plan: Plan, fit: StoredPosterior, row: int, shown: IntArray) -> FloatArray:
    """(B,): the scores of a model as predicted from some of them, by the median draw.

    Noise is symmetric on the latent scale: it has no part in a median, and is not drawn.
    """
    matrix = plan.matrix
    draws = condition(
        fit,
        {matrix.benchmark_ids[j]: float(matrix.values[row, j]) for j in shown},
        model_id=matrix.model_ids[row],
        seed=plan.seed + row,
        accept_far=True,
        facts=ModelFacts.of(matrix, row),
    )
    median = np.median(draws.eta, axis=0)
    return np.asarray(fit.transform.to_score(median, np.arange(median.size)), dtype=np.float64)


def _latent(
    base: Transform, matrix: ScoreMatrix, row: int, shown: IntArray, guess: FloatArray
) -> FloatArray:
    """(B,): scores where they are shown, predictions elsewhere, on the standardised scale."""
    filled = guess.copy()
    filled[shown] = matrix.values[row, shown]
    return np.asarray(base.to_latent(filled, np.arange(filled.size)), dtype=np.float64)


def _one(
    plan: Plan,
    fit: StoredPosterior,
    base: Transform,
    row: int,
    inside: BoolArray,
    known: BoolArray,
) -> tuple[float, FloatArray]:
    """Mean of one model on the benchmarks that were fitted, and its errors."""
    matrix = plan.matrix
    shown = np.flatnonzero(matrix.observed[row] & inside)
    guess = _guess(plan, fit, row, shown)
    extent = np.asarray(base.upper - base.lower, dtype=np.float64)
    error = 100 * np.abs(guess - matrix.values[row]) / extent
    error[~(matrix.observed[row] & known & ~inside & np.isfinite(extent))] = np.nan
    return float(_latent(base, matrix, row, shown, guess)[known].mean()), error


def _joined(
    plan: Plan, way: Way, folds: Sequence[_Fold], part_of: IntArray, latent: FloatArray
) -> Standing:
    """All models by one way to choose, from the folds."""
    matrix, size = plan.matrix, part_of.size
    full, short, revealed, cost = (np.full(size, np.nan) for _ in range(4))
    error = np.full((size, matrix.shape[1]), np.nan)
    for part, fold in enumerate(folds):
        own = np.asarray(part_of == part)
        names = fold.sets[way]
        full[own] = latent[own][:, fold.known].mean(axis=1)
        short[own], error[own] = fold.short[way], fold.error[way]
        columns = id_indices(matrix.benchmark_ids, names, "benchmark")
        revealed[own] = matrix.observed[plan.rows[own]][:, columns].sum(axis=1)
        if plan.costs is not None and all(name in plan.costs for name in names):
            cost[own] = sum(plan.costs[name] for name in names)
    return Standing(full, short, error, revealed, cost)
