"""Recalibration: exact coverage on exchangeable errors, equal tails, slopes against an oracle."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import beta

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.errors import DataError
from bayesbench.posterior.calibration import (
    FEATURES,
    LEAST_CELLS,
    TAUS,
    Calibration,
    Recalibration,
    _composite_quantile_slopes,
    calibration_features,
    fit_recalibration,
)

STEPS = np.array([NormalDist().inv_cdf(float(p)) for p in PREDICTIVE_LEVELS])
N_TRAIN, N_TEST, N_SPLITS = 199, 400, 100
PROBS = (0.5, 0.8, 0.9, 0.98)
MIDDLE = int(np.argmin(np.abs(PREDICTIVE_LEVELS - 0.5)))


def held_out(rng: np.random.Generator, n: int, claimed: float) -> tuple[np.ndarray, ...]:
    """Quantiles that claim `claimed` times the true spread, truth and features without meaning."""
    median = rng.normal(size=n)
    truth = median + rng.standard_t(4, size=n)
    return median[:, None] + claimed * STEPS, truth, np.zeros((n, 2))


def covered(quantiles: np.ndarray, truth: np.ndarray, prob: float) -> np.ndarray:
    low, high = (
        quantiles[:, np.argmin(np.abs(PREDICTIVE_LEVELS - p))]
        for p in ((1 - prob) / 2, (1 + prob) / 2)
    )
    return (truth >= low) & (truth <= high)


def mean_coverage(claimed: float, *, apply: bool) -> dict[float, float]:
    """Mean coverage over many independent pairs of a calibration and a test set."""
    rng = np.random.default_rng(11)
    total = dict.fromkeys(PROBS, 0.0)
    for _ in range(N_SPLITS):
        train = held_out(rng, N_TRAIN, claimed)
        quantiles, truth, features = held_out(rng, N_TEST, claimed)
        if apply:
            fitted = fit_recalibration(*_ordered(train))
            quantiles = fitted.apply(quantiles, PREDICTIVE_LEVELS, features)
        for prob in PROBS:
            total[prob] += covered(quantiles, truth, prob).mean() / N_SPLITS
    return total


def _ordered(parts: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    quantiles, truth, features = parts
    return quantiles, PREDICTIVE_LEVELS, truth, features


def tolerance(prob: float) -> float:
    """Four standard errors: binomial test cells, and the calibration set's own beta law.

    Given the calibration set the coverage of a split conformal interval is Beta(r, n + 1 - r).
    """
    rank = prob * (N_TRAIN + 1)
    own = beta(rank, N_TRAIN + 1 - rank).var()
    return 4 * float(np.sqrt((own + prob * (1 - prob) / N_TEST) / N_SPLITS))


@pytest.mark.parametrize("claimed", [0.5, 1.0, 2.0])
def test_coverage_is_the_nominal_one_whatever_was_claimed(claimed: float) -> None:
    found = mean_coverage(claimed, apply=True)
    # 200 p is a whole number for every p: the finite-sample coverage is exactly p
    assert {p: c for p, c in found.items() if abs(c - p) > tolerance(p)} == {}


def test_over_confident_quantiles_fail_the_same_check() -> None:
    found = mean_coverage(0.5, apply=False)
    assert all(p - c > tolerance(p) for p, c in found.items())


def heteroscedastic(rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """All claim the same spread; the true one is exp(0.8 x), and the second feature is noise."""
    features = rng.normal(size=(n, 2))
    truth = np.exp(0.8 * features[:, 0]) * rng.normal(size=n)
    return np.broadcast_to(STEPS, (n, STEPS.size)).copy(), truth, features


def test_strata_are_right_where_the_size_of_errors_depends_on_a_feature() -> None:
    rng = np.random.default_rng(5)
    fitted = fit_recalibration(*_ordered(heteroscedastic(rng, 6000)))
    quantiles, truth, features = heteroscedastic(rng, 12000)
    fixed = fitted.apply(quantiles, PREDICTIVE_LEVELS, features)
    third = np.digitize(features[:, 0], np.quantile(features[:, 0], [1 / 3, 2 / 3]))
    raw = [covered(quantiles, truth, 0.9)[third == t].mean() for t in range(3)]
    now = [covered(fixed, truth, 0.9)[third == t].mean() for t in range(3)]
    assert raw[0] > 0.98
    assert raw[2] < 0.7
    # 4,000 cells: standard error 0.005; the ridge and the clip at 4 sd leave a little
    np.testing.assert_allclose(now, 0.9, atol=0.02)


def skewed(rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Truth half a spread above the claimed median, with a long upper tail where x is large."""
    features = rng.normal(size=(n, 2))
    error = 0.5 + rng.normal(size=n)
    error = np.where(error > 0.5, 0.5 + np.exp(0.5 * features[:, 0]) * (error - 0.5), error)
    return np.broadcast_to(STEPS, (n, STEPS.size)).copy(), error, features


