"""Scores from some answers: the mode, its variance and the gain against slow computations."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.items.reconstruction import _abilities, estimate_scores
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


def test_all_answers_give_the_score_itself() -> None:
    drawn = simulate_items(40, 20, seed=2).responses
    found = estimate_scores(fit_bank(drawn, factors=2), drawn)
    np.testing.assert_allclose(found.score, drawn.scores())
    np.testing.assert_allclose(found.variance, 0)
    assert (found.gain == -np.inf).all()


def test_many_answers_give_the_ability_of_numerical_integration() -> None:
    drawn = simulate_items(6, 200, factors=1, missing=0.3, seed=4)
    held = drawn.responses
    b, a = drawn.easiness, drawn.slope
    correct, trials = held.correct.astype(float), held.trials.astype(float)
    mode, cov = _abilities(b, a, correct, trials, 2.0)
    grid = np.linspace(-8, 8, 4001)
    linear = b[:, None] + a * grid
    log = correct @ -np.logaddexp(0, -linear) + (trials - correct) @ -np.logaddexp(0, linear)
    log = log - grid**2 / 8
    np.testing.assert_allclose(mode[:, 0], grid[log.argmax(axis=1)], atol=0.004)
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    variance = weight @ grid**2 - (weight @ grid) ** 2
    # the curvature at the mode; 140 answers leave a skew of a few per cent
    np.testing.assert_allclose(cov[:, 0, 0], variance, rtol=0.12)


def test_the_gain_is_the_fall_of_the_variance() -> None:
    """A normal ability and an answer with noise 1 / d: condition the joint normal by hand."""
    bank = fit_bank(simulate_items(400, 12, factors=2, seed=5).responses, factors=2)
    assert bank.slope_scale[0] > 0.7  # or there would be nothing to learn of abilities
    drawn = simulate_items(50, 12, factors=2, missing=0.6, seed=5).responses
    found = estimate_scores(bank, drawn)
    spread = bank.covariance[:, 0, 0] + np.trace(bank.covariance[:, 1:, 1:], axis1=1, axis2=2)
    shrink = 1 / np.sqrt(1 + np.pi * spread / 8)
    for model in range(5):
        open_ = drawn.trials[model] == 0
        a = bank.slope * shrink[:, None]
        p = 1 / (1 + np.exp(-(bank.easiness * shrink + a @ found.ability[model])))
        d = p * (1 - p) * open_
        cov, g = found.ability_covariance[model], 100 / 12 * (d @ a)
        before = g @ cov @ g + (100 / 12) ** 2 * d.sum()
        assert found.variance[model] == pytest.approx(before)
        for item in np.flatnonzero(open_):
            after_cov = np.linalg.inv(np.linalg.inv(cov) + d[item] * np.outer(a[item], a[item]))
            after = g @ after_cov @ g + (100 / 12) ** 2 * (d.sum() - d[item])
            assert found.gain[model, item] == pytest.approx(before - after)


def test_what_does_not_fit_is_refused() -> None:
    drawn = simulate_items(20, 10, seed=1).responses
    bank = fit_bank(drawn, factors=1)
    with pytest.raises(DataError, match="not those of the bank"):
        estimate_scores(bank, drawn.subset(items=np.arange(9)))
    with pytest.raises(UsageError, match="prior_sd must be above 0"):
        estimate_scores(bank, drawn, prior_sd=0)
