"""One sweep: every block against the joint density, and all of them by simulation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random
from numpyro.infer.util import log_density
from scipy import stats
from scipy.special import logsumexp

from bayesbench.fitting.engines.gibbs import sweep as blocks
from bayesbench.fitting.engines.gibbs import variates
from bayesbench.fitting.engines.gibbs.moves import linear_predictor_of_readings
from bayesbench.fitting.engines.gibbs.state import GibbsData, GibbsShape, GibbsState
from bayesbench.fitting.engines.gibbs.sweep import _noise, sweep
from bayesbench.fitting.engines.gibbs.variates import gamma_or_stay
from bayesbench.low_rank.density import TrainingData, low_rank_model
from bayesbench.low_rank.spec import Priors
from tests.fitting.engines.gibbs.gibbs_cases import (
    CELLS,
    ENDS,
    ERRORS,
    IN_FAMILY,
    KIND,
    MEMBER,
    SHAPE,
    eta_of,
    log_joint,
    prior_state,
    scored,
    tiny_data,
)

# The joint density these tests compare with is that of `low_rank`


@pytest.mark.parametrize("shape", [SHAPE, ERRORS], ids=["", "errors"])
def test_the_joint_density_is_that_of_the_model(shape: GibbsShape) -> None:
    """What the sampler draws beside the parameters, summed out, leaves `low_rank_model`."""
    with jax.enable_x64(True):
        data, state = scored(shape)
        s = {name: np.asarray(value) for name, value in state._asdict().items()}
        missing = np.asarray(data.x_missing) > 0
        training = TrainingData(
            z=np.asarray(data.z)[: len(CELLS)],
            row=CELLS[:, 0],
            col=CELLS[:, 1],
            x=np.where(missing, np.nan, np.asarray(data.x)),
            groups=MEMBER.astype(float),
            group_kind=KIND,
            n_models=6,
            n_benchmarks=4,
            n_kinds=2,
            families=IN_FAMILY.astype(float),
            error=np.asarray(data.error)[: len(CELLS)],
            beyond=np.zeros(len(CELLS), np.int8),
        )
        variances = {
            "noise_benchmark": s["noise_benchmark"],
            "noise_model": s["noise_model"],
            "scale_bias": s["var_bias"],
            "scale_loading": s["var_loading"],
            "scale_factor": s["var_factor"],
            "scale_group_latent": s["var_group_latent"],
            "scale_group_benchmark": s["var_group_benchmark"],
            "scale_family": s["var_family"],
        }
        scales = {name: np.sqrt(value) for name, value in variances.items()}
        same = ("coefficients", "group_latent", "group_benchmark", "family", "mean_loading")
        sites = scales | {name: s[name] for name in (*same, "noise_level")}
        sites |= {"benchmark_bias": s["bias"], "x_missing": s["covariates"][missing]}
        sites |= {"loading": s["slopes"][:, 0], "weights": s["slopes"][:, 1:]}
        sites |= {"ability": s["latents"][:, 0], "factors": s["latents"][:, 1:]}
        density = jax.jit(
            lambda sites: log_density(low_rank_model, (training, SHAPE.spec), {}, sites)[0]
        )
        expected = float(density(sites))
    grid = SHAPE.spec.priors.nu_grid
    given_nu = [log_joint(state._replace(nu=nu), data, summed=True) for nu in grid]  # type: ignore[arg-type]
    rate = 0.5 * (4.0 + s["slopes"][:, 1:] ** 2 / s["var_factor"])
    heaviness = stats.gamma(2.5, scale=1 / rate).logpdf(s["heaviness"]).sum()
    jacobian = sum(float(np.log(2 * value).sum()) for value in scales.values())
    found = logsumexp(given_nu) - np.log(len(grid)) - heaviness + jacobian
    assert found == pytest.approx(expected, rel=1e-10)
    mixing = s["mixing"][: len(CELLS)]
    row, col = CELLS.T
    squares = (training.z - eta_of(state)[row, col]) ** 2
    squares /= s["noise_benchmark"][col] * s["noise_model"][row] + training.error
    law = stats.gamma(0.5 * (s["nu"] + 1), scale=2 / (s["nu"] + squares))
    summed = log_joint(state, data) - law.logpdf(mixing).sum()
    assert summed == pytest.approx(log_joint(state, data, summed=True), rel=1e-10)


# Blocks one by one


class Block(NamedTuple):
    """A block with the calls of the generator it makes, in their order.

    `calls` has the fields each call draws, with the entries that are drawn by it where others of
    the field are not; `only` the entries of a call's numbers that matter.
    """

    draw: Callable[..., Any]
    calls: Mapping[str, Mapping[str, Any]]
    only: Mapping[str, np.ndarray] = {}


WHOLE = slice(None)
PRESENT = np.arange(SHAPE.n_readings) < len(CELLS)
BLOCKS = {
    "latents": Block(blocks._latents, {"latents": {"latents": WHOLE}}),
    "slopes": Block(blocks._slopes, {"slopes": {"bias": WHOLE, "slopes": WHOLE}}),
    "group_benchmark": Block(
        blocks._group_benchmark,
        {
            "providers": {"group_benchmark": slice(2)},
            "their variance": {"var_group_benchmark": 0},
            "lineages": {"group_benchmark": slice(2, 3)},
            "variance of lineages": {"var_group_benchmark": 1},
        },
    ),
    "family": Block(
        blocks._family, {"effects": {"family": WHOLE}, "variance": {"var_family": ...}}
    ),
    "noise": Block(
        blocks._noise,
        {
            "nu": {"nu": ...},
            "mixing": {"mixing": WHOLE},
            "benchmarks": {"noise_benchmark": WHOLE},
            "level": {"noise_level": ...},
            "models": {"noise_model": WHOLE},
        },
        {"mixing": PRESENT},
    ),
    "slope_scales": Block(
        blocks._slope_scales,
        {
            "heaviness": {"heaviness": WHOLE},
            "variances": {"var_bias": ..., "var_loading": ..., "var_factor": WHOLE},
            "mean loading": {"mean_loading": ...},
        },
    ),
    "covariates": Block(
        blocks._covariates,
        {"missing": {"covariates": WHOLE}},
        {"missing": np.arange(6) == 2},
    ),
    "coefficients": Block(blocks._coefficients, {"coefficients": {"coefficients": WHOLE}}),
    "group_latent": Block(
        blocks._group_latent,
        {
            "providers": {"group_latent": slice(2)},
            "their variance": {"var_group_latent": 0},
            "lineages": {"group_latent": slice(2, 3)},
            "variance of lineages": {"var_group_latent": 1},
        },
    ),
}
NOISE = BLOCKS["noise"]
NOISE_CALLS = dict(NOISE.calls)
BLOCKS_OF_ERRORS = {
    "noise": NOISE._replace(
        calls={
            **{call: NOISE_CALLS.pop(call) for call in ("nu", "mixing")},
            "part": {},
            **NOISE_CALLS,
        },
        only={**NOISE.only, "part": PRESENT},
    )
}
"""Where errors are known: the part of every residual that is noise is drawn before the scales."""
STEPS = [(name, call) for name, block in BLOCKS.items() for call in block.calls]


class Scripted:
    """Stands in for the generator: variates that are given, with their log densities.

    The variates of a call move with its entry of `moved`; `log_densities` are those which the
    block claims, as functions of the variate, up to a constant.
    """

    def __init__(self, moved: jax.Array, only: list[np.ndarray | None]) -> None:
        self.moved, self.only = moved, only
        self.log_densities: list[jax.Array] = []

    def _noise(self, shape: tuple[int, ...]) -> jax.Array:
        call = len(self.log_densities)
        start, change = np.random.default_rng([1, call]).normal(size=(2, *shape))
        mask = self.only[call]
        return jnp.asarray(start + self.moved[call] * (change if mask is None else change * mask))

    def normal(self, key: jax.Array, shape: tuple[int, ...] = ()) -> jax.Array:
        noise = self._noise(shape)
        self.log_densities.append(-0.5 * (noise**2).sum())
        return noise

    def categorical(self, key: jax.Array, logits: jax.Array) -> jax.Array:
        chosen = jnp.where(self.moved[len(self.log_densities)] > 0, 5, 1)
        self.log_densities.append(logits[chosen])
        return chosen

    def gamma(self, key: jax.Array, shape: Any, rate: Any, *_: Any) -> jax.Array:
        value = (
            shape
            / rate
            * jnp.exp(0.3 * self._noise(jnp.broadcast_shapes(jnp.shape(shape), jnp.shape(rate))))
        )
        self.log_densities.append(((shape - 1) * jnp.log(value) - rate * value).sum())
        return value

    def inverse_gamma(self, key: jax.Array, shape: Any, scale: jax.Array) -> jax.Array:
        value = scale / shape * jnp.exp(0.3 * self._noise(scale.shape))
        self.log_densities.append((-(shape + 1) * jnp.log(value) - scale / value).sum())
        return value


class Outcome(NamedTuple):
    data: GibbsData
    before: GibbsState
    after: list[GibbsState]  # with no call moved, then with one moved after the other
    log_densities: np.ndarray  # (1 + calls, calls)
    log_likelihood: float
    parts: list[np.ndarray]  # of noise in the residuals, where it is drawn


def outcomes_of(shape: GibbsShape, blocks_of: Mapping[str, Block]) -> dict[str, Outcome]:
    """Every block under scripted variates, in double precision, by one program for all."""
    n = max(len(block.calls) for block in blocks_of.values())
    with jax.enable_x64(True), pytest.MonkeyPatch.context() as patch:
        patch.setattr(variates, "OVERRELAXATION", 0.0)  # draws from the conditional itself
        data, state = scored(shape)
        run = jax.jit(
            jax.vmap(lambda moved: scripted_blocks(moved, data, state, patch, shape, blocks_of))
        )
        drawn = run(jnp.concatenate([jnp.zeros((1, n)), jnp.eye(n)]))
    made = {}
    for name, (states, log_densities, info, parts) in drawn.items():
        calls = len(blocks_of[name].calls)
        assert len(log_densities) == calls
        after = [jax.tree.map(lambda leaf, i=i: np.asarray(leaf)[i], states) for i in range(1 + n)]
        likelihood = float(info.log_likelihood[0]) if info else 0.0
        made[name] = Outcome(
            data,
            state,
            after[: 1 + calls],
            np.stack(log_densities, axis=1),
            likelihood,
            list(np.asarray(parts[0])) if parts else [],
        )
    return made


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return outcomes_of(SHAPE, BLOCKS)


@pytest.fixture(scope="module")
def outcomes_of_errors() -> dict[str, Outcome]:
    return outcomes_of(ERRORS, BLOCKS_OF_ERRORS)


def scripted_blocks(
    moved: jax.Array,
    data: GibbsData,
    state: GibbsState,
    patch: pytest.MonkeyPatch,
    shape: GibbsShape,
    blocks_of: Mapping[str, Block],
) -> dict[str, tuple[GibbsState, list[jax.Array], Any, list[jax.Array]]]:
    """What every block makes of the state, the log densities it claims, and parts it draws."""
    given = {"data": data, "shape": shape, "work": blocks._dense(state, data, shape)}
    made, real_part = {}, blocks._noise_part
    for name, block in blocks_of.items():
        parts: list[jax.Array] = []

        def part(*given: Any, parts: list[jax.Array] = parts) -> jax.Array:
            parts.append(real_part(*given))
            return parts[-1]

        patch.setattr(blocks, "_noise_part", part)
        script = Scripted(moved, [block.only.get(call) for call in block.calls])
        patch.setattr(random, "normal", script.normal)
        patch.setattr(random, "categorical", script.categorical)
        patch.setattr(blocks, "inverse_gamma", script.inverse_gamma)
        for gamma in ("gamma_afresh", "gamma_or_stay", "gamma_from_or_stay"):
            patch.setattr(blocks, gamma, script.gamma)
        asked = inspect.signature(block.draw).parameters
        wanted = {name: value for name, value in given.items() if name in asked}
        drawn = block.draw(key=random.PRNGKey(0), state=state, **wanted)
        after, info = (drawn, None) if isinstance(drawn, GibbsState) else drawn
        made[name] = after, script.log_densities, info, parts
        patch.setattr(blocks, "_noise_part", real_part)
    return made


@pytest.mark.parametrize(("name", "call"), STEPS)
def test_every_block_draws_from_its_conditional(
    name: str, call: str, outcomes: dict[str, Outcome]
) -> None:
    """Two values of what is drawn differ in the joint density as they do in the claimed law."""
    assert_conditional(outcomes[name], BLOCKS[name], call)


@pytest.mark.parametrize("call", BLOCKS_OF_ERRORS["noise"].calls)
def test_noise_beside_known_errors_is_drawn_from_its_conditional(
    call: str, outcomes_of_errors: dict[str, Outcome]
) -> None:
    """The same with the part of every residual that is noise as a variable of its own."""
    assert_conditional(outcomes_of_errors["noise"], BLOCKS_OF_ERRORS["noise"], call)


def assert_conditional(got: Outcome, block: Block, call: str) -> None:
    calls = list(block.calls)
    index = calls.index(call)
    moved, still = (
        log_joint_so_far(got, number, calls[: index + 1], block) for number in (1 + index, 0)
    )
    claimed = got.log_densities[1 + index, index] - got.log_densities[0, index]
    assert abs(claimed) > 1e-3
    assert moved - still == pytest.approx(claimed, abs=1e-8)


def log_joint_so_far(got: Outcome, number: int, calls: list[str], block: Block) -> float:
    """Joint density once these calls are made: what later ones draw is as before the block."""
    values, after = got.before._asdict(), got.after[number]
    for call in calls:
        for field, entries in block.calls[call].items():
            mixed = np.array(values[field])
            mixed[entries] = np.asarray(getattr(after, field))[entries]
            values[field] = mixed
    part = got.parts[number] if "part" in calls else None
    # the degrees of freedom are drawn with the mixing weights summed out
    return log_joint(GibbsState(**values), got.data, summed=calls[-1] == "nu", part=part)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_changes_what_it_draws_and_nothing_else(
    name: str, outcomes: dict[str, Outcome]
) -> None:
    got = outcomes[name]
    last = got.after[-1]
    changed = {
        field
        for field in GibbsState._fields
        if not np.array_equal(getattr(got.before, field), getattr(last, field))
    }
    drawn = {field for fields in BLOCKS[name].calls.values() for field in fields}
    # the last call of the noise block moves no nu: that of the state may be drawn again
    assert changed - {"nu"} == drawn - {"nu"}


def test_known_covariates_stay(outcomes: dict[str, Outcome]) -> None:
    got = outcomes["covariates"]
    known = np.asarray(got.data.x_missing) == 0
    np.testing.assert_array_equal(got.after[-1].covariates[known], np.asarray(got.data.x)[known])


def test_the_likelihood_of_a_sweep_is_that_of_its_scores(outcomes: dict[str, Outcome]) -> None:
    """With nu and mixing weights summed out, at the state the noise block starts from."""
    got = outcomes["noise"]
    eta = eta_of(got.before)[tuple(CELLS.T)]
    variance = np.asarray(got.before.noise_benchmark)[CELLS[:, 1]]
    variance = variance * np.asarray(got.before.noise_model)[CELLS[:, 0]]
    z, grid = np.asarray(got.data.z)[: len(CELLS)], SHAPE.spec.priors.nu_grid
    given_nu = [stats.t(nu, eta, np.sqrt(variance)).logpdf(z).sum() for nu in grid]
    expected = logsumexp(given_nu) - np.log(len(grid))
    assert got.log_likelihood == pytest.approx(expected, rel=1e-8)


def test_a_sweep_draws_every_block_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaving one out would keep the joint law, and never move what only that block draws."""
    called: list[str] = []
    for name in (*(f"_{block}" for block in BLOCKS), "move"):

        def stand_in(key: jax.Array, state: GibbsState, *_: object, name: str = name) -> object:
            called.append(name)
            return (state, None) if name == "_noise" else state

        monkeypatch.setattr(blocks, name, stand_in)
    data = tiny_data()
    sweep(random.PRNGKey(0), prior_state(np.random.default_rng(0), data), data, SHAPE)
    assert sorted(called) == sorted([*(f"_{block}" for block in BLOCKS), "move"])
    # after the moves the mixing weights are stale: drawn again before anything reads them
    assert called[called.index("move") + 1] == "_noise"


