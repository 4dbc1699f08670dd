"""Labelled predictions: found by any spelling, the same whichever way they are asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bayesbench.front.prediction
from bayesbench.answers.joint import LEAST_DRAWS
from bayesbench.answers.predictive import fitted_draws, predictive
from bayesbench.errors import AmbiguousIdError, BayesbenchError, UnknownIdError, UsageError
from bayesbench.front.prediction import CellPrediction, Prediction
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores.ids import Names
from tests.answers.answer_helpers import latent_draws
from tests.factories import make_posterior, make_repeated, with_calibration
from tests.front.front_helpers import front_posterior

POSTERIOR = front_posterior()
RAW = front_posterior(None)
IDS = POSTERIOR.benchmark_ids
PERCENT = ["gpqa", "humaneval", "exam"]


def many(prediction: Prediction | CellPrediction) -> Prediction:
    assert isinstance(prediction, Prediction)
    return prediction


def one(prediction: Prediction | CellPrediction) -> CellPrediction:
    assert isinstance(prediction, CellPrediction)
    return prediction


WHOLE = many(POSTERIOR.predict())
SOLO = many(POSTERIOR.predict("solo-1"))
EXAM = many(POSTERIOR.predict(benchmark="exam"))


@pytest.mark.parametrize(
    ("key", "benchmark_id"),
    [
        ("gpqa", "gpqa"),
        ("GPQA", "gpqa"),
        ("GPQA Diamond", "gpqa_diamond"),
        ("gpqa-diamond", "gpqa_diamond"),
        ("HumanEval", "humaneval"),
        ("HumanEval+", "humaneval_plus"),
        ("The Rating", "arena"),
        ("final", "exam"),
    ],
)
def test_a_benchmark_is_found_by_any_unique_spelling(key: str, benchmark_id: str) -> None:
    assert SOLO[key].benchmark_id == WHOLE["solo-1", key].benchmark_id == benchmark_id
    assert SOLO[key].median == SOLO.median[IDS.index(benchmark_id)]


@pytest.mark.parametrize("key", ["solo-1", "Solo 1", "solo one"])
def test_a_model_is_found_by_any_unique_spelling(key: str) -> None:
    assert EXAM[key].model_id == WHOLE[key, "exam"].model_id == "solo-1"


def test_an_ambiguous_name_is_refused_with_its_candidates() -> None:
    for ask in (lambda: SOLO["quiz"], lambda: WHOLE["solo-1", "Quiz"]):
        with pytest.raises(AmbiguousIdError, match="may be any of exam, gpqa; name one") as caught:
            ask()
        assert caught.value.suggestions == ("exam", "gpqa")
    with pytest.raises(AmbiguousIdError, match="may be any of duet-1, duet-2"):
        EXAM["Duet"]


def test_what_was_not_predicted_is_refused_in_one_line() -> None:
    part = POSTERIOR.model("solo-1").predict(["exam"])
    for ask, kind, text in (
        (lambda: SOLO["exams"], UnknownIdError, "unknown benchmark 'exams'; nearest: exam"),
        (lambda: part["arena"], UsageError, "'solo-1' on 'arena' is not among"),
        (lambda: EXAM["solo-1", "arena"], UsageError, "'solo-1' on 'arena' is not among"),
        (lambda: WHOLE["exam"], UsageError, "ask for (model, 'exam')"),
        (lambda: SOLO["duet-1", "exam"], BayesbenchError, "'duet-1'"),
    ):
        with pytest.raises(kind) as caught:
            ask()
        assert text in str(caught.value) and "\n" not in str(caught.value)


def test_keys_name_what_varies() -> None:
    assert list(SOLO) == list(IDS)
    assert list(EXAM) == list(POSTERIOR.model_ids)
    assert list(WHOLE)[:2] == [("solo-1", "gpqa"), ("solo-1", "gpqa_diamond")]
    assert (len(SOLO), len(EXAM), len(WHOLE)) == (7, 7, 49)
    assert all(WHOLE[key].model_id == key[0] for key in WHOLE)


def same(one_way: np.ndarray, other_way: np.ndarray) -> None:
    """Equal but for the order in which a recalibration's ten slopes are summed up."""
    np.testing.assert_allclose(one_way, other_way, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("raw", [False, True])
def test_a_cell_is_the_same_whichever_way_it_is_asked_for(raw: bool) -> None:
    whole = many(POSTERIOR.predict(raw=raw))
    for i, model_id in enumerate(POSTERIOR.model_ids):
        of_model = many(POSTERIOR.predict(model_id, raw=raw))
        at = slice(7 * i, 7 * i + 7)
        same(of_model.cells.quantiles, whole.cells.quantiles[at])
        same(of_model.draws(), whole.draws()[:, at])
        conditioned = POSTERIOR.condition(id=model_id).predict(raw=raw)
        np.testing.assert_array_equal(conditioned.median, of_model.median)
    for j, benchmark_id in enumerate(IDS):
        on = many(POSTERIOR.predict(benchmark=benchmark_id, raw=raw))
        same(on.cells.quantiles, whole.cells.quantiles[j::7])
        same(on.draws(), whole.draws()[:, j::7])
        cell = one(POSTERIOR.predict("duet-2", benchmark=benchmark_id, raw=raw))
        found = whole["duet-2", benchmark_id]
        same(
            np.array([cell.median, cell.mean, cell.sd, *cell.interval(0.5)]),
            np.array([found.median, found.mean, found.sd, *found.interval(0.5)]),
        )
        assert repr(cell) == repr(found)


def test_a_part_in_any_order_is_the_same() -> None:
    model = POSTERIOR.condition({"exam": 60}, id="fresh")
    whole, part = model.predict(), model.predict(["Arena", "gpqa"])
    assert part.keys == ("arena", "gpqa")
    same(part.cells.quantiles, whole.cells.quantiles[[3, 0]])
    same(part.draws(), whole.draws()[:, [3, 0]])
    alone = model.predict(["exam"])  # the one known score makes it a model with one score
    same(alone.cells.quantiles, whole.cells.quantiles[[6]])
    same(model.predict(["gpqa"]).cells.quantiles, whole.cells.quantiles[[0]])


def test_what_is_printed_is_what_the_draws_say() -> None:
    """4,000 draws at even levels: probabilities are right to a few 1 / 4,000."""
    draws = SOLO.draws()
    assert draws.shape == (LEAST_DRAWS, 7)
    lower, upper = SOLO.interval(0.8)
    within, at_least = SOLO.p_within(10), SOLO.p_at_least(60)
    for j, key in enumerate(SOLO):
        column, cell = draws[:, j], SOLO[key]
        assert np.mean(column < cell.median) == pytest.approx(0.5, abs=0.002)
        assert np.mean(column < lower[j]) == pytest.approx(0.1, abs=0.002)
        assert np.mean(column > upper[j]) == pytest.approx(0.1, abs=0.002)
        assert cell.interval(0.8) == (lower[j], upper[j])
        near = np.abs(column - cell.median) <= 10
        assert np.mean(near) == pytest.approx(within[j], abs=0.003)
        assert np.mean(column >= 60) == pytest.approx(at_least[j], abs=0.003)
        assert cell.p_within(10) == within[j] and cell.p_at_least(60) == at_least[j]
        assert np.mean(column <= cell.quantile(0.3)) == pytest.approx(0.3, abs=0.002)
        assert cell.mean == pytest.approx(column.mean(), abs=0.02 * column.std())
        assert cell.sd == pytest.approx(column.std(), rel=0.02)


def test_observed_scores_stand_beside_the_prediction() -> None:
    values = POSTERIOR.matrix.values
    np.testing.assert_array_equal(WHOLE.to_frame()["observed"], values.ravel())
    assert SOLO["gpqa_diamond"].observed == values[0, 1]
    assert np.isnan(SOLO["gpqa"].observed)


def test_raw_opts_out_of_the_recalibration() -> None:
    for ask in (
        lambda posterior, raw: posterior.predict("solo-1", raw=raw),
        lambda posterior, raw: posterior.predict(benchmark="exam", raw=raw),
        lambda posterior, raw: posterior.predict(raw=raw),
        lambda posterior, raw: posterior.condition({"exam": 60}).predict(raw=raw),
    ):
        calibrated, raw = ask(POSTERIOR, False), ask(POSTERIOR, True)
        untaught = ask(RAW, False)
        assert (calibrated.calibrated, raw.calibrated, untaught.calibrated) == (True, False, False)
        np.testing.assert_array_equal(raw.cells.quantiles, untaught.cells.quantiles)
        np.testing.assert_array_equal(raw.draws(), untaught.draws())
        np.testing.assert_allclose(calibrated.median, raw.median, rtol=1e-6)
        quarter = [int(np.argmin(np.abs(raw.cells.levels - p))) for p in (0.25, 0.75)]
        wide, narrow = (np.diff(x.cells.quantiles[:, quarter]) for x in (calibrated, raw))
        np.testing.assert_allclose(wide, 2 * narrow, rtol=1e-5)


def hand_made(correlation: float, noise: float, sd: float = 0.5) -> Prediction:
    """Three percentages, "a" and "c" with the same link; see `latent_draws`."""
    link = Transform(
        ("a", "b", "c"), ("logit",) * 3, *(np.repeat(x, 3) for x in (0.0, 100.0, 1.0, 0.002)),
        center=np.array([0.0, 0.5, 0.0]), spread=np.ones(3), n_items=np.full(3, np.nan),
    )  # fmt: skip
    latent = replace(
        latent_draws(sd=sd, noise=noise, correlation=correlation, n=LEAST_DRAWS),
        benchmark_ids=("a", "b", "c"),
    )
    made = predictive(latent, link)
    names = Names("model", ("a",)), Names("benchmark", ("a", "b", "c"))
    return Prediction(made, made, False, *names, lambda: [latent])


def test_an_average_of_scores_that_move_together_has_the_average_quantiles() -> None:
    made = hand_made(correlation=1.0, noise=1e-9)
    average = made.average(["a", "b"], [3.0, 1.0])
    for prob in (0.5, 0.9):
        ends = [made[key].interval(prob) for key in ("a", "b")]
        assert average.interval(prob) == pytest.approx(
            (0.75 * ends[0][0] + 0.25 * ends[1][0], 0.75 * ends[0][1] + 0.25 * ends[1][1]), abs=0.05
        )
    assert average.median == pytest.approx(0.75 * made["a"].median + 0.25 * made["b"].median, 1e-3)


def test_an_average_of_scores_that_move_apart_is_surer_than_each() -> None:
    made = hand_made(correlation=0.0, noise=0.2, sd=0.1)
    sds = np.array([made[key].sd for key in ("a", "c")])
    average = made.average(["a", "c"])
    # 4,000 draws: the correlation by chance has standard error 0.016, so the sd 0.8 %
    assert average.draws.std() == pytest.approx(np.sqrt((sds**2).sum()) / 2, rel=0.03)


@pytest.mark.parametrize("kind", ["score", "known", "mu"])
def test_an_average_is_the_weighted_mean_of_the_draws(kind: str) -> None:
    for prediction, keys in (
        (SOLO, PERCENT),
        (EXAM, ["duet-1", "lone", "Solo One"]),
        (WHOLE, [("lone", "exam"), ("solo-1", "gpqa"), ("lone", "humaneval")]),
    ):
        at = [prediction._at(key) for key in keys]
        expected = prediction.draws(kind)[:, at] @ np.array([0.5, 0.3, 0.2])
        for weights in ([5, 3, 2], dict(zip(keys, (0.5, 0.3, 0.2), strict=True))):
            found = prediction.average(keys, weights, kind=kind)
            np.testing.assert_allclose(found.draws, expected, rtol=1e-12)
        assert found.median == np.median(found.draws)
        assert found.mean == found.draws.mean()
        assert found.interval(0.8) == pytest.approx(np.quantile(found.draws, [0.1, 0.9]))
        assert found.p_at_least(50) == np.mean(found.draws >= 50)
        equal = prediction.average(keys, kind=kind).draws
        np.testing.assert_allclose(equal, prediction.draws(kind)[:, at].mean(axis=1))
    assert many(EXAM).average().draws == pytest.approx(EXAM.draws().mean(axis=1))


def test_known_scores_count_as_they_are() -> None:
    known = ["gpqa_diamond", "exam"]
    average = SOLO.average(known, kind="known")
    assert average.draws.std() == pytest.approx(0, abs=1e-9)
    assert average.median == pytest.approx(np.mean([SOLO[key].observed for key in known]))
    assert SOLO.average(known).draws.std() > 0.1


def test_the_average_is_calibrated() -> None:
    raw = many(RAW.predict("solo-1"))
    wide, narrow = (
        np.subtract(*one_of.average(PERCENT).interval(0.8)[::-1]) for one_of in (SOLO, raw)
    )
    assert wide > 1.4 * narrow


def test_an_average_that_means_nothing_is_refused() -> None:
    for ask, text in (
        (lambda: SOLO.average(["exam", "arena"]), "different scales have no average"),
        (lambda: SOLO.average(), "different scales have no average"),
        (lambda: SOLO.average([]), "at least one benchmark"),
        (lambda: SOLO.average(PERCENT, [1, 2]), "3 scores to average, 2 weights"),
        (lambda: SOLO.average(PERCENT, [1, -2, 3]), "weights must be 0 or more"),
        (lambda: SOLO.average(PERCENT, [0, 0, 0]), "one of them above 0"),
        (lambda: SOLO.average(PERCENT, [1, float("nan"), 3]), "weights must be 0 or more"),
        (lambda: SOLO.average(PERCENT, {"arena": 1}), "weight of 'arena': it is not averaged"),
        (lambda: SOLO.average(["quiz"]), "may be any of exam, gpqa"),
        (lambda: SOLO.average(PERCENT).interval(1.0), "must lie in (0, 1), got 1"),
    ):
        with pytest.raises(UsageError) as caught:
            ask()
        assert text in str(caught.value) and "\n" not in str(caught.value)
    rating = SOLO.average(["arena"])
    assert rating.name == "arena"
    assert rating.median == pytest.approx(SOLO["arena"].median, rel=1e-3)


def test_draws_that_do_not_fit_into_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bayesbench.front.prediction, "MOST_NUMBERS", 7 * LEAST_DRAWS)
    assert SOLO.draws().size == 7 * LEAST_DRAWS
    with pytest.raises(UsageError, match="joint draws of 49 cells do not fit into memory"):
        WHOLE.draws()
    assert WHOLE.average([("solo-1", "exam"), ("lone", "exam")]).draws.size == LEAST_DRAWS


