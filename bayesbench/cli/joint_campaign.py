"""``bayesbench campaign joint``: several models under one budget."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
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
from .next import choice_options, read_choice
from .output import Column, Listing, emit, example, format_option, text
from .question import posterior_option, prob_option

if TYPE_CHECKING:
    from ..campaign import JointCampaign, JointProposal, StopRules, Taken
    from ..front.model import Model
    from ..front.posterior import Posterior

__all__ = ["joint"]

RUN_FIELDS = (
    *("model_id", "benchmark_id", "worth", "gain_nats", "cost", "gain_per_cost"),
    *("median", "lower", "upper", "width_reduction"),
)
STEP_FIELDS = (
    *("model_id", "benchmark_id", "score", "cost", "gain_nats", "median", "lower", "upper"),
    *("inside", "corrects", "stderr"),
)
MODEL_FIELDS = ("model_id", "n_known", "n_steps", "spent", "mean_width", "n_targets_left")


@click.group(
    invoke_without_command=True,
    epilog=example(
        "bayesbench campaign joint new all.json --model MODEL_A,MODEL_B --budget 5",
        "bayesbench campaign joint observe all.json MODEL_A mmlu_pro=75.5",
        "bayesbench campaign joint next all.json --k 3",
    ),
)
@click.pass_context
def joint(ctx: click.Context) -> None:
    """Several models under one budget: which model to run on which benchmark next."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@joint.command(
    epilog=example('bayesbench campaign joint new all.json --known "mine: gpqa_diamond=70"')
)
@file_argument
@click.option(
    "--model",
    "models",
    multiple=True,
    callback=values.id_lists,
    metavar="IDS",
    shell_complete=completing.models,
    help="Fitted models: a,b; may be given several times.",
)
@click.option(
    "--known",
    multiple=True,
    metavar='"ID: PAIRS"',
    help='A new model with its scores: "mine: gpqa_diamond=70,mmlu_pro=75.5", or "mine: @FILE"; '
    "may be given several times.",
)
@choice_options
@stop_options
@prob_option
@click.option(
    "--seed", type=values.SEED, default=0, show_default=True, metavar="N", help="Of the draws."
)
@posterior_option
@format_option()
def new(
    file: str,
    models: tuple[str, ...],
    known: tuple[str, ...],
    stop: StopRules,
    prob: float,
    seed: int,
    posterior: str | None,
    output_format: str,
    **choice: Any,
) -> None:
    """Start a campaign in a FILE that does not exist yet, and propose the first run."""
    from ..campaign import JointCampaign
    from ..front.posterior import open_posterior

    opened = open_posterior(posterior)
    if not models and not known:
        raise UsageError("name the models: --model ID for fitted ones, --known for new ones")
    chosen = read_choice(opened.matrix, **choice)
    running = JointCampaign.new(
        file,
        [*(opened.condition(id=_fitted(opened, name), seed=seed) for name in models),
         *(_new(opened, written, seed) for written in known)],
        posterior_path=posterior,
        targets=chosen.targets,
        candidates=chosen.candidates,
        exclude=chosen.exclude,
        costs=chosen.costs,
        stop=stop,
        prob=prob,
    )  # fmt: skip
    _proposed(running, file, running.propose(), output_format)


def _fitted(posterior: Posterior, name: str) -> str:
    return posterior.matrix.model_names.find(name)


def _new(posterior: Posterior, written: str, seed: int) -> Model:
    """A model from ``ID: PAIRS``."""
    name, colon, pairs = (part.strip() for part in written.partition(":"))
    if not (colon and name and pairs):
        raise UsageError(f'--known {written!r} is not "ID: PAIRS"; write "mine: gpqa_diamond=70"')
    scores, stderr = values.scores(pairs)
    return posterior.condition(scores, stderr=stderr, id=name, seed=seed)


@joint.command("next", epilog=example("bayesbench campaign joint next all.json --k 3"))
@file_argument
@batch_option
@posterior_option
@format_option()
def next_(file: str, k: int, posterior: str | None, output_format: str) -> None:
    """Say which model to run on which benchmark next, and whether to stop."""
    running = _load(file, posterior)
    _proposed(running, file, running.propose(k), output_format)