# Readings at an end of their scale, and known errors


def test_readings_at_an_end_are_drawn_beyond_their_limit() -> None:
    """From the truncated normal; all others stay."""
    data, state = tiny_data(ENDS), prior_state(np.random.default_rng(3), tiny_data(ENDS))
    data = data._replace(z=jnp.arange(ENDS.n_readings, dtype=jnp.float32))
    keys = random.split(random.PRNGKey(2), 4000)
    run = jax.jit(jax.vmap(lambda key: blocks._drawn_ends(key, state, data, ENDS).z))
    z = np.asarray(run(keys), np.float64)
    at, side, limit = (np.asarray(value)[:4] for value in data.ends)
    rest = np.setdiff1d(np.arange(ENDS.n_readings), at)
    np.testing.assert_array_equal(z[:, rest], np.broadcast_to(rest, (4000, rest.size)))
    variance = np.asarray(state.noise_benchmark[data.col] * state.noise_model[data.row])
    scale = np.sqrt((variance + np.asarray(data.error)) / np.asarray(state.mixing))[at]
    eta = eta_of(state)[tuple(CELLS[at].T)]
    for k in range(4):
        far = stats.norm.sf(side[k] * (z[:, at[k]] - eta[k]) / scale[k])
        far /= stats.norm.sf(side[k] * (limit[k] - eta[k]) / scale[k])
        assert far.max() <= 1.0 + 1e-5
        assert stats.kstest(far, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("student_t", [True, False])
def test_the_likelihood_has_the_tail_at_an_end(student_t: bool) -> None:
    """Whatever value was drawn there."""
    shape = replace(ENDS, spec=replace(ENDS.spec, student_t=student_t))
    with jax.enable_x64(True):
        data, state = scored(shape)
        run = jax.jit(lambda key: _noise(key, state, data, shape)[1].log_likelihood)
        found = float(run(random.PRNGKey(0)))
    row, col = CELLS.T
    variance = np.asarray(state.noise_benchmark)[col] * np.asarray(state.noise_model)[row]
    scale = np.sqrt(variance + np.asarray(data.error)[: len(CELLS)])
    eta, z = eta_of(state)[row, col], np.asarray(data.z)[: len(CELLS)]
    at, side, limit = (np.asarray(value)[:4] for value in data.ends)
    others = np.setdiff1d(np.arange(len(CELLS)), at)
    grid = SHAPE.spec.priors.nu_grid if student_t else (np.inf,)
    total = []
    for nu in grid:
        known = stats.t(nu, eta[others], scale[others]).logpdf(z[others]).sum()
        tail = stats.t(nu).logsf(side * (limit - eta[at]) / scale[at]).sum()
        total.append(known + tail)
    assert found == pytest.approx(logsumexp(total) - np.log(len(grid)), rel=1e-9)


# All blocks and moves together


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
    data, rng = tiny_data(shape), np.random.default_rng(4)
    starts = [prior_state(rng, data) for _ in range(chains)]
    prior = {k: np.asarray(v) for k, v in jax.vmap(summaries)(_stacked(starts)).items()}

    def step(state: GibbsState, key: jax.Array) -> tuple[GibbsState, dict[str, jax.Array]]:
        key_z, key_sweep = random.split(key)
        variance = state.noise_benchmark[data.col] * state.noise_model[data.row] + data.error
        eta = linear_predictor_of_readings(state, data, shape)
        z = eta + jnp.sqrt(variance / state.mixing) * random.normal(key_z, eta.shape)
        state, _ = sweep(key_sweep, state, reported(z * data.present), shape)
        return state, summaries(state)

    def reported(z: jax.Array) -> GibbsData:
        """Scores beyond a limit are known to be there, no more."""
        if not shape.n_ends:
            return data._replace(z=z)
        ends = data.ends
        beyond = ends.side * (z[ends.reading] - ends.limit) >= 0
        side = jnp.where(beyond, ends.side, 0.0)
        at = jnp.where(beyond, ends.reading, shape.n_readings)
        return data._replace(z=z.at[at].set(0.0, mode="drop"), ends=ends._replace(side=side))

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
@pytest.mark.parametrize("shape", [SHAPE, ENDS], ids=["", "errors and ends"])
def test_every_conditional_and_move_leaves_the_joint_law_unchanged(shape: GibbsShape) -> None:
    z = geweke_z(shape, sweeps=30, chains=400)
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
    squares = np.asarray(
        (data.z - linear_predictor_of_readings(state, data, SHAPE)) ** 2 / variance, np.float64
    )
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
