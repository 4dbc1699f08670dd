"""What a probe is worth in score points: how much narrower the printed target intervals get.

The widths start from the intervals that are printed (calibrated ones, if the posterior carries a
calibration); only how much a probe explains of a target comes from the Gaussian moments. Such a
calibration maps every margin by a monotone map, and mutual information does not change under one:
gains in nats need no calibration, widths do.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from ..errors import UsageError
from .gain import Indices, Targets, without
from .moments import Floats, Moments

__all__ = ["all_width_reductions", "expected_widths", "width_reductions"]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


def expected_widths(
    levels: Floats, score_quantiles: Floats, explained: Floats, prob: float = 0.9
) -> Floats:
    r"""Expected interval width (score points) of targets once a share of their doubt is gone.

    The dependence between scores is that of a Gaussian copula: a target's normal score is
    ``rho u`` plus the rest, where u ~ N(0, 1) is what the probes will tell and ``rho**2`` the
    share they explain. Where u will lie is not known yet, so the width is averaged over it
    (Gauss-Hermite, 9 nodes):

    .. math:: E_u[Q(\Phi(\rho u + z \sqrt{1 - \rho^2})) - Q(\Phi(\rho u - z \sqrt{1 - \rho^2}))]

    with Q the quantile function that is printed and z the normal quantile of the interval. So it
    counts that an interval near a bound is narrow in points; with ``rho = 0`` it is the interval
    printed. Between the kept levels Q is linear in the normal score, beyond them it stays where
    it is.

    Parameters
    ----------
    levels : (L,) array
        Increasing probability levels.
    score_quantiles : (T, L) array
        Of every target, score scale, not decreasing.
    explained : (..., T) array
        Share of the variance of the target's normal score that the probes explain, 0 to 1.
    prob : float
        Probability of the interval.

    Returns
    -------
    (..., T) array

    Raises
    ------
    UsageError
        If ``prob`` is not in (0, 1).

    Examples
    --------
    A target spread evenly over 0 to 100, before a probe and after one that explains half of it:

    >>> levels = np.linspace(0.01, 0.99, 99)
    >>> now, then = expected_widths(levels, 100 * levels[None], np.array([[0.0], [0.5]]))[:, 0]
    >>> print(f"{now:.1f} {then:.1f}")
    90.0 65.7
    """
    if not 0 < prob < 1:
        raise UsageError(f"prob must lie in (0, 1), got {prob:g}")
    normal = NormalDist()
    grid = np.array([normal.inv_cdf(level) for level in levels])
    share = np.clip(explained, 0.0, 1.0)
    half = normal.inv_cdf(0.5 + prob / 2) * np.sqrt(1.0 - share)
    centre = np.multiply.outer(_NODES, np.sqrt(share))
    ends = np.stack([centre + half, centre - half])
    scores = np.empty_like(ends)
    for row, quantiles in enumerate(score_quantiles):
        scores[..., row] = np.interp(ends[..., row], grid, quantiles)
    return np.asarray(np.tensordot(_WEIGHTS / _WEIGHTS.sum(), scores[0] - scores[1], axes=1))


def width_reductions(
    state: Moments,
    batch: Sequence[int],
    about: Targets,
    levels: Floats,
    score_quantiles: Floats,
    prob: float = 0.9,
) -> tuple[float, ...]:
    """Expected fall of the mean target width by each probe of a batch, given those before it.

    A batch A explains the share ``1 - V_t|A / V_t`` of a target (variances of a reading, noise
    included). Under ``own="exclude"`` a probe's effect is measured on the targets it leaves, so
    that a benchmark with a wide interval of its own is not preferred for running it; 0 if it
    leaves none. Targets on different scales are averaged in their own points, by weight.

    Parameters
    ----------
    state : Moments
    batch : sequence of int
        In the order to run.
    about : Targets
    levels : (L,) array
    score_quantiles : (B, L) array
        As printed, of every benchmark of ``state`` in its order; see :func:`expected_widths`.
    prob : float
        Probability of the intervals.

    Returns
    -------
    tuple of float
        Score points.
    """
    falls = []
    before = state
    for index in batch:
        about = without(about, index)
        after, targets = before.given(index), about.indices
        explained = np.stack(
            [
                1.0 - moments.variance[targets] / state.variance[targets]
                for moments in (before, after)
            ]
        )
        width = expected_widths(levels, score_quantiles[targets], explained, prob)
        falls.append(float(_mean(width[0] - width[1], about.weights)))
        before = after
    return tuple(falls)


def all_width_reductions(
    state: Moments,
    candidates: Indices,
    about: Targets,
    levels: Floats,
    score_quantiles: Floats,
    prob: float = 0.9,
) -> Floats:
    """Width reduction of each candidate on its own, (C,) score points.

    The same as :func:`width_reductions` of every single probe (and its parameters), at once:
    another criterion to choose by where points matter more than nats.
    """
    total, targets = state.variance, about.indices
    cross = state.signal[np.ix_(candidates, targets)]
    explained = cross**2 / np.outer(total[candidates], total[targets])
    quantiles = score_quantiles[targets]
    now = expected_widths(levels, quantiles, np.zeros(len(targets)), prob)
    fall = now - expected_widths(levels, quantiles, explained, prob)
    weights = np.broadcast_to(about.weights, fall.shape)
    if about.own == "exclude":
        weights = np.where(candidates[:, None] == targets[None, :], 0.0, weights)
    return _mean(fall, weights)


def _mean(values: Floats, weights: Floats) -> Floats:
    """Weighted mean over the last axis; 0 where nothing weighs."""
    total = weights.sum(axis=-1)
    return np.asarray((values * weights).sum(axis=-1) / np.where(total > 0, total, 1.0))
