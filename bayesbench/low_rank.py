"""The low-rank model as a NumPyro callable, and the plain arrays it is fitted to.

`low_rank_model` states the joint density in its natural form; `parametrised_model` is the same
density in the coordinates that samplers run on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.scipy.special import gammaln, logsumexp
from numpy.typing import NDArray
from numpyro.distributions.transforms import PowerTransform
from numpyro.infer.reparam import LocScaleReparam

from .config import ModelSpec
from .families import BenchmarkFamilies
from .features import ModelFeatures
from .linear_predictor import latent_mean, linear_predictor
from .parameters import DRAW_DIMS
from .scores.matrix import ScoreMatrix
from .transforms import Transform

__all__ = [
    "TrainingData",
    "draw_nu",
    "low_rank_model",
    "nu_log_weights",
    "parametrised_model",
    "site_dims",
]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Observed cells and model features as plain arrays: what every sampler is given.

    Attributes
    ----------
    z : array (n,)
        Observed scores on the latent scale (reading 1).
    row, col : integer arrays (n,)
        Model and benchmark index of each observed cell.
    x : array (M, P)
        Standardised covariates of the models, NaN where missing.
    groups : array (M, G)
        Membership of the models in the groups.
    group_kind : integer array (G,)
        Index of each group's kind (provider, ...).
    n_models, n_benchmarks, n_kinds : int
    families : array (B, Q)
        Membership of the benchmarks in the families.
    """

    z: NDArray[np.float64]
    row: NDArray[np.intp]
    col: NDArray[np.intp]
    x: NDArray[np.float64]
    groups: NDArray[np.float64]
    group_kind: NDArray[np.intp]
    n_models: int
    n_benchmarks: int
    n_kinds: int
    families: NDArray[np.float64]

    @classmethod
    def from_matrix(
        cls,
        matrix: ScoreMatrix,
        transform: Transform,
        features: ModelFeatures,
        families: BenchmarkFamilies,
    ) -> TrainingData:
        """Observed cells of ``matrix`` on the latent scale, with the features of its models."""
        row, col = np.nonzero(matrix.observed)
        z = transform.to_latent(matrix.values)[row, col]
        return cls(
            z=z,
            row=row,
            col=col,
            x=features.x,
            groups=features.groups,
            group_kind=np.asarray(features.group_kind, dtype=np.intp),
            n_models=matrix.shape[0],
            n_benchmarks=matrix.shape[1],
            n_kinds=len(features.kinds),
            families=families.members.reshape(matrix.shape[1], len(families.names)),
        )

    @property
    def n_cells(self) -> int:
        """Number of observed cells."""
        return len(self.z)


def site_dims(spec: ModelSpec, data: TrainingData) -> dict[str, tuple[str, ...]]:
    """Parameters present under ``spec``, with the dims after ``chain`` and ``draw``.

    A part is absent when it is switched off, or when there is nothing for it to act on
    (no covariates, no groups, rank 0).
    """
    absent: set[str] = set()
    if not spec.rank:
        absent |= {"weights", "factors", "scale_factor"}
    if not data.x.shape[1]:
        absent |= {"coefficients"}
    if not (spec.group_latents and data.groups.shape[1]):
        absent |= {"group_latent", "scale_group_latent"}
    if not (spec.group_benchmarks and data.groups.shape[1]):
        absent |= {"group_benchmark", "scale_group_benchmark"}
    if not data.families.shape[1]:
        absent |= {"family", "scale_family"}
    if not spec.model_noise:
        absent |= {"noise_model"}
    if not spec.student_t:
        absent |= {"nu"}
    return {name: dims for name, dims in DRAW_DIMS.items() if name not in absent}


def _root_inverse_gamma(shape: float, scale: float | jax.Array) -> dist.Distribution:
    """Distribution of a scale whose square is ``InvGamma(shape, scale)``."""
    return dist.TransformedDistribution(dist.InverseGamma(shape, scale), PowerTransform(0.5))


def low_rank_model(data: TrainingData, spec: ModelSpec, *, levels: bool = False) -> None:
    """Joint density of the low-rank model (NumPyro callable).

    Scores on the latent scale are ``z_ij ~ StudentT(nu, eta_ij, noise_benchmark_j *
    noise_model_i)`` with eta from `linear_predictor`; a model's latents (ability, factors) are
    ``Normal(latent_mean, I)``; biases, loadings, factor weights (Student-t(4) if
    ``heavy_loadings``), group and family effects are centred at zero or at ``mean_loading``, each
    with a scale whose square is inverse-gamma (`Priors`). A missing covariate is ``Normal(0, 1)``.
    The degrees of freedom ``nu`` are summed out over their grid; `draw_nu` draws them afterwards.

    Parameters
    ----------
    data : TrainingData
    spec : ModelSpec
    levels : bool
        Sample each benchmark's mean eta over its observed cells in place of its bias.

    Notes
    -----
    Plates carry the names of the dims: model, benchmark, factor, covariate, latent, group, kind.
    Everything is on the latent scale.
    """
    sites = site_dims(spec, data)
    params = _benchmark_side(data, spec)
    if "scale_group_latent" in sites or "scale_group_benchmark" in sites:
        params |= _group_effects(data, spec, params, sites)
    params |= _model_side(data, spec, params, sites)
    params["benchmark_bias"] = _benchmark_bias(data, params, levels)
    residual, scale = _residuals(params, data)
    numpyro.factor("z", _log_likelihood(residual / scale, scale, spec))


