"""``bayesbench fit``."""

from __future__ import annotations

import importlib
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

import click

from ..errors import DiagnosticsError, UsageError
from ..fitting.engines.settings import NUTS, SVI, Gibbs
from ..low_rank.spec import ModelSpec
from . import values
from .data import data_options, read_data, writable
from .output import Column, Listing, emit, example, format_option, note, one_line, text
from .progress import progress

if TYPE_CHECKING:
    from ..posterior.stored import StoredPosterior
    from ..scores import ScoreMatrix

__all__ = ["fit"]

METHODS: dict[str, tuple[str, str, type[Gibbs] | type[NUTS] | type[SVI]]] = {
    "gibbs": ("gibbs.sampler", "fit_gibbs", Gibbs),
    "nuts": ("nuts", "fit_nuts", NUTS),
    "svi": ("svi", "fit_svi", SVI),
}
"""Method to module, function and settings; imported when called (they bring jax)."""


@click.command(epilog=example("bayesbench fit --data data/open_scores --out posterior.nc"))
@data_options(15, 8)
@click.option(
    "--method",
    type=click.Choice(list(METHODS)),
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
    "--seed", type=values.SEED, default=0, show_default=True, metavar="N", help="Of the draws."
)
@click.option(
    "--calibrate/--no-calibrate",
    default=True,
    show_default=True,
    help="Learn the recalibration of the intervals by cross-fits (eight short Gibbs runs).",
)
@click.option("--strict", is_flag=True, help="Exit 3, writing nothing, if diagnostics fail.")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Thin to N draws in the file.")
@click.option("--pack", is_flag=True, help="Round large arrays to 16 bits in the file.")
@click.option("--out", required=True, metavar="FILE.nc", help="The posterior file to write.")
@format_option()
def fit(
    data: str,
    scale: str | None,
    benchmarks: str | None,
    min_model: int,
    min_benchmark: int,
    method: str,
    rank: int | None,
    seed: int,
    calibrate: bool,
    strict: bool,
    keep: int | None,
    pack: bool,
    out: str,
    output_format: str,
    **settings: int | None,
) -> None:
    """Fit the low-rank model to a score matrix and write the posterior.

    The file appears whole or not at all. Its diagnostics go with it; a failed verdict is noted on
    stderr.
    """
    target = writable(out, "--out")
    chosen = settings_of(method, settings)
    matrix = read_data(data, scale, benchmarks, min_model, min_benchmark)
    config = configured(method, chosen, matrix.n_cells)
    spec = ModelSpec() if rank is None else ModelSpec(rank=rank)
    posterior = run(method, matrix, spec, config, seed)
    diagnostics = posterior.diagnostics
    reasons = one_line("; ".join(diagnostics.reasons)) or "no reason given"
    if diagnostics.verdict == "fail" and strict:
        raise DiagnosticsError(f"the diagnostics failed, nothing was written: {reasons}")
    if diagnostics.verdict != "pass":
        note(f"warning: diagnostics {diagnostics.verdict}: {reasons}")
    if calibrate:
        posterior = calibrated(posterior, matrix, spec, seed)
    kept = posterior if keep is None else posterior.thin(keep)
    kept.save(target, pack=pack)
    _report(kept, method, config, spec, out, output_format)


def settings_of(method: str, given: dict[str, int | None]) -> dict[str, int]:
    """The settings that were given; one the method does not have is refused."""
    known = {field.name for field in fields(METHODS[method][2])}
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in chosen:
        if name not in known:
            raise UsageError(f"--{name} does not belong to --method {method}; leave it out")
    return chosen


def configured(method: str, chosen: dict[str, int], n_cells: int) -> Any:
    """Settings of a method for a matrix of so many scores."""
    kind = METHODS[method][2]
    if kind is Gibbs:
        return Gibbs.suited_to(n_cells, **chosen)
    return kind(**chosen)


def run(
    method: str, matrix: ScoreMatrix, spec: ModelSpec, config: Any, seed: int
) -> StoredPosterior:
    """Fit with a progress bar."""
    module, function, _ = METHODS[method]
    fitted = getattr(importlib.import_module(f"bayesbench.fitting.engines.{module}"), function)
    with progress(f"fit ({method})") as report:
        posterior: StoredPosterior = fitted(matrix, spec, config, seed=seed, report=report)
    return posterior


def calibrated(
    posterior: StoredPosterior, matrix: ScoreMatrix, spec: ModelSpec, seed: int
) -> StoredPosterior:
    """Add the recalibration that cross-fits of the matrix teach."""
    from ..fitting.crossfit import learned_calibration

    with progress("recalibration") as report:
        arrays = learned_calibration(matrix, spec, seed=seed, progress=report)
    if arrays is None:
        note("note: too few scores to recalibrate the intervals; they are the model's own")
    return replace(posterior, calibration=arrays)


def _report(
    posterior: StoredPosterior,
    method: str,
    config: Any,
    spec: ModelSpec,
    out: str,
    output_format: str,
) -> None:
    models, benchmarks = posterior.matrix.shape
    document = {
        "out": out,
        "method": method,
        "seed": posterior.provenance.seed,
        "config": asdict(config),
        "rank": spec.rank,
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
