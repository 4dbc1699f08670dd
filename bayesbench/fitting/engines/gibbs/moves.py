"""Moves that let the Gibbs sampler travel where single blocks cannot.

Blocks given all the rest creep along directions in which several blocks move together: mixing
weights with noise scales, effects with their scale, latents with loadings. Each move here changes
such a set at once, by a Metropolis step or an exact Gaussian draw on the same posterior, so the
stationary law is untouched. The noise moves sum the mixing weights out, hence the order in a
sweep: these moves first, then fresh mixing weights. All are given the readings, of those at an end
of their scale the value drawn in this sweep.

Sources: interweaving, Yu and Meng (2011) doi:10.1198/jcgs.2011.203main; generalised Gibbs moves,
Liu and Sabatti (2000) doi:10.1093/biomet/87.2.353; collapsing, Liu (1994)
doi:10.1080/01621459.1994.10476829.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, random

from ....low_rank.density import JAX
from ....low_rank.eta import eta_of_readings
from ....low_rank.noise import log_kernel
from .state import (
    GibbsData,
    GibbsShape,
    GibbsState,
    latent_effects,
    per_benchmark,
    per_model,
    reading_variance,
)
from .variates import normal, normal_and_uniform

__all__ = ["linear_predictor_of_readings", "move"]

NOISE_STEPS = 1
"""Metropolis steps on the noise scales per sweep."""
SCALE_STEP = 0.25
"""Random-walk sd on the log of an effect's scale."""


class _Fit(NamedTuple):
    """How the readings are fitted: what every move needs of the state it starts from."""

    eta: Array  # (n,) linear predictor
    terms: Array  # (n,) log density with the mixing weights summed out, up to a constant of nu


def _log_inverse_gamma(variance: Array, shape: float, scale: Array | float) -> Array:
    """Log density of log(variance) for variance ~ InvGamma(shape, scale), up to a constant."""
    return -shape * jnp.log(variance) - scale / variance


def _terms(state: GibbsState, data: GibbsData, shape: GibbsShape, eta: Array) -> Array:
    variance = reading_variance(state, data, shape)
    if shape.errors:
        log_variance = jnp.log(variance)
    else:  # fewer logarithms
        log_variance = jnp.log(state.noise_benchmark)[data.col]
        log_variance = log_variance + jnp.log(state.noise_model)[data.row]
    squares = (data.z - eta) ** 2 / variance
    kernel = log_kernel(squares, state.nu, JAX) if shape.spec.student_t else -0.5 * squares
    return data.present * (kernel - 0.5 * log_variance)


def move(key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape) -> GibbsState:
    """One round of all moves; the mixing weights of the result are stale and must be redrawn."""
    keys = random.split(key, 6)
    state = _shift_latents(keys[0], state, data, shape)
    state = _stretch_latents(keys[1], state, data, shape)
    state = _shear_latents(random.fold_in(key, 6), state, data, shape)
    eta = linear_predictor_of_readings(state, data, shape)
    fit = _Fit(eta, _terms(state, data, shape, eta))
    for index in range(len(shape.kinds) if shape.spec.group_benchmarks else 0):
        state, fit = _group_scale(random.fold_in(keys[2], index), state, data, shape, fit, index)
    if shape.n_families:
        state, fit = _family_scale(keys[3], state, data, shape, fit)
    if shape.kinds and shape.spec.group_benchmarks:
        last = random.fold_in(keys[4], NOISE_STEPS)
        state, fit = _noise_with_effects(last, state, data, shape, fit)
    for index in range(NOISE_STEPS):
        state, fit = _benchmark_noise(random.fold_in(keys[4], index), state, data, shape, fit)
        if shape.spec.model_noise:
            state, fit = _model_noise(random.fold_in(keys[5], index), state, data, shape, fit)
    return state


def linear_predictor_of_readings(state: GibbsState, data: GibbsData, shape: GibbsShape) -> Array:
    """Linear predictor of every reading, (n,)."""
    eta: Array = eta_of_readings(state.bias, state.slopes, state.latents, data.row, data.col)
    eta = eta + _group_parts(state, data, shape)
    if shape.n_families:
        eta = eta + _family_part(state, data)
    return eta


def _group_part(state: GibbsState, data: GibbsData, shape: GibbsShape, index: int) -> Array:
    first, last = shape.kinds[index]
    blank = jnp.zeros((1, shape.n_benchmarks))
    effects = jnp.concatenate([state.group_benchmark[first:last], blank])
    return effects[data.groups[index][data.row], data.col]


