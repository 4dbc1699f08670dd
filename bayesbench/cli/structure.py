"""``bayesbench structure``."""

from __future__ import annotations

from typing import Any

import click

from . import values
from .data import data_options, read_account, read_data
from .output import Column, Listing, emit, example, format_option, number, text

__all__ = ["structure"]

COLUMNS = (
    Column("submatrix", "submatrix", text),
    Column("n_models", "models", text),
    Column("n_benchmarks", "benchmarks", text),
    Column("rank90", "90 % at rank", text),
    Column("rank", "rank", text),
    Column("share", "share", number),
    Column("lower", "lower", number),
    Column("upper", "upper", number),
    Column("chance", "by chance", number),
)


@click.command(epilog=example("bayesbench structure --data data/open_scores"))
@data_options(0, 0)
@click.option(
    "--submatrices",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    metavar="N",
    help="At most so many, the largest.",
)
@click.option(
    "--resamples",
    type=click.IntRange(1),
    default=400,
    show_default=True,
    metavar="N",
    help="Of the bootstrap behind the intervals.",
)
@click.option(
    "--seed", type=values.SEED, default=0, show_default=True, metavar="N", help="Of the bootstrap."
)
@format_option()
def structure(submatrices: int, resamples: int, seed: int, output_format: str, **data: Any) -> None:
    """Show how much of the variance of the scores a few components hold.

    Looked at where no score is missing: in large complete submatrices of bounded benchmarks, on
    the logit scale, columns centred. "By chance" is what shuffled columns give.
    """
    from ..structure import analyse

    matrix = read_data(**data)
    found = analyse(matrix, seed=seed, submatrices=submatrices, resamples=resamples)
    rows = [
        {str(name): value for name, value in row.items()}
        for row in found.to_frame().to_dict("records")
    ]
    median = [{"rank": rank, "share": share} for rank, share in found.median_share.items()]
    emit(
        output_format,
        {"seed": seed, "read": read_account(matrix), **found.to_json()},
        Listing("Share of variance by rank", COLUMNS, rows),
        Listing(
            "Median over the submatrices",
            (Column("rank", "rank", text), Column("share", "share", number)),
            median,
        ),
    )
