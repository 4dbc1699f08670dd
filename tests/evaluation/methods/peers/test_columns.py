"""The peers' link: clip, logit, z-score."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from bayesbench.evaluation.methods.peers.columns import StandardColumns
from bayesbench.scores.matrix import ScoreMatrix


def test_by_hand() -> None:
    frame = pd.DataFrame(
        {"p": [0.0, 100.0, 50.0], "u": [0.2, 0.8, np.nan], "r": [1000.0, 1200.0, 1100.0]},
        index=["a", "b", "c"],
    )
    metadata = pd.DataFrame(
        {"benchmark_id": ["p", "u", "r"], "scale": ["percent", "unit", "rating"]}
    )
    columns = StandardColumns.of(ScoreMatrix.from_frame(frame, benchmarks=metadata))
    top = logit(0.995)
    np.testing.assert_allclose(columns.center, [0, 0, 1100], atol=1e-9)
    np.testing.assert_allclose(
        columns.spread, [np.sqrt(2 / 3) * top, logit(0.8), np.sqrt(2 / 3) * 100]
    )
    np.testing.assert_allclose(columns.z[:, 1], [-1, 1, np.nan])
    np.testing.assert_allclose(
        columns.to_score(columns.z),
        [[0.5, 0.2, 1000], [99.5, 0.8, 1200], [50, np.nan, 1100]],
        atol=1e-9,
    )


def test_round_trip(small_matrix: ScoreMatrix) -> None:
    columns = StandardColumns.of(small_matrix)
    np.testing.assert_allclose(columns.to_score(columns.z), small_matrix.values, rtol=1e-9)
    assert np.nanmean(columns.z, axis=0) == pytest.approx(np.zeros(14), abs=1e-9)


def test_a_column_without_scores_cannot_be_predicted(small_matrix: ScoreMatrix) -> None:
    hidden = np.zeros(small_matrix.shape, dtype=bool)
    hidden[:, 3] = True
    columns = StandardColumns.of(small_matrix.mask(hidden))
    scores = columns.to_score(np.zeros(small_matrix.shape))
    assert np.isnan(scores[:, 3]).all() and np.isfinite(np.delete(scores, 3, axis=1)).all()


def test_z_is_what_the_completers_get(small_matrix: ScoreMatrix) -> None:
    columns = StandardColumns.of(small_matrix)
    np.testing.assert_array_equal(columns.observed, small_matrix.observed)


def test_scores_become_z_and_columns_can_be_taken(small_matrix: ScoreMatrix) -> None:
    columns = StandardColumns.of(small_matrix)
    np.testing.assert_allclose(columns.to_z(small_matrix.values), columns.z, atol=1e-12)
    chosen = np.array([13, 2, 2])
    taken = columns.take(chosen)
    np.testing.assert_array_equal(taken.z, columns.z[:, chosen])
    np.testing.assert_allclose(
        taken.to_score(np.full((5, 3), 0.5))[4],
        columns.to_score(np.full(small_matrix.shape, 0.5))[0, chosen],
    )
    # 100 and 99.9 are clipped alike
    np.testing.assert_allclose(*(taken.to_z(np.array([1200.0, top, 50])) for top in (100, 99.9)))
