"""``bayesbench items fit``, ``select`` and ``audit``: what is done with a bank as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from ..progress import Job, bar
from . import completing, values
from .data import writable
from .item_options import (
    answers_options,
    bank_option,
    benchmark_option,
    macro_option,
    opened,
    quota_option,
    quotas_of,
    read_answers_of,
    told,
)
from .output import Column, Listing, emit, example, format_option, number, text

if TYPE_CHECKING:
    from ..items.bank import ItemBank
    from ..items.responses import ItemResponses
    from ..progress import Report

__all__ = ["audit", "fit", "select"]

PASSES = 60
DRAWS, WARMUP = 500, 200
BUDGETS = (5, 10, 25, 50, 100, 200, 400)
"""Numbers of items after which campaigns are looked at for the widths."""
FOLDS = 4
FEW_MODELS = 20
FIT_FIELDS = ("factor", "slope_scale")
FORM_FIELDS = ("form", "item_id", "benchmark_id", "category", "sd")
AUDIT_FIELDS = (
    "item_id", "benchmark_id", "answers", "share", "key_z", "fit_z", "change_z", "group_z", "group",
    "fit_gap", "change_gap", "group_gap", "key_q", "fit_q", "change_q", "group_q", "verdicts",
)  # fmt: skip


@click.command(
    epilog=example(
        "bayesbench items fit answers.csv --out bank.nc",
        "bayesbench items fit results/ --metric acc --out bank.nc",
    )
)
@click.argument(
    "files", nargs=-1, required=True, metavar="RESPONSES...", shell_complete=completing.file
)
@answers_options
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    shell_complete=completing.file,
    help="Where the bank is written (netCDF).",
)
@click.option(
    "--factors",
    type=click.IntRange(1, 6),
    default=4,
    show_default=True,
    metavar="K",
    help="Dimensions of ability; those that are not needed shrink.",
)
@click.option(
    "--engine",
    type=click.Choice(("vb", "gibbs")),
    default="vb",
    show_default=True,
    help="Variational Bayes, or exact draws (at most 2 million cells).",
)
@click.option(
    "--widths/--no-widths",
    default=None,
    help="Learn from campaigns on held-out families how wide intervals must be; takes four more "
    "fits.  [default: where there are families]",
)
@click.option(
    "--seed", type=values.SEED, default=0, show_default=True, metavar="N", help="Of all draws."
)
@format_option()
def fit(
    files: tuple[str, ...],
    out: str,
    factors: int,
    engine: str,
    widths: bool | None,
    seed: int,
    output_format: str,
    **reading: Any,
) -> None:
    """Fit an item bank: what each item tells of a model's ability.

    RESPONSES are answers of many models: a table model_id,item_id,benchmark_id,correct[,n], npz, or
    samples of lm-evaluation-harness, Inspect or Every Eval Ever, also whole directories.
    """
    from ..items.bank_file import save_bank

    target = writable(out, "--out")
    responses = read_answers_of(files, **reading)
    families = list(responses.models["family"]) if "family" in responses.models else None
    learn, why = _widths_wanted(responses, families, widths)
    with bar("items fit") as report:
        job = Job([("bank", 1), ("draws", 4 * (engine == "gibbs")), ("widths", 5 * learn)], report)
        bank = _fitted(responses, factors, engine, seed, job)
        if learn:
            bank = _with_widths(bank, responses, families, factors, seed, job.reports[2])
    save_bank(bank, target)
    slow = "" if bank.converged else f"the {engine} engine has not converged: doubt the bank"
    models = len(responses.models)
    few = f"{models} models: little is known of any item" if models < FEW_MODELS else ""
    notes = told(*responses.notes, *responses.doubts(), few, why, slow)
    _emit_fit(output_format, bank, responses, {"out": out, "engine": engine, "notes": notes})


def _widths_wanted(
    responses: ItemResponses, families: list[str] | None, asked: bool | None
) -> tuple[bool, str]:
    """Whether widths are learned, and what is to be said where they are not.

    Raises
    ------
    UsageError
        They were asked for and there is too little to learn from.
    """
    from ..items.simulated_campaigns import LEAST_MODELS

    complete, kinds = int(responses.complete().sum()), len(set(families or ()))
    lack = ""
    if complete < LEAST_MODELS:
        lack = f"{complete} models answered every item, {LEAST_MODELS} are needed"
    elif families is not None and kinds < FOLDS:
        lack = f"{kinds} families, {FOLDS} are needed"
    elif families is None and asked is None:
        lack = "the answers have no column family; --widths takes models as unrelated"
    if asked and lack:
        raise UsageError(f"--widths: {lack}; leave it out")
    if asked is False or lack:
        reason = f" ({lack})" if lack and asked is None else ""
        return False, f"no width factors were learned{reason}: intervals may be too narrow"
    if families is None:
        return True, "no column family: models are taken as unrelated, widths may be too narrow"
    return True, ""


def _fitted(responses: ItemResponses, factors: int, engine: str, seed: int, job: Job) -> ItemBank:
    from ..items.exact import bank_of_draws, draw_bank
    from ..items.variational import fit_bank

    bank = fit_bank(responses, factors=factors, iterations=PASSES, seed=seed, report=job.reports[0])
    if engine == "vb":
        return bank
    drawn = draw_bank(responses, bank, draws=DRAWS, warmup=WARMUP, seed=seed, report=job.reports[1])
    return bank_of_draws(drawn, bank)


def _with_widths(
    bank: ItemBank,
    responses: ItemResponses,
    families: list[str] | None,
    factors: int,
    seed: int,
    report: Report,
) -> ItemBank:
    """The bank with factors of its widths; progress counts the passes of the fits of all folds."""
    from dataclasses import replace

    from ..items.simulated_campaigns import crossfit_widths

    passes = 0

    def counted(done: int, total: int, note: str = "") -> None:
        nonlocal passes
        passes += 1
        report(min(passes, FOLDS * total), FOLDS * total, note)

    found = crossfit_widths(
        responses,
        families or list(responses.models.index),
        [n for n in BUDGETS if n < len(bank.items)] or [1],
        folds=FOLDS,
        seed=seed,
        factors=factors,
        report=counted,
    )
    return replace(bank, width_factors=found)


def _emit_fit(
    output_format: str, bank: ItemBank, responses: ItemResponses, said: Mapping[str, Any]
) -> None:
    models, items = responses.shape
    rows = [
        {"factor": at + 1, "slope_scale": float(scale)} for at, scale in enumerate(bank.slope_scale)
    ]
    document = {
        **said,
        "models": models,
        "items": items,
        "benchmarks": responses.benchmark_ids,
        "answers": int(responses.trials.sum(dtype="int64")),
        "iterations": bank.iterations,
        "converged": bank.converged,
        "width_factors": {str(n): factor for n, factor in bank.width_factors.items()},
        "factors": rows,
    }
    columns = (Column("factor", "factor", text), Column("slope_scale", "scale of the slopes"))
    title = f"{said['out']}: {items} items of {', '.join(responses.benchmark_ids)}, {models} models"
    emit(output_format, document, Listing(title, columns, rows, FIT_FIELDS))


@click.command(
    epilog=example(
        "bayesbench items select --bank bank.nc --n 50 --format csv",
        "bayesbench items select --bank bank.nc --n 40 --quota algebra=10-20 --parallel",
    )
)
@bank_option
@click.option("--n", type=click.IntRange(1), required=True, metavar="N", help="Items of a form.")
@click.option(
    "--parallel",
    type=click.IntRange(2),
    is_flag=False,
    flag_value=2,
    metavar="[FORMS]",
    help="Several forms without a common item that are equally precise; 2 where no number follows.",
)
@quota_option
@benchmark_option
@macro_option
@click.option(
    "--seed",
    type=values.SEED,
    default=0,
    show_default=True,
    metavar="N",
    help="Of the models that stand for all where the bank has more than 100.",
)
@format_option()
def select(
    bank: str | None,
    n: int,
    parallel: int | None,
    quota: tuple[str, ...],
    benchmarks: tuple[str, ...],
    macro: bool,
    seed: int,
    output_format: str,
) -> None:
    """Choose the same few items for everybody: a fixed form, or parallel ones.

    Each item is the one that lowers the variance of the full score most, given those before it, on
    average over models like those of the bank.
    """
    from ..items.choice import target_weights
    from ..items.forms import select_forms
    from ..items.full_score import scale_name

    held = opened(bank)
    names = benchmarks or None
    forms = select_forms(
        held,
        n,
        forms=parallel or 1,
        quotas=quotas_of(quota),
        weights=target_weights(held, names, macro=macro),
        seed=seed,
    )
    categories = dict(zip(held.items.index, held.categories, strict=True))
    rows = [
        {
            "form": at + 1,
            "item_id": item,
            "benchmark_id": held.items.at[item, "benchmark_id"],
            "category": categories[item],
            "sd": sd,
        }
        for at, form in enumerate(forms)
        for item, sd in zip(form.item_ids, form.sd, strict=True)
    ]
    document = {
        "bank": bank,
        "n": n,
        "forms": parallel or 1,
        "seed": seed,
        "scale": scale_name(held, names, macro=macro),
        "items": rows,
    }
    columns = (
        Column("form", "form", text),
        Column("item_id", "item", text, right=False),
        Column("benchmark_id", "benchmark", text, right=False),
        Column("category", "category", text, right=False),
        Column("sd", "sd so far"),
    )
    emit(output_format, document, Listing(f"Items to ask, of {bank}", columns, rows, FORM_FIELDS))


@click.command(
    epilog=example(
        "bayesbench items audit answers.csv",
        "bayesbench items audit newer.csv --bank bank.nc",
        "bayesbench items audit --bank bank.nc",
    )
)
@click.argument("files", nargs=-1, metavar="[RESPONSES...]", shell_complete=completing.file)
@answers_options
@bank_option
@click.option(
    "--level",
    type=values.probability,
    default=0.05,
    show_default=True,
    metavar="Q",
    help="Share of false findings that is accepted.",
)
@click.option(
    "--least-gap",
    type=values.finite,
    default=5.0,
    show_default=True,
    metavar="POINTS",
    help="Differences of the share correct below this are no findings.",
)
@click.option("--all", "everything", is_flag=True, help="List all items, not only the findings.")
@click.option(
    "--seed", type=values.SEED, default=0, show_default=True, metavar="N", help="Of simulations."
)
@format_option()
def audit(
    files: tuple[str, ...],
    bank: str | None,
    level: float,
    least_gap: float,
    everything: bool,
    seed: int,
    output_format: str,
    **reading: Any,
) -> None:
    """List items that are mis-keyed, do not fit their curve, changed, or differ between families.

    With answers alone a bank is fitted to them; with a bank of other models also what changed since
    is found; of a bank alone only the signs of the slopes are looked at.
    """
    from ..items.given import aligned
    from ..items.misfit import audit_bank, audit_items

    if not files and bank is None:
        raise UsageError("nothing to audit: give answers, or --bank FILE, or both")
    held, notes = None if bank is None else opened(bank), list[str]()
    if not files:
        assert held is not None
        found = audit_bank(held, level=level)
    else:
        responses = read_answers_of(files, **reading)
        notes += responses.notes
        if held is not None:
            responses, others = aligned(responses, held)
            notes += _about_bank(responses, held, others)
        with bar("items audit") as report:
            found = audit_items(
                responses, held, level=level, least_gap=least_gap, seed=seed, report=report
            )
    rows = [asdict(one) for one in found if everything or one.verdicts]
    document = {
        "bank": bank,
        "level": level,
        "least_gap": least_gap,
        "seed": seed,
        "audited": len(found),
        "items": rows,
        "notes": told(*notes),
    }
    columns = (
        Column("item_id", "item", text, right=False),
        Column("benchmark_id", "benchmark", text, right=False),
        Column("answers", "answers", text),
        Column("share", "correct", number),
        Column("verdicts", "found", ", ".join, right=False),
        Column("group", "group", text, right=False),
        Column("key_z", "key z"),
        *(Column(f"{kind}_gap", f"{kind} gap") for kind in ("fit", "change", "group")),
    )
    flat = [{**row, "verdicts": "; ".join(row["verdicts"])} for row in rows]
    named = sum(bool(one.verdicts) for one in found)
    title = f"Something speaks against {named} of {len(found)} items"
    shown = rows if output_format != "csv" else flat
    emit(output_format, document, Listing(title, columns, shown, AUDIT_FIELDS))


def _about_bank(responses: ItemResponses, bank: ItemBank, others: int) -> list[str]:
    notes = [f"{others} items are not in the bank and are left out"] if others else []
    same = len(set(responses.models.index) & set(bank.model_ids))
    if same:
        notes.append(
            f"{same} of the models are among those of the bank: changes since are found less easily"
        )
    return notes
