"""The local stack: ridge by its normal equations, and what the bank cannot know."""

from __future__ import annotations

import numpy as np

from bayesbench.items.local_stack import LocalStack, ridge_with_intercept
from bayesbench.items.reconstruction import estimate_scores
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


def shown(responses: ItemResponses, asked: np.ndarray) -> ItemResponses:
    return ItemResponses(
        responses.models, responses.items, responses.correct * asked, responses.trials * asked
    )


def test_ridge_is_that_of_the_normal_equations_and_its_penalty_the_best_left_out() -> None:
    rng = np.random.default_rng(2)
    x, noise = rng.normal(size=(30, 6)), rng.normal(size=30)
    y = 3 + x @ np.array([1.0, -2, 0, 0, 0.5, 0]) + noise
    unit = ((x - x.mean(axis=0)) ** 2).mean()
    losses, fits = [], []
    penalties = np.array([0.1, 1.0, 10.0, 100.0])
    for k in penalties:
        full = np.column_stack([np.ones(30), x])
        ridge = np.diag([0.0, *[k * unit] * 6])
        fits.append(np.linalg.solve(full.T @ full + ridge, full.T @ y))
        hat = full @ np.linalg.solve(full.T @ full + ridge, full.T)
        losses.append((((y - hat @ y) / (1 - np.diag(hat))) ** 2).sum())
    c, b = ridge_with_intercept(x, y, penalties)
    np.testing.assert_allclose(np.r_[c, b], fits[int(np.argmin(losses))], rtol=1e-8)


def test_the_stack_finds_what_the_bank_cannot_know() -> None:
    # two items in tandem: the second is always answered as the first, apart from any ability
    rng = np.random.default_rng(3)
    base = simulate_items(400, 30, factors=1, seed=8).responses
    coin = rng.integers(0, 2, size=(400, 1))
    answers = np.concatenate([base.correct, np.repeat(coin, 11, axis=1)], axis=1)
    drawn = ItemResponses.of(
        answers, [f"m{n}" for n in range(400)], [f"q{n}" for n in range(41)], "quiz"
    )
    train, new = drawn.subset(models=np.arange(300)), drawn.subset(models=np.arange(300, 400))
    asked = np.zeros((100, 41), dtype=bool)
    asked[:, :12] = asked[:, 30] = True
    bank = fit_bank(train, factors=1)
    stack, given = LocalStack.of(bank, train), shown(new, asked)
    plain = estimate_scores(bank, given)
    added = [stack.correction(given.correct[i].astype(float), given.trials[i].astype(float),
                              plain.ability[i]) for i in range(100)]  # fmt: skip
    truth = new.scores()
    better = np.abs(plain.score - truth) - np.abs(plain.score + np.array(added) - truth)
    assert better.mean() > 3 * better.std() / np.sqrt(len(better))
