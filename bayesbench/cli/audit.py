"""``bayesbench audit``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from ..progress import bar
from . import values
from .data import data_options, read_account, read_data
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
TWIN_COLUMNS = (
    Column("first", "model", text, right=False),
    Column("second", "and", text, right=False),
    Column("probability", "probability", number),
    Column("reason", "because", text, right=False),
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
    compete for it. The suspicion is the posterior probability that it is not as stated. Columns
    that contradict their scale or direction, and ids that may be one model, are named besides.
    """
    from ..audit import audit as audited
    from ..fitting.fit import filtered
    from ..scores.doubts import column_doubts
    from ..scores.identity import same_models

    read = read_data(**data)
    matrix, left_out = filtered(read, min_model, min_benchmark)
    if left_out:
        note(f"note: {left_out}")
    doubts, twins = column_doubts(matrix), same_models(matrix)
    for doubt in doubts:
        note(f"note: {doubt.sentence}")
    with bar("audit") as report:
        found = audited(matrix, seed=seed, report=report)
    rows = [asdict(one) for one in found[:top]]
    pairs = [asdict(one) for one in twins]
    document = {
        "readings": len(found),
        "seed": seed,
        "read": read_account(read),
        "suspicions": rows,
        "columns": [asdict(doubt) for doubt in doubts],
        "identities": pairs,
    }
    listings = [Listing("Suspicious readings", COLUMNS, rows, FIELDS)]
    if pairs:
        listings.append(Listing("Ids that may be one model", TWIN_COLUMNS, pairs[:top]))
    emit(output_format, document, *listings)
