"""``bayesbench models`` and ``bayesbench benchmarks``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from .output import Column, Listing, emit, example, format_option, note, text
from .question import posterior_option

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


@click.command(epilog=example("bayesbench benchmarks math"))
@click.argument("term", required=False)
@posterior_option
@format_option()
def benchmarks(term: str | None, posterior: str | None, output_format: str) -> None:
    """List the benchmarks of a posterior, those with most scores first.

    TERM keeps those whose id, name or scale holds it.
    """
    from ..front.posterior import open_posterior

    matrix = open_posterior(posterior).matrix
    kept = benchmarks_document(matrix, term)["benchmarks"]
    columns = (
        Column("benchmark_id", "benchmark", text, right=False),
        Column("scale", "scale", text, right=False),
        Column("lower", "lower", _bound),
        Column("upper", "upper", _bound),
        Column("higher_is_better", "better", lambda x: "higher" if x else "lower", right=False),
        Column("n_items", "items", _bound),
        Column("n_scores", "scores", text),
    )
    title = f"{len(kept)} of {len(matrix.benchmark_ids)} benchmarks"
    emit(output_format, {"benchmarks": kept}, Listing(title, columns, kept, BENCHMARK_FIELDS))


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
