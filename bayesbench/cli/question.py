"""What is known of a model: the options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from . import values

__all__ = ["Question", "posterior_option", "prob_option", "question_options"]

Command = Callable[..., Any]


@dataclass(frozen=True)
class Question:
    """A model and what is known of it; None where it is not.

    Attributes
    ----------
    posterior : str or None
        Path; None is the bundled one.
    scores : dict of str to float
    model : str or None
        Id of a fitted model.
    provider, release_date, reasoning, open_weights
        Facts about the model.
    seed : int
        Of the conditioning.
    """

    posterior: str | None
    scores: dict[str, float]
    model: str | None
    provider: str | None
    release_date: str | None
    reasoning: bool | None
    open_weights: bool | None
    seed: int

    @property
    def facts(self) -> dict[str, Any]:
        """Facts about the model by name."""
        return {
            "provider": self.provider,
            "release_date": self.release_date,
            "reasoning": self.reasoning,
            "open_weights": self.open_weights,
        }

    @property
    def empty(self) -> bool:
        """Nothing is known of the model."""
        return (
            not self.scores
            and self.model is None
            and all(fact is None for fact in self.facts.values())
        )


posterior_option = click.option(
    "--posterior", metavar="FILE", help="Fitted posterior.  [default: the bundled one]"
)
prob_option = click.option(
    "--prob",
    type=values.probability,
    default=0.9,
    show_default=True,
    metavar="P",
    help="Probability of the intervals.",
)
_OPTIONS = (
    click.option(
        "--scores",
        type=values.scores,
        metavar="PAIRS",
        help='Known scores, each on its own scale: "gpqa_diamond=70,mmlu_pro=75.5", or @FILE.csv '
        "with columns benchmark_id,score.",
    ),
    click.option("--model", metavar="ID", help="A fitted model; its own scores count too."),
    click.option("--provider", metavar="NAME", help="Who made the model."),
    click.option("--release-date", metavar="DATE", help="YYYY, YYYY-MM or YYYY-MM-DD."),
    click.option("--reasoning/--no-reasoning", default=None, help="A reasoning model, or not."),
    click.option("--open-weights/--no-open-weights", default=None, help="Open weights, or not."),
    posterior_option,
    click.option(
        "--seed",
        type=values.SEED,
        default=0,
        show_default=True,
        metavar="N",
        help="Seed of the draws.",
    ),
)


def question_options(command: Command) -> Command:
    """Add the options about the model; the command takes them as its first argument."""

    @functools.wraps(command)
    def wrapped(
        *,
        scores: dict[str, float] | None,
        model: str | None,
        provider: str | None,
        release_date: str | None,
        reasoning: bool | None,
        open_weights: bool | None,
        posterior: str | None,
        seed: int,
        **rest: Any,
    ) -> Any:
        question = Question(
            posterior, scores or {}, model, provider, release_date, reasoning, open_weights, seed
        )
        return command(question, **rest)

    decorated: Command = wrapped
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
