"""Where answers come from: the posterior, and the model in question with its notes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesbench.cli.question import Question
from bayesbench.cli.sources import answer, answer_facts, model_of, noted, posterior_facts
from bayesbench.errors import UnknownIdError, UsageError
from bayesbench.front.posterior import BUNDLED, Posterior
from bayesbench.low_rank.facts import ModelFacts
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
