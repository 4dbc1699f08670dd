"""Eta against loops over its formula, on numpy and jax arrays, with and without draw dims."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from bayesbench.low_rank.eta import latent_mean, linear_predictor, linear_predictor_at

M, B, K, G, Q, P = 4, 5, 2, 3, 2, 2


def parameters(lead: tuple[int, ...] = ()) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    shapes = {
        "benchmark_bias": (B,),
        "loading": (B,),
        "weights": (B, K),
        "ability": (M,),
        "factors": (M, K),
        "group_benchmark": (G, B),
        "family": (M, Q),
        "coefficients": (P, 1 + K),
        "group_latent": (G, 1 + K),
    }
    return {name: rng.normal(size=lead + shape) for name, shape in shapes.items()}


def memberships() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    return rng.integers(0, 2, (M, G)).astype(float), rng.integers(0, 2, (B, Q)).astype(float)


def by_hand(p: dict[str, np.ndarray], groups: np.ndarray, families: np.ndarray) -> np.ndarray:
    eta = np.zeros((M, B))
    for i in range(M):
        for j in range(B):
            eta[i, j] = p["benchmark_bias"][j] + p["loading"][j] * p["ability"][i]
            eta[i, j] += sum(p["weights"][j, k] * p["factors"][i, k] for k in range(K))
            eta[i, j] += sum(groups[i, g] * p["group_benchmark"][g, j] for g in range(G))
            eta[i, j] += sum(families[j, q] * p["family"][i, q] for q in range(Q))
    return eta


def test_every_cell_is_the_formula() -> None:
    p, (groups, families) = parameters(), memberships()
    np.testing.assert_allclose(
        linear_predictor(p, groups, families), by_hand(p, groups, families), rtol=1e-12
    )


def test_leading_draw_dims() -> None:
    p, (groups, families) = parameters((2, 3)), memberships()
    eta = linear_predictor(p, groups, families)
    assert eta.shape == (2, 3, M, B)
    one = {name: value[1, 2] for name, value in p.items()}
    np.testing.assert_allclose(eta[1, 2], by_hand(one, groups, families), rtol=1e-12)


@pytest.mark.parametrize("lead", [(), (2, 3)])
@pytest.mark.parametrize("absent", [(), ("weights", "factors"), ("group_benchmark",), ("family",)])
def test_chosen_cells_are_those_of_the_whole(
    lead: tuple[int, ...], absent: tuple[str, ...]
) -> None:
    p, (groups, families) = parameters(lead), memberships()
    for name in absent:
        del p[name]
    row, col = np.array([0, 3, 3, 1]), np.array([4, 0, 2, 2])
    np.testing.assert_allclose(
        linear_predictor_at(p, row, col, groups, families),
        linear_predictor(p, groups, families)[..., row, col],
        rtol=1e-12,
    )


def test_jax_arrays_give_the_same() -> None:
    p, (groups, families) = parameters(), memberships()
    on_jax = {name: jnp.asarray(value) for name, value in p.items()}
    eta = linear_predictor(on_jax, jnp.asarray(groups), jnp.asarray(families))
    np.testing.assert_allclose(eta, by_hand(p, groups, families), atol=1e-5)


def test_effects_need_their_memberships() -> None:
    p, (groups, _) = parameters(), memberships()
    with pytest.raises(TypeError, match="families"):
        linear_predictor(p, groups)
    with pytest.raises(TypeError, match="groups"):
        linear_predictor_at(p, np.array([0]), np.array([0]))


def test_latent_mean() -> None:
    p, (groups, _) = parameters(), memberships()
    x = np.random.default_rng(3).normal(size=(M, P))
    expected = x @ p["coefficients"] + groups @ p["group_latent"]
    np.testing.assert_allclose(latent_mean(p, x, groups), expected)
    del p["group_latent"]
    np.testing.assert_allclose(latent_mean(p, x, groups), x @ p["coefficients"])
    assert latent_mean({}, None, None) == 0
