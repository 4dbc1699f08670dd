"""The NumPyro model against log densities written out with scipy, and what samplers leave out."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import pytest
from numpyro.infer.util import log_density
from scipy import stats
from scipy.special import logsumexp

from bayesbench.low_rank.density import (
    TrainingData,
    _GammaFrom,
    complete,
    low_rank_model,
    nu_log_weights,
    site_dims,
)
from bayesbench.low_rank.parameters import DRAW_DIMS
from bayesbench.low_rank.simulate import Simulation, simulate
from bayesbench.low_rank.spec import ModelSpec

SMALL = ModelSpec(rank=2)


def small(spec: ModelSpec = SMALL, missing: float = 0.3, fill: float = 0.6) -> Simulation:
    return simulate(3, 9, 14, spec, fill=fill, n_providers=3, missing_covariates=missing)


def training(simulation: Simulation) -> TrainingData:
    return TrainingData.from_matrix(
        simulation.matrix, simulation.transform, simulation.features, simulation.families
    )


def log_inverse_gamma_root(scale: np.ndarray, shape: float, rate: float) -> float:
    """Log density of a scale whose square is InvGamma(shape, rate)."""
    law = stats.invgamma(shape, scale=rate)
    return float((law.logpdf(scale**2) + np.log(2 * scale)).sum())


def log_joint(p: dict[str, np.ndarray], x_missing: np.ndarray, s: Simulation) -> float:
    """The joint density of design and priors, term by term."""
    spec, prior = s.spec, s.spec.priors
    groups, kind = s.features.groups, s.features.group_kind
    total = log_inverse_gamma_root(p["scale_bias"], 1, prior.bias_b)
    total += log_inverse_gamma_root(p["scale_loading"], 1, prior.loading_b)
    total += stats.norm(prior.mean_loading, prior.mean_loading_sd).logpdf(p["mean_loading"])
    level = stats.gamma(prior.noise_level_shape, scale=1 / prior.noise_level_rate)
    total += level.logpdf(p["noise_level"])
    total += stats.norm(0, p["scale_bias"]).logpdf(p["benchmark_bias"]).sum()
    total += stats.norm(p["mean_loading"], p["scale_loading"]).logpdf(p["loading"]).sum()
    a = prior.noise_shape
    total += log_inverse_gamma_root(p["noise_benchmark"], a, a * p["noise_level"])
    if spec.rank:
        total += log_inverse_gamma_root(p["scale_factor"], 1, prior.factor_b)
        unit = stats.t(4) if spec.heavy_loadings else stats.norm()
        scaled = unit.logpdf(p["weights"] / p["scale_factor"]) - np.log(p["scale_factor"])
        total += scaled.sum()
    mean = np.zeros((len(groups), 1 + spec.rank))
    if "coefficients" in p:
        x = s.features.x.copy()
        x[np.isnan(x)] = x_missing
        total += stats.norm().logpdf(x_missing).sum()
        total += stats.norm(0, prior.coefficient_sd).logpdf(p["coefficients"]).sum()
        mean += x @ p["coefficients"]
    if "group_latent" in p:
        scale = p["scale_group_latent"]
        total += log_inverse_gamma_root(scale, 1, prior.group_latent_b)
        total += stats.norm(0, scale[kind][:, None]).logpdf(p["group_latent"]).sum()
        mean += groups @ p["group_latent"]
    if "group_benchmark" in p:
        scale = p["scale_group_benchmark"]
        total += log_inverse_gamma_root(scale, 1, prior.group_benchmark_b)
        spread = scale[kind][:, None] * p["noise_benchmark"]
        total += stats.norm(0, spread).logpdf(p["group_benchmark"]).sum()
    if "family" in p:
        total += log_inverse_gamma_root(p["scale_family"], 1, prior.family_b)
        total += stats.norm(0, p["scale_family"]).logpdf(p["family"]).sum()
    total += stats.norm(mean[:, 0], 1).logpdf(p["ability"]).sum()
    if spec.rank:
        total += stats.norm(mean[:, 1:], 1).logpdf(p["factors"]).sum()
    if spec.model_noise:
        shape = prior.noise_model_shape
        total += log_inverse_gamma_root(p["noise_model"], shape, shape)
    return float(total + log_likelihood(p, s))


def log_likelihood(p: dict[str, np.ndarray], s: Simulation) -> float:
    z = s.transform.to_latent(s.matrix.values)
    scale = np.broadcast_to(p["noise_benchmark"], z.shape)
    if s.spec.model_noise:
        scale = scale * p["noise_model"][:, None]
    standard, seen = (z - p["eta"]) / scale, s.matrix.observed
    if not s.spec.student_t:
        return float((stats.norm().logpdf(standard) - np.log(scale))[seen].sum())
    per_nu = [
        (stats.t(nu).logpdf(standard) - np.log(scale))[seen].sum() for nu in s.spec.priors.nu_grid
    ]
    return float(logsumexp(per_nu) - np.log(len(per_nu)))


SWITCHES = {
    "everything": {},
    "rank 0": {"rank": 0},
    "normal noise": {"student_t": False},
    "no model noise": {"model_noise": False},
    "normal weights": {"heavy_loadings": False},
    "no covariates": {"covariates": ()},
    "no groups": {"groups": ()},
    "provider only": {"groups": ("provider",)},
    "no group latents": {"group_latents": False},
    "no group benchmarks": {"group_benchmarks": False},
    "no families": {"families": False},
}
GONE = {
    "everything": set(),
    "rank 0": {"weights", "factors", "scale_factor"},
    "normal noise": {"nu"},
    "no model noise": {"noise_model"},
    "normal weights": set(),
    "no covariates": {"coefficients"},
    "no groups": {
        "group_latent",
        "group_benchmark",
        "scale_group_latent",
        "scale_group_benchmark",
    },
    "provider only": set(),
    "no group latents": {"group_latent", "scale_group_latent"},
    "no group benchmarks": {"group_benchmark", "scale_group_benchmark"},
    "no families": {"family", "scale_family"},
}


@pytest.mark.parametrize("name", SWITCHES)
def test_joint_density_is_the_product_of_its_terms(name: str) -> None:
    simulation = small(replace(SMALL, **SWITCHES[name]))
    truth = dict(simulation.truth)
    n_missing = int(np.isnan(simulation.features.x).sum())
    x_missing = np.random.default_rng(0).normal(size=n_missing)
    sites = {k: v for k, v in truth.items() if k not in ("eta", "nu")}
    if n_missing:
        sites["x_missing"] = x_missing
    data = training(simulation)
    with jax.enable_x64(True):
        value, trace = log_density(low_rank_model, (data, simulation.spec), {}, sites)
        expected = log_joint(truth, x_missing, simulation)
        np.testing.assert_allclose(float(value), expected, rtol=1e-10)
    sampled = {k for k, site in trace.items() if site["type"] == "sample" and k in DRAW_DIMS}
    assert sampled == set(DRAW_DIMS) - {"nu"} - GONE[name]
    assert set(site_dims(simulation.spec, data)) == set(DRAW_DIMS) - GONE[name]
    assert set(truth) - {"eta"} == set(DRAW_DIMS) - GONE[name]


def test_a_wrong_density_would_be_seen() -> None:
    """The comparison above has teeth: another prior constant moves the density by far more."""
    simulation = small()
    other = replace(SMALL, priors=replace(SMALL.priors, noise_shape=3.0))
    x = np.zeros(int(np.isnan(simulation.features.x).sum()))
    here = log_joint(dict(simulation.truth), x, simulation)
    there = log_joint(dict(simulation.truth), x, replace(simulation, spec=other))
    assert abs(here - there) > 1e-3


def test_noise_level_has_a_bound() -> None:
    """Draws respect it, and samplers move above it."""
    law = _GammaFrom(0.3, 2.0, 8.0)
    drawn = np.asarray(law.sample(jax.random.PRNGKey(0), (20_000,)))
    whole = stats.gamma(2.0, scale=1 / 8.0)
    assert stats.kstest(whole.sf(drawn) / whole.sf(0.3), "uniform").pvalue > 1e-3
    above = numpyro.distributions.biject_to(law.support)(jnp.linspace(-20.0, 2.0, 50))
    assert float(above.min()) >= 0.3
    assert float(law.log_prob(0.5)) == pytest.approx(whole.logpdf(0.5), rel=1e-5)


def test_plates_are_named_as_dims() -> None:
    simulation = small()
    tracer = numpyro.handlers.trace(numpyro.handlers.seed(low_rank_model, 0))
    jax.eval_shape(lambda: tracer(training(simulation), simulation.spec))
    trace = tracer.trace
    for name, dims in site_dims(simulation.spec, training(simulation)).items():
        if name == "nu":
            continue
        frames = sorted(trace[name]["cond_indep_stack"], key=lambda frame: frame.dim)
        names = tuple(frame.name for frame in frames)
        assert names == dims, name


def test_training_data_holds_the_observed_cells() -> None:
    simulation = small()
    data = training(simulation)
    assert data.n_cells == simulation.matrix.n_cells
    np.testing.assert_array_equal(data.observed > 0, simulation.matrix.observed)
    np.testing.assert_allclose(data.z, simulation.z_full[data.row, data.col], atol=1e-8)
    assert data.families.shape == (14, len(simulation.families.names))


def test_informed_effects_are_those_with_a_score() -> None:
    data = training(small(fill=0.3))
    for g in range(data.groups.shape[1]):
        for j in range(data.n_benchmarks):
            members = np.flatnonzero(data.groups[:, g])
            assert data.informed_groups[g, j] == any(data.observed[i, j] for i in members)
    for i in range(data.n_models):
        for q in range(data.families.shape[1]):
            members = np.flatnonzero(data.families[:, q])
            assert data.informed_families[i, q] == any(data.observed[i, j] for j in members)


def test_nu_weights_are_student_t_densities() -> None:
    residuals = np.random.default_rng(4).standard_t(3, 50)
    weights = np.asarray(nu_log_weights(jnp.asarray(residuals), SMALL))
    expected = [stats.t(nu).logpdf(residuals).sum() for nu in SMALL.priors.nu_grid]
    np.testing.assert_allclose(weights, expected, rtol=1e-5)


def test_what_samplers_leave_out_comes_from_its_conditional() -> None:
    simulation = small(fill=0.3)
    data, spec = training(simulation), simulation.spec
    params = {k: jnp.asarray(v) for k, v in simulation.truth.items() if k not in ("eta", "nu")}
    keys = jax.random.split(jax.random.key(0), 4000)
    draws = jax.jit(jax.vmap(lambda key: complete(key, params, data, spec)))(keys)

    kept = np.asarray(draws["group_benchmark"])[:, data.informed_groups]
    truth = simulation.truth["group_benchmark"][data.informed_groups]
    np.testing.assert_allclose(kept, np.broadcast_to(truth, kept.shape), rtol=1e-6)
    scale = simulation.truth["scale_group_benchmark"][data.group_kind][:, None]
    unit = np.asarray(draws["group_benchmark"]) / (scale * simulation.truth["noise_benchmark"])
    free = unit[:, ~data.informed_groups].ravel()
    assert stats.kstest(free, stats.norm().cdf).pvalue > 1e-3
    free = np.asarray(draws["family"])[:, ~data.informed_families].ravel()
    law = stats.norm(0, float(simulation.truth["scale_family"]))
    assert stats.kstest(free, law.cdf).pvalue > 1e-3

    z = simulation.transform.to_latent(simulation.matrix.values)
    scale = simulation.truth["noise_benchmark"] * simulation.truth["noise_model"][:, None]
    standard = ((z - simulation.truth["eta"]) / scale)[simulation.matrix.observed]
    log_weights = np.array([stats.t(nu).logpdf(standard).sum() for nu in spec.priors.nu_grid])
    expected = 4000 * np.exp(log_weights - logsumexp(log_weights))
    counts = np.array([(np.asarray(draws["nu"]) == nu).sum() for nu in spec.priors.nu_grid])
    assert stats.chisquare(counts, expected).pvalue > 1e-3