def _eta(params: Mapping[str, jax.Array], data: TrainingData) -> jax.Array:
    return jnp.asarray(
        linear_predictor(params, jnp.asarray(data.groups), jnp.asarray(data.families))
    )


def _residuals(
    params: Mapping[str, jax.Array], data: TrainingData
) -> tuple[jax.Array, jax.Array]:
    """Residual and noise scale of every observed cell."""
    residual = jnp.asarray(data.z) - _eta(params, data)[data.row, data.col]
    scale = params["noise_benchmark"][data.col]
    if "noise_model" in params:
        scale = scale * params["noise_model"][data.row]
    return residual, scale


def _benchmark_side(data: TrainingData, spec: ModelSpec) -> dict[str, jax.Array]:
    priors, n = spec.priors, data.n_benchmarks
    out: dict[str, jax.Array] = {}
    out["scale_bias"] = numpyro.sample("scale_bias", _root_inverse_gamma(1.0, priors.bias_b))
    out["scale_loading"] = numpyro.sample(
        "scale_loading", _root_inverse_gamma(1.0, priors.loading_b)
    )
    out["mean_loading"] = numpyro.sample(
        "mean_loading", dist.Normal(priors.mean_loading, priors.mean_loading_sd)
    )
    out["noise_level"] = numpyro.sample(
        "noise_level", dist.Gamma(priors.noise_level_shape, priors.noise_level_rate)
    )
    with numpyro.plate("benchmark", n):
        out["loading"] = numpyro.sample(
            "loading", dist.Normal(out["mean_loading"], out["scale_loading"])
        )
        out["noise_benchmark"] = numpyro.sample(
            "noise_benchmark",
            _root_inverse_gamma(priors.noise_shape, priors.noise_shape * out["noise_level"]),
        )
    if spec.rank:
        with numpyro.plate("factor", spec.rank):
            out["scale_factor"] = numpyro.sample(
                "scale_factor", _root_inverse_gamma(1.0, priors.factor_b)
            )
        prior = (
            dist.StudentT(4.0, 0.0, out["scale_factor"])
            if spec.heavy_loadings
            else dist.Normal(0.0, out["scale_factor"])
        )
        with numpyro.plate("benchmark", n, dim=-2), numpyro.plate("factor", spec.rank, dim=-1):
            out["weights"] = numpyro.sample("weights", prior)
    return out


def _benchmark_bias(
    data: TrainingData, params: Mapping[str, jax.Array], levels: bool
) -> jax.Array:
    """Sample the biases, or equivalently each benchmark's mean eta over its observed cells.

    The level differs from the bias by a term that does not depend on the bias, so the Jacobian
    is one; the data speak about the level almost independently of slopes and latents.
    """
    scale = params["scale_bias"]
    if not levels:
        with numpyro.plate("benchmark", data.n_benchmarks):
            bias: jax.Array = numpyro.sample("benchmark_bias", dist.Normal(0.0, scale))
        return bias
    unbiased = {**params, "benchmark_bias": jnp.zeros(data.n_benchmarks)}
    observed = np.zeros((data.n_models, data.n_benchmarks))
    observed[data.row, data.col] = 1.0
    share = jnp.asarray(observed / np.maximum(observed.sum(0), 1.0))
    offset = (share * _eta(unbiased, data)).sum(0)
    with numpyro.plate("benchmark", data.n_benchmarks):
        level = numpyro.sample("benchmark_level", dist.Normal(offset, scale))
        bias = numpyro.deterministic("benchmark_bias", level - offset)
    return bias


def _group_effects(
    data: TrainingData,
    spec: ModelSpec,
    params: Mapping[str, jax.Array],
    sites: Mapping[str, tuple[str, ...]],
) -> dict[str, jax.Array]:
    priors, kind = spec.priors, data.group_kind
    n_groups, n_latents = data.groups.shape[1], 1 + spec.rank
    out: dict[str, jax.Array] = {}
    with numpyro.plate("kind", data.n_kinds):
        for part, b in (("latent", priors.group_latent_b), ("benchmark", priors.group_benchmark_b)):
            name = f"scale_group_{part}"
            if name in sites:
                out[name] = numpyro.sample(name, _root_inverse_gamma(1.0, b))
    with numpyro.plate("group", n_groups, dim=-2):
        if "group_latent" in sites:
            with numpyro.plate("latent", n_latents, dim=-1):
                out["group_latent"] = numpyro.sample(
                    "group_latent", dist.Normal(0.0, out["scale_group_latent"][kind][:, None])
                )
        if "group_benchmark" in sites:
            scale = out["scale_group_benchmark"][kind][:, None] * params["noise_benchmark"]
            with numpyro.plate("benchmark", data.n_benchmarks, dim=-1):
                out["group_benchmark"] = numpyro.sample("group_benchmark", dist.Normal(0.0, scale))
    return out


