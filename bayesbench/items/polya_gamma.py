"""Exact draws of Polya-Gamma variables, many at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError

__all__ = ["draw_polya_gamma"]

Array = NDArray[Any]
CUT = 0.64
"""Where the two series of the density meet, as in the paper."""


def draw_polya_gamma(trials: Array, tilt: Array, rng: np.random.Generator) -> Array:
    """Draw ``PG(n, z)`` for every cell: the sum of n draws of ``PG(1, z)``.

    Devroye's rejection sampler from an exponential to the right of 0.64 and an inverse Gaussian to
    its left, accepted by the alternating series of the density (Polson, Scott & Windle 2013,
    section 4, arXiv:1205.0310); exact, no draw is truncated.

    Parameters
    ----------
    trials : array of whole numbers from 0 on
        ``n``; 0 gives 0.
    tilt : array of the same shape
        ``z``.
    rng : numpy.random.Generator

    Returns
    -------
    array of the shape of `tilt`

    Raises
    ------
    UsageError
        ``n`` is not whole or negative.

    Examples
    --------
    >>> import numpy as np
    >>> draws = draw_polya_gamma(np.ones(4000), np.full(4000, 2.0), np.random.default_rng(0))
    >>> abs(draws.mean() - np.tanh(1) / 4) < 0.01
    np.True_
    """
    counts = np.asarray(trials).ravel()
    if (counts < 0).any() or (counts != np.floor(counts)).any():
        raise UsageError("numbers of trials must be whole and 0 or more")
    owner = np.repeat(np.arange(counts.size), counts.astype(np.int64))
    single = _draw_single(np.abs(np.asarray(tilt, dtype=np.float64)).ravel()[owner] / 2, rng)
    total = np.bincount(owner, weights=single, minlength=counts.size)
    return np.asarray(total.reshape(np.shape(tilt)))


def _draw_single(half: Array, rng: np.random.Generator) -> Array:
    """``PG(1, 2 half)``: a quarter of the Jacobi variable ``J*(1, half)``."""
    out = np.empty_like(half)
    open_ = np.arange(half.size)
    right = _share_right(half)
    while open_.size:
        z = half[open_]
        tail = rng.random(open_.size) < right[open_]
        proposed = np.empty(open_.size)
        rate = np.pi**2 / 8 + z[tail] ** 2 / 2
        proposed[tail] = CUT + rng.exponential(size=int(tail.sum())) / rate
        proposed[~tail] = _left_of_cut(z[~tail], rng)
        good = _accepted(proposed, rng)
        out[open_[good]] = proposed[good]
        open_ = open_[~good]
    return out / 4


def _share_right(z: Array) -> Array:
    """Share of the proposals to the right of the cut."""
    from scipy.special import log_ndtr

    rate = np.pi**2 / 8 + z**2 / 2
    log_right = np.log(np.pi / 2) - np.log(rate) - rate * CUT
    root = np.sqrt(1 / CUT)
    # the inverse Gaussian's distribution at the cut, times 2 exp(-z)
    one = log_ndtr(root * (CUT * z - 1)) - z
    two = log_ndtr(-root * (CUT * z + 1)) + z
    log_left = np.log(2) + np.logaddexp(one, two)
    return np.asarray(1 / (1 + np.exp(log_left - log_right)))


def _left_of_cut(z: Array, rng: np.random.Generator) -> Array:
    """Inverse Gaussian of mean 1 / z and shape 1, below the cut."""
    out = np.empty_like(z)
    far = z < 1 / CUT  # a mean beyond the cut: from a chi-squared variable cut off
    open_ = np.arange(z.size)
    while open_.size:
        mine = far[open_]
        drawn, good = np.empty(open_.size), np.empty(open_.size, dtype=bool)
        one, two = rng.exponential(size=(2, int(mine.sum())))
        drawn[mine] = CUT / (1 + CUT * one) ** 2
        kept = rng.random(one.size) <= np.exp(-0.5 * z[open_[mine]] ** 2 * drawn[mine])
        good[mine] = (one**2 <= 2 * two / CUT) & kept
        drawn[~mine] = rng.wald(1 / z[open_[~mine]], 1.0)
        good[~mine] = drawn[~mine] < CUT
        out[open_[good]] = drawn[good]
        open_ = open_[~good]
    return out


def _accepted(x: Array, rng: np.random.Generator) -> Array:
    """Whether a uniform height under the proposal is under the density's alternating series."""
    total = _term(0, x)
    height = rng.random(x.size) * total
    accepted = np.zeros(x.size, dtype=bool)
    open_, n = np.arange(x.size), 0
    while open_.size:
        n += 1
        sign = -1 if n % 2 else 1
        total[open_] += sign * _term(n, x[open_])
        below = height[open_] <= total[open_]
        if n % 2:
            accepted[open_[below]] = True
            open_ = open_[~below]
        else:
            open_ = open_[below]
    return accepted


def _term(n: int, x: Array) -> Array:
    k = n + 0.5
    small = np.minimum(x, CUT)
    left = (2 / (np.pi * small)) ** 1.5 * np.exp(-2 * k**2 / small)
    right = np.exp(-0.5 * k**2 * np.pi**2 * x)
    return np.asarray(np.pi * k * np.where(x <= CUT, left, right))
