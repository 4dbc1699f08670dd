"""``bayesbench subset``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from ..progress import bar
from . import completing, values
from .data import data_options, read_account, read_data, writable
from .next import Choice, cost_option, read_choice
from .output import Column, Listing, emit, example, format_option, note, number, text

if TYPE_CHECKING:
    from ..design import Costs
    from ..evaluation.subsets import SuiteDifference, SuiteFigure
    from ..evaluation.suite import Suite, SuiteCheck
    from ..scores import ScoreMatrix

__all__ = ["subset"]

SUITE_FIELDS = ("benchmark_id", "cost", "n_scores", "folds_chosen")
WORDS = {
    "medae": "median error, % of the range",
    "pairs": "pairs of models in the right order",
    "kendall": "Kendall's tau",
    "spearman": "rank correlation",
    "revealed": "scores of the suite a model has",
    "cost": "cost",
}
FIGURES = (
    Column("figure", "figure", lambda name: WORDS.get(name, name), right=False),
    Column("value", "value", number),
    Column("lower", "lower", number),
    Column("upper", "upper", number),
)
AGAINST = (
    Column("against", "against", text, right=False),
    FIGURES[0],
    Column("suite", "suite", number),
    Column("other", "other", number),
    Column("difference", "difference", number),
    *FIGURES[2:],
)


@click.command(
    epilog=example(
        "bayesbench subset --data scores.csv --k 5 --out suite.json",
        "bayesbench subset --data newer.csv --check suite.json",
    )
)
@data_options(None, None, bundled=True)
@click.option("--k", type=click.IntRange(1), metavar="K", help="How many benchmarks.")
@click.option(
    "--candidates",
    multiple=True,
    callback=values.id_lists,
    metavar="IDS",
    help="Choose among these only: a,b; may be given several times.",
)
@cost_option
@click.option(
    "--folds",
    type=click.IntRange(2),
    default=5,
    show_default=True,
    metavar="N",
    help="Parts that models are dealt into for the test; each takes a fit.",
)
@click.option(
    "--seed", type=values.SEED, default=0, show_default=True, metavar="N", help="Of all draws."
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes.",
)
@click.option(
    "--out",
    metavar="FILE",
    shell_complete=completing.file,
    help="Keep the suite in this file, as JSON.",
)
@click.option(
    "--check",
    metavar="FILE",
    shell_complete=completing.file,
    help="Choose nothing: how the suite of this file does on the data, as it stands.",
)
@format_option()
def subset(
    k: int | None,
    candidates: tuple[str, ...],
    cost: tuple[str, ...],
    folds: int,
    seed: int,
    jobs: int,
    out: str | None,
    check: str | None,
    output_format: str,
    min_model: int | None,
    min_benchmark: int | None,
    **data: Any,
) -> None:
    """Choose a few benchmarks that stand for all of a matrix, and test the choice.

    By the expected information about the other scores (EPIG), per cost if costs are given. Models
    are left out in folds: suites chosen without them predict their other scores and rank them,
    beside as many popular and random benchmarks.
    """
    from ..fitting.fit import filtered

    _check_call(k, check, {"--k": k, "--candidates": candidates, "--cost": cost, "--out": out})
    target = None if out is None else writable(out, "--out")
    before = None if check is None else _loaded(check)
    read = read_data(**data)
    matrix, left_out = filtered(read, min_model, min_benchmark)
    if left_out:
        note(f"note: {left_out}")
    document: dict[str, Any] = {"read": read_account(read)}
    if before is not None:
        with bar("subset") as report:
            checked = before.check(
                matrix, folds=folds, sets=before.sets, seed=seed, jobs=jobs, report=report
            )
        _emit_check(output_format, document, matrix, checked, check, folds, seed)
        return
    assert k is not None
    choice = read_choice(
        read, targets=None, cost=cost, exclude=None, allow=None, benchmarks=candidates
    )
    among, costs = _there(matrix, choice)
    from ..evaluation.suite import subset as chosen

    with bar("subset") as report:
        suite = chosen(
            matrix,
            k,
            candidates=among,
            costs=costs,
            folds=folds,
            seed=seed,
            jobs=jobs,
            report=report,
        )
    if target is not None:
        suite.save(target)
    _emit_suite(output_format, document, matrix, suite, choice.notes, out)


def _check_call(k: int | None, check: str | None, given: Mapping[str, Any]) -> None:
    if check is None and k is None:
        raise UsageError("say how many benchmarks with --k, or name a suite with --check")
    for option, value in given.items():
        if check is not None and value:
            raise UsageError(f"--check takes a suite as it stands: leave out {option}")


def _there(matrix: ScoreMatrix, choice: Choice) -> tuple[tuple[str, ...] | None, Costs | None]:
    """Candidates and costs on a matrix that benchmarks with few scores were left out of."""
    ids = set(matrix.benchmark_ids)
    for name in choice.candidates or ():
        if name not in ids:
            raise UsageError(
                f"candidate {name!r} has too few scores: lower --min-benchmark, or leave it out"
            )
    if choice.costs is None:
        return choice.candidates, None
    kept = {name: cost for name, cost in choice.costs.values.items() if name in ids}
    return choice.candidates, replace(choice.costs, values=kept)


def _loaded(path: str) -> Suite:
    from ..evaluation.suite import Suite

    return Suite.load(path)


def _emit_suite(
    output_format: str,
    document: Mapping[str, Any],
    matrix: ScoreMatrix,
    suite: Suite,
    notes: Sequence[str],
    out: str | None,
) -> None:
    costs = {} if suite.costs is None else suite.costs.values
    rows = _suite_rows(matrix, suite.benchmarks, costs, suite.folds_chosen)
    figures, against = _rows(suite.figures), _rows(suite.against)
    whole = {
        **document,
        "k": len(suite.benchmarks),
        "n_models": len(suite.models),
        "n_benchmarks": suite.n_benchmarks,
        "folds": suite.folds,
        "sets": suite.sets,
        "seed": suite.seed,
        "suite": rows,
        "figures": figures,
        "against": against,
        "out": out,
        "notes": list(notes),
    }
    emit(
        output_format,
        whole,
        _suite_table(f"Suite of {len(rows)} of {suite.n_benchmarks} benchmarks", matrix, rows),
        Listing(f"On {len(suite.models)} models left out in {suite.folds} folds", FIGURES, figures),
        Listing("The suite against other choices", AGAINST, against),
        after=str(suite),
    )


def _emit_check(
    output_format: str,
    document: Mapping[str, Any],
    matrix: ScoreMatrix,
    checked: SuiteCheck,
    file: str | None,
    folds: int,
    seed: int,
) -> None:
    before = checked.suite
    costs = {} if before.costs is None else before.costs.values
    rows = _suite_rows(matrix, checked.benchmarks, costs, before.folds_chosen)
    figures, against = _rows(checked.figures), _rows(checked.against)
    new = _rows(checked.new_figures)
    if checked.gone:
        note(f"note: not in the data any more, or left out of it: {', '.join(checked.gone)}")
    whole = {
        **document,
        "check": file,
        "k": len(rows),
        "n_models": checked.n_models,
        "n_new": checked.n_new,
        "n_benchmarks": matrix.shape[1],
        "same_data": matrix.data_hash == before.data_hash,
        "folds": min(folds, checked.n_models),
        "sets": before.sets,
        "seed": seed,
        "suite": rows,
        "gone": list(checked.gone),
        "figures": figures,
        "against": against,
        "before": _rows(before.figures),
        "new_figures": new,
        "notes": [],
    }
    listings = [
        _suite_table(f"Suite {file}", matrix, rows),
        Listing(f"Now, on {checked.n_models} models left out of the fits", FIGURES, figures),
        Listing("The suite against other choices", AGAINST, against),
        Listing("When it was chosen", FIGURES, whole["before"]),
    ]
    if new:
        listings.append(Listing(f"On the {checked.n_new} models it never saw", FIGURES, new))
    emit(output_format, whole, *listings, after=str(checked))


def _suite_rows(
    matrix: ScoreMatrix,
    names: Sequence[str],
    costs: Mapping[str, float],
    folds_chosen: Mapping[str, int],
) -> list[dict[str, Any]]:
    counts = matrix.observed.sum(axis=0)
    return [
        {
            "benchmark_id": name,
            "cost": costs.get(name),
            "n_scores": int(counts[matrix.benchmark_index(name)]),
            "folds_chosen": folds_chosen.get(name),
        }
        for name in names
    ]


def _suite_table(title: str, matrix: ScoreMatrix, rows: Sequence[Mapping[str, Any]]) -> Listing:
    columns = (
        Column("benchmark_id", "benchmark", matrix.benchmark_names.title, right=False),
        Column("cost", "cost"),
        Column("n_scores", "models with a score", text),
        Column("folds_chosen", "folds that chose it", text),
    )
    return Listing(title, columns, rows, SUITE_FIELDS)


def _rows(figures: Sequence[SuiteFigure] | Sequence[SuiteDifference]) -> list[dict[str, Any]]:
    return [asdict(one) for one in figures]
