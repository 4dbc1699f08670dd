"""One model against fixed benchmarks: Gibbs sweeps over its own unknowns, and its evidence.

Plain arrays with the S draws of a posterior side by side; n scores, L latents. For every draw

    y_j = w_j . t + u_j + b_j + d s_j e_j,   t ~ N(mean, cov),   d^2 ~ InvGamma(h, h),
    u_j ~ N(0, r s_j^2),   b_j ~ N(0, v_j),

with u the effects of a group the posterior does not know (r = 0 for a known one) and v_j the known
error variance of a score. Of a score at an end of its scale only "y_j or beyond" is known. The
noise e_j is a scale mixture of normals, one of

    Student-t of nu degrees of freedom, as in the fit: a far score loses its influence,
    hyperbolic, log p(e) = -a sqrt(c^2 + e^2) + const: a far score keeps it (Barndorff-Nielsen
    1977, doi:10.1098/rspa.1977.0041).

With ``a = (nu + 1) / (2 sqrt nu)`` and ``c = sqrt(nu) / 2`` both have the same curvature at 0 and
the same largest influence of a score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..low_rank.noise import log_constant, log_kernel
from ..numerics import log_sum_exp
from .normals import lower_root, solve_lower, solve_upper
from .tails import draw_beyond, inverse_mills, log_tail

__all__ = ["ModelState", "ScoredModel", "log_evidence", "start", "stratified", "sweep"]

Floats = NDArray[Any]

VARIANCE_POINTS = 9
"""Points of the sum over the model's noise variance in the evidence."""
LOG_MIXING = np.arange(-3.6, 7.9, 0.6)
"""Grid of the log mixing variance of Student-t noise, in the evidence of scores with more."""
WIDE_NOISE = 9.0
"""Factor on the noise variance in the wide proposal of the evidence."""
LOG_ROUNDING = math.log(1e-20)
"""A term this far below another one of its sum does not change it."""
LEAST_CUT = 1e-3
"""Least share of the variance that a bound leaves, or takes away, in a proposal."""


