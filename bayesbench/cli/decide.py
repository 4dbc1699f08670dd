"""``bayesbench decide``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import completing, values
from .output import Column, Listing, emit, example, format_option, note, number, text
from .question import Question, prob_option, question_options

if TYPE_CHECKING:
    from .sources import Answer

__all__ = ["decide", "decide_document"]

FIELDS = (
    "benchmark_id",
    "recommendation",
    "median",
    "lower",
    "upper",
    "prob",
    "tolerance",
    "p_within",
    "excess",
    "expected_loss",
    "cost",
    "break_even",
    "sentence",
)


@click.command(
    epilog=example(
        'bayesbench decide --scores "gpqa_diamond=70,ifeval=85" --benchmark mmlu_pro \\',
        "    --tolerance 3 --cost 50 --price-wrong 200",
    )
)
@question_options
@click.option(
    "--benchmark",
    required=True,
    metavar="B",
    shell_complete=completing.benchmark,
    help="The benchmark in question.",
)
@click.option(
    "--tolerance",
    type=values.finite,
    required=True,
    metavar="POINTS",
    help="How far off a prediction may be.",
)
@click.option("--cost", type=values.finite, required=True, metavar="X", help="Cost of running it.")
@click.option(
    "--loss-per-point",
    type=values.finite,
    default=0.0,
    metavar="X",
    help="Loss for every point beyond the tolerance.",
)
@click.option(
    "--price-wrong",
    type=values.finite,
    default=0.0,
    metavar="X",
    help="Loss of being beyond the tolerance at all.",
)
@prob_option
@format_option()
def decide(
    question: Question,
    benchmark: str,
    tolerance: float,
    cost: float,
    loss_per_point: float,
    price_wrong: float,
    prob: float,
    output_format: str,
) -> None:
    """Decide for one benchmark: run it, or trust its prediction.

    Predicting costs nothing within the tolerance, and beyond it --price-wrong and
    --loss-per-point. Running costs --cost, in the same currency. The cheaper of the two is
    recommended; without either price, the answer is the price from which running pays.
    """
    from .sources import answer

    found = answer(question)
    document = decide_document(
        found,
        benchmark,
        tolerance=tolerance,
        cost=cost,
        loss_per_point=loss_per_point,
        price_wrong=price_wrong,
        prob=prob,
    )
    row, names = document["decision"], found.posterior.matrix.benchmark_names
    columns = (
        Column("benchmark_id", "benchmark", names.title, right=False),
        Column("recommendation", "do", text, right=False),
        Column("median", "median"),
        Column("lower", "lower"),
        Column("upper", "upper"),
        Column("p_within", f"P(within {tolerance:g})", lambda p: f"{p:.2f}"),
        Column("expected_loss", "expected loss", number),
        Column("cost", "cost", number),
        Column("break_even", "break-even", number),
    )
    listing = Listing("Run or predict?", columns, [row], FIELDS)
    emit(output_format, document, listing, after=row["sentence"])


def decide_document(found: Answer, benchmark: str, **amounts: float) -> dict[str, Any]:
    """The answer as JSON, for the amounts of `Model.decide`; what a name was taken for is noted."""
    from .sources import warned

    decision = found.model.decide(benchmark, **amounts)
    _, taken = found.posterior.matrix.benchmark_names.resolve([benchmark])
    for line in taken:
        note(f"note: {line}")
    return {
        "model": found.model.id,
        "posterior": found.facts,
        "notes": [*found.model.notes, *taken],
        "warnings": warned(found.model),
        "decision": {field: getattr(decision, field) for field in FIELDS},
    }
