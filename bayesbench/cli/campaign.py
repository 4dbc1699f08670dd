"""``bayesbench campaign``: new, next, observe, status, replay."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..progress import bar
from . import values
from .output import Column, Listing, emit, example, format_option, text
from .probes import choice_options, probe_rows, probe_table, read_choice
from .question import Question, posterior_option, prob_option, question_options

if TYPE_CHECKING:
    from ..campaign import Campaign, Proposal, Step

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
)


@click.group(
    invoke_without_command=True,
    epilog=example(
        'bayesbench campaign new run.json --scores "gpqa_diamond=70" --max-probes 5',
        "bayesbench campaign next run.json",
        "bayesbench campaign observe run.json mmlu_pro=75.5",
    ),
)
@click.pass_context
def campaign(ctx: click.Context) -> None:
    """Choose, run and learn from benchmarks one after another; the state is one JSON file.

    The file is whole after every step, whatever happens.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@campaign.command(epilog=example('bayesbench campaign new run.json --scores "gpqa_diamond=70"'))
@click.argument("file")
@question_options
@choice_options
@click.option("--min-gain", type=values.finite, metavar="X", help="Stop when nothing gains more.")
@click.option(
    "--target-width",
    type=values.finite,
    metavar="POINTS",
    help="Stop when the mean interval of the targets is this narrow.",
)
@click.option(
    "--budget", type=values.finite, metavar="X", help="Stop when the rest pays for nothing."
)
@click.option("--max-probes", type=click.IntRange(1), metavar="N", help="Stop after so many.")
@prob_option
@format_option()
def new(
    question: Question,
    file: str,
    min_gain: float | None,
    target_width: float | None,
    budget: float | None,
    max_probes: int | None,
    prob: float,
    output_format: str,
    **choice: Any,
) -> None:
    """Start a campaign in a FILE that does not exist yet, and propose the first benchmark."""
    from ..campaign import Campaign, ModelFacts, StopRules
    from .sources import check_model, honest, load_posterior

    posterior = load_posterior(question.posterior)
    check_model(posterior, question)
    chosen = read_choice(posterior, **choice)
    path = question.posterior
    running = Campaign.new(
        file,
        posterior,
        posterior_path=None if path is None else str(Path(path).resolve()),
        model=ModelFacts(model_id=question.model, **question.facts),
        scores=question.scores,
        targets=chosen.targets,
        candidates=chosen.candidates,
        exclude=chosen.exclude,
        costs=chosen.costs,
        stop=StopRules(min_gain, target_width, budget, max_probes),
        prob=prob,
        seed=question.seed,
        recalibrate=honest(posterior),
    )
    _propose(running, file, 1, output_format)


@campaign.command("next", epilog=example("bayesbench campaign next run.json --k 3"))
@click.argument("file")
@click.option(
    "--k",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="K",
    help="How many, as a batch.",
)
@posterior_option
@format_option()
def next_(file: str, k: int, posterior: str | None, output_format: str) -> None:
    """Say which benchmark to run next, and whether to stop."""
    _propose(_load(file, posterior), file, k, output_format)


@campaign.command(epilog=example("bayesbench campaign observe run.json mmlu_pro=75.5"))
@click.argument("file")
@click.argument("pair", metavar="BENCHMARK=SCORE")
@click.option(
    "--cost", type=values.finite, metavar="X", help="What it did cost, if not as planned."
)
@posterior_option
@format_option()
def observe(
    file: str, pair: str, cost: float | None, posterior: str | None, output_format: str
) -> None:
    """Take in the score of a benchmark that was run; it need not be the one proposed."""
    name, score = values.one_score(pair)
    running = _load(file, posterior)
    row = _step_row(running.observe(name, score, cost))
    document = {"campaign": file, "step": row, "status": _status(running)}
    emit(output_format, document, _step_table(f"Observed in {file}", [row]))


