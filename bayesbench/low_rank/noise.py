"""Reading noise: the one place where its density, sampling, quantiles and entropy are written.

A reading is ``z = eta + scale * e``, e Student-t with `nu` degrees of freedom; `nu` infinite is the
normal law. Where the variance of the reading's own error is known, v, the squared scale is that of
the noise plus v. The density is written for numpy and jax arrays alike: what differs between them
comes in as `Maths`. Nothing here imports jax or scipy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "NUMPY",
    "Maths",
    "entropy_power",
    "log_constant",
    "log_density",
    "log_kernel",
    "log_tail",
    "log_weights_of_nu",
    "quantile",
    "sample",
    "stratified_points",
    "upper_tail",
]

Array = Any  # numpy or jax array
Floats = NDArray[np.float64]

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
NEARLY_NORMAL = 1e5
"""Degrees of freedom from which on the entropy is taken to be the normal one."""
LOG_2PIE = math.log(2 * math.pi * math.e)
LOG_PI = math.log(math.pi)


def _unit_legendre(n: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights for the integral over 0 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1.0) / 2.0, weights / 2.0


TAIL_NODES, TAIL_WEIGHTS = _unit_legendre(32)


class Maths(NamedTuple):
    """Functions of an array library that have no operator.

    Attributes
    ----------
    log, log1p, gammaln, exp, sin : callable
    arctan2 : callable
        Angle of the point with the ordinate given first.
    where : callable
        Condition, then the value where it holds, then the other.
    """

    log: Callable[[Array], Array]
    log1p: Callable[[Array], Array]
    gammaln: Callable[[Array], Array]
    exp: Callable[[Array], Array]
    sin: Callable[[Array], Array]
    arctan2: Callable[[Array, Array], Array]
    where: Callable[[Array, Array, Array], Array]


def _gammaln(x: ArrayLike) -> Floats:
    given = np.asarray(x, dtype=np.float64)
    values, place = np.unique(given, return_inverse=True)
    return np.asarray(np.array([math.lgamma(v) for v in values])[place].reshape(given.shape))


NUMPY = Maths(np.log, np.log1p, _gammaln, np.exp, np.sin, np.arctan2, np.where)
"""For numpy; scipy alone would take as long to import as everything else."""


def log_constant(nu: Array, maths: Maths = NUMPY) -> Array:
    """Log of the standard Student-t density at 0, ``nu`` finite."""
    return maths.gammaln((nu + 1) / 2) - maths.gammaln(nu / 2) - 0.5 * maths.log(nu * math.pi)


def log_kernel(squares: Array, nu: Array, maths: Maths = NUMPY) -> Array:
    """Log of the standard Student-t density relative to its value at 0, given squared noise."""
    return -0.5 * (nu + 1.0) * maths.log1p(squares / nu)


def log_tail(distance: Array, nu: Array, maths: Maths = NUMPY) -> Array:
    r"""Log probability that standard Student-t noise is at least `distance`, ``nu`` finite.

    With :math:`e = \sqrt\nu \cot\varphi` and
    :math:`K = \Gamma(\frac{\nu+1}{2}) / (\sqrt\pi\,\Gamma(\frac\nu2))`,

    .. math:: P(e \ge x) = K \int_0^{\varphi(x)} \sin^{\nu-1}\varphi \, d\varphi,
        \quad \varphi(x) = \operatorname{arccot}(x / \sqrt\nu),

    by Gauss-Legendre with the integrand relative to its value at the upper end, so that it holds
    however far in the tail: exact but for rounding for whole `nu` up to 100, a relative error of
    the probability below 2e-5 for others. Below the median, one minus the other tail.

    Parameters
    ----------
    distance, nu : array
        Broadcast against each other; `nu` at least 1.
    maths : Maths

    Examples
    --------
    >>> float(np.round(np.exp(log_tail(np.array(2.015), np.array(5.0))), 4))
    0.05
    """
    size = abs(distance)
    angle = maths.arctan2(nu**0.5 + 0.0 * size, size + 0.0 * nu)
    end = maths.sin(angle)
    inner = maths.sin(angle[..., None] * TAIL_NODES) / end[..., None]
    area = (inner ** (nu - 1.0 + 0.0 * size)[..., None] * TAIL_WEIGHTS).sum(-1)
    constant = maths.gammaln((nu + 1.0) / 2.0) - maths.gammaln(nu / 2.0) - 0.5 * LOG_PI
    far = constant + maths.log(angle) + (nu - 1.0) * maths.log(end) + maths.log(area)
    return maths.where(distance >= 0, far, maths.log1p(-maths.exp(far)))


def log_weights_of_nu(
    squares: Array, nu: Array, maths: Maths, present: Array | None = None
) -> Array:
    """Log likelihood of squared standardised residuals at every value of a grid of `nu`.

    ``sum_n log StudentT(e_n | nu)``, up to the scales: with a uniform prior on the grid the
    unnormalised log posterior of `nu` given everything else.

    Parameters
    ----------
    squares : (n,) array
        Squares of ``(z - eta) / scale``.
    nu : (V,) array
    maths : Maths
    present : (n,) array, optional
        1 for a reading, 0 for padding.

    Returns
    -------
    (V,) array
    """
    tails = maths.log1p(squares / nu[:, None])
    count: Any = squares.size
    if present is not None:
        tails, count = present * tails, present.sum()
    return count * log_constant(nu, maths) - (nu + 1) / 2 * tails.sum(-1)


def log_density(residual: ArrayLike, scale: ArrayLike, nu: ArrayLike) -> Floats:
    """Log density of noise at `residual`; normal where `nu` is infinite; arrays broadcast.

    Examples
    --------
    >>> float(np.round(log_density(0.0, 1.0, np.inf), 4))
    -0.9189
    """
    given = np.asarray(nu, dtype=np.float64)
    normal = np.isinf(given)
    squares = np.square(np.asarray(residual) / scale)
    gauss = -0.5 * (math.log(2 * math.pi) + squares)
    if normal.all():
        return np.asarray(gauss - np.log(scale))
    df = np.where(normal, 1.0, given)
    student = log_constant(df) + log_kernel(squares, df)
    return np.asarray(np.where(normal, gauss, student) - np.log(scale))


def sample(nu: ArrayLike, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Standard noise of `shape`; `nu` broadcasts against it, infinite for normal noise."""
    given = np.broadcast_to(np.asarray(nu, dtype=np.float64), shape)
    noise = rng.standard_normal(shape)
    finite = np.isfinite(given)
    noise[finite] /= np.sqrt(rng.chisquare(given[finite]) / given[finite])
    return noise


