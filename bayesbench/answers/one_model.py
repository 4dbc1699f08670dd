"""One model against fixed benchmarks: Gibbs sweeps over its own unknowns, and its evidence.

Plain arrays with the S draws of a posterior side by side; n scores, L latents. For every draw

    y_j = w_j . t + u_j + e_j,   t ~ N(mean, cov),   u_j ~ N(0, r s_j^2),
    e_j ~ N(0, s_j^2 d^2 / o_j),   o_j ~ Gamma(nu/2, nu/2),   d^2 ~ InvGamma(a, a)

with u the effects of a group the posterior does not know (r = 0 for a known one).
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

__all__ = ["ModelState", "ScoredModel", "log_evidence", "start", "stratified", "sweep"]

Floats = NDArray[Any]

VARIANCE_POINTS = 9
"""Points of the sum over the model's noise variance in the evidence."""
HERMITE_POINTS = 7
"""Points of the sum over each unknown group effect in the evidence (Student-t noise)."""
WIDE_NOISE = 9.0
"""Factor on the noise variance in the wide proposal of the evidence."""


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
        Degrees of freedom; infinite for normal noise.
    noise_shape : float, optional
        Shape a of the model's noise variance; None fixes it at 1.
    """

    y: Floats
    loadings: Floats
    mean: Floats
    cov: Floats
    noise_var: Floats
    effect_ratio: Floats
    nu: Floats
    noise_shape: float | None

    @cached_property
    def precision(self) -> Floats:
        """Inverse of `cov`, (S, L, L)."""
        return np.asarray(np.linalg.inv(self.cov))

    @cached_property
    def prior_pull(self) -> Floats:
        """Prior precision times prior mean, (S, L)."""
        return np.asarray((self.precision @ self.mean[..., None])[..., 0])

    @cached_property
    def log_student_constant(self) -> Floats:
        """Log of the Student-t density's constant at unit scale, (S,)."""
        return np.asarray(log_constant(self.nu))

    @cached_property
    def effect_var(self) -> Floats:
        """Variance of the unknown group's effects, (S, n)."""
        return self.effect_ratio[:, None] * self.noise_var

    @property
    def has_effects(self) -> bool:
        """Whether some draw leaves room for an unknown group's effects."""
        return bool(self.effect_ratio.any())

    @property
    def student_t(self) -> bool:
        """Whether the noise is Student-t."""
        return bool(np.isfinite(self.nu).all())

    def at_draws(self, index: NDArray[np.int64]) -> ScoredModel:
        """Keep some draws, repeated where `index` repeats them."""
        return replace(self, **_indexed(self, index))


@dataclass(frozen=True, eq=False)
class ModelState:
    """Unknowns of the model, one draw of them per posterior draw.

    Attributes
    ----------
    latents : (S, L) array
    effects : (S, n) array
        Unknown group effects u of the scored benchmarks.
    mixing : (S, n) array
        Mixing weights o of the Student-t noise.
    variance : (S,) array
        Noise variance d^2 of the model.
    center, root : (S, L), (S, L, L) array
        The Gaussian `latents` were drawn from: mean, and lower Cholesky factor of the precision.
    """

    latents: Floats
    effects: Floats
    mixing: Floats
    variance: Floats
    center: Floats
    root: Floats

    def at_draws(self, index: NDArray[np.int64]) -> ModelState:
        """Keep some draws, repeated where `index` repeats them."""
        return replace(self, **_indexed(self, index))


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
    root = np.linalg.cholesky(model.precision)
    latents = _at_shock(model.mean, root, stratified(n_draws, model.mean.shape[1], rng))
    return ModelState(
        latents,
        np.zeros((n_draws, n_scores)),
        np.ones((n_draws, n_scores)),
        variance,
        model.mean,
        root,
    )


def _gaussian_draw(center: Floats, root: Floats, rng: np.random.Generator) -> Floats:
    """Draw from normals (S, L) with that mean; `root` as in `ModelState`."""
    return _at_shock(center, root, rng.standard_normal(center.shape))


def _at_shock(center: Floats, root: Floats, shock: Floats) -> Floats:
    """Standard normal variates (S, L) brought to that mean and precision."""
    return np.asarray(center + np.linalg.solve(root.transpose(0, 2, 1), shock[..., None])[..., 0])


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
    """One Gibbs sweep over (latents with effects), noise variance and mixing weights.

    Latents are drawn with the effects integrated out, then the effects given the latents: together
    an exact joint draw. Every draw of the posterior is its own chain.
    """
    error_var = model.noise_var * state.variance[:, None] / state.mixing
    precision, pull, root = _latent_gaussian(model, error_var + model.effect_var)
    # precision = root root', so it maps the deviation root'^-1 e to root e: one system for both
    shock = root @ rng.standard_normal(pull.shape)[..., None]
    solved = np.linalg.solve(precision, np.concatenate([pull[..., None], shock], axis=-1))
    center, latents = solved[..., 0], solved.sum(axis=-1)
    residual = model.y - (model.loadings @ latents[..., None])[..., 0]
    effects = state.effects
    if model.has_effects:
        share = model.effect_var / (model.effect_var + error_var)
        noise = rng.standard_normal(residual.shape)
        effects = share * residual + np.sqrt(share * error_var) * noise
    squared = (residual - effects) ** 2 / model.noise_var
    variance, mixing = state.variance, state.mixing
    if model.noise_shape is not None:
        rate = model.noise_shape + 0.5 * (mixing * squared).sum(axis=1)
        shape = model.noise_shape + 0.5 * model.y.shape[1]
        variance = rate / rng.standard_gamma(shape, rate.shape)
    if model.student_t:
        nu = model.nu[:, None]
        rate = 0.5 * (nu + squared / variance[:, None])
        gamma = rng.standard_gamma(np.broadcast_to(0.5 * (nu + 1.0), rate.shape))
        mixing = np.maximum(gamma, 1e-12) / rate
    return ModelState(latents, effects, mixing, variance, center, root)


