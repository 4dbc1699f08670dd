"""One sweep of the blocked Gibbs sampler: pure functions ``(key, state, data) -> (state, info)``.

Every conditional of the low-rank model is conjugate once the Student-t laws are written as scale
mixtures of normals: Gaussian latents, loadings and group effects; gamma mixing weights; inverse
gamma squared scales; the degrees of freedom on a grid with the mixing weights summed out. The
joint density of the parameters is that of `bayesbench.low_rank`, which is this sampler's oracle.

Two kinds of readings bring in a variable more. One at an end of its scale gets a value beyond its
limit, drawn at the start of every sweep. Where the variance v of a reading's error is known, its
residual r is the sum of noise and error: with the mixing weight o, ``r sqrt(o) = A + B``, A of
variance ``s^2 d^2`` and B of v. Given r, A is normal; given A, the scales are conjugate again.

Sources: Geman and Geman (1984) doi:10.1109/TPAMI.1984.4767596; scale mixtures, Andrews and
Mallows (1974) doi:10.1111/j.2517-6161.1974.tb00989.x.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, random
from jax.scipy.linalg import cho_solve, solve_triangular
from jax.scipy.special import log_ndtr, logsumexp

from ....low_rank.density import JAX
from ....low_rank.eta import eta_of_readings
from ....low_rank.noise import log_tail, log_weights_of_nu
from .moves import linear_predictor_of_readings, move
from .state import (
    GibbsData,
    GibbsInfo,
    GibbsShape,
    GibbsState,
    benchmark_effects,
    family_effects,
    gathered,
    latent_effects,
    per_benchmark,
    per_model,
    reading_variance,
    spread,
)
from .variates import (
    gamma_afresh,
    gamma_from_or_stay,
    gamma_or_stay,
    gaussian,
    inverse_gamma,
    normal,
    normal_above,
)

__all__ = ["sweep"]

LOG_2PI = math.log(2.0 * math.pi)
HEAVY_DF = 4.0
"""Degrees of freedom of the Student-t prior on loadings under ``heavy_loadings``."""


def _outer(factors: Array) -> Array:
    n, d = factors.shape
    return (factors[:, :, None] * factors[:, None, :]).reshape(n, d * d)


class _Work(NamedTuple):
    """What the blocks of one sweep share: dense precisions and scores (M, B)."""

    precision: Array
    scores: Array


def sweep(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape
) -> tuple[GibbsState, GibbsInfo]:
    """Draw every block once from its full conditional, with the joint moves before the noise.

    Latents and slopes are over-relaxed draws: see `variates.gaussian`.

    Parameters
    ----------
    key : jax key
    state : GibbsState
    data : GibbsData
    shape : GibbsShape
        Static.

    Returns
    -------
    state, info
    """
    keys = random.split(key, 10)
    if shape.n_ends:
        data = _drawn_ends(random.fold_in(key, 10), state, data, shape)
    work = _dense(state, data, shape)
    state = _latents(keys[0], state, data, shape, work)
    state = _slopes(keys[1], state, data, shape, work)
    state = _group_benchmark(keys[2], state, data, shape, work)
    state = _family(keys[3], state, data, shape, work)
    state = move(keys[9], state, data, shape)
    state, info = _noise(keys[4], state, data, shape)
    state = _slope_scales(keys[5], state, shape)
    state = _covariates(keys[6], state, data, shape)
    state = _coefficients(keys[7], state, data, shape)
    state = _group_latent(keys[8], state, data, shape)
    return state, info


def _at_ends(data: GibbsData) -> GibbsData:
    """The readings at an end alone."""
    at = data.ends.reading
    return data._replace(
        z=data.z[at],
        row=data.row[at],
        col=data.col[at],
        present=jnp.abs(data.ends.side),
        error=data.error[at],
    )


def _drawn_ends(key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape) -> GibbsData:
    """The data with a value beyond its limit for every reading at an end, given all the rest."""
    ends, part = data.ends, _at_ends(data)
    eta = linear_predictor_of_readings(state, part, shape)
    scale = jnp.sqrt(reading_variance(state, part, shape) / state.mixing[ends.reading])
    away = normal_above(key, ends.side * (ends.limit - eta) / scale)
    beyond = jnp.maximum(ends.side * eta + scale * away, ends.side * ends.limit)
    at = jnp.where(ends.side == 0, shape.n_readings, ends.reading)
    return data._replace(z=data.z.at[at].set(ends.side * beyond, mode="drop"))


def _dense(state: GibbsState, data: GibbsData, shape: GibbsShape) -> _Work:
    precision = data.present * state.mixing / reading_variance(state, data, shape)
    blank = jnp.zeros((shape.n_models, shape.n_benchmarks))
    return _Work(
        blank.at[data.row, data.col].add(precision),
        blank.at[data.row, data.col].add(data.present * data.z),
    )


def _offset(state: GibbsState, data: GibbsData, shape: GibbsShape) -> Array | float:
    """Group and family effects on every cell (M, B)."""
    groups = benchmark_effects(state.group_benchmark, data, shape)
    return groups + family_effects(state.family, data, shape)


def _prior_mean(state: GibbsState, data: GibbsData, shape: GibbsShape) -> Array:
    mean = state.covariates @ state.coefficients
    return mean + latent_effects(state.group_latent, data, shape)


def _latents(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape, work: _Work
) -> GibbsState:
    d = shape.n_latents
    residual = work.precision * (work.scores - state.bias - _offset(state, data, shape))
    precision = (work.precision @ _outer(state.slopes)).reshape(-1, d, d) + jnp.eye(d)
    linear = residual @ state.slopes + _prior_mean(state, data, shape)
    return state._replace(latents=gaussian(key, precision, linear, state.latents))


def _slopes(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape, work: _Work
) -> GibbsState:
    b, d = shape.n_benchmarks, 1 + shape.n_latents
    features = jnp.concatenate([jnp.ones((shape.n_models, 1)), state.latents], axis=1)
    prior = jnp.concatenate(
        [
            jnp.broadcast_to(1.0 / state.var_bias, (b, 1)),
            jnp.broadcast_to(1.0 / state.var_loading, (b, 1)),
            state.heaviness / state.var_factor,
        ],
        axis=1,
    )
    precision = (work.precision.T @ _outer(features)).reshape(b, d, d)
    precision = precision + prior[:, :, None] * jnp.eye(d)
    linear = (work.precision * (work.scores - _offset(state, data, shape))).T @ features
    linear = linear.at[:, 1].add(state.mean_loading / state.var_loading)
    current = jnp.concatenate([state.bias[:, None], state.slopes], axis=1)
    drawn = gaussian(key, precision, linear, current)
    return state._replace(bias=drawn[:, 0], slopes=drawn[:, 1:])


def _group_benchmark(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape, work: _Work
) -> GibbsState:
    if not (shape.kinds and shape.spec.group_benchmarks):
        return state
    effects, variances = state.group_benchmark, []
    base = state.bias + state.latents @ state.slopes.T
    base = base + family_effects(state.family, data, shape)
    for index, (first, last) in enumerate(shape.kinds):
        key, key_effect, key_scale = random.split(key, 3)
        code, size = data.groups[index], last - first
        own = spread(effects[first:last], code)
        others = benchmark_effects(effects, data, shape) - own
        scale = state.var_group_benchmark[index] * state.noise_benchmark
        precision = gathered(work.precision, code, size) + 1.0 / scale
        residual = work.precision * (work.scores - base - others)
        mean = gathered(residual, code, size) / precision
        drawn = mean + normal(key_effect, mean.shape) / jnp.sqrt(precision)
        effects = effects.at[first:last].set(drawn)
        squares = (drawn**2 / state.noise_benchmark).sum()
        variances.append(
            inverse_gamma(
                key_scale,
                1.0 + 0.5 * drawn.size,
                shape.spec.priors.group_benchmark_b + 0.5 * squares,
            )
        )
    return state._replace(group_benchmark=effects, var_group_benchmark=jnp.stack(variances))


def _family(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape, work: _Work
) -> GibbsState:
    if not shape.n_families:
        return state
    base = state.bias + state.latents @ state.slopes.T
    base = base + benchmark_effects(state.group_benchmark, data, shape)
    code, size = data.families, shape.n_families
    precision = gathered(work.precision.T, code, size).T + 1.0 / state.var_family
    residual = work.precision * (work.scores - base)
    mean = gathered(residual.T, code, size).T / precision
    key_effect, key_scale = random.split(key)
    drawn = mean + normal(key_effect, mean.shape) / jnp.sqrt(precision)
    variance = inverse_gamma(
        key_scale, 1.0 + 0.5 * drawn.size, shape.spec.priors.family_b + 0.5 * (drawn**2).sum()
    )
    return state._replace(family=drawn, var_family=variance)


def _noise(
    key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape
) -> tuple[GibbsState, GibbsInfo]:
    spec, priors = shape.spec, shape.spec.priors
    keys = random.split(key, 5)
    eta = (
        eta_of_readings(state.bias, state.slopes, state.latents, data.row, data.col)
        + jnp.broadcast_to(_offset(state, data, shape), (shape.n_models, shape.n_benchmarks))[
            data.row, data.col
        ]
    )
    square = (data.z - eta) ** 2
    variance = reading_variance(state, data, shape)
    standardised = square / variance
    log_scale = 0.5 * (data.present * jnp.log(variance)).sum()
    nu, mixing = state.nu, state.mixing
    if spec.student_t:
        grid = jnp.asarray(priors.nu_grid)
        log_weights = log_weights_of_nu(standardised, grid, JAX, data.present)
        nu = grid[random.categorical(keys[0], log_weights)]
        shapes = jnp.full(standardised.shape, 0.5 * (nu + 1))
        # never a weight of before: the moves and nu were drawn with the weights summed out
        mixing = gamma_afresh(keys[1], shapes, 0.5 * (nu + standardised))
    else:
        log_weights = -0.5 * (data.present * (standardised + LOG_2PI)).sum()[None]
    if shape.n_ends:
        log_weights, log_scale = _with_tails(state, data, shape, eta, log_weights, log_scale)
    log_likelihood = logsumexp(log_weights) - jnp.log(log_weights.size) - log_scale
    squares_of_noise = mixing * square
    if shape.errors:
        residual = jnp.sqrt(mixing) * (data.z - eta)
        squares_of_noise = _noise_part(random.fold_in(key, 5), state, data, residual) ** 2
    weighted = data.present * squares_of_noise
    count = per_benchmark(data.present, data, shape)
    squares = per_benchmark(weighted / state.noise_model[data.row], data, shape)
    if shape.kinds and spec.group_benchmarks:
        for index, (first, last) in enumerate(shape.kinds):
            effect = state.group_benchmark[first:last]
            squares = squares + (effect**2).sum(axis=0) / state.var_group_benchmark[index]
            count = count + (last - first)
    a = priors.noise_shape
    noise = inverse_gamma(keys[2], a + 0.5 * count, a * state.noise_level + 0.5 * squares)
    level_shape = jnp.asarray(priors.noise_level_shape + a * shape.n_benchmarks)
    rate = priors.noise_level_rate + a * (1.0 / noise).sum()
    level = gamma_from_or_stay(
        keys[3], level_shape, rate, priors.noise_level_least, state.noise_level
    )
    model_noise = state.noise_model
    if spec.model_noise:
        count = per_model(data.present, data, shape)
        squares = per_model(weighted / noise[data.col], data, shape)
        a = priors.noise_model_shape
        model_noise = inverse_gamma(keys[4], a + 0.5 * count, a + 0.5 * squares)
    state = state._replace(
        nu=nu, mixing=mixing, noise_benchmark=noise, noise_level=level, noise_model=model_noise
    )
    return state, GibbsInfo(log_likelihood)


def _noise_part(key: Array, state: GibbsState, data: GibbsData, residual: Array) -> Array:
    """The noise in every residual: what is left once the error of known variance is drawn.

    `residual` times the root of its mixing weight is noise plus error, both normal: given their
    sum the noise is normal, with mean and variance in proportion to the variances of the two.
    """
    noise = state.noise_benchmark[data.col] * state.noise_model[data.row]
    variance = noise + data.error
    spread = jnp.sqrt(noise * data.error / variance)
    return residual * noise / variance + spread * normal(key, residual.shape)


def _with_tails(
    state: GibbsState,
    data: GibbsData,
    shape: GibbsShape,
    eta: Array,
    log_weights: Array,
    log_scale: Array,
) -> tuple[Array, Array]:
    """Parts of the log likelihood, with tail probabilities in place of the values drawn at ends."""
    ends, part = data.ends, _at_ends(data)
    eta, variance = eta[ends.reading], reading_variance(state, part, shape)
    squares = (part.z - eta) ** 2 / variance
    distance = ends.side * (ends.limit - eta) / jnp.sqrt(variance)
    if shape.spec.student_t:
        grid = jnp.asarray(shape.spec.priors.nu_grid)
        drawn = log_weights_of_nu(squares, grid, JAX, part.present)
        tails = log_tail(distance, grid[:, None], JAX)
    else:
        drawn = -0.5 * (part.present * (squares + LOG_2PI)).sum()[None]
        tails = log_ndtr(-distance)[None]
    log_weights = log_weights - drawn + (part.present * tails).sum(axis=1)
    return log_weights, log_scale - 0.5 * (part.present * jnp.log(variance)).sum()


def _slope_scales(key: Array, state: GibbsState, shape: GibbsShape) -> GibbsState:
    priors, b, k = shape.spec.priors, shape.n_benchmarks, shape.spec.rank
    keys = random.split(key, 3)
    weights, loading = state.slopes[:, 1:], state.slopes[:, 0]
    heaviness = state.heaviness
    if k and shape.spec.heavy_loadings:
        shapes = jnp.full((b, k), 0.5 * (HEAVY_DF + 1))
        rate = 0.5 * (HEAVY_DF + weights**2 / state.var_factor)
        # may stay: nothing else is drawn with the heaviness summed out
        heaviness = gamma_or_stay(keys[0], shapes, rate, heaviness)
    squares = jnp.concatenate(
        [
            (state.bias**2).sum()[None],
            ((loading - state.mean_loading) ** 2).sum()[None],
            (heaviness * weights**2).sum(axis=0),
        ]
    )
    scale = jnp.asarray([priors.bias_b, priors.loading_b] + [priors.factor_b] * k)
    variances = inverse_gamma(keys[1], 1.0 + 0.5 * b, scale + 0.5 * squares)
    var_loading = variances[1]
    precision = 1.0 / priors.mean_loading_sd**2 + b / var_loading
    mean = (
        priors.mean_loading / priors.mean_loading_sd**2 + loading.sum() / var_loading
    ) / precision
    return state._replace(
        heaviness=heaviness,
        var_factor=variances[2:],
        var_loading=var_loading,
        mean_loading=mean + random.normal(keys[2]) / jnp.sqrt(precision),
        var_bias=variances[0],
    )


def _covariates(key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape) -> GibbsState:
    """Missing covariates have a standard normal prior: one regression draw per column."""
    if not shape.n_covariates:
        return state
    filled = jnp.where(data.x_missing > 0, state.covariates, data.x)
    if not shape.missing_covariates:
        return state._replace(covariates=filled)
    for p in range(shape.n_covariates):
        key, key_p = random.split(key)
        slope = state.coefficients[p]
        mean = _prior_mean(state._replace(covariates=filled), data, shape)
        rest = state.latents - mean + filled[:, p : p + 1] * slope
        precision = 1.0 + (slope**2).sum()
        drawn = (rest @ slope) / precision
        drawn = drawn + random.normal(key_p, drawn.shape) / jnp.sqrt(precision)
        filled = filled.at[:, p].set(jnp.where(data.x_missing[:, p] > 0, drawn, data.x[:, p]))
    return state._replace(covariates=filled)


def _coefficients(key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape) -> GibbsState:
    if not shape.n_covariates:
        return state
    target = state.latents - latent_effects(state.group_latent, data, shape)
    x = state.covariates
    precision = x.T @ x + jnp.eye(shape.n_covariates) / shape.spec.priors.coefficient_sd**2
    chol = jnp.linalg.cholesky(precision)
    mean = cho_solve((chol, True), x.T @ target)
    noise = solve_triangular(chol.T, random.normal(key, mean.shape), lower=False)
    return state._replace(coefficients=mean + noise)


def _group_latent(key: Array, state: GibbsState, data: GibbsData, shape: GibbsShape) -> GibbsState:
    if not (shape.kinds and shape.spec.group_latents):
        return state
    effects, variances = state.group_latent, []
    base = state.covariates @ state.coefficients
    for index, (first, last) in enumerate(shape.kinds):
        key, key_effect, key_scale = random.split(key, 3)
        code, size = data.groups[index], last - first
        others = latent_effects(effects, data, shape) - spread(effects[first:last], code)
        count = gathered(jnp.ones(shape.n_models), code, size)
        precision = count[:, None] + 1.0 / state.var_group_latent[index]
        mean = gathered(state.latents - base - others, code, size) / precision
        drawn = mean + normal(key_effect, mean.shape) / jnp.sqrt(precision)
        effects = effects.at[first:last].set(drawn)
        variances.append(
            inverse_gamma(
                key_scale,
                1.0 + 0.5 * drawn.size,
                shape.spec.priors.group_latent_b + 0.5 * (drawn**2).sum(),
            )
        )
    return state._replace(group_latent=effects, var_group_latent=jnp.stack(variances))
