"""``bayesbench fit``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from ..errors import UsageError
from ..fitting.engines.settings import ENGINES
from ..low_rank.spec import ModelSpec
from ..scores.assemble import Options
from . import completing, values
from .data import base_matrix, data_options, read_account, read_data, writable
from .output import Column, Listing, emit, example, format_option, note, text

if TYPE_CHECKING:
    from ..posterior.stored import StoredPosterior
    from ..scores import ScoreMatrix

__all__ = ["fit"]


@click.command(
    epilog=example(
        "bayesbench fit --data data/open_scores --out posterior.nc",
        "bayesbench fit --base bundled --data mine.csv --out posterior.nc",
    )
)
@data_options(None, None)
@click.option(
    "--base",
    metavar="bundled|DIR_OR_FILE",
    shell_complete=completing.file,
    help="Fit --data together with this matrix; in a cell of both --data wins.",
)
@click.option(
    "--method",
    type=click.Choice(list(ENGINES)),
    default="gibbs",
    show_default=True,
    help="Blocked Gibbs (fast, exact), NUTS (the reference), SVI (approximate).",
)
@click.option("--chains", type=click.IntRange(1), metavar="N", help="Chains (gibbs, nuts).")
@click.option("--warmup", type=click.IntRange(1), metavar="N", help="Warm-up (gibbs, nuts).")
@click.option("--draws", type=click.IntRange(1), metavar="N", help="Draws kept per chain.")
@click.option("--thin", type=click.IntRange(1), metavar="N", help="Sweeps per draw (gibbs).")
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Optimiser steps (svi).")
@click.option("--rank", type=click.IntRange(0, 64), metavar="K", help="Number of factors.")
@click.option(
    "--readings",
    type=click.Choice(["first", "all"]),
    default="first",
    show_default=True,
    help="Fit the first reading of every cell, or all, with the noise between readings apart.",
)
@click.option(
    "--seed", type=values.SEED, default=0, show_default=True, metavar="N", help="Of the draws."
)
@click.option(
    "--calibrate/--no-calibrate",
    default=True,
    show_default=True,
    help="Learn the recalibration of the intervals by up to ten short cross-fits of the engine.",
)
@click.option("--strict", is_flag=True, help="Exit 3, writing nothing, if diagnostics fail.")
@click.option(
    "--keep-draws", type=click.IntRange(1), metavar="N", help="Thin to N draws in the file."
)
@click.option("--pack", is_flag=True, help="Round large arrays to 16 bits in the file.")
@click.option(
    "--out",
    required=True,
    metavar="FILE.nc",
    shell_complete=completing.file,
    help="The posterior file to write.",
)
@format_option()
def fit(
    data: str,
    scale: str | None,
    benchmarks: str | None,
    keep: tuple[str, ...],
    drop: tuple[str, ...],
    models_in: Literal["rows", "columns"] | None,
    min_model: int | None,
    min_benchmark: int | None,
    base: str | None,
    method: str,
    rank: int | None,
    readings: str,
    seed: int,
    calibrate: bool,
    strict: bool,
    keep_draws: int | None,
    pack: bool,
    out: str,
    output_format: str,
    **settings: int | None,
) -> None:
    """Fit the low-rank model to a score matrix and write the posterior.

    The file appears whole or not at all. Its diagnostics go with it; a failed verdict is noted on
    stderr.
    """
    from ..fitting import fit as fitting

    target = writable(out, "--out")
    spec = ModelSpec(readings=readings)
    chosen = chosen_settings(method, settings)
    merge: dict[str, Any] = {}
    if base is None:
        matrix = read_data(data, scale, benchmarks, keep=keep, drop=drop, models_in=models_in)
    else:
        if benchmarks is not None:
            raise UsageError("--base has the metadata of the benchmarks: leave out --benchmarks")
        matrix, merge["merged"] = with_base(base, data, scale, Options(keep, drop, models_in))
    merge["read"] = None if matrix.account is None else read_account(matrix)
    posterior = fitting.fit(
        matrix,
        engine=partial(ENGINES[method].suited_to, **chosen),
        spec=spec if rank is None else replace(spec, rank=rank),
        calibrate=calibrate,
        seed=seed,
        min_model=min_model,
        min_benchmark=min_benchmark,
        strict=strict,
        progress=True,
    )
    kept = posterior if keep_draws is None else posterior.thin(keep_draws)
    kept.save(target, pack=pack)
    _report(kept, out, merge, output_format)


def with_base(
    base: str, data: str, scale: str | None, options: Options
) -> tuple[ScoreMatrix, dict[str, Any]]:
    """A table together with a matrix, and what both share, for JSON; said in a line.

    The matrix keeps the account of the table.
    """
    from ..scores.upkeep import read_contribution

    whole = base_matrix(base)
    mine = read_contribution([data], whole, scale=scale, options=options, new_ids=True)
    both, account = whole.merged_with(mine.matrix)
    for line in (*mine.notes, *account.taken):
        note(f"note: {line}")
    note(f"note: {data} and {base} together: {account.line}; {data} wins in shared cells")
    return replace(both, account=mine.matrix.account), account.to_json()


def chosen_settings(method: str, given: Mapping[str, int | None]) -> dict[str, int]:
    """Settings of a method from the options that were given; None is one left out.

    Raises
    ------
    UsageError
        If the method has no such setting; names the ones that do.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in chosen:
        owners = [
            engine
            for engine, kind in ENGINES.items()
            if name in {field.name for field in fields(cast(Any, kind))}
        ]
        if method not in owners:
            raise UsageError(
                f"--{name} belongs to --method {' or '.join(owners)}, not to {method}; leave it out"
            )
    return chosen


def _report(posterior: StoredPosterior, out: str, data: dict[str, Any], output_format: str) -> None:
    models, benchmarks = posterior.matrix.shape
    document = {
        "out": out,
        **data,
        "method": posterior.provenance.method,
        "seed": posterior.provenance.seed,
        "config": dict(posterior.provenance.config),
        "rank": posterior.spec.rank,
        "models": models,
        "benchmarks": benchmarks,
        "cells": posterior.matrix.n_cells,
        "draws": posterior.n_draws,
        "wall_s": posterior.provenance.wall_s,
        "recalibrated": posterior.calibration is not None,
        "diagnostics": {
            "verdict": posterior.diagnostics.verdict,
            "reasons": list(posterior.diagnostics.reasons),
            "summary": dict(posterior.diagnostics.summary),
        },
    }
    shown = ("out", "method", "seed", "rank", "models", "benchmarks", "cells", "draws", "wall_s")
    rows: list[dict[str, Any]] = [{"field": name, "value": document[name]} for name in shown]
    rows.append({"field": "verdict", "value": posterior.diagnostics.verdict})
    columns = (Column("field", "", text, right=False), Column("value", "", text, right=False))
    emit(output_format, document, Listing("Fitted", columns, rows, ("field", "value")))
