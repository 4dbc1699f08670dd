"""Gaps and ranks of joint draws against brute force and closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bayesbench.answers.joint import ScoreDraws
from bayesbench.answers.predictive import fitted_draws, predictive
from bayesbench.answers.ranking import Comparison, gap_between, rank_models, totals
from bayesbench.errors import UnknownIdError, UsageError
from tests.answers.answer_helpers import IDS, three_scales
from tests.factories import make_posterior

LINK = three_scales()
UP = Comparison(("up",))


def model(name: str, mean: float, seed: int, n: int = 2000, sd: float = 10.0) -> ScoreDraws:
    """Scores normal about 50 + mean on the two percentages, 20 times as wide on the rating."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 3))
    values = np.array([50, 50, 1000]) + np.array([1, -1, 20]) * (mean + sd * z)
    return ScoreDraws(name, IDS, values)


@pytest.mark.parametrize("benchmark", IDS)
@pytest.mark.parametrize("scale", ["score", "latent"])
def test_p_better_is_the_share_of_draws(benchmark: str, scale: str) -> None:
    a, b = model("a", 2.0, 1), model("b", 0.0, 2)
    j = IDS.index(benchmark)
    higher = a.values[:, j] > b.values[:, j]
    share = np.mean(~higher if benchmark == "down" else higher)
    gap = gap_between(a, b, LINK, Comparison((benchmark,), scale=scale))
    # two scores in the clip of one end, which the latent scale cannot tell apart, are a tie
    assert gap.p_better == pytest.approx(share, abs=1e-12)
    assert gap_between(b, a, LINK, Comparison((benchmark,), scale=scale)).p_better == (
        pytest.approx(1 - share, abs=1e-12)
    )


def test_a_gap_has_the_closed_form() -> None:
    """Scores N(54, 10) and N(50, 10), independent: the gap is N(4, sqrt(200))."""
    n = 40_000
    a, b = model("a", 4.0, 1, n=n), model("b", 0.0, 2, n=n)
    gap = gap_between(a, b, LINK, UP, prob=0.8)
    law = stats.norm(4, np.sqrt(200))
    # standard errors: 0.089 of a median, 0.12 of the 10 % point, 0.0025 of a probability
    assert gap.median == pytest.approx(4, abs=0.36)
    assert gap.lower == pytest.approx(law.ppf(0.1), abs=0.5)
    assert gap.upper == pytest.approx(law.ppf(0.9), abs=0.5)
    assert gap.p_better == pytest.approx(law.sf(0), abs=0.01)
    assert (gap.first, gap.second, gap.benchmarks, gap.prob) == ("a", "b", ("up",), 0.8)


def test_the_gap_of_a_lower_is_better_benchmark_is_positive_for_the_better() -> None:
    a = ScoreDraws("a", IDS, np.full((9, 3), 20.0))
    b = ScoreDraws("b", IDS, np.full((9, 3), 30.0))
    assert gap_between(a, b, LINK, Comparison(("down",))).median == 10.0
    assert gap_between(a, b, LINK, UP).median == -10.0


def test_shared_doubt_cancels() -> None:
    """Both move together: the difference is sure although neither level is."""
    a = model("a", 0.0, 1)
    b = replace(a, model_id="b", values=a.values - 0.01)
    gap = gap_between(a, b, LINK, UP)
    assert gap.p_better == 1.0
    assert (gap.lower, gap.upper) == pytest.approx((0.01, 0.01))


def test_the_sentence_names_the_better_model() -> None:
    a = ScoreDraws("a", IDS, np.array([[40.0] * 3, [60] * 3, [40] * 3, [40] * 3]))
    b = ScoreDraws("b", IDS, np.full((4, 3), 50.0))
    gap = gap_between(a, b, LINK, UP)
    assert str(gap) == gap.sentence
    assert gap.sentence == (
        "b is better than a on up with probability 0.75; a less b: -10.0 (90 % interval -10.0 to "
        "+7.0)."
    )
    four = Comparison(("up", "down", "rating", "more"))
    wide = [replace(one, benchmark_ids=four.benchmarks, values=one.values[:, [0, 1, 2, 0]])
            for one in (a, b)]  # fmt: skip
    link = replace(LINK, benchmark_ids=four.benchmarks, link=(*LINK.link, "logit"), **{
        name: np.append(getattr(LINK, name), getattr(LINK, name)[0])
        for name in ("lower", "upper", "sign", "clip", "center", "spread", "n_items")
    })  # fmt: skip
    assert "on up, down, rating, ... with" in gap_between(*wide, link, four).sentence


def test_weighted_totals_by_brute_force() -> None:
    a, b = model("a", 4.0, 1, n=5), model("b", 0.0, 2, n=5)
    comparison = Comparison(("down", "up"), {"up": 3.0, "down": 1.0})
    found = totals([a, b], LINK, comparison)
    latent = totals([a, b], LINK, replace(comparison, scale="latent"))
    for row, one in enumerate((a, b)):
        for n in range(5):
            up, down = one.values[n, 0], one.values[n, 1]
            assert found[row, n] == pytest.approx((3 * up - down) / 4)
            z_up, z_down = LINK.to_latent([up, down], [0, 1])
            assert latent[row, n] == pytest.approx((3 * z_up + z_down) / 4)


