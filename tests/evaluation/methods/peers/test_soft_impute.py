"""Soft-impute against another SVD, and an exact low rank."""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import svds

from bayesbench.evaluation.methods.peers.soft_impute import soft_impute
from tests.evaluation.methods.peers.low_rank_cases import low_rank_z


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
