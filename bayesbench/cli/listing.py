"""``bayesbench models`` and ``bayesbench benchmarks``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from . import completing, values
from .informative import information_document, information_table
from .next import cost_option, read_choice
from .output import Column, Listing, emit, example, format_option, note, text
from .predict import rows_option, shown_rows
from .question import posterior_option, prob_option

if TYPE_CHECKING:
    from ..scores import ScoreMatrix

__all__ = ["benchmarks", "benchmarks_document", "models", "models_document", "nothing_holds"]

MODEL_FIELDS = (
    "model_id",
    "name",
    "provider",
    "release_date",
    "params_b",
    "open_weights",
    "reasoning",
    "n_scores",
)
BENCHMARK_FIELDS = (
    "benchmark_id",
    "name",
    "scale",
    "lower",
    "upper",
    "higher_is_better",
    "n_items",
    "n_scores",
)


@click.command(epilog=example("bayesbench models claude"))
@click.argument("term", required=False)
@posterior_option
@format_option()
def models(term: str | None, posterior: str | None, output_format: str) -> None:
    """List the fitted models, those with most scores first.

    TERM keeps those whose id, name or provider holds it.
    """
    from ..front.posterior import open_posterior

    matrix = open_posterior(posterior).matrix
    kept = models_document(matrix, term)["models"]
    columns = (
        Column("model_id", "model", text, right=False),
        Column("provider", "provider", text, right=False),
        Column("release_date", "released", text, right=False),
        Column("reasoning", "reasoning", text, right=False),
        Column("open_weights", "open weights", text, right=False),
        Column("n_scores", "scores", text),
    )
    title = f"{len(kept)} of {len(matrix.model_ids)} fitted models"
    emit(output_format, {"models": kept}, Listing(title, columns, kept, MODEL_FIELDS))


def models_document(matrix: ScoreMatrix, term: str | None) -> dict[str, Any]:
    """The answer as JSON; nearest ids are noted where nothing holds the term."""
    counts = matrix.observed.sum(axis=1)
    rows = _rows(matrix.models, "model_id", counts, MODEL_FIELDS)
    return {"models": _matching(rows, term, ("model_id", "name", "provider"), "model_id")}


@click.command(
    epilog=example(
        "bayesbench benchmarks math",
        "bayesbench benchmarks --by information --top 10",
        "bayesbench benchmarks --by information --targets mmlu_pro,hle",
    )
)
@click.argument("term", required=False)
@click.option(
    "--by",
    type=click.Choice(["scores", "information"]),
    default="scores",
    show_default=True,
    help="Order: by how many models have a score, or by what one score tells about the others.",
)
@click.option(
    "--targets",
    type=values.ids,
    metavar="IDS",
    shell_complete=completing.benchmarks,
    help="With --by information: about these, a,b.  [default: all the others]",
)
@cost_option
@rows_option
@prob_option
@posterior_option
@format_option()
def benchmarks(
    term: str | None,
    by: str,
    targets: tuple[str, ...] | None,
    cost: tuple[str, ...],
    top: int | None,
    all_rows: bool,
    prob: float,
    posterior: str | None,
    output_format: str,
) -> None:
    """List the benchmarks of a posterior, those with most scores first.

    TERM keeps those whose id, name or scale holds it. --by information: those first of which one
    score tells most (in nats, per cost with --cost) about all the others, or about --targets, of a
    model of which nothing is known; a target's own score tells what a first reading does of a
    second. Of these a table shows 20 rows, by scores all; a narrow screen leaves out columns as
    "next" does.
    """
    from ..front.posterior import open_posterior

    informative = by == "information"
    if not informative and (targets is not None or cost):
        option = "--cost" if targets is None else "--targets"
        raise UsageError(f"{option} goes with --by information: give that too, or leave it out")
    opened = open_posterior(posterior)
    matrix = opened.matrix
    document = benchmarks_document(matrix, term)
    if informative:
        chosen = read_choice(matrix, targets=targets, cost=cost, exclude=None, allow=None)
        among = None if term is None else {row["benchmark_id"] for row in document["benchmarks"]}
        document = information_document(opened, posterior, chosen, among=among, prob=prob)
    rows = document["benchmarks"]
    whole = not informative or output_format != "table"
    document["benchmarks"] = rows[: shown_rows(len(rows), top, all_rows, whole)]
    total = len(matrix.benchmark_ids)
    listing = (
        information_table(opened, document, total)
        if informative
        else _benchmarks_table(document["benchmarks"], total)
    )
    emit(output_format, document, listing, after=document.get("sentence", ""))


def _benchmarks_table(shown: list[dict[str, Any]], total: int) -> Listing:
    columns = (
        Column("benchmark_id", "benchmark", text, right=False),
        Column("scale", "scale", text, right=False),
        Column("lower", "lower", _bound),
        Column("upper", "upper", _bound),
        Column("higher_is_better", "better", lambda x: "higher" if x else "lower", right=False),
        Column("n_items", "items", _bound),
        Column("n_scores", "scores", text),
    )
    return Listing(f"{len(shown)} of {total} benchmarks", columns, shown, BENCHMARK_FIELDS)


def benchmarks_document(matrix: ScoreMatrix, term: str | None) -> dict[str, Any]:
    """The answer as JSON; nearest ids are noted where nothing holds the term."""
    counts = matrix.observed.sum(axis=0)
    rows = _rows(matrix.benchmarks, "benchmark_id", counts, BENCHMARK_FIELDS)
    return {"benchmarks": _matching(rows, term, ("benchmark_id", "name", "scale"), "benchmark_id")}


def _rows(frame: Any, key: str, counts: Any, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    """Metadata as plain rows, None where missing; most scores first, then by id."""
    table = frame.astype(object).where(frame.notna(), None).to_dict("index")
    rows = [
        {**values, key: str(identifier), "n_scores": int(count)}
        for (identifier, values), count in zip(table.items(), counts, strict=True)
    ]
    rows.sort(key=lambda row: (-row["n_scores"], row[key]))
    return [{field: row.get(field) for field in fields} for row in rows]


def _matching(
    rows: list[dict[str, Any]], term: str | None, fields: Iterable[str], key: str
) -> list[dict[str, Any]]:
    if term is None:
        return rows
    wanted = term.casefold()
    searched = tuple(fields)
    kept = [
        row for row in rows if any(wanted in str(row[field] or "").casefold() for field in searched)
    ]
    if not kept:
        note(f"note: {nothing_holds(term, [row[key] for row in rows])}")
    return kept


def nothing_holds(term: str, ids: Sequence[str]) -> str:
    """What to say of a term that no row holds, with the nearest ids."""
    from ..scores.ids import nearest_ids

    near = nearest_ids(term, ids)
    return f"nothing holds {term!r}" + (f"; nearest: {', '.join(near)}" if near else "")


def _bound(value: Any) -> str:
    return "" if value is None else f"{value:g}"
