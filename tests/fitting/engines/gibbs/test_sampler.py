"""The Gibbs sampler: exact conditionals, by simulation against the prior, and reproducible runs."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from jax import random
from scipy import stats

from bayesbench.fitting.engines.gibbs import variates
from bayesbench.fitting.engines.gibbs.moves import _eta
from bayesbench.fitting.engines.gibbs.sampler import (
    compiled_sampler,
    gibbs_data,
    gibbs_shape,
)
from bayesbench.fitting.engines.gibbs.state import GibbsData, GibbsShape, GibbsState
from bayesbench.fitting.engines.gibbs.sweep import _noise, sweep
from bayesbench.fitting.engines.gibbs.variates import gamma_or_stay, gamma_variate
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.fitting.problem import prepare
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.spec import ModelSpec, Priors
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix

SMALL = Gibbs(chains=2, warmup=20, draws=30, thin=1)


@pytest.mark.parametrize("shape", [1.0, 1.5, 4.0, 60.0])
def test_gamma_variates(shape: float) -> None:
    drawn = np.asarray(gamma_variate(random.PRNGKey(3), jnp.full(20_000, shape)))
    assert stats.kstest(drawn, stats.gamma(shape).cdf).pvalue > 1e-3


def test_gamma_or_stay_leaves_its_law_unchanged() -> None:
    rng = np.random.default_rng(0)
    now = jnp.asarray(rng.gamma(1.5, 1 / 2.0, 20_000), jnp.float32)
    for step in range(5):
        now = gamma_or_stay(random.PRNGKey(step), jnp.full(now.shape, 1.5), jnp.asarray(2.0), now)
    assert stats.kstest(np.asarray(now), stats.gamma(1.5, scale=0.5).cdf).pvalue > 1e-3


def test_gamma_that_never_stays_would_differ() -> None:
    """The check above has teeth: a law off by 5 % in its scale is refused."""
    rng = np.random.default_rng(0)
    off = rng.gamma(1.5, 1.05 / 2.0, 20_000)
    assert stats.kstest(off, stats.gamma(1.5, scale=0.5).cdf).pvalue < 1e-3


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
CELLS = np.argwhere(np.random.default_rng(8).permutation(24).reshape(6, 4) < 18)


def tiny_data() -> GibbsData:
    pad = SHAPE.n_readings - len(CELLS)
    # the last model has no provider (2 of 2), the first two are of one lineage
    groups = [[0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 1]]
    return GibbsData(
        z=jnp.zeros(SHAPE.n_readings),
        row=jnp.asarray(np.r_[CELLS[:, 0], np.zeros(pad, int)], jnp.int32),
        col=jnp.asarray(np.r_[CELLS[:, 1], np.zeros(pad, int)], jnp.int32),
        present=jnp.asarray(np.r_[np.ones(len(CELLS)), np.zeros(pad)], jnp.float32),
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
    kind = np.array([0, 0, 1])
    group_benchmark = rng.normal(size=(3, 4)) * np.sqrt(var_group[kind][:, None] * noise)
    group_latent = rng.normal(size=(3, 2)) * np.sqrt(var_latent[kind])[:, None]
    coefficients = p.coefficient_sd * rng.normal(size=(1, 2))
    x = np.where(np.asarray(data.x_missing) > 0, rng.normal(size=(6, 1)), np.asarray(data.x))
    member = np.array([[1, 0, 1], [1, 0, 1], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]])
    mean = x @ coefficients + member @ group_latent
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


def summaries(state: GibbsState) -> dict[str, jax.Array]:
    """Bounded functions of the state whose prior and simulated means must agree."""
    return {
        "bias": jnp.tanh(state.bias[0]),
        "bias_size": jnp.tanh(state.bias[1] ** 2),
        "slope_product": jnp.tanh(state.slopes[0, 1] * state.slopes[1, 1]),
        "loading": jnp.tanh(state.slopes[2, 0]),
        "latent_size": jnp.tanh(state.latents[2, 0] ** 2),
        "factor_size": jnp.tanh(state.latents[5, 1] ** 2),
        "latent_slope": jnp.tanh(state.latents[0, 0] * state.slopes[0, 0]),
        "coefficient": jnp.tanh(state.coefficients[0, 0] ** 2),
        "group_latent": jnp.tanh(state.group_latent[0, 0] ** 2),
        "lineage_latent": jnp.tanh(state.group_latent[2, 1] ** 2),
        "group_benchmark": jnp.tanh(state.group_benchmark[0, 0] ** 2),
        "lineage_benchmark": jnp.tanh(state.group_benchmark[2, 1] ** 2),
        "family": jnp.tanh(state.family[0, 0] ** 2),
        "missing": jnp.tanh(state.covariates[2, 0]),
        "missing_size": jnp.tanh(state.covariates[2, 0] ** 2),
        "noise": jnp.tanh(jnp.log(state.noise_benchmark[0])),
        "noise_unscored": jnp.tanh(jnp.log(state.noise_benchmark[3])),
        "noise_model": jnp.tanh(jnp.log(state.noise_model[1])),
        "mixing": jnp.tanh(state.mixing[0]),
        "heaviness": jnp.tanh(state.heaviness[0, 0]),
        "nu": state.nu / 20.0,
        "level": jnp.tanh(jnp.log(state.noise_level)),
        "mean_loading": state.mean_loading,
        "var_bias": jnp.tanh(jnp.log(state.var_bias)),
        "var_loading": jnp.tanh(jnp.log(state.var_loading)),
        "var_factor": jnp.tanh(jnp.log(state.var_factor[0])),
        "var_group_latent": jnp.tanh(jnp.log(state.var_group_latent[0])),
        "var_lineage": jnp.tanh(jnp.log(state.var_group_benchmark[1])),
        "var_group": jnp.tanh(jnp.log(state.var_group_benchmark[0])),
        "var_family": jnp.tanh(jnp.log(state.var_family)),
    }


def geweke_z(shape: GibbsShape, sweeps: int, chains: int) -> dict[str, float]:
    """Standardised differences between prior means and those of sweeps with redrawn scores.

    Alternating scores given parameters with a sweep given scores leaves the joint prior
    unchanged exactly if every conditional is right (Geweke 2004, doi:10.1198/016214504000001132).
    Every chain starts in a draw of the prior, so that no burn-in is needed.
    """
    data, rng = tiny_data(), np.random.default_rng(4)
    starts = [prior_state(rng, data) for _ in range(chains)]
    prior = {k: np.asarray(v) for k, v in jax.vmap(summaries)(_stacked(starts)).items()}

    def step(state: GibbsState, key: jax.Array) -> tuple[GibbsState, dict[str, jax.Array]]:
        key_z, key_sweep = random.split(key)
        variance = state.noise_benchmark[data.col] * state.noise_model[data.row] / state.mixing
        eta = _eta(state, data, shape)
        z = eta + jnp.sqrt(variance) * random.normal(key_z, eta.shape)
        state, _ = sweep(key_sweep, state, data._replace(z=z * data.present), shape)
        return state, summaries(state)

    run = jax.jit(
        jax.vmap(lambda state, key: jax.lax.scan(step, state, random.split(key, sweeps))[1])
    )
    made = run(_stacked(starts), random.split(random.PRNGKey(5), chains))
    out = {}
    for name, values in made.items():
        means = np.asarray(values, np.float64).mean(axis=1) - prior[name]
        out[name] = float(means.mean() / (means.std(ddof=1) / np.sqrt(chains)))
    return out


def _stacked(states: list[GibbsState]) -> GibbsState:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


@pytest.mark.slow
def test_every_conditional_and_move_leaves_the_joint_law_unchanged() -> None:
    z = geweke_z(SHAPE, sweeps=30, chains=400)
    # 30 statistics: a standard normal exceeds 4.2 in one of them with probability 0.0008
    assert {name: round(value, 1) for name, value in z.items() if abs(value) > 4.2} == {}


@pytest.mark.slow
def test_a_wrong_conditional_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shifting one prior constant inside the sampler only must show."""
    wrong = replace(SHAPE.spec.priors, family_b=3 * SHAPE.spec.priors.family_b)
    shape = replace(SHAPE, spec=replace(SHAPE.spec, priors=wrong))
    z = geweke_z(shape, sweeps=30, chains=400)
    assert abs(z["var_family"]) > 4.2


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two proposals both are refused seven times in ten, not four times in a thousand."""
    real = variates._gamma_proposals

    def proposals(key: jax.Array, shape: jax.Array, n: int) -> tuple[jax.Array, jax.Array]:
        value, accepted = real(key, shape, n)
        if n == 2:
            accepted &= random.bernoulli(random.fold_in(key, 7), 0.3, accepted.shape)
            value = jnp.where(accepted, value, jnp.nan)  # of no use to anyone
        return value, accepted

    monkeypatch.setattr(variates, "_gamma_proposals", proposals)


def mixing_drawn(n: int) -> tuple[np.ndarray, GibbsState]:
    """Mixing weights after `n` draws of the noise block from one state whose weights are wild."""
    data = tiny_data()
    shape = replace(SHAPE, spec=replace(SHAPE.spec, priors=Priors(nu_grid=(4.0,))))
    state = prior_state(np.random.default_rng(3), data)
    state = state._replace(mixing=jnp.full(SHAPE.n_readings, 1e6), nu=jnp.asarray(4.0))
    keys = random.split(random.PRNGKey(1), n)
    run = jax.jit(jax.vmap(lambda key: _noise(key, state, data, shape)[0].mixing))
    return np.asarray(run(keys), np.float64), state


def test_mixing_weights_follow_their_law_given_the_rest(refusing: None) -> None:
    """A weight of before the collapsed moves, kept where proposals were refused, would show."""
    mixing, state = mixing_drawn(4000)
    data = tiny_data()
    assert mixing.max() < 1e3
    variance = state.noise_benchmark[data.col] * state.noise_model[data.row]
    squares = np.asarray((data.z - _eta(state, data, SHAPE)) ** 2 / variance, np.float64)
    rate = 0.5 * (4.0 + squares)
    law = stats.gamma(0.5 * (4.0 + 1.0))
    # 20 readings: 1e-4 is passed by chance once in 500 times, with another seed
    worst = min(
        stats.kstest(one * r, law.cdf).pvalue for one, r in zip(mixing.T, rate, strict=True)
    )
    assert worst > 1e-4


def test_weights_that_stay_would_differ(refusing: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above has teeth: the earlier step keeps wild weights."""
    wild = jnp.full(SHAPE.n_readings, 1e6)
    stays = lambda key, shape, rate: gamma_or_stay(key, shape, rate, wild)  # noqa: E731
    monkeypatch.setattr("bayesbench.fitting.engines.gibbs.sweep.gamma_afresh", stays)
    mixing, _ = mixing_drawn(200)
    assert (mixing == 1e6).mean() > 0.5


