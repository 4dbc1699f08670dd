"""ALS: ridge by scikit-learn, the additive fit at rank 0, an exact low rank."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge

from bayesbench.evaluation.methods.peers.als import Offsets, _ridge_rows, bias_als
from bayesbench.evaluation.methods.peers.simple import ModelBenchmarkBias, additive_fit
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.peers.low_rank_cases import hide_some, low_rank_z


def test_ridge_rows_agree_with_scikit_learn() -> None:
    z, rng = low_rank_z(3), np.random.default_rng(3)
    factors = rng.normal(size=(z.shape[1], 2))
    observed = np.isfinite(z)
    intercept, slopes = _ridge_rows(np.where(observed, z, 0), observed * 1.0, factors, 0.7)
    for i, keep in enumerate(observed):
        design = np.column_stack([np.ones(keep.sum()), factors[keep]])
        expected = Ridge(alpha=0.7, fit_intercept=False).fit(design, z[i, keep]).coef_
        np.testing.assert_allclose([intercept[i], *slopes[i]], expected, atol=1e-10)


def test_als_of_rank_0_is_the_additive_fit() -> None:
    z = low_rank_z(4)
    got = bias_als(z, 0, 0.3, 3000, 1, rng=np.random.default_rng(0))
    np.testing.assert_allclose(got, additive_fit(z, 0.3), atol=1e-7)


def test_als_recovers_an_exact_low_rank_matrix() -> None:
    rng = np.random.default_rng(5)
    whole = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 20)) + rng.normal(size=(30, 1))
    z = np.where(rng.random(whole.shape) < 0.3, np.nan, whole)
    got = bias_als(z, 2, 1e-6, 600, 1, rng=rng)
    np.testing.assert_allclose(got, whole, atol=1e-2)


def test_offsets_are_the_additive_fit_whatever_the_seed(small_matrix: ScoreMatrix) -> None:
    train, cells = hide_some(small_matrix)
    got = Offsets(penalty=0.3, n_iter=3000).predict(train, cells, 1).median
    np.testing.assert_array_equal(
        got, Offsets(penalty=0.3, n_iter=3000).predict(train, cells, 2).median
    )
    expected = ModelBenchmarkBias(penalty=0.3).predict(train, cells, 0).median
    np.testing.assert_allclose(got, expected, rtol=1e-6)
