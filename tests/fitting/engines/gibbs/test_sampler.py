"""The Gibbs sampler: reproducible runs, every part switched off, scores without noise."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from bayesbench.fitting.engines.gibbs.sampler import (
    PADDING,
    compiled_sampler,
    gibbs_data,
    gibbs_shape,
    named_draws,
)
from bayesbench.fitting.engines.gibbs.state import GibbsState, initial_state
from bayesbench.fitting.engines.gibbs.sweep import sweep
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.fitting.problem import prepare
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.density import site_dims
from bayesbench.low_rank.spec import ModelSpec, Priors
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix

SPEC = ModelSpec(rank=1)
SMALL = Gibbs(chains=2, warmup=20, draws=30, thin=1)


def test_same_seed_same_draws_and_chains_do_not_depend_on_their_number() -> None:
    matrix = make_matrix(1, 6, 5)
    one = sample(matrix, SPEC, SMALL, seed=3, check=False)
    two = sample(matrix, SPEC, SMALL, seed=3, check=False)
    other = sample(matrix, SPEC, SMALL, seed=4, check=False)
    np.testing.assert_array_equal(one.draws["ability"], two.draws["ability"])
    assert not np.array_equal(one.draws["ability"], other.draws["ability"])
    single = replace(SMALL, chains=1)
    alone = sample(matrix, SPEC, single, seed=3, check=False)
    np.testing.assert_allclose(
        alone.draws["ability"][0, :3], one.draws["ability"][0, :3], rtol=2e-2
    )
    assert not np.array_equal(one.draws["ability"][0], one.draws["ability"][1])


def test_padding_changes_nothing_but_the_random_numbers() -> None:
    problem = prepare(make_matrix(1, 6, 5), SPEC)
    # the program of the one chain above serves here too
    shape = gibbs_shape(problem.data, problem.spec, PADDING)
    data = gibbs_data(problem.data, shape)
    assert data.z.shape == (PADDING,)
    assert float(data.present.sum()) == problem.data.n_cells < PADDING
    draws = compiled_sampler(shape, 1).run(data, seed=0, chains=1, warmup=1, draws=5)
    assert all(np.isfinite(value).all() for value in draws.values())


SWITCHED_OFF = [
    ({"rank": 0}, {"weights", "factors", "scale_factor"}),
    ({"student_t": False}, {"nu"}),
    ({"model_noise": False}, {"noise_model"}),
    ({"covariates": ()}, {"coefficients"}),
    ({"group_latents": False}, {"group_latent", "scale_group_latent"}),
    ({"group_benchmarks": False}, {"group_benchmark", "scale_group_benchmark"}),
    ({"heavy_loadings": False}, set()),
    ({"groups": ()}, {"group_latent", "group_benchmark"}),
]


@pytest.mark.parametrize(("change", "absent"), SWITCHED_OFF)
def test_a_sweep_fits_together_whatever_is_switched_off(
    change: dict[str, object], absent: set[str]
) -> None:
    """Traced, not run: a state comes out as it went in, and has the draws of the model's parts."""
    problem = prepare(make_matrix(1, 6, 5), replace(SPEC, **change))
    shape = gibbs_shape(problem.data, problem.spec)
    data = gibbs_data(problem.data, shape)

    def swept(key: jax.Array) -> tuple[GibbsState, GibbsState, dict[str, jax.Array]]:
        before = initial_state(key, shape)
        after, _ = sweep(key, before, data, shape)
        return before, after, named_draws(after, shape)

    before, after, draws = jax.eval_shape(swept, jax.random.PRNGKey(0))
    for name, value in before._asdict().items():
        assert value.shape == getattr(after, name).shape, name
        assert value.dtype == getattr(after, name).dtype, name
    dims = site_dims(problem.spec, problem.data)
    assert {name: value.ndim for name, value in draws.items()} == {
        name: len(of) for name, of in dims.items()
    }
    assert not absent & set(draws)


@pytest.mark.slow
@pytest.mark.parametrize(("change", "absent"), SWITCHED_OFF)
def test_every_part_can_be_switched_off(change: dict[str, object], absent: set[str]) -> None:
    config = Gibbs(chains=1, warmup=1, draws=2, thin=1)
    spec = replace(SPEC, **change)
    posterior = sample(make_matrix(1, 6, 5), spec, config, seed=0, check=False)
    assert not absent & set(posterior.draws)


def exact_matrix(constant: float | None) -> ScoreMatrix:
    """Scores of one ability without noise; and a benchmark on which all score the same."""
    rng = np.random.default_rng(2)
    eta = rng.normal(size=(30, 1)) * rng.uniform(0.5, 1.5, 8) + rng.normal(size=8)
    scores = pd.DataFrame(100 / (1 + np.exp(-eta))).rename_axis(index="model_id")
    if constant is not None:
        scores += rng.normal(size=scores.shape).clip(-2, 2)
        scores[0] = constant
    return ScoreMatrix.from_frame(scores.clip(0, 100).reset_index(), scale="percent")


@pytest.mark.slow
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
