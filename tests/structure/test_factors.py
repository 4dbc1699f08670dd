"""Factors: rotations undone, ends that are sure, posteriors without any."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import UsageError
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.structure.factors import (
    AlignedFactors,
    align_factors,
    aligned_factors,
    factor_ends,
    varimax,
)
from tests.factories import make_posterior

SIMPLE = np.zeros((12, 3))
SIMPLE[:6, 0], SIMPLE[6:10, 1], SIMPLE[10:, 2] = 1.0, 0.9, 0.8
"""Loadings with one entry per row: varimax leaves them alone."""


def rotations(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """Random orthogonal matrices, reflections among them."""
    turned, upper = np.linalg.qr(rng.normal(size=(n, size, size)))
    return turned * np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None, :]


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