@lru_cache(maxsize=64)
def _tail(nu: float) -> tuple[Floats, Floats]:
    """Log tail probability and asinh of the Student-t variate, on a fine grid from the median."""
    u = np.linspace(0.0, np.arcsinh(1e7 if nu < 30 else 60.0), 4001)
    x = np.sinh(u)
    if math.isinf(nu):
        log_shape = -0.5 * x**2
    else:
        log_shape = log_kernel(x**2, nu)
    density = np.exp(log_shape) * np.cosh(u)
    # Simpson's rule on every interval needs its middle: quadratic through three neighbours
    piece = 0.5 * (density[:-1] + density[1:])
    bend = np.gradient(np.gradient(density))
    piece -= (bend[:-1] + bend[1:]) / 24.0
    tail = np.cumsum(np.maximum(piece, 0.0)[::-1])[::-1]
    keep = tail > tail[0] * 1e-14
    return np.log(0.5 * tail[keep] / tail[0]), u[:-1][keep]


def quantile(level: ArrayLike, nu: float) -> Floats:
    """Quantile of the standard Student-t distribution; the normal for infinite `nu`.

    By numerical integration of the density, to about six digits for levels within 1e-9 of the ends.

    Parameters
    ----------
    level : array
        Probabilities strictly between 0 and 1.
    nu : float
        Degrees of freedom, at least 1.

    Examples
    --------
    >>> float(np.round(quantile(0.975, np.inf), 3))
    1.96
    """
    p = np.asarray(level, dtype=np.float64)
    log_tail, u = _tail(float(nu))
    log_p = np.log(np.minimum(p, 1.0 - p))
    size = np.sinh(np.interp(-log_p, -log_tail, u))
    return np.asarray(np.where(p < 0.5, -size, size))