def _group_parts(state: GibbsState, data: GibbsData, shape: GibbsShape) -> Array | float:
    """Effects of all groups on every reading, (n,)."""
    part: Array | float = 0.0
    if shape.spec.group_benchmarks:
        for index in range(len(shape.kinds)):
            part = part + _group_part(state, data, shape, index)
    return part


def _family_part(state: GibbsState, data: GibbsData) -> Array:
    effects = jnp.concatenate([state.family, jnp.zeros((len(state.family), 1))], axis=1)
    return effects[data.row, data.families[data.col]]


def _chosen(accepted: Array, new: _Fit, old: _Fit) -> _Fit:
    """The new fit of the readings whose move was accepted, the old one of the others."""
    return _Fit(*(jnp.where(accepted, a, b) for a, b in zip(new, old, strict=True)))


def _scale_move(
    key: Array,
    state: GibbsState,
    data: GibbsData,
    shape: GibbsShape,
    fit: _Fit,
    part: Array,
    log_prior: Callable[[Array], Array],
) -> tuple[Array, _Fit]:
    """Metropolis step that multiplies an effect and its scale by a common factor.

    The effect relative to its scale stays, so its prior does not change: what counts is the
    likelihood and the prior of the scale.

    Returns
    -------
    factor, fit
        1 where the step was refused.
    """
    noise, uniform = normal_and_uniform(key, ())
    factor = jnp.exp(SCALE_STEP * noise)
    eta = fit.eta + (factor - 1.0) * part
    proposed = _Fit(eta, _terms(state, data, shape, eta))
    log_ratio = (proposed.terms - fit.terms).sum() + log_prior(factor) - log_prior(jnp.ones(()))
    accepted = jnp.log(uniform) < log_ratio
    return jnp.where(accepted, factor, 1.0), _chosen(accepted, proposed, fit)


def _group_scale(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape, fit: _Fit, index: int
) -> tuple[GibbsState, _Fit]:
    first, last = shape.kinds[index]
    variance, b = state.var_group_benchmark[index], shape.spec.priors.group_benchmark_b
    factor, fit = _scale_move(
        key,
        state,
        data,
        shape,
        fit,
        _group_part(state, data, shape, index),
        lambda f: _log_inverse_gamma(variance * f**2, 1.0, b),
    )
    return (
        state._replace(
            group_benchmark=state.group_benchmark.at[first:last].multiply(factor),
            var_group_benchmark=state.var_group_benchmark.at[index].multiply(factor**2),
        ),
        fit,
    )


def _family_scale(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape, fit: _Fit
) -> tuple[GibbsState, _Fit]:
    variance, b = state.var_family, shape.spec.priors.family_b
    factor, fit = _scale_move(
        key,
        state,
        data,
        shape,
        fit,
        _family_part(state, data),
        lambda f: _log_inverse_gamma(variance * f**2, 1.0, b),
    )
    return state._replace(family=state.family * factor, var_family=variance * factor**2), fit


def _noise_with_effects(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape, fit: _Fit
) -> tuple[GibbsState, _Fit]:
    """Metropolis step on every benchmark's noise scale together with its group effects.

    The effects relative to the noise scale stay, so their prior does not change. Effects of groups
    without a score on the benchmark know nothing, yet given them the scale could hardly move.
    """
    a = shape.spec.priors.noise_shape
    part = _group_parts(state, data, shape)
    noise, uniform = normal_and_uniform(key, (shape.n_benchmarks,))
    step = 1.2 / jnp.sqrt(0.25 * per_benchmark(data.present, data, shape) + a)
    factor = jnp.exp(step * noise)
    current = state.noise_benchmark
    moved = state._replace(
        noise_benchmark=current * factor**2, group_benchmark=state.group_benchmark * factor
    )
    eta = fit.eta + (factor[data.col] - 1.0) * part
    proposed = _Fit(eta, _terms(moved, data, shape, eta))
    log_ratio = (
        per_benchmark(proposed.terms - fit.terms, data, shape)
        + _log_inverse_gamma(moved.noise_benchmark, a, a * state.noise_level)
        - _log_inverse_gamma(current, a, a * state.noise_level)
    )
    accepted = jnp.log(uniform) < log_ratio
    state = state._replace(
        noise_benchmark=jnp.where(accepted, moved.noise_benchmark, current),
        group_benchmark=jnp.where(accepted, moved.group_benchmark, state.group_benchmark),
    )
    return state, _chosen(accepted[data.col], proposed, fit)


