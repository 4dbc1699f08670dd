"""Where answers come from: the posterior, and the model in question with its notes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesbench.answers.contradictions import MOST_SCORES
from bayesbench.cli.question import Question
from bayesbench.cli.sources import answer, answer_facts, model_of, noted, posterior_facts
from bayesbench.errors import UnknownIdError, UsageError
from bayesbench.front.posterior import BUNDLED, Posterior, open_posterior
from bayesbench.low_rank.facts import ModelFacts
from tests.cli.conftest import Run
from tests.factories import make_posterior, with_calibration

NOT_FITTED = "model 'model_99' was not fitted: it is taken as a new one; nearest fitted: "


def question(**given: Any) -> Question:
    nothing: dict[str, Any] = {
        "posterior": None, "scores": {}, "model": None, "id": None, "facts": ModelFacts(), "seed": 0
    }  # fmt: skip
    return Question(**{**nothing, **given})


@pytest.fixture(scope="module")
def posterior() -> Posterior:
    return make_posterior()


def test_a_new_model_is_that_of_condition(posterior: Posterior) -> None:
    facts = ModelFacts(provider="Beth", reasoning=True)
    found = model_of(posterior, question(scores={"bench_0": 40.0}, facts=facts, id="m", seed=3))
    expected = posterior.condition({"bench_0": 40.0}, facts=facts, id="m", seed=3)
    assert (found.id, found.seed, found.facts) == ("m", 3, facts)
    np.testing.assert_array_equal(found.predict().median, expected.predict().median)
    assert found.notes == ()


def test_a_model_without_a_name_is_called_new(posterior: Posterior) -> None:
    assert model_of(posterior, question(facts=ModelFacts(reasoning=True))).id == "new"


def test_a_fitted_model_is_found_by_any_spelling_and_noted(posterior: Posterior) -> None:
    exact = model_of(posterior, question(model="model_1"))
    spelled = model_of(posterior, question(model="Model 1"))
    assert exact.fitted and exact.notes == ()
    assert spelled.id == "model_1"
    assert spelled.notes == ("'Model 1' is taken for model_1",)
    np.testing.assert_array_equal(exact.predict().median, spelled.predict().median)


def test_a_model_that_was_not_fitted_is_a_new_one_with_a_note(posterior: Posterior) -> None:
    known: list[dict[str, Any]] = [
        {"scores": {"bench_0": 40.0}}, {"facts": ModelFacts(reasoning=False)},
    ]  # fmt: skip
    for given in known:
        found = model_of(posterior, question(model="model_99", **given))
        named = model_of(posterior, question(id="model_99", **given))
        assert found.id == "model_99" and not found.fitted
        assert len(found.notes) == 1 and found.notes[0].startswith(NOT_FITTED)
        assert named.notes == ()
        np.testing.assert_array_equal(found.predict().median, named.predict().median)
    far = model_of(posterior, question(model="zzz", scores={"bench_0": 40.0}))
    assert far.notes == ("model 'zzz' was not fitted: it is taken as a new one",)


def test_a_name_alone_is_no_new_model(posterior: Posterior) -> None:
    with pytest.raises(UnknownIdError, match="unknown model 'model_99'; nearest: model_"):
        model_of(posterior, question(model="model_99"))


@pytest.mark.parametrize(("given", "told"), [
    ({}, "nothing is known of the model"),
    ({"id": "m"}, "nothing is known of the model"),
    ({"model": "model_0", "id": "m"}, "give one of them"),
    ({"id": "model_0", "scores": {"bench_0": 40.0}}, "'model_0' is a fitted model: .* --model"),
    ({"id": "MODEL-0", "scores": {"bench_0": 40.0}}, "'MODEL-0' is a fitted model: .* --model"),
])  # fmt: skip
def test_what_makes_no_question_is_refused(
    posterior: Posterior, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        model_of(posterior, question(**given))


def test_notes_are_lines_on_stderr(
    posterior: Posterior, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = ModelFacts(provider="Bet", params_b=7.0)
    model = model_of(posterior, question(model="model_99", scores={"Bench 0": 40.0}, facts=facts))
    noted(model)
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines() == [f"note: {line}" for line in model.notes]
    first, second, *rest = model.notes
    assert first.startswith(NOT_FITTED) and second == "'Bench 0' is taken for bench_0"
    assert sorted(line.split()[0] for line in rest) == ["params_b", "provider"]


def test_what_is_said_of_the_posterior(posterior: Posterior) -> None:
    plain = posterior_facts(posterior, None)
    assert (plain["file"], plain["method"], plain["verdict"]) == (BUNDLED, "simulated", "pass")
    assert (plain["models"], plain["benchmarks"], plain["draws"]) == (6, 5, 200)
    assert plain["data_hash"] == posterior.matrix.data_hash
    assert (plain["recalibrated"], plain["recalibrated_by"]) == (False, None)
    widened = with_calibration(posterior)
    assert widened.calibration is not None
    by_svi = replace(widened, calibration=replace(widened.calibration, engine="svi"))
    told = posterior_facts(by_svi, "some/file.nc")
    assert (told["file"], told["recalibrated"], told["recalibrated_by"]) == (
        "some/file.nc", True, "svi",
    )  # fmt: skip


def test_standard_errors_are_passed_on(posterior: Posterior) -> None:
    found = model_of(posterior, question(scores={"bench_0": 40.0}, stderr={"bench_0": 3.0}))
    assert found.stderr == {"bench_0": 3.0}


def test_what_is_said_of_the_conditioning(posterior: Posterior) -> None:
    model = model_of(posterior, question(scores={"bench_0": 40.0}))
    facts = answer_facts(model, None)
    assert {**facts, "conditioning": 0} == {**posterior_facts(posterior, None), "conditioning": 0}
    assert facts["conditioning"] == {
        "k_hat": model.latent.k_hat,
        "effective_share": model.latent.effective_share,
        "reweighted": model.latent.reweighted,
        "power": model.latent.power,
    }
    json.dumps(facts, allow_nan=False)


def test_an_answer_is_model_posterior_and_facts(
    posterior_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(question(posterior=str(posterior_file), scores={"Bench 0": 40.0}))
    assert found.model.scores == {"bench_0": 40.0}
    assert found.posterior.model_ids == found.model.posterior.model_ids
    assert found.facts == answer_facts(found.model, str(posterior_file))
    assert capsys.readouterr().err == "note: 'Bench 0' is taken for bench_0\n"


SLIP = "bench_0=0.9,bench_3=0.8"
"""Shares, given for percentages."""


@pytest.mark.parametrize(
    "call",
    [
        ("predict",),
        ("next",),
        ("decide", "--benchmark", "bench_4", "--tolerance", "3", "--cost", "1"),
        ("rank", "model_0", "--benchmark", "bench_4"),
        ("campaign", "new", "FILE"),
    ],
)
def test_scores_that_look_wrong_are_one_note_and_a_field(
    ask: Run, posterior_file: Path, tmp_path: Path, call: tuple[str, ...]
) -> None:
    named = [str(tmp_path / "run.json") if part == "FILE" else part for part in call]
    found = ask(*named, "--scores", SLIP, "--format", "json")
    expected = open_posterior(posterior_file).condition({"bench_0": 0.9, "bench_3": 0.8}).warnings
    assert len(expected) == 2
    lines = [line for line in found.err.splitlines() if "look wrong" in line]
    assert lines == [f"note: {expected.sentence}"]
    answer = found.json()  # exit code 0
    assert expected.sentence in answer["notes"]
    assert [row["benchmark_id"] for row in answer["warnings"]] == [
        one.benchmark_id for one in expected
    ]
    assert {row["corrected"] for row in answer["warnings"]} == {90.0, 80.0}
    assert all(row["sentence"] in expected.sentence for row in answer["warnings"])


def test_a_campaign_warns_of_what_it_observes(ask: Run, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    made = ask("campaign", "new", file, "--scores", "bench_0=50,bench_3=55", "--format", "json")
    assert made.json()["warnings"] == [] and "wrong" not in made.err
    found = run("campaign", "observe", file, "bench_4=0.5", "--format", "json")
    (row,) = found.json()["warnings"]
    assert (row["benchmark_id"], row["reason"]) == ("bench_4", "share")
    assert found.err.count("looks wrong") == 1
    assert run("campaign", "predict", file, "--format", "json").json()["warnings"] == [row]
    assert run("campaign", "undo", file, "--format", "json").json()["warnings"] == []


def test_too_many_scores_to_check_are_said(run: Run, tmp_path: Path) -> None:
    posterior = open_posterior()
    row = posterior.matrix.values[int(np.argmax(posterior.matrix.observed.sum(axis=1)))]
    pairs = zip(posterior.benchmark_ids, row, strict=True)
    given = [f"{name},{score}" for name, score in pairs if np.isfinite(score)][: MOST_SCORES + 1]
    file = tmp_path / "scores.csv"
    file.write_text("benchmark_id,score\n" + "\n".join(given) + "\n")
    answer = run("predict", "--scores", f"@{file}", "--benchmark", "hle", "--format", "json").json()
    assert answer["warnings"] == []
    assert any("not checked against each other" in note for note in answer["notes"])
