"""The noise floor: how far repeated readings of the same cells lie apart, by matrix.

    python benchmarks/noise_floor.py

Of the bundled matrix, whole and as it is fitted, and of the public 84 x 133 matrix. No fit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from records import PUBLIC_MATRIX, RESULTS, provenance, write

from bayesbench import open_scores
from bayesbench.jsonable import plain
from bayesbench.scores import ScoreMatrix
from bayesbench.scores.repeats import noise_floor


def floors(matrix: ScoreMatrix) -> dict[str, Any]:
    """Size of a matrix and its floors by scale."""
    found = {scale: one.to_json() for scale, one in noise_floor(matrix).items()}
    return {"cells": matrix.n_cells, "readings": len(matrix.readings), "by_scale": found}


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--public", type=click.Path(exists=True, path_type=Path), default=PUBLIC_MATRIX)
@click.option("--out", type=Path, default=RESULTS)
def main(public: Path, out: Path) -> None:
    matrix = open_scores()
    record = {
        "name": "noise-floor",
        "matrices": {
            "bundled": floors(matrix),
            "bundled, as fitted": floors(matrix.filter(15, 8)),
            "public 84 x 133": floors(ScoreMatrix.from_directory(public)),
        },
        "provenance": provenance(matrix, {}),
    }
    write("noise-floor", record, out)
    click.echo(json.dumps(plain(record["matrices"]), indent=1))


if __name__ == "__main__":
    main()
