"""Plots of answers: the drawn numbers are those of the answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench import plots
from bayesbench.answers.predictive import Predictive, predict_cells
from bayesbench.errors import UnknownIdError, UsageError
from bayesbench.front.posterior import Posterior
from bayesbench.front.prediction import Prediction
from tests.factories import make_matrix, make_posterior, with_calibration
from tests.plots.conftest import RECOMMENDATIONS


def test_profile_draws_the_intervals_on_the_score_scale(predictions: Predictive) -> None:
    ax = plots.profile(predictions)
    names = [text.get_text().split(" ")[0] for text in ax.get_yticklabels()]
    assert "bench_2" not in names  # a rating does not fit on the axis of percentages
    assert "(lower is better)" in next(
        t.get_text() for t in ax.get_yticklabels() if t.get_text().startswith("bench_1")
    )
    thin = np.array([line[:, 0] for line in ax.collections[0].get_segments()])
    shown = predictions.take([predictions.benchmark_ids.index(name) for name in names])
    np.testing.assert_allclose(thin, np.stack(shown.interval(0.9), axis=1))
    assert (np.diff(shown.median) >= 0).all()
    known = np.isfinite(shown.observed)
    np.testing.assert_allclose(ax.lines[1].get_xdata(), shown.observed[known])
    assert ax.get_xlabel() == "score (%)"


def test_profile_of_chosen_benchmarks_and_of_a_rating(predictions: Predictive) -> None:
    ax = plots.profile(predictions, benchmarks=["bench_4", "bench_0"])
    assert len(ax.get_yticklabels()) == 2
    ax = plots.profile(predictions, benchmarks=["bench_2"])
    assert "own scale" in ax.get_xlabel()
    with pytest.raises(UsageError, match="nope"):
        plots.profile(predictions, benchmarks=["nope"])
    with pytest.raises(UsageError, match="nothing"):
        plots.profile(predictions, benchmarks=[])


def test_profile_puts_unlike_bounds_on_their_range(predictions: Predictive) -> None:
    upper = predictions.transform.upper.copy()
    upper[0] = 10.0
    scaled = replace(predictions, transform=replace(predictions.transform, upper=upper))
    ax = plots.profile(scaled, benchmarks=["bench_0", "bench_4"])
    assert ax.get_xlabel() == "score (% of the benchmark's range)"
    place = [text.get_text() for text in ax.get_yticklabels()].index("bench_0")
    expected = 10 * scaled.median[0]
    assert ax.lines[0].get_xdata()[place] == pytest.approx(expected)


def test_profile_refuses_several_models(posterior: Posterior) -> None:
    with pytest.raises(UsageError, match="one model"):
        plots.profile(predict_cells(posterior, [(0, 0), (1, 0)]))


def test_profile_of_a_prediction_shows_what_the_answer_says(posterior: Posterior) -> None:
    prediction = with_calibration(posterior).predict("model_0")
    assert isinstance(prediction, Prediction) and prediction.calibrated
    ax = plots.profile(prediction, benchmarks=["Bench 4", "BENCH-0", "bench_3"])
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert sorted(names) == ["bench_0", "bench_3", "bench_4"]
    medians = np.asarray(ax.lines[0].get_xdata())
    np.testing.assert_array_equal(medians, [prediction[name].median for name in names])
    segments = ax.collections[0].get_segments()
    for name, segment in zip(names, segments, strict=True):
        assert tuple(segment[:, 0]) == prediction[name].interval(0.9)
    with pytest.raises(UnknownIdError, match="unknown benchmark 'bench_33'; nearest: bench_3"):
        plots.profile(prediction, benchmarks=["bench_33"])


def test_profile_of_a_part_of_a_prediction(posterior: Posterior) -> None:
    part = posterior.condition({"bench_0": 40.0}).predict(["bench_4", "bench_0"])
    ax = plots.profile(part)
    assert len(ax.get_yticklabels()) == 2
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), [40.0])
    with pytest.raises(UsageError, match="no prediction of 'bench_3' among these cells"):
        plots.profile(part, benchmarks=["Bench 3"])
    whole = posterior.predict(benchmark="bench_0")
    assert isinstance(whole, Prediction)
    with pytest.raises(UsageError, match="one model"):
        plots.profile(whole)


@pytest.mark.parametrize("probs", [(0.5, 0.9), (0.95, 0.2)])
def test_profile_has_a_thin_and_a_thick_bar(
    predictions: Predictive, probs: tuple[float, float]
) -> None:
    ax = plots.profile(predictions, benchmarks=["bench_0", "bench_4"], probs=probs)
    thin, thick = ax.collections[:2]
    assert thin.get_linewidth()[0] < thick.get_linewidth()[0]
    assert thin.get_label() == f"{100 * max(probs):g} % interval"
    for outer, inner in zip(thin.get_segments(), thick.get_segments(), strict=True):
        assert outer[0, 0] < inner[0, 0] < inner[1, 0] < outer[1, 0]


@pytest.mark.parametrize("by", ["model", "benchmark"])
def test_shrinkage_means_are_those_of_the_scores(posterior: Posterior, by: str) -> None:
    ax = plots.shrinkage(posterior, by, n_draws=20)
    drawn = np.asarray(ax.lines[0].get_ydata())
    z = posterior.transform.to_latent(posterior.matrix.values)
    if by == "model":
        expected = np.nanmean(z, axis=1)
    else:
        # the centre of a column is the mean of its scores on the link scale
        bounded = np.array([link == "logit" for link in posterior.transform.link])
        expected = posterior.transform.center[bounded]
    np.testing.assert_allclose(drawn, expected, atol=1e-9)
    with pytest.raises(UsageError, match="by must be"):
        plots.shrinkage(posterior, "row")


def test_epig_bars_are_the_gains_in_order() -> None:
    ax = plots.epig_bars(RECOMMENDATIONS)
    assert [bar.get_width() for bar in ax.patches] == [3.0, 1.0]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["1. hard", "2. easy"]
    assert ax.yaxis_inverted()
    assert plots.epig_bars(RECOMMENDATIONS[:1], per_cost=True).patches[0].get_width() == 1.5
    with pytest.raises(UsageError, match="no costs"):
        plots.epig_bars(RECOMMENDATIONS, per_cost=True)
    with pytest.raises(UsageError, match="no recommendation"):
        plots.epig_bars(())


def test_epig_bars_of_what_a_model_recommends(posterior: Posterior) -> None:
    best = posterior.condition({"bench_0": 40.0}).recommend(3)
    ax = plots.epig_bars(best)
    assert [bar.get_width() for bar in ax.patches] == [one.gain_nats for one in best]
    assert [text.get_text().split()[1] for text in ax.get_yticklabels()] == [
        one.benchmark_id for one in best
    ]
    assert f"predicted {best[0].median:.3g} " in ax.texts[0].get_text()


def test_benchmarks_and_models_bear_their_display_names() -> None:
    matrix = make_matrix()
    named = replace(matrix, benchmarks=matrix.benchmarks.assign(name=lambda t: "Bench " + t.index))
    posterior = make_posterior(matrix=named)
    ax = plots.profile(posterior.model("model_0").predict())
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert all(label.startswith("Bench bench_") for label in labels)