def test_a_table_has_one_row_per_cell() -> None:
    frame = WHOLE.to_frame(prob=0.5)
    assert list(frame.columns) == [
        "model_id", "benchmark_id", "median", "lower", "upper", "sd", "p_within_10", "observed",
    ]  # fmt: skip
    assert len(frame) == 49
    row = frame[(frame["model_id"] == "lone") & (frame["benchmark_id"] == "exam")].iloc[0]
    cell = WHOLE["lone", "exam"]
    for column, value in (("median", cell.median), ("sd", cell.sd)):
        assert row[column] == pytest.approx(value)
    assert row["p_within_10"] == pytest.approx(cell.p_within(10))
    assert (row["lower"], row["upper"]) == pytest.approx(cell.interval(0.5))


def test_reprs_are_short_and_say_what_they_are() -> None:
    assert repr(SOLO).startswith(
        "Prediction of solo-1 on 7 benchmarks, 90 % intervals, calibrated\n  gpqa: "
    )
    assert repr(WHOLE).startswith("Prediction of 7 models on 7 benchmarks, 90 % intervals")
    assert "\n  solo-1 on gpqa: " in repr(WHOLE) and repr(WHOLE).endswith("\n  ... 41 more")
    assert repr(many(RAW.predict(benchmark="exam"))).startswith(
        "Prediction of 7 models on exam, 90 % intervals, not recalibrated\n  solo-1: "
    )
    low, high = SOLO["exam"].interval(0.9)
    expected = f"{SOLO['exam'].median:.1f} (90 % interval {low:.1f} to {high:.1f})"
    assert repr(SOLO["exam"]) == f"solo-1 on exam: {expected}"
    average = SOLO.average(PERCENT)
    assert repr(average).startswith("average of 3 scores: ")
    for shown in (SOLO, WHOLE, EXAM, SOLO["exam"], average):
        assert len(repr(shown)) < 2000


