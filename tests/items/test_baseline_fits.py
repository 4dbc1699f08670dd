"""Ridge, kernel ridge and the mean against exact answers."""

from __future__ import annotations

import numpy as np

from bayesbench.items.baseline_fits import PENALTIES, fit_kernel, fit_mean, fit_ridge


def test_ridge_by_groups_is_the_best_of_the_normal_equations() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, size=(40, 5)).astype(float)
    y = 50 + x @ np.array([10.0, 5, 0, 0, -3]) + rng.normal(size=40)
    fold = np.arange(40) % 4
    unit = ((x - x.mean(axis=0)) ** 2).mean()

    def solved(x: np.ndarray, y: np.ndarray, k: float) -> np.ndarray:
        full = np.column_stack([np.ones(len(x)), x])
        own = ((x - x.mean(axis=0)) ** 2).mean()
        return np.linalg.solve(full.T @ full + np.diag([0.0, *[k * own] * 5]), full.T @ y)

    losses = [
        sum(
            ((y[fold == f] - np.column_stack([np.ones(10), x[fold == f]])
              @ solved(x[fold != f], y[fold != f], k)) ** 2).sum()
            for f in range(4)
        )
        for k in PENALTIES
    ]  # fmt: skip
    expected = solved(x, y, PENALTIES[int(np.argmin(losses))])
    found = fit_ridge(x, y, np.array([f"g{f}" for f in fold]))
    np.testing.assert_allclose(found(x), expected[0] + x @ expected[1:], rtol=1e-8)
    assert unit > 0


def test_kernel_ridge_learns_what_is_no_line() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2, size=(300, 2)).astype(float)
    y = 100.0 * (x[:, 0] != x[:, 1])
    found = fit_kernel(x, y, np.arange(300).astype(str), rng)
    assert np.abs(found(x) - y).max() < 5
    assert np.abs(fit_ridge(x, y, np.arange(300).astype(str))(x) - y).mean() > 40


def test_mean_is_the_mean() -> None:
    assert fit_mean()(np.array([[1.0, 0.0, 0.0, 0.0]])) == 25
