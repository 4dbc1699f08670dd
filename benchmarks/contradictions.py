"""Warnings about given scores: false alarms on honest held-out models, and slips that are found.

    python benchmarks/contradictions.py

The models of the bundled matrix are dealt into blocks; each block is left out of a short Gibbs fit
and asked about as users ask: some of its scores given, drawn at random, with and without its facts.
The recalibration is that of the bundled posterior. A false alarm is a model with a warning; some of
these readings may be wrong indeed, so the true rate is no higher. Then one of the given scores is
spoiled: a hundredth of it, turned round, or that of another model drawn at random, where this moves
it by `FAR` points; found is where the spoiled score itself is reported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import Any

import click
import numpy as np
from records import RESULTS, provenance, write

from bayesbench import open_posterior, open_scores
from bayesbench.answers.contradictions import contradictions
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix

KS = (1, 3, 5, 10)
SPOILED_OF = 5
"""Scores given where one of them is spoiled."""
FAR = 30.0
LEAST_SCORES = 3
"""Benchmarks with fewer scores in a block's fit are left out of it."""
ENGINE = Gibbs(chains=1, warmup=1200, draws=400, thin=10)
SLIPS = ("a share", "turned round", "another model's")


def held_out(
    matrix: ScoreMatrix, n_blocks: int, seed: int
) -> Iterator[tuple[StoredPosterior, np.ndarray]]:
    """A fit without each block, and the models of the block."""
    block = np.random.default_rng(seed).permutation(len(matrix.model_ids)) % n_blocks
    calibration = open_posterior().calibration
    for number in range(n_blocks):
        kept = [name for name, own in zip(matrix.model_ids, block, strict=True) if own != number]
        counts = matrix.subset(kept).observed.sum(axis=0)
        enough = zip(matrix.benchmark_ids, counts >= LEAST_SCORES, strict=True)
        fitted = matrix.subset(kept, [name for name, take in enough if take])
        made = sample(fitted, ModelSpec(), ENGINE, seed=seed + number, check=False)
        yield replace(made, calibration=calibration), np.flatnonzero(block == number)


def spoiled(matrix: ScoreMatrix, name: str, score: float, slip: str, draw: float) -> float:
    """The score after a slip; of the scores of other models, `draw` in [0, 1) picks one."""
    others = np.sort(matrix.values[:, matrix.benchmark_index(name)])
    others = others[np.isfinite(others)]
    by_slip = {
        "a share": score / 100,
        "turned round": 100 - score,
        "another model's": float(others[int(draw * others.size)]),
    }
    return by_slip[slip]


def pooled(alarms: Mapping[tuple[str, int], list[bool]]) -> dict[str, Any]:
    """Share of warnings over all that was asked, its error that between models."""
    by_model = np.array(list(alarms.values()), dtype=np.float64).mean(axis=0)
    error = float(by_model.std(ddof=1) / np.sqrt(by_model.size))
    return {"n": by_model.size, "rate": float(by_model.mean()), "mcse": error}


def rate(hits: list[bool]) -> dict[str, Any]:
    """Share of hits with its Monte Carlo error, that of (n p + 1) / (n + 2) where p is 0 or 1."""
    n = len(hits)
    p = sum(hits) / n if n else float("nan")
    smooth = (sum(hits) + 1) / (n + 2)
    return {"n": n, "rate": p, "mcse": sqrt(smooth * (1 - smooth) / (n + 2))}


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--blocks", type=click.IntRange(2), default=5, show_default=True)
@click.option("--seed", default=5, show_default=True)
@click.option("--out", type=Path, default=RESULTS)
def main(blocks: int, seed: int, out: Path) -> None:
    matrix = open_scores().filter(15, 8)
    percent = set(matrix.benchmarks.index[matrix.benchmarks["upper"] == 100])
    alarms: dict[tuple[str, int], list[bool]] = {}
    slips: dict[str, list[bool]] = {slip: [] for slip in SLIPS}
    for posterior, rows in held_out(matrix, blocks, seed):
        for row in rows:
            own = {
                name: float(score)
                for name, score in zip(matrix.benchmark_ids, matrix.values[row], strict=True)
                if np.isfinite(score) and name in posterior.benchmark_ids
            }
            rng = np.random.default_rng([seed, row])
            order = [str(name) for name in rng.permutation(list(own))]
            facts = ModelFacts.of(matrix, int(row))
            for k in KS:
                given = {name: own[name] for name in order[:k]}
                for told, known in (("facts", facts), ("scores alone", None)):
                    if len(given) == k:
                        found = contradictions(posterior, given, facts=known, seed=int(row))
                        alarms.setdefault((told, k), []).append(bool(found))
            given = {name: own[name] for name in order[:SPOILED_OF]}
            name, draw = next((n for n in given if n in percent), None), float(rng.random())
            for slip in SLIPS if name is not None else ():
                wrong = spoiled(matrix, str(name), given[str(name)], slip, draw)
                if abs(wrong - given[str(name)]) >= FAR:
                    asked: Mapping[str, float] = {**given, str(name): wrong}
                    found = contradictions(posterior, asked, seed=int(row))
                    slips[slip].append(name in {one.benchmark_id for one in found})
        click.echo(f"{sum(map(len, alarms.values()))} asked")
    record = {
        "name": "contradictions",
        "false_alarms": [
            {"told": told, "k": k, **rate(hits)} for (told, k), hits in sorted(alarms.items())
        ],
        "pooled": pooled(alarms),
        "found": {slip: rate(hits) for slip, hits in slips.items()},
        "provenance": provenance(matrix, {"blocks": blocks, "seed": seed}),
    }
    write("contradictions", record, out)
    click.echo(json.dumps({k: record[k] for k in ("false_alarms", "pooled", "found")}, indent=1))


if __name__ == "__main__":
    main()
