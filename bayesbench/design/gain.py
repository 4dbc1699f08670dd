"""Expected information gain of running a benchmark: EPIG, BALD, greedy batches."""

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
    from ..answers.prediction import LatentDraws

__all__ = ["Own", "Targets", "bald", "epig", "greedy", "information", "joint_information", "target"]

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
    """Weighted sum over targets of MI(score of candidate; score of target), (C,) nats.

    ``MI = -0.5 log(1 - rho**2)`` with rho the predictive correlation. From S draws the squared
    sample covariance is too large by ``v_c v_t / (S - 1)`` on average, even between unrelated
    benchmarks; summed over many targets that would be a floor under every gain, so it is
    subtracted (term by term unbiased, the sum cut at 0).
    """
    total = state.variance
    signal = np.diagonal(state.signal)
    cross = state.signal[np.ix_(candidates, about.indices)]
    squared = cross * cross
    if state.n_draws is not None:
        # cov(x, x) is a variance, not a chance correlation: correcting it too costs nothing
        chance = np.outer(signal[candidates], signal[about.indices])
        squared = squared - chance / (state.n_draws - 1)
    squared /= np.outer(total[candidates], total[about.indices])
    mi = -0.5 * np.log1p(-np.minimum(squared, 1 - _LEAST))
    if about.own == "exclude":
        mi[candidates[:, None] == about.indices[None, :]] = 0.0
    gain: Floats = np.maximum(mi @ about.weights, 0.0)
    return gain


def joint_information(state: Moments, candidates: Indices, about: Targets) -> Floats:
    """MI(score of candidate; the whole vector of target scores), (C,) nats; weights unused.

    ``0.5 log(V_c / V_c|T)``. With S draws the estimate is too large by up to T / (2 S) nats;
    meant for a handful of named targets.
    """
    if about.own == "reading":
        return _joint(state, candidates, about.indices)
    return np.concatenate(
        [
            _joint(state, candidates[[row]], about.indices[about.indices != index])
            for row, index in enumerate(candidates)
        ]
    )


def _joint(state: Moments, candidates: Indices, targets: Indices) -> Floats:
    cross = state.signal[np.ix_(targets, candidates)]
    inner = state.signal[np.ix_(targets, targets)] + np.diag(state.noise[targets])
    explained = np.einsum("tc,tc->c", cross, np.linalg.solve(inner, cross))
    share = np.minimum(explained / state.variance[candidates], 1 - _LEAST)
    return np.asarray(np.maximum(-0.5 * np.log1p(-share), 0.0))


def latent_information(state: Moments, candidates: Indices) -> Floats:
    """MI(score of candidate; eta) = 0.5 log(1 + var(eta) / noise), (C,) nats."""
    signal = np.maximum(np.diagonal(state.signal)[candidates], 0.0)
    gain: Floats = 0.5 * np.log1p(signal / state.noise[candidates])
    return gain


def epig(
    draws: LatentDraws,
    candidates: Sequence[str],
    targets: Sequence[str],
    weights: Mapping[str, float] | None = None,
    *,
    joint: bool = False,
    own: Own = "reading",
) -> Floats:
    r"""Expected predictive information gain of each candidate about the target scores, in nats.

    .. math:: \mathrm{EPIG}(c) = \sum_t w_t \, I(y_c; y_t)

    under the Gaussian moments of the joint predictive over draws (latent scale).

    Parameters
    ----------
    draws : LatentDraws
        Joint draws of one model over benchmarks.
    candidates, targets : sequences of str
        Benchmark ids.
    weights : mapping of target id to weight, optional
        1 each by default; a target not named in the mapping weighs 0.
    joint : bool
        Information about the vector of target scores instead of the sum over targets
        (unweighted).
    own : {"reading", "exclude"}
        How a candidate that is a target counts, see :class:`Targets`.

    Returns
    -------
    (C,) array

    Raises
    ------
    UnknownIdError
        For an unknown candidate or target.
    UsageError
        For an empty list of candidates or targets, or a bad weight.

    References
    ----------
    Bickford Smith et al., Prediction-oriented Bayesian active learning, arXiv:2304.08151 (there
    the mean over targets; here the sum).
    """
    chosen = candidate_indices(draws.benchmark_ids, candidates)
    about = target(draws.benchmark_ids, targets, weights, own)
    state = moments(draws)
    return (joint_information if joint else information)(state, chosen, about)


def bald(draws: LatentDraws, candidates: Sequence[str]) -> Floats:
    r"""Information of each candidate's score about the model's own latents, (C,) nats.

    .. math:: I(y_c; \eta_c) = \tfrac12 \log(1 + \mathrm{Var}(\eta_c) / \mathrm{noise}_c)

    Raises
    ------
    UnknownIdError, UsageError
        For an unknown candidate; for none at all.

    References
    ----------
    Houlsby et al., Bayesian active learning for classification and preference learning,
    arXiv:1112.5745.
    """
    return latent_information(moments(draws), candidate_indices(draws.benchmark_ids, candidates))


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
    budget: float = np.inf,
) -> tuple[tuple[int, float], ...]:
    """Choose up to ``k`` candidates one at a time, each given the ones before it.

    At every step the candidate with the largest gain (per cost, if ``costs``) among those that
    the rest of the budget still pays is taken, and the moments are conditioned on its reading:
    a duplicate of something chosen has nothing left to tell. With ``own="exclude"`` a chosen
    benchmark also stops being a target.

    Parameters
    ----------
    state : Moments
    candidates : (C,) int array
    about : Targets
    k : int
    costs : (C,) array-like, optional
        Cost of each candidate, positive.
    budget : float

    Returns
    -------
    tuple of (index, gain)
        Benchmark index and conditional gain in nats, in the order chosen.
    """
    price = np.ones(len(candidates)) if costs is None else np.asarray(costs, dtype=np.float64)
    open_ = np.ones(len(candidates), dtype=bool)
    chosen: list[tuple[int, float]] = []
    left = budget
    while len(chosen) < k:
        affordable = np.flatnonzero(open_ & (price <= left * (1 + _LEAST)))
        if not affordable.size:
            break
        gains = information(state, candidates[affordable], about)
        best = int(np.argmax(gains / (price[affordable] if costs is not None else 1.0)))
        position = int(affordable[best])
        index = int(candidates[position])
        chosen.append((index, float(gains[best])))
        open_[position] = False
        left -= price[position] if costs is not None else 0.0
        state = state.given(index)
        about = without(about, index)
    return tuple(chosen)


def without(about: Targets, index: int) -> Targets:
    """Targets once ``index`` has been run: under "exclude" it needs no prediction any more."""
    if about.own == "reading":
        return about
    keep = about.indices != index
    return Targets(about.indices[keep], about.weights[keep], about.own)
