"""What a probe is worth in score points: how much narrower the target intervals get."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from .gain import Indices, Targets, without
from .moments import Floats, Moments

if TYPE_CHECKING:
    from ..low_rank.link import Transform

__all__ = ["all_width_reductions", "expected_width", "width_reductions"]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


def expected_width(
    state: Moments,
    after: Moments,
    transform: Transform,
    about: Targets,
    prob: float = 0.9,
) -> float:
    r"""Expected mean width (score points) of the target intervals once ``after`` is reached.

    Under ``after`` a target's latent score is normal with variance ``V'``; where its centre will
    lie is not known yet, ``N(m, V - V')``. The interval's ends go through the inverse link, and
    the width is averaged over that centre by Gauss-Hermite quadrature (9 nodes):

    .. math:: E_u[g(m + q u + z \sqrt{V'}) - g(m + q u - z \sqrt{V'})], \quad q^2 = V - V'

    so it counts that an interval near a bound is narrow in points. Targets on different scales
    are averaged in their own points, by weight.

    Parameters
    ----------
    state, after : Moments
        Now, and after the readings in question (``after=state`` gives the width now).
    transform : Transform
        For the benchmarks of ``state``, in their order.
    about : Targets
    prob : float
        Probability of the interval.

    Returns
    -------
    float
        0 if there is no target left.
    """
    if not about.weights.sum() > 0:
        return 0.0
    columns = about.indices
    told = np.maximum(state.variance[columns] - np.maximum(after.variance[columns], 0.0), 0.0)
    width = _target_widths(state, told[None], transform, columns, prob)[0]
    return float(width @ about.weights / about.weights.sum())


def width_reductions(
    state: Moments,
    batch: Sequence[int],
    transform: Transform,
    about: Targets,
    prob: float = 0.9,
) -> tuple[float, ...]:
    """Expected fall of the mean target width by each probe of a batch, given those before it.

    Under ``own="exclude"`` a probe's effect is measured on the targets it leaves, so that a
    benchmark with a wide interval of its own is not preferred for running it.
    """
    falls = []
    before = state
    for index in batch:
        about = without(about, index)
        now = before.given(index)
        fall = expected_width(state, before, transform, about, prob) - expected_width(
            state, now, transform, about, prob
        )
        falls.append(fall)
        before = now
    return tuple(falls)


def all_width_reductions(
    state: Moments, candidates: Indices, transform: Transform, about: Targets, prob: float = 0.9
) -> Floats:
    """Width reduction of each candidate on its own, (C,) score points.

    The same as :func:`width_reductions` of every single probe, at once: another criterion to
    choose by where points matter more than nats.
    """
    total = state.variance
    columns = about.indices
    cross = state.signal[np.ix_(candidates, columns)]
    told = np.minimum(cross**2 / total[candidates, None], total[columns])
    now = _target_widths(state, np.zeros((1, len(columns))), transform, columns, prob)
    # few candidates at a time: their 18 ends per target then stay in the processor's cache
    rows = np.array_split(np.arange(len(candidates)), max(1, len(candidates) // 8))
    after = [_target_widths(state, told[at], transform, columns, prob) for at in rows]
    fall = now - np.concatenate(after)
    weights = np.broadcast_to(about.weights, fall.shape)
    if about.own == "exclude":
        weights = np.where(candidates[:, None] == columns[None, :], 0.0, weights)
    reached = weights.sum(axis=1)
    return np.asarray((fall * weights).sum(axis=1) / np.where(reached > 0, reached, 1.0))


def _target_widths(
    state: Moments, told: Floats, transform: Transform, columns: Indices, prob: float
) -> Floats:
    """(C, T) expected interval width when ``told`` (C, T) of each target's variance is known."""
    moved = np.sqrt(told)
    half = NormalDist().inv_cdf(0.5 + prob / 2) * np.sqrt(state.variance[columns] - told)
    centre = state.mean[columns] + moved * _NODES[:, None, None]
    ends = np.stack([centre - half, centre + half])
    scores = transform.to_score(ends, np.broadcast_to(columns, ends.shape))
    weights = _WEIGHTS / _WEIGHTS.sum()
    width: Floats = np.tensordot(weights, np.abs(scores[1] - scores[0]), axes=1)
    return width
