"""``bayesbench predict``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .output import Column, Listing, emit, example, format_option, percent, text
from .question import Question, prob_option, question_options

if TYPE_CHECKING:
    from .sources import Answer

__all__ = ["predict"]

FIELDS = ("benchmark_id", "median", "lower", "upper", "sd", "p_within_10", "observed")


@click.command(
    epilog=example('bayesbench predict --scores "gpqa_diamond=70,ifeval=85" --benchmark mmlu_pro')
)
@question_options
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    metavar="B",
    help="Predict this benchmark; may be given several times.  [default: all]",
)
@prob_option
@format_option()
def predict(
    question: Question, benchmarks: tuple[str, ...], prob: float, output_format: str
) -> None:
    """Predict what a model would score, with intervals.

    For a new model from a few scores, or for a fitted one (--model), with further scores or
    without. A benchmark whose score is known is predicted too - a second reading of it - and
    marked; without --benchmark these come last, and the most reported benchmarks first.
    """
    from .sources import answer

    found = answer(question)
    rows = prediction_rows(found, prob, order(found, benchmarks))
    document = {
        "model": found.draws.model_id,
        "prob": prob,
        "posterior": found.facts,
        "predictions": rows,
    }
    emit(output_format, document, prediction_table(found, rows, prob))


def order(found: Answer, benchmarks: tuple[str, ...]) -> list[int]:
    """Columns to show: those named, or all - unknown before known, the most reported first."""
    import numpy as np

    from ..scores.ids import id_indices

    if benchmarks:
        return [int(j) for j in id_indices(found.draws.benchmark_ids, benchmarks, "benchmark")]
    known = np.isfinite(found.draws.observed)
    reported = found.posterior.matrix.observed.sum(axis=0)
    return [int(j) for j in np.lexsort((np.asarray(found.draws.benchmark_ids), -reported, known))]


def prediction_rows(found: Answer, prob: float, columns: list[int]) -> list[dict[str, Any]]:
    """One row per benchmark with the fields of ``FIELDS``."""
    import numpy as np

    chosen = found.prediction.take(columns)
    lower, upper = chosen.interval(prob)
    within = chosen.p_within(10.0)
    known = np.isfinite(chosen.observed)
    values = (chosen.benchmark_ids, chosen.median, lower, upper, chosen.sd, within, known)
    return [
        dict(zip(FIELDS, (name, *map(float, numbers[:-1]), bool(numbers[-1])), strict=True))
        for name, *numbers in zip(*values, strict=True)
    ]


def prediction_table(found: Answer, rows: list[dict[str, Any]], prob: float) -> Listing:
    """Rows of predictions as a table."""
    import numpy as np

    n_known = int(np.isfinite(found.draws.observed).sum())
    whose = "A new model" if found.draws.model_id == "new" else found.draws.model_id
    title = f"{whose}, {n_known} scores known: predictions with {percent(prob)} intervals"
    columns = (
        Column("benchmark_id", "benchmark", text, right=False),
        Column("median", "median"),
        Column("lower", "lower"),
        Column("upper", "upper"),
        Column("sd", "sd"),
        Column("p_within_10", "P(within 10)", lambda p: f"{p:.2f}"),
        Column("observed", "known", lambda known: "known" if known else "", right=False),
    )
    return Listing(title, columns, rows, FIELDS)
