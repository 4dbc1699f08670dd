"""Regressions between benchmarks against loops; the blend is a weighted mean."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from bayesbench.evaluation.methods.peers.regression import (
    BenchmarkRegression,
    Blend,
    benchmark_regression,
)
from bayesbench.evaluation.methods.peers.soft_impute import SoftImpute
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.peers.low_rank_cases import hide_some, low_rank_z


@pytest.mark.parametrize("penalty", [0.0, 0.5])
def test_benchmark_regression_against_loops(penalty: float) -> None:
    z = low_rank_z(9)
    observed = np.isfinite(z)
    expected = np.full(z.shape, np.nan)
    for j in range(z.shape[1]):
        fits = []
        for other in range(z.shape[1]):
            shared = observed[:, j] & observed[:, other]
            if other == j or shared.sum() < 5:
                continue
            x, y = z[shared, other], z[shared, j]
            fit = Ridge(alpha=penalty).fit(x[:, None], y)
            fits.append((np.corrcoef(x, y)[0, 1] ** 2, other, fit.coef_[0], fit.intercept_))
        best = [fit for fit in sorted(fits, reverse=True)[:3] if fit[0] >= 0.2]
        for i in range(z.shape[0]):
            usable = [fit for fit in best if observed[i, fit[1]]]
            if usable:
                values = [slope * z[i, other] + offset for _, other, slope, offset in usable]
                expected[i, j] = np.average(values, weights=[fit[0] for fit in usable])
    np.testing.assert_allclose(
        benchmark_regression(z, 3, 0.2, 5, penalty), expected, atol=1e-8, equal_nan=True
    )


def test_blend_is_the_weighted_mean(small_matrix: ScoreMatrix) -> None:
    train, cells = hide_some(small_matrix)
    local = BenchmarkRegression().predict_where_possible(train, cells)
    whole = SoftImpute().predict(train, cells, 0).median
    got = Blend(weight=0.6).predict(train, cells, 0).median
    np.testing.assert_allclose(got, np.where(np.isnan(local), whole, 0.6 * local + 0.4 * whole))
