"""Nearest models against loops."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.evaluation.methods.peers.knn import model_knn
from tests.evaluation.methods.peers.low_rank_cases import low_rank_z


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
