from __future__ import annotations

import numpy as np
import pytest

from bayesbench.answers.normals import lower_root, solve_lower, solve_upper


def test_roots_and_systems_are_those_of_lapack() -> None:
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(30, 7, 7))
    precision = parts @ parts.transpose(0, 2, 1) + np.eye(7)
    right = rng.normal(size=(30, 7))
    root = lower_root(precision)
    lower = np.moveaxis(root, -1, 0)
    np.testing.assert_allclose(lower @ lower.transpose(0, 2, 1), precision, atol=1e-12)
    for found, matrix in (
        (solve_lower(root, right.T), lower),
        (solve_upper(root, right.T), lower.transpose(0, 2, 1)),
    ):
        expected = np.linalg.solve(matrix, right[..., None])[..., 0]
        np.testing.assert_allclose(found.T, expected, atol=1e-12)


def test_a_matrix_that_is_not_positive_definite_has_no_root() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        lower_root(-np.eye(2)[None])
