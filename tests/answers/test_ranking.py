from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

from bayesbench.answers.predictive import fitted_draws
from bayesbench.answers.ranking import (
    Comparison,
    prob_better,
    rank_models,
    totals,
)
from bayesbench.errors import UnknownIdError, UsageError
from bayesbench.low_rank.link import Transform
from tests.factories import make_posterior

IDS = ("up", "down", "rating")


@dataclass(frozen=True, eq=False)
class Draws:
    """The fields of ``LatentDraws`` that ranking reads."""

    model_id: str
    eta: np.ndarray
    noise_scale: np.ndarray
    nu: np.ndarray
    observed: np.ndarray
    benchmark_ids: tuple[str, ...] = IDS


def link() -> Transform:
    nan = np.nan
    values = np.random.default_rng(0).uniform(20, 80, (9, 3))
    return Transform.from_scores(
        IDS,
        values,
        lower=[0, 0, nan],
        upper=[100, 100, nan],
        higher_is_better=[True, False, True],
        n_items=[nan] * 3,
    )


def model(name: str, mean: float, seed: int, n: int = 2000, sd: float = 1.0) -> Draws:
    rng = np.random.default_rng(seed)
    eta = mean + sd * rng.normal(size=(n, 3))
    return Draws(name, eta, np.full((n, 3), 0.5), np.full(n, np.inf), np.full(3, np.nan))


@pytest.mark.parametrize("benchmark", IDS)
def test_level_comparison_is_the_share_of_draws(benchmark: str) -> None:
    a, b = model("a", 0.4, 1), model("b", 0.0, 2)
    j = IDS.index(benchmark)
    share = np.mean(a.eta[:, j] > b.eta[:, j])
    for scale in ("score", "latent"):
        found = prob_better(a, b, link(), Comparison((benchmark,), scale=scale))
        assert found == pytest.approx(share, abs=1e-12)


def test_reading_comparison_is_the_closed_form() -> None:
    """eta differ by 0.4 with variance 2, noise adds 2 * 0.25: Phi(0.4 / sqrt(2.5))."""
    a, b = model("a", 0.4, 1, n=8000), model("b", 0.0, 2, n=8000)
    found = prob_better(a, b, link(), Comparison(("up",), kind="score", repeats=8))
    # 8,000 independent draws: standard error 0.0055
    assert found == pytest.approx(stats.norm.cdf(0.4 / np.sqrt(2.5)), abs=0.02)


def test_shared_doubt_cancels() -> None:
    """Both move together: the difference is sure although neither level is."""
    a = model("a", 0.0, 1)
    b = replace(a, model_id="b", eta=a.eta - 0.01)
    assert prob_better(a, b, link(), Comparison(("up",))) == 1.0


def test_weighted_totals_by_brute_force() -> None:
    a, b, t = model("a", 0.4, 1, n=5), model("b", 0.0, 2, n=5), link()
    comparison = Comparison(("down", "up"), {"up": 3.0, "down": 1.0})
    found = totals([a, b], t, comparison)
    for row, one in enumerate((a, b)):
        for s in range(5):
            score = t.to_score(one.eta[s])
            assert found[row, s] == pytest.approx((3 * score[0] - score[1]) / 4)
    latent = totals([a, b], t, replace(comparison, scale="latent"))
    np.testing.assert_allclose(latent[0], (3 * a.eta[:, 0] + a.eta[:, 1]) / 4)


def test_known_scores_stand_for_readings() -> None:
    a, b = model("a", -5.0, 1), model("b", 5.0, 2)
    a = replace(a, observed=np.array([70.0, np.nan, np.nan]))
    b = replace(b, observed=np.array([60.0, np.nan, np.nan]))
    assert prob_better(a, b, link(), Comparison(("up",), kind="score")) == 1.0
    assert prob_better(a, b, link(), Comparison(("up",), kind="mu")) < 0.01
    same = replace(b, observed=a.observed)
    assert prob_better(a, same, link(), Comparison(("up",), kind="score")) == 0.5


def test_ranks_by_brute_force() -> None:
    means = {"a": 0.8, "b": 0.3, "c": 0.0, "d": -0.5}
    models = [model(name, mean, i, n=300) for i, (name, mean) in enumerate(means.items())]
    ranking = rank_models(models, link(), Comparison(("up",)), prob=0.8)
    counts = np.zeros((4, 4))
    wins = np.zeros((4, 4))
    collected: list[list[int]] = [[] for _ in models]
    for s in range(300):
        values = [float(one.eta[s, 0]) for one in models]
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


def test_exact_ties_share_the_ranks() -> None:
    a = model("a", 0.0, 1, n=4000)
    ranking = rank_models([a, replace(a, model_id="b")], link(), Comparison(("up",)))
    np.testing.assert_array_equal(ranking.win, 0.5)
    # 4,000 fair coins: standard error 0.008
    np.testing.assert_allclose(ranking.p_best, 0.5, atol=0.032)
    np.testing.assert_allclose(ranking.rank_probability.sum(axis=0), 1.0)


def test_bad_calls_name_the_value() -> None:
    a, b, t = model("a", 0, 1, n=20), model("b", 0, 2, n=20), link()
    with pytest.raises(UnknownIdError, match="unknown benchmark 'uup'; nearest: up"):
        prob_better(a, b, t, Comparison(("uup",)))
    with pytest.raises(UsageError, match="at least 2 models, got 1"):
        rank_models([a], t, Comparison(("up",)))
    with pytest.raises(UsageError, match="not of one posterior"):
        prob_better(a, model("c", 0, 3, n=21), t, Comparison(("up",)))
    with pytest.raises(UsageError, match="weight of 'up' must be 0 or more, got -1"):
        prob_better(a, b, t, Comparison(("up",), {"up": -1.0}))
    with pytest.raises(UsageError, match="every benchmark has weight 0"):
        prob_better(a, b, t, Comparison(("up",), {"up": 0.0}))
    with pytest.raises(UnknownIdError, match="'down'"):
        prob_better(a, b, t, Comparison(("up",), {"down": 1.0}))
    with pytest.raises(UsageError, match="at least one benchmark"):
        Comparison(())
    with pytest.raises(UsageError, match="kind must be one of"):
        Comparison(("up",), kind="median")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="prob must lie"):
        rank_models([a, b], t, Comparison(("up",)), prob=1.0)


def test_fitted_models_of_a_posterior_are_compared_draw_by_draw() -> None:
    posterior = make_posterior(seed=2)
    draws = [fitted_draws(posterior, name) for name in posterior.model_ids]
    on = Comparison(posterior.benchmark_ids[:2], scale="latent")
    ranking = rank_models(draws, posterior.transform, on)
    best = np.stack([one.eta[:, :2].mean(axis=1) for one in draws]).argmax(axis=0)
    np.testing.assert_allclose(ranking.p_best, np.bincount(best, minlength=6) / len(best))
    pair = prob_better(draws[0], draws[1], posterior.transform, on)
    assert pair == pytest.approx(ranking.win[0, 1])