def test_tails_are_equal_where_errors_are_skewed_and_the_median_is_off() -> None:
    rng = np.random.default_rng(7)
    fitted = fit_recalibration(*_ordered(skewed(rng, 6000)))
    quantiles, truth, features = skewed(rng, 20000)
    fixed = fitted.apply(quantiles, PREDICTIVE_LEVELS, features)
    for x in (features[:, 0] < -0.5, features[:, 0] > 0.5):
        for level in (0.05, 0.5, 0.95):
            at = int(np.argmin(np.abs(PREDICTIVE_LEVELS - level)))
            # 6,000 cells and more: standard error 0.007 at the median, 0.003 at the ends
            below = (truth <= fixed[:, at])[x].mean()
            assert below == pytest.approx(level, abs=0.03 if level == 0.5 else 0.015)
            raw = (truth <= quantiles[:, at])[x].mean()
            assert abs(raw - level) > 0.02 or (level == 0.95 and features[x, 0].max() < 0)


def test_quantiles_increase_also_far_outside_what_was_learned() -> None:
    rng = np.random.default_rng(2)
    fitted = fit_recalibration(*_ordered(skewed(rng, 500)))
    quantiles, _, features = skewed(rng, 50)
    fixed = fitted.apply(quantiles, PREDICTIVE_LEVELS, 10 * features)
    assert (np.diff(fixed, axis=1) > 0).all()


def test_relative_quantiles_hold_the_finite_sample_rank() -> None:
    errors = np.arange(-9.0, 10.0)  # 19: the 90 % interval goes from rank 1 to rank 19 of 20
    side = np.zeros(2)
    fitted = Recalibration(np.zeros(1), np.ones(1), side, side, side, errors)
    found = fitted.relative_quantiles(np.array([0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999]))
    np.testing.assert_allclose(found[1:-1], [-9.0, -5.0, 0.0, 5.0, 9.0], atol=1e-6)
    assert found[0] < -9.0  # more than 19 errors can say: beyond the outermost
    assert found[-1] > 9.0


def test_relative_errors_are_what_the_quantiles_are_made_of() -> None:
    rng = np.random.default_rng(4)
    quantiles, truth, features = skewed(rng, 300)
    fitted = fit_recalibration(*_ordered((quantiles, truth, features)))
    errors = fitted.relative_errors(quantiles, PREDICTIVE_LEVELS, truth, features)
    np.testing.assert_allclose(np.sort(errors), fitted.errors)
    # the quantile at the level of a cell's own rank is its score
    order = np.argsort(errors)
    levels = PREDICTIVE_LEVELS
    for rank in (30, 150, 270):
        cell = order[rank - 1 : rank]
        level = np.array([rank / 301])
        middle = fitted._middle(quantiles[cell], levels, fitted._standard(features[cell]))
        side = fitted.lower if errors[cell] < 0 else fitted.upper
        size = np.exp(side[0] + fitted._standard(features[cell]) @ side[1:])
        again = middle + size * fitted.relative_quantiles(level)
        np.testing.assert_allclose(again, truth[cell], atol=1e-6)


