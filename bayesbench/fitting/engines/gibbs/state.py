"""State, data and static shape of the blocked Gibbs sampler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, random

from ....low_rank.spec import ModelSpec

__all__ = [
    "GibbsData",
    "GibbsEnds",
    "GibbsInfo",
    "GibbsShape",
    "GibbsState",
    "benchmark_effects",
    "family_effects",
    "gathered",
    "initial_state",
    "latent_effects",
    "per_benchmark",
    "per_model",
    "reading_variance",
    "spread",
]


@dataclass(frozen=True)
class GibbsShape:
    """What a compiled sweep depends on beside the numbers.

    Attributes
    ----------
    n_models, n_benchmarks, n_readings : int
        Readings are padded to a common length so that all folds share one compilation.
    n_covariates, n_families : int
    kinds : tuple of (int, int)
        First and last-plus-one column of each kind of group in the membership matrix.
    missing_covariates : bool
        Whether any covariate is missing.
    spec : ModelSpec
    errors : bool
        Whether any reading has a known variance of its error.
    n_ends : int
        Room for readings at an end of their scale; 0 where there are none.
    """

    n_models: int
    n_benchmarks: int
    n_readings: int
    n_covariates: int
    n_families: int
    kinds: tuple[tuple[int, int], ...]
    missing_covariates: bool
    spec: ModelSpec
    errors: bool = False
    n_ends: int = 0

    @property
    def n_latents(self) -> int:
        """General ability and the factors."""
        return 1 + self.spec.rank


class GibbsEnds(NamedTuple):
    """Readings at an end of their scale.

    Attributes
    ----------
    reading : (E,) number of the reading; n where padded
    side : (E,) +1 where its latent score is at least the limit, -1 where at most; 0 where padded
    limit : (E,) latent scale
    """

    reading: Array
    side: Array
    limit: Array


class GibbsData(NamedTuple):
    """Training cells and features as arrays.

    Attributes
    ----------
    z : (n,) latent scores, 0 where padded; at an end anything, a sweep draws it
    row, col : (n,) model and benchmark of each reading
    present : (n,) 1, or 0 where padded
    error : (n,) known variance of each reading's error
    ends : GibbsEnds
    x : (M, P) standardised covariates, 0 where missing
    x_missing : (M, P) 1 where missing
    groups : (kinds, M) number of the model's group within each kind; the kind's size for none
    families : (B,) number of the benchmark's family; Q for none
    """

    z: Array
    row: Array
    col: Array
    present: Array
    error: Array
    ends: GibbsEnds
    x: Array
    x_missing: Array
    groups: Array
    families: Array


class GibbsState(NamedTuple):
    """All parameters and mixing weights; variances are squares of the posterior's scales."""

    bias: Array  # (B,)
    slopes: Array  # (B, L): loading, then the weights of the factors
    latents: Array  # (M, L): ability, then the factors
    coefficients: Array  # (P, L)
    group_latent: Array  # (G, L)
    group_benchmark: Array  # (G, B)
    family: Array  # (M, Q)
    covariates: Array  # (M, P), missing ones filled with their current draw
    noise_benchmark: Array  # (B,) variance
    noise_model: Array  # (M,) variance
    mixing: Array  # (n,) precision multipliers of the readings
    heaviness: Array  # (B, K) precision multipliers of the factor weights
    nu: Array
    noise_level: Array
    mean_loading: Array
    var_bias: Array
    var_loading: Array
    var_factor: Array  # (K,)
    var_group_latent: Array  # (kinds,)
    var_group_benchmark: Array  # (kinds,)
    var_family: Array


class GibbsInfo(NamedTuple):
    """Diagnostics of one sweep: the log likelihood with the mixing weights summed out."""

    log_likelihood: Array