@joint.command(epilog=example("bayesbench campaign joint observe all.json MODEL_A mmlu_pro=75.5"))
@file_argument
@click.argument("model", shell_complete=completing.campaign_model)
@click.argument("pair", metavar="BENCHMARK=SCORE", shell_complete=completing.scores)
@paid_option
@posterior_option
@format_option()
def observe(
    file: str, model: str, pair: str, cost: float | None, posterior: str | None, output_format: str
) -> None:
    """Take in the score of a run; it need not be the one proposed.

    With a standard error as BENCHMARK=SCORE+-ERROR. A score there is already is corrected.
    """
    name, score, stderr = values.one_score(pair)
    running = _load(file, posterior)
    row = _step_row(running.observe(model, name, score, cost, stderr))
    document = {
        "campaign": file,
        "step": row,
        "status": _status(running),
        "notes": noted(running.notes),
    }
    table = _step_table(f"Observed in {file}", [row], running)
    emit(output_format, document, table, after=running.status().sentence)


@joint.command(epilog=example("bayesbench campaign joint undo all.json --steps 2"))
@file_argument
@steps_option
@posterior_option
@format_option()
def undo(file: str, steps: int, posterior: str | None, output_format: str) -> None:
    """Take back the last observations; a score that one of them corrected stands again."""
    running = _load(file, posterior)
    rows = [_step_row(one) for one in running.undo(steps)]
    document = {
        "campaign": file,
        "undone": rows,
        "status": _status(running),
        "notes": noted(running.notes),
    }
    table = _step_table(f"Taken back from {file}", rows, running)
    emit(output_format, document, table, after=running.status().sentence)


@joint.command(epilog=example("bayesbench campaign joint status all.json --format json"))
@file_argument
@posterior_option
@format_option()
def status(file: str, posterior: str | None, output_format: str) -> None:
    """Show the steps so far and where each model stands; changes nothing."""
    running = _load(file, posterior)
    now, rows = _status(running), [_step_row(one) for one in running.steps]
    document = {"campaign": file, "status": now, "steps": rows, "notes": noted(running.notes)}
    columns = (
        Column("model_id", "model", running.posterior.matrix.model_names.title, right=False),
        Column("n_known", "known", text),
        Column("n_steps", "steps", text),
        Column("spent", "spent"),
        Column("n_targets_left", "targets left", text),
        Column("mean_width", "mean interval"),
    )
    emit(
        output_format,
        document,
        _step_table(f"Campaign {file}", rows, running),
        Listing("Models", columns, now["models"], MODEL_FIELDS),
        after=running.status().sentence,
    )


def _load(file: str, posterior: str | None) -> JointCampaign:
    from ..campaign import JointCampaign

    return JointCampaign.load(file, given(posterior))


def _proposed(
    running: JointCampaign, file: str, proposal: JointProposal, output_format: str
) -> None:
    rows = []
    for run in proposal.runs:
        row = {"model_id": run.model_id, "worth": run.worth, **asdict(run.recommendation)}
        rows.append({field: row[field] for field in RUN_FIELDS})
    document = {
        "campaign": file,
        "stop": proposal.stop,
        "runs": rows,
        "notes": noted(running.notes),
    }
    names = running.posterior.matrix
    columns = (
        Column("model_id", "model", names.model_names.title, right=False),
        Column("benchmark_id", "benchmark", names.benchmark_names.title, right=False),
        Column("gain_nats", "gain (nats)"),
        Column("cost", "cost"),
        Column("worth", "worth"),
        Column("median", "predicted"),
        Column("lower", "lower"),
        Column("upper", "upper"),
    )
    table = Listing(f"Campaign {file}: run next", columns, rows, RUN_FIELDS)
    emit(output_format, document, table, after=proposal.sentence)


def _status(running: JointCampaign) -> dict[str, Any]:
    now = running.status()
    models = [{"model_id": name, **asdict(one)} for name, one in now.models.items()]
    kept = [{field: row[field] for field in MODEL_FIELDS} for row in models]
    return {**asdict(now), "models": kept}


def _step_row(taken: Taken) -> dict[str, Any]:
    row = {"model_id": taken.model_id, **asdict(taken.step), "inside": taken.step.inside}
    return {field: row[field] for field in STEP_FIELDS}


def _step_table(title: str, rows: list[dict[str, Any]], running: JointCampaign) -> Listing:
    return step_table(title, rows, running.posterior.matrix, STEP_FIELDS)
