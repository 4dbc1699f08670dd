"""The score matrix a command works on, and files it will write."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from .output import note

if TYPE_CHECKING:
    from ..scores import ScoreMatrix, Split

__all__ = ["chosen_splits", "data_options", "read_data", "writable"]


def data_options(min_model: int | None, min_benchmark: int | None) -> Callable[[Any], Any]:
    """``--data --scale --benchmarks --min-model --min-benchmark``; read with `read_data`.

    The defaults of the last two; None where what suits the table is found later.
    """
    suited = "" if min_model is not None else "  [default: what suits the table]"
    options = (
        click.option(
            "--data",
            required=True,
            metavar="DIR_OR_CSV",
            help="Directory with models.csv, benchmarks.csv, scores.csv; or one CSV, long or wide.",
        ),
        click.option(
            "--scale",
            type=click.Choice(["percent", "unit", "rating"]),
            help="Scale of the scores of a single CSV.  [default: proposed from them, with a note]",
        ),
        click.option(
            "--benchmarks", metavar="FILE", help="Benchmark metadata of a single CSV, as a CSV."
        ),
        click.option(
            "--min-model",
            type=click.IntRange(0),
            default=min_model,
            show_default=min_model is not None,
            metavar="N",
            help=f"Leave out models with fewer scores.{suited}",
        ),
        click.option(
            "--min-benchmark",
            type=click.IntRange(0),
            default=min_benchmark,
            show_default=min_benchmark is not None,
            metavar="N",
            help=f"Leave out benchmarks with fewer scores.{suited}",
        ),
    )

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def read_data(
    data: str,
    scale: str | None,
    benchmarks: str | None,
    min_model: int = 0,
    min_benchmark: int = 0,
) -> ScoreMatrix:
    """Matrix of a directory or a CSV, without the models and benchmarks with few scores."""
    from ..scores.assemble import AUTO
    from ..scores.datasets import read_scores

    if Path(data).is_dir() and (scale is not None or benchmarks is not None):
        raise UsageError("a data directory states its own scales: leave out --scale, --benchmarks")
    proposed = scale is None and benchmarks is None and not Path(data).is_dir()
    matrix = read_scores(data, scale=AUTO if proposed else scale, benchmarks=benchmarks)
    if proposed:
        note(f"note: read {matrix!r}; the scale is proposed from the scores, --scale states it")
    if min_model or min_benchmark:
        matrix = matrix.filter(min_model, min_benchmark)
    return matrix


def chosen_splits(matrix: ScoreMatrix, folds: str | None, seed: int) -> list[Split]:
    """Folds of a file, or the per-model thirds of a seed."""
    from ..scores import splits

    if folds is not None:
        return list(splits.load_folds(folds, matrix))
    return list(splits.per_model_folds(matrix, seed=seed))


def writable(path: str, option: str) -> Path:
    """Check that a file can be written before long work begins.

    Raises
    ------
    UsageError
        If it is a directory, or its directory does not exist or may not be written.
    """
    target = Path(path)
    if not target.name or target.is_dir():
        raise UsageError(f"{option} {path!r} is a directory; name a file")
    if not target.parent.is_dir():
        raise UsageError(f"{option} {path!r}: there is no directory {str(target.parent)!r}")
    if not os.access(target.parent, os.W_OK):
        raise UsageError(f"{option} {path!r}: the directory may not be written")
    return target
