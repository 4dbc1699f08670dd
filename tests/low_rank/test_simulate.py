"""Simulated matrices: reproducible, inside their scale, and true to the truth they come with."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesbench.errors import UsageError
from bayesbench.low_rank.eta import linear_predictor
from bayesbench.low_rank.simulate import MODERATE, simulate
from bayesbench.low_rank.spec import ModelSpec


def test_same_seed_same_matrix() -> None:
    one, two, other = simulate(5, 12, 10), simulate(5, 12, 10), simulate(6, 12, 10)
    assert one.matrix.data_hash == two.matrix.data_hash != other.matrix.data_hash
    for name, value in one.truth.items():
        np.testing.assert_array_equal(value, two.truth[name])


def test_scores_are_the_truth_plus_noise_on_the_percent_scale() -> None:
    s = simulate(1, 30, 25, fill=0.4)
    assert s.matrix.shape == (30, 25)
    np.testing.assert_allclose(
        s.truth["eta"], linear_predictor(s.truth, s.features.groups, s.families.members)
    )
    seen = s.matrix.observed
    np.testing.assert_allclose(s.matrix.values[seen], s.score_full[seen])
    assert np.all((s.score_full > 0) & (s.score_full < 100))
    np.testing.assert_allclose(s.transform.to_score(s.z_full), s.score_full)
    scale = s.truth["noise_benchmark"] * s.truth["noise_model"][:, None]
    noise = (s.z_full - s.truth["eta"]) / scale
    assert stats.kstest(noise.ravel(), stats.t(MODERATE["nu"]).cdf).pvalue > 1e-3


def test_fill_and_every_model_and_benchmark_scored() -> None:
    observed = simulate(2, 80, 60, fill=0.25).matrix.observed
    assert abs(observed.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / observed.size)
    thin = simulate(2, 20, 15, fill=0.01).matrix.observed
    assert thin.any(axis=0).all() and thin.any(axis=1).all()


def test_given_values_stay_and_the_rest_is_drawn_from_the_prior() -> None:
    truth = simulate(3, 10, 8, given={"scale_bias": 0.0, "nu": 3.0}).truth
    assert truth["nu"] == 3.0
    np.testing.assert_array_equal(truth["benchmark_bias"], 0.0)
    drawn = [simulate(seed, 2, 2, given={}).truth["scale_bias"] for seed in range(60)]
    law = stats.invgamma(1, scale=ModelSpec().priors.bias_b)
    assert stats.kstest(np.square(drawn), law.cdf).pvalue > 1e-3


def test_missing_covariates() -> None:
    x = simulate(4, 200, 4, missing_covariates=0.5).features.x
    assert 0.4 < np.isnan(x).mean() < 0.6
    assert not np.isnan(simulate(4, 200, 4).features.x).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_models": 0}, "n_models must be at least 1, got 0"),
        ({"n_benchmarks": 0}, "n_benchmarks must be at least 1, got 0"),
        ({"fill": 0.0}, "fill must lie in"),
        ({"fill": 1.5}, "fill must lie in"),
        ({"missing_covariates": 1.0}, "missing_covariates must lie in"),
        ({"given": {"abilty": 1.0}}, "given names 'abilty'"),
    ],
)
def test_wrong_calls(arguments: dict[str, object], message: str) -> None:
    call = {"n_models": 4, "n_benchmarks": 3} | arguments
    with pytest.raises(UsageError, match=message):
        simulate(0, **call)  # type: ignore[arg-type]
