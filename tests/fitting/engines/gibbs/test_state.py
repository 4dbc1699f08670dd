"""Sums and effects by group against dense memberships, and where chains start."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from bayesbench.fitting.engines.gibbs.state import (
    GibbsShape,
    GibbsState,
    benchmark_effects,
    family_effects,
    gathered,
    initial_state,
    latent_effects,
    per_benchmark,
    per_model,
    spread,
)
from tests.fitting.engines.gibbs.gibbs_cases import (
    CELLS,
    IN_FAMILY,
    MEMBER,
    SHAPE,
    prior_state,
    tiny_data,
)

CODE = jnp.asarray([2, 0, 3, 1, 0, 3, 2])
"""Three groups; the third and the sixth member have none."""


def test_members_without_a_group_get_nothing() -> None:
    effects = np.random.default_rng(6).normal(size=(3, 2)).astype(np.float32)
    got = np.asarray(spread(jnp.asarray(effects), CODE))
    zero = np.zeros(2)
    expected = [effects[2], effects[0], zero, effects[1], effects[0], zero, effects[2]]
    np.testing.assert_array_equal(got, np.array(expected, np.float32))


def test_members_without_a_group_give_nothing() -> None:
    values = np.random.default_rng(6).normal(size=(7, 2)).astype(np.float32)
    got = np.asarray(gathered(jnp.asarray(values), CODE, 3))
    expected = [values[1] + values[4], values[3], values[0] + values[6]]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize("inner", [(), (2,)], ids=["numbers", "rows"])
def test_gathered_is_the_transpose_of_spread(inner: tuple[int, ...]) -> None:
    """<spread(e), v> = <e, gathered(v)>; whole numbers, so that the sums are exact."""
    rng = np.random.default_rng(6)
    effects = jnp.asarray(rng.integers(-9, 10, (3, *inner)), jnp.float32)
    values = jnp.asarray(rng.integers(-9, 10, (7, *inner)), jnp.float32)
    one = float((spread(effects, CODE) * values).sum())
    assert one == float((effects * gathered(values, CODE, 3)).sum()) != 0.0


def test_sums_over_readings() -> None:
    """Padded readings stand at the first cell: their values must be 0 beforehand."""
    data = tiny_data()
    values = jnp.arange(1.0, 1 + SHAPE.n_readings) * data.present
    benchmarks, models = np.zeros(4), np.zeros(6)
    for value, (i, j) in zip(np.asarray(values), CELLS, strict=False):
        models[i] += value
        benchmarks[j] += value
    np.testing.assert_array_equal(per_benchmark(values, data, SHAPE), benchmarks)
    np.testing.assert_array_equal(per_model(values, data, SHAPE), models)


def test_effects_are_those_of_dense_memberships() -> None:
    data = tiny_data()
    state = prior_state(np.random.default_rng(6), data)
    for got, expected in (
        (benchmark_effects(state.group_benchmark, data, SHAPE), MEMBER @ state.group_benchmark),
        (latent_effects(state.group_latent, data, SHAPE), MEMBER @ state.group_latent),
        (family_effects(state.family, data, SHAPE), state.family @ IN_FAMILY.T),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)
    # neither a provider nor a lineage
    assert not np.asarray(benchmark_effects(state.group_benchmark, data, SHAPE))[5].any()
    assert not np.asarray(latent_effects(state.group_latent, data, SHAPE))[5].any()


def test_effects_of_parts_that_are_off_are_zero() -> None:
    data = tiny_data()
    state = prior_state(np.random.default_rng(6), data)
    spec = replace(SHAPE.spec, group_benchmarks=False, group_latents=False)
    off = replace(SHAPE, spec=spec, n_families=0)
    assert benchmark_effects(state.group_benchmark, data, off) == 0.0
    assert latent_effects(state.group_latent, data, off) == 0.0
    assert family_effects(state.family, data, off) == 0.0


@pytest.mark.parametrize(
    "shape",
    [
        SHAPE,
        replace(SHAPE, kinds=(), n_families=0, n_covariates=0, spec=replace(SHAPE.spec, rank=0)),
        replace(SHAPE, spec=replace(SHAPE.spec, rank=3)),
    ],
    ids=["everything", "one ability", "three factors"],
)
def test_a_chain_starts_in_a_state_of_the_right_shape(shape: GibbsShape) -> None:
    state = jax.jit(lambda key: initial_state(key, shape))(random.PRNGKey(0))
    rank, groups, kinds = shape.spec.rank, 3 if shape.kinds else 0, len(shape.kinds)
    sizes = {
        "bias": (4,), "slopes": (4, 1 + rank), "latents": (6, 1 + rank),
        "coefficients": (shape.n_covariates, 1 + rank), "group_latent": (groups, 1 + rank),
        "group_benchmark": (groups, 4), "family": (6, shape.n_families),
        "covariates": (6, shape.n_covariates), "noise_benchmark": (4,), "noise_model": (6,),
        "mixing": (20,), "heaviness": (4, rank), "nu": (), "noise_level": (), "mean_loading": (),
        "var_bias": (), "var_loading": (), "var_factor": (rank,), "var_group_latent": (kinds,),
        "var_group_benchmark": (kinds,), "var_family": (),
    }  # fmt: skip
    assert {name: value.shape for name, value in state._asdict().items()} == sizes
    positive = [name for name in sizes if name.startswith(("var_", "noise_", "mixing", "heav"))]
    assert all((np.asarray(getattr(state, name)) > 0).all() for name in positive)
    assert all(np.isfinite(np.asarray(value)).all() for value in state)


def test_normal_noise_is_that_of_infinite_degrees_of_freedom() -> None:
    normal = replace(SHAPE, spec=replace(SHAPE.spec, student_t=False))
    assert np.isinf(initial_state(random.PRNGKey(0), normal).nu)


def test_chains_start_apart() -> None:
    """Latents, weights and scales are drawn anew for every chain, and the same by the same key."""
    start = jax.jit(jax.vmap(lambda key: initial_state(key, SHAPE)))
    states = start(random.split(random.PRNGKey(2), 2))
    again = start(random.split(random.PRNGKey(2), 2))

    def differ(one: GibbsState, i: int, other: GibbsState, j: int) -> set[str]:
        return {
            name
            for name in GibbsState._fields
            if not np.array_equal(getattr(one, name)[i], getattr(other, name)[j])
        }

    assert differ(states, 0, again, 0) == set()
    assert differ(states, 0, states, 1) == {
        "slopes", "latents", "noise_benchmark", "noise_level", "var_bias", "var_loading",
        "var_factor", "var_group_latent", "var_group_benchmark", "var_family",
    }  # fmt: skip
