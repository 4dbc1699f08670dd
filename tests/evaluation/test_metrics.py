"""Metrics against closed forms, brute force and independent libraries."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from bayesbench.errors import UsageError
from bayesbench.evaluation import metrics

LEVELS = np.concatenate([[0.001, 0.0025, 0.005], np.arange(1, 100) / 100, [0.995, 0.9975, 0.999]])


def normal_grid(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    return mean[:, None] + sd[:, None] * stats.norm.ppf(LEVELS)[None, :]


def test_point_errors_by_hand() -> None:
    truth = [10.0, 0.0, 50.0, 80.0]
    predicted = [12.0, 3.0, 45.0, 80.0]
    # errors 2, 3, 5, 0 -> median 2.5; relative 20 %, (0 left out), 10 %, 0 % -> median 10 %
    assert metrics.medae(truth, predicted) == 2.5
    assert metrics.medape(truth, predicted) == pytest.approx(10.0)
    assert metrics.within(truth, predicted, 3) == pytest.approx(75.0)
    assert metrics.within(truth, predicted, 0) == pytest.approx(25.0)


def test_intervals_by_hand() -> None:
    truth, lower, upper = [1.0, 5.0, 12.0], [0.0, 6.0, 2.0], [2.0, 9.0, 10.0]
    assert metrics.coverage(truth, lower, upper) == pytest.approx(1 / 3)
    assert metrics.median_width(lower, upper) == 3.0
    # widths 2, 3, 8; misses 0, 1, 2 fined 2 / 0.1 each
    assert metrics.winkler(truth, lower, upper) == pytest.approx((2 + 23 + 48) / 3)


def test_winkler_is_smallest_at_the_true_quantiles() -> None:
    y = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    z = stats.norm.ppf(0.95)

    def score(scale: float) -> float:
        return metrics.winkler(y, np.full_like(y, -scale * z), np.full_like(y, scale * z))

    assert score(1.0) < min(score(0.9), score(1.1))


def test_crps_of_a_normal_closed_form() -> None:
    rng = np.random.default_rng(0)
    mean, sd = rng.normal(50, 10, 200), rng.uniform(1, 8, 200)
    y = mean + sd * rng.normal(size=200)
    z = (y - mean) / sd
    exact = sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi))
    got = metrics.crps_from_quantiles(y, LEVELS, normal_grid(mean, sd))
    np.testing.assert_allclose(got, exact, atol=2e-3 * sd.max())


def test_crps_is_the_exact_integral_for_the_piecewise_linear_cdf() -> None:
    levels = np.array([0.1, 0.4, 0.9])
    quantiles = np.array([[0.0, 2.0, 5.0]])

    def cdf(x: float) -> float:
        if x < 0:
            return 0.0
        return 1.0 if x >= 5 else float(np.interp(x, quantiles[0], levels))

    for y in (-1.0, 0.0, 1.3, 2.0, 4.9, 7.5):
        brute, _ = integrate.quad(
            lambda x, y=y: (cdf(x) - (x >= y)) ** 2, -3, 10, points=[0, 2, 5, y], limit=200
        )
        assert metrics.crps_from_quantiles([y], levels, quantiles)[0] == pytest.approx(brute)


def test_crps_of_a_point_forecast_is_the_absolute_error() -> None:
    got = metrics.crps_from_quantiles([7.0, 1.0], LEVELS, np.full((2, LEVELS.size), 4.0))
    np.testing.assert_allclose(got, [3.0, 3.0])


def test_cdf_matches_interpolation_and_handles_ties_and_tails() -> None:
    rng = np.random.default_rng(1)
    mean, sd = rng.normal(50, 10, 300), rng.uniform(1, 8, 300)
    grid = normal_grid(mean, sd)
    x = mean + 1.5 * sd * rng.uniform(-1, 1, 300)
    expected = [np.interp(a, row, LEVELS) for a, row in zip(x, grid, strict=True)]
    np.testing.assert_allclose(metrics.cdf_from_quantiles(x, LEVELS, grid), expected, atol=1e-12)
    np.testing.assert_allclose(
        metrics.cdf_from_quantiles(x, LEVELS, grid), stats.norm.cdf(x, mean, sd), atol=1e-3
    )
    levels = np.array([0.1, 0.2, 0.5, 0.9])
    row = np.array([[0.0, 1.0, 1.0, 2.0]])
    at = {-1.0: 0.05, 0.0: 0.1, 0.5: 0.15, 1.0: 0.35, 1.5: 0.7, 2.0: 0.9, 3.0: 0.95}
    for value, expected_level in at.items():
        got = metrics.cdf_from_quantiles([value], levels, row)[0]
        assert got == pytest.approx(expected_level), value


def test_pit_is_uniform_for_honest_predictions_and_not_for_too_narrow_ones() -> None:
    rng = np.random.default_rng(2)
    mean, sd = rng.normal(50, 10, 4000), rng.uniform(1, 8, 4000)
    y = mean + sd * rng.normal(size=4000)
    honest = metrics.pit_from_quantiles(y, LEVELS, normal_grid(mean, sd))
    narrow = metrics.pit_from_quantiles(y, LEVELS, normal_grid(mean, 0.6 * sd))
    assert stats.kstest(honest, "uniform").pvalue > 0.01
    assert stats.kstest(narrow, "uniform").pvalue < 1e-6


def test_probability_within_of_a_normal() -> None:
    mean, sd = np.array([50.0, 20.0]), np.array([4.0, 10.0])
    got = metrics.probability_within(mean, LEVELS, normal_grid(mean, sd), 10)
    np.testing.assert_allclose(got, 2 * stats.norm.cdf(10 / sd) - 1, atol=1e-3)


def test_interval_from_quantiles() -> None:
    grid = normal_grid(np.zeros(1), np.ones(1))
    lower, upper = metrics.interval_from_quantiles(LEVELS, grid)
    assert (lower[0], upper[0]) == pytest.approx((-1.6448536, 1.6448536))
    lower, upper = metrics.interval_from_quantiles(LEVELS, grid, prob=0.85)
    assert upper[0] == pytest.approx(stats.norm.ppf(0.925), abs=1e-3)


def test_spearman_agrees_with_scipy_with_ties() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 20, 500), rng.integers(0, 20, 500)
    assert metrics.spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
    assert math.isnan(metrics.spearman([1, 1, 1], [1, 2, 3]))


def test_top_share() -> None:
    truth = np.full(10, 100.0)
    predicted = 100 + np.arange(10.0)
    assert metrics.top_share_medape(truth, predicted, np.arange(10.0)) == pytest.approx(0.5)
    assert metrics.top_share_medape(truth, predicted, -np.arange(10.0)) == pytest.approx(8.5)


@pytest.mark.parametrize("margin", [0.0, 5.0])
def test_ranking_against_brute_force(margin: float) -> None:
    rng = np.random.default_rng(4)
    scores = np.round(rng.uniform(0, 40, (12, 6)))
    scores[rng.random(scores.shape) < 0.3] = np.nan
    held = (rng.random(scores.shape) < 0.4) & np.isfinite(scores)
    predicted = np.round(scores + rng.normal(0, 8, scores.shape))
    predicted[3] = np.nan  # a model that cannot be predicted
    correct = total = 0
    for j in range(6):
        for a, b in itertools.combinations(range(12), 2):
            if not (held[a, j] or held[b, j]) or np.isnan(scores[[a, b], j]).any():
                continue
            shown = [predicted[i, j] if held[i, j] else scores[i, j] for i in (a, b)]
            gap = scores[a, j] - scores[b, j]
            if np.isnan(shown).any() or gap == 0 or abs(gap) < margin:
                continue
            total += 1
            correct += np.sign(gap) == np.sign(shown[0] - shown[1])
    counts = metrics.ranking_counts(scores, predicted, held, margin)
    assert (counts.correct, counts.total) == (correct, total)
    assert counts.accuracy == correct / total


def test_ranking_in_blocks_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    scores, held = rng.uniform(0, 100, (40, 3)), rng.random((40, 3)) < 0.5
    predicted = scores + rng.normal(0, 20, scores.shape)
    whole = metrics.ranking_counts(scores, predicted, held)
    monkeypatch.setattr(metrics, "_RANKING_BLOCK", 100)
    assert metrics.ranking_counts(scores, predicted, held) == whole


def test_brier_and_reliability() -> None:
    rng = np.random.default_rng(6)
    p = rng.uniform(0, 1, 20_000)
    outcome = (rng.uniform(size=p.size) < p).astype(float)
    # E (p - o)^2 = E p (1 - p) = 1/6 for uniform p
    assert metrics.brier(p, outcome) == pytest.approx(1 / 6, abs=5 * 0.15 / math.sqrt(p.size))
    curve = metrics.reliability_curve(p, outcome)
    assert len(curve) == 10 and sum(row["n"] for row in curve) == p.size
    for row in curve:
        assert abs(row["predicted"] - row["observed"]) < 5 * 0.5 / math.sqrt(row["n"])
    over_confident = metrics.reliability_curve(np.clip(2 * p, 0, 1), outcome)
    assert over_confident[5]["observed"] < over_confident[5]["predicted"] - 0.1


def test_strata() -> None:
    n = 300
    truth = np.linspace(1, 99, n)
    lower, upper = truth - 1, truth + 1
    lower[:30] += 5  # the lowest tenth is missed
    rows = metrics.strata(
        truth,
        truth,
        lower,
        upper,
        level=np.where(np.arange(n) < 290, truth / 100, np.nan),
        n_model=np.repeat([3, 9, 20], 100),
        n_benchmark=np.full(n, 4),
        scale=np.where(np.arange(n) < 290, "percent", "rating"),
    )
    by = {(r["stratum"], r["part"]): r for r in rows}
    assert [r["n"] for r in rows if r["stratum"] == "level"] == [29] * 10
    assert by["level", 1]["coverage90"] == 0.0 and by["level", 10]["coverage90"] == 1.0
    assert [by["n_model", k]["n"] for k in (1, 2, 3)] == [100, 100, 100]
    assert by["n_model", 1]["upper"] == 3.0
    assert sum(r["n"] for r in rows if r["stratum"] == "n_benchmark") == n
    assert by["scale", "rating"]["n"] == 10 and by["scale", "percent"]["n"] == 290
    assert math.isnan(
        metrics.strata(
            truth,
            truth,
            None,
            None,
            level=truth,
            n_model=truth,
            n_benchmark=truth,
            scale=["percent"] * n,
        )[0]["coverage90"]
    )


def test_bad_input_is_named() -> None:
    with pytest.raises(UsageError, match="predicted has shape"):
        metrics.medae([1.0], [1.0, 2.0])
    with pytest.raises(UsageError, match="predicted holds 1 non-finite"):
        metrics.medape([1.0, 2.0], [1.0, math.nan])
    with pytest.raises(UsageError, match="must not decrease"):
        metrics.crps_from_quantiles([1.0], [0.1, 0.9], [[2.0, 1.0]])
    with pytest.raises(UsageError, match="increase strictly"):
        metrics.crps_from_quantiles([1.0], [0.9, 0.1], [[1.0, 2.0]])
    with pytest.raises(UsageError, match="prob must"):
        metrics.winkler([1.0], [0.0], [2.0], prob=90)
    assert math.isnan(metrics.medae([], []))
