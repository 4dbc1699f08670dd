"""A problem of 18 scores with every part of the model, its prior by simulation and its density."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from bayesbench.fitting.engines.gibbs.state import GibbsData, GibbsEnds, GibbsShape, GibbsState
from bayesbench.low_rank.spec import ModelSpec, Priors

SHAPE = GibbsShape(
    n_models=6,
    n_benchmarks=4,
    n_readings=20,
    n_covariates=1,
    n_families=1,
    kinds=((0, 2), (2, 3)),
    missing_covariates=True,
    # a bound of the noise level that cuts off a third of its prior, so that it shows
    spec=ModelSpec(rank=1, groups=("provider", "lineage"), priors=Priors(noise_level_least=0.15)),
)
ERRORS = replace(SHAPE, errors=True)
"""The same with readings whose error has a known variance."""
ENDS = replace(ERRORS, n_ends=5)
"""Besides, with readings at an end of their scale, and room for one more."""
CELLS = np.argwhere(np.random.default_rng(8).permutation(24).reshape(6, 4) < 18)
KIND = np.array([0, 0, 1])
"""Kind of each group: two providers, one lineage."""
MEMBER = np.array([[1, 0, 1], [1, 0, 1], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]])
"""Models x groups: the last model has no provider, the first two are of one lineage."""
IN_FAMILY = np.array([[1], [1], [0], [0]])
"""Benchmarks x families."""


def tiny_data(shape: GibbsShape = SHAPE) -> GibbsData:
    pad = SHAPE.n_readings - len(CELLS)
    error = np.linspace(0.05, 0.9, len(CELLS)) if shape.errors else np.zeros(len(CELLS))
    ends = ([0, 5, 9, 16, SHAPE.n_readings], [1, -1, 1, -1, 0], [0.3, 0.2, -0.4, -0.1, 0.0])
    if not shape.n_ends:
        ends = ([], [], [])
    # numbers of the groups of MEMBER: 2 of 2 is none
    groups = [[0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 1]]
    return GibbsData(
        z=jnp.zeros(SHAPE.n_readings),
        row=jnp.asarray(np.r_[CELLS[:, 0], np.zeros(pad, int)], jnp.int32),
        col=jnp.asarray(np.r_[CELLS[:, 1], np.zeros(pad, int)], jnp.int32),
        present=jnp.asarray(np.r_[np.ones(len(CELLS)), np.zeros(pad)], jnp.float32),
        error=jnp.asarray(np.r_[error, np.zeros(pad)], jnp.float32),
        ends=GibbsEnds(
            jnp.asarray(ends[0], jnp.int32),
            jnp.asarray(ends[1], jnp.float32),
            jnp.asarray(ends[2], jnp.float32),
        ),
        x=jnp.asarray([[0.5], [-1.0], [0.0], [1.2], [0.3], [-0.7]], jnp.float32),
        x_missing=jnp.asarray([[0.0], [0.0], [1.0], [0.0], [0.0], [0.0]], jnp.float32),
        groups=jnp.asarray(groups, jnp.int32),
        families=jnp.asarray([0, 0, 1, 1], jnp.int32),
    )


def prior_state(rng: np.random.Generator, data: GibbsData) -> GibbsState:
    """All parameters from the joint prior, written independently of the sampler."""
    p, n = SHAPE.spec.priors, SHAPE.n_readings

    def variance(shape: float, scale: float, size: int | None = None) -> np.ndarray:
        return np.asarray(scale / rng.gamma(shape, size=size))

    level = 0.0
    while level < p.noise_level_least:
        level = rng.gamma(p.noise_level_shape) / p.noise_level_rate
    noise = variance(p.noise_shape, p.noise_shape * level, 4)
    var_group, var_latent = variance(1, p.group_benchmark_b, 2), variance(1, p.group_latent_b, 2)
    group_benchmark = rng.normal(size=(3, 4)) * np.sqrt(var_group[KIND][:, None] * noise)
    group_latent = rng.normal(size=(3, 2)) * np.sqrt(var_latent[KIND])[:, None]
    coefficients = p.coefficient_sd * rng.normal(size=(1, 2))
    x = np.where(np.asarray(data.x_missing) > 0, rng.normal(size=(6, 1)), np.asarray(data.x))
    mean = x @ coefficients + MEMBER @ group_latent
    heaviness = rng.gamma(2.0, size=(4, 1)) / 2.0
    var_factor, var_loading, var_bias = (
        variance(1, p.factor_b, 1), variance(1, p.loading_b), variance(1, p.bias_b)
    )  # fmt: skip
    mean_loading = rng.normal(p.mean_loading, p.mean_loading_sd)
    loading = rng.normal(mean_loading, np.sqrt(var_loading), (4, 1))
    weights = rng.normal(size=(4, 1)) * np.sqrt(var_factor / heaviness)
    nu = rng.choice(p.nu_grid)
    var_family = variance(1, p.family_b)
    values = dict(
        bias=rng.normal(size=4) * np.sqrt(var_bias),
        slopes=np.concatenate([loading, weights], axis=1),
        latents=mean + rng.normal(size=(6, 2)),
        coefficients=coefficients,
        group_latent=group_latent,
        group_benchmark=group_benchmark,
        family=rng.normal(size=(6, 1)) * np.sqrt(var_family),
        covariates=x,
        noise_benchmark=noise,
        noise_model=variance(p.noise_model_shape, p.noise_model_shape, 6),
        mixing=rng.gamma(nu / 2, size=n) / (nu / 2),
        heaviness=heaviness,
        nu=nu,
        noise_level=level,
        mean_loading=mean_loading,
        var_bias=var_bias,
        var_loading=var_loading,
        var_factor=var_factor,
        var_group_latent=var_latent,
        var_group_benchmark=var_group,
        var_family=var_family,
    )
    return GibbsState(**{k: jnp.asarray(v, jnp.float32) for k, v in values.items()})


def scored(shape: GibbsShape = SHAPE) -> tuple[GibbsData, GibbsState]:
    """Scores and a state that have nothing to do with each other, in double precision.

    To be called, like all that follows with them, under ``jax.enable_x64(True)``.
    """
    rng = np.random.default_rng(11)
    data = tiny_data(shape)
    state = prior_state(rng, data)
    data = data._replace(z=jnp.asarray(rng.normal(size=SHAPE.n_readings)) * data.present)
    return jax.tree.map(_double, data), jax.tree.map(_double, state)


def _double(leaf: jax.Array) -> jax.Array:
    return leaf.astype(jnp.float64) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf


def eta_of(state: GibbsState) -> np.ndarray:
    """Linear predictor of every cell, (M, B)."""
    s = {name: np.asarray(value, np.float64) for name, value in state._asdict().items()}
    eta = s["bias"] + s["latents"] @ s["slopes"].T
    return np.asarray(eta + MEMBER @ s["group_benchmark"] + s["family"] @ IN_FAMILY.T)


def log_joint(
    state: GibbsState, data: GibbsData, *, summed: bool = False, part: np.ndarray | None = None
) -> float:
    """Log joint density of scores and state, over variances and mixing weights.

    With `summed`, the mixing weights are summed out: the scores are Student-t. With `part`, that of
    the noise in the residuals (times the root of the mixing weights) too, the error being the rest.
    """
    s = {name: np.asarray(value, np.float64) for name, value in state._asdict().items()}
    p = SHAPE.spec.priors

    def inverse_gamma(value: np.ndarray, shape: float, scale: float) -> float:
        return float(stats.invgamma(shape, scale=scale).logpdf(value).sum())

    def normal(value: np.ndarray, mean: np.ndarray | float, variance: np.ndarray | float) -> float:
        return float(stats.norm(mean, np.sqrt(variance)).logpdf(value).sum())

    total = inverse_gamma(s["var_bias"], 1, p.bias_b)
    total += inverse_gamma(s["var_loading"], 1, p.loading_b)
    total += inverse_gamma(s["var_factor"], 1, p.factor_b)
    total += inverse_gamma(s["var_group_latent"], 1, p.group_latent_b)
    total += inverse_gamma(s["var_group_benchmark"], 1, p.group_benchmark_b)
    total += inverse_gamma(s["var_family"], 1, p.family_b)
    total += inverse_gamma(s["noise_model"], p.noise_model_shape, p.noise_model_shape)
    total += inverse_gamma(s["noise_benchmark"], p.noise_shape, p.noise_shape * s["noise_level"])
    level = stats.gamma(p.noise_level_shape, scale=1 / p.noise_level_rate)
    total += float(level.logpdf(s["noise_level"]))
    total += normal(s["mean_loading"], p.mean_loading, p.mean_loading_sd**2)
    total += normal(s["bias"], 0.0, s["var_bias"])
    total += normal(s["slopes"][:, 0], s["mean_loading"], s["var_loading"])
    total += normal(s["slopes"][:, 1:], 0.0, s["var_factor"] / s["heaviness"])
    total += float(stats.gamma(2.0, scale=0.5).logpdf(s["heaviness"]).sum())
    total += normal(s["coefficients"], 0.0, p.coefficient_sd**2)
    total += normal(s["covariates"][np.asarray(data.x_missing) > 0], 0.0, 1.0)
    total += normal(s["group_latent"], 0.0, s["var_group_latent"][KIND][:, None])
    spread = s["var_group_benchmark"][KIND][:, None] * s["noise_benchmark"]
    total += normal(s["group_benchmark"], 0.0, spread)
    total += normal(s["family"], 0.0, s["var_family"])
    mean = s["covariates"] @ s["coefficients"] + MEMBER @ s["group_latent"]
    total += normal(s["latents"], mean, 1.0)
    nu, n = float(s["nu"]), len(CELLS)
    row, col = CELLS.T
    z, eta = np.asarray(data.z, np.float64)[:n], eta_of(state)[row, col]
    noise, error = s["noise_benchmark"][col] * s["noise_model"][row], np.asarray(data.error)[:n]
    variance = noise + error
    if summed:
        return float(total + stats.t(nu, eta, np.sqrt(variance)).logpdf(z).sum())
    mixing = s["mixing"][:n]
    total += float(stats.gamma(nu / 2, scale=2 / nu).logpdf(mixing).sum())
    if part is None:
        return total + normal(z, eta, variance / mixing)
    return (
        total
        + normal(part[:n], 0.0, noise)
        + normal(z, eta + part[:n] / np.sqrt(mixing), error / mixing)
    )
