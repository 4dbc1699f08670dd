"""``bayesbench check``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .output import Column, Listing, emit, example, format_option, text
from .question import Question, question_options

if TYPE_CHECKING:
    from .sources import Answer

__all__ = ["check", "check_document"]

FIELDS = (
    "benchmark_id",
    "score",
    "median",
    "lower",
    "upper",
    "tail",
    "suspicion",
    "explanation",
    "corrected",
    "sentence",
)


@click.command(epilog=example('bayesbench check --scores "gpqa_diamond=70,ifeval=0.85,hle=12"'))
@question_options
@format_option()
def check(question: Question, output_format: str) -> None:
    """Check the scores of --scores against each other, the most suspicious first.

    Each is predicted from the others; the suspicion is the probability that it is not what it
    says: on another scale, in the other direction, or a gross error.
    """
    from .sources import answer

    found = answer(question)
    document = check_document(found)
    columns = (
        Column("benchmark_id", "benchmark", found.posterior.matrix.benchmark_names.title, False),
        Column("score", "score"),
        Column("median", "expected"),
        Column("lower", "lower"),
        Column("upper", "upper"),
        Column("suspicion", "suspicion"),
        Column("explanation", "likeliest", text, right=False),
        Column("corrected", "corrected"),
    )
    rows = document["surprises"]
    listing = Listing("Each score, predicted from the others", columns, rows, FIELDS)
    emit(output_format, document, listing, after=rows[0]["sentence"])


def check_document(found: Answer) -> dict[str, Any]:
    """The answer as JSON."""
    from .sources import each_left_out, warned

    each_left_out(found.model, "check")
    return {
        "model": found.model.id,
        "posterior": found.facts,
        "notes": list(found.model.notes),
        "warnings": warned(found.model),
        "surprises": [{**asdict(one), "sentence": one.sentence} for one in found.model.surprises()],
    }
