"""The Gibbs sampler: reproducible runs, every part switched off, scores without noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesbench.fitting.engines.gibbs.sampler import (
    compiled_sampler,
    gibbs_data,
    gibbs_shape,
)
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.fitting.problem import prepare
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.spec import ModelSpec, Priors
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix

SMALL = Gibbs(chains=2, warmup=20, draws=30, thin=1)


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