def initial_state(key: Array, shape: GibbsShape) -> GibbsState:
    """A dispersed start: latents, weights and scales drawn anew for every chain."""
    m, b, k, latents = shape.n_models, shape.n_benchmarks, shape.spec.rank, shape.n_latents
    g = shape.kinds[-1][1] if shape.kinds else 0
    keys = random.split(key, 4)
    spread = jnp.exp(0.5 * random.normal(keys[2], (4,)))
    weights = 0.3 * random.normal(keys[0], (b, k))
    return GibbsState(
        bias=jnp.zeros(b),
        slopes=jnp.concatenate([jnp.full((b, 1), 0.8), weights], axis=1),
        latents=0.7 * random.normal(keys[1], (m, latents)),
        coefficients=jnp.zeros((shape.n_covariates, latents)),
        group_latent=jnp.zeros((g, latents)),
        group_benchmark=jnp.zeros((g, b)),
        family=jnp.zeros((m, shape.n_families)),
        covariates=jnp.zeros((m, shape.n_covariates)),
        noise_benchmark=jnp.full(b, 0.3) * spread[0],
        noise_model=jnp.ones(m),
        mixing=jnp.ones(shape.n_readings),
        heaviness=jnp.ones((b, k)),
        nu=jnp.asarray(5.0 if shape.spec.student_t else jnp.inf),
        noise_level=0.2 * spread[0],
        mean_loading=jnp.asarray(0.8),
        var_bias=0.1 * spread[1],
        var_loading=0.1 * spread[1],
        var_factor=jnp.full(k, 0.1) * spread[2],
        var_group_latent=jnp.full(len(shape.kinds), 0.1) * spread[3],
        var_group_benchmark=jnp.full(len(shape.kinds), 0.1) * spread[3],
        var_family=0.1 * spread[3],
    )


def spread(effects: Array, code: Array) -> Array:
    """Effects (G, ...) of every member's group, (M, ...); 0 where the code is G."""
    blank = jnp.zeros((1, *effects.shape[1:]))
    return jnp.concatenate([effects, blank])[code]


def gathered(values: Array, code: Array, size: int) -> Array:
    """Sums of members' values (M, ...) over their groups, (G, ...); the transpose of `spread`."""
    return jnp.zeros((size + 1, *values.shape[1:])).at[code].add(values)[:size]


def per_benchmark(values: Array, data: GibbsData, shape: GibbsShape) -> Array:
    """Sums of the readings' values (n,) over each benchmark, (B,)."""
    return jnp.zeros(shape.n_benchmarks).at[data.col].add(values)


def per_model(values: Array, data: GibbsData, shape: GibbsShape) -> Array:
    """Sums of the readings' values (n,) over each model, (M,)."""
    return jnp.zeros(shape.n_models).at[data.row].add(values)


def reading_variance(state: GibbsState, data: GibbsData, shape: GibbsShape) -> Array:
    """Squared noise scale of every reading with the known variance of its error, (n,)."""
    variance = state.noise_benchmark[data.col] * state.noise_model[data.row]
    return variance + data.error if shape.errors else variance


def benchmark_effects(effects: Array, data: GibbsData, shape: GibbsShape) -> Array | float:
    """Group effects (G, B) on every cell, (M, B); 0 where the model has none."""
    total: Array | float = 0.0
    if shape.spec.group_benchmarks:
        for index, (first, last) in enumerate(shape.kinds):
            total = total + spread(effects[first:last], data.groups[index])
    return total


def latent_effects(effects: Array, data: GibbsData, shape: GibbsShape) -> Array | float:
    """Group effects (G, L) on every model's latents, (M, L)."""
    total: Array | float = 0.0
    if shape.spec.group_latents:
        for index, (first, last) in enumerate(shape.kinds):
            total = total + spread(effects[first:last], data.groups[index])
    return total


def family_effects(effects: Array, data: GibbsData, shape: GibbsShape) -> Array | float:
    """Family effects (M, Q) on every cell, (M, B)."""
    return spread(effects.T, data.families).T if shape.n_families else 0.0