def upper_tail(value: ArrayLike, nu: ArrayLike) -> Floats:
    """Probability that standard noise lies above `value`; arrays broadcast.

    The inverse of `quantile`, as exact; below 1e-14 it stays there.

    Parameters
    ----------
    value : array
    nu : array
        Degrees of freedom, at least 1; infinite for normal noise.

    Examples
    --------
    >>> np.round(upper_tail([-1.96, 0.0, 1.96], np.inf), 3)
    array([0.975, 0.5  , 0.025])
    """
    given, df = np.broadcast_arrays(np.asarray(value, np.float64), np.asarray(nu, np.float64))
    size, out = np.arcsinh(np.abs(given)), np.empty(given.shape)
    for one in np.unique(df):
        log_tail, u = _tail(float(one))
        chosen = df == one
        out[chosen] = np.exp(np.interp(size[chosen], u, log_tail))
    return np.where(given < 0, 1.0 - out, out)


def stratified_points(nu: Floats, n_levels: int) -> NDArray[np.float32]:
    """Standard noise of every draw at `n_levels` stratified levels, (S, R).

    Draw s takes one level in each of R equal strata, all moved by the same golden-ratio offset:
    over the draws the offsets fill the strata evenly, so that together the points reach the tails.
    Draws are taken in order of `nu`, so that this holds among those with heavy tails too.
    """
    turn = np.empty(nu.size)
    turn[np.argsort(nu, kind="stable")] = np.arange(nu.size)
    offset = np.modf((turn + 0.5) * GOLDEN)[0]
    offset = np.clip(offset, 1e-6, 1 - 1e-6)
    level = (np.arange(n_levels) + offset[:, None]) / n_levels
    points = np.empty(level.shape, dtype=np.float32)
    for value in np.unique(nu):
        chosen = nu == value
        points[chosen] = quantile(level[chosen], float(value))
    return points


def entropy_power(nu: ArrayLike) -> Floats:
    r"""Entropy power of a standard Student-t: the normal variance that carries its entropy.

    .. math:: N(\nu) = \exp(2 h(t_\nu)) / (2 \pi e)

    The variance of a Student-t is infinite at ``nu <= 2`` and far too pessimistic just above
    it; the entropy power is finite, smooth in ``nu`` and 1 in the normal limit, and the Gaussian
    information computed with it stays within about 0.02 nats of nested Monte Carlo with the real
    Student-t noise for ``nu`` from 2 up. (Its 90 % width agrees with the Student-t's to 4 %.)

    Parameters
    ----------
    nu : array-like
        Degrees of freedom, positive; ``inf`` is the normal.

    Returns
    -------
    array of the same shape

    Examples
    --------
    >>> float(entropy_power(np.inf))
    1.0
    """
    given = np.asarray(nu, dtype=np.float64)
    values, inverse = np.unique(given, return_inverse=True)
    factors = np.array([_entropy_power(float(value)) for value in values])
    return np.asarray(factors[inverse].reshape(given.shape))


def _entropy_power(nu: float) -> float:
    if nu >= NEARLY_NORMAL:
        return 1.0
    half = nu / 2
    log_beta = math.lgamma(half) + math.lgamma(0.5) - math.lgamma(half + 0.5)
    entropy = (nu + 1) / 2 * (_digamma(half + 0.5) - _digamma(half)) + 0.5 * math.log(nu) + log_beta
    return math.exp(2 * entropy - LOG_2PIE)


def _digamma(x: float) -> float:
    """Recurrence up to 10, then the asymptotic series (error below 1e-12)."""
    shift = 0.0
    while x < 10:
        shift -= 1 / x
        x += 1
    inverse = 1 / (x * x)
    series = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse / 240)))
    return shift + math.log(x) - 0.5 / x - series