@campaign.command(epilog=example("bayesbench campaign status run.json --format json"))
@click.argument("file")
@posterior_option
@format_option()
def status(file: str, posterior: str | None, output_format: str) -> None:
    """Show the steps so far and where the campaign stands; changes nothing."""
    running = _load(file, posterior)
    _history(running, file, running.state.steps, output_format)


@campaign.command(
    epilog=example('bayesbench campaign replay run.json --scores "mmlu_pro=75.5,ifeval=85"')
)
@click.argument("file")
@click.option(
    "--scores",
    type=values.scores,
    required=True,
    metavar="PAIRS",
    help="Held-out scores the campaign may choose among, or @FILE.csv.",
)
@click.option("--max-steps", type=click.IntRange(1), metavar="N", help="At most so many steps.")
@posterior_option
@format_option()
def replay(
    file: str,
    scores: dict[str, float],
    max_steps: int | None,
    posterior: str | None,
    output_format: str,
) -> None:
    """Let the campaign run itself on known scores it has not seen; FILE stays as it is."""
    running = _load(file, posterior)
    running.path = None  # a rehearsal: nothing is written
    for name in scores:
        running.posterior.transform.index(name)
    limit = len(scores) if max_steps is None else min(max_steps, len(scores))
    steps: list[Step] = []
    with bar("steps") as report:
        while len(steps) < limit:
            taken = running.replay(scores, 1)
            if not taken:
                break
            steps += taken
            if report is not None:
                report(len(steps), limit)
    _history(running, file, tuple(steps), output_format)


def _load(file: str, posterior: str | None) -> Campaign:
    from ..campaign import Campaign, read_state
    from .sources import honest, load_posterior

    path = posterior if posterior is not None else read_state(file).posterior_path
    loaded = load_posterior(path)
    return Campaign.load(file, loaded, honest(loaded))


def _propose(running: Campaign, file: str, k: int, output_format: str) -> None:
    proposal: Proposal = running.propose(k)
    rows = probe_rows(proposal.recommendations)
    document = {"campaign": file, "stop": proposal.stop, "recommendations": rows}
    after = "Go on." if proposal.stop is None else f"Stop: {proposal.stop}."
    emit(output_format, document, probe_table(f"Campaign {file}: run next", rows), after=after)


def _history(running: Campaign, file: str, steps: tuple[Step, ...], output_format: str) -> None:
    rows = [_step_row(step) for step in steps]
    state = _status(running)
    document = {
        "campaign": file,
        "model": running.draws().model_id,
        "status": state,
        "steps": rows,
    }
    spent = f"{state['spent']:g} {running.state.cost_unit or 'probes'}".strip()
    if running.state.costs is not None and not running.state.cost_unit:
        spent = f"{state['spent']:g}"
    after = (
        f"{state['n_known']} scores known at the start, {state['n_steps']} probes observed, "
        f"{state['within']} of them inside their interval; spent {spent}; "
        f"{state['n_targets_left']} targets left, mean interval {state['mean_width']:.3g} points.\n"
        + ("Go on." if state["stop"] is None else f"Stop: {state['stop']}.")
    )
    emit(output_format, document, _step_table(f"Campaign {file}", rows), after=after)


def _status(running: Campaign) -> dict[str, Any]:
    return asdict(running.status())


def _step_row(step: Step) -> dict[str, Any]:
    row = asdict(step)
    return {**row, "inside": step.lower <= step.score <= step.upper}


def _step_table(title: str, rows: list[dict[str, Any]]) -> Listing:
    columns = (
        Column("benchmark_id", "benchmark", text, right=False),
        Column("score", "score"),
        Column("median", "predicted"),
        Column("lower", "lower"),
        Column("upper", "upper"),
        Column("inside", "inside", text, right=False),
        Column("gain_nats", "gain (nats)"),
        Column("cost", "cost"),
    )
    return Listing(title, columns, rows, STEP_FIELDS)
