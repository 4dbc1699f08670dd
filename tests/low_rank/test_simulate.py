"""Simulated matrices: reproducible, inside their scale, and true to the truth they come with."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesbench.errors import UsageError
from bayesbench.low_rank.eta import linear_predictor
from bayesbench.low_rank.simulate import MODERATE, Simulation, simulate
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


def ends_of(easy: float) -> tuple[Simulation, np.ndarray]:
    s = simulate(
        7, 60, 10, ModelSpec(rank=1), fill=0.6, n_items=20, easy=easy, lower_is_better=True
    )
    return s, s.transform.beyond(s.matrix.values)[s.matrix.observed]


def test_easy_benchmarks_of_few_items_have_readings_at_the_good_end() -> None:
    for easy in (2.0, -2.0):
        s, beyond = ends_of(easy)
        assert 0.1 < (beyond == np.sign(easy)).mean() < 0.6
        assert (beyond == -np.sign(easy)).mean() < 0.02
        # what is known of them holds
        z, limit = (
            m[s.matrix.observed] for m in (s.z_full, s.transform.to_latent(s.matrix.values))
        )
        assert (beyond * z >= beyond * limit - 1e-9).all()
        np.testing.assert_allclose(z[beyond == 0], limit[beyond == 0])
    lower = ~s.matrix.benchmarks["higher_is_better"].to_numpy(bool)
    assert lower.sum() == 5
    assert np.nanmean(s.matrix.values[:, lower]) > 60 > 40 > np.nanmean(s.matrix.values[:, ~lower])


def test_readings_with_a_standard_error_have_its_noise() -> None:
    s = simulate(8, 80, 60, ModelSpec(rank=1), fill=0.5, largest_error=1.0)
    given = s.matrix.observed & ~np.isnan(s.matrix.stderr)
    assert 0.4 < given.sum() / s.matrix.n_cells < 0.6
    np.testing.assert_allclose(
        s.transform.error_variance(s.matrix.values, s.matrix.stderr)[given], s.error[given]
    )
    scale = s.truth["noise_benchmark"] * s.truth["noise_model"][:, None]
    noise = (s.z_full - s.truth["eta"]) / np.sqrt(scale**2 + s.error)
    assert stats.kstest(noise.ravel(), stats.t(MODERATE["nu"]).cdf).pvalue > 1e-3
    plain = simulate(8, 80, 60, ModelSpec(rank=1), fill=0.5)
    assert np.isnan(plain.matrix.stderr).all() and not plain.error.any()
    np.testing.assert_array_equal(plain.truth["eta"], s.truth["eta"])


def test_few_items_are_noise_if_the_model_says_so() -> None:
    spec = ModelSpec(rank=1, item_noise=0.5)
    s = simulate(9, 12, 8, spec, n_items=25)
    np.testing.assert_allclose(s.error, 0.5 * s.transform.binomial_variance(s.truth["eta"]))
    assert (s.error > 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_models": 0}, "n_models must be at least 1, got 0"),
        ({"n_benchmarks": 0}, "n_benchmarks must be at least 1, got 0"),
        ({"fill": 0.0}, "fill must lie in"),
        ({"fill": 1.5}, "fill must lie in"),
        ({"missing_covariates": 1.0}, "missing_covariates must lie in"),
        ({"largest_error": -0.5}, "largest_error must be 0 or more, got -0.5"),
        ({"given": {"abilty": 1.0}}, "given names 'abilty'"),
    ],
)
def test_wrong_calls(arguments: dict[str, object], message: str) -> None:
    call = {"n_models": 4, "n_benchmarks": 3} | arguments
    with pytest.raises(UsageError, match=message):
        simulate(0, **call)  # type: ignore[arg-type]
