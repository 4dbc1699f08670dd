"""Leave-one-out conditioning: what drives a prediction, and which score does not fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from bayesbench.answers.condition import condition
from bayesbench.answers.explain import explain, surprises
from bayesbench.answers.predictive import LatentDraws, Predictive, predictive
from bayesbench.errors import UsageError
from tests.answers.answer_helpers import latent_draws, three_scales, widened
from tests.factories import make_posterior

POSTERIOR = make_posterior(seed=6, n_draws=400)
LINK = three_scales()
GIVEN = {"bench_0": 81.0, "bench_1": 12.0, "bench_2": 1400.0}


def conditioned(scores: Mapping[str, float]) -> tuple[LatentDraws, Predictive]:
    draws = condition(POSTERIOR, scores, seed=2)
    return draws, widened(predictive(draws, POSTERIOR.transform), 1.5)


class Moved:
    """A made-up model: each known score adds its hundredth to the predictor of the rating."""

    def __init__(self) -> None:
        self.asked: list[dict[str, float]] = []

    def __call__(self, scores: Mapping[str, float]) -> tuple[LatentDraws, Predictive]:
        self.asked.append(dict(scores))
        mean = sum(scores.values()) / 100
        draws = latent_draws(mean=mean, sd=0.4 / (1 + len(scores)), noise=0.1, seed=1)
        return draws, predictive(draws, LINK)


def test_shifts_are_those_of_conditioning_without_the_score() -> None:
    found = explain(conditioned, GIVEN, "bench_3")
    with_all = conditioned(GIVEN)[1].take([3])
    low, high = (float(end[0]) for end in with_all.interval(0.9))
    assert (found.median, found.lower, found.upper) == (with_all.median[0], low, high)
    for name, score, shift, narrower in zip(
        found.given, found.scores, found.shifts, found.narrower, strict=True
    ):
        assert score == GIVEN[name]
        without = conditioned({n: s for n, s in GIVEN.items() if n != name})[1].take([3])
        lower, upper = without.interval(0.9)
        assert shift == with_all.median[0] - without.median[0]
        assert narrower == pytest.approx((upper[0] - lower[0]) - (high - low))
    assert sorted(found.given) == sorted(GIVEN)
    assert (np.diff(np.abs(found.shifts)) <= 0).all()


def test_each_score_is_left_out_once() -> None:
    answer = Moved()
    explain(answer, {"up": 10.0, "down": 30.0}, "rating")
    assert answer.asked == [{"up": 10.0, "down": 30.0}, {"down": 30.0}, {"up": 10.0}]


def test_the_most_telling_score_comes_first_and_in_words() -> None:
    spread = LINK.spread[2]
    found = explain(Moved(), {"up": 10.0, "down": 30.0}, "rating")
    assert found.given == ("down", "up")
    # the narrower prediction's median is that of fewer scores, up to the sample of draws
    assert found.shifts == pytest.approx((0.3 * spread, 0.1 * spread), abs=0.02 * spread)
    assert all(value > 0 for value in found.narrower)
    assert (
        found.sentence
        == repr(found)
        == (
            f"rating is predicted at {found.median:.1f} ({found.lower:.1f} to {found.upper:.1f}); "
            f"most telling is down = 30, which raises it by {found.shifts[0]:.1f} points."
        )
    )
    lowered = explain(Moved(), {"up": 10.0, "down": -30.0}, "rating")
    assert f"down = -30, which lowers it by {-lowered.shifts[0]:.1f} points" in lowered.sentence


def test_an_explanation_as_a_table() -> None:
    frame = explain(Moved(), {"up": 10.0, "down": 30.0}, "rating").to_frame()
    assert list(frame.columns) == ["benchmark_id", "score", "shift", "narrower_by"]
    assert frame["benchmark_id"].tolist() == ["down", "up"]
    assert frame["score"].tolist() == [30.0, 10.0]


def test_nothing_to_explain_by() -> None:
    with pytest.raises(UsageError, match="no scores were given"):
        explain(Moved(), {}, "up")
    for scores in ({}, {"up": 1.0}):
        with pytest.raises(UsageError, match="fewer than two scores"):
            surprises(Moved(), LINK, scores)


class Sure(Moved):
    """All benchmarks are predicted tightly at the latent level of a score on `up`."""

    def __init__(self, score: float, factor: float = 1.0) -> None:
        super().__init__()
        self.level, self.factor = float(LINK.to_latent(score, 0)), factor

    def __call__(self, scores: Mapping[str, float]) -> tuple[LatentDraws, Predictive]:
        self.asked.append(dict(scores))
        draws = latent_draws(mean=self.level, sd=0.05, noise=0.1, seed=1)
        return draws, widened(predictive(draws, LINK), self.factor)


def scores_at(score: float) -> dict[str, float]:
    """What a model with `score` on `up` has on all three."""
    level = LINK.to_latent(score, 0)
    return {name: float(LINK.to_score(level, j)) for j, name in enumerate(LINK.benchmark_ids)}


def test_a_share_of_a_percentage_is_named_first() -> None:
    answer = Sure(85.0)
    found = surprises(answer, LINK, {**scores_at(85.0), "up": 0.85})
    first = found[0]
    assert (first.benchmark_id, first.score) == ("up", 0.85)
    assert first.explanation == "a share, not a percentage"
    assert first.corrected == pytest.approx(85.0)
    assert first.suspicion > 0.99 and first.tail < 0.01
    assert repr(first) == first.sentence
    assert first.sentence == (
        f"up = 0.85 lies outside what the other scores say, {first.median:.1f} "
        f"({first.lower:.1f} to {first.upper:.1f}); likeliest: a share, not a percentage."
    )
    assert [one.explanation for one in found[1:]] == ["as stated", "as stated"]
    assert [sorted(asked) for asked in answer.asked] == [
        ["down", "rating"], ["rating", "up"], ["down", "up"],
    ]  # fmt: skip


def test_a_direction_turned_round_is_corrected_and_a_gross_error_is_not() -> None:
    given = scores_at(85.0)
    turned = surprises(Sure(85.0), LINK, {**given, "down": 100 - given["down"]})[0]
    assert (turned.benchmark_id, turned.explanation) == ("down", "other direction")
    assert turned.corrected == pytest.approx(given["down"])
    gross = surprises(Sure(85.0), LINK, {**given, "rating": given["rating"] + 1000})[0]
    assert (gross.benchmark_id, gross.explanation) == ("rating", "gross error")
    assert np.isnan(gross.corrected)


def test_scores_that_fit_are_as_stated() -> None:
    found = surprises(Sure(60.0), LINK, scores_at(60.0))
    for one in found:
        assert (one.explanation, one.corrected) == ("as stated", one.score)
        assert one.suspicion < 0.02 and one.tail > 0.5
        assert "lies inside what the other scores say" in one.sentence
        assert "likeliest" not in one.sentence


def test_the_tail_is_two_sided_and_of_the_calibrated_prediction() -> None:
    answer, given = Sure(60.0, factor=3.0), scores_at(60.0)
    shifted = {**given, "up": given["up"] + 4}
    narrow = {one.benchmark_id: one for one in surprises(Sure(60.0), LINK, shifted)}
    wide = {one.benchmark_id: one for one in surprises(answer, LINK, shifted)}
    made = answer({})[1]
    expected = 2 * min(made.cdf(shifted["up"])[0], 1 - made.cdf(shifted["up"])[0])
    assert wide["up"].tail == pytest.approx(expected, abs=1e-6)
    assert wide["up"].tail > 2 * narrow["up"].tail
    lower = {**given, "up": given["up"] - 4}
    below = {one.benchmark_id: one for one in surprises(answer, LINK, lower)}
    assert below["up"].tail == pytest.approx(2 * made.cdf(lower["up"])[0], abs=1e-6)
