"""The simple methods: exact on small cases, one contract for all."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import DataError, UnknownIdError
from bayesbench.items.baseline_fits import PENALTIES, fit_kernel, fit_mean, fit_ridge
from bayesbench.items.baseline_forms import anchor_forms, greedy_order, mrmr_order
from bayesbench.items.baselines import ITEM_METHODS, fit_method
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items


def shown(responses: ItemResponses, asked: np.ndarray) -> ItemResponses:
    return ItemResponses(
        responses.models, responses.items, responses.correct * asked, responses.trials * asked
    )


@pytest.fixture(scope="module")
def drawn() -> ItemResponses:
    return simulate_items(160, 30, factors=2, seed=4).responses


@pytest.mark.parametrize("name", ITEM_METHODS)
def test_every_method_keeps_the_contract(drawn: ItemResponses, name: str) -> None:
    train, new = drawn.subset(models=np.arange(120)), drawn.subset(models=np.arange(120, 160))
    found = fit_method(name, train, [f"g{n // 3}" for n in range(120)], (4, 30), seed=2)
    four, whole = found.ask(new, (4, 30))
    assert four.dtype == bool and (four.sum(axis=1) == 4).all() and whole.all()
    band, truth = found.predict(shown(new, four)), new.scores()
    assert ((band.lower <= band.score) & (band.score <= band.upper)).all()
    assert np.abs(band.score - truth).mean() < 20
    assert ((band.lower <= truth) & (truth <= band.upper)).mean() > 0.7
    all_of_it = found.predict(new)
    np.testing.assert_allclose(all_of_it.score, truth, atol=1e-6)
    np.testing.assert_allclose(all_of_it.upper - all_of_it.lower, 0, atol=1e-6)
    again = fit_method(name, train, [f"g{n // 3}" for n in range(120)], (4, 30), seed=2)
    np.testing.assert_array_equal(again.predict(shown(new, four)).score, band.score)


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


def test_mean_is_the_mean() -> None:
    assert fit_mean()(np.array([[1.0, 0.0, 0.0, 0.0]])) == 25


def test_what_cannot_be_done_is_refused(drawn: ItemResponses) -> None:
    with pytest.raises(UnknownIdError, match="random-ridge"):
        fit_method("randm-ridge", drawn)
    found = fit_method("greedy-ridge", drawn, budgets=(5,))
    with pytest.raises(UnknownIdError):
        next(iter(found.ask(drawn, (6,))))
    asked = np.zeros(drawn.shape, dtype=bool)
    asked[:, :5] = True
    with pytest.raises(DataError, match="those of no form"):
        found.predict(shown(drawn, asked))
