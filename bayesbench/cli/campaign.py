"""``bayesbench campaign``: new, next, observe, undo, status, predict, replay."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ..progress import bar
from . import completing, values
from .campaign_options import (
    batch_option,
    file_argument,
    given,
    noted,
    paid_option,
    step_table,
    steps_option,
    stop_options,
)
from .joint_campaign import joint
from .next import choice_options, probe_rows, probe_table, read_choice
from .output import Listing, emit, example, format_option
from .predict import (
    order,
    prediction_rows,
    prediction_sentence,
    prediction_table,
    rows_option,
    shown_rows,
)
from .question import Question, posterior_option, prob_option, question_options

if TYPE_CHECKING:
    from ..campaign import Campaign, Step, StopRules

__all__ = ["campaign"]

STEP_FIELDS = (
    "benchmark_id",
    "score",
    "cost",
    "gain_nats",
    "median",
    "lower",
    "upper",
    "inside",
    "corrects",
    "stderr",
)


@click.group(
    invoke_without_command=True,
    epilog=example(
        'bayesbench campaign new run.json --scores "gpqa_diamond=70" --max-probes 5',
        "bayesbench campaign next run.json",
        "bayesbench campaign observe run.json mmlu_pro=75.5",
        "bayesbench campaign predict run.json --benchmark ifeval",
    ),
)
@click.pass_context
def campaign(ctx: click.Context) -> None:
    """Choose, run and learn from benchmarks one after another; the state is one JSON file.

    The file is whole after every step, whatever happens.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


campaign.add_command(joint)


@campaign.command(epilog=example('bayesbench campaign new run.json --scores "gpqa_diamond=70"'))
@file_argument
@question_options
@choice_options
@stop_options
@prob_option
@format_option()
def new(
    question: Question,
    file: str,
    stop: StopRules,
    prob: float,
    output_format: str,
    **choice: Any,
) -> None:
    """Start a campaign in a FILE that does not exist yet, and propose the first benchmark."""
    from ..campaign import Campaign
    from ..front.posterior import open_posterior
    from .sources import model_of

    posterior = open_posterior(question.posterior)
    model = model_of(posterior, question)
    chosen = read_choice(posterior.matrix, **choice)
    running = Campaign.new(
        file,
        model,
        posterior_path=question.posterior,
        targets=chosen.targets,
        candidates=chosen.candidates,
        exclude=chosen.exclude,
        costs=chosen.costs,
        stop=stop,
        prob=prob,
    )
    _propose(running, file, 1, output_format)


@campaign.command("next", epilog=example("bayesbench campaign next run.json --k 3"))
@file_argument
@batch_option
@posterior_option
@format_option()
def next_(file: str, k: int, posterior: str | None, output_format: str) -> None:
    """Say which benchmark to run next, and whether to stop."""
    _propose(_load(file, posterior), file, k, output_format)


@campaign.command(epilog=example("bayesbench campaign observe run.json mmlu_pro=75.5"))
@file_argument
@click.argument("pair", metavar="BENCHMARK=SCORE", shell_complete=completing.scores)
@paid_option
@posterior_option
@format_option()
def observe(
    file: str, pair: str, cost: float | None, posterior: str | None, output_format: str
) -> None:
    """Take in the score of a benchmark that was run; it need not be the one proposed.

    With a standard error as BENCHMARK=SCORE+-ERROR. A benchmark that has a score already is
    corrected; that costs nothing unless --cost is given.
    """
    from .sources import warned

    name, score, stderr = values.one_score(pair)
    running = _load(file, posterior)
    row = _step_row(running.observe(name, score, cost, stderr))
    notes = noted(running.notes)
    document = {
        "campaign": file,
        "step": row,
        "status": _status(running),
        "notes": notes,
        "warnings": warned(running.model),
    }
    table = _step_table(f"Observed in {file}", [row], running)
    emit(output_format, document, table, after=running.status().sentence)


@campaign.command(epilog=example("bayesbench campaign undo run.json --steps 2"))
@file_argument
@steps_option
@posterior_option
@format_option()
def undo(file: str, steps: int, posterior: str | None, output_format: str) -> None:
    """Take back the last observations; a score that one of them corrected stands again."""
    from .sources import warned

    running = _load(file, posterior)
    rows = [_step_row(step) for step in running.undo(steps)]
    notes = noted(running.notes)
    document = {
        "campaign": file,
        "undone": rows,
        "status": _status(running),
        "notes": notes,
        "warnings": warned(running.model),
    }
    table = _step_table(f"Taken back from {file}", rows, running)
    emit(output_format, document, table, after=running.status().sentence)


