"""The potential is minus the joint density in sampled coordinates."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from numpyro.infer.util import log_density
from scipy import stats

from bayesbench.fitting.engines.target import Target
from bayesbench.low_rank.density import TrainingData, low_rank_model, site_dims
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec


def target(spec: ModelSpec, fill: float = 0.5) -> Target:
    s = simulate(1, 8, 12, spec, fill=fill, n_providers=2, missing_covariates=0.2)
    data = TrainingData.from_matrix(s.matrix, s.transform, s.features, s.families, s.spec)
    return Target(data, spec)


def prior_of_effects(sites: dict[str, Any], target: Target) -> float:
    """The part of the joint density that the units of the effects stand in for."""
    total = 0.0
    if "group_benchmark" in sites:
        scale = sites["scale_group_benchmark"][target.data.group_kind][:, None]
        scale = scale * sites["noise_benchmark"]
        total += stats.norm(0, scale).logpdf(sites["group_benchmark"]).sum()
    if "family" in sites:
        total += stats.norm(0, sites["scale_family"]).logpdf(sites["family"]).sum()
    return float(total)


@pytest.mark.parametrize("spec", [ModelSpec(rank=2), ModelSpec(rank=0, student_t=False)])
def test_potential_is_density_and_jacobians(spec: ModelSpec) -> None:
    here = target(spec)
    differences = []
    for seed in range(2):
        position = here.start(jax.random.key(seed))
        natural, effects, added = jax.jit(here.coordinates.to_natural)(here.named(position))
        positive = {k for k in natural if k.startswith(("scale_", "noise_"))}
        sites = {k: np.exp(v) if k in positive else v for k, v in natural.items()} | effects
        sites["noise_level"] += spec.priors.noise_level_least
        value = jax.jit(lambda p: log_density(low_rank_model, (here.data, spec), {}, p)[0])(sites)
        value -= prior_of_effects(sites, here)
        logs = sum(float(np.sum(natural[k])) for k in positive)
        differences.append(float(jax.jit(here.potential)(position)) + float(value + added) + logs)
    np.testing.assert_allclose(differences, 0.0, atol=0.02)  # single precision, sums of hundreds


def test_parameters_carry_the_names_and_shapes_of_draws() -> None:
    here = target(ModelSpec(rank=2))
    params = jax.jit(here.parameters)(here.start(jax.random.key(0)), jax.random.key(1))
    dims = site_dims(here.spec, here.data)
    assert set(params) == set(dims)
    assert all(np.ndim(params[name]) == len(dims[name]) for name in dims)
    assert all(np.isfinite(value).all() for value in params.values())


def test_starts_differ_by_key_and_orient_ability_with_the_scores() -> None:
    here = target(ModelSpec(rank=2), fill=0.9)
    one, two = (here.start(jax.random.key(k)) for k in (0, 1))
    assert not np.allclose(one, two)
    params = jax.jit(here.parameters)(one, jax.random.key(1))
    mean = np.bincount(here.data.row, here.data.z) / np.bincount(here.data.row)
    assert stats.spearmanr(params["ability"], mean).statistic > 0.5