def _benchmark_noise(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape, fit: _Fit
) -> tuple[GibbsState, _Fit]:
    """Metropolis step on every benchmark's noise variance, the mixing weights summed out."""
    a = shape.spec.priors.noise_shape
    effects = jnp.zeros(shape.n_benchmarks)
    n_effects = 0
    if shape.spec.group_benchmarks:
        for index, (first, last) in enumerate(shape.kinds):
            squares = (state.group_benchmark[first:last] ** 2).sum(axis=0)
            effects = effects + squares / state.var_group_benchmark[index]
            n_effects += last - first

    def log_prior(variance: Array) -> Array:
        scale = a * state.noise_level + 0.5 * effects
        return _log_inverse_gamma(variance, a + 0.5 * n_effects, scale)

    noise, uniform = normal_and_uniform(key, (shape.n_benchmarks,))
    count = per_benchmark(data.present, data, shape)
    step = 2.4 / jnp.sqrt(0.25 * count + 0.5 * n_effects + a)
    current = state.noise_benchmark
    moved = state._replace(noise_benchmark=current * jnp.exp(step * noise))
    proposed = _Fit(fit.eta, _terms(moved, data, shape, fit.eta))
    log_ratio = (
        per_benchmark(proposed.terms - fit.terms, data, shape)
        + log_prior(moved.noise_benchmark)
        - log_prior(current)
    )
    accepted = jnp.log(uniform) < log_ratio
    state = state._replace(noise_benchmark=jnp.where(accepted, moved.noise_benchmark, current))
    return state, _chosen(accepted[data.col], proposed, fit)


def _model_noise(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape, fit: _Fit
) -> tuple[GibbsState, _Fit]:
    """Metropolis step on every model's noise variance, the mixing weights summed out."""
    a = shape.spec.priors.noise_model_shape
    noise, uniform = normal_and_uniform(key, (shape.n_models,))
    step = 2.4 / jnp.sqrt(0.25 * per_model(data.present, data, shape) + a)
    current = state.noise_model
    moved = state._replace(noise_model=current * jnp.exp(step * noise))
    proposed = _Fit(fit.eta, _terms(moved, data, shape, fit.eta))
    log_ratio = (
        per_model(proposed.terms - fit.terms, data, shape)
        + _log_inverse_gamma(moved.noise_model, a, a)
        - _log_inverse_gamma(current, a, a)
    )
    accepted = jnp.log(uniform) < log_ratio
    state = state._replace(noise_model=jnp.where(accepted, moved.noise_model, current))
    return state, _chosen(accepted[data.row], proposed, fit)


def _prior_residual(state: GibbsState, data: GibbsData, shape: GibbsShape) -> Array:
    mean = state.covariates @ state.coefficients
    return state.latents - mean - latent_effects(state.group_latent, data, shape)


def _shift_latents(key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape) -> GibbsState:
    """Shift a latent of all models with the first kind's group effects, against the biases.

    eta stays as it is, ``bias_j - slope_jl delta``; the posterior along delta is Gaussian.
    """
    grouped = bool(shape.kinds) and shape.spec.group_latents
    first, last = shape.kinds[0] if grouped else (0, 0)
    member = jnp.zeros(shape.n_models)
    if grouped:
        member = (data.groups[0] < last - first).astype(jnp.float32)

    def shift(latent: Array, state: GibbsState) -> GibbsState:
        slope = state.slopes[:, latent]
        alone = (1.0 - member) * _prior_residual(state, data, shape)[:, latent]
        precision = (1.0 - member).sum() + (slope**2).sum() / state.var_bias
        linear = (slope * state.bias).sum() / state.var_bias - alone.sum()
        if grouped:
            variance = state.var_group_latent[0]
            precision = precision + (last - first) / variance
            linear = linear - state.group_latent[first:last, latent].sum() / variance
        delta = linear / precision + noise[latent] / jnp.sqrt(precision)
        state = state._replace(
            latents=state.latents.at[:, latent].add(delta), bias=state.bias - slope * delta
        )
        if grouped:
            shifted = state.group_latent.at[first:last, latent].add(delta)
            state = state._replace(group_latent=shifted)
        return state

    noise = random.normal(key, (shape.n_latents,))
    shifted: GibbsState = jax.lax.fori_loop(0, shape.n_latents, shift, state)
    return shifted


