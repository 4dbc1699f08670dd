"""``bayesbench export-prompt``."""

from __future__ import annotations

from typing import Any

import click

from ..errors import UsageError
from ..files import write_text
from . import values
from .data import chosen_splits, data_options, read_data, writable
from .output import example, note, write

__all__ = ["export_prompt"]


@click.command(
    "export-prompt", epilog=example("bayesbench export-prompt --data scores.csv --scale percent")
)
@data_options(0, 0)
@click.option("--folds", metavar="FILE", help="Folds as JSON.  [default: per-model thirds]")
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
@click.option("--out", metavar="FILE", help="Write there.  [default: stdout]")
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
