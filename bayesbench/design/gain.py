"""Expected information gain of running a benchmark (EPIG), and greedy batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..scores.ids import id_indices
from .moments import Floats, Moments, moments

if TYPE_CHECKING:
    from ..answers.predictive import LatentDraws

__all__ = [
    "Own",
    "Targets",
    "candidate_indices",
    "greedy",
    "information",
    "most_informative",
    "spread_reduction",
    "target",
    "without",
]

Own = Literal["reading", "exclude"]
Indices = npt.NDArray[np.intp]
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Targets:
    """What the information is about.

    Attributes
    ----------
    indices : (T,) int array
        Target benchmarks.
    weights : (T,) array
        Weight of each target, not negative.
    own : {"reading", "exclude"}
        A candidate that is itself a target counts through a second, independent reading of it
        ("reading": the definition of EPIG at x* = x), or not at all ("exclude": what is asked
        is the rest of the profile, which running it leaves).
    """

    indices: Indices
    weights: Floats
    own: Own = "reading"


def target(
    benchmark_ids: Sequence[str],
    targets: Sequence[str],
    weights: Mapping[str, float] | None = None,
    own: Own = "reading",
) -> Targets:
    """Targets from benchmark ids.

    Raises
    ------
    UnknownIdError
        If a target or a weighted id is not among ``benchmark_ids``.
    UsageError
        If there is no target, a weight is negative or not finite, or all are zero.
    """
    indices = id_indices(benchmark_ids, targets, "target")
    if not indices.size:
        raise UsageError("no target benchmark given: name at least one")
    values = np.ones(len(indices))
    if weights is not None:
        id_indices(benchmark_ids, tuple(weights), "target")
        values = np.array([float(weights.get(name, 0.0)) for name in targets])
        for name, value in zip(targets, values, strict=True):
            if not (np.isfinite(value) and value >= 0):
                raise UsageError(f"weight of target {name!r} must be 0 or more, got {value:g}")
        if not values.any():
            raise UsageError("every target has weight 0: weight at least one")
    return Targets(indices, values, own)


def information(state: Moments, candidates: Indices, about: Targets) -> Floats:
    r"""Expected predictive information gain (EPIG) of each candidate, (C,) nats.

    .. math:: \mathrm{EPIG}(c) = \sum_t w_t \, I(y_c; y_t), \quad
       I = -\tfrac12 \log(1 - \rho_{ct}^2)

    with rho the predictive correlation (latent scale). From S draws the squared sample covariance
    is too large by ``v_c v_t / (S - 1)`` on average, even between unrelated benchmarks; summed
    over many targets that would be a floor under every gain, so it is subtracted (term by term
    unbiased, the sum cut at 0).

    Parameters
    ----------
    state : Moments
        Of one model's scores.
    candidates : (C,) int array
    about : Targets

    References
    ----------
    Bickford Smith et al., Prediction-oriented Bayesian active learning, arXiv:2304.08151 (there
    the mean over targets; here the sum).
    """
    mi = -0.5 * np.log1p(-_explained(state, candidates, about))
    gain: Floats = np.maximum(mi @ about.weights, 0.0)
    return gain


def spread_reduction(state: Moments, candidates: Indices, about: Targets) -> Floats:
    r"""Expected fall of the standard deviations of the targets by each candidate, (C,).

    .. math:: \sum_t w_t \, \sigma_t (1 - \sqrt{1 - \rho_{ct}^2})

    with rho as in :func:`information`, whose correction for a sample covariance is made here too.
    In the units of the weights: with points per unit of the latent scale, in score points.
    Where information counts every target alike, this counts most where most error is left.

    Parameters
    ----------
    state : Moments
        Of one model's scores.
    candidates : (C,) int array
    about : Targets
    """
    sd = np.sqrt(state.variance[about.indices])
    # expm1 and log1p: a small share would be lost next to 1
    share = -np.expm1(0.5 * np.log1p(-_explained(state, candidates, about)))
    fall: Floats = np.maximum(share @ (about.weights * sd), 0.0)
    return fall


def _explained(state: Moments, candidates: Indices, about: Targets) -> Floats:
    """Squared correlations of readings, (C, T), without chance; 0 for an excluded target itself."""
    total = state.variance
    signal = np.diagonal(state.signal)
    cross = state.signal[np.ix_(candidates, about.indices)]
    squared = cross * cross
    if state.n_draws is not None:
        # cov(x, x) is a variance, not a chance correlation: correcting it too costs nothing
        chance = np.outer(signal[candidates], signal[about.indices])
        squared = squared - chance / (state.n_draws - 1)
    squared /= np.outer(total[candidates], total[about.indices])
    squared = np.minimum(squared, 1 - _LEAST)
    if about.own == "exclude":
        squared[candidates[:, None] == about.indices[None, :]] = 0.0
    found: Floats = squared
    return found


def candidate_indices(benchmark_ids: Sequence[str], candidates: Sequence[str]) -> Indices:
    """Indices of candidates; an empty list is a UsageError."""
    indices = id_indices(benchmark_ids, candidates, "candidate")
    if not indices.size:
        raise UsageError("no candidate benchmark left to run")
    return indices


def greedy(
    state: Moments,
    candidates: Indices,
    about: Targets,
    k: int,
    costs: npt.ArrayLike | None = None,
) -> tuple[tuple[int, float], ...]:
    """Choose up to ``k`` candidates one at a time, each given the ones before it.

    At every step the candidate with the largest gain (per cost, if ``costs``) is taken, and the
    moments are conditioned on its reading: a duplicate of something chosen has nothing left to
    tell. With ``own="exclude"`` a chosen benchmark also stops being a target.

    Parameters
    ----------
    state : Moments
    candidates : (C,) int array
    about : Targets
    k : int
    costs : (C,) array-like, optional
        Cost of each candidate, positive.

    Returns
    -------
    tuple of (index, gain)
        Benchmark index and conditional gain in nats, in the order chosen.
    """
    price = np.ones(len(candidates)) if costs is None else np.asarray(costs, dtype=np.float64)
    left = np.arange(len(candidates))
    chosen: list[tuple[int, float]] = []
    while left.size and len(chosen) < k:
        gains = information(state, candidates[left], about)
        best = int(np.argmax(gains / price[left]))
        index = int(candidates[left[best]])
        chosen.append((index, float(gains[best])))
        left = np.delete(left, best)
        state = state.given(index)
        about = without(about, index)
    return tuple(chosen)


def without(about: Targets, index: int) -> Targets:
    """Targets once ``index`` has been run: under "exclude" it needs no prediction any more."""
    if about.own == "reading":
        return about
    keep = about.indices != index
    return Targets(about.indices[keep], about.weights[keep], about.own)


def most_informative(draws: LatentDraws, candidates: Indices) -> int:
    """Index into `candidates` of the one that tells most about all that is not yet scored.

    The first recommendation of `design.recommend` without costs, targets or budget.
    """
    open_ = np.flatnonzero(~np.isfinite(draws.observed))
    about = Targets(open_, np.ones(open_.size), "exclude")
    steps = greedy(moments(draws), candidates, about, 1)
    return 0 if not steps else int(np.flatnonzero(candidates == steps[0][0])[0])
