"""The reconstructor: exact where everything is known, the bank's where the stack has no weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.items.adaptive import checked_budgets
from bayesbench.items.reconstruction import estimate_scores
from bayesbench.items.reconstructor import conformal_factor, fit_reconstructor, folds_of
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items


def shown(responses: ItemResponses, asked: np.ndarray) -> ItemResponses:
    return ItemResponses(
        responses.models, responses.items, responses.correct * asked, responses.trials * asked
    )


@pytest.fixture(scope="module")
def drawn() -> ItemResponses:
    return simulate_items(120, 40, factors=2, seed=4).responses


def test_what_is_not_asked_for_has_no_part(drawn: ItemResponses) -> None:
    found = fit_reconstructor(drawn, budgets=(5, 15), factors=2, seed=1)
    mine = drawn.subset(models=np.arange(9))
    five, fifteen = found.ask(mine, (5, 15))
    assert (five.sum(axis=1) == 5).all() and (fifteen.sum(axis=1) == 15).all()
    assert (fifteen >= five).all()
    turned = np.where(fifteen, mine.correct, 1 - mine.correct)
    other = ItemResponses(mine.models, mine.items, turned, mine.trials.copy())
    np.testing.assert_array_equal(list(found.ask(other, (5, 15)))[1], fifteen)
    np.testing.assert_array_equal(
        found.predict(shown(mine, fifteen)).score, found.predict(shown(other, fifteen)).score
    )


def test_all_items_asked_gives_the_score_itself_and_no_width(drawn: ItemResponses) -> None:
    found = fit_reconstructor(drawn, budgets=(5, 40), factors=2)
    band = found.predict(drawn)
    np.testing.assert_allclose(band.score, drawn.scores(), atol=1e-9)
    np.testing.assert_allclose(band.upper - band.lower, 0, atol=1e-9)


def test_without_weight_it_is_the_bank_and_with_weight_what_the_stack_adds(
    drawn: ItemResponses,
) -> None:
    found = fit_reconstructor(drawn, budgets=(10,), factors=2)
    mine = drawn.subset(models=np.arange(60))
    given = shown(mine, next(iter(found.ask(mine, (10,)))))
    plain = estimate_scores(found.bank, given)
    bare = replace(found, blend={10: 0.0}).predict(given)
    np.testing.assert_allclose(bare.score, plain.score, atol=1e-6)
    whole = replace(found, blend={10: 1.0}, width_factors={10: 1e9}).predict(given)
    added = np.array([
        found.stack.correction(given.correct[i].astype(float), given.trials[i].astype(float),
                               plain.ability[i])
        for i in range(60)
    ])  # fmt: skip
    inside = found.stack.within(plain.score)
    assert inside.any() and not inside.all() and np.abs(added).max() > 0.01
    np.testing.assert_allclose(
        whole.score, np.clip(plain.score + inside * added, whole.lower, whole.upper), atol=1e-4
    )


def test_intervals_hold_on_new_models() -> None:
    drawn = simulate_items(900, 60, factors=2, seed=6).responses
    train, new = drawn.subset(models=np.arange(400)), drawn.subset(models=np.arange(400, 900))
    found = fit_reconstructor(train, budgets=(5, 20, 45), factors=2, seed=1)
    for asked in found.ask(new, (5, 20, 45)):
        band, truth = found.predict(shown(new, asked)), new.scores()
        inside = ((band.lower <= truth) & (truth <= band.upper)).mean()
        error = np.sqrt(0.09 / 400 + 0.09 / 500)  # of the quantile, and of the share
        # answers are whole: a bound may fall on the score itself
        assert -3 * error < inside - 0.9 < 3 * error + 0.02
    assert np.abs(band.score - truth).mean() < 2.5


def test_factors_and_folds() -> None:
    assert conformal_factor(np.arange(1.0, 10.0)) == 9.0
    assert conformal_factor(np.arange(1.0, 101.0)) == 91.0
    fold = folds_of([f"g{n // 3}" for n in range(30)], 4, np.random.default_rng(0))
    assert all(len(set(fold[3 * g : 3 * g + 3])) == 1 for g in range(10)) and set(fold) == {
        0, 1, 2, 3,
    }  # fmt: skip


def test_what_cannot_be_done_is_refused(drawn: ItemResponses) -> None:
    with pytest.raises(UsageError, match="budgets must rise"):
        checked_budgets([5, 5], 10)
    with pytest.raises(UsageError, match="from 1 to the 10 items, got 11"):
        checked_budgets([5, 11], 10)
    with pytest.raises(UsageError, match="4 folds of 1 groups"):
        fit_reconstructor(drawn, ["one"] * 120, budgets=(5,), factors=1)
    gaps = simulate_items(60, 40, missing=0.5, seed=1).responses
    with pytest.raises(DataError, match="no model ran every item"):
        fit_reconstructor(gaps, budgets=(5,), factors=1)
    found = fit_reconstructor(drawn, budgets=(5,), factors=1)
    with pytest.raises(DataError, match="not those of the bank"):
        found.predict(drawn.subset(items=np.arange(39)))
