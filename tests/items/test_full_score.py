"""Full scores: the interval's arithmetic, its bounds, its coverage once widths were learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.errors import UsageError
from bayesbench.items.choice import standing, target_weights
from bayesbench.items.full_score import FullScore, full_scores, scale_name
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


def test_the_interval_is_the_normal_one_times_the_width_factor() -> None:
    drawn = simulate_items(60, 40, factors=1, missing=0.7, seed=2).responses
    bank = fit_bank(drawn, factors=1)
    plain = full_scores(bank, drawn)
    wide = full_scores(replace(bank, width_factors={5: 1.5, 20: 1.5}), drawn)
    now = standing(bank, drawn, target_weights(bank))
    for row, (one, other) in enumerate(zip(plain, wide, strict=True)):
        half = 1.6448536 * np.sqrt(now.variance[row])
        for found, factor in ((one, 1.0), (other, 1.5)):
            ends = np.array([found.score - factor * half, found.score + factor * half])
            inside = ends.clip(now.lowest[row], now.highest[row])
            np.testing.assert_allclose([found.lower, found.upper], inside, rtol=1e-6)
        assert one.score == other.score and other.sd == pytest.approx(1.5 * one.sd)
        assert one.answered == int((drawn.trials[row] > 0).sum()) and one.items == 40
        assert one.probability_above(one.score) == pytest.approx(0.5)
        far = 0.05 if one.score + half <= one.highest else 0
        assert one.probability_above(one.score + half) == pytest.approx(far)
        assert one.probability_above(one.lowest) == 1
        assert one.probability_above(one.highest + 0.01) == 0 < one.probability_above(one.highest)


def test_nothing_and_everything_answered() -> None:
    drawn = simulate_items(40, 10, seed=3).responses
    bank = fit_bank(drawn, factors=1)
    whole = full_scores(bank, drawn)
    for one, score in zip(whole, drawn.scores(), strict=True):
        assert one.score == one.lower == one.upper == pytest.approx(score)
        assert one.observed == pytest.approx(score) and one.sd == 0
        assert one.probability_above(score) == 1 == one.probability_above(score - 1)
        assert one.lowest == one.highest == pytest.approx(score)
        assert one.probability_above(score + 1) == 0
    silent = ItemResponses(
        drawn.models, drawn.items, drawn.correct * 0, np.zeros_like(drawn.trials)
    )
    none = full_scores(bank, silent)[0]
    assert none.observed is None and 0 <= none.lower < none.score < none.upper <= 100
    with pytest.raises(UsageError, match="must lie in"):
        full_scores(bank, drawn, prob=1.0)


def test_benchmarks_and_the_scale_in_words() -> None:
    drawn = simulate_items(50, 30, benchmarks=3, seed=4).responses
    bank = fit_bank(drawn, factors=1)
    mine = drawn.of_benchmarks(["benchmark_1"])
    scores = [one.score for one in full_scores(bank, drawn, benchmarks=["benchmark_1"])]
    np.testing.assert_allclose(scores, mine.scores())
    assert full_scores(bank, drawn, benchmarks=["benchmark_1"])[0].items == 10
    assert scale_name(bank, ["benchmark_1"]).endswith("the 10 items of benchmark_1 in the bank")
    assert "mean over 3 benchmarks" in scale_name(bank, macro=True)


def test_intervals_cover_new_models_from_random_items() -> None:
    """The bank's own interval on data of its own model, many training models: near 90 %."""
    drawn = simulate_items(2400, 80, factors=2, seed=9).responses
    bank = fit_bank(drawn.subset(models=np.arange(1200)), factors=2)
    new = drawn.subset(models=np.arange(1200, 2400))
    rng = np.random.default_rng(1)
    asked = rng.random(new.shape).argsort(axis=1) < 20
    shown = ItemResponses(new.models, new.items, new.correct * asked, new.trials * asked)
    found = full_scores(bank, shown)
    inside = [one.lower <= truth <= one.upper for one, truth in
              zip(found, new.scores(), strict=True)]  # fmt: skip
    # 1200 models: the standard error of the share is 0.009; the wide prior and the normal
    # approximation are allowed another 0.02
    assert abs(np.mean(inside) - 0.9) < 0.047


def test_a_width_factor_between_budgets() -> None:
    drawn = simulate_items(20, 10, seed=1).responses
    bank = replace(fit_bank(drawn, factors=1), width_factors={9: 1.0, 99: 2.0})
    np.testing.assert_allclose(bank.width_factor(np.array([1, 9, 99, 500])), [1, 1, 2, 2])
    middle = np.sqrt(10 * 100) - 1
    assert bank.width_factor(middle) == pytest.approx(1.5)
    assert isinstance(FullScore("m", 1.0, 0.0, 2.0, 1.0, None, 0, 1), FullScore)
