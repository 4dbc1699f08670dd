"""Effective draws of eta per second: blocked Gibbs against NUTS on the same matrix, in one run.

    python benchmarks/engines.py --cells 1000

Both engines sample the same posterior of the public 84 x 133 matrix with as many chains, at
default settings; of Gibbs more sweeps are kept than by default, or the number of kept draws would
bound the effective ones. Time is that of the whole fit, warm-up included, after a first short fit
has compiled the program. Effective draws are ArviZ's bulk figure, for some cells drawn at random.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from arviz_stats import base as arviz_base_stats
from records import PUBLIC_MATRIX, RESULTS, provenance, write

from bayesbench.answers.predictive import cell_draws
from bayesbench.fitting.engines.settings import NUTS, Gibbs
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix

array_stats: Any = arviz_base_stats.array_stats
GIBBS = replace(Gibbs(), draws=2500, thin=20)
"""As many sweeps as by default, five times as many kept."""


def effective(posterior: StoredPosterior, cells: np.ndarray, chains: int) -> np.ndarray:
    """Bulk effective draws of eta in every cell."""
    eta, _ = cell_draws(posterior, cells[:, 0], cells[:, 1])
    by_chain = np.asarray(eta, np.float64).reshape(chains, -1, len(cells))
    found = array_stats.ess(by_chain, chain_axis=0, draw_axis=1, method="bulk")
    return np.asarray(found, np.float64)


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--data", type=click.Path(exists=True, path_type=Path), default=PUBLIC_MATRIX)
@click.option("--cells", "n_cells", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--chains", type=click.IntRange(1), default=4, show_default=True)
@click.option("--seed", default=42, show_default=True)
@click.option("--out", type=Path, default=RESULTS)
def main(data: Path, n_cells: int, chains: int, seed: int, out: Path) -> None:
    matrix, spec = ScoreMatrix.from_directory(data), ModelSpec()
    rng = np.random.default_rng(seed)
    every = np.argwhere(np.ones(matrix.shape, dtype=np.bool_))
    cells = every[rng.choice(len(every), min(n_cells, len(every)), replace=False)]
    found: dict[str, Any] = {}
    for engine in (replace(GIBBS, chains=chains), NUTS(chains=chains)):
        sample(matrix, spec, replace(engine, warmup=100, draws=50), seed=seed, check=False)
        begun = time.perf_counter()
        posterior = sample(matrix, spec, engine, seed=seed, check=False)
        seconds = time.perf_counter() - begun
        draws = effective(posterior, cells, chains)
        found[engine.name] = {
            "seconds": seconds,
            "ess_median": float(np.median(draws)),
            "ess_q01": float(np.quantile(draws, 0.01)),
            "ess_median_per_s": float(np.median(draws)) / seconds,
            "ess_q01_per_s": float(np.quantile(draws, 0.01)) / seconds,
            "config": asdict(engine),
        }
        figures = {k: v for k, v in found[engine.name].items() if k != "config"}
        click.echo(f"{engine.name}: {json.dumps(figures)}")
    record = {
        "name": "engines",
        "engines": found,
        "ratio_median": found["gibbs"]["ess_median_per_s"] / found["nuts"]["ess_median_per_s"],
        "ratio_q01": found["gibbs"]["ess_q01_per_s"] / found["nuts"]["ess_q01_per_s"],
        "provenance": provenance(matrix, {"cells": n_cells, "chains": chains, "seed": seed}),
    }
    write("engines", record, out)


if __name__ == "__main__":
    main()