@campaign.command(epilog=example("bayesbench campaign status run.json --format json"))
@file_argument
@posterior_option
@format_option()
def status(file: str, posterior: str | None, output_format: str) -> None:
    """Show the steps so far and where the campaign stands; changes nothing."""
    running = _load(file, posterior)
    _history(running, file, running.state.steps, output_format)


@campaign.command(epilog=example("bayesbench campaign predict run.json --benchmark mmlu_pro"))
@file_argument
@click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    callback=values.id_lists,
    metavar="B",
    shell_complete=completing.benchmarks,
    help="Predict these: a,b; may be given several times.  [default: all]",
)
@rows_option
@posterior_option
@format_option()
def predict(
    file: str,
    benchmarks: tuple[str, ...],
    top: int | None,
    all_rows: bool,
    posterior: str | None,
    output_format: str,
) -> None:
    """Predict what the model would score given all that has been observed; changes nothing.

    The intervals have the probability the campaign was begun with; rows are shown as by
    "bayesbench predict".
    """
    from .sources import answer_facts, warned

    running = _load(file, posterior)
    model, prob = running.model, running.state.prob
    keys, taken = order(model, benchmarks)
    rows = prediction_rows(model.predict(keys), prob)
    said = prediction_sentence(running.posterior, rows, prob)
    whole = bool(benchmarks) or output_format != "table"
    rows = rows[: shown_rows(len(rows), top, all_rows, whole)]
    document = {
        "campaign": file,
        "model": model.id,
        "prob": prob,
        "posterior": answer_facts(model, posterior or running.state.posterior_path),
        "notes": noted(running.notes, *taken),
        "warnings": warned(model),
        "predictions": rows,
        "sentence": said,
    }
    emit(output_format, document, prediction_table(model, rows, prob), after=said)


@campaign.command(
    epilog=example('bayesbench campaign replay run.json --scores "mmlu_pro=75.5,ifeval=85"')
)
@file_argument
@click.option(
    "--scores",
    type=values.scores,
    required=True,
    metavar="PAIRS",
    shell_complete=completing.scores,
    help="Held-out scores the campaign may choose among, or @FILE.csv.",
)
@click.option("--max-steps", type=click.IntRange(1), metavar="N", help="At most so many steps.")
@posterior_option
@format_option()
def replay(
    file: str,
    scores: values.Scores,
    max_steps: int | None,
    posterior: str | None,
    output_format: str,
) -> None:
    """Let the campaign run itself on known scores it has not seen; FILE stays as it is."""
    from ..campaign import Campaign

    loaded = _load(file, posterior)
    running = Campaign(loaded.posterior, loaded.state)  # a rehearsal: nothing is written
    known, errors = scores
    limit = len(known) if max_steps is None else min(max_steps, len(known))
    steps: list[Step] = []
    with bar("steps") as report:
        while len(steps) < limit:
            taken = running.replay(known, 1, errors)
            if not taken:
                break
            steps += taken
            if report is not None:
                report(len(steps), limit)
    _history(running, file, tuple(steps), output_format)


def _load(file: str, posterior: str | None) -> Campaign:
    from ..campaign import Campaign

    return Campaign.load(file, given(posterior))


def _step_table(title: str, rows: list[dict[str, Any]], running: Campaign) -> Listing:
    return step_table(title, rows, running.posterior.matrix, STEP_FIELDS)


def _propose(running: Campaign, file: str, k: int, output_format: str) -> None:
    from .sources import warned

    proposal = running.propose(k)
    rows = probe_rows(proposal.recommendations)
    document = {
        "campaign": file,
        "stop": proposal.stop,
        "recommendations": rows,
        "notes": noted(running.notes, proposal.recommendations.note),
        "warnings": warned(running.model),
    }
    names = running.posterior.matrix.benchmark_names
    table = probe_table(f"Campaign {file}: run next", rows, names)
    emit(output_format, document, table, after=proposal.sentence)


def _history(running: Campaign, file: str, steps: tuple[Step, ...], output_format: str) -> None:
    from .sources import warned

    rows, now = [_step_row(step) for step in steps], running.status()
    document = {
        "campaign": file,
        "model": running.model.id,
        "status": asdict(now),
        "steps": rows,
        "notes": noted(running.notes),
        "warnings": warned(running.model),
    }
    emit(
        output_format, document, _step_table(f"Campaign {file}", rows, running), after=now.sentence
    )


def _status(running: Campaign) -> dict[str, Any]:
    return asdict(running.status())


def _step_row(step: Step) -> dict[str, Any]:
    row = {**asdict(step), "inside": step.inside}
    return {field: row[field] for field in STEP_FIELDS}
