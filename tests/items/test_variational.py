"""The variational bank: recovers what answers were drawn from, shrinks what is not there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bayesbench.errors import UsageError
from bayesbench.items import variational
from bayesbench.items.bank import ItemBank
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank

Array = NDArray[Any]


def stated_variance(bank: ItemBank) -> Array:
    """Variance of ``b + a . theta`` under the bank's own posterior, (models, items)."""
    full = np.column_stack([np.ones(len(bank.ability)), bank.ability])
    slopes = bank.covariance[:, 1:, 1:]
    return np.asarray(
        np.einsum("id,lde,ie->il", full, bank.covariance, full)
        + np.einsum("lk,ikj,lj->il", bank.slope, bank.ability_covariance, bank.slope)
        + np.einsum("lkj,ikj->il", slopes, bank.ability_covariance)
    )


@pytest.mark.parametrize("seed", [4, 5])
def test_probabilities_are_recovered_as_closely_as_stated(seed: int) -> None:
    drawn = simulate_items(600, 150, factors=2, missing=0.2, seed=seed)
    bank = fit_bank(drawn.responses, factors=2)
    assert bank.converged
    found = bank.probability(bank.ability)
    stated = np.mean((found * (1 - found)) ** 2 * stated_variance(bank))
    ratio = np.mean((found - drawn.probability) ** 2) / stated
    # mean-field variances are too small: 1.32, 1.26 and 1.23 were measured with seeds 4 to 6
    assert 1.0 < ratio < 1.5


def test_factors_that_are_not_there_shrink() -> None:
    drawn = simulate_items(600, 150, factors=1, seed=5)
    bank = fit_bank(drawn.responses, factors=4, iterations=200)
    assert bank.slope_scale[0] == pytest.approx(1.2, rel=0.15)
    assert bank.slope_scale[1:].max() < 0.25


def test_items_err_by_more_than_stated_and_not_by_much() -> None:
    drawn = simulate_items(400, 300, factors=1, seed=6)
    bank = fit_bank(drawn.responses, factors=1, iterations=200)
    assert np.corrcoef(bank.ability[:, 0], drawn.ability[:, 0])[0, 1] > 0.97
    # on the scale of the abilities that were drawn, which have not exactly mean 0 and sd 1
    scale, centre = drawn.ability[:, 0].std(), drawn.ability[:, 0].mean()
    slope = (bank.slope[:, 0] - drawn.slope[:, 0] * scale) ** 2 / bank.covariance[:, 1, 1]
    easy = drawn.easiness + drawn.slope[:, 0] * centre
    easiness = (bank.easiness - easy) ** 2 / bank.covariance[:, 0, 0]
    # the gap of mean-field VB, as documented: 1.8 and 1.5 with seed 6, 1.7 and 1.5 with seed 7
    assert 1.2 < slope.mean() < 2.4
    assert 1.1 < easiness.mean() < 2.0


def test_more_runs_tell_more() -> None:
    drawn = simulate_items(80, 20, trials=3, factors=1, seed=7).responses
    double = ItemResponses(drawn.models, drawn.items, drawn.correct * 2, drawn.trials * 2)
    once, more = (fit_bank(x, factors=1, iterations=200) for x in (drawn, double))
    assert (more.covariance[:, 0, 0] < once.covariance[:, 0, 0]).all()
    assert more.ability_covariance.mean() < 0.7 * once.ability_covariance.mean()


def test_an_update_of_an_item_is_that_of_a_weighted_regression() -> None:
    """With abilities known without error the items' update is ridge regression, by hand."""
    drawn = simulate_items(50, 4, trials=5, missing=0.2, factors=1, seed=3)
    responses = drawn.responses
    state = variational._start(responses, 1, 0)
    variational._pass(responses, state)
    item, item_cov = state.item.copy(), state.item_cov.copy()
    sd, mean = state.prior_sd.copy(), state.prior_mean
    ability, ability_cov = state.ability.copy(), state.ability_cov.copy()
    before = variational._start(responses, 1, 0)
    for at in range(4):
        n = responses.trials[:, at].astype(float)
        moment = before.item_cov[at] + np.outer(before.item[at], before.item[at])
        start = np.column_stack([np.ones(50), before.ability])
        c = np.sqrt(np.einsum("id,de,ie->i", start, moment, start))
        weight = n * np.tanh(c / 2) / (2 * c)
        full = np.column_stack([np.ones(50), ability])
        square = full.T @ (weight[:, None] * full)
        square[1, 1] += weight @ ability_cov[:, 0, 0]
        cov = np.linalg.inv(square + np.diag(1 / sd**2))
        half = responses.correct[:, at] - n / 2
        right = full.T @ half + np.r_[mean / sd[0] ** 2, 0]
        np.testing.assert_allclose(item_cov[at], cov, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(item[at], cov @ right, rtol=1e-3, atol=1e-4)


def test_an_update_of_a_model_is_that_of_a_weighted_regression() -> None:
    """With items known without error: ridge regression on slopes, easiness being an offset."""
    responses = simulate_items(5, 30, trials=4, missing=0.2, factors=2, seed=3).responses
    state = variational._start(responses, 2, 0)
    state.item_cov = np.zeros_like(state.item_cov)
    b, a, start = state.item[:, 0].copy(), state.item[:, 1:].copy(), state.ability.copy()
    variational._pass(responses, state)
    for at in range(5):
        n = responses.trials[at].astype(float)
        c = np.abs(b + a @ start[at])
        weight = n * np.tanh(c / 2) / (2 * c)
        cov = np.linalg.inv(a.T @ (weight[:, None] * a) + np.eye(2))
        mean = cov @ a.T @ (responses.correct[at] - n / 2 - weight * b)
        np.testing.assert_allclose(state.ability[at], mean, atol=2e-3)
        np.testing.assert_allclose(state.ability_cov[at], cov, rtol=5e-3, atol=1e-4)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = simulate_items(70, 25, missing=0.1, seed=8).responses
    whole = fit_bank(drawn, factors=2, iterations=10)
    monkeypatch.setattr(variational, "BLOCK_CELLS", 300)
    parts = fit_bank(drawn, factors=2, iterations=10)
    np.testing.assert_allclose(parts.probability(parts.ability), whole.probability(whole.ability),
                               atol=2e-4)  # fmt: skip


def test_more_factors_than_models_or_items() -> None:
    bank = fit_bank(simulate_items(3, 4, factors=1, seed=9).responses, factors=6)
    assert np.isfinite(bank.probability(bank.ability)).all()


def test_wrong_settings_are_refused() -> None:
    drawn = simulate_items(5, 5, seed=1).responses
    with pytest.raises(UsageError, match="factors must be from 1 to 6, got 7"):
        fit_bank(drawn, factors=7)
    with pytest.raises(UsageError, match="iterations"):
        fit_bank(drawn, iterations=0)
