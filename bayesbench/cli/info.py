"""``bayesbench info``."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .output import Column, Listing, emit, example, format_option, note, number, text

if TYPE_CHECKING:
    from ..posterior.stored import StoredPosterior
    from ..scores import ScoreMatrix

__all__ = ["info", "info_document"]


@click.command(epilog=example("bayesbench info posterior.nc", "bayesbench info --full"))
@click.argument("file", required=False, shell_complete=completing.file)
@click.option("--full", is_flag=True, help="Every setting, prior and diagnostic.")
@format_option()
def info(file: str | None, full: bool, output_format: str) -> None:
    """Show what a posterior file holds: data, model, fit, diagnostics, noise of its readings.

    Without FILE, the bundled posterior. CSV and JSON always hold everything.
    """
    from ..front.posterior import open_posterior

    posterior = open_posterior(file)
    document = info_document(posterior, file)
    short = output_format == "table" and not full
    found = _in_words(posterior, document) if short else _flat(document)
    rows = [{"field": name, "value": value} for name, value in found]
    columns = (Column("field", "", text, right=False), Column("value", "", _shown, right=False))
    listing = Listing(f"Posterior {document['file']}", columns, rows, ("field", "value"))
    emit(output_format, document, listing)
    if short:
        note("note: --full shows every setting, prior and diagnostic")


def info_document(posterior: StoredPosterior, file: str | None) -> dict[str, Any]:
    """The answer as JSON; without `file` the posterior is the bundled one."""
    from .sources import posterior_facts

    return {
        **posterior_facts(posterior, file),
        "chains": posterior.sizes["chain"],
        "cells": posterior.matrix.n_cells,
        "seed": posterior.provenance.seed,
        "config": dict(posterior.provenance.config),
        "wall_s": posterior.provenance.wall_s,
        "versions": dict(posterior.provenance.versions),
        "spec": asdict(posterior.spec),
        "diagnostics": {
            "verdict": posterior.diagnostics.verdict,
            "reasons": list(posterior.diagnostics.reasons),
            "summary": dict(posterior.diagnostics.summary),
        },
        "noise_floor": _noise_floor(posterior.matrix),
    }


def _noise_floor(matrix: ScoreMatrix) -> dict[str, Any]:
    """How far repeated readings lie apart, by scale."""
    from ..scores.repeats import noise_floor

    return {scale: one.to_json() for scale, one in noise_floor(matrix).items()}


def _in_words(posterior: StoredPosterior, document: dict[str, Any]) -> list[tuple[str, str]]:
    """What most want to know, in eight lines."""
    spec, diagnostics = document["spec"], document["diagnostics"]["summary"]
    facts = ", ".join((*spec["covariates"], *spec["groups"])) or "none"
    seconds = document["wall_s"]
    took = "" if seconds is None else f", {seconds:.0f} s"
    reached = (("rhat_eta_max", "largest R-hat {:.3f}"), ("ess_eta_q01", "at least {:.0f} "
               "effective draws in 99 % of the cells"))  # fmt: skip
    chains = [words.format(diagnostics[key]) for key, words in reached if key in diagnostics]
    told = document["recalibrated_by"]
    floors = [
        f"{number(one['difference'])} on {scale} ({one['n_cells']} cells)"
        for scale, one in document["noise_floor"].items()
    ]
    return [
        ("data", f"{document['models']} models x {document['benchmarks']} benchmarks, "
                 f"{document['cells']} scores, hash {document['data_hash'][:12]}"),
        ("model", f"rank {spec['rank']}, {spec['readings']} readings; facts: {facts}"),
        ("fit", f"{document['method']}, {document['created']}, seed {document['seed']}, "
                f"{document['chains']} chains, {document['draws']} draws kept{took}"),
        ("diagnostics", posterior.diagnostics.sentence),
        ("convergence", ", ".join(chains) or "not measured"),
        ("intervals", f"recalibrated by cross-fits of {told}" if told else "not recalibrated"),
        ("noise floor", f"two readings of a cell lie {'; '.join(floors)} apart (median)"
                        if floors else "no cell has two readings"),
        ("versions", ", ".join(f"{name} {one}" for name, one in document["versions"].items())
                     or "not known"),
    ]  # fmt: skip


def _flat(document: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested mappings as dotted names."""
    rows: list[tuple[str, Any]] = []
    for name, value in document.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        elif isinstance(value, (list, tuple)):
            rows.append((prefix + name, "; ".join(map(str, value))))
        else:
            rows.append((prefix + name, value))
    return rows


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else "-"
    return text(value)
