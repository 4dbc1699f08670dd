"""The joint moves: what they keep, and their acceptance and draws against the joint density."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from bayesbench.fitting.engines.gibbs import moves
from bayesbench.fitting.engines.gibbs.state import GibbsData, GibbsShape, GibbsState
from tests.fitting.engines.gibbs.gibbs_cases import (
    CELLS,
    ERRORS,
    SHAPE,
    eta_of,
    log_joint,
    prior_state,
    scored,
    tiny_data,
)

M, B, P, G = 6, 4, 1, 3
"""Models, benchmarks, covariates, groups."""
CLOSE = 1e-7
"""Distance from the acceptance threshold at which a step is tried on either side."""


class Metropolis(NamedTuple):
    """A move that proposes `size` independent steps, each to be accepted or refused.

    `log_factor` of a state has the logs that move by the proposed factors, and `log_jacobian` the
    log change of volume per unit of each.
    """

    draw: Callable[..., GibbsState | tuple[GibbsState, moves._Fit]]
    size: int | None
    log_factor: Callable[[GibbsState], np.ndarray]
    log_jacobian: np.ndarray
    fields: set[str]


def _with_fit(
    draw: Callable[..., tuple[GibbsState, moves._Fit]],
) -> Callable[..., tuple[GibbsState, moves._Fit]]:
    """A noise or scale move from the fit of its state."""

    def drawn(
        key: jax.Array, state: GibbsState, data: GibbsData, shape: GibbsShape
    ) -> tuple[GibbsState, moves._Fit]:
        eta = moves.linear_predictor_of_readings(state, data, shape)
        return draw(key, state, data, shape, moves._Fit(eta, moves._terms(state, data, shape, eta)))

    return drawn


MOVES = {
    # effects and their variance, by f and f^2
    "provider scale": Metropolis(
        _with_fit(partial(moves._group_scale, index=0)),
        None,
        lambda s: 0.5 * np.log(s.var_group_benchmark[0]),
        np.array(2 * B + 2),
        {"group_benchmark", "var_group_benchmark"},
    ),
    "lineage scale": Metropolis(
        _with_fit(partial(moves._group_scale, index=1)),
        None,
        lambda s: 0.5 * np.log(s.var_group_benchmark[1]),
        np.array(B + 2),
        {"group_benchmark", "var_group_benchmark"},
    ),
    "family scale": Metropolis(
        _with_fit(moves._family_scale),
        None,
        lambda s: 0.5 * np.log(s.var_family),
        np.array(M + 2),
        {"family", "var_family"},
    ),
    # a benchmark's noise variance and the effects of all groups on it
    "noise with effects": Metropolis(
        _with_fit(moves._noise_with_effects),
        B,
        lambda s: 0.5 * np.log(s.noise_benchmark),
        np.full(B, G + 2),
        {"noise_benchmark", "group_benchmark"},
    ),
    "benchmark noise": Metropolis(
        _with_fit(moves._benchmark_noise),
        B,
        lambda s: np.log(s.noise_benchmark),
        np.ones(B),
        {"noise_benchmark"},
    ),
    "model noise": Metropolis(
        _with_fit(moves._model_noise),
        M,
        lambda s: np.log(s.noise_model),
        np.ones(M),
        {"noise_model"},
    ),
    # a latent with what makes up its mean, by a; slopes by 1 / a and their variance by 1 / a^2,
    # and for ability the mean loading by 1 / a
    "stretch": Metropolis(
        moves._stretch_latents,
        2,
        lambda s: np.log(s.latents[0]),
        np.array([M + P + G - B - 2 - 1, M + P + G - B - 2]),
        {
            "latents", "coefficients", "group_latent", "slopes", "mean_loading", "var_loading",
            "var_factor",
        },
    ),
}  # fmt: skip


class Tried(NamedTuple):
    shape: GibbsShape
    data: GibbsData
    before: GibbsState
    moved: GibbsState  # every step accepted
    single: list[GibbsState]  # one step accepted after the other
    log_ratio: np.ndarray  # by brute force, of every step
    below: tuple[GibbsState, moves._Fit | None]  # uniforms just below the ratio
    above: tuple[GibbsState, moves._Fit | None]


def plain(state: GibbsState) -> GibbsState:
    return GibbsState(*(np.asarray(value) for value in state))  # type: ignore[arg-type]


def tried(move: Metropolis, of: GibbsShape) -> Tried:
    """The move with given proposals: accepted, one by one, and at both sides of the threshold."""
    data, state = scored(of)
    # of the same sign as the latent, so that its log tells the factor
    state = state._replace(latents=jnp.abs(state.latents))
    shape = () if move.size is None else (move.size,)
    noise = np.random.default_rng(5).normal(size=shape)

    def drawn(uniform: jax.Array) -> tuple[GibbsState, moves._Fit | None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(moves, "normal_and_uniform", lambda key, shape: (noise, uniform))
            made = move.draw(random.PRNGKey(0), state, data, of)
        return (made, None) if isinstance(made, GibbsState) else made

    program = jax.jit(drawn)
    before = plain(state)
    steps = range(move.size or 1)
    # a uniform of 0 accepts, one of infinity refuses
    one_by_one = [np.where(np.arange(move.size or 1) == k, 0.0, np.inf) for k in steps]
    single = [plain(program(jnp.asarray(u.reshape(shape)))[0]) for u in one_by_one]
    moved = plain(program(jnp.zeros(shape))[0])
    factors = np.ravel(move.log_factor(moved) - move.log_factor(before))
    change = [
        log_joint(s, data, summed=True) - log_joint(before, data, summed=True) for s in single
    ]
    log_ratio = np.array(change) + np.ravel(move.log_jacobian) * factors
    below, above = (
        program(jnp.exp(jnp.asarray((log_ratio + sign * CLOSE).reshape(shape)))) for sign in (-1, 1)
    )
    return Tried(of, data, before, moved, single, log_ratio, below, above)


CASES = [(name, SHAPE) for name in MOVES] + [
    (name, ERRORS)
    for name in ("family scale", "noise with effects", "benchmark noise", "model noise")
]


@pytest.fixture(
    scope="module", params=CASES, ids=[n + (", errors" if of.errors else "") for n, of in CASES]
)
def case(request: pytest.FixtureRequest) -> tuple[Metropolis, Tried]:
    """Each move compiled once, in double precision."""
    name, of = request.param
    with jax.enable_x64(True):
        return MOVES[name], tried(MOVES[name], of)


def test_a_move_changes_what_it_says(case: tuple[Metropolis, Tried]) -> None:
    move, got = case
    changed = {
        name
        for name in GibbsState._fields
        if not np.array_equal(getattr(got.before, name), getattr(got.moved, name))
    }
    assert changed == move.fields


def test_acceptance_is_the_ratio_of_the_joint_density(case: tuple[Metropolis, Tried]) -> None:
    """Density ratio times the change of volume: to 1e-7 on either side of it."""
    _, got = case
    assert np.abs(got.log_ratio).min() > 1e-3
    for name in GibbsState._fields:
        accepted, refused = getattr(got.below[0], name), getattr(got.above[0], name)
        np.testing.assert_array_equal(refused, getattr(got.before, name), err_msg=name)
        np.testing.assert_allclose(accepted, getattr(got.moved, name), rtol=1e-12, err_msg=name)


def test_the_fit_follows_the_state(case: tuple[Metropolis, Tried]) -> None:
    """What the next move starts from, once accepted and once refused."""
    _, got = case
    for state, fit in (got.below, got.above):
        eta = eta_of(state)[tuple(CELLS.T)]
        if fit is None:  # eta stays as it was
            np.testing.assert_allclose(eta, eta_of(got.before)[tuple(CELLS.T)], rtol=1e-10)
            continue
        np.testing.assert_allclose(np.asarray(fit.eta)[: len(CELLS)], eta, rtol=1e-10)
        with jax.enable_x64(True):
            terms = moves._terms(state, got.data, got.shape, fit.eta)
        np.testing.assert_allclose(fit.terms, terms, rtol=1e-10, atol=1e-12)


# The shift of the latents is no Metropolis step: it draws from a normal law


@pytest.fixture(scope="module")
def shifts() -> tuple[GibbsData, GibbsState, list[GibbsState], np.ndarray]:
    """A state, and what the shift makes of it with three pairs of standard normals."""
    noise = np.array([[0.3, -0.4], [1.4, -0.4], [0.3, 0.9]])
    with jax.enable_x64(True), pytest.MonkeyPatch.context() as patch:
        data, state = scored()

        def drawn(given: jax.Array) -> GibbsState:
            patch.setattr(random, "normal", lambda key, shape: given)
            return moves._shift_latents(random.PRNGKey(0), state, data, SHAPE)

        states = jax.jit(jax.vmap(drawn))(jnp.asarray(noise))
    return data, plain(state), [GibbsState(*(x[k] for x in plain(states))) for k in range(3)], noise


def test_a_shift_keeps_eta_and_the_spread_of_models(
    shifts: tuple[GibbsData, GibbsState, list[GibbsState], np.ndarray],
) -> None:
    """All models move alike, those with a provider together with its effect."""
    _, before, states, _ = shifts
    for state in states:
        np.testing.assert_allclose(eta_of(state), eta_of(before), rtol=1e-10, atol=1e-12)
        delta = state.latents - before.latents
        assert np.abs(delta).min() > 1e-3
        np.testing.assert_allclose(delta, np.broadcast_to(delta[0], delta.shape), rtol=1e-10)
        of_groups = state.group_latent - before.group_latent
        # the lineage stays where it is
        np.testing.assert_allclose(of_groups, [delta[0], delta[0], [0.0, 0.0]], rtol=1e-10)
        others = set(GibbsState._fields) - {"latents", "bias", "group_latent"}
        for name in others:
            np.testing.assert_array_equal(getattr(state, name), getattr(before, name))


@pytest.mark.parametrize("latent", [0, 1])
def test_a_shift_is_drawn_from_the_joint_density(
    latent: int, shifts: tuple[GibbsData, GibbsState, list[GibbsState], np.ndarray]
) -> None:
    """Two shifts of a latent differ in the joint density as their standard normals do."""
    data, before, states, noise = shifts

    def with_shifts(state: GibbsState) -> GibbsState:
        """Latents are shifted one after the other: those after this one have not been yet."""
        delta = (state.latents - before.latents)[0] * (np.arange(2) <= latent)
        return before._replace(
            latents=before.latents + delta,
            bias=before.bias - before.slopes @ delta,
            group_latent=before.group_latent + np.array([1, 1, 0])[:, None] * delta,
        )

    here, there = with_shifts(states[0]), with_shifts(states[1 + latent])
    claimed = -0.5 * (noise[1 + latent, latent] ** 2 - noise[0, latent] ** 2)
    assert log_joint(there, data) - log_joint(here, data) == pytest.approx(claimed, abs=1e-8)


# Nor are the shears


def _sheared(before: GibbsState, into_ability: float, into_factor: float) -> GibbsState:
    """The ability plus a multiple of the factor, then the factor plus one of the new ability."""
    both = np.array([[1.0, 0.0], [into_ability, 1.0]]) @ np.array([[1.0, into_factor], [0.0, 1.0]])
    return before._replace(
        latents=before.latents @ both,
        coefficients=before.coefficients @ both,
        group_latent=before.group_latent @ both,
        slopes=before.slopes @ np.linalg.inv(both).T,
    )


@pytest.fixture(scope="module")
def shears() -> tuple[GibbsData, GibbsState, list[GibbsState], np.ndarray]:
    """A state, and what the shears make of it with three pairs of standard normals."""
    noise = np.array([[0.3, -0.4], [1.4, -0.4], [0.3, 0.9]])
    with jax.enable_x64(True), pytest.MonkeyPatch.context() as patch:
        data, state = scored()

        def drawn(given: jax.Array) -> GibbsState:
            full = jnp.concatenate([jnp.ones(1), given, jnp.ones(1)])  # a latent into itself: none
            patch.setattr(moves, "normal", lambda key, shape: full)
            return moves._shear_latents(random.PRNGKey(0), state, data, SHAPE)

        states = jax.jit(jax.vmap(drawn))(jnp.asarray(noise))
    return data, plain(state), [GibbsState(*(x[k] for x in plain(states))) for k in range(3)], noise


def _amounts(before: GibbsState, state: GibbsState) -> tuple[float, float]:
    both = np.linalg.lstsq(before.latents, state.latents, rcond=None)[0]
    return float(both[1, 0]), float(both[0, 1])


def test_a_shear_keeps_eta_and_moves_all_that_makes_up_the_latents(
    shears: tuple[GibbsData, GibbsState, list[GibbsState], np.ndarray],
) -> None:
    _, before, states, _ = shears
    for state in states:
        np.testing.assert_allclose(eta_of(state), eta_of(before), rtol=1e-9, atol=1e-11)
        amounts = _amounts(before, state)
        assert np.abs(amounts).min() > 1e-3
        for name, expected in _sheared(before, *amounts)._asdict().items():
            np.testing.assert_allclose(getattr(state, name), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("step", [0, 1])
def test_a_shear_is_drawn_from_the_joint_density(
    step: int, shears: tuple[GibbsData, GibbsState, list[GibbsState], np.ndarray]
) -> None:
    """Two shears differ in the joint density as their standard normals do."""
    data, before, states, noise = shears

    def after(state: GibbsState) -> GibbsState:
        into_ability, into_factor = _amounts(before, state)
        return _sheared(before, into_ability, into_factor * step)

    claimed = -0.5 * (noise[1 + step, step] ** 2 - noise[0, step] ** 2)
    differ = log_joint(after(states[1 + step]), data) - log_joint(after(states[0]), data)
    assert differ == pytest.approx(claimed, abs=1e-8)


def test_one_latent_has_nothing_to_shear_with() -> None:
    shape = replace(SHAPE, spec=replace(SHAPE.spec, rank=0))
    state = prior_state(np.random.default_rng(3), tiny_data())
    assert moves._shear_latents(random.PRNGKey(0), state, tiny_data(), shape) is state


def test_a_round_of_moves_keeps_what_single_blocks_draw() -> None:
    """All else moves in one of ten rounds, whatever is refused in the others."""
    data, state = tiny_data(), prior_state(np.random.default_rng(3), tiny_data())
    run = jax.jit(lambda key: moves.move(key, state, data, SHAPE))
    states = [run(key) for key in random.split(random.PRNGKey(1), 10)]
    kept = {
        name
        for name in GibbsState._fields
        if all((np.asarray(getattr(s, name)) == getattr(state, name)).all() for s in states)
    }
    assert kept == {
        "covariates", "mixing", "heaviness", "nu", "noise_level", "var_bias", "var_group_latent",
    }  # fmt: skip
