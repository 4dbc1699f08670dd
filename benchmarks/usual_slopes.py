"""Slopes of the error's size that hold on many tables: what small tables are pulled to.

    python benchmarks/usual_slopes.py

Cross-fits the bundled matrix and every other matrix it is given, learns a recalibration of missing
cells and of new models on each, and prints the mean slope per unit of each feature, weighted by
the number of held-out predictions: the constants `USUAL_SLOPES` of
`bayesbench.posterior.calibration`. Writes usual-slopes.json with the slopes of every matrix.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from records import PUBLIC_MATRIX, RESULTS, provenance, write

from bayesbench.fitting.crossfit import HeldOut, held_out_cells, held_out_models
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.calibration import FEATURES
from bayesbench.scores import ScoreMatrix, open_scores, read_scores


def slopes(parts: list[HeldOut]) -> dict[str, float]:
    """Mean of both sides' slopes, per unit of each feature; 0 for one that does not vary."""
    made = HeldOut.joined(parts).recalibration()
    if made is None:
        return {}
    per_unit = (made.lower[1:] + made.upper[1:]) / 2 / made.scale
    return dict(zip(FEATURES, (float(x) for x in per_unit), strict=True))


def learned(matrix: ScoreMatrix, seed: int) -> dict[str, dict[str, Any]]:
    """Slopes of missing cells and of new models of one matrix, with their numbers."""
    spec, engine = ModelSpec(), Gibbs.suited_to(matrix.n_cells).lighter()
    found: dict[str, dict[str, Any]] = {}
    for kind, hold_out in (("cells", held_out_cells), ("models", held_out_models)):
        parts = hold_out(matrix, spec, engine, seed=seed)
        found[kind] = {"n": sum(part.truth.size for part in parts), "slopes": slopes(parts)}
    return found


def pooled(per_matrix: dict[str, dict[str, dict[str, Any]]], kind: str) -> dict[str, float]:
    """Means over matrices, each weighing as its number of predictions, at most 5,000."""
    taught = [one[kind] for one in per_matrix.values() if one[kind]["slopes"]]
    weights = np.asarray([min(float(one["n"]), 5000.0) for one in taught])
    table = np.asarray([[one["slopes"][name] for name in FEATURES] for one in taught])
    mean = weights @ table / weights.sum()
    return {name: round(float(value), 3) for name, value in zip(FEATURES, mean, strict=True)}


@click.command()
@click.option("--data", "folders", type=Path, multiple=True, default=(PUBLIC_MATRIX,))
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--out", type=Path, default=RESULTS, help="Folder of the JSON file.")
def main(folders: tuple[Path, ...], seed: int, out: Path) -> None:
    """Learn the slopes of every matrix and print their means."""
    matrices = {"open_scores": open_scores().filter()}
    matrices |= {folder.name: read_scores(folder) for folder in folders}
    per_matrix = {}
    for name, matrix in matrices.items():
        click.echo(f"{name}: {matrix}", err=True)
        per_matrix[name] = learned(matrix, seed)
    means = {kind: pooled(per_matrix, kind) for kind in ("cells", "models")}
    hashes = {name: matrix.data_hash for name, matrix in matrices.items()}
    record = {
        "name": "usual-slopes",
        "label": "",
        "matrices": per_matrix,
        "means": means,
        "data_hashes": hashes,
        "provenance": provenance(matrices["open_scores"], {"seed": seed, "max_folds": None}),
    }
    write("usual-slopes", record, out)
    for kind, values in means.items():
        click.echo(f'"{kind}": {values},')


if __name__ == "__main__":
    main()
