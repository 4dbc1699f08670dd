"""``bayesbench items next``, and campaigns over items: ``new, observe, undo, status``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from . import completing, values
from .item_options import (
    CHOSEN_FIELDS,
    bank_option,
    benchmark_option,
    chosen_rows,
    given_option,
    macro_option,
    opened,
    quota_option,
    quotas_of,
    read_known,
    told,
)
from .output import Column, Listing, emit, example, format_option, percent, text

if TYPE_CHECKING:
    from ..items.item_campaign import ItemCampaign, ItemStatus
    from ..items.item_state import Answer, ItemStep
    from ..items.responses import ItemResponses

__all__ = ["new", "next_", "observe", "status", "undo"]

STEP_FIELDS = (
    "item_id", "benchmark_id", "correct", "n", "probability", "cost", "corrected", "corrected_n",
)  # fmt: skip

campaign_option = click.option(
    "--campaign",
    metavar="FILE",
    shell_complete=completing.file,
    required=True,
    help="File of the item campaign.",
)
form_option = click.option(
    "--form",
    type=click.Choice(("long", "npz", "lm-eval", "inspect", "every-eval-ever")),
    help="Of the answers.  [default: as name and columns say]",
)
metric_option = click.option(
    "--metric", metavar="NAME", help="Which counts, for samples of other tools."
)
cost_option = click.option(
    "--cost",
    metavar="FILE",
    shell_complete=completing.file,
    help="Gain per cost: a table item_id,cost[,unit]; others stay out.",
)
n_option = click.option(
    "--n",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    metavar="N",
    help="How many, as a batch.",
)


@click.command(
    epilog=example(
        "bayesbench items new run.json --bank bank.nc --max-items 100 --target-width 4",
        "bayesbench items new run.json --bank bank.nc --bar 70 --sure 0.95 --budget 300",
    )
)
@click.argument("file", shell_complete=completing.file)
@bank_option
@given_option
@form_option
@metric_option
@click.option("--id", "model_id", metavar="ID", help="Of the model under test.  [default: new]")
@benchmark_option
@macro_option
@click.option(
    "--exclude", type=values.ids, metavar="IDS", help="Items that are never asked: a,b or @FILE."
)
@quota_option
@cost_option
@click.option(
    "--target-width",
    type=values.finite,
    metavar="POINTS",
    help="Stop when the interval of the full score is this narrow.",
)
@click.option(
    "--bar",
    type=values.finite,
    metavar="X",
    help="Stop when it is sure whether the full score is X or more.",
)
@click.option(
    "--sure",
    type=values.probability,
    default=0.95,
    show_default=True,
    metavar="P",
    help="How sure.",
)
@click.option(
    "--budget",
    type=values.finite,
    metavar="X",
    help="Stop when the rest pays for no item; without --cost it counts items.",
)
@click.option("--max-items", type=click.IntRange(1), metavar="N", help="Stop after so many.")
@click.option(
    "--prob",
    type=values.probability,
    default=0.9,
    show_default=True,
    metavar="P",
    help="Probability of the interval.",
)
@format_option()
def new(
    file: str,
    bank: str | None,
    given: str | None,
    form: str | None,
    metric: str | None,
    model_id: str | None,
    benchmarks: tuple[str, ...],
    macro: bool,
    exclude: tuple[str, ...] | None,
    quota: tuple[str, ...],
    cost: str | None,
    target_width: float | None,
    bar: float | None,
    sure: float,
    budget: float | None,
    max_items: int | None,
    prob: float,
    output_format: str,
) -> None:
    """Start an item campaign in a FILE that does not exist yet, and propose the first item."""
    from ..items.item_campaign import ItemCampaign
    from ..items.item_costs import read_item_costs
    from ..items.item_state import ItemStopRules

    held = opened(bank)
    known = read_known(given, held, form, metric)
    name, answers = _of_one_model(known.responses, given)
    running = ItemCampaign.new(
        file,
        held,
        bank_path=bank,
        model_id=model_id or name,
        known=answers,
        benchmarks=benchmarks or None,
        macro=macro,
        exclude=exclude or (),
        quotas=quotas_of(quota),
        costs=None if cost is None else read_item_costs(cost, held),
        stop=ItemStopRules(target_width, bar, sure, budget, max_items),
        prob=prob,
    )
    _propose(running, file, 1, output_format, known.notes)


@click.command(
    "next",
    epilog=example(
        "bayesbench items next --bank bank.nc --given answers.csv --n 10",
        "bayesbench items next --campaign run.json --n 10",
    ),
)
@click.option(
    "--campaign",
    metavar="FILE",
    shell_complete=completing.file,
    help="File of the item campaign to go on with.",
)
@bank_option
@given_option
@form_option
@metric_option
@n_option
@benchmark_option
@macro_option
@quota_option
@cost_option
@format_option()
def next_(
    campaign: str | None,
    bank: str | None,
    given: str | None,
    form: str | None,
    metric: str | None,
    n: int,
    benchmarks: tuple[str, ...],
    macro: bool,
    quota: tuple[str, ...],
    cost: str | None,
    output_format: str,
) -> None:
    """Say which items to ask next: those that tell most of the full score.

    From a bank and the answers so far, or from the file of a campaign, which says also whether to
    stop.
    """
    from ..items.item_campaign import ItemCampaign
    from ..items.item_costs import read_item_costs
    from ..items.item_state import ItemStopRules

    if campaign is not None:
        own = {
            "--given": given, "--form": form, "--metric": metric, "--benchmark": benchmarks,
            "--macro": macro, "--quota": quota, "--cost": cost,
        }  # fmt: skip
        wrong = [name for name, value in own.items() if value]
        if wrong:
            raise UsageError(f"{wrong[0]} belongs to `items new`; the campaign has its own plan")
        _propose(_load(campaign, bank), campaign, n, output_format)
        return
    held = opened(bank)
    known = read_known(given, held, form, metric)
    name, answers = _of_one_model(known.responses, given)
    running = ItemCampaign.new(
        None,
        held,
        model_id=name,
        known=answers,
        benchmarks=benchmarks or None,
        macro=macro,
        quotas=quotas_of(quota),
        costs=None if cost is None else read_item_costs(cost, held),
        stop=ItemStopRules(max_items=n),
    )
    _propose(running, None, n, output_format, known.notes)


@click.command(
    epilog=example(
        "bayesbench items observe q17=1 q4=0 --campaign run.json",
        "bayesbench items observe --given answers.csv --campaign run.json",
    )
)
@click.argument("pairs", nargs=-1, metavar="[ITEM=CORRECT...]")
@campaign_option
@given_option
@form_option
@metric_option
@bank_option
@click.option(
    "--cost", type=values.finite, metavar="X", help="What each did cost, if not as planned."
)
@click.option("--correct", is_flag=True, help="Take answers that differ in place of those before.")
@format_option()
def observe(
    pairs: tuple[str, ...],
    campaign: str,
    given: str | None,
    form: str | None,
    metric: str | None,
    bank: str | None,
    cost: float | None,
    correct: bool,
    output_format: str,
) -> None:
    """Add answers to a campaign, all or none; they need not be those proposed.

    ITEM=CORRECT is ITEM=1 or ITEM=0, or of several runs ITEM=3/5. Answers that the campaign has
    already are passed over; one that differs is refused without --correct.
    """
    running = _load(campaign, bank)
    if bool(pairs) == (given is not None):
        raise UsageError("give answers: either ITEM=CORRECT or --given FILE")
    notes: tuple[str, ...] = ()
    if given is None:
        answers = _answers(pairs)
    else:
        known = read_known(given, running.bank, form, metric)
        notes, answers = known.notes, _of_one_model(known.responses, given)[1]
    paid = None if cost is None else dict.fromkeys(answers, cost)
    steps = running.observe(answers, paid, correct=correct)
    same = len(answers) - len(steps)
    if same:
        notes = (*notes, f"{same} answers were known already and change nothing")
    _emit_steps(output_format, running, campaign, "observed", steps, notes)


@click.command(epilog=example("bayesbench items undo --campaign run.json --steps 2"))
@campaign_option
@click.option(
    "--steps",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many of the last answers.",
)
@bank_option
@format_option()
def undo(campaign: str, steps: int, bank: str | None, output_format: str) -> None:
    """Take back the last answers; one that was corrected stands again."""
    running = _load(campaign, bank)
    _emit_steps(output_format, running, campaign, "undone", running.undo(steps))


@click.command(epilog=example("bayesbench items status --campaign run.json --format json"))
@campaign_option
@bank_option
@format_option()
def status(campaign: str, bank: str | None, output_format: str) -> None:
    """Show the answers so far and where the campaign stands; changes nothing."""
    running = _load(campaign, bank)
    _emit_steps(output_format, running, campaign, "steps", running.state.steps)


def _load(file: str, bank: str | None) -> ItemCampaign:
    from ..items.item_campaign import ItemCampaign

    return ItemCampaign.load(file, None if bank is None else opened(bank))


def _of_one_model(responses: ItemResponses, given: str | None) -> tuple[str, dict[str, Answer]]:
    """Model and answers of what holds one model.

    Raises
    ------
    UsageError
        There are several.
    """
    from ..items.item_state import Answer

    names = list(responses.models.index)
    if len(names) > 1:
        raise UsageError(
            f"{given} has answers of {len(names)} models ({', '.join(names[:3])}): a campaign is "
            "of one; keep its rows"
        )
    trials, correct = responses.trials[0], responses.correct[0]
    asked = trials.nonzero()[0]
    ids = responses.items.index
    return names[0], {str(ids[at]): Answer(float(correct[at]), int(trials[at])) for at in asked}


def _answers(pairs: tuple[str, ...]) -> dict[str, Answer]:
    """Answers of ``ITEM=CORRECT`` and ``ITEM=CORRECT/N``.

    Raises
    ------
    UsageError
        A pair is malformed or out of range, an item stands twice.
    """
    from ..items.item_state import Answer

    found: dict[str, Answer] = {}
    for pair in pairs:
        item, _, written = pair.rpartition("=")
        right, slash, runs = written.strip().partition("/")
        numbers = (right, runs) if slash else (right,)
        if not item or not all(one.isascii() and one.isdigit() for one in numbers):
            raise UsageError(f"{pair!r} is not ITEM=CORRECT; write q17=1, q17=0, or q17=3/5")
        if item in found:
            raise UsageError(f"item {item!r} is given twice; give it once")
        number = int(runs) if slash else 1
        if not 0 <= int(right) <= number or number < 1:
            raise UsageError(
                f"{pair!r}: {right} correct of {number}; write q17=1, q17=0, or q17=3/5"
            )
        found[item] = Answer(float(right), number)
    return found


def _propose(
    running: ItemCampaign,
    file: str | None,
    n: int,
    output_format: str,
    notes: tuple[str, ...] = (),
) -> None:
    proposal = running.propose(n)
    costs = running.state.costs
    rows = chosen_rows(proposal.items, None if costs is None else dict(costs))
    now = running.status()
    document = {
        "campaign": file,
        "model": running.state.model_id,
        "stop": proposal.stop,
        "status": _plain(now),
        "items": rows,
        "notes": told(*notes, *(running.notes if file is not None else ())),
    }
    columns = (
        Column("item_id", "item", text, right=False),
        Column("benchmark_id", "benchmark", text, right=False),
        Column("category", "category", text, right=False),
        Column("probability", "P(correct)"),
        *((Column("cost", "cost"),) * (costs is not None)),
        Column("sd_after", "sd after"),
    )
    title = "Ask next" if file is None else f"Campaign {file}: ask next"
    after = _score_line(running, now) if file is None else now.sentence
    emit(output_format, document, Listing(title, columns, rows, CHOSEN_FIELDS), after=after)


def _score_line(running: ItemCampaign, now: ItemStatus) -> str:
    one = now.score
    return (
        f"Full score as known now: {one.score:.1f} ({percent(running.state.prob)}: "
        f"{one.lower:.1f} to {one.upper:.1f}), {one.answered} of {one.items} items answered."
    )


def _emit_steps(
    output_format: str,
    running: ItemCampaign,
    file: str,
    key: str,
    steps: tuple[ItemStep, ...],
    notes: tuple[str, ...] = (),
) -> None:
    rows = [_step_row(running, step) for step in steps]
    now = running.status()
    document = {
        "campaign": file,
        "model": running.state.model_id,
        key: rows,
        "status": _plain(now),
        "notes": told(*notes, *running.notes),
    }
    columns = (
        Column("item_id", "item", text, right=False),
        Column("benchmark_id", "benchmark", text, right=False),
        Column("correct", "correct", _count),
        Column("n", "of", text),
        Column("probability", "expected"),
        Column("cost", "cost"),
        Column("corrected", "instead of", _count),
    )
    title = {"observed": "Observed in", "undone": "Taken back from"}.get(key, "Campaign")
    listing = Listing(f"{title} {file}", columns, rows, STEP_FIELDS)
    emit(output_format, document, listing, after=now.sentence)


def _step_row(running: ItemCampaign, step: ItemStep) -> dict[str, Any]:
    old = step.corrects
    return {
        "item_id": step.item_id,
        "benchmark_id": str(running.bank.items.at[step.item_id, "benchmark_id"]),
        "correct": step.answer.correct,
        "n": step.answer.n,
        "probability": step.probability,
        "cost": step.cost,
        "corrected": None if old is None else old.correct,
        "corrected_n": None if old is None else old.n,
    }


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _plain(now: ItemStatus) -> dict[str, Any]:
    """A status as JSON: the score's fields beside the others."""
    held = asdict(now)
    score = held.pop("score")
    del score["model_id"]
    return {**score, **held}
