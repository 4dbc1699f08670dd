"""Gaussian conditioning against scikit-learn, two dimensions by hand, skillinfer."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from bayesbench.evaluation.methods.peers.gaussian import (
    GaussianConditioning,
    condition_gaussian,
    ledoit_wolf,
)
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.peers.low_rank_cases import hide_some


def test_ledoit_wolf_agrees_with_scikit_learn() -> None:
    values = np.random.default_rng(10).normal(size=(30, 8)) @ np.diag(np.arange(1, 9.0))
    covariance, shrinkage = ledoit_wolf(values)
    reference = LedoitWolf().fit(values)
    assert shrinkage == pytest.approx(reference.shrinkage_)
    np.testing.assert_allclose(covariance, reference.covariance_)


def test_condition_gaussian_in_two_dimensions() -> None:
    mean, covariance = np.array([1.0, 2.0]), np.array([[4.0, 1.2], [1.2, 1.0]])
    center, sd = condition_gaussian(mean, covariance, np.array([1]), np.array([3.0]), 0.5)
    # cov / (var + noise^2) = 1.2 / 1.25
    assert center[0] == pytest.approx(1 + 1.2 / 1.25)
    assert sd[0] == pytest.approx(np.sqrt(4 - 1.2**2 / 1.25))


def test_gaussian_agrees_with_skillinfer(small_matrix: ScoreMatrix) -> None:
    skillinfer = pytest.importorskip("skillinfer", reason="optional oracle skillinfer is missing")
    train, cells = hide_some(small_matrix)
    frame = train.to_frame(wide=True)
    population = skillinfer.Population.from_dataframe(frame.fillna(frame.mean()))
    low, span = frame.min(), frame.max() - frame.min()
    got = GaussianConditioning().predict(train, cells, 0)
    for (row, column), median in zip(cells, got.median, strict=True):
        profile = population.profile()
        given = ((frame.iloc[row] - low) / span).dropna()
        profile.observe_many(given.to_dict())
        name = frame.columns[column]
        expected = profile.mu[column] * span[name] + low[name]
        bounds = train.benchmarks.loc[name, ["lower", "upper"]].astype(float)
        if np.isfinite(bounds["lower"]):
            expected = np.clip(expected, bounds["lower"], bounds["upper"])
        assert median == pytest.approx(expected, abs=1e-6)


def test_gaussian_quantiles(small_matrix: ScoreMatrix) -> None:
    train, cells = hide_some(small_matrix)
    got = GaussianConditioning().predict(train, cells, 0)
    assert got.quantiles is not None
    assert (np.diff(got.quantiles, axis=1) >= 0).all()
    np.testing.assert_allclose(got.quantiles[:, got.quantiles.shape[1] // 2], got.median)
