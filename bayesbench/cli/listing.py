"""``bayesbench models`` and ``bayesbench benchmarks``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from .output import Column, Listing, emit, example, format_option, note, text
from .question import posterior_option

__all__ = ["benchmarks", "models"]

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
    counts = matrix.observed.sum(axis=1)
    rows = _rows(matrix.models, "model_id", counts, MODEL_FIELDS)
    kept = _matching(rows, term, ("model_id", "name", "provider"), "model_id")
    columns = (
        Column("model_id", "model", text, right=False),
        Column("provider", "provider", text, right=False),
        Column("release_date", "released", text, right=False),
        Column("reasoning", "reasoning", text, right=False),
        Column("open_weights", "open weights", text, right=False),
        Column("n_scores", "scores", text),
    )
    listing = Listing(f"{len(kept)} of {len(rows)} fitted models", columns, kept, MODEL_FIELDS)
    emit(output_format, {"models": kept}, listing)


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
    counts = matrix.observed.sum(axis=0)
    rows = _rows(matrix.benchmarks, "benchmark_id", counts, BENCHMARK_FIELDS)
    kept = _matching(rows, term, ("benchmark_id", "name", "scale"), "benchmark_id")
    columns = (
        Column("benchmark_id", "benchmark", text, right=False),
        Column("scale", "scale", text, right=False),
        Column("lower", "lower", _bound),
        Column("upper", "upper", _bound),
        Column("higher_is_better", "better", lambda x: "higher" if x else "lower", right=False),
        Column("n_items", "items", _bound),
        Column("n_scores", "scores", text),
    )
    title = f"{len(kept)} of {len(rows)} benchmarks"
    emit(output_format, {"benchmarks": kept}, Listing(title, columns, kept, BENCHMARK_FIELDS))


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
        from ..scores.ids import nearest_ids

        near = nearest_ids(term, [row[key] for row in rows])
        note(f"note: nothing holds {term!r}" + (f"; nearest: {', '.join(near)}" if near else ""))
    return kept


def _bound(value: Any) -> str:
    return "" if value is None else f"{value:g}"
