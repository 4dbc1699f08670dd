"""The NumPyro model against log densities written out with scipy, and what samplers leave out."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import pytest
from numpyro.infer.util import log_density
from scipy import integrate, stats
from scipy.special import logsumexp

from bayesbench.low_rank.density import (
    TrainingData,
    _GammaFrom,
    _log_likelihood,
    complete,
    log_tails,
    low_rank_model,
    nu_log_weights,
    site_dims,
)
from bayesbench.low_rank.parameters import DRAW_DIMS
from bayesbench.low_rank.simulate import Simulation, simulate
from bayesbench.low_rank.spec import ModelSpec, Priors

SMALL = ModelSpec(rank=2)


def small(spec: ModelSpec = SMALL, missing: float = 0.3, fill: float = 0.6) -> Simulation:
    return simulate(3, 9, 14, spec, fill=fill, n_providers=3, missing_covariates=missing)


def training(simulation: Simulation) -> TrainingData:
    return TrainingData.from_matrix(
        simulation.matrix,
        simulation.transform,
        simulation.features,
        simulation.families,
        simulation.spec,
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


# Readings at an end of their scale, and errors of known variance


def at_ends(student_t: bool, easy: float = 2.0) -> Simulation:
    """Many readings at the good end or, made hard, at the bad one; errors on half of all."""
    spec = ModelSpec(rank=1, student_t=student_t, priors=Priors(nu_grid=(2.0, 5.0)))
    return simulate(
        3, 9, 6, spec, fill=0.7, n_providers=3, n_items=10, easy=easy, lower_is_better=True,
        largest_error=0.6,
    )  # fmt: skip


def by_integration(s: Simulation, nu: float) -> float:
    """Log likelihood, every reading by an integral over its mixing weight and what is not known.

    Written from the scores and their metadata: an end of the scale means "there or beyond".
    """
    row, col = np.nonzero(s.matrix.observed)
    total = 0.0
    for i, j in zip(row, col, strict=True):
        score, link, stderr = s.matrix.values[i, j], s.transform, s.matrix.stderr[i, j]
        unit = np.clip(score / 100.0, 1 / 20, 19 / 20)
        better = s.matrix.benchmarks["higher_is_better"].iloc[j]
        z = (np.log(unit / (1 - unit)) - link.center[j]) / link.spread[j] * (1 if better else -1)
        own = stderr / 100.0 / (unit * (1 - unit)) / link.spread[j] if stderr == stderr else 0.0
        noise = s.truth["noise_benchmark"][j] * s.truth["noise_model"][i]
        scale, away = np.hypot(noise, own), z - s.truth["eta"][i, j]
        at_top, at_bottom = score / 100.0 >= 19 / 20, score / 100.0 <= 1 / 20
        up = at_top if better else at_bottom

        def density(weight: float) -> float:
            spread = scale / np.sqrt(weight)  # noqa: B023
            if at_top or at_bottom:  # noqa: B023
                known = stats.norm.sf((away if up else -away) / spread)  # noqa: B023
            else:
                known = stats.norm.pdf(away / spread) / spread  # noqa: B023
            prior = 1.0 if np.isinf(nu) else stats.gamma.pdf(weight, nu / 2, scale=2 / nu)
            return float(known * prior)

        if np.isinf(nu):
            total += np.log(density(1.0))
        else:
            total += np.log(integrate.quad(density, 0, np.inf, epsabs=0, limit=200)[0])
    return float(total)


@pytest.mark.parametrize("easy", [2.0, -2.0])
@pytest.mark.parametrize("student_t", [True, False])
def test_ends_and_errors_against_numerical_integration(student_t: bool, easy: float) -> None:
    simulation = at_ends(student_t, easy)
    data, grid = training(simulation), (2.0, 5.0) if student_t else (np.inf,)
    assert 0.1 <= (data.beyond == np.sign(easy)).mean() < 0.6
    assert 0.3 < (data.error > 0).mean() < 0.7
    with jax.enable_x64(True):
        params = {k: jnp.asarray(v) for k, v in simulation.truth.items()}
        found = float(_log_likelihood(params, data, simulation.spec))
    expected = logsumexp([by_integration(simulation, nu) for nu in grid]) - np.log(len(grid))
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_at_face_value_an_end_is_a_score_like_others() -> None:
    simulation = at_ends(True)
    face = replace(simulation, spec=replace(simulation.spec, censored=False))
    data = training(face)
    assert not data.beyond.any()
    np.testing.assert_array_equal(data.z, training(simulation).z)


def test_errors_are_those_of_the_readings() -> None:
    """Standard errors where given; else, if asked for, those of items."""
    simulation = at_ends(True)
    spec = replace(simulation.spec, item_noise=0.5)
    data = training(replace(simulation, spec=spec))
    given = ~np.isnan(simulation.matrix.stderr[data.row, data.col])
    here = simulation.error[data.row, data.col]
    np.testing.assert_allclose(data.error[given], here[given], rtol=1e-8)
    unit = 1 / (1 + np.exp(-(simulation.transform.center + simulation.transform.sign
        * simulation.transform.spread * np.asarray(simulation.z_full))))  # fmt: skip
    unit = np.clip(unit, 1 / 20, 19 / 20)
    binomial = 0.5 / (10 * unit * (1 - unit) * simulation.transform.spread**2)
    np.testing.assert_allclose(data.error[~given], binomial[data.row, data.col][~given])
    assert not training(simulation).error[~given].any()


def test_a_reading_of_fewer_items_is_noisier() -> None:
    simulation = small()
    readings = simulation.matrix.readings.assign(n_items=np.nan)
    readings.loc[0, "n_items"] = 250.0
    spec = replace(simulation.spec, item_noise=1.0)
    few = replace(simulation.matrix, readings=readings)
    usual, changed = (
        training(replace(simulation, spec=spec, matrix=m)).error for m in (simulation.matrix, few)
    )
    ratio = changed / usual
    assert np.sort(ratio)[-2:] == pytest.approx([1.0, 4.0])


def test_log_tails_have_their_slope() -> None:
    at, grid = jnp.asarray([-20.0, -0.3, 0.0, 1.2, 40.0]), (2.0, 3.5, 20.0)
    with jax.enable_x64(True):
        at = at.astype(jnp.float64)
        values = log_tails(at, grid)
        slopes = jax.vmap(jax.grad(lambda x, k: log_tails(x[None], grid)[k, 0]), (0, None))
        found = np.stack([slopes(at, k) for k in range(3)])
    expected = [stats.t(nu).logsf(at) for nu in grid]
    np.testing.assert_allclose(values, expected, rtol=1e-7, atol=1e-12)
    hazard = [-np.exp(stats.t(nu).logpdf(at) - stats.t(nu).logsf(at)) for nu in grid]
    np.testing.assert_allclose(found, hazard, rtol=1e-6)


def test_the_gradient_is_that_of_the_density() -> None:
    """Noise scales, biases and abilities, by differences."""
    simulation = at_ends(True)
    data = training(simulation)
    with jax.enable_x64(True):
        params = {k: jnp.asarray(v) for k, v in simulation.truth.items()}

        def density(moved: dict[str, jax.Array]) -> jax.Array:
            return _log_likelihood({**params, **moved}, data, simulation.spec)

        names = ("noise_benchmark", "noise_model", "benchmark_bias", "ability")
        given = {name: params[name] for name in names}
        slopes, run = jax.jit(jax.grad(density))(given), jax.jit(density)
        for name in names:
            for k in range(3):
                step = jnp.zeros(given[name].shape).at[k].set(1e-5)
                up, down = ({**given, name: given[name] + s * step} for s in (1, -1))
                difference = (run(up) - run(down)) / 2e-5
                assert float(slopes[name][k]) == pytest.approx(
                    float(difference), rel=1e-5, abs=1e-6
                )


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
