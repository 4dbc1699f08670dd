"""What is known of a model: the options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import completing, values

if TYPE_CHECKING:
    from ..low_rank.facts import Covariate, ModelFacts

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
    id : str or None
        Id of a new one.
    facts : ModelFacts
    seed : int
        Of the conditioning.
    stderr : dict of str to float
        Standard errors of scores that have one.
    """

    posterior: str | None
    scores: dict[str, float]
    model: str | None
    id: str | None
    facts: ModelFacts
    seed: int
    stderr: dict[str, float] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Nothing is known of the model."""
        return not self.scores and self.model is None and not self.facts.given


posterior_option = click.option(
    "--posterior",
    metavar="FILE",
    shell_complete=completing.file,
    help="Fitted posterior.  [default: the bundled one]",
)
prob_option = click.option(
    "--prob",
    type=values.probability,
    default=0.9,
    show_default=True,
    metavar="P",
    help="Probability of the intervals.",
)


def _fact_option(name: str, covariate: Covariate) -> Callable[[Any], Any]:
    """The option of one covariate: a switch for a truth, else a value."""
    flag = "--" + name.replace("_", "-")
    if covariate.kind is bool:
        written = f"{flag}/--no-{flag[2:]}"
        return click.option(written, name, default=None, help=covariate.help)
    kind = values.finite if covariate.kind is float else str
    return click.option(flag, name, type=kind, metavar=covariate.metavar, help=covariate.help)


def _scores_or_results(written: str) -> values.Scores | Path:
    """Option type of known scores: pairs, or the path of another tool's results."""
    if "=" in written and not written.startswith("@"):
        return values.scores(written)  # without the importers: a shell that completes is waiting
    from ..scores.importers.reading import results_path

    return results_path(str(written)) or values.scores(written)


def _imported(path: Path, posterior: str | None, model: str | None) -> values.Scores:
    """Scores of one model in another tool's results, by the names of the posterior."""
    from ..front.posterior import open_posterior
    from .file_scores import scores_of

    return scores_of(path, open_posterior(posterior).matrix, model)


def question_options(command: Command) -> Command:
    """Add the options about the model; the command takes them as its first argument."""
    from ..low_rank.facts import COVARIATES, ModelFacts

    @functools.wraps(command)
    def wrapped(
        *,
        scores: values.Scores | Path | None,
        model: str | None,
        id: str | None,
        posterior: str | None,
        seed: int,
        **rest: Any,
    ) -> Any:
        if isinstance(scores, Path):
            scores = _imported(scores, posterior, model or id)
        facts = ModelFacts(**{name: rest.pop(name) for name in ("provider", *COVARIATES)})
        known, errors = scores or values.Scores({}, {})
        return command(Question(posterior, known, model, id, facts, seed, errors), **rest)

    options = (
        click.option(
            "--scores",
            type=_scores_or_results,
            metavar="PAIRS",
            shell_complete=completing.scores,
            help='Known scores, each on its own scale: "gpqa_diamond=70,mmlu_pro=75.5", with a '
            'standard error as in "gpqa_diamond=70+-2", or @FILE.csv with columns '
            "benchmark_id,score and perhaps stderr, or @FILE of results of another tool (see "
            '"bayesbench import").',
        ),
        click.option(
            "--model",
            metavar="ID",
            shell_complete=completing.model,
            help="A fitted model; its own scores count too.",
        ),
        click.option("--id", metavar="ID", help="Id of a new model: its lineage is read from it."),
        click.option("--provider", metavar="NAME", help="Who made the model."),
        *(_fact_option(name, covariate) for name, covariate in COVARIATES.items()),
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
    decorated: Command = wrapped
    for option in reversed(options):
        decorated = option(decorated)
    return decorated
