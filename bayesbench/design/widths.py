"""What a probe is worth in score points: how much narrower the target intervals get."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from .gain import Indices, Targets, without
from .moments import Floats, Moments

if TYPE_CHECKING:
    from ..transforms import Transform

__all__ = ["expected_width", "width_reductions"]

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
    remaining = np.maximum(after.variance[columns], 0.0)
    moved = np.sqrt(np.maximum(state.variance[columns] - remaining, 0.0))
    half = NormalDist().inv_cdf(0.5 + prob / 2) * np.sqrt(remaining)
    centre = state.mean[columns] + moved * _NODES[:, None]
    ends = np.stack([centre - half, centre + half])
    scores = transform.to_score(ends, np.broadcast_to(columns, ends.shape))
    width = np.abs(scores[1] - scores[0])
    mean_width: Floats = _WEIGHTS @ width / _WEIGHTS.sum()
    return float(mean_width @ about.weights / about.weights.sum())


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
    """(C,) width reduction of each candidate on its own."""
    return np.array([width_reductions(state, [i], transform, about, prob)[0] for i in candidates])
