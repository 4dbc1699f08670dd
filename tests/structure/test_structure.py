from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from bayesbench.errors import DataError, UsageError
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores import ScoreMatrix
from bayesbench.structure import (
    AlignedFactors,
    align_factors,
    aligned_factors,
    complete_submatrices,
    cumulative_shares,
    evaluate_structure,
    factor_ends,
    rank_sweep,
    submatrix_shares,
    varimax,
)
from tests.factories import make_matrix, make_posterior

SIMPLE = np.zeros((12, 3))
SIMPLE[:6, 0], SIMPLE[6:10, 1], SIMPLE[10:, 2] = 1.0, 0.9, 0.8
"""Loadings with one entry per row: varimax leaves them alone."""


def rotations(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """Random orthogonal matrices, reflections among them."""
    turned, upper = np.linalg.qr(rng.normal(size=(n, size, size)))
    return turned * np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None, :]


def low_rank_scores(
    rng: np.random.Generator, n_models: int, n_benchmarks: int, rank: int, noise: float
) -> pd.DataFrame:
    latents, loadings = rng.normal(size=(n_models, rank)), rng.normal(size=(n_benchmarks, rank))
    logit = latents @ loadings.T + noise * rng.normal(size=(n_models, n_benchmarks))
    return pd.DataFrame(
        100 / (1 + np.exp(-logit)),
        index=[f"m{i}" for i in range(n_models)],
        columns=[f"b{j}" for j in range(n_benchmarks)],
    )


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
    rows = submatrix_shares(rng.normal(size=(60, 8)), rng, n_boot=20)
    # shares of independent columns scatter by about 0.02 at this size
    assert all(abs(row["share"] - row["chance"]) < 0.08 for row in rows)
    rows = submatrix_shares(rng.normal(size=(60, 1)) + 0.2 * rng.normal(size=(60, 8)), rng)
    assert rows[0]["share"] > 0.9 > 0.4 > rows[0]["chance"]


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
        rows = submatrix_shares(values, rng, n_boot=200, n_permuted=2)
        hits += [rows[r]["lower"] <= truth[r] <= rows[r]["upper"] for r in range(2)]
    # a bootstrap is right to first order only: nominal 0.9 less 0.05, and 3.5 standard errors
    assert (hits / n_sims > 0.85 - 3.5 * math.sqrt(0.1275 / n_sims)).all()


def test_structure_of_a_planted_rank() -> None:
    frame = low_rank_scores(np.random.default_rng(6), 30, 12, rank=2, noise=0.05)
    frame["elo"] = 1000 + 200 * np.random.default_rng(7).normal(size=30)
    benchmarks = pd.DataFrame(
        {
            "benchmark_id": frame.columns,
            "scale": ["rating" if name == "elo" else "percent" for name in frame.columns],
        }
    )
    matrix = ScoreMatrix.from_frame(frame, benchmarks=benchmarks)
    found = evaluate_structure(matrix, seed=1, n_boot=50)
    first = found["submatrices"][0]
    assert (first["n_models"], first["n_benchmarks"]) == (30, 12)
    assert "elo" not in first["benchmarks"]
    assert first["rank90"] == 2
    assert first["shares"][1]["share"] > 0.98 > first["shares"][0]["share"]
    assert found["median_share"]["2"] > 0.98
    again = evaluate_structure(matrix, seed=1, n_boot=50)
    assert again == found


def test_structure_needs_a_complete_part() -> None:
    with pytest.raises(DataError, match="fuller"):
        evaluate_structure(make_matrix())


def test_rank_sweep_finds_the_planted_rank() -> None:
    frame = low_rank_scores(np.random.default_rng(8), 40, 15, rank=3, noise=0.05)
    matrix = ScoreMatrix.from_frame(frame, scale="percent")
    rows = rank_sweep(matrix, (1, 3), method="als", options={"n_starts": 2}, max_folds=1, seed=3)
    assert [row["rank"] for row in rows] == [1, 3]
    assert rows[1]["medae"] < 0.5 * rows[0]["medae"]
    assert rows[0]["n_cells"] == rows[1]["n_cells"] > 100
    assert "strata" not in rows[0]


