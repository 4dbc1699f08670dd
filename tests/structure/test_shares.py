"""Complete submatrices and shares of variance, against an independent PCA and planted parts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.decomposition import PCA

from bayesbench.structure.shares import complete_submatrices, cumulative_shares, submatrix_shares


def test_a_planted_complete_block_is_found() -> None:
    rng = np.random.default_rng(0)
    observed = rng.random((60, 30)) < 0.25
    rows, columns = rng.permutation(60)[:20], rng.permutation(30)[:10]
    observed[np.ix_(rows, columns)] = True
    found = complete_submatrices(observed)
    assert set(columns) == set(found[0].columns)
    assert set(rows) <= set(found[0].rows)


def test_submatrices_are_complete_large_enough_and_different() -> None:
    observed = np.random.default_rng(1).random((80, 25)) < 0.8
    found = complete_submatrices(observed, n=4, min_models=8, min_benchmarks=5, max_overlap=0.3)
    assert 2 <= len(found) <= 4
    for part in found:
        assert observed[np.ix_(part.rows, part.columns)].all()
        assert part.rows.size >= 8 and part.columns.size >= 5
    for i, a in enumerate(found):
        for b in found[:i]:
            shared = np.intersect1d(a.rows, b.rows).size * np.intersect1d(a.columns, b.columns).size
            assert shared <= 0.3 * a.n_cells


def test_no_submatrix_in_an_empty_matrix() -> None:
    assert complete_submatrices(np.zeros((30, 10), dtype=np.bool_)) == ()


def test_shares_agree_with_an_independent_pca() -> None:
    values = np.random.default_rng(2).normal(size=(15, 6)) @ np.diag([4, 2, 1, 1, 1, 0.5])
    expected = np.cumsum(PCA().fit(values).explained_variance_ratio_)
    np.testing.assert_allclose(cumulative_shares(values), expected, rtol=1e-12)


def test_shares_of_an_exact_rank_and_of_constants() -> None:
    rng = np.random.default_rng(3)
    rank_two = rng.normal(size=(9, 2)) @ rng.normal(size=(2, 5)) + rng.normal(size=5)
    shares = cumulative_shares(rank_two)
    assert shares[0] < 1 and shares[1] == pytest.approx(1.0)
    assert np.isnan(cumulative_shares(np.ones((4, 3)))).all()


def test_chance_level_is_what_independent_columns_give() -> None:
    rng = np.random.default_rng(4)
    rows = submatrix_shares(rng.normal(size=(60, 8)), rng, resamples=20)
    # shares of independent columns scatter by about 0.02 at this size
    assert all(abs(row.share - row.chance) < 0.08 for row in rows)
    rows = submatrix_shares(rng.normal(size=(60, 1)) + 0.2 * rng.normal(size=(60, 8)), rng)
    assert rows[0].share > 0.9 > 0.4 > rows[0].chance


def test_bootstrap_interval_covers_the_share_of_the_population() -> None:
    rng = np.random.default_rng(5)
    loadings = rng.normal(size=(10, 2))
    covariance = loadings @ loadings.T + 0.5 * np.eye(10)
    power = np.linalg.eigvalsh(covariance)[::-1]
    truth = np.cumsum(power)[:2] / power.sum()
    hits = np.zeros(2)
    n_sims = 200
    for _ in range(n_sims):
        values = rng.multivariate_normal(np.zeros(10), covariance, size=60)
        rows = submatrix_shares(values, rng, resamples=200, shuffles=2)
        hits += [rows[r].lower <= truth[r] <= rows[r].upper for r in range(2)]
    # a bootstrap is right to first order only: nominal 0.9 less 0.05, and 3.5 standard errors
    assert (hits / n_sims > 0.85 - 3.5 * math.sqrt(0.1275 / n_sims)).all()
