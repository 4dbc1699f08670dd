"""The score matrix a command works on, and files it will write."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ..errors import UsageError
from . import completing, values
from .output import note

if TYPE_CHECKING:
    from ..scores import ScoreMatrix, Split

__all__ = ["base_matrix", "chosen_splits", "data_options", "read_account", "read_data", "writable"]


def data_options(
    min_model: int | None, min_benchmark: int | None, *, bundled: bool = False
) -> Callable[[Any], Any]:
    """``--data --scale --benchmarks --keep --drop --models-in --min-model --min-benchmark``.

    Read with `read_data`. The defaults of the last two; None where what suits the table is found
    later. With `bundled`, ``--data`` may be left out: the matrix that ships is meant.
    """
    suited = "" if min_model is not None else "  [default: what suits the table]"
    options = (
        click.option(
            "--data",
            required=not bundled,
            metavar="DIR_OR_FILE",
            shell_complete=completing.file,
            help="Directory with models.csv, benchmarks.csv, scores.csv; or one table, long or "
            "wide: CSV of any kind, also in gzip or zip, parquet, Excel."
            + ("  [default: the matrix that ships]" if bundled else ""),
        ),
        click.option(
            "--scale",
            type=click.Choice(["auto", "percent", "unit", "rating"]),
            help="Scale of the scores of a single table; auto proposes one for each benchmark.  "
            "[default: auto]",
        ),
        click.option(
            "--benchmarks",
            metavar="FILE",
            shell_complete=completing.file,
            help="Benchmark metadata of a single table, as a table.",
        ),
        click.option(
            "--keep",
            multiple=True,
            callback=values.id_lists,
            metavar="COLUMNS",
            help="Columns that hold scores, whatever they look like: a,b.",
        ),
        click.option(
            "--drop",
            multiple=True,
            callback=values.id_lists,
            metavar="COLUMNS",
            help="Columns that hold no scores, whatever they look like: a,b.",
        ),
        click.option(
            "--models-in",
            type=click.Choice(["rows", "columns"]),
            help="Where the models of a wide table stand.  [default: as the table says, else rows]",
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
    data: str | None,
    scale: str | None,
    benchmarks: str | None,
    min_model: int = 0,
    min_benchmark: int = 0,
    keep: tuple[str, ...] = (),
    drop: tuple[str, ...] = (),
    models_in: Literal["rows", "columns"] | None = None,
) -> ScoreMatrix:
    """Matrix of a directory or a table, without the models and benchmarks with few scores.

    What was read is said in one line where a scale was proposed or anything was left out; the
    account of the matrix, which goes into JSON, is that of all that was read.
    """
    from ..scores.assemble import AUTO, Options
    from ..scores.datasets import bundled_path, load_scores

    data = str(bundled_path("data", "open_scores")) if data is None else data
    directory = Path(data).is_dir()
    if directory and (scale is not None or benchmarks is not None):
        raise UsageError("a data directory states its own scales: leave out --scale, --benchmarks")
    if directory and (keep or drop or models_in):
        raise UsageError("a data directory has no such columns: leave out --keep, --drop")
    proposed = scale is None and benchmarks is None
    options = Options(keep, drop, models_in)
    matrix = load_scores(data, AUTO if proposed else scale, benchmarks, options=options)
    account = matrix.account
    if account is not None and ((proposed and not directory) or account.remarkable):
        note(f"note: read {account.line}")
    if min_model or min_benchmark:
        matrix = replace(matrix.filter(min_model, min_benchmark), account=account)
    return matrix


def base_matrix(written: str) -> ScoreMatrix:
    """The matrix that others come to: ``bundled``, a data directory or a table."""
    from ..scores import open_scores

    return open_scores() if written == "bundled" else read_data(written, None, None)


def read_account(matrix: ScoreMatrix) -> dict[str, Any]:
    """What was read, for JSON."""
    assert matrix.account is not None, "read_data gives a matrix with its account"
    return matrix.account.to_json()


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
