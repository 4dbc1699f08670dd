"""A model known by some scores: everything it answers comes from one set of calibrated draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bayesbench.answers.contradictions import contradictions
from bayesbench.errors import AmbiguousIdError, ScoreError, UnknownIdError, UsageError
from bayesbench.front.model import Model
from bayesbench.front.posterior import Posterior, open_posterior
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.posterior.calibration import FEATURES, Calibration, Recalibration
from tests.factories import with_calibration
from tests.front.front_helpers import front_posterior

POSTERIOR = front_posterior()
RAW = front_posterior(None)
GIVEN = {"gpqa": 70.0, "humaneval": 81.0, "arena": 1310.0}


@pytest.fixture(scope="module")
def model() -> Model:
    return POSTERIOR.condition(GIVEN, facts=ModelFacts(reasoning=True), id="fresh")


def refused(ask: Callable[[], object], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        ask()
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_are_resolved_and_noted() -> None:
    spelled = {"GPQA": 70, "Human Eval": "81", "the rating": np.float32(1310)}
    made = POSTERIOR.condition(spelled, id="fresh")
    assert dict(made.scores) == GIVEN
    assert all(type(value) is float for value in made.scores.values())
    assert made.notes == (
        "'GPQA' is taken for gpqa",
        "'Human Eval' is taken for humaneval",
        "'the rating' is taken for arena",
    )
    plain = POSTERIOR.condition(GIVEN, id="fresh")
    assert plain.notes == ()
    np.testing.assert_array_equal(made.latent.eta, plain.latent.eta)


def test_an_alias_of_a_fitted_model_is_that_model() -> None:
    for spelling in ("solo-latest", "s2", "Solo Two"):
        made = POSTERIOR.condition({"exam": 60}, id=spelling)
        assert (made.id, made.fitted) == ("solo-2", True)
        assert made.notes == (f"{spelling!r} is taken for solo-2",)
    assert POSTERIOR.condition({"exam": 60}, id="solo-9").fitted is False
    refused(
        lambda: POSTERIOR.condition({}, id="Duet"), AmbiguousIdError, "may be any of duet-1, duet-2"
    )


def test_scores_that_cannot_be_taken_are_refused_in_one_line() -> None:
    condition = POSTERIOR.condition
    refused(
        lambda: condition({"gpqa": 70, "GPQA": 71}),
        ScoreError,
        "score of 'gpqa' is given twice; give it once",
    )
    refused(
        lambda: condition({"HumanEval+": 70, "humaneval_plus": 70}),
        ScoreError,
        "score of 'humaneval_plus' is given twice",
    )
    for bad in ("seventy", None, [70], float("nan"), float("inf")):
        refused(
            lambda bad=bad: condition({"GPQA": bad}),  # type: ignore[misc]
            ScoreError,
            f"score of 'gpqa' is not a finite number: {bad!r}",
        )
    refused(lambda: condition({"exam": 170}), ScoreError, "score 170 of 'exam' lies outside its")
    refused(lambda: condition({"exams": 70}), UnknownIdError, "unknown benchmark 'exams'; nearest")
    refused(lambda: condition({"quiz": 70}), AmbiguousIdError, "may be any of exam, gpqa")


def test_facts_that_play_no_part_are_noted() -> None:
    facts = ModelFacts(params_b=70, provider="Alef", reasoning=True, open_weights=True)
    assert POSTERIOR.condition(GIVEN, facts=facts).notes == (
        "open_weights plays no part: this posterior was fitted without it",
        "params_b plays no part: this posterior was fitted without it",
        "provider 'Alef' was not fitted, its effect is unknown; nearest: Aleph",
    )
    known = ModelFacts(provider="Beth", release_date="2025", reasoning=False)
    assert POSTERIOR.condition(GIVEN, facts=known).notes == ()
    odd = ModelFacts(provider="Zayin")
    assert POSTERIOR.condition(GIVEN, facts=odd).notes == (
        "provider 'Zayin' was not fitted, its effect is unknown",
    )


def test_unusual_scores_are_noted() -> None:
    rng = np.random.default_rng(0)
    bias = POSTERIOR.draws["benchmark_bias"]
    scattered = bias + rng.normal(0, 8, bias.shape)
    loose = replace(POSTERIOR, draws={**POSTERIOR.draws, "benchmark_bias": scattered})
    (note,) = loose.condition(GIVEN).notes
    assert note.startswith("unusual scores: only ")
    assert "so their weights are held down (to the power 0." in note
    latent = loose.condition(GIVEN).latent
    assert latent.reweighted and 0 < latent.power < 1


def test_facts_beyond_the_fitted_models_are_noted() -> None:
    (note,) = POSTERIOR.condition(GIVEN, facts=ModelFacts(release_date="2035-01")).notes
    assert note.startswith("release date 2035-01 lies ")
    assert note.endswith("years beyond the fitted models; its trend is flattened there")
    (note,) = POSTERIOR.condition(GIVEN, facts=ModelFacts(release_date="1999")).notes
    assert "years before the fitted models" in note


def test_standard_errors_make_a_score_count_less() -> None:
    """Also at the front door: names resolved, kept by `observe`, checked."""
    name = "gpqa"
    exact = POSTERIOR.condition({name: 95.0})
    rough = POSTERIOR.condition({name: 95.0}, stderr={"GPQA": 15.0})
    assert rough.stderr == {name: 15.0}
    none = POSTERIOR.condition({})
    medians = [one.predict()[name].median for one in (none, rough, exact)]
    assert medians == sorted(medians) and medians[0] + 1 < medians[1] < medians[2] - 1
    seen = none.observe(name, 95.0, stderr=15.0)
    np.testing.assert_array_equal(seen.latent.eta, rough.latent.eta)
    assert seen.observe("humaneval", 50.0).stderr == {name: 15.0}
    assert seen.observe(name, 50.0).stderr == {}
    for bad in (-1.0, float("nan"), "many"):
        with pytest.raises(ScoreError, match=r"standard error of 'gpqa' is not a"):
            POSTERIOR.condition({name: 95.0}, stderr={name: bad})  # type: ignore[dict-item]
    with pytest.raises(ScoreError, match="'humaneval', which has no given score"):
        POSTERIOR.condition({name: 95.0}, stderr={"humaneval": 1.0})


def test_facts_and_lineage_count() -> None:
    """An id whose lineage was fitted tells something; an id of none tells nothing."""
    plain = POSTERIOR.condition({}).predict()
    bare, same_line = (POSTERIOR.condition({}, id=name).predict() for name in ("other", "solo-9"))
    reasoning = POSTERIOR.condition({}, id="solo-9", facts=ModelFacts(reasoning=True)).predict()
    level = plain.cells.quantiles[:, 52]
    # without scores the draws are stratified: what differs by chance is small beside the spread
    np.testing.assert_allclose(bare.cells.quantiles[:, 52], level, atol=0.15)
    effect = POSTERIOR.stacked("group_latent").mean(axis=0)
    solo = effect[POSTERIOR.features.group_names.index("lineage:solo")]
    moved = POSTERIOR.stacked("loading").mean(axis=0) * solo[0]
    moved += POSTERIOR.stacked("weights").mean(axis=0) @ solo[1:]
    assert np.abs(moved).max() > 0.2
    np.testing.assert_allclose(same_line.cells.quantiles[:, 52] - level, moved, atol=0.2)
    assert np.abs(reasoning.median - same_line.median).max() > 1
    solo_sd, bare_sd = (one.raw.eta_sd for one in (same_line, bare))
    assert (solo_sd < bare_sd).mean() > 0.5


def test_a_fitted_model_keeps_its_training_scores() -> None:
    fitted = POSTERIOR.condition({"gpqa": 70}, id="solo-1")
    trained = POSTERIOR.matrix.values[0]
    assert fitted.fitted and dict(fitted.scores) == {"gpqa": 70.0}
    expected = {
        name: value
        for name, value in zip(POSTERIOR.benchmark_ids, trained, strict=True)
        if np.isfinite(value)
    }
    assert dict(fitted.observed) == {**expected, "gpqa": 70.0}
    assert fitted.predict()["gpqa"].observed == 70.0


def test_two_new_models_do_not_share_what_each_is_alone_in_not_knowing() -> None:
    """With nothing known of either, their levels differ by about root 2 of the spread of one."""
    a, b = (POSTERIOR.condition({}, id=name) for name in ("a", "b"))
    for kind in ("score", "mu"):
        first, second = (one.score_draws(kind, ["exam"]).values[:, 0] for one in (a, b))
        z, other = POSTERIOR.transform.to_latent([first, second], 6)
        assert abs(np.corrcoef(z, other)[0, 1]) < 0.25
    again = POSTERIOR.condition({}, id="a")
    np.testing.assert_array_equal(a.latent.eta, again.latent.eta)
    assert (POSTERIOR.condition({}, id="a", seed=1).latent.eta != a.latent.eta).any()


def test_what_two_conditioned_models_share_cancels() -> None:
    """Where mostly the benchmark is in doubt, a better model is better for sure."""
    rng = np.random.default_rng(1)
    draws = dict(RAW.draws)
    bias = draws["benchmark_bias"]
    doubt = np.where(np.arange(7) == 6, rng.normal(0, 3, (*bias.shape[:2], 1)), 0)
    groups = draws["scale_group_benchmark"]
    draws |= {name: 0 * draws[name] for name in ("weights", "group_benchmark", "group_latent")}
    draws |= {
        "benchmark_bias": bias + doubt,
        "loading": np.full_like(bias, 0.8),
        "noise_benchmark": np.full_like(bias, 0.15),
        "scale_group_benchmark": np.full_like(groups, 1e-3),
    }
    loose = replace(RAW, draws=draws)
    better, worse = (
        loose.condition({"gpqa": score, "humaneval": score}, id=name)
        for name, score in (("better", 85.0), ("worse", 45.0))
    )
    lower, upper = better.predict()["exam"].interval(0.5)
    assert upper - lower > 40
    assert better.latent.reweighted and worse.latent.reweighted
    shared = np.isin(better.latent.rows, worse.latent.rows).mean()
    assert shared > 0.6 and (better.latent.rows != worse.latent.rows).mean() > 0.5
    # draws that resampling lost are paired with others: a coin each
    gap = better.compare(worse, on=["exam"], kind="mu")
    assert gap.p_better > 0.5 + 0.42 * shared


def test_predict_some_benchmarks(model: Model) -> None:
    part = model.predict(["Errors", "GPQA Diamond"])
    assert part.keys == ("error_rate", "gpqa_diamond")
    refused(lambda: model.predict(["exams"]), UnknownIdError, "unknown benchmark 'exams'")
    refused(lambda: model.predict(["quiz"]), AmbiguousIdError, "may be any of")
    alone = model.score_draws(benchmarks=["Errors"])
    np.testing.assert_allclose(alone.values, part.draws()[:, [0]], rtol=1e-12)
    assert (alone.model_id, alone.benchmark_ids) == ("fresh", ("error_rate",))


def test_everything_is_calibrated(model: Model) -> None:
    """Twice the spread: wider intervals and gaps, less within a tolerance, less sure who leads."""
    raw = RAW.condition(GIVEN, facts=ModelFacts(reasoning=True), id="fresh")
    np.testing.assert_array_equal(raw.latent.eta, model.latent.eta)
    on = ["exam", "gpqa_diamond"]
    for wide, narrow in (
        (model.predict()["exam"].interval(0.8), raw.predict()["exam"].interval(0.8)),
        (model.predict().average(on).interval(0.8), raw.predict().average(on).interval(0.8)),
    ):
        assert np.diff(wide) > 1.4 * np.diff(narrow)
    opted, untaught = model.predict(raw=True), raw.predict()
    np.testing.assert_array_equal(opted.cells.quantiles, untaught.cells.quantiles)
    decided, claimed = (one.decide("exam", tolerance=5, cost=1) for one in (model, raw))
    assert decided.p_within < 0.75 * claimed.p_within
    assert decided.excess > claimed.excess
    gap, sure = (one.compare("lone", on=on) for one in (model, raw))
    assert gap.upper - gap.lower > 1.4 * (sure.upper - sure.lower)
    assert abs(gap.p_better - 0.5) < abs(sure.p_better - 0.5)
    explained, told = (one.explain("exam") for one in (model, raw))
    assert explained.upper - explained.lower > 1.4 * (told.upper - told.lower)
    surprised, odd = ({one.benchmark_id: one for one in made.surprises()} for made in (model, raw))
    for name in GIVEN:
        assert surprised[name].upper - surprised[name].lower > (odd[name].upper - odd[name].lower)
        assert surprised[name].tail > odd[name].tail


def test_the_known_scores_count_whichever_benchmarks_are_asked_for() -> None:
    size = len(FEATURES)
    side = np.append(0.0, np.where(np.array(FEATURES) == "log_model_scores", 10.0, 0.0))
    counting = Recalibration(
        np.zeros(size),
        np.full(size, 10.0),
        np.zeros(1 + size),
        side,
        side,
        np.arange(-49.0, 50) / 25,
    )
    posterior = replace(RAW, calibration=Calibration(counting, counting))
    for id, n in (("fresh", 3), ("solo-1", 7)):  # solo-1 has all but gpqa and humaneval
        made = posterior.condition(GIVEN, id=id)
        assert len(made.observed) == n
        for asked in (None, ["exam"], ["gpqa_diamond", "gpqa"]):
            cells = made.predict(asked).cells
            quarter = [int(np.argmin(np.abs(cells.levels - p))) for p in (0.25, 0.75)]
            # the middle half of the relative errors is 1 to either side
            np.testing.assert_allclose(np.diff(cells.quantiles[:, quarter]), 2 * (n + 1), rtol=1e-6)


def test_a_fitted_model_has_the_calibration_of_fitted_models() -> None:
    posterior = with_calibration(RAW, 2.0, 4.0)
    for id, factor in (("solo-1", 2.0), ("fresh", 4.0)):
        made = posterior.condition(GIVEN, id=id)
        at = [int(np.argmin(np.abs(made.predict().cells.levels - p))) for p in (0.25, 0.75)]
        for asked in (None, ["exam", "gpqa"]):
            wide, narrow = (
                np.diff(made.predict(asked, raw=raw).cells.quantiles[:, at])
                for raw in (False, True)
            )
            np.testing.assert_allclose(wide, factor * narrow, rtol=1e-5)


@pytest.mark.parametrize("kind", ["score", "known", "mu"])
def test_a_gap_is_what_the_draws_of_the_two_predictions_say(model: Model, kind: str) -> None:
    on, weights = ["exam", "Errors", "gpqa"], {"exam": 3, "error_rate": 2, "GPQA": 1}
    other = POSTERIOR.condition({"exam": 55, "gpqa": 66}, id="rival")
    rivals = [("lone", POSTERIOR.predict("lone")), (other, other.predict())]
    for rival, prediction in rivals:
        gap = model.compare(rival, on=on, weights=weights, kind=kind, prob=0.8)
        shares = np.zeros(7)
        shares[[6, 2, 0]] = 3 / 6, -2 / 6, 1 / 6
        mine, its = model.predict().draws(kind) @ shares, prediction.draws(kind) @ shares
        expected = np.quantile(mine - its, [0.5, 0.1, 0.9])
        assert (gap.median, gap.lower, gap.upper) == pytest.approx(expected, abs=1e-9)
        assert gap.p_better == pytest.approx(np.mean(mine > its), abs=1e-9)
        assert gap.benchmarks == ("exam", "error_rate", "gpqa")
        assert len(repr(gap)) < 2000
        assert f"with probability {max(gap.p_better, 1 - gap.p_better):.2f}" in str(gap)


def test_a_gap_on_the_latent_scale_weighs_unlike_scales(model: Model) -> None:
    gap = model.compare("duet-1", on=["arena", "exam"], scale="latent")
    predictions = model.predict(), POSTERIOR.predict("duet-1")
    latent = [POSTERIOR.transform.to_latent(one.draws()) for one in predictions]  # type: ignore[union-attr]
    difference = (latent[0] - latent[1])[:, [3, 6]].mean(axis=1)
    assert gap.median == pytest.approx(np.median(difference))
    assert gap.p_better == pytest.approx(np.mean(difference > 0), abs=0.002)


def test_a_comparison_that_means_nothing_is_refused(model: Model) -> None:
    elsewhere = front_posterior(seed=4).condition(GIVEN, id="rival")
    refused(
        lambda: model.compare(elsewhere, on=["exam"]),
        UsageError,
        "model 'rival' was conditioned on another posterior",
    )
    namesake = POSTERIOR.condition({"exam": 60}, id="fresh")
    refused(
        lambda: model.compare(namesake, on=["exam"]), UsageError, "both models are 'fresh'; give"
    )
    unnamed = POSTERIOR.condition(GIVEN)
    refused(
        lambda: unnamed.compare(POSTERIOR.condition({}), on=["exam"]),
        UsageError,
        "both models are 'new'",
    )
    refused(lambda: model.compare("lone", on="exam"), UsageError, "not the text 'exam'")
    refused(lambda: model.compare("lone", on=[]), UsageError, "at least one benchmark")
    refused(lambda: model.compare("lone", on=["quiz"]), AmbiguousIdError, "may be any of")
    refused(lambda: model.compare("Duet", on=["exam"]), AmbiguousIdError, "may be any of duet-1")
    refused(lambda: model.compare("none", on=["exam"]), UnknownIdError, "unknown model 'none'")
    # a posterior that only learned a recalibration has the same draws
    taught = RAW.condition(GIVEN, id="rival")
    assert 0 <= Posterior.of(RAW).condition({}, id="b").compare(taught, on=["exam"]).p_better <= 1


def test_decide_reads_the_prediction(model: Model) -> None:
    found = model.decide("Exam", tolerance=4, cost=10, price_wrong=1000)
    cell = model.predict()["exam"]
    assert (found.benchmark_id, found.median) == ("exam", pytest.approx(cell.median))
    assert (found.lower, found.upper) == pytest.approx(cell.interval(0.9))
    assert found.p_within == pytest.approx(cell.p_within(4))
    draws = model.predict().draws()[:, 6]
    assert found.p_within == pytest.approx(np.mean(np.abs(draws - cell.median) <= 4), abs=0.003)
    excess = np.maximum(np.abs(draws - cell.median) - 4, 0).mean()
    assert found.excess == pytest.approx(excess, rel=0.01)
    assert found.recommendation == "run"
    assert model.decide("exam", tolerance=4, cost=10).recommendation == "depends"
    refused(
        lambda: model.decide("GPQA", tolerance=4, cost=10),
        UsageError,
        "'gpqa' has a score already: 70; nothing to decide",
    )
    refused(
        lambda: POSTERIOR.model("solo-1").decide("exam", tolerance=4, cost=10),
        UsageError,
        "'exam' has a score already",
    )


def test_explain_is_conditioning_without_each_score(model: Model) -> None:
    found = model.explain("Exam")
    with_all = model.predict()["exam"]
    assert found.median == with_all.median
    assert sorted(found.given) == sorted(GIVEN)
    for name, shift in zip(found.given, found.shifts, strict=True):
        rest = {other: score for other, score in GIVEN.items() if other != name}
        without = POSTERIOR.condition(rest, facts=model.facts, id="fresh").predict()["exam"]
        assert shift == pytest.approx(with_all.median - without.median, abs=1e-9)
    own = model.explain("gpqa")
    assert sorted(own.given) == ["arena", "humaneval"]
    refused(lambda: POSTERIOR.condition({}).explain("exam"), UsageError, "no scores were given")


def test_surprises_are_predictions_from_the_other_scores(model: Model) -> None:
    found = {one.benchmark_id: one for one in model.surprises()}
    assert set(found) == set(GIVEN)
    rest = {name: score for name, score in GIVEN.items() if name != "gpqa"}
    others = POSTERIOR.condition(rest, facts=model.facts, id="fresh").predict()["gpqa"]
    assert found["gpqa"].median == others.median
    assert (found["gpqa"].lower, found["gpqa"].upper) == others.interval(0.9)
    assert all(one.explanation == "as stated" for one in found.values())
    refused(
        lambda: POSTERIOR.condition({"exam": 60}).surprises(), UsageError, "fewer than two scores"
    )


def test_a_share_given_for_a_percentage_is_named() -> None:
    scores = {"GPQA Diamond": 0.7, "mmlu_pro": 75.5, "humaneval": 93, "ifeval": 86}
    first, *others = open_posterior().condition(scores).surprises()
    assert (first.benchmark_id, first.explanation) == ("gpqa_diamond", "a share, not a percentage")
    assert first.corrected == pytest.approx(70) and first.suspicion > 0.9
    assert "likeliest: a share, not a percentage" in repr(first)
    assert {one.explanation for one in others} == {"as stated"}


def test_observe_gives_a_new_model_and_leaves_the_old(model: Model) -> None:
    before = dict(model.scores), model.notes, model.predict().median.copy()
    made = model.observe("Exam", 66)
    assert dict(made.scores) == {**GIVEN, "exam": 66.0}
    assert (made.id, made.facts, made.seed) == (model.id, model.facts, model.seed)
    assert made.notes == ("'Exam' is taken for exam",)
    at_once = POSTERIOR.condition({**GIVEN, "exam": 66}, facts=model.facts, id="fresh")
    np.testing.assert_array_equal(made.predict().median, at_once.predict().median)
    assert (dict(model.scores), model.notes) == before[:2]
    np.testing.assert_array_equal(model.predict().median, before[2])
    with pytest.raises(TypeError):
        model.scores["exam"] = 1.0  # type: ignore[index]


def test_observe_corrects_with_a_note(model: Model) -> None:
    made = model.observe("gpqa", "72.5")  # type: ignore[arg-type]
    assert made.scores["gpqa"] == 72.5 and len(made.scores) == 3
    assert made.notes == ("gpqa: 70 is replaced by 72.5",)
    twice = made.observe("GPQA", 71)
    assert twice.notes == (
        "gpqa: 70 is replaced by 72.5",
        "'GPQA' is taken for gpqa",
        "gpqa: 72.5 is replaced by 71",
    )
    trained = float(POSTERIOR.matrix.values[0, 6])
    fitted = POSTERIOR.model("solo-1").observe("exam", 50)
    assert fitted.notes == (f"exam: {trained:g} is replaced by 50",)
    assert fitted.observed["exam"] == 50.0
    refused(lambda: model.observe("gpqa", "x"), ScoreError, "'gpqa' is not a finite number: 'x'")
    refused(lambda: model.observe("exam", 700), ScoreError, "lies outside its scale")
    refused(lambda: model.observe("quiz", 70), AmbiguousIdError, "may be any of")


def test_a_seed_makes_its_own_draws() -> None:
    medians = [POSTERIOR.condition(GIVEN, seed=seed).predict().median for seed in (0, 0, 1)]
    np.testing.assert_array_equal(medians[0], medians[1])
    assert (medians[0] != medians[2]).any()


def test_reprs_are_short(model: Model) -> None:
    assert repr(model) == (
        "Model fresh (new model, 3 scores known): gpqa=70, humaneval=81, arena=1310; reasoning=True"
    )
    assert repr(POSTERIOR.model("solo-1")).startswith("Model solo-1 (fitted model, 5 scores known)")
    everything = {name: 1200.0 if name == "arena" else 60.0 for name in POSTERIOR.benchmark_ids}
    full = POSTERIOR.condition(everything)
    assert ", ..." in repr(full)
    for shown in (model, full, model.explain("exam"), model.surprises(), model.predict()):
        assert len(repr(shown)) < 2000


def test_scores_that_look_wrong_are_warned_of_and_taken_as_given() -> None:
    slip = POSTERIOR.condition({"gpqa": 0.9, "exam": 0.8})
    assert [one.reason for one in slip.warnings] == ["share", "share"]
    assert slip.notes[-1] == slip.warnings.sentence
    assert slip.scores["gpqa"] == 0.9
    assert slip.warnings == contradictions(POSTERIOR, slip.scores, seed=slip.seed)
    assert not POSTERIOR.condition(GIVEN).warnings
    mended = slip.observe("gpqa", 90).observe("exam", 80)
    assert not mended.warnings and not any("wrong" in note for note in mended.notes)


def test_a_fitted_model_and_facts_take_part_in_warnings() -> None:
    fitted = POSTERIOR.condition({"exam": 1.0}, id="solo-2")
    assert "known scores of solo-2" in fitted.warnings[0].against
    assert not POSTERIOR.model("solo-2").warnings
    told = ModelFacts(reasoning=True)
    alone = POSTERIOR.condition({"exam": 0.8}, facts=told).warnings
    assert alone == contradictions(POSTERIOR, {"exam": 0.8}, facts=told)
