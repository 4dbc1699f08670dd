"""Tails of the normal law and draws from them, in numpy alone, steady however far out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["draw_beyond", "inverse_mills", "log_tail"]

Floats = NDArray[Any]

LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
_ERFC = (
    -1.26551223,
    1.00002368,
    0.37409196,
    0.09678418,
    -0.18628806,
    0.27886807,
    -1.13520398,
    1.48851587,
    -0.82215223,
    0.17087277,
)
_NUMERATOR, _DENOMINATOR = (
    (2.515517, 0.802853, 0.010328),
    (1.0, 1.432788, 0.189269, 0.001308),
)


def log_tail(x: ArrayLike) -> Floats:
    """Log of P(Z > x) for a standard normal Z, within 1.2e-7.

    A Chebyshev fit of the complementary error function whose relative error holds in all of the
    tail (Press et al., Numerical Recipes, 2nd ed. 1992, section 6.2, `erfcc`).

    Examples
    --------
    >>> float(np.round(log_tail(40.0), 3))
    -804.608
    """
    given = np.asarray(x, dtype=np.float64)
    size = np.abs(given) / math.sqrt(2.0)
    t = 1.0 / (1.0 + 0.5 * size)
    upper = np.log(0.5 * t) - size**2 + _polynomial(_ERFC, t)
    return np.where(given < 0, np.log1p(-np.exp(upper)), upper)


def _polynomial(coefficients: tuple[float, ...], x: Floats) -> Floats:
    value: Floats = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        value = value * x + c
    return value


def _quantile_of_tail(log_p: Floats) -> Floats:
    """The x with log P(Z > x) equal to `log_p`, for ``log_p <= log 1/2``.

    The rational start (Abramowitz & Stegun 26.2.23, error below 4.5e-4) is finished by two Newton
    steps on the log of the tail.
    """
    t = np.sqrt(-2.0 * log_p)
    x = t - _polynomial(_NUMERATOR, t) / _polynomial(_DENOMINATOR, t)
    for _ in range(2):
        x = x + (log_tail(x) - log_p) / inverse_mills(x)
    return x


def inverse_mills(x: ArrayLike) -> Floats:
    """Mean of a standard normal variate known to lie above `x`: density over tail."""
    given = np.asarray(x, dtype=np.float64)
    return np.asarray(np.exp(-0.5 * given**2 - LOG_ROOT_2PI - log_tail(given)))


def draw_beyond(edge: ArrayLike, uniform: ArrayLike) -> Floats:
    """Standard normal variates known to lie above `edge`, by the inverse of their law.

    Increasing in `edge` for the same `uniform`, so that answers move with what they are given.

    Parameters
    ----------
    edge : array
    uniform : array
        In (0, 1], broadcast against `edge`.

    Examples
    --------
    >>> draw_beyond([0.0, 8.0], 0.5).round(2)
    array([0.67, 8.08])
    """
    log_p = log_tail(edge) + np.log(uniform)
    upper = log_p <= -math.log(2.0)
    least = np.finfo(np.float64).tiny
    small = np.where(upper, log_p, np.log(np.maximum(-np.expm1(log_p), least)))
    x = _quantile_of_tail(np.minimum(small, -math.log(2.0)))
    return np.maximum(np.where(upper, x, -x), edge)