def _model_side(
    data: TrainingData,
    spec: ModelSpec,
    params: Mapping[str, jax.Array],
    sites: Mapping[str, tuple[str, ...]],
) -> dict[str, jax.Array]:
    out: dict[str, jax.Array] = {}
    if "coefficients" in sites:
        shape = (data.x.shape[1], 1 + spec.rank)
        with numpyro.plate("covariate", shape[0], dim=-2), numpyro.plate("latent", shape[1]):
            out["coefficients"] = numpyro.sample(
                "coefficients", dist.Normal(0.0, spec.priors.coefficient_sd)
            )
    mean = latent_mean({**params, **out}, _filled_covariates(data), jnp.asarray(data.groups))
    mean = jnp.broadcast_to(mean, (data.n_models, 1 + spec.rank))
    with numpyro.plate("model", data.n_models):
        out["ability"] = numpyro.sample("ability", dist.Normal(mean[:, 0], 1.0))
        if spec.model_noise:
            shape_d = spec.priors.noise_model_shape
            out["noise_model"] = numpyro.sample(
                "noise_model", _root_inverse_gamma(shape_d, shape_d)
            )
    if spec.rank:
        with numpyro.plate("model", data.n_models, dim=-2), numpyro.plate("factor", spec.rank):
            out["factors"] = numpyro.sample("factors", dist.Normal(mean[:, 1:], 1.0))
    if "family" in sites:
        out["scale_family"] = numpyro.sample(
            "scale_family", _root_inverse_gamma(1.0, spec.priors.family_b)
        )
        shape = (data.n_models, data.families.shape[1])
        with numpyro.plate("model", shape[0], dim=-2), numpyro.plate("family_dim", shape[1]):
            out["family"] = numpyro.sample("family", dist.Normal(0.0, out["scale_family"]))
    return out


def _filled_covariates(data: TrainingData) -> jax.Array:
    """Covariates with the missing entries as standard normal parameters."""
    row, col = np.nonzero(np.isnan(data.x))
    x = jnp.nan_to_num(jnp.asarray(data.x))
    if not len(row):
        return x
    with numpyro.plate("missing", len(row)):
        missing = numpyro.sample("x_missing", dist.Normal(0.0, 1.0))
    return x.at[row, col].set(missing)


def nu_log_weights(standardised: jax.Array, spec: ModelSpec) -> jax.Array:
    """Log likelihood of the standardised residuals at every value of the ``nu`` grid.

    Parameters
    ----------
    standardised : array (n,)
        ``(z - eta) / (noise_benchmark * noise_model)`` of the observed cells.

    Returns
    -------
    array (n_grid,)
        ``sum_n log StudentT(standardised_n | nu)``: with the uniform prior on the grid, the
        unnormalised log posterior of ``nu`` given everything else.
    """
    nu = jnp.asarray(spec.priors.nu_grid)
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * jnp.log(nu * jnp.pi)
    tails = jnp.log1p(standardised**2 / nu[:, None]).sum(-1)
    return standardised.size * constant - (nu + 1) / 2 * tails


def _log_likelihood(standardised: jax.Array, scale: jax.Array, spec: ModelSpec) -> jax.Array:
    if spec.student_t:
        log_weights = nu_log_weights(standardised, spec)
        density = logsumexp(log_weights) - jnp.log(log_weights.size)
    else:
        density = dist.Normal(0.0, 1.0).log_prob(standardised).sum()
    return density - jnp.log(scale).sum()


def parametrised_model(spec: ModelSpec) -> Callable[[TrainingData, ModelSpec], None]:
    """`low_rank_model` in the form that samplers run on: the same density, rewritten.

    Biases are sampled through the benchmarks' levels, group x benchmark and family effects (most
    of them hardly informed by data) in units of their prior scale. Everything else is informed by
    many scores and stays as it is: on the 84 x 133 matrix the stiffest direction of the fully
    scale-free form is 11 times stiffer.
    """
    config = {name: LocScaleReparam(0.0) for name in ("group_benchmark", "family")}
    model: Callable[[TrainingData, ModelSpec], None] = numpyro.handlers.reparam(
        partial(low_rank_model, levels=True), config=config
    )
    return model


def draw_nu(
    key: jax.Array, params: Mapping[str, jax.Array], data: TrainingData, spec: ModelSpec
) -> jax.Array:
    """Draw the degrees of freedom from their conditional given all other parameters."""
    residual, scale = _residuals(params, data)
    log_weights = nu_log_weights(residual / scale, spec)
    return jnp.asarray(spec.priors.nu_grid)[jax.random.categorical(key, log_weights)]
