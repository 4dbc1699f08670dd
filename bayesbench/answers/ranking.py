"""Which model is better: pairwise probabilities, rank distributions.

Two models of one posterior share its benchmark parameters draw by draw, so comparisons are made
within a draw: what both do not know together cancels. Every set of draws given here must
therefore come from the same posterior in its own draw order (``fitted_draws``, or ``condition``
with ``reweight=False``); resampled draws are no longer paired, and comparing them only loses the
cancelling: probabilities then come out less sure than they could be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ..errors import UnknownIdError, UsageError
from ..low_rank.noise import sample
from ..scores.ids import id_indices, nearest_ids

if TYPE_CHECKING:
    from ..low_rank.link import Transform
    from .prediction import LatentDraws

__all__ = ["Comparison", "Ranking", "prob_better", "rank_models", "totals"]

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
    kind : {"mu", "score"}
        The level without noise, or a reading with its noise (known scores as they are).
    scale : {"score", "latent"}
        What is averaged over several benchmarks: scores in their own points, or standardised
        latent scores, which suits benchmarks on different scales. Lower-is-better counts with a
        minus. For one benchmark both give the same answer.
    repeats : int
        Noise draws per posterior draw (``kind="score"``).
    seed : int
        Of the noise, and of the order of exact ties.
    """

    benchmarks: tuple[str, ...]
    weights: Mapping[str, float] | None = None
    kind: Literal["mu", "score"] = "mu"
    scale: Literal["score", "latent"] = "score"
    repeats: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.benchmarks:
            raise UsageError("name at least one benchmark to compare on")
        if self.repeats < 1:
            raise UsageError(f"repeats must be at least 1, got {self.repeats}")
        for field, known in (("kind", ("mu", "score")), ("scale", ("score", "latent"))):
            if getattr(self, field) not in known:
                raise UsageError(f"{field} must be one of {known}, got {getattr(self, field)!r}")


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
    """

    model_ids: tuple[str, ...]
    win: Floats
    rank_probability: Floats
    p_best: Floats
    median: Ints
    lower: Ints
    upper: Ints
    prob: float


def totals(draws: Sequence[LatentDraws], transform: Transform, comparison: Comparison) -> Floats:
    """(M, N) weighted mean result of every model in every draw; higher is better.

    N is S for ``kind="mu"`` and S * repeats for ``kind="score"``.

    Raises
    ------
    UnknownIdError
        For an unknown benchmark.
    UsageError
        If the draws differ in number or benchmarks, or a weight is negative or all are zero.
    """
    _check_paired(draws)
    names = draws[0].benchmark_ids
    columns = id_indices(names, comparison.benchmarks, "benchmark")
    weights = _weights(comparison)
    link = transform if transform.benchmark_ids == names else transform.subset(names)
    rng = np.random.default_rng(comparison.seed)
    results = []
    for one in draws:
        latent = _latent(one, columns, link, comparison, rng)
        if comparison.scale == "latent":
            results.append(latent @ weights)
        else:
            at = np.broadcast_to(columns, latent.shape)
            results.append(link.to_score(latent, at) * link.sign[columns] @ weights)
    return np.stack(results)


def _check_paired(draws: Sequence[LatentDraws]) -> None:
    if len(draws) < 2:
        raise UsageError(f"comparing needs at least 2 models, got {len(draws)}")
    for other in draws[1:]:
        if other.benchmark_ids != draws[0].benchmark_ids or len(other.eta) != len(draws[0].eta):
            raise UsageError(
                f"draws of {other.model_id!r} and {draws[0].model_id!r} are not of one posterior"
            )


def _weights(comparison: Comparison) -> Floats:
    if comparison.weights is None:
        return np.full(len(comparison.benchmarks), 1.0 / len(comparison.benchmarks))
    for name, value in comparison.weights.items():
        if name not in comparison.benchmarks:
            raise UnknownIdError("benchmark", name, nearest_ids(name, comparison.benchmarks))
        if not (np.isfinite(value) and value >= 0):
            raise UsageError(f"weight of {name!r} must be 0 or more, got {value:g}")
    given = np.array([float(comparison.weights.get(n, 0.0)) for n in comparison.benchmarks])
    if not given.sum() > 0:
        raise UsageError("every benchmark has weight 0: weight at least one")
    return np.asarray(given / given.sum())


def _latent(
    one: LatentDraws,
    columns: npt.NDArray[np.intp],
    link: Transform,
    comparison: Comparison,
    rng: np.random.Generator,
) -> Floats:
    """(N, C) latent results of one model; known scores replace readings."""
    if comparison.kind == "mu":
        return np.asarray(one.eta, dtype=np.float64)[:, columns]
    rows = np.tile(np.arange(len(one.eta)), comparison.repeats)
    latent = np.stack([_readings(one, int(c), rows, rng) for c in columns], axis=1)
    known = np.asarray(one.observed, dtype=np.float64)[columns]
    fixed = link.to_latent(known, columns)
    return np.where(np.isfinite(known), fixed, latent)


def _readings(one: LatentDraws, column: int, rows: Ints, rng: np.random.Generator) -> Floats:
    noise = sample(np.asarray(one.nu, dtype=np.float64)[rows], (len(rows),), rng)
    eta = np.asarray(one.eta, dtype=np.float64)[rows, column]
    return np.asarray(eta + np.asarray(one.noise_scale)[rows, column] * noise)


def prob_better(
    first: LatentDraws, second: LatentDraws, transform: Transform, comparison: Comparison
) -> float:
    """P(first model > second model) on a benchmark or a weighted set; ties count half.

    Parameters
    ----------
    first, second : LatentDraws
        Paired draws of one posterior.
    transform : Transform
    comparison : Comparison

    Raises
    ------
    UnknownIdError, UsageError
        As :func:`totals`.
    """
    a, b = totals([first, second], transform, comparison)
    return float(np.mean((a > b) + 0.5 * (a == b)))


def rank_models(
    draws: Sequence[LatentDraws],
    transform: Transform,
    comparison: Comparison,
    prob: float = 0.9,
) -> Ranking:
    """Rank distributions, pairwise probabilities and probability of being best.

    Parameters
    ----------
    draws : sequence of LatentDraws
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
    if not 0 < prob < 1:
        raise UsageError(f"prob must lie in (0, 1), got {prob:g}")
    values = totals(draws, transform, comparison)
    n_models, n = values.shape
    ranks = _ranks(values, comparison.seed)
    share = np.stack([np.bincount(row, minlength=n_models + 1)[1:] for row in ranks]) / n
    levels = (0.5, 0.5 - prob / 2, 0.5 + prob / 2)
    median, lower, upper = np.quantile(ranks, levels, axis=1, method="inverted_cdf")
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
    )


def _ranks(values: Floats, seed: int) -> Ints:
    """(M, N) ranks, 1 = largest; exact ties in random order."""
    tie_break = np.random.default_rng(seed).random(values.shape)
    order = np.lexsort((tie_break, -values), axis=0)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, len(values) + 1)[:, None], axis=0)
    return ranks.astype(np.int64)
