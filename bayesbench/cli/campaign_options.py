"""What the commands of a campaign, of one model and of several, have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from . import completing, values
from .output import Column, Listing, note, text

if TYPE_CHECKING:
    from ..front.posterior import Posterior
    from ..scores import ScoreMatrix

__all__ = [
    "batch_option",
    "file_argument",
    "given",
    "noted",
    "paid_option",
    "step_table",
    "steps_option",
    "stop_options",
]

Command = Callable[..., Any]

file_argument = click.argument("file", shell_complete=completing.file)
batch_option = click.option(
    "--k",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="K",
    help="How many, as a batch.",
)
steps_option = click.option(
    "--steps",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many of the last steps.",
)
paid_option = click.option(
    "--cost", type=values.finite, metavar="X", help="What it did cost, if not as planned."
)


def stop_options(command: Command) -> Command:
    """Add the rules by which a campaign stops; the command takes them as ``stop``."""

    @functools.wraps(command)
    def wrapped(
        *args: Any,
        min_gain: float | None,
        target_width: float | None,
        budget: float | None,
        max_probes: int | None,
        **rest: Any,
    ) -> Any:
        from ..campaign import StopRules

        return command(*args, stop=StopRules(min_gain, target_width, budget, max_probes), **rest)

    options = (
        click.option(
            "--min-gain", type=values.finite, metavar="X", help="Stop when nothing gains more."
        ),
        click.option(
            "--target-width",
            type=values.finite,
            metavar="POINTS",
            help="Stop when the mean interval of the targets, of all models, is this narrow.",
        ),
        click.option(
            "--budget",
            type=values.finite,
            metavar="X",
            help="Stop when the rest pays for nothing; without --cost it counts probes.",
        ),
        click.option(
            "--max-probes", type=click.IntRange(1), metavar="N", help="Stop after so many."
        ),
    )
    decorated: Command = wrapped
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def given(posterior: str | None) -> Posterior | None:
    """The posterior of ``--posterior``; None without it: a campaign names its own."""
    from ..front.posterior import open_posterior

    return None if posterior is None else open_posterior(posterior)


def noted(notes: Sequence[str], *more: str) -> list[str]:
    """The notes, each once, printed on stderr."""
    lines = list(dict.fromkeys((*notes, *filter(None, more))))
    for line in lines:
        note(f"note: {line}")
    return lines


def step_table(
    title: str, rows: list[dict[str, Any]], matrix: ScoreMatrix, fields: Sequence[str]
) -> Listing:
    """Steps as a table; with the model of each, where `fields` has it."""
    corrected = any(row["corrects"] is not None for row in rows)
    model = Column("model_id", "model", matrix.model_names.title, right=False)
    columns = (
        *((model,) * ("model_id" in fields)),
        Column("benchmark_id", "benchmark", matrix.benchmark_names.title, right=False),
        Column("score", "score"),
        *((Column("corrects", "instead of"),) * corrected),
        Column("median", "predicted"),
        Column("lower", "lower"),
        Column("upper", "upper"),
        Column("inside", "inside", text, right=False),
        Column("gain_nats", "gain (nats)"),
        Column("cost", "cost"),
    )
    return Listing(title, columns, rows, fields)
