"""The low-rank model as a NumPyro callable, and the plain arrays it is fitted to.

`low_rank_model` states the joint density, with the degrees of freedom of the noise summed out;
`complete` draws those, and the effects that no score depends on, from their exact conditionals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.scipy.special import gammaln, log_ndtr, logsumexp
from numpy.typing import NDArray
from numpyro.distributions.transforms import PowerTransform

from ..scores.matrix import ScoreMatrix
from .eta import latent_mean, linear_predictor_at
from .families import BenchmarkFamilies
from .features import ModelFeatures
from .link import Transform
from .noise import Maths, log_constant, log_kernel, log_tail, log_weights_of_nu
from .parameters import DRAW_DIMS
from .readings import cell_readings, reporting_variance
from .spec import ModelSpec

JAX = Maths(jnp.log, jnp.log1p, gammaln, jnp.exp, jnp.sin, jnp.arctan2, jnp.where)
"""What `noise` needs of jax."""

__all__ = [
    "JAX",
    "TrainingData",
    "complete",
    "log_tails",
    "low_rank_model",
    "nu_log_weights",
    "site_dims",
]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Observed cells and model features as plain arrays: what every sampler is given.

    Attributes
    ----------
    z : array (n,)
        Observed scores on the latent scale: of each cell the mean of its readings, or the first.
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
    error : array (n,)
        Known variance of the error of each of them, beside the noise; 0 where nothing is known.
    beyond : int8 array (n,)
        +1 where the latent score is only known to be at least ``z``, -1 where at most, else 0.
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
    error: NDArray[np.float64]
    beyond: NDArray[np.int8]

    @classmethod
    def from_matrix(
        cls,
        matrix: ScoreMatrix,
        transform: Transform,
        features: ModelFeatures,
        families: BenchmarkFamilies,
        spec: ModelSpec,
    ) -> TrainingData:
        """Observed cells of ``matrix`` on the latent scale, with the features of its models.

        See `cell_readings` for the error of a reading.
        """
        reporting = np.zeros(matrix.shape[1])
        if spec.readings == "all":
            reporting = reporting_variance(matrix, transform)
        cells = cell_readings(matrix, transform, spec, reporting)
        return cls(
            z=cells.z,
            row=cells.row,
            col=cells.col,
            x=features.x,
            groups=features.groups,
            group_kind=np.asarray(features.group_kind, dtype=np.intp),
            n_models=matrix.shape[0],
            n_benchmarks=matrix.shape[1],
            n_kinds=len(features.kinds),
            families=families.members.reshape(matrix.shape[1], len(families.names)),
            error=cells.error,
            beyond=cells.beyond,
        )

    @property
    def n_cells(self) -> int:
        """Number of observed cells."""
        return len(self.z)

    @cached_property
    def observed(self) -> NDArray[np.float64]:
        """1 where a cell is observed, (M, B)."""
        observed = np.zeros((self.n_models, self.n_benchmarks))
        observed[self.row, self.col] = 1.0
        return observed

    @property
    def informed_groups(self) -> NDArray[np.bool_]:
        """Whether any member of a group has a score on a benchmark, (G, B)."""
        return np.asarray((self.groups != 0).T @ self.observed > 0)

    @property
    def informed_families(self) -> NDArray[np.bool_]:
        """Whether a model has a score on any benchmark of a family, (M, Q)."""
        return np.asarray(self.observed @ (self.families != 0) > 0)


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


class _GammaFrom(dist.Gamma):  # type: ignore[misc]  # numpyro is untyped
    """Gamma law cut off below ``least``; its density is not normalised again."""

    pytree_aux_fields = ("least",)

    def __init__(self, least: float, concentration: float, rate: float) -> None:
        self.least = least
        super().__init__(concentration, rate)

    @property
    def support(self) -> dist.constraints.Constraint:
        return dist.constraints.greater_than(self.least)

    def sample(self, key: jax.Array, sample_shape: tuple[int, ...] = ()) -> jax.Array:
        def again(state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            key, value = state
            key, key_fresh = jax.random.split(key)
            fresh = super(_GammaFrom, self).sample(key_fresh, sample_shape)
            return key, jnp.where(value < self.least, fresh, value)

        start = (key, jnp.full(self.shape(sample_shape), -jnp.inf))
        return jax.lax.while_loop(lambda state: (state[1] < self.least).any(), again, start)[1]


def low_rank_model(data: TrainingData, spec: ModelSpec) -> None:
    """Joint density of the low-rank model (NumPyro callable).

    Scores on the latent scale are ``z_ij ~ StudentT(nu, eta_ij, tau_ij)`` with eta from
    `linear_predictor` and ``tau_ij^2 = noise_benchmark_j^2 noise_model_i^2 + v_ij``, v the known
    variance of the reading's error; a reading at an end of its scale counts with the probability
    of a score there or beyond. A model's latents (ability, factors) are
    ``Normal(latent_mean, I)``; biases, loadings, factor weights (Student-t(4) if
    ``heavy_loadings``), group and family effects are centred at zero or at ``mean_loading``, each
    with a scale whose square is inverse-gamma (`Priors`). A missing covariate is ``Normal(0, 1)``.
    The degrees of freedom ``nu`` are summed out over their grid; `complete` draws them afterwards.

    Parameters
    ----------
    data : TrainingData
    spec : ModelSpec

    Notes
    -----
    Plates carry the names of the dims: model, benchmark, factor, covariate, latent, group, kind.
    Everything is on the latent scale.
    """
    sites = site_dims(spec, data)
    params = _benchmark_side(data, spec)
    params |= _model_noise(data, spec)
    params |= _group_effects(data, spec, params, sites)
    params |= _family_effects(data, spec, sites)
    params |= _latents(data, spec, params, sites)
    numpyro.factor("z", _log_likelihood(params, data, spec))


def _noise_scale(params: Mapping[str, jax.Array], data: TrainingData) -> jax.Array:
    """Noise scale of the observed cells, the known variances of their errors included."""
    scale = params["noise_benchmark"][data.col]
    if "noise_model" in params:
        scale = scale * params["noise_model"][data.row]
    if data.error.any():
        scale = jnp.sqrt(scale**2 + jnp.asarray(data.error))
    return jnp.asarray(scale)


def _standardised(params: Mapping[str, jax.Array], data: TrainingData) -> jax.Array:
    """Residuals of the observed cells in units of their noise scale."""
    eta = linear_predictor_at(params, data.row, data.col, data.groups, data.families, whole=True)
    return jnp.asarray((jnp.asarray(data.z) - eta) / _noise_scale(params, data))


def _log_noise_scales(params: Mapping[str, jax.Array], data: TrainingData) -> jax.Array:
    """Sum of the log noise scale over the cells whose score is known."""
    if data.error.any():
        return jnp.log(_noise_scale(params, data)[data.beyond == 0]).sum()
    known = np.zeros_like(data.observed)
    known[data.row, data.col] = data.beyond == 0
    total = jnp.asarray(known.sum(0)) @ jnp.log(params["noise_benchmark"])
    if "noise_model" in params:
        total = total + jnp.asarray(known.sum(1)) @ jnp.log(params["noise_model"])
    return total


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
        "noise_level",
        _GammaFrom(priors.noise_level_least, priors.noise_level_shape, priors.noise_level_rate),
    )
    with numpyro.plate("benchmark", n):
        out["benchmark_bias"] = numpyro.sample(
            "benchmark_bias", dist.Normal(0.0, out["scale_bias"])
        )
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


def _model_noise(data: TrainingData, spec: ModelSpec) -> dict[str, jax.Array]:
    if not spec.model_noise:
        return {}
    shape = spec.priors.noise_model_shape
    with numpyro.plate("model", data.n_models):
        return {"noise_model": numpyro.sample("noise_model", _root_inverse_gamma(shape, shape))}


def _group_effects(
    data: TrainingData,
    spec: ModelSpec,
    params: Mapping[str, jax.Array],
    sites: Mapping[str, tuple[str, ...]],
) -> dict[str, jax.Array]:
    priors, kind = spec.priors, data.group_kind
    out: dict[str, jax.Array] = {}
    for part, b in (("latent", priors.group_latent_b), ("benchmark", priors.group_benchmark_b)):
        name = f"scale_group_{part}"
        if name in sites:
            with numpyro.plate("kind", data.n_kinds):
                out[name] = numpyro.sample(name, _root_inverse_gamma(1.0, b))
    if "group_latent" in sites:
        scale = out["scale_group_latent"][kind][:, None]
        with (
            numpyro.plate("group", data.groups.shape[1], dim=-2),
            numpyro.plate("latent", 1 + spec.rank, dim=-1),
        ):
            out["group_latent"] = numpyro.sample("group_latent", dist.Normal(0.0, scale))
    if "group_benchmark" in sites:
        scale = out["scale_group_benchmark"][kind][:, None] * params["noise_benchmark"]
        with (
            numpyro.plate("group", data.groups.shape[1], dim=-2),
            numpyro.plate("benchmark", data.n_benchmarks, dim=-1),
        ):
            out["group_benchmark"] = numpyro.sample("group_benchmark", dist.Normal(0.0, scale))
    return out


def _family_effects(
    data: TrainingData, spec: ModelSpec, sites: Mapping[str, tuple[str, ...]]
) -> dict[str, jax.Array]:
    if "family" not in sites:
        return {}
    scale = numpyro.sample("scale_family", _root_inverse_gamma(1.0, spec.priors.family_b))
    with (
        numpyro.plate("model", data.n_models, dim=-2),
        numpyro.plate("benchmark_family", data.families.shape[1], dim=-1),
    ):
        effects = numpyro.sample("family", dist.Normal(0.0, scale))
    return {"scale_family": scale, "family": effects}


def _latents(
    data: TrainingData,
    spec: ModelSpec,
    params: Mapping[str, jax.Array],
    sites: Mapping[str, tuple[str, ...]],
) -> dict[str, jax.Array]:
    out: dict[str, jax.Array] = {}
    if "coefficients" in sites:
        with (
            numpyro.plate("covariate", data.x.shape[1], dim=-2),
            numpyro.plate("latent", 1 + spec.rank, dim=-1),
        ):
            out["coefficients"] = numpyro.sample(
                "coefficients", dist.Normal(0.0, spec.priors.coefficient_sd)
            )
    mean = latent_mean({**params, **out}, _filled_covariates(data), jnp.asarray(data.groups))
    mean = jnp.broadcast_to(mean, (data.n_models, 1 + spec.rank))
    with numpyro.plate("model", data.n_models):
        out["ability"] = numpyro.sample("ability", dist.Normal(mean[:, 0], 1.0))
    if spec.rank:
        with (
            numpyro.plate("model", data.n_models, dim=-2),
            numpyro.plate("factor", spec.rank, dim=-1),
        ):
            out["factors"] = numpyro.sample("factors", dist.Normal(mean[:, 1:], 1.0))
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


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def log_tails(distance: jax.Array, nu: tuple[float, ...]) -> jax.Array:
    """Log probability of standard Student-t noise of at least `distance` (E,) per `nu`, (V, E)."""
    return jnp.asarray(log_tail(distance[None, :], jnp.asarray(nu)[:, None], JAX))


@log_tails.defjvp
def _slope_of_log_tails(nu: tuple[float, ...], primals: Any, tangents: Any) -> Any:
    (distance,), (change,) = primals, tangents
    grid, out = jnp.asarray(nu)[:, None], log_tails(distance, nu)
    log_density = log_constant(grid, JAX) + log_kernel(distance**2, grid, JAX)
    return out, -jnp.exp(log_density - out) * change


def nu_log_weights(
    standardised: jax.Array, spec: ModelSpec, beyond: NDArray[np.int8] | None = None
) -> jax.Array:
    """Log likelihood of the standardised residuals at every value of the ``nu`` grid.

    Parameters
    ----------
    standardised : array (n,)
        ``(z - eta) / tau`` of the observed cells, ``tau`` their noise scale.
    spec : ModelSpec
    beyond : int8 array (n,), optional
        As in `TrainingData`; by default all scores are known.

    Returns
    -------
    array (n_grid,)
        ``sum_n log StudentT(standardised_n | nu)``, with the log probability of the tail for those
        at an end: with the uniform prior on the grid, the unnormalised log posterior of ``nu``
        given everything else.
    """
    grid = jnp.asarray(spec.priors.nu_grid)
    if beyond is None or not beyond.any():
        return jnp.asarray(log_weights_of_nu(standardised**2, grid, JAX))
    at_end = np.flatnonzero(beyond)
    known = log_weights_of_nu(standardised[beyond == 0] ** 2, grid, JAX)
    tails = log_tails(beyond[at_end] * standardised[at_end], tuple(spec.priors.nu_grid))
    return jnp.asarray(known + tails.sum(1))


def _log_likelihood(
    params: Mapping[str, jax.Array], data: TrainingData, spec: ModelSpec
) -> jax.Array:
    standardised = _standardised(params, data)
    if spec.student_t:
        log_weights = nu_log_weights(standardised, spec, data.beyond)
        density = logsumexp(log_weights) - jnp.log(log_weights.size)
    else:
        known, at_end = data.beyond == 0, np.flatnonzero(data.beyond)
        density = dist.Normal(0.0, 1.0).log_prob(standardised[known]).sum()
        density = density + log_ndtr(-data.beyond[at_end] * standardised[at_end]).sum()
    return jnp.asarray(density - _log_noise_scales(params, data))


def complete(
    key: jax.Array, params: Mapping[str, jax.Array], data: TrainingData, spec: ModelSpec
) -> dict[str, jax.Array]:
    """Draw what samplers leave out, each from its exact conditional given the rest.

    These are the degrees of freedom ``nu``, and the group x benchmark and family effects that no
    score depends on: given the scales they are independent of the data. The values of the latter
    in ``params`` are not looked at.
    """
    out = dict(params)
    noise, groups, families = jax.random.split(key, 3)
    if spec.student_t:
        log_weights = nu_log_weights(_standardised(params, data), spec, data.beyond)
        grid = jnp.asarray(spec.priors.nu_grid)
        out["nu"] = grid[jax.random.categorical(noise, log_weights)]
    if "group_benchmark" in params:
        scale = params["scale_group_benchmark"][data.group_kind][:, None]
        scale = scale * params["noise_benchmark"]
        drawn = scale * jax.random.normal(groups, scale.shape)
        informed = jnp.asarray(data.informed_groups)
        out["group_benchmark"] = jnp.where(informed, params["group_benchmark"], drawn)
    if "family" in params:
        informed = jnp.asarray(data.informed_families)
        drawn = params["scale_family"] * jax.random.normal(families, informed.shape)
        out["family"] = jnp.where(informed, params["family"], drawn)
    return out