def test_weights_are_shares_and_one_each_by_default() -> None:
    np.testing.assert_allclose(Comparison(IDS).shares, 1 / 3)
    np.testing.assert_allclose(Comparison(IDS, {"rating": 5.0, "up": 15.0}).shares, [0.75, 0, 0.25])
    draws = [model("a", 4.0, 1, n=9), model("b", 0.0, 2, n=9)]
    np.testing.assert_allclose(
        totals(draws, LINK, Comparison(("up", "down"), {"up": 0.2})), totals(draws, LINK, UP)
    )


def test_ranks_by_brute_force() -> None:
    means = {"a": 8.0, "b": 3.0, "c": 0.0, "d": -5.0}
    models = [model(name, mean, i, n=300) for i, (name, mean) in enumerate(means.items())]
    ranking = rank_models(models, LINK, UP, prob=0.8)
    counts, wins = np.zeros((4, 4)), np.zeros((4, 4))
    collected: list[list[int]] = [[] for _ in models]
    for n in range(300):
        values = [float(one.values[n, 0]) for one in models]
        order = sorted(range(4), key=lambda m: -values[m])
        for m in range(4):
            rank = order.index(m)
            counts[m, rank] += 1
            collected[m].append(rank + 1)
            for other in range(4):
                wins[m, other] += (values[m] > values[other]) + 0.5 * (m == other)
    np.testing.assert_allclose(ranking.rank_probability, counts / 300)
    np.testing.assert_allclose(ranking.win, wins / 300)
    np.testing.assert_allclose(ranking.p_best, counts[:, 0] / 300)
    for m in range(4):
        ordered = sorted(collected[m])
        assert (ranking.lower[m], ranking.median[m], ranking.upper[m]) == (
            ordered[29],
            ordered[149],
            ordered[269],
        )
    assert ranking.model_ids == ("a", "b", "c", "d")
    assert ranking.order == [0, 1, 2, 3]
    assert repr(ranking).startswith(f"Ranking: a (P(best) {ranking.p_best[0]:.2f}), b (P(best) ")


def test_exact_ties_share_the_ranks() -> None:
    a = model("a", 0.0, 1, n=4000)
    ranking = rank_models([a, replace(a, model_id="b")], LINK, UP)
    np.testing.assert_array_equal(ranking.win, 0.5)
    # 4,000 fair coins: standard error 0.008
    np.testing.assert_allclose(ranking.p_best, 0.5, atol=0.032)
    np.testing.assert_allclose(ranking.rank_probability.sum(axis=0), 1.0)
    again = rank_models([a, replace(a, model_id="b")], LINK, UP)
    np.testing.assert_array_equal(ranking.p_best, again.p_best)


@given(
    st.integers(2, 5), st.integers(1, 6), st.sampled_from(["score", "latent"]), st.integers(0, 99)
)
def test_rank_distributions_and_wins_are_consistent(m: int, n: int, scale: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    draws = [
        ScoreDraws(f"m{i}", IDS, rng.integers(0, 4, (n, 3)).astype(float) * 25) for i in range(m)
    ]
    ranking = rank_models(draws, LINK, Comparison(IDS, scale=scale))
    np.testing.assert_allclose(ranking.rank_probability.sum(axis=0), 1)
    np.testing.assert_allclose(ranking.rank_probability.sum(axis=1), 1)
    np.testing.assert_allclose(ranking.win + ranking.win.T, 1)
    assert ranking.lower.min() >= 1 and ranking.upper.max() <= m
    assert (ranking.lower <= ranking.median).all() and (ranking.median <= ranking.upper).all()
    gap = gap_between(draws[0], draws[1], LINK, Comparison(IDS, scale=scale))
    assert gap.p_better == pytest.approx(ranking.win[0, 1])
    assert gap.lower <= gap.median <= gap.upper


def test_bad_calls_name_the_value() -> None:
    a, b = model("a", 0, 1, n=20), model("b", 0, 2, n=20)
    with pytest.raises(UnknownIdError, match="unknown benchmark 'uup'; nearest: up"):
        gap_between(a, b, LINK, Comparison(("uup",)))
    with pytest.raises(UsageError, match="benchmark 'up' is named twice"):
        gap_between(a, b, LINK, Comparison(("up", "up")))
    with pytest.raises(UsageError, match="at least 2 models, got 1"):
        rank_models([a], LINK, UP)
    with pytest.raises(UsageError, match="'c' and 'a' are not of one posterior"):
        gap_between(a, model("c", 0, 3, n=21), LINK, UP)
    fewer = ScoreDraws("d", IDS[:2], b.values[:, :2])
    with pytest.raises(UsageError, match="'d' and 'a' are not of one posterior"):
        rank_models([a, b, fewer], LINK, UP)
    for prob in (0.0, 1.0, float("nan")):
        with pytest.raises(UsageError, match="prob must lie"):
            rank_models([a, b], LINK, UP, prob=prob)
        with pytest.raises(UsageError, match="prob must lie"):
            gap_between(a, b, LINK, UP, prob=prob)


def test_a_bad_comparison_is_refused_when_it_is_made() -> None:
    for weight in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match=f"weight of 'up' must be 0 or more, got {weight:g}"):
            Comparison(("up",), {"up": weight})
    with pytest.raises(UsageError, match="every benchmark has weight 0"):
        Comparison(("up",), {"up": 0.0})
    with pytest.raises(UsageError, match="every benchmark has weight 0"):
        Comparison(("up",), {})
    with pytest.raises(UnknownIdError, match="unknown benchmark 'ups'; nearest: up"):
        Comparison(("up",), {"ups": 1.0})
    with pytest.raises(UsageError, match="at least one benchmark"):
        Comparison(())
    with pytest.raises(UsageError, match=r"kind must be one of .* got 'median'"):
        Comparison(("up",), kind="median")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"scale must be one of .* got 'unit'"):
        Comparison(("up",), scale="unit")  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", ["score", "latent"])
