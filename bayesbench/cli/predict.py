"""``bayesbench predict``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from . import values
from .output import Column, Listing, emit, example, format_option, note, percent
from .question import Question, prob_option, question_options

if TYPE_CHECKING:
    from ..answers.predictive import Target
    from ..front.model import Model
    from ..front.prediction import Prediction
    from .sources import Answer

__all__ = ["predict", "predict_document"]

FIELDS = ("benchmark_id", "median", "lower", "upper", "sd", "p_within_10", "observed")


@click.command(
    epilog=example('bayesbench predict --scores "gpqa_diamond=70,ifeval=85" --benchmark mmlu_pro')
)
@question_options
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    callback=values.id_lists,
    metavar="B",
    help="Predict these: a,b; may be given several times.  [default: all]",
)
@click.option(
    "--target",
    type=click.Choice(["reading", "mean"]),
    default="reading",
    show_default=True,
    help="Predict a new reading, or the mean over readings, which is not recalibrated.",
)
@prob_option
@format_option()
def predict(
    question: Question,
    benchmarks: tuple[str, ...],
    target: Target,
    prob: float,
    output_format: str,
) -> None:
    """Predict what a model would score, with intervals.

    For a new model from a few scores, or for a fitted one (--model), with further scores or
    without. A benchmark whose score is known is predicted too - a second reading of it - and
    marked; without --benchmark these come last, and the most reported benchmarks first.
    --target mean leaves out the noise that is new in every reading; it needs a posterior of
    fit --readings all.
    """
    from .sources import answer

    found = answer(question)
    document = predict_document(found, benchmarks, prob, target)
    rows = document["predictions"]
    emit(output_format, document, prediction_table(found.model, rows, prob, target))


def predict_document(
    found: Answer, benchmarks: Sequence[str], prob: float, target: Target = "reading"
) -> dict[str, Any]:
    """The answer as JSON; what names were taken for is noted too."""
    from .sources import warned

    keys, taken = order(found.model, benchmarks)
    for line in taken:
        note(f"note: {line}")
    return {
        "model": found.model.id,
        "target": target,
        "prob": prob,
        "posterior": found.facts,
        "notes": [*found.model.notes, *taken],
        "warnings": warned(found.model),
        "predictions": prediction_rows(found.model.predict(keys, target=target), prob),
    }


def order(model: Model, benchmarks: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Benchmarks to show, and what their names were taken for.

    Those named, or all: unknown before known, the most reported first.
    """
    import numpy as np

    names = model.posterior.benchmark_ids
    if benchmarks:
        found, taken = model.posterior.matrix.benchmark_names.resolve(benchmarks)
        twice = [name for name in found if found.count(name) > 1]
        if twice:
            raise UsageError(f"benchmark {twice[0]!r} is named twice")
        return list(found), taken
    known = np.isfinite(model.latent.observed)
    reported = model.posterior.matrix.observed.sum(axis=0)
    return [names[int(j)] for j in np.lexsort((np.asarray(names), -reported, known))], ()


def prediction_rows(prediction: Prediction, prob: float) -> list[dict[str, Any]]:
    """One row per benchmark with the fields of ``FIELDS``."""
    import numpy as np

    frame = prediction.to_frame(prob)
    known = np.isfinite(frame["observed"].to_numpy())
    numbers = frame[list(FIELDS[1:-1])].to_numpy(dtype=float).tolist()
    return [
        dict(zip(FIELDS, (name, *row, bool(seen)), strict=True))
        for name, row, seen in zip(frame["benchmark_id"], numbers, known, strict=True)
    ]


def prediction_table(
    model: Model, rows: list[dict[str, Any]], prob: float, target: Target = "reading"
) -> Listing:
    """Rows of predictions as a table."""
    titles = model.posterior.matrix
    whose = "A new model" if model.id == "new" else titles.model_names.title(model.id)
    title = f"{whose}, {len(model.observed)} scores known: predictions "
    title += "of the mean over readings with " if target == "mean" else "with "
    title += f"{percent(prob)} intervals"
    columns = (
        Column("benchmark_id", "benchmark", titles.benchmark_names.title, right=False),
        Column("median", "median"),
        Column("lower", "lower"),
        Column("upper", "upper"),
        Column("sd", "sd"),
        Column("p_within_10", "P(within 10)", lambda p: f"{p:.2f}"),
        Column("observed", "known", lambda known: "known" if known else "", right=False),
    )
    return Listing(title, columns, rows, FIELDS)
