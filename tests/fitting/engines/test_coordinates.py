"""The change of variables: exact Jacobian, unchanged eta, and nothing lost."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy import stats

from bayesbench.fitting.engines.coordinates import SHIFT_SD, STRETCH_SD, TURN_SD, turn_and_stretch
from bayesbench.fitting.engines.target import Target
from bayesbench.low_rank.density import TrainingData
from bayesbench.low_rank.eta import linear_predictor
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec

REDUNDANT = {"turn": TURN_SD, "stretch": STRETCH_SD, "shear": STRETCH_SD, "shift": SHIFT_SD}


def target(rank: int, fill: float = 1.0, expanded: bool = True) -> Target:
    s = simulate(0, 9, 14, ModelSpec(rank=rank), fill=fill, n_providers=2)
    data = TrainingData.from_matrix(s.matrix, s.transform, s.features, s.families, s.spec)
    return Target(data, s.spec, expanded)


def point(target: Target, seed: int = 0) -> dict[str, jax.Array]:
    return target.named(0.4 * jax.random.normal(jax.random.key(seed), (target.size,)))


@pytest.mark.parametrize("expanded", [True, False])
@pytest.mark.parametrize("rank", [0, 2])
def test_log_density_is_the_jacobian_and_the_prior_of_the_redundant(
    rank: int, expanded: bool
) -> None:
    with jax.enable_x64(True):
        full = target(rank, expanded=expanded)
        sampled = {k: jnp.asarray(v, dtype=jnp.float64) for k, v in point(full).items()}
        redundant = {k: sampled.pop(k) for k in REDUNDANT if k in sampled}
        flat, unravel = ravel_pytree(sampled)

        def natural(flat: jax.Array) -> jax.Array:
            named = unravel(flat)
            moved, _, _ = full.coordinates.to_natural({**named, **redundant})
            units = {k: v for k, v in named.items() if k.endswith("_unit")}
            return ravel_pytree(moved | units)[0]

        log_jacobian = np.linalg.slogdet(jax.jit(jax.jacobian(natural))(flat))[1]
        _, _, added = full.coordinates.to_natural({**sampled, **redundant})
    scales = REDUNDANT | {"group_unit": 1.0, "family_unit": 1.0}
    normal = (sampled | redundant).keys() & scales.keys()
    values = {k: np.asarray((sampled | redundant)[k]) / scales[k] for k in normal}
    prior = sum(-0.5 * (value**2).sum() for value in values.values())
    np.testing.assert_allclose(float(added) - prior, log_jacobian, rtol=1e-8)


def test_eta_does_not_feel_the_redundant_map() -> None:
    full = target(2)
    keys = jax.random.split(jax.random.key(3))
    sampled, (groups, families) = point(full), (full.data.groups, full.data.families)
    # a shift moves group effects on latents and biases too, but never eta
    etas = []
    for key in keys:
        moved = {
            k: 0.3 * jax.random.normal(jax.random.fold_in(key, i), sampled[k].shape)
            for i, k in enumerate(REDUNDANT)
        }
        natural, effects, _ = jax.jit(full.coordinates.to_natural)({**sampled, **moved})
        etas.append(linear_predictor(natural | effects, groups, families))
    np.testing.assert_allclose(etas[0], etas[1], atol=2e-5)


def test_turn_and_stretch() -> None:
    rng = np.random.default_rng(1)
    turn, stretch, shear = rng.normal(size=6), rng.normal(size=4), rng.normal(size=6)
    with jax.enable_x64(True):
        linear, inverse, log_det = turn_and_stretch(*map(jnp.asarray, (turn, stretch, shear)))
        rotation, _, _ = turn_and_stretch(*map(jnp.asarray, (turn, np.zeros(4), np.zeros(6))))
        np.testing.assert_allclose(linear @ inverse, np.eye(4), atol=1e-10)
        np.testing.assert_allclose(np.linalg.slogdet(linear)[1], log_det, rtol=1e-10)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(4), atol=1e-12)


def test_effects_without_a_score_are_left_to_their_prior() -> None:
    thin = target(1, fill=0.3)
    shapes = thin.coordinates.shapes
    assert shapes["group_unit"] == (int(thin.data.informed_groups.sum()),)
    assert shapes["family_unit"] == (int(thin.data.informed_families.sum()),)
    named = {k: np.asarray(v) for k, v in point(thin).items()}
    position, keys = ravel_pytree(named)[0], jax.random.split(jax.random.key(5), 2000)
    draws = jax.jit(jax.vmap(lambda key: thin.parameters(position, key)))(keys)
    family = np.asarray(draws["family"])
    informed = thin.data.informed_families
    np.testing.assert_allclose(family[:, informed].std(axis=0), 0.0, atol=1e-5)
    unit = family[:, ~informed].ravel() / np.exp(named["scale_family"])
    assert stats.kstest(unit, stats.norm().cdf).pvalue > 1e-3
