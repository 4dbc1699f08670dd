"""Which model is better: gaps, pairwise probabilities and rank distributions, from joint draws.

The draws are those whose margins `predict` prints (`joint.ScoreDraws`), and those of models of one
posterior are paired, so that what both models do not know together cancels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ..errors import UnknownIdError, UsageError
from ..scores.ids import id_indices, nearest_ids
from .joint import KINDS, Kind, ScoreDraws

if TYPE_CHECKING:
    from ..low_rank.link import Transform

__all__ = ["Comparison", "Gap", "Ranking", "gap_between", "rank_models", "total", "totals"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """What models are compared on.

    Attributes
    ----------
    benchmarks : tuple of str
    weights : mapping of benchmark id to weight, optional
        1 each by default; a benchmark not named weighs 0.
    kind : {"score", "known", "mu"}
        A new reading, as predicted; the known score where there is one, else a reading; or the
        level without noise.
    scale : {"score", "latent"}
        What is averaged over several benchmarks: scores in their own points, or standardised
        latent scores, which suits benchmarks on different scales. Lower-is-better counts with a
        minus. For one benchmark both order the models alike.
    seed : int
        Of the order of exact ties.

    Raises
    ------
    UsageError
        No benchmark, an unknown kind or scale, or a bad weight.
    UnknownIdError
        A weight for a benchmark that is not compared on.
    """

    benchmarks: tuple[str, ...]
    weights: Mapping[str, float] | None = None
    kind: Kind = "score"
    scale: Literal["score", "latent"] = "score"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.benchmarks:
            raise UsageError("name at least one benchmark to compare on")
        for field, known in (("kind", KINDS), ("scale", ("score", "latent"))):
            if getattr(self, field) not in known:
                raise UsageError(f"{field} must be one of {known}, got {getattr(self, field)!r}")
        for name, value in (self.weights or {}).items():
            if name not in self.benchmarks:
                raise UnknownIdError("benchmark", name, nearest_ids(name, self.benchmarks))
            if not (np.isfinite(value) and value >= 0):
                raise UsageError(f"weight of {name!r} must be 0 or more, got {value:g}")
        if not self.shares.sum() > 0:
            raise UsageError("every benchmark has weight 0: weight at least one")

    @property
    def shares(self) -> Floats:
        """Weights of the benchmarks, which sum to 1, (C,)."""
        if self.weights is None:
            return np.full(len(self.benchmarks), 1.0 / len(self.benchmarks))
        given = np.array([float(self.weights.get(name, 0.0)) for name in self.benchmarks])
        total = given.sum()
        return np.asarray(given / total if total > 0 else given)


@dataclass(frozen=True, eq=False)
class Gap:
    """How far one model lies above another.

    Attributes
    ----------
    first, second : str
        Ids of the models.
    benchmarks : tuple of str
    median, lower, upper : float
        Of the first's weighted mean less the second's, and its equal-tailed interval of `prob`:
        in points, or in latent units; positive is better for the first.
    p_better : float
        P(first > second); ties count half.
    prob : float

    Examples
    --------
    >>> print(Gap("a", "b", ("hle",), median=3.0, lower=-1.0, upper=7.0, p_better=0.9, prob=0.9))
    a is better than b on hle with probability 0.90; a less b: +3.0 (90 % interval -1.0 to +7.0).
    """

    first: str
    second: str
    benchmarks: tuple[str, ...]
    median: float
    lower: float
    upper: float
    p_better: float
    prob: float

    @property
    def sentence(self) -> str:
        """The gap in words."""
        better, worse, p = self.first, self.second, self.p_better
        if p < 0.5:
            better, worse, p = worse, better, 1.0 - p
        where = ", ".join(self.benchmarks[:3]) + (", ..." if len(self.benchmarks) > 3 else "")
        return (
            f"{better} is better than {worse} on {where} with probability {p:.2f}; "
            f"{self.first} less {self.second}: {self.median:+.1f} "
            f"({100 * self.prob:g} % interval {self.lower:+.1f} to {self.upper:+.1f})."
        )

    def __repr__(self) -> str:
        return self.sentence


@dataclass(frozen=True, eq=False)
class Ranking:
    """Rank distributions of M models (rank 1 = best).

    Attributes
    ----------
    model_ids : tuple of str
    win : (M, M) array
        P(row model > column model); ties count half, the diagonal is 0.5.
    rank_probability : (M, M) array
        P(model has rank r + 1).
    p_best : (M,) array
    median, lower, upper : (M,) int array
        Median rank and equal-tailed interval of ``prob``.
    prob : float
    benchmarks : tuple of str
    scores : (M, 3) array
        Lower end, median and upper end of the weighted mean score, in points (in latent units
        where those are averaged). Where lower is better on some of several benchmarks, these count
        with a minus.
    gaps : (M, 3) array
        The same of the model's result less that of the first in `order`; positive is better.

    Examples
    --------
    >>> import bayesbench as bb
    >>> ranking = bb.open_posterior().rank(["gpt-5", "gpt-4o"], on=["hle"])
    >>> [ranking.model_ids[i].startswith("gpt-5") for i in ranking.order]
    [True, False]
    >>> bool(ranking.gaps[1, 1] < 0)
    True
    """

    model_ids: tuple[str, ...]
    win: Floats
    rank_probability: Floats
    p_best: Floats
    median: Ints
    lower: Ints
    upper: Ints
    prob: float
    benchmarks: tuple[str, ...]
    scores: Floats
    gaps: Floats

    @property
    def order(self) -> list[int]:
        """Models by mean rank, which also orders those that are surely not the best."""
        return _by_mean_rank(self.rank_probability)

    @property
    def sentence(self) -> str:
        """The first two in words."""
        first, second = self.order[:2]
        lower, gap, upper = (0.0 - value for value in self.gaps[second][::-1])
        where = ", ".join(self.benchmarks[:3]) + (", ..." if len(self.benchmarks) > 3 else "")
        best = (
            f"{self.model_ids[first]} is the best of {len(self.model_ids)} models on {where} with "
            f"probability {self.p_best[first]:.2f}"
        )
        return (
            f"{best}; its lead over {self.model_ids[second]}, the next, is {gap:+.1f} "
            f"({100 * self.prob:g} % interval {lower:+.1f} to {upper:+.1f}), and it is better than "
            f"that with probability {self.win[first, second]:.2f}."
        )

    def __repr__(self) -> str:
        best = [f"{self.model_ids[i]} (P(best) {self.p_best[i]:.2f})" for i in self.order[:5]]
        more = "" if len(self.model_ids) <= 5 else f", ... {len(self.model_ids)} models"
        return f"Ranking: {', '.join(best)}{more}"


def totals(draws: Sequence[ScoreDraws], transform: Transform, comparison: Comparison) -> Floats:
    """(M, N) weighted mean result of every model in every draw; higher is better.

    Raises
    ------
    UnknownIdError
        For an unknown benchmark.
    UsageError
        If the draws differ in number or benchmarks.
    """
    _check_paired(draws)
    return np.stack([total(one, transform, comparison) for one in draws])


def total(draws: ScoreDraws, transform: Transform, comparison: Comparison) -> Floats:
    """(N,) weighted mean result of one model in every draw; higher is better.

    Raises
    ------
    UnknownIdError
        For an unknown benchmark.
    """
    at = id_indices(draws.benchmark_ids, comparison.benchmarks, "benchmark")
    columns = np.array([transform.index(name) for name in comparison.benchmarks])
    values = draws.values[:, at]
    if comparison.scale == "latent":
        return np.asarray(transform.to_latent(values, columns) @ comparison.shares)
    return np.asarray((values * transform.sign[columns]) @ comparison.shares)


def _check_paired(draws: Sequence[ScoreDraws]) -> None:
    if len(draws) < 2:
        raise UsageError(f"comparing needs at least 2 models, got {len(draws)}")
    for other in draws[1:]:
        same = other.benchmark_ids == draws[0].benchmark_ids
        if not same or len(other.values) != len(draws[0].values):
            raise UsageError(
                f"draws of {other.model_id!r} and {draws[0].model_id!r} are not of one posterior"
            )


def gap_between(
    first: ScoreDraws,
    second: ScoreDraws,
    transform: Transform,
    comparison: Comparison,
    prob: float = 0.9,
) -> Gap:
    """How far the first model lies above the second, on a benchmark or a weighted set.

    Parameters
    ----------
    first, second : ScoreDraws
        Paired draws of one posterior.
    transform : Transform
    comparison : Comparison
    prob : float
        Of the interval.

    Raises
    ------
    UnknownIdError, UsageError
        As :func:`totals`; if ``prob`` is not in (0, 1).
    """
    _check_prob(prob)
    a, b = totals([first, second], transform, comparison)
    lower, median, upper = np.quantile(a - b, [0.5 - prob / 2, 0.5, 0.5 + prob / 2])
    return Gap(
        first.model_id,
        second.model_id,
        comparison.benchmarks,
        float(median),
        float(lower),
        float(upper),
        float(np.mean((a > b) + 0.5 * (a == b))),
        prob,
    )


def rank_models(
    draws: Sequence[ScoreDraws],
    transform: Transform,
    comparison: Comparison,
    prob: float = 0.9,
) -> Ranking:
    """Rank distributions, pairwise probabilities and probability of being best.

    Parameters
    ----------
    draws : sequence of ScoreDraws
        One per model, paired draws of one posterior.
    transform : Transform
    comparison : Comparison
    prob : float
        Of the rank intervals.

    Raises
    ------
    UnknownIdError, UsageError
        As :func:`totals`; if ``prob`` is not in (0, 1).
    """
    _check_prob(prob)
    values = totals(draws, transform, comparison)
    n_models, n = values.shape
    ranks = _ranks(values, comparison.seed)
    share = np.stack([np.bincount(row, minlength=n_models + 1)[1:] for row in ranks]) / n
    levels = (0.5 - prob / 2, 0.5, 0.5 + prob / 2)
    lower, median, upper = np.quantile(ranks, levels, axis=1, method="inverted_cdf")
    shown = values * _orientation(transform, comparison)
    first = _by_mean_rank(share)[0]
    win = np.stack([(row > values).mean(axis=1) + 0.5 * (row == values).mean(1) for row in values])
    ids = tuple(one.model_id for one in draws)
    return Ranking(
        model_ids=ids,
        win=win,
        rank_probability=share,
        p_best=share[:, 0],
        median=median.astype(np.int64),
        lower=lower.astype(np.int64),
        upper=upper.astype(np.int64),
        prob=prob,
        benchmarks=comparison.benchmarks,
        scores=np.quantile(shown, levels, axis=1).T,
        gaps=np.quantile(values - values[first], levels, axis=1).T,
    )


def _by_mean_rank(rank_probability: Floats) -> list[int]:
    mean = rank_probability @ np.arange(len(rank_probability))
    return [int(i) for i in np.argsort(mean, kind="stable")]


def _orientation(transform: Transform, comparison: Comparison) -> float:
    """-1 where results are scores of which lower is better: those are shown as they are."""
    if comparison.scale == "latent":
        return 1.0
    columns = [transform.index(name) for name in comparison.benchmarks]
    signs = transform.sign[np.array(columns)[comparison.shares > 0]]
    return -1.0 if (signs < 0).all() else 1.0


def _check_prob(prob: float) -> None:
    if not 0 < prob < 1:
        raise UsageError(f"prob must lie in (0, 1), got {prob:g}")


def _ranks(values: Floats, seed: int) -> Ints:
    """(M, N) ranks, 1 = largest; exact ties in random order."""
    tie_break = np.random.default_rng(seed).random(values.shape)
    order = np.lexsort((tie_break, -values), axis=0)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, len(values) + 1)[:, None], axis=0)
    return ranks.astype(np.int64)
