"""Gibbs draws of a bank: against numerical integration, and variational Bayes against them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.items import exact
from bayesbench.items.exact import BankDraws, bank_of_draws, draw_bank
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


def test_one_model_and_one_item_equal_numerical_integration() -> None:
    responses = ItemResponses.of([[1.0]], ["m"], ["q"], "x", trials=9)
    bank = fit_bank(responses, factors=1, iterations=1)
    bank = replace(bank, easiness_prior=(2.0, 0.7), slope_scale=np.array([1.2]))
    b, a, t = np.meshgrid(
        np.linspace(-2, 6, 121), np.linspace(-6, 6, 121), np.linspace(-5, 5, 101), indexing="ij"
    )
    eta = b + a * t
    log = -0.5 * ((b - 2.0) / 0.7) ** 2 - 0.5 * (a / 1.2) ** 2 - 0.5 * t**2
    log = log - np.logaddexp(0, -eta) - 8 * np.logaddexp(0, eta)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    p = 1 / (1 + np.exp(-eta))
    drawn = draw_bank(responses, bank, draws=6000, warmup=200, seed=1)
    scores = drawn.scores()[:, 0] / 100
    # batch means of 100 draws, beyond the chain's memory
    error = scores.reshape(60, 100).mean(axis=1).std(ddof=1) / np.sqrt(60)
    assert abs(scores.mean() - (weight * p).sum()) < 4 * error
    squares = drawn.easiness[:, 0] ** 2
    error = squares.reshape(60, 100).mean(axis=1).std(ddof=1) / np.sqrt(60)
    assert abs(squares.mean() - (weight * b**2).sum()) < 4 * error


def test_variational_scores_are_near_the_exact_ones() -> None:
    responses = simulate_items(80, 40, factors=1, missing=0.2, seed=11).responses
    bank = fit_bank(responses, factors=1, iterations=200)
    drawn = draw_bank(responses, bank, draws=400, warmup=150, seed=2)
    scores = drawn.scores()
    fast = 100 * bank.probability(bank.ability).mean(axis=1)
    gap = fast - scores.mean(axis=0)
    # measured: a third of a posterior standard deviation; what is left is the approximation
    assert np.sqrt(np.mean(gap**2)) < 0.5 * scores.std(axis=0).mean()
    assert np.sqrt(np.mean((bank.probability(bank.ability) - drawn.probability()) ** 2)) < 0.03


def test_the_same_seed_gives_the_same_draws() -> None:
    responses = simulate_items(6, 5, seed=1).responses
    bank = fit_bank(responses, factors=2)
    one, other = (draw_bank(responses, bank, draws=3, warmup=1, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.slope, other.slope)
    assert one.ability.shape == (3, 6, 2) and one.easiness.shape == (3, 5)


def test_a_bank_of_draws_does_not_mind_how_each_draw_is_turned() -> None:
    responses = simulate_items(30, 12, factors=2, seed=3).responses
    bank = fit_bank(responses, factors=2)
    told: list[int] = []
    drawn = draw_bank(
        responses, bank, draws=60, warmup=20, seed=5, report=lambda done, *_: told.append(done)
    )
    assert told == list(range(1, 81))
    rng = np.random.default_rng(0)
    turns = np.linalg.qr(rng.normal(size=(60, 2, 2)))[0]  # rotations, half of them mirrored
    turned = BankDraws(drawn.ability @ turns, drawn.easiness, drawn.slope @ turns)
    one, other = bank_of_draws(drawn, bank), bank_of_draws(turned, bank)
    for name in ("easiness", "slope", "covariance", "ability", "ability_covariance"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-10)
    assert one.iterations == 60 and tuple(one.model_ids) == bank.model_ids
    # with one factor nothing but the sign is free: plain means and covariances
    bank = fit_bank(responses, factors=1)
    drawn = draw_bank(responses, bank, draws=50, warmup=20, seed=5)
    sign = np.sign(np.einsum("dlk,lk->d", drawn.slope, bank.slope))[:, None]
    pairs = np.stack([drawn.easiness, drawn.slope[:, :, 0] * sign], axis=2)
    found = bank_of_draws(drawn, bank)
    np.testing.assert_allclose(found.covariance[4], np.cov(pairs[:, 4].T))
    np.testing.assert_allclose(found.slope[:, 0], pairs[:, :, 1].mean(axis=0))
    np.testing.assert_allclose(found.ability[:, 0], (drawn.ability[:, :, 0] * sign).mean(axis=0))


def test_a_bank_of_draws_says_whether_the_chain_settled() -> None:
    responses = simulate_items(30, 12, factors=1, seed=3).responses
    bank = fit_bank(responses, factors=1)
    drawn = draw_bank(responses, bank, draws=400, warmup=50, seed=5)
    assert bank_of_draws(drawn, bank).converged
    drift = drawn.easiness + np.linspace(0, 2, 400)[:, None]
    assert not bank_of_draws(BankDraws(drawn.ability, drift, drawn.slope), bank).converged
    few = BankDraws(drawn.ability[:3], drawn.easiness[:3], drawn.slope[:3])
    with pytest.raises(UsageError, match="3 draws; a bank needs at least 4"):
        bank_of_draws(few, bank)


def test_what_cannot_be_drawn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    responses = simulate_items(6, 5, seed=1).responses
    bank = fit_bank(responses, factors=1)
    with pytest.raises(DataError, match="other models or items"):
        draw_bank(responses.subset(items=np.arange(4)), bank, seed=1)
    with pytest.raises(UsageError, match="draws must be"):
        draw_bank(responses, bank, draws=0, seed=1)
    monkeypatch.setattr(exact, "MOST_CELLS", 10)
    with pytest.raises(UsageError, match="30 cells; exact draws take at most 10"):
        draw_bank(responses, bank, seed=1)