def test_a_mean_over_readings_is_narrower_by_the_noise_that_is_new_in_each() -> None:
    """Every draw alike and normal noise: eta -+ 1.645 sigma, through the link, for the mean."""
    spec = ModelSpec(rank=2, readings="all", student_t=False)
    made = make_posterior(spec=spec, matrix=make_repeated())
    same = {name: np.broadcast_to(each[:1, :1], each.shape) for name, each in made.draws.items()}
    posterior = with_calibration(replace(made, draws=same))
    link, column = posterior.transform, np.arange(5)
    eta = fitted_draws(posterior, "model_2").eta[0].astype(np.float64)
    noise = posterior.stacked("noise_benchmark")[0] * posterior.stacked("noise_model")[0, 2]
    for target, sigma in (
        ("mean", noise),
        ("reading", np.sqrt(noise.astype(np.float64) ** 2 + posterior.reporting)),
    ):
        found = many(posterior.predict("model_2", raw=target == "reading", target=target))  # type: ignore[arg-type]
        ends = np.sort([link.to_score(eta + side * 1.6449 * sigma, column) for side in (-1, 1)], 0)
        np.testing.assert_allclose(found.interval(0.9), ends, rtol=2e-3)
        np.testing.assert_allclose(found.median, link.to_score(eta, column), rtol=2e-3)
        assert (found.target, found.calibrated) == (target, False)
    whole = many(posterior.predict(target="mean"))
    np.testing.assert_allclose(whole.median[10:15], many(posterior.predict("model_2")).median, 1e-3)


