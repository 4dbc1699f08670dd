"""``bayesbench items score``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from . import completing, values
from .item_options import bank_option, given_option, macro_option, opened, read_known, told
from .output import Column, Listing, emit, example, format_option, text

if TYPE_CHECKING:
    from ..items.bank import ItemBank
    from ..items.responses import ItemResponses

__all__ = ["SCORE_FIELDS", "score", "score_columns", "score_rows"]

SCORE_FIELDS = (
    "model_id", "benchmark_id", "answered", "items", "observed", "score", "sd", "lower50",
    "upper50", "lower90", "upper90", "p_above",
)  # fmt: skip
TOTAL = "total"


@click.command(
    epilog=example(
        "bayesbench items score --bank bank.nc --given answers.csv",
        "bayesbench items score --campaign run.json --bar 70",
    )
)
@bank_option
@given_option
@click.option(
    "--campaign",
    metavar="FILE",
    shell_complete=completing.file,
    help="Score the answers of this item campaign.",
)
@click.option(
    "--form",
    type=click.Choice(("long", "npz", "lm-eval", "inspect", "every-eval-ever")),
    help="Of the answers.  [default: as name and columns say]",
)
@click.option("--metric", metavar="NAME", help="Which counts, for samples of other tools.")
@macro_option
@click.option(
    "--bar", type=values.finite, metavar="X", help="Say how probable a score of X or more is."
)
@format_option()
def score(
    bank: str | None,
    given: str | None,
    campaign: str | None,
    form: str | None,
    metric: str | None,
    macro: bool,
    bar: float | None,
    output_format: str,
) -> None:
    """Predict full scores from answers to some items: of every benchmark, and in total.

    With intervals of 50 and 90 %. A score is the mean over the items of the bank, which is the
    official one only where the bank holds all of them.
    """
    from ..items.full_score import scale_name

    if (campaign is None) == (given is None):
        raise UsageError("give the answers: either --given FILE or --campaign FILE")
    if campaign is not None:
        from ..items.item_campaign import ItemCampaign

        if form is not None or metric is not None:
            raise UsageError("--form and --metric belong to --given; leave them out")
        running = ItemCampaign.load(campaign, None if bank is None else opened(bank))
        held, responses, notes = running.bank, running.responses, running.notes
    else:
        held = opened(bank)
        known = read_known(given, held, form, metric)
        responses, notes = known.responses, (*known.notes, *widths_note(held))
    rows = score_rows(held, responses, macro, bar)
    document = {
        "bank": bank,
        "campaign": campaign,
        "macro": macro,
        "bar": bar,
        "scale": scale_name(held, macro=macro),
        "scores": rows,
        "notes": told(*notes),
    }
    title = f"Full scores: {scale_name(held, macro=macro)}"
    emit(output_format, document, Listing(title, score_columns(bar), rows, SCORE_FIELDS))


def widths_note(bank: ItemBank) -> tuple[str, ...]:
    """What to say of a bank whose intervals were not calibrated."""
    if bank.width_factors:
        return ()
    return ("the bank has no width factors: intervals are as the bank states them",)


def score_rows(
    bank: ItemBank, responses: ItemResponses, macro: bool, bar: float | None
) -> list[dict[str, Any]]:
    """A row for every model and benchmark, and one in total where there are several."""
    from ..items.choice import standing, target_weights
    from ..items.full_score import scored

    names = list(dict.fromkeys(bank.items["benchmark_id"]))
    targets: list[str | None] = [*names] if len(names) == 1 else [*names, None]
    by_target = []
    for name in targets:
        weights = target_weights(bank, None if name is None else [name], macro=macro)
        now = standing(bank, responses, weights)
        models = tuple(responses.models.index)
        by_half, by_wide = (scored(bank, models, now, responses, weights, p) for p in (0.5, 0.9))
        by_target.append(list(zip(by_half, by_wide, strict=True)))
    rows = []
    for at, model in enumerate(responses.models.index):
        for name, found in zip(targets, by_target, strict=True):
            half, wide = found[at]
            rows.append(
                {
                    "model_id": str(model),
                    "benchmark_id": name,
                    "answered": wide.answered,
                    "items": wide.items,
                    "observed": wide.observed,
                    "score": wide.score,
                    "sd": wide.sd,
                    "lower50": half.lower,
                    "upper50": half.upper,
                    "lower90": wide.lower,
                    "upper90": wide.upper,
                    "p_above": None if bar is None else wide.probability_above(bar),
                }
            )
    return rows


def score_columns(bar: float | None) -> tuple[Column, ...]:
    """Columns of a table of full scores."""

    def named(value: Any) -> str:
        return TOTAL if value is None else text(value)

    above = () if bar is None else (Column("p_above", f"P(>= {bar:g})"),)
    return (
        Column("model_id", "model", text, right=False),
        Column("benchmark_id", "benchmark", named, right=False),
        Column("answered", "answered", text),
        Column("items", "of", text),
        Column("observed", "observed"),
        Column("score", "full score"),
        Column("lower50", "50 % from"),
        Column("upper50", "to"),
        Column("lower90", "90 % from"),
        Column("upper90", "to"),
        *above,
    )