@dataclass(frozen=True, eq=False)
class ScoredModel:
    """What is given: scores and fixed parameters, per draw.

    Attributes
    ----------
    y : (S, n) array
        Scores on the latent scale, less benchmark bias and known group effects.
    loadings : (S, n, L) array
    mean, cov : (S, L), (S, L, L) array
        Prior of the latents.
    noise_var : (S, n) array
        Squared noise scale of the benchmarks, s_j^2.
    effect_ratio : (S,) array
        Variance of an unknown group's effects relative to `noise_var`; 0 for a known group.
    nu : (S,) array
        Degrees of freedom of the Student-t; infinite for normal noise.
    noise_shape : float, optional
        Shape h of the model's noise variance; None leaves it where the state has it, 1 at first.
    error_var : (S, n) array
        Known error variance v_j of the scores.
    beyond : tuple of int
        +1 where a score is only known to be at least `y`, -1 at most, else 0.
    hyperbolic : bool
        Hyperbolic noise in the place of Student-t.
    known_precision : (S, L, L) array, optional
        Inverse of `cov`, where it is known already.
    """

    y: Floats
    loadings: Floats
    mean: Floats
    cov: Floats
    noise_var: Floats
    effect_ratio: Floats
    nu: Floats
    noise_shape: float | None
    error_var: Floats
    beyond: tuple[int, ...]
    hyperbolic: bool = False
    known_precision: Floats | None = None

    @cached_property
    def precision(self) -> Floats:
        """Inverse of `cov`, (S, L, L)."""
        if self.known_precision is not None:
            return self.known_precision
        return np.asarray(np.linalg.inv(self.cov))

    @cached_property
    def precision_root(self) -> Floats:
        """Lower Cholesky factor of `precision`, (L, L, S)."""
        return lower_root(self.precision)

    @cached_property
    def prior_pull(self) -> Floats:
        """Prior precision times prior mean, (S, L)."""
        return np.asarray((self.precision @ self.mean[..., None])[..., 0])

    @cached_property
    def effect_var(self) -> Floats:
        """Variance of the unknown group's effects, (S, n)."""
        return self.effect_ratio[:, None] * self.noise_var

    @cached_property
    def blur_var(self) -> Floats:
        """Variance of what is normal beside the noise: effects and known errors, (S, n)."""
        return np.asarray(self.effect_var + self.error_var)

    @property
    def has_effects(self) -> bool:
        """Whether some draw leaves room for an unknown group's effects."""
        return bool(self.effect_ratio.any())

    @property
    def mixes(self) -> bool:
        """Whether the noise is a mixture, not normal."""
        return bool(np.isfinite(self.nu).all())

    @cached_property
    def log_student_constant(self) -> Floats:
        """Log of the Student-t density's constant at unit scale, (S,)."""
        return np.asarray(log_constant(self.nu))

    @cached_property
    def steepness(self) -> Floats:
        """Parameter a of the hyperbolic law: the largest influence of a score, (S, 1)."""
        return np.asarray((self.nu + 1.0) / (2.0 * np.sqrt(self.nu)))[:, None]

    @cached_property
    def bend(self) -> Floats:
        """Parameter c of the hyperbolic law: where its density turns exponential, (S, 1)."""
        return np.asarray(np.sqrt(self.nu) / 2.0)[:, None]

    def plausible(self, farthest: float) -> ScoredModel:
        """The same with every score held within its prior prediction.

        Within so many standard deviations of its mean, both over all draws together. A bound stays
        one where it lies.
        """
        off, sd = self._prior_prediction
        reach = farthest * sd
        return replace(self, y=self.y + np.clip(off, -reach, reach) - off)

    @property
    def strangeness(self) -> float:
        """How far the farthest score lies from its prior prediction, in standard deviations."""
        off, sd = self._prior_prediction
        side = np.asarray(self.beyond)
        held = (side != 0) & (side * off < 0)  # a bound that the prediction keeps
        return float(np.where(held, 0.0, np.abs(off) / sd).max(initial=0.0))

    @cached_property
    def _prior_prediction(self) -> tuple[Floats, Floats]:
        """Scores less their prior predictions, and the sds of these, over all draws; (n,) each."""
        center = (self.loadings @ self.mean[..., None])[..., 0]
        spread = np.einsum("snl,slm,snm->sn", self.loadings, self.cov, self.loadings)
        variance = (spread + self.noise_var + self.blur_var).mean(axis=0)
        off = self.y - center
        return off.mean(axis=0), np.sqrt(variance + off.var(axis=0))

    def at_draws(self, index: NDArray[np.int64]) -> ScoredModel:
        """Keep some draws, repeated where `index` repeats them."""
        return replace(self, **_indexed(self, index))


@dataclass(frozen=True, eq=False)
class LatentNormal:
    """Normal law of the latents for scores of some variance, per draw; the draws stand last.

    Attributes
    ----------
    lower : (L, L, S) array
        Lower Cholesky factor R of the precision.
    half : (L, S) array
        ``R' m`` for the mean m.
    variance : (S, n) array
        Variance of the scores; infinite for the prior.
    """

    lower: Floats
    half: Floats
    variance: Floats

    @cached_property
    def center(self) -> Floats:
        """Mean, (S, L)."""
        return solve_upper(self.lower, self.half).T

    def draw(self, shock: Floats) -> Floats:
        """Standard normal variates (S, L) brought to this law."""
        return solve_upper(self.lower, self.half + shock.T).T

    def at_draws(self, index: NDArray[np.int64]) -> LatentNormal:
        """Keep some draws, repeated where `index` repeats them."""
        return LatentNormal(self.lower[..., index], self.half[:, index], self.variance[index])


