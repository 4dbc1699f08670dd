"""A posterior's recalibration, applied to what it predicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.answers.calibrated import predictive_features, recalibrated
from bayesbench.answers.condition import condition
from bayesbench.answers.predictive import Predictive, fitted_draws, predict_cells, predictive
from bayesbench.posterior.calibration import FEATURES, Calibration, Recalibration
from tests.factories import make_posterior, with_calibration

POSTERIOR = make_posterior()
MISSING = np.argwhere(~POSTERIOR.matrix.observed)


def iqr(made: Predictive) -> np.ndarray:
    at = [int(np.argmin(np.abs(made.levels - p))) for p in (0.25, 0.75)]
    return np.asarray(made.quantiles[:, at[1]] - made.quantiles[:, at[0]])


def counting(name: str) -> Recalibration:
    """Size of the error: one more than a count of scores, which `FEATURES` has as a logarithm."""
    size = len(FEATURES)
    side = np.append(0.0, np.where(np.array(FEATURES) == name, 10.0, 0.0))
    still, errors = np.zeros(1 + size), np.arange(-49.0, 50.0) / 25
    return Recalibration(np.zeros(size), np.full(size, 10.0), still, side, side, errors)


def test_the_recalibration_is_that_of_the_kind_asked_for() -> None:
    made = predict_cells(POSTERIOR, MISSING)
    both = with_calibration(POSTERIOR, 2.0, 5.0)
    for new, factor in ((False, 2.0), (True, 5.0)):
        found = recalibrated(both, made, new=new)
        np.testing.assert_allclose(iqr(found), factor * iqr(made), rtol=1e-5)
        np.testing.assert_allclose(found.median, made.median, rtol=1e-6)
        np.testing.assert_array_equal(found.observed, made.observed)


def test_predictions_come_back_as_they_are_where_there_is_no_recalibration() -> None:
    made = predict_cells(POSTERIOR, MISSING)
    assert recalibrated(POSTERIOR, made, new=False) is made
    assert recalibrated(POSTERIOR, made, new=True) is made
    only_cells = replace(POSTERIOR, calibration=Calibration(counting("level")))
    assert recalibrated(only_cells, made, new=True) is made
    assert recalibrated(only_cells, made, new=False) is not made


def test_training_scores_of_a_fitted_model_count_whichever_cells_are_asked_for() -> None:
    counted = replace(POSTERIOR, calibration=Calibration(counting("log_model_scores")))
    totals = POSTERIOR.matrix.observed.sum(axis=1)
    for cells in (MISSING, MISSING[:1], np.argwhere(np.ones(POSTERIOR.matrix.shape))):
        found = recalibrated(counted, predict_cells(POSTERIOR, cells), new=False)
        # the middle half of the relative errors is 1 to either side
        np.testing.assert_allclose(iqr(found), 2 * (totals[cells[:, 0]] + 1), rtol=1e-6)


def test_scores_added_to_a_model_count() -> None:
    calibration = Calibration(counting("log_model_scores"), counting("log_model_scores"))
    counted = replace(POSTERIOR, calibration=calibration)
    column = int(np.flatnonzero(~POSTERIOR.matrix.observed[0])[0])
    given = {POSTERIOR.benchmark_ids[column]: 50.0}
    trained = int(POSTERIOR.matrix.observed[0].sum())
    for model_id, n, new in (("model_0", trained + 1, False), (None, 1, True)):
        draws = condition(POSTERIOR, given, model_id=model_id)
        found = recalibrated(counted, predictive(draws, POSTERIOR.transform), new=new)
        np.testing.assert_allclose(iqr(found), 2 * (n + 1), rtol=1e-6)
        unseen = predictive(draws, POSTERIOR.transform).take([(column + 1) % 5])
        known = {draws.model_id: n}
        found = recalibrated(counted, unseen, new=new, known=known)
        np.testing.assert_allclose(iqr(found), 2 * (n + 1), rtol=1e-6)


def test_scores_of_a_benchmark_are_those_it_was_fitted_to() -> None:
    posterior = make_posterior(n_models=7)
    counted = replace(posterior, calibration=Calibration(counting("log_benchmark_scores")))
    made = predictive(fitted_draws(posterior, "model_0"), posterior.transform).take([4, 0])
    per_benchmark = posterior.matrix.observed.sum(axis=0)[[4, 0]]
    assert per_benchmark.tolist() == [5, 4]
    found = recalibrated(counted, made, new=False)
    np.testing.assert_allclose(iqr(found), 2 * (per_benchmark + 1), rtol=1e-6)


def test_features_are_those_of_the_prediction() -> None:
    made = predict_cells(POSTERIOR, MISSING)
    own = {name: n for n, name in enumerate(FEATURES)}
    n = len(made.model_ids)
    found = predictive_features(made, np.full(n, 3.0), np.full(n, 7.0))
    np.testing.assert_allclose(found[:, own["log_model_scores"]], np.log(4))
    np.testing.assert_allclose(found[:, own["log_benchmark_scores"]], np.log(8))
    np.testing.assert_allclose(found[:, own["log_spread"]], np.log(iqr(made)))
    np.testing.assert_allclose(found[:, own["log_eta_sd"]], np.log(made.eta_sd))
    rating = np.asarray(made.benchmark_ids) == "bench_2"
    np.testing.assert_array_equal(found[:, own["unbounded"]] == 1.0, rating)
    # the level is the logit of the median score, also where a lower one is better
    unit = made.median[~rating] / 100
    assert np.isin("bench_1", made.benchmark_ids)
    assert found[~rating, own["level"]] == pytest.approx(np.log(unit / (1 - unit)))