def many_features(rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Errors of one size, and thirteen features that say nothing."""
    truth = rng.standard_t(4, size=n)
    return np.broadcast_to(STEPS, (n, STEPS.size)).copy(), truth, rng.normal(size=(n, 13))


@pytest.mark.parametrize("n", [60, 120])
def test_few_predictions_with_many_features_keep_their_coverage(n: int) -> None:
    """Errors under slopes they taught themselves look smaller than those to come."""
    rng = np.random.default_rng(8)
    found: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(40):
        quantiles, truth, features = many_features(rng, n)
        new, hidden, about = many_features(rng, 1000)
        for apart in found:
            parts = np.arange(n) % 3 if apart else None
            fitted = fit_recalibration(quantiles, PREDICTIVE_LEVELS, truth, features, parts)
            fixed = fitted.apply(new, PREDICTIVE_LEVELS, about)
            found[apart].append(float(covered(fixed, hidden, 0.9).mean()))
    # 40 tables: the standard error of a mean is below 0.008
    assert abs(np.mean(found[True]) - 0.9) < 0.03
    assert np.mean(found[False]) < np.mean(found[True])


def test_the_fewer_the_predictions_the_more_slopes_are_the_usual_ones() -> None:
    rng = np.random.default_rng(8)
    at = FEATURES.index("log_eta_sd")
    found = []
    for n in (40, 400, 4000):
        features = rng.normal(size=(n, len(FEATURES)))
        truth = rng.normal(size=n)
        quantiles = np.broadcast_to(STEPS, (n, STEPS.size))
        made = fit_recalibration(
            quantiles, PREDICTIVE_LEVELS, truth, features, usual={"log_eta_sd": 3.0}
        )
        found.append((made.upper[1 + at] + made.lower[1 + at]) / 2 / made.scale[at])
    assert found[0] > 0.8 and found[0] > found[1] > found[2]
    assert abs(found[2]) < 0.25  # what the predictions say: 0


def test_slopes_agree_with_composite_quantile_regression_by_linear_programming() -> None:
    rng = np.random.default_rng(9)
    n = 400
    features = rng.normal(size=(n, 2))
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    target = 0.7 * features[:, 0] - 0.3 * features[:, 1] + rng.normal(size=n)
    exact = linear_program(target, features)
    found, _ = _composite_quantile_slopes(target, features, TAUS, np.zeros(2), 0.02)
    # the ridge pulls each slope b by about 2 * 0.02 b / curvature (sum of densities at TAUS, 1.6);
    # the exact solution of the unsmoothed problem lies within the smoothing of that
    np.testing.assert_allclose(found, exact / (1 + 0.04 / 1.6), atol=0.02)


def linear_program(target: np.ndarray, features: np.ndarray) -> np.ndarray:
    """min sum_t mean_i pinball_t(y_i - x_i'b - a_t), as a linear program (b shared, a_t own)."""
    n, f = features.shape
    t = len(TAUS)
    cost = np.zeros(f + t + 2 * n * t)
    equal = np.zeros((n * t, cost.size))
    for k, tau in enumerate(TAUS):
        rows = slice(k * n, (k + 1) * n)
        equal[rows, :f] = features
        equal[rows, f + k] = 1.0
        over = f + t + k * 2 * n
        equal[rows, over : over + n] = np.eye(n)
        equal[rows, over + n : over + 2 * n] = -np.eye(n)
        cost[over : over + n], cost[over + n : over + 2 * n] = tau, 1 - tau
    bounds = [(None, None)] * (f + t) + [(0, None)] * (2 * n * t)
    solved = linprog(cost, A_eq=equal, b_eq=np.tile(target, t), bounds=bounds, method="highs")
    assert solved.success
    return np.asarray(solved.x[:f])


def test_features_of_a_hand_worked_cell() -> None:
    quantiles = np.array([[-2.0, -1.0, 0.0, 1.0, 4.0]])
    levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    one, told = np.ones(1), np.array([[0.5, 1.0, 0.0]])
    counts = (3 * one, 7 * one, 0.5 * one, told)
    bounded = calibration_features(quantiles, levels, 4.0 * one, np.array([True]), *counts)
    expected = [np.log(2), np.log(3), 4.0, 16.0, 1.0, np.log(4), np.log(8), 0.0, 0.0, np.log(0.5)]
    np.testing.assert_allclose(bounded[0], [*expected, 0.5, 1.0, 0.0])
    none = calibration_features(
        quantiles, levels, 4.0 * one, np.array([True]), 0 * one, 7 * one, one, told
    )
    assert none[0, FEATURES.index("no_scores")] == 1.0
    free = calibration_features(quantiles, levels, 4.0 * one, np.array([False]), *counts)
    np.testing.assert_allclose(free[0, 2:5], 0.0)
    assert free[0, 7] == 1.0
    assert bounded.shape[1] == len(FEATURES)


def of_size(size: int) -> Recalibration:
    rng = np.random.default_rng(size)
    sides = (rng.random(size + 1) for _ in range(3))
    return Recalibration(rng.random(size), rng.random(size), *sides, np.sort(rng.random(9)))


def test_a_calibration_of_another_version_is_refused() -> None:
    right, longer = of_size(len(FEATURES)), of_size(len(FEATURES) + 1)
    for made in (
        lambda: Calibration(longer),
        lambda: Calibration(right, longer),
        lambda: Calibration(right, version=99),
        lambda: Calibration(right, features=FEATURES[::-1]),
        lambda: Calibration(right, features=(*FEATURES[:-1], "saturation")),
    ):
        with pytest.raises(DataError, match="fit the posterior again"):
            made()


def test_arrays_round_trip() -> None:
    fitted = fit_recalibration(*_ordered(heteroscedastic(np.random.default_rng(3), 60)))
    again = Recalibration.from_arrays(fitted.to_arrays())
    for name, value in fitted.to_arrays().items():
        np.testing.assert_array_equal(getattr(again, name), value)
    cells, models = of_size(len(FEATURES)), of_size(len(FEATURES))
    alone = Calibration(cells).to_arrays()
    assert set(alone) == {f"cells_{name}" for name in cells.to_arrays()}
    assert Calibration.from_arrays(alone).of(new=True) is None
    both = Calibration.from_arrays(Calibration(cells, models).to_arrays(), engine="nuts")
    assert both.engine == "nuts" and both.models is not None
    np.testing.assert_array_equal(both.models.errors, models.errors)


def test_too_few_or_unusable_predictions_are_refused() -> None:
    rng = np.random.default_rng(3)
    with pytest.raises(DataError, match=str(LEAST_CELLS)):
        fit_recalibration(*_ordered(heteroscedastic(rng, LEAST_CELLS - 1)))
    quantiles, truth, features = heteroscedastic(rng, LEAST_CELLS)
    with pytest.raises(DataError, match="finite"):
        fit_recalibration(
            quantiles, PREDICTIVE_LEVELS, np.where(truth > 0, truth, np.nan), features
        )