@dataclass(frozen=True, eq=False)
class ModelState:
    """Unknowns of the model, one draw of them per posterior draw.

    Attributes
    ----------
    latents : (S, L) array
    effects : (S, n) array
        Unknown group effects u of the scored benchmarks.
    mixing : (S, n) array
        Mixing weights o of the noise: given o it is normal with variance ``d^2 s_j^2 / o_j``.
    variance : (S,) array
        Noise variance d^2 of the model.
    scores : (S, n) array
        Scores, drawn where they are bounds.
    normal : LatentNormal
        Law of the latents given the rest. Without scores that are bounds it is the one `latents`
        were drawn from; with them, one with the moments that the bounds leave.
    """

    latents: Floats
    effects: Floats
    mixing: Floats
    variance: Floats
    scores: Floats
    normal: LatentNormal

    @property
    def center(self) -> Floats:
        """Mean of `normal`, (S, L)."""
        return self.normal.center

    @property
    def root(self) -> Floats:
        """Lower Cholesky factor of the precision of `normal`, (S, L, L)."""
        return np.moveaxis(self.normal.lower, -1, 0)

    def at_draws(self, index: NDArray[np.int64]) -> ModelState:
        """Keep some draws, repeated where `index` repeats them."""
        return replace(self, **_indexed(self, index), normal=self.normal.at_draws(index))


def _indexed(value: Any, index: NDArray[np.int64]) -> dict[str, Any]:
    parts = {item.name: getattr(value, item.name) for item in fields(value)}
    return {name: p[index] for name, p in parts.items() if isinstance(p, np.ndarray)}


def start(model: ScoredModel, rng: np.random.Generator) -> ModelState:
    """Starting state: latents and noise variance from their priors, all mixing weights 1.

    Without scores this is a draw from the prior; latents are stratified over the draws: a few
    hundred at random would leave the intervals a few per cent too wide or too narrow.
    """
    n_draws, n_scores = model.y.shape
    variance: Floats = np.ones(n_draws)
    if model.noise_shape is not None:
        variance = np.asarray(model.noise_shape / rng.standard_gamma(model.noise_shape, n_draws))
    half = np.einsum("ijs,si->js", model.precision_root, model.mean)
    prior = LatentNormal(model.precision_root, half, np.full(model.y.shape, np.inf))
    latents = prior.draw(stratified(n_draws, model.mean.shape[1], rng))
    return ModelState(
        latents,
        np.zeros((n_draws, n_scores)),
        np.ones((n_draws, n_scores)),
        variance,
        model.y,
        prior,
    )


def stratified(n_draws: int, n: int, rng: np.random.Generator) -> Floats:
    """Standard normal variates (S, n), each column a permutation of midpoint quantiles.

    They add no error to the moments of one column over the draws.
    """
    return rng.permuted(np.broadcast_to(_normal_midpoints(n_draws)[:, None], (n_draws, n)), axis=0)


@lru_cache(maxsize=8)
def _normal_midpoints(n: int) -> Floats:
    normal = NormalDist()
    return np.asarray([normal.inv_cdf((i + 0.5) / n) for i in range(n)])


def sweep(model: ScoredModel, state: ModelState, rng: np.random.Generator) -> ModelState:
    """One Gibbs sweep over (scores known as bounds, latents, effects, errors) and mixing weights.

    What a bound hides is drawn with the latents integrated out, the latents with effects and errors
    integrated out, then these given the latents: together an exact joint draw. Every draw of the
    posterior is its own chain. How many random numbers are used depends on the shapes alone: the
    same seed gives answers that move smoothly with the scores.
    """
    noise_var = model.noise_var * state.variance[:, None] / state.mixing
    total_var = noise_var + model.blur_var
    bounded = _behind_bounds(model, state, total_var, rng)
    normal = _latent_normal(model, total_var, bounded.y)
    latents = normal.draw(rng.standard_normal(model.mean.shape))
    if any(model.beyond):
        normal = _latent_normal(model, bounded.stand_in_var, bounded.stand_in)
    residual = bounded.y - (model.loadings @ latents[..., None])[..., 0]
    blur, effects = _part(residual, model.blur_var, noise_var, rng), state.effects
    if model.has_effects:
        effects = _part(blur, model.effect_var, model.error_var, rng)
    squared = (residual - blur) ** 2 / model.noise_var
    variance, mixing = state.variance, state.mixing
    if model.noise_shape is not None:
        rate = model.noise_shape + 0.5 * (mixing * squared).sum(axis=1)
        shape = model.noise_shape + 0.5 * model.y.shape[1]
        variance = rate / rng.standard_gamma(shape, rate.shape)
    if model.mixes:
        mixing = _mixing(model, squared / variance[:, None], rng)
    return ModelState(latents, effects, mixing, variance, bounded.y, normal)