def _stretch_latents(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape
) -> GibbsState:
    """Stretch each latent with its prior mean, and shrink its slopes with their scale.

    eta stays as it is. Slopes relative to their scale stay too, so only the latents' own prior,
    those of what makes up their mean, and that of the scale (and of the mean loading) count.
    """
    priors = shape.spec.priors
    grouped = bool(shape.kinds) and shape.spec.group_latents
    size = shape.n_models + shape.n_covariates
    quadratic = (_prior_residual(state, data, shape) ** 2).sum(axis=0)
    quadratic = quadratic + (state.coefficients**2).sum(axis=0) / priors.coefficient_sd**2
    if grouped:
        for index, (first, last) in enumerate(shape.kinds):
            squares = (state.group_latent[first:last] ** 2).sum(axis=0)
            quadratic = quadratic + squares / state.var_group_latent[index]
            size += last - first
    variance = jnp.concatenate([state.var_loading[None], state.var_factor])
    b = jnp.asarray([priors.loading_b] + [priors.factor_b] * shape.spec.rank)

    def log_target(log_a: Array) -> Array:
        a2 = jnp.exp(2.0 * log_a)
        mean = state.mean_loading * jnp.exp(-log_a[0])
        pull = -0.5 * ((mean - priors.mean_loading) / priors.mean_loading_sd) ** 2 - log_a[0]
        out = size * log_a - 0.5 * a2 * quadratic + _log_inverse_gamma(variance / a2, 1.0, b)
        return out.at[0].add(pull)

    noise, uniform = normal_and_uniform(key, (shape.n_latents,))
    log_a = 2.4 / jnp.sqrt(2.0 * size) * noise
    accepted = jnp.log(uniform) < log_target(log_a) - log_target(jnp.zeros_like(log_a))
    a = jnp.exp(jnp.where(accepted, log_a, 0.0))
    return state._replace(
        latents=state.latents * a,
        coefficients=state.coefficients * a,
        group_latent=state.group_latent * a,
        slopes=state.slopes / a,
        mean_loading=state.mean_loading / a[0],
        var_loading=state.var_loading / a[0] ** 2,
        var_factor=state.var_factor / a[1:] ** 2,
    )


def _shear_latents(key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape) -> GibbsState:
    """Add to each latent a multiple of each other one, against the slopes of that other one.

    eta stays as it is: ``latent_l + e latent_m`` with its prior mean, ``slope_m - e slope_l``. The
    posterior along e is Gaussian. With the shifts and stretches, every affine map of the latents.
    """
    if shape.n_latents == 1:
        return state
    sd = shape.spec.priors.coefficient_sd
    parts = [_prior_residual(state, data, shape), state.coefficients / sd]
    if shape.kinds and shape.spec.group_latents:
        for index, (first, last) in enumerate(shape.kinds):
            scale = jnp.sqrt(state.var_group_latent[index])
            parts.append(state.group_latent[first:last] / scale)
    own = jnp.concatenate(parts)  # standard normal a priori
    products = own.T @ own
    precision = jnp.concatenate(
        [
            jnp.broadcast_to(1.0 / state.var_loading, (shape.n_benchmarks, 1)),
            state.heaviness / state.var_factor,
        ],
        axis=1,
    )
    mean = jnp.zeros(shape.n_latents).at[0].set(state.mean_loading)
    noise = normal(key, (shape.n_latents**2,))

    def shear(step: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        mixed, products, slopes = carry
        to, source = step // shape.n_latents, step % shape.n_latents
        weight = precision[:, source] * slopes[:, to]
        total = products[source, source] + (weight * slopes[:, to]).sum()
        linear = -products[to, source] + (weight * (slopes[:, source] - mean[source])).sum()
        amount = linear / total + noise[step] / jnp.sqrt(total)
        amount = jnp.where(to == source, 0.0, amount)
        products = products.at[to].add(amount * products[source])
        products = products.at[:, to].add(amount * products[:, source])
        mixed = mixed.at[:, to].add(amount * mixed[:, source])
        return mixed, products, slopes.at[:, source].add(-amount * slopes[:, to])

    start = (jnp.eye(shape.n_latents), products, state.slopes)
    mixed, _, slopes = jax.lax.fori_loop(0, shape.n_latents**2, shear, start)
    return state._replace(
        latents=state.latents @ mixed,
        coefficients=state.coefficients @ mixed,
        group_latent=state.group_latent @ mixed,
        slopes=slopes,
    )
