"""``bayesbench info``."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .output import Column, Listing, emit, example, format_option, text

if TYPE_CHECKING:
    from ..posterior.stored import StoredPosterior
    from ..scores import ScoreMatrix

__all__ = ["info", "info_document"]


@click.command(epilog=example("bayesbench info posterior.nc"))
@click.argument("file", required=False)
@format_option()
def info(file: str | None, output_format: str) -> None:
    """Show what a posterior file holds: data, model, fit, diagnostics, noise of its readings.

    Without FILE, the bundled posterior.
    """
    from ..front.posterior import open_posterior

    document = info_document(open_posterior(file), file)
    rows = [{"field": name, "value": value} for name, value in _flat(document)]
    columns = (Column("field", "", text, right=False), Column("value", "", _shown, right=False))
    listing = Listing(f"StoredPosterior {document['file']}", columns, rows, ("field", "value"))
    emit(output_format, document, listing)


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