def _mixing(model: ScoredModel, squared: Floats, rng: np.random.Generator) -> Floats:
    """Draw of the mixing weights given squared noise in units of its scale.

    Gamma for Student-t noise; for the hyperbolic inverse Gaussian with mean
    ``a / sqrt(c^2 + e^2)`` and shape ``a^2``, from a fixed number of variates.
    """
    if model.hyperbolic:
        return rng.wald(model.steepness / np.sqrt(model.bend**2 + squared), model.steepness**2)
    nu = model.nu[:, None]
    gamma = rng.standard_gamma(np.broadcast_to(0.5 * (nu + 1.0), squared.shape))
    return np.asarray(np.maximum(gamma, 1e-12) / (0.5 * (nu + squared)))


def _part(total: Floats, variance: Floats, rest: Floats, rng: np.random.Generator) -> Floats:
    """Draw of one normal part of a sum of two, given the sum; parts of no variance are 0."""
    share = variance / np.maximum(variance + rest, np.finfo(np.float64).tiny)
    return np.asarray(share * total + np.sqrt(share * rest) * rng.standard_normal(total.shape))


@dataclass(frozen=True, eq=False)
class _Bounded:
    """Scores with what bounds hide filled in.

    Attributes
    ----------
    y : (S, n) array
        Drawn where the score is a bound.
    stand_in, stand_in_var : (S, n) array
        Score and error variance that would leave the moments which the bound leaves.
    """

    y: Floats
    stand_in: Floats
    stand_in_var: Floats


def _behind_bounds(
    model: ScoredModel, state: ModelState, total_var: Floats, rng: np.random.Generator
) -> _Bounded:
    """Draw the scores known as bounds, one after another, the latents integrated out.

    Given the others, the score of benchmark j is ``y_j - q_j / P_j`` with variance ``1 / P_j``, P
    the precision of the scores and q_j what the latents' mean leaves of y_j over its variance.
    """
    if not any(model.beyond):
        return _Bounded(model.y, model.y, total_var)
    y = np.where(np.asarray(model.beyond) != 0, state.scores, model.y)
    stand_in, stand_in_var = y.copy(), total_var.copy()
    normal = _latent_normal(model, total_var, y)
    columns = [j for j, side in enumerate(model.beyond) if side]
    center = normal.center
    spread = [
        solve_upper(normal.lower, solve_lower(normal.lower, model.loadings[:, j].T)).T
        for j in columns
    ]
    for at, j in enumerate(columns):
        side, var, w = model.beyond[j], total_var[:, j], model.loadings[:, j]
        leverage = np.clip((w * spread[at]).sum(axis=-1) / var, 0.0, 1.0 - 1e-9)
        own_var = var / (1.0 - leverage)
        mean = y[:, j] - (y[:, j] - (w * center).sum(axis=-1)) / (1.0 - leverage)
        sd = np.sqrt(own_var)
        edge = side * (model.y[:, j] - mean) / sd
        drawn = mean + side * sd * draw_beyond(edge, 1.0 - rng.random(edge.shape))
        lift = inverse_mills(edge)
        left = np.clip(1.0 + edge * lift - lift**2, LEAST_CUT, 1.0 - LEAST_CUT)
        stand_in[:, j] = mean + side * sd * lift / (1.0 - left)
        stand_in_var[:, j] = np.maximum(own_var / (1.0 - left) - own_var * leverage, 1e-9)
        center = center + spread[at] * ((drawn - y[:, j]) / var)[:, None]
        y[:, j] = drawn
    return _Bounded(y, stand_in, stand_in_var)


def _latent_normal(model: ScoredModel, variance: Floats, y: Floats) -> LatentNormal:
    """Law of the latents for scores of that variance."""
    scaled = (model.loadings / variance[..., None]).transpose(0, 2, 1)
    lower = lower_root(model.precision + scaled @ model.loadings)
    pull = model.prior_pull + (scaled @ y[..., None])[..., 0]
    return LatentNormal(lower, solve_lower(lower, pull.T), variance)