@pytest.mark.slow
def test_the_joint_law_holds_even_where_most_proposals_are_refused(refusing: None) -> None:
    z = geweke_z(SHAPE, sweeps=30, chains=400)
    assert {name: round(value, 1) for name, value in z.items() if abs(value) > 4.2} == {}


def test_same_seed_same_draws_and_chains_do_not_depend_on_their_number() -> None:
    matrix = make_matrix(1, 6, 5)
    one = sample(matrix, ModelSpec(rank=1), SMALL, seed=3, check=False)
    two = sample(matrix, ModelSpec(rank=1), SMALL, seed=3, check=False)
    other = sample(matrix, ModelSpec(rank=1), SMALL, seed=4, check=False)
    np.testing.assert_array_equal(one.draws["ability"], two.draws["ability"])
    assert not np.array_equal(one.draws["ability"], other.draws["ability"])
    single = Gibbs(chains=1, warmup=20, draws=30, thin=1)
    alone = sample(matrix, ModelSpec(rank=1), single, seed=3, check=False)
    np.testing.assert_allclose(
        alone.draws["ability"][0, :3], one.draws["ability"][0, :3], rtol=2e-2
    )
    assert not np.array_equal(one.draws["ability"][0], one.draws["ability"][1])


@pytest.mark.parametrize(
    ("change", "absent"),
    [
        ({"rank": 0}, {"weights", "factors", "scale_factor"}),
        ({"student_t": False}, {"nu"}),
        ({"model_noise": False}, {"noise_model"}),
        ({"covariates": ()}, {"coefficients"}),
        ({"group_latents": False}, {"group_latent", "scale_group_latent"}),
        ({"group_benchmarks": False}, {"group_benchmark", "scale_group_benchmark"}),
        ({"heavy_loadings": False}, set()),
        ({"groups": ()}, {"group_latent", "group_benchmark"}),
    ],
)
def test_every_part_can_be_switched_off(change: dict[str, object], absent: set[str]) -> None:
    spec = ModelSpec(**{"rank": 1, **change})  # type: ignore[arg-type]
    config = Gibbs(chains=1, warmup=1, draws=2, thin=1)
    posterior = sample(make_matrix(1, 6, 5), spec, config, seed=0, check=False)
    assert not absent & set(posterior.draws)


