"""Simulated campaigns: what they ask, what they may see, the factor of the widths."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulated_campaigns import NORMAL_90, crossfit_widths, run_campaigns
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


def test_campaigns_ask_as_many_as_they_may_and_see_no_more() -> None:
    drawn = simulate_items(60, 20, seed=3).responses
    bank = fit_bank(drawn, factors=2)
    mine = drawn.subset(models=np.arange(7))
    course = run_campaigns(bank, mine, (3, 8))
    assert (course.asked.sum(axis=1) == 8).all() and course.score.shape == (2, 7)
    # other answers to what was not asked change nothing
    turned = np.where(course.asked == 1, mine.correct, 1 - mine.correct)
    other = ItemResponses(mine.models, mine.items, turned, mine.trials.copy())
    np.testing.assert_array_equal(run_campaigns(bank, other, (3, 8)).score, course.score)
    whole = run_campaigns(bank, mine, (20,))
    np.testing.assert_allclose(whole.score[0], mine.scores())


def test_learned_widths_cover_new_models() -> None:
    drawn = simulate_items(1300, 60, factors=2, seed=6).responses
    train, new = drawn.subset(models=np.arange(400)), drawn.subset(models=np.arange(400, 1300))
    groups = [f"g{n % 50}" for n in range(400)]
    factor = crossfit_widths(train, groups, (5, 20), folds=3, seed=1, factors=2)
    course = run_campaigns(fit_bank(train, factors=2), new, (5, 20))
    for at, n in enumerate((5, 20)):
        inside = np.abs(course.score[at] - new.scores()) <= NORMAL_90 * factor[n] * course.sd[at]
        # both the quantile's error and the share's: 400 and 900 models
        error = np.sqrt(0.09 / 400 + 0.09 / 900)
        assert abs(inside.mean() - 0.9) < 3 * error
    assert factor == crossfit_widths(train, groups, (5, 20), folds=3, seed=1, factors=2)


def test_what_cannot_be_run_is_refused() -> None:
    drawn = simulate_items(30, 10, seed=1).responses
    bank = fit_bank(drawn, factors=1)
    for budgets in ((), (5, 3), (0,), (11,)):
        with pytest.raises(UsageError, match="budgets must"):
            run_campaigns(bank, drawn, budgets)
    gaps = simulate_items(30, 10, missing=0.5, seed=1).responses
    with pytest.raises(DataError, match="did not run every item"):
        run_campaigns(bank, gaps, (3,))
    with pytest.raises(UsageError, match="4 folds of 1 groups"):
        crossfit_widths(drawn, ["one"] * 30, (3,), seed=1)
    with pytest.raises(DataError, match="models ran every item; widths are learned from 20"):
        crossfit_widths(gaps, [str(n) for n in range(30)], (3,), seed=1)