def test_a_mean_says_so_and_its_draws_are_its_own() -> None:
    posterior = with_calibration(
        make_posterior(spec=ModelSpec(rank=2, readings="all"), matrix=make_repeated())
    )
    model = posterior.condition({"bench_0": 60.0}, id="fresh")
    mean, reading = model.predict(target="mean"), model.predict()
    assert (mean.target, reading.target) == ("mean", "reading")
    assert (mean.calibrated, reading.calibrated) == (False, True)
    assert repr(mean).startswith("Prediction of the mean over readings of fresh on 5 benchmarks")
    assert "not recalibrated" in repr(mean) and "mean over readings" in repr(mean["bench_3"])
    draws = mean.draws()
    np.testing.assert_allclose(np.quantile(draws, 0.05, axis=0), mean.interval(0.9)[0], rtol=5e-3)
    some = model.predict(["bench_3", "bench_1"], target="mean")
    assert some["bench_3"].interval(0.9) == mean["bench_3"].interval(0.9)
    np.testing.assert_array_equal(some.draws()[:, 0], draws[:, 3])
    np.testing.assert_allclose(
        np.median(mean.average(["bench_3", "bench_4"]).draws), np.median(draws[:, 3:].mean(1))
    )
    for refuse in (
        lambda: mean.draws("known"),
        lambda: mean.average(["bench_3"], kind="known"),
    ):
        with pytest.raises(UsageError, match="a known score is a reading"):
            refuse()
    for refuse in (
        lambda: RAW.predict(target="mean"),
        lambda: RAW.model("solo-1").predict(target="mean"),
    ):
        with pytest.raises(UsageError, match="fit with --readings all"):
            refuse()