def log_evidence(model: ScoredModel, states: list[ModelState], rng: np.random.Generator) -> Floats:
    """Log evidence of the scores for every draw, ``log p(y | benchmark side)``, (S,).

    Of Student-t or normal noise, the laws of the fit.

    Importance sampling over the latents: one fresh draw from the Gaussian of each state, weighed
    as a draw of the mixture of them all (the states' own latents would not do: later Gaussians
    depend on them, which biases the estimate low). A Gaussian for wider noise joins the mixture,
    so that a mode no state has found cannot make one weight huge. The noise is integrated out
    exactly up to one-dimensional sums: the model's noise variance over a grid of its logarithm,
    effects and known errors over a grid of the mixing variance; a bound counts by its tail. With
    normal noise of known variance and no bounds one state gives the exact evidence.
    """
    proposals = [state.normal for state in states]
    if model.mixes or model.noise_shape is not None or any(model.beyond):
        wide = WIDE_NOISE * model.noise_var * states[-1].variance[:, None]
        proposals.append(_latent_normal(model, wide + model.blur_var, model.y))
    latents = np.stack([each.draw(rng.standard_normal(each.center.shape)) for each in proposals])
    explained = (model.loadings @ latents[..., None])[..., 0]
    log_ratio = _log_prior_over_mixture(model, proposals, latents, explained)
    log_ratio += _log_likelihood(model, model.y - explained)
    return np.asarray(log_sum_exp(log_ratio, axis=0) - math.log(len(proposals)))


def _log_prior_over_mixture(
    model: ScoredModel, proposals: list[LatentNormal], latents: Floats, explained: Floats
) -> Floats:
    """Log of the prior density over that of the mixture of proposals, (K, S).

    At `latents` (K, S, L), which explain (K, S, n) of the scores. A proposal's precision is the
    prior's and ``w w'`` over the variance of each score, so that its square form is a sum over the
    latents in the prior's own directions and over the scores.
    """
    root = np.moveaxis(model.precision_root, -1, 0)

    def turned(values: Floats) -> Floats:
        return np.asarray((values[..., None, :] @ root)[..., 0, :])

    log_det = _log_det(model.precision_root)
    at = turned(latents)
    log_prior = log_det - 0.5 * ((at - turned(model.mean)) ** 2).sum(axis=-1)
    density = np.empty((len(proposals), *log_prior.shape))
    for k, each in enumerate(proposals):
        own = (model.loadings @ each.center[..., None])[..., 0]
        square = ((at - turned(each.center)) ** 2).sum(axis=-1)
        square += ((explained - own) ** 2 / each.variance).sum(axis=-1)
        density[k] = _log_det(each.lower) - 0.5 * square
    return np.asarray(log_prior - log_sum_exp(density, axis=0) + math.log(len(proposals)))


def _log_det(lower: Floats) -> Floats:
    """Log of the product of the diagonals, (S,)."""
    return np.asarray(np.log(np.diagonal(lower)).sum(axis=-1))


def _variance_grid(shape: float | None) -> tuple[Floats, Floats]:
    """Noise variances d^2 and the log of their prior weights."""
    if shape is None:
        return np.ones(1), np.zeros(1)
    log_v = np.linspace(-3.5, 6.0, VARIANCE_POINTS) / math.sqrt(shape)
    log_weight = -shape * (log_v + np.exp(-log_v))
    return np.exp(log_v), log_weight - log_sum_exp(log_weight, axis=0)


def _log_likelihood(model: ScoredModel, residual: Floats) -> Floats:
    """Log density of residuals (K, S, n) with all noise integrated out, (K, S)."""
    variance, log_weight = _variance_grid(model.noise_shape)
    mixed = (np.asarray(model.beyond) != 0) | model.blur_var.any(axis=0) | (not model.mixes)
    columns, rest = np.flatnonzero(mixed), np.flatnonzero(~mixed)
    total = np.empty((variance.size, *residual.shape[:2]))
    for at, v in enumerate(variance):
        total[at] = log_weight[at]
        if rest.size:
            noise_var = v * model.noise_var[:, rest]
            total[at] += _log_student(model, residual[..., rest], noise_var).sum(axis=-1)
        if columns.size:
            mixture = _log_mixture(model, residual[..., columns], float(v), columns)
            total[at] += mixture.sum(axis=-1)
    return np.asarray(log_sum_exp(total, axis=0))