def _latent_gaussian(model: ScoredModel, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """Precision of the latents for noise of that variance, precision times mean, and its root."""
    scaled = model.loadings / variance[..., None]
    precision = model.precision + scaled.transpose(0, 2, 1) @ model.loadings
    pull = model.prior_pull + (scaled.transpose(0, 2, 1) @ model.y[..., None])[..., 0]
    return precision, pull, np.linalg.cholesky(precision)


def log_evidence(model: ScoredModel, states: list[ModelState], rng: np.random.Generator) -> Floats:
    """Log evidence of the scores for every draw, ``log p(y | benchmark side)``, (S,).

    Importance sampling over the latents: one fresh draw from the Gaussian of each state, weighed
    as a draw of the mixture of them all (the states' own latents would not do: later Gaussians
    depend on them, which biases the estimate low). A Gaussian for wider noise joins the mixture,
    so that a mode no state has found cannot make one weight huge. The noise is integrated out
    exactly up to one-dimensional sums: mixing weights by the Student-t density, the model's noise
    variance over a grid of its logarithm, unknown group effects by Gauss-Hermite. With normal
    noise of known variance one state gives the exact evidence.
    """
    proposals = [(state.center, state.root) for state in states]
    if model.student_t or model.noise_shape is not None:
        wide = WIDE_NOISE * model.noise_var * states[-1].variance[:, None]
        precision, pull, root = _latent_gaussian(model, wide + model.effect_var)
        proposals.append((np.linalg.solve(precision, pull[..., None])[..., 0], root))
    latents = np.stack([_gaussian_draw(center, root, rng) for center, root in proposals])
    prior_root = np.linalg.cholesky(model.precision)
    log_prior = _log_gaussian(latents - model.mean, prior_root)
    density = np.stack([_log_gaussian(latents - center, root) for center, root in proposals])
    log_proposal = log_sum_exp(density, axis=0) - math.log(len(proposals))
    residual = model.y - (model.loadings @ latents[..., None])[..., 0]
    log_ratio = log_prior + _log_likelihood(model, residual) - log_proposal
    return np.asarray(log_sum_exp(log_ratio, axis=0) - math.log(len(proposals)))


def _log_gaussian(deviation: Floats, root: Floats) -> Floats:
    """Log density at `deviation` (K, S, L) from the mean; `root` as in `ModelState`."""
    standard = (root.transpose(0, 2, 1) @ deviation[..., None])[..., 0]
    log_det = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    size = deviation.shape[-1]
    return np.asarray(
        log_det - 0.5 * (standard**2).sum(axis=-1) - 0.5 * size * math.log(2 * math.pi)
    )


def _variance_grid(shape: float | None) -> tuple[Floats, Floats]:
    """Noise variances d^2 and the log of their prior weights."""
    if shape is None:
        return np.ones(1), np.zeros(1)
    log_v = np.linspace(-3.5, 6.0, VARIANCE_POINTS) / math.sqrt(shape)
    log_weight = -shape * (log_v + np.exp(-log_v))
    return np.exp(log_v), log_weight - log_sum_exp(log_weight, axis=0)


def _log_likelihood(model: ScoredModel, residual: Floats) -> Floats:
    """Log density of residuals (K, S, n) with noise and effects integrated out, (K, S)."""
    variance, log_weight = _variance_grid(model.noise_shape)
    scale = np.sqrt(model.noise_var)
    standard = residual / scale
    total = np.empty((variance.size, *residual.shape[:2]))
    for at, v in enumerate(variance):
        total[at] = log_weight[at] + _log_noise(model, standard, float(v)).sum(axis=-1)
    return np.asarray(log_sum_exp(total, axis=0) - np.log(scale).sum(axis=-1))


def _log_noise(model: ScoredModel, standard: Floats, variance: float) -> Floats:
    """Log density of residuals in units of the benchmark's noise scale, per score."""
    if not model.student_t:
        wide = variance + model.effect_ratio[:, None]
        return np.asarray(-0.5 * (standard**2 / wide + np.log(2 * math.pi * wide)))
    if not model.has_effects:
        return _log_student(model, standard, variance)
    node, weight = _hermite()
    size = np.sqrt(model.effect_ratio)[:, None]
    density = np.zeros_like(standard)
    for x, w in zip(node, weight, strict=True):
        density += w * np.exp(_log_student(model, standard - x * size, variance))
    return np.log(density)


@lru_cache(maxsize=1)
def _hermite() -> tuple[Floats, Floats]:
    """Points and weights of the mean over a standard normal variate."""
    node, weight = np.polynomial.hermite_e.hermegauss(HERMITE_POINTS)
    return node, weight / weight.sum()


def _log_student(model: ScoredModel, standard: Floats, variance: float) -> Floats:
    nu = model.nu[:, None]
    constant = model.log_student_constant[:, None] - 0.5 * math.log(variance)
    return np.asarray(constant + log_kernel(standard**2 / variance, nu))