def test_padding_changes_nothing_but_the_random_numbers() -> None:
    problem = prepare(make_matrix(1, 6, 5), ModelSpec(rank=1))
    shape = gibbs_shape(problem.data, problem.spec, 200)
    data = gibbs_data(problem.data, shape)
    assert data.z.shape == (200,)
    assert float(data.present.sum()) == problem.data.n_cells
    draws = compiled_sampler(shape, 1).run(data, seed=0, chains=1, warmup=1, draws=5)
    assert all(np.isfinite(value).all() for value in draws.values())


def exact_matrix(constant: float | None) -> ScoreMatrix:
    """Scores of one ability without noise; and a benchmark on which all score the same."""
    rng = np.random.default_rng(2)
    eta = rng.normal(size=(30, 1)) * rng.uniform(0.5, 1.5, 8) + rng.normal(size=8)
    scores = pd.DataFrame(100 / (1 + np.exp(-eta))).rename_axis(index="model_id")
    if constant is not None:
        scores += rng.normal(size=scores.shape).clip(-2, 2)
        scores[0] = constant
    return ScoreMatrix.from_frame(scores.clip(0, 100).reset_index(), scale="percent")


@pytest.mark.parametrize("constant", [None, 0.0, 50.0])
def test_scores_without_noise_are_fitted(constant: float | None) -> None:
    matrix = exact_matrix(constant)
    config = Gibbs(chains=1, warmup=600, draws=200, thin=2)
    posterior = sample(matrix, ModelSpec(rank=2), config, seed=1, check=False)
    level = np.asarray(posterior.draws["noise_level"])
    least = Priors().noise_level_least
    assert level.min() >= least
    if constant is None:
        assert np.median(level) < 1.1 * least
    noise = np.asarray(posterior.draws["noise_benchmark"])
    assert noise.min() > 1e-3
    assert np.median(noise[..., 0]) < 0.1
