"""``bayesbench predict``: one model on many benchmarks, or all models on one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from . import completing, values
from .output import Column, Listing, emit, example, format_option, note, number, percent
from .question import Question, prob_option, question_options
from .screen import interval_bar

if TYPE_CHECKING:
    from ..answers.predictive import Target
    from ..front.model import Model
    from ..front.posterior import Posterior
    from ..front.prediction import Prediction
    from ..posterior.stored import StoredPosterior
    from .sources import Answer

__all__ = [
    "FIELDS",
    "predict",
    "predict_document",
    "prediction_sentence",
    "prediction_table",
    "rows_option",
    "shown_rows",
]

FIELDS = ("benchmark_id", "median", "lower", "upper", "sd", "p_within_10", "observed", "score")
MODEL_FIELDS = ("model_id", *FIELDS)
"""Of one benchmark for all models."""
SHOWN = 20
"""Rows of a table, unless more are asked for."""


def rows_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--top --all``; read them with :func:`shown_rows`."""
    options = (
        click.option(
            "--top",
            type=click.IntRange(1),
            metavar="N",
            help=f"Only the first N rows.  [default: {SHOWN} in a table, all in CSV and JSON]",
        ),
        click.option("--all", "all_rows", is_flag=True, help="All rows, in a table too."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def shown_rows(n: int, top: int | None, all_rows: bool, whole: bool) -> int:
    """How many of `n` rows to show; how many more there are is noted on stderr.

    Parameters
    ----------
    n : int
    top : int or None
    all_rows : bool
        What was asked for.
    whole : bool
        Whether all are shown unless `top` is given.

    Raises
    ------
    UsageError
        Both `top` and `all_rows`.
    """
    if top is not None and all_rows:
        raise UsageError("--top shows some rows, --all every one: give one of them")
    if top is None and (all_rows or whole):
        return n
    shown = min(n, SHOWN if top is None else top)
    if shown < n:
        note(f"note: {n - shown} more rows; --all shows them, --top N the first N")
    return shown


@click.command(
    epilog=example(
        'bayesbench predict --scores "gpqa_diamond=70,ifeval=85"',
        'bayesbench predict --scores "gpqa_diamond=70,ifeval=85" --benchmark mmlu_pro',
        "bayesbench predict --benchmark hle --top 10",
    )
)
@question_options
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    callback=values.id_lists,
    metavar="B",
    shell_complete=completing.benchmarks,
    help="Predict these: a,b; may be given several times.  [default: all]",
)
@click.option(
    "--target",
    type=click.Choice(["reading", "mean"]),
    default="reading",
    show_default=True,
    help="Predict a new reading, or the mean over readings, which is not recalibrated.",
)
@rows_option
@prob_option
@format_option()
def predict(
    question: Question,
    benchmarks: tuple[str, ...],
    target: Target,
    top: int | None,
    all_rows: bool,
    prob: float,
    output_format: str,
) -> None:
    """Predict what a model would score, with intervals.

    For a new model from a few scores, or for a fitted one (--model), with further scores or
    without. With nothing but one --benchmark, every fitted model on it, the best first.

    A table shows the benchmarks of --benchmark in their order, else 20: unknown before known, and
    of both those first that most models have been run on. A benchmark whose score is known is
    predicted too - a second reading of it. Bars show interval and median on the benchmark's scale
    (without bounds: on the range of the scores of all models). A narrow screen leaves out sd,
    P(within 10), the bars and the known score, in this order.

    --target mean leaves out the noise that is new in every reading; it needs a posterior of fit
    --readings all.
    """
    from ..front.posterior import open_posterior
    from .sources import answer

    opened = open_posterior(question.posterior)
    plain = output_format != "table"
    if question.empty and question.id is None and len(benchmarks) == 1:
        document = models_document(opened, question.posterior, benchmarks[0], prob, target)
        shown, whole = None, plain
    else:
        found = answer(question, opened)
        document = predict_document(found, benchmarks, prob, target)
        shown, whole = found.model, plain or bool(benchmarks)
    rows = document["predictions"]
    rows = rows[: shown_rows(len(rows), top, all_rows, whole)]
    document |= {"predictions": rows}
    table = (
        models_table(opened, rows, prob, target)
        if shown is None
        else prediction_table(shown, rows, prob, target)
    )
    emit(output_format, document, table, after=document["sentence"])


def predict_document(
    found: Answer, benchmarks: Sequence[str], prob: float, target: Target = "reading"
) -> dict[str, Any]:
    """The answer as JSON; what names were taken for is noted too."""
    from .sources import warned

    keys, taken = order(found.model, benchmarks)
    for line in taken:
        note(f"note: {line}")
    rows = prediction_rows(found.model.predict(keys, target=target), prob)
    return {
        "model": found.model.id,
        "target": target,
        "prob": prob,
        "posterior": found.facts,
        "notes": [*found.model.notes, *taken],
        "warnings": warned(found.model),
        "predictions": rows,
        "sentence": prediction_sentence(found.posterior, rows, prob, target),
    }


def models_document(
    posterior: Posterior, path: str | None, benchmark: str, prob: float, target: Target
) -> dict[str, Any]:
    """The answer as JSON for every fitted model on one benchmark, the best first."""
    from ..front.prediction import Prediction
    from .sources import posterior_facts

    (name,), taken = posterior.matrix.benchmark_names.resolve([benchmark])
    for line in taken:
        note(f"note: {line}")
    made = posterior.predict(benchmark=name, target=target)
    assert isinstance(made, Prediction)
    sign = posterior.transform.sign[posterior.transform.index(name)]
    rows = [
        {"model_id": model, **row}
        for model, row in zip(made.cells.model_ids, prediction_rows(made, prob), strict=True)
    ]
    rows.sort(key=lambda row: (-sign * row["median"], row["model_id"]))
    return {
        "model": None,
        "target": target,
        "prob": prob,
        "posterior": posterior_facts(posterior, path),
        "notes": list(taken),
        "warnings": [],
        "predictions": rows,
        "sentence": prediction_sentence(posterior, rows, prob, target),
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
    """One row per cell with the fields of ``FIELDS``."""
    frame = prediction.to_frame(prob)
    numbers = frame[list(FIELDS[1:-2])].to_numpy(dtype=float).tolist()
    scores = frame["observed"].to_numpy(dtype=float).tolist()
    return [
        dict(zip(FIELDS, (name, *row, *_known(score)), strict=True))
        for name, row, score in zip(frame["benchmark_id"], numbers, scores, strict=True)
    ]


def _known(score: float) -> tuple[bool, float | None]:
    return (False, None) if math.isnan(score) else (True, score)


def prediction_sentence(
    posterior: StoredPosterior,
    rows: Sequence[dict[str, Any]],
    prob: float,
    target: Target = "reading",
) -> str:
    """The answer in words: the one prediction, or the surest and the least sure of several.

    Of models on one benchmark the best. How sure one is, is the width of its interval as a share
    of the scale; benchmarks whose score is known count only where all are known.
    """
    if not rows:
        return "Nothing is predicted."

    def said(row: dict[str, Any], interval: str = "") -> str:
        ends = f"{interval}{number(row['lower'])} to {number(row['upper'])}"
        return f"{number(row['median'])} ({ends})"

    whole, what = f"{percent(prob)} interval ", "mean over readings " if target == "mean" else ""
    if "model_id" in rows[0]:
        first = rows[0]
        return (
            f"{first['model_id']} has the best predicted {what or 'score '}on "
            f"{first['benchmark_id']}: {said(first, whole)}."
        )
    open_ = [row for row in rows if not row["observed"]] or list(rows)
    if len(open_) == 1:
        (one,) = open_
        mean = f"The {what}on " if what else ""
        return (
            f"{mean}{one['benchmark_id']} is predicted at {said(one, whole)}, and within 10 points "
            f"of that with probability {one['p_within_10']:.2f}."
        )
    ordered = sorted(open_, key=lambda row: _share(posterior, row))
    surest, least = ordered[0], ordered[-1]
    return (
        f"Of {len(open_)} benchmarks without a score, {surest['benchmark_id']} is predicted most "
        f"surely, at {said(surest, whole)}, and {least['benchmark_id']} least, at {said(least)}; "
        "by the width of the interval on the scale."
        if not open_[0]["observed"]
        else f"All {len(open_)} scores are known: {surest['benchmark_id']} is predicted most "
        f"surely, at {said(surest, whole)}, and {least['benchmark_id']} least, at {said(least)}."
    )


def _share(posterior: StoredPosterior, row: dict[str, Any]) -> float:
    low, high = _ends(posterior, row)
    return float((row["upper"] - row["lower"]) / (high - low)) if high > low else math.inf


def _ends(posterior: StoredPosterior, row: dict[str, Any]) -> tuple[float, float]:
    """Ends of the scale that a bar shows: its bounds, where it has none the range of all scores.

    The same for every row of a benchmark, so that bars can be compared.
    """
    import numpy as np

    j = posterior.transform.index(row["benchmark_id"])
    low, high = float(posterior.transform.lower[j]), float(posterior.transform.upper[j])
    scores = posterior.matrix.values[:, j]
    return (
        low if math.isfinite(low) else float(np.nanmin(scores)),
        high if math.isfinite(high) else float(np.nanmax(scores)),
    )


def prediction_table(
    model: Model, rows: list[dict[str, Any]], prob: float, target: Target = "reading"
) -> Listing:
    """Rows of predictions as a table."""
    titles = model.posterior.matrix
    whose = "A new model" if model.id == "new" else titles.model_names.title(model.id)
    n = len(model.observed)
    title = f"{whose}, {n} {'score' if n == 1 else 'scores'} known: predictions "
    name = Column("benchmark_id", "benchmark", titles.benchmark_names.title, right=False)
    return _listing(model.posterior, title, name, rows, prob, target, FIELDS)


def models_table(
    posterior: StoredPosterior, rows: list[dict[str, Any]], prob: float, target: Target
) -> Listing:
    """Rows of all models on one benchmark as a table."""
    names = posterior.matrix
    benchmark = names.benchmark_names.title(rows[0]["benchmark_id"])
    title = f"{len(posterior.model_ids)} models on {benchmark}, the best first: predictions "
    name = Column("model_id", "model", names.model_names.title, right=False)
    return _listing(posterior, title, name, rows, prob, target, MODEL_FIELDS)


def _listing(
    posterior: StoredPosterior,
    title: str,
    name: Column,
    rows: list[dict[str, Any]],
    prob: float,
    target: Target,
    fields: Sequence[str],
) -> Listing:
    title += "of the mean over readings with " if target == "mean" else "with "
    title += f"{percent(prob)} intervals"
    known = any(row["observed"] for row in rows)
    drawn = [{**row, "bar": (row, _ends(posterior, row))} for row in rows]
    columns = (
        name,
        Column("median", "median"),
        Column("lower", "lower"),
        Column("upper", "upper"),
        Column("bar", "on its scale", drop=3, drawn=_bar),
        Column("sd", "sd", drop=1),
        Column("p_within_10", "P(within 10)", lambda p: f"{p:.2f}", drop=2),
        *((Column("score", "known score", _score, drop=4),) * known),
    )
    return Listing(title, columns, drawn, fields)


def _bar(value: tuple[dict[str, Any], tuple[float, float]], width: int) -> str:
    row, ends = value
    return interval_bar(row["lower"], row["median"], row["upper"], ends, width)


def _score(value: float | None) -> str:
    return "" if value is None else number(value)
