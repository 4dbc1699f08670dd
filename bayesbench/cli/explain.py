"""``bayesbench explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import completing
from .output import Column, Listing, emit, example, format_option, note
from .question import Question, question_options

if TYPE_CHECKING:
    from .sources import Answer

__all__ = ["explain", "explain_document"]

FIELDS = ("benchmark_id", "score", "shift", "narrower_by")


@click.command(
    epilog=example('bayesbench explain --scores "gpqa_diamond=70,ifeval=85" --benchmark mmlu_pro')
)
@question_options
@click.option(
    "--benchmark",
    required=True,
    metavar="B",
    shell_complete=completing.benchmark,
    help="The prediction in question.",
)
@format_option()
def explain(question: Question, benchmark: str, output_format: str) -> None:
    """Explain a prediction by the scores of --scores, the most telling first.

    Each score is left out in turn: by how much it moves the median, and narrows the interval.
    """
    from .sources import answer

    found = answer(question)
    document = explain_document(found, benchmark)
    names, drivers = found.posterior.matrix.benchmark_names, document["drivers"]
    columns = (
        Column("benchmark_id", "score on", names.title, right=False),
        Column("score", "score"),
        Column("shift", "moves the median by", lambda x: f"{x:+.2f}"),
        Column("narrower_by", "narrows by", lambda x: f"{x:.2f}"),
    )
    title = f"What the prediction of {names.title(document['benchmark_id'])} rests on"
    listing = Listing(title, columns, drivers, FIELDS)
    emit(output_format, document, listing, after=document["sentence"])


def explain_document(found: Answer, benchmark: str) -> dict[str, Any]:
    """The answer as JSON; what a name was taken for is noted too."""
    from .sources import each_left_out, warned

    each_left_out(found.model, "explain")
    (name,), taken = found.posterior.matrix.benchmark_names.resolve([benchmark])
    for line in taken:
        note(f"note: {line}")
    made = found.model.explain(name)
    rows = zip(made.given, made.scores, made.shifts, made.narrower, strict=True)
    return {
        "model": found.model.id,
        "posterior": found.facts,
        "notes": [*found.model.notes, *taken],
        "warnings": warned(found.model),
        "benchmark_id": name,
        "median": made.median,
        "lower": made.lower,
        "upper": made.upper,
        "drivers": [dict(zip(FIELDS, row, strict=True)) for row in rows],
        "sentence": made.sentence,
    }
