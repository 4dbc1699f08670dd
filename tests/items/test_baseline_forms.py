"""Greedy, mRMR and anchor forms on cases with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.items.baseline_forms import anchor_forms, greedy_order, mrmr_order


def test_greedy_takes_what_adds_and_goes_on_when_models_run_out() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 8))
    x[:, 1] = x[:, 0] + 0.01 * rng.normal(size=200)
    y = 5 * x[:, 0] + 4 * x[:, 5] + 2 * x[:, 3]
    assert set(greedy_order(x, y, 3)[[0]]) <= {0, 1} and set(greedy_order(x, y, 3)[1:]) == {5, 3}
    order = greedy_order(rng.integers(0, 2, size=(6, 20)).astype(float), rng.normal(size=6), 20)
    assert sorted(order) == list(range(20))


def test_mrmr_leaves_out_the_twin() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 3))
    x[:, 1] = x[:, 0]
    assert mrmr_order(x, 2 * x[:, 0] + x[:, 2], 2).tolist() == [0, 2]


def test_anchors_are_different_items_even_of_equal_points() -> None:
    form, weights = anchor_forms(np.zeros(6), np.zeros((6, 1)), 4, np.random.default_rng(0))
    assert len(set(form)) == 4 and weights.sum() == pytest.approx(1)
