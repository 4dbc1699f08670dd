"""Every peer against an independent way to the same numbers, and the contract they share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bayesbench.evaluation.methods.peers.base import CellPredictions
from scipy.sparse.linalg import svds
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import Ridge

from bayesbench.errors import SchemaError, UnknownIdError, UsageError
from bayesbench.evaluation.methods.peers import BASELINES, Blend, build_baseline
from bayesbench.evaluation.methods.peers.als import _ridge_rows, bias_als
from bayesbench.evaluation.methods.peers.columns import StandardColumns
from bayesbench.evaluation.methods.peers.gaussian import condition_gaussian, ledoit_wolf
from bayesbench.evaluation.methods.peers.knn import model_knn
from bayesbench.evaluation.methods.peers.regression import BenchmarkRegression, benchmark_regression
from bayesbench.evaluation.methods.peers.simple import additive_fit
from bayesbench.evaluation.methods.peers.soft_impute import soft_impute
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.peers.low_rank_cases import low_rank_z

INTERNAL = sorted(set(BASELINES) - {"external"})


def hide_some(matrix: ScoreMatrix, seed: int = 1) -> tuple[ScoreMatrix, np.ndarray]:
    rng = np.random.default_rng(seed)
    hidden = matrix.observed & (rng.random(matrix.shape) < 0.2)
    return matrix.mask(hidden), np.argwhere(hidden)


@pytest.mark.parametrize("name", INTERNAL)
def test_contract(name: str, small_matrix: ScoreMatrix) -> None:
    train, cells = hide_some(small_matrix)
    method = build_baseline(name)
    assert method.name == name
    first, again = (method.predict(train, cells, 3) for _ in range(2))
    assert first.median.shape == (len(cells),) and np.isfinite(first.median).all()
    np.testing.assert_array_equal(first.median, again.median)
    lower = small_matrix.benchmarks["lower"].to_numpy(float)[cells[:, 1]]
    upper = small_matrix.benchmarks["upper"].to_numpy(float)[cells[:, 1]]
    bounded = np.isfinite(lower)
    assert (first.median[bounded] >= lower[bounded]).all()
    assert (first.median[bounded] <= upper[bounded]).all()
    shuffled = np.random.default_rng(0).permutation(len(cells))
    np.testing.assert_allclose(
        method.predict(train, cells[shuffled], 3).median, first.median[shuffled]
    )


@pytest.mark.parametrize("name", INTERNAL)
def test_empty_rows_and_columns(name: str, small_matrix: ScoreMatrix) -> None:
    hidden = np.zeros(small_matrix.shape, dtype=bool)
    hidden[0], hidden[:, 5] = True, True
    hidden &= small_matrix.observed
    cells = np.argwhere(hidden)
    median = build_baseline(name).predict(small_matrix.mask(hidden), cells, 0).median
    np.testing.assert_array_equal(np.isnan(median), cells[:, 1] == 5)


def test_mean(small_matrix: ScoreMatrix) -> None:
    train, cells = hide_some(small_matrix)
    got = build_baseline("mean").predict(train, cells, 0).median
    np.testing.assert_allclose(got, np.nanmean(train.values, axis=0)[cells[:, 1]])


def test_additive_fit_is_the_ridge_solution() -> None:
    z, penalty = low_rank_z(2), 0.3
    rows, columns = np.nonzero(np.isfinite(z))
    m, b = z.shape
    design = np.zeros((rows.size, 1 + m + b))
    design[:, 0] = 1
    design[np.arange(rows.size), 1 + rows] = 1
    design[np.arange(rows.size), 1 + m + columns] = 1
    ridge = penalty * np.eye(1 + m + b)
    ridge[0, 0] = 0  # mu is free
    solution = np.linalg.solve(design.T @ design + ridge, design.T @ z[rows, columns])
    expected = solution[0] + solution[1 : 1 + m, None] + solution[None, 1 + m :]
    np.testing.assert_allclose(additive_fit(z, penalty), expected, atol=1e-7)


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


def test_soft_impute_against_another_svd() -> None:
    z = low_rank_z(6)
    observed = np.isfinite(z)
    filled = np.where(observed, z, 0.0)
    for _ in range(7):
        left, singular, right = svds(filled, k=2, v0=np.ones(min(z.shape)))
        filled = np.where(observed, z, left @ np.diag(np.maximum(singular - 0.4, 0)) @ right)
    np.testing.assert_allclose(soft_impute(z, 2, 0.4, 7, 0.0), filled, atol=1e-8)


def test_soft_impute_recovers_an_exact_low_rank_matrix() -> None:
    rng = np.random.default_rng(7)
    whole = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 20))
    z = np.where(rng.random(whole.shape) < 0.3, np.nan, whole)
    np.testing.assert_allclose(soft_impute(z, 2, 0.0, 3000, 1e-9), whole, atol=1e-4)


def test_model_knn_against_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    z, k = low_rank_z(8, missing=0.5), 4
    observed = np.isfinite(z)
    expected = np.zeros(z.shape)
    for i in range(z.shape[0]):
        near = []
        for other in range(z.shape[0]):
            shared = observed[i] & observed[other]
            if other != i and shared.sum() >= 3:
                near.append((np.sqrt(np.mean((z[i, shared] - z[other, shared]) ** 2)), other))
        chosen = [other for _, other in sorted(near)[:k]]
        for j in range(z.shape[1]):
            values = [z[other, j] for other in chosen if observed[other, j]]
            expected[i, j] = np.mean(values) if values else 0.0
    np.testing.assert_allclose(model_knn(z, k), expected, atol=1e-10)
    monkeypatch.setattr("bayesbench.evaluation.methods.peers.knn._BLOCK", 5)
    np.testing.assert_allclose(model_knn(z, k), expected, atol=1e-10)


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
    whole = build_baseline("soft-impute").predict(train, cells, 0).median
    got = Blend(weight=0.6).predict(train, cells, 0).median
    np.testing.assert_allclose(got, np.where(np.isnan(local), whole, 0.6 * local + 0.4 * whole))


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
    got = build_baseline("gaussian").predict(train, cells, 0)
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
    got = build_baseline("gaussian").predict(train, cells, 0)
    assert got.quantiles is not None
    assert (np.diff(got.quantiles, axis=1) >= 0).all()
    np.testing.assert_allclose(got.quantiles[:, got.quantiles.shape[1] // 2], got.median)


def write(path: Path, rows: Sequence[Sequence[object]], columns: Sequence[str]) -> str:
    pd.DataFrame(rows, columns=list(columns)).to_csv(path, index=False)
    return str(path)


def test_external(tmp_path: Path, small_matrix: ScoreMatrix) -> None:
    cells = np.array([[0, 1], [2, 3], [4, 5]])
    path = write(
        tmp_path / "p.csv",
        [["m2", "b3", 30.0, 20.0, 40.0], ["m0", "b1", 10.0, 5.0, 15.0]],
        ["model_id", "benchmark_id", "predicted", "lower", "upper"],
    )
    got = build_baseline("external", path=path).predict(small_matrix, cells, 0)
    np.testing.assert_array_equal(got.median, [10.0, 30.0, np.nan])
    assert got.lower is not None and got.upper is not None
    np.testing.assert_array_equal(got.upper, [15.0, 40.0, np.nan])


def test_external_errors(tmp_path: Path, small_matrix: ScoreMatrix) -> None:
    cells = np.array([[0, 1]])
    cases = {
        "twice": ([["m0", "b1", 1.0]] * 2, ["model_id", "benchmark_id", "predicted"]),
        "'predicted' is missing": ([["m0", "b1", 1.0]], ["model_id", "benchmark_id", "score"]),
        "holds text": ([["m0", "b1", "high"]], ["model_id", "benchmark_id", "predicted"]),
    }
    for number, (message, (rows, columns)) in enumerate(cases.items()):
        path = write(tmp_path / f"{number}.csv", rows, columns)
        with pytest.raises(SchemaError, match=message):
            build_baseline("external", path=path).predict(small_matrix, cells, 0)
    with pytest.raises(SchemaError, match="cannot be read"):
        build_baseline("external", path=str(tmp_path / "none.csv")).predict(small_matrix, cells, 0)


def test_registry_and_shapes() -> None:
    with pytest.raises(UnknownIdError, match="unknown method 'alz'"):
        build_baseline("alz")
    with pytest.raises(UsageError, match="method 'als'"):
        build_baseline("als", ranks=3)
    with pytest.raises(UsageError, match="both lower and upper"):
        CellPredictions(np.zeros(2), lower=np.zeros(2))
    with pytest.raises(UsageError, match="quantiles must have 2 rows"):
        CellPredictions(np.zeros(2), np.zeros((3, 5)))


def test_z_is_what_the_completers_get(small_matrix: ScoreMatrix) -> None:
    columns = StandardColumns.of(small_matrix)
    np.testing.assert_array_equal(columns.observed, small_matrix.observed)