def test_varimax_is_the_best_of_all_plane_rotations() -> None:
    loadings = np.random.default_rng(9).normal(size=(20, 2))

    def simplicity(turned: np.ndarray) -> float:
        return float((turned**2).var(axis=0).sum())

    angles = np.linspace(0, np.pi / 2, 2001)
    grid = [
        simplicity(loadings @ np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]))
        for a in angles
    ]
    rotation = varimax(loadings)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(2), atol=1e-12)
    assert simplicity(loadings @ rotation) >= max(grid) - 1e-9


def test_planted_rotations_are_undone() -> None:
    rng = np.random.default_rng(10)
    s, m = 300, 25
    factors = rng.normal(size=(m, 3))
    turns = rotations(rng, s, 3)
    noisy = SIMPLE + 0.05 * rng.normal(size=(s, *SIMPLE.shape))
    spread = factors + 0.05 * rng.normal(size=(s, m, 3))
    weights, turned = align_factors(noisy @ turns, spread @ turns)
    # draws differ from the truth by the planted noise (0.05), turned by at most its own size
    np.testing.assert_allclose(weights.mean(axis=0), SIMPLE, atol=0.02)
    np.testing.assert_allclose(turned.mean(axis=0), factors, atol=0.03)
    assert weights.std(axis=0).max() < 0.08
    product = np.einsum("sbk,smk->sbm", weights, turned)
    np.testing.assert_allclose(product, noisy @ spread.transpose(0, 2, 1), atol=1e-9)


def test_alignment_does_not_depend_on_the_rotations() -> None:
    rng = np.random.default_rng(11)
    noisy = SIMPLE + 0.2 * rng.normal(size=(50, *SIMPLE.shape))
    factors = rng.normal(size=(50, 8, 3))
    turns = rotations(rng, 50, 3)
    first = align_factors(noisy, factors)
    second = align_factors(noisy @ turns, factors @ turns)
    # the same fixed point up to where the passes stop
    np.testing.assert_allclose(first[0].mean(axis=0), second[0].mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(first[1].mean(axis=0), second[1].mean(axis=0), atol=3e-3)


def test_factors_of_a_posterior_keep_eta_and_say_how_sure_they_are() -> None:
    posterior = make_posterior(n_models=12, n_benchmarks=9, rank=2, n_draws=100)
    aligned = aligned_factors(posterior)
    product = np.einsum("smk,sbk->smb", aligned.factors, aligned.weights)
    raw = np.einsum("smk,sbk->smb", posterior.stacked("factors"), posterior.stacked("weights"))
    np.testing.assert_allclose(product, raw, atol=1e-4)
    assert aligned.congruence.shape == aligned.size.shape == (100, 2)
    assert (aligned.congruence.mean(axis=0) > 0.8).all()
    assert aligned.size.mean(axis=0)[0] > 0


def test_unidentified_factors_have_a_low_congruence() -> None:
    rng = np.random.default_rng(12)
    weights, _ = align_factors(rng.normal(size=(200, 40, 2)), rng.normal(size=(200, 20, 2)))
    mean = weights.mean(axis=0)
    cosine = np.einsum("sbk,bk->sk", weights, mean) / (
        np.linalg.norm(weights, axis=1) * np.linalg.norm(mean, axis=0)
    )
    assert cosine.mean() < 0.6


def test_ends_name_sure_benchmarks_only() -> None:
    rng = np.random.default_rng(13)
    center = np.array([2.0, 1.0, 0.0, -1.0, -2.0, 5.0])
    sd = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 20.0])
    weights = (center + sd * rng.normal(size=(4000, 6)))[..., None]
    names = ("top", "high", "none", "low", "bottom", "doubtful")
    aligned = AlignedFactors(("m",), names, weights, np.ones((4000, 1, 1)), np.ones((4000, 1)))
    ends = factor_ends(aligned, n=2)
    assert list(ends["benchmark_id"]) == ["top", "high", "bottom", "low"]
    assert list(ends["end"]) == ["high", "high", "low", "low"]
    assert ends["clear"].all()
    top = ends.iloc[0]
    # normal quantiles; 4,000 draws place a 5 % quantile within 0.005 of its sd
    assert top["lower"] == pytest.approx(2 - 0.1645, abs=0.02)
    assert top["upper"] == pytest.approx(2 + 0.1645, abs=0.02)


def test_a_posterior_without_factors_is_refused() -> None:
    with pytest.raises(UsageError, match="rank 0"):
        aligned_factors(make_posterior(spec=ModelSpec(rank=0)))


def test_structure_needs_neither_jax_nor_numpyro() -> None:
    code = "import sys, bayesbench.structure; print({'jax', 'numpyro'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