def _log_student(model: ScoredModel, residual: Floats, noise_var: Floats) -> Floats:
    """Log density of Student-t noise alone."""
    constant = model.log_student_constant[:, None] - 0.5 * np.log(noise_var)
    return np.asarray(constant + log_kernel(residual**2 / noise_var, model.nu[:, None]))


def _log_mixture(
    model: ScoredModel, residual: Floats, variance: float, columns: NDArray[np.int64]
) -> Floats:
    """Log density, or log tail, of noise with normal parts beside it: a mixture of normals."""
    sides = np.asarray(model.beyond, dtype=np.int64)[columns]
    out = np.empty(residual.shape)
    inner, ends = np.flatnonzero(sides == 0), np.flatnonzero(sides)
    if inner.size:
        density = _mixture_density(model, residual[..., inner], variance, columns[inner])
        if density is None:
            ends = np.arange(columns.size)
        else:
            out[..., inner] = density
    if ends.size:
        out[..., ends] = _log_mixture_terms(
            model, residual[..., ends], variance, columns[ends], sides[ends]
        )
    return out


def _mixture_density(
    model: ScoredModel, residual: Floats, variance: float, columns: NDArray[np.int64]
) -> Floats | None:
    """Log density of the mixture with one logarithm; None where that would be lost in underflow.

    The widest normal's exponent is taken out, against which every other one falls.
    """
    grid, log_weight = _mixing_grid(model)
    needed = _needed(log_weight)
    noise_var, blur = variance * model.noise_var[:, columns], model.blur_var[:, columns]
    total = grid[needed, None, None] * noise_var + blur
    factor = (np.exp(log_weight[needed])[..., None] / np.sqrt(total)).reshape(len(needed), -1)
    steep = -0.5 / total.reshape(len(needed), -1)
    squared = residual.reshape(len(residual), -1) ** 2
    density = np.broadcast_to(factor[-1], squared.shape).copy()
    term = np.empty(squared.shape)
    for w in range(len(steep) - 1):
        np.multiply(squared, steep[w] - steep[-1], out=term)
        np.exp(term, out=term)
        term *= factor[w]
        density += term
    if not (density > 0).all():
        return None
    log_density = np.log(density) + squared * steep[-1] - 0.5 * math.log(2 * math.pi)
    return np.asarray(log_density.reshape(residual.shape))


def _needed(log_weight: Floats) -> NDArray[np.int64]:
    """Points of the mixing grid (W, S) whose normals are not below rounding wherever they lie.

    A narrower normal falls faster, so it is never larger against a wider one than at 0.
    """
    height = log_weight - 0.5 * LOG_MIXING[: len(log_weight), None]
    wider = np.maximum.accumulate(height[::-1], axis=0)[::-1]
    return np.flatnonzero((height - wider > LOG_ROUNDING).any(axis=1))


def _log_mixture_terms(
    model: ScoredModel,
    residual: Floats,
    variance: float,
    columns: NDArray[np.int64],
    sides: NDArray[np.int64],
) -> Floats:
    """The same by a sum of exponentials of logarithms, with the tail where a score is a bound."""
    noise_var = variance * model.noise_var[:, columns]
    parts = []
    for w, log_weight in zip(*_mixing_grid(model), strict=True):
        sd = np.sqrt(w * noise_var + model.blur_var[:, columns])
        standard = residual / sd
        value = -0.5 * (standard**2 + math.log(2 * math.pi)) - np.log(sd)
        for side in (-1, 1):
            at = np.flatnonzero(sides == side)
            if at.size:
                value[..., at] = log_tail(side * standard[..., at])
        parts.append(value + log_weight[:, None])
    return np.asarray(log_sum_exp(np.stack(parts), axis=0))


def _mixing_grid(model: ScoredModel) -> tuple[Floats, Floats]:
    """Mixing variances (W,) of Student-t noise and the log of their weights (W, S)."""
    if not model.mixes:
        return np.ones(1), np.zeros((1, model.nu.size))
    w, half = np.exp(LOG_MIXING), 0.5 * model.nu
    log_weight = -half * (LOG_MIXING[:, None] + 1.0 / w[:, None])
    return w, log_weight - log_sum_exp(log_weight, axis=0)