def test_fitted_models_of_a_posterior_are_compared_draw_by_draw(scale: str) -> None:
    """The draws hold some benchmarks only, in an order of their own."""
    posterior = make_posterior(seed=2)
    link, ids = posterior.transform, posterior.benchmark_ids
    draws, levels = [], []
    for name in posterior.model_ids:
        latent = fitted_draws(posterior, name).take([4, 3, 0])
        made = predictive(latent, link)
        draws.append(ScoreDraws.of(latent, made, made, kind="mu"))
        eta = latent.eta[:, [1, 2]]
        levels.append(eta if scale == "latent" else link.to_score(eta, [3, 0]))
    on = Comparison((ids[0], ids[3]), kind="mu", scale=scale)
    ranking = rank_models(draws, link, on)
    mean = np.stack([one.mean(axis=1) for one in levels])
    best = np.bincount(mean.argmax(axis=0), minlength=6) / mean.shape[1]
    # a latent level beyond the clip of a score is as good as one at it
    np.testing.assert_allclose(ranking.p_best, best, atol=0.005)
    pair = gap_between(draws[0], draws[1], link, on)
    assert pair.p_better == pytest.approx(ranking.win[0, 1])


def test_scores_and_gaps_to_the_first_by_hand() -> None:
    """Five draws of three models: quantiles 0, 1/2 and 1 are the least, middle and largest."""
    written = {"a": [10.0, 20, 30, 40, 50], "b": [60.0, 70, 80, 90, 100], "c": [5.0, 5, 90, 5, 5]}
    draws = [ScoreDraws(name, IDS, np.array([values] * 3).T) for name, values in written.items()]
    sure = 1 - 1e-12
    up = rank_models(draws, LINK, UP, prob=sure)
    assert up.order == [1, 0, 2] and up.benchmarks == ("up",)
    np.testing.assert_allclose(up.scores, [[10, 30, 50], [60, 80, 100], [5, 5, 90]])
    np.testing.assert_allclose(up.gaps, [[-50, -50, -50], [0, 0, 0], [-95, -65, 10]])
    down = rank_models(draws, LINK, Comparison(("down",)), prob=sure)
    assert down.order == [2, 0, 1]  # scores as they are, gaps positive for the better
    np.testing.assert_allclose(down.scores, up.scores)
    np.testing.assert_allclose(down.gaps, [[-45, -15, 60], [-95, -65, 10], [0, 0, 0]])
    mixed = rank_models(draws, LINK, Comparison(("up", "down"), {"up": 3.0}), prob=sure)
    np.testing.assert_allclose(mixed.scores, up.scores)  # what weighs nothing does not turn it
    both = rank_models(draws, LINK, Comparison(("down", "up"), {"up": 3.0, "down": 1.0}), prob=sure)
    np.testing.assert_allclose(both.scores, up.scores / 2)
    latent = rank_models(draws, LINK, Comparison(("down",), scale="latent"), prob=sure)
    assert latent.order == down.order and latent.scores[2, 1] > latent.scores[1, 1]


def test_the_sentence_of_a_ranking_names_the_first_two() -> None:
    a = ScoreDraws("a", IDS, np.array([[40.0] * 3, [60] * 3, [40] * 3, [40] * 3]))
    b, c = (ScoreDraws(name, IDS, np.full((4, 3), at)) for name, at in (("b", 50.0), ("c", 1.0)))
    assert rank_models([a, b, c], LINK, UP).sentence == (
        "b is the best of 3 models on up with probability 0.75; its lead over a, the next, is "
        "+10.0 (90 % interval -7.0 to +10.0), and it is better than that with probability 0.75."
    )
