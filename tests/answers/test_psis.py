from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bayesbench.answers.psis import (
    effective_share,
    pareto_shape,
    smoothed_weights,
    systematic_resample,
)


@pytest.mark.parametrize("n", [100, 226, 400, 2000])
@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_smoothed_weights_against_arviz(n: int, spread: float) -> None:
    array_stats = pytest.importorskip(
        "arviz_stats.base", reason="arviz-stats is not installed"
    ).array_stats
    log_weights = np.random.default_rng(n).normal(0, spread, n)
    # arviz takes log likelihoods, which are the log weights with the sign turned
    expected, k_hat = array_stats.psislw(-log_weights)
    weights, found = smoothed_weights(log_weights)
    assert found == pytest.approx(float(k_hat), abs=1e-10)
    np.testing.assert_allclose(weights, np.exp(expected), rtol=1e-8)


@pytest.mark.parametrize("shape", [0.2, 0.5, 0.9])
def test_pareto_shape_is_recovered(shape: float) -> None:
    excess = np.sort(stats.genpareto.rvs(shape, scale=2.0, size=20_000, random_state=1))
    found, scale = pareto_shape(excess)
    # asymptotic sd of the shape is (1 + k) / sqrt(n)
    assert found == pytest.approx(shape, abs=4 * (1 + shape) / math.sqrt(20_000))
    assert scale == pytest.approx(2.0, rel=0.05)


def test_uneven_weights_are_flagged() -> None:
    log_weights = np.random.default_rng(0).standard_t(1.5, 1000) * 5
    weights, k_hat = smoothed_weights(log_weights)
    assert k_hat > 0.7
    assert effective_share(weights) < 0.1


def test_equal_and_few_weights_stay_as_they_are() -> None:
    weights, k_hat = smoothed_weights(np.zeros(100))
    np.testing.assert_allclose(weights, 0.01)
    assert math.isnan(k_hat)
    log_weights = np.log(np.arange(1.0, 11.0))
    weights, k_hat = smoothed_weights(log_weights)
    np.testing.assert_allclose(weights, np.arange(1, 11) / 55)
    assert math.isnan(k_hat)


def test_effective_share_of_known_weights() -> None:
    assert effective_share(np.full(50, 0.02)) == pytest.approx(1)
    assert effective_share([1.0, 0, 0, 0]) == pytest.approx(0.25)


@pytest.mark.parametrize("start", [0.0, 0.3, 0.999])
def test_systematic_resampling_rounds_up_or_down(start: float) -> None:
    weights = np.random.default_rng(2).dirichlet(np.ones(200))
    index = systematic_resample(weights, start)
    assert index.size == 200
    count = np.bincount(index, minlength=200)
    assert (np.abs(count - 200 * weights) < 1 + 1e-9).all()
