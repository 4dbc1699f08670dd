"""``bayesbench export`` and ``export-prompt``."""

from __future__ import annotations

from typing import Any

import click

from ..errors import UsageError
from ..files import write_text
from . import completing, values
from .data import chosen_splits, data_options, read_data, writable
from .output import example, note, write

__all__ = ["export", "export_prompt"]

KINDS = ("csv", "parquet", "xlsx", "netcdf", "directory", "every-eval-ever")


@click.command(epilog=example("bayesbench export --data data/open_scores --out scores.parquet"))
@data_options(0, 0)
@click.option(
    "--out",
    required=True,
    metavar="PATH",
    shell_complete=completing.file,
    help="File to write, or new directory.",
)
@click.option(
    "--as",
    "kind",
    type=click.Choice(KINDS),
    help="What to write.  [default: what the suffix of --out says; a directory without one]",
)
def export(out: str, kind: str | None, **data: Any) -> None:
    """Write a score matrix for other tools.

    csv holds the readings; parquet and netcdf the metadata of models and benchmarks too, and so do
    the sheets of xlsx and the three files of a directory. every-eval-ever is a directory with one
    JSON record per model, which "import" reads.
    """
    from ..scores.exports import DIRECTORY, EVERY_EVAL_EVER, kind_of, write_matrix

    chosen = kind_of(out) if kind is None else kind
    if chosen not in (DIRECTORY, EVERY_EVAL_EVER):
        writable(out, "--out")
    matrix = read_data(**data)
    write_matrix(matrix, out, chosen)
    note(f"note: {len(matrix.readings)} readings written to {out} as {chosen}")


@click.command(
    "export-prompt", epilog=example("bayesbench export-prompt --data scores.csv --scale percent")
)
@data_options(0, 0)
@click.option(
    "--folds",
    metavar="FILE",
    shell_complete=completing.file,
    help="Folds as JSON.  [default: per-model thirds]",
)
@click.option(
    "--seed", type=values.SEED, default=42, show_default=True, metavar="N", help="Of the fold."
)
@click.option(
    "--fold",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Which fold of that seed to hide.",
)
@click.option(
    "--out", metavar="FILE", shell_complete=completing.file, help="Write there.  [default: stdout]"
)
def export_prompt(folds: str | None, seed: int, fold: int, out: str | None, **data: Any) -> None:
    """Write a matrix with one fold hidden as CSV, for a predictor that reads text.

    Cells to predict hold "?", cells without a score are empty. The predictor's answer is a CSV
    model_id,benchmark_id,predicted[,lower,upper][,seed,fold]; score it with
    "evaluate --method external --predictions ANSWER.csv" and the same data, folds and seed.
    """
    from ..evaluation import export_prompt as exported

    target = None if out is None else writable(out, "--out")
    matrix = read_data(**data)
    splits = chosen_splits(matrix, folds, seed)
    chosen = [split for split in splits if (split.seed, split.fold) == (seed, fold)]
    if not chosen:
        there = ", ".join(f"{split.seed}/{split.fold}" for split in splits[:6])
        raise UsageError(f"there is no fold {fold} of seed {seed}; seed/fold: {there}, ...")
    csv = exported(matrix, chosen[0])
    if target is None:
        write(csv)
        return
    write_text(target, csv)
    note(f"note: {len(chosen[0].cells)} cells to predict, written to {out}")
