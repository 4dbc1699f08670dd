"""``bayesbench audit``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from ..progress import bar
from . import values
from .data import data_options, read_data
from .output import Column, Listing, emit, example, format_option, note, number, text

__all__ = ["audit"]

FIELDS = (
    "model_id",
    "benchmark_id",
    "score",
    "median",
    "lower",
    "upper",
    "probability",
    "explanation",
    "corrected",
)
COLUMNS = (
    Column("model_id", "model", text, right=False),
    Column("benchmark_id", "benchmark", text, right=False),
    Column("score", "score", number),
    Column("median", "expected", number),
    Column("lower", "lower", number),
    Column("upper", "upper", number),
    Column("probability", "suspicion", number),
    Column("explanation", "likeliest", text, right=False),
    Column("corrected", "corrected", number),
)


@click.command(epilog=example("bayesbench audit --data data/open_scores --top 20"))
@data_options(None, None)
@click.option(
    "--top", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="Rows shown."
)
@click.option(
    "--seed", type=values.SEED, default=0, show_default=True, metavar="N", help="Of the fits."
)
@format_option()
def audit(
    top: int,
    seed: int,
    output_format: str,
    min_model: int | None,
    min_benchmark: int | None,
    **data: Any,
) -> None:
    """List the readings that are most likely misreported, or on another scale or direction.

    Every reading is predicted while it is hidden (five short Gibbs runs), then explanations
    compete for it. The suspicion is the posterior probability that it is not as stated.
    """
    from ..audit import audit as audited
    from ..fitting.fit import filtered

    matrix, left_out = filtered(read_data(**data), min_model, min_benchmark)
    if left_out:
        note(f"note: {left_out}")
    with bar("audit") as report:
        found = audited(matrix, seed=seed, report=report)
    rows = [asdict(one) for one in found[:top]]
    document = {"readings": len(found), "seed": seed, "suspicions": rows}
    emit(output_format, document, Listing("Suspicious readings", COLUMNS, rows, FIELDS))
