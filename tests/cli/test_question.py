"""The options about a model: generated from the registry of covariates, read into a `Question`."""

from __future__ import annotations

from typing import Any

import click
import pytest

from bayesbench.cli.question import Question, prob_option, question_options
from bayesbench.low_rank import facts as registry
from bayesbench.low_rank.facts import COVARIATES, Covariate, ModelFacts

VALUES: dict[type, tuple[str, Any]] = {str: ("2025-03", "2025-03"), float: ("70.5", 70.5)}


def made() -> click.Command:
    @click.command()
    @question_options
    def command(question: Question) -> Question:
        return question

    return command


def asked(*args: str) -> Question:
    found = made().main(list(args), standalone_mode=False)
    assert isinstance(found, Question)
    return found


def flag(name: str, prefix: str = "--") -> str:
    return prefix + name.replace("_", "-")


def test_nothing_given_is_nothing_known() -> None:
    found = asked()
    assert found == Question(None, {}, None, None, ModelFacts(), 0)
    assert found.empty


@pytest.mark.parametrize("name", COVARIATES)
def test_every_covariate_has_its_option(name: str) -> None:
    covariate = COVARIATES[name]
    if covariate.kind is bool:
        answers = {(flag(name),): True, (flag(name, "--no-"),): False}
    else:
        written, value = VALUES[covariate.kind]
        answers = {(flag(name), written): value}
    for args, value in answers.items():
        found = asked(*args)
        assert found.facts == ModelFacts(**{name: value})
        assert getattr(found.facts, name) is value or covariate.kind is not bool
        assert not found.empty  # "no" is knowledge too
    (option,) = (one for one in made().params if one.name == name)
    assert isinstance(option, click.Option)
    assert option.help == covariate.help and option.metavar == (covariate.metavar or None)


def test_a_covariate_of_the_registry_that_is_new_has_an_option(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of it stands in the command line itself."""
    known = {**COVARIATES, "context_k": Covariate(float, float, "Context in thousands.", "K")}
    monkeypatch.setattr(registry, "COVARIATES", known)
    monkeypatch.setattr(registry, "ModelFacts", lambda **given: given)
    command = made()
    found = command.main(["--context-k", "128"], standalone_mode=False)
    assert found.facts == dict.fromkeys(("provider", *COVARIATES)) | {"context_k": 128.0}
    assert "Context in thousands." in command.get_help(click.Context(command))


def test_all_options_together() -> None:
    found = asked(
        "--scores", "a=70,b=75.5", "--id", "new-one", "--provider", "Aleph", "--reasoning",
        "--no-open-weights", "--params-b", "7", "--posterior", "p.nc", "--seed", "9",
    )  # fmt: skip
    facts = ModelFacts(provider="Aleph", reasoning=True, open_weights=False, params_b=7.0)
    assert found == Question("p.nc", {"a": 70.0, "b": 75.5}, None, "new-one", facts, 9)


@pytest.mark.parametrize("args", [("--scores", "a=1"), ("--model", "m"), ("--provider", "P"),
                                  ("--no-reasoning",), ("--params-b", "1")])  # fmt: skip
def test_what_is_something(args: tuple[str, ...]) -> None:
    assert not asked(*args).empty


def test_an_id_a_seed_or_a_posterior_alone_tell_nothing() -> None:
    assert asked("--id", "m", "--seed", "3", "--posterior", "p.nc").empty


def test_the_command_keeps_its_own_options_and_name() -> None:
    @click.command()
    @question_options
    @prob_option
    def command(question: Question, prob: float) -> tuple[Question, float]:
        """Say it."""
        return question, prob

    assert command.name == "command" and command.help == "Say it."
    found, prob = command.main(["--scores", "a=1", "--prob", "0.5"], standalone_mode=False)
    assert (found.scores, prob) == ({"a": 1.0}, 0.5)
    assert command.main([], standalone_mode=False)[1] == 0.9
