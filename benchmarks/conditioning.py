"""Conditioning against full refits: how far apart are their medians and interval widths?

    python benchmarks/conditioning.py --engine nuts --models 5
    python benchmarks/conditioning.py --engine gibbs --models 10
    python benchmarks/conditioning.py --engine gibbs --models 20 --repeats 0 --ks 5 \\
        --probes gpqa_diamond,hle,mmlu_pro,browsecomp,livecodebench --label probes

The last compares both ways on protocol P4: their errors on the same hidden scores.

For each held-out model: one fit of the other models, conditioned on 3, 5 and 10 of its scores;
against it a fit that has these scores among its training scores, and the same refit from another
seed, whose difference is the Monte Carlo error of the comparison. Intervals are the raw ones.
The JSON is written after every case, and a run started again goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from records import PUBLIC_MATRIX, RESULTS, provenance, write

from bayesbench.answers.predictive import Predictive, predict_cells
from bayesbench.fitting.crossfit import condition_on_row
from bayesbench.fitting.engines.settings import ENGINES
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix

LEAST_SCORES = 20
"""Models with fewer scores are not held out: too few cells would be left to compare."""
SEED = 7


def showing(matrix: ScoreMatrix, row: int, shown: Sequence[int]) -> ScoreMatrix:
    """The matrix with all scores of a model hidden but those on the columns `shown`."""
    hidden = np.zeros(matrix.shape, dtype=np.bool_)
    hidden[row] = matrix.observed[row]
    hidden[row, list(shown)] = False
    return matrix.mask(hidden)


def compared(one: Predictive, other: Predictive) -> dict[str, float]:
    """Median absolute difference of the medians (points) and median ratio of the 90 % widths."""
    (low, high), (low_other, high_other) = one.interval(0.9), other.interval(0.9)
    return {
        "median_difference": float(np.median(np.abs(one.median - other.median))),
        "width_ratio": float(np.median((high - low) / (high_other - low_other))),
    }


def percent_cells(matrix: ScoreMatrix, row: int, shown: Sequence[int]) -> np.ndarray:
    """Columns to compare: on the 0-100 scale, scored by another model, not shown."""
    others = np.delete(matrix.observed, row, axis=0).any(axis=0)
    percent = (matrix.benchmarks["scale"] == "percent").to_numpy()
    return np.setdiff1d(np.flatnonzero(others & percent), list(shown))


def shown_order(matrix: ScoreMatrix, row: int, probes: str | None) -> np.ndarray:
    """Columns with a score of the model in the order they are shown: `probes`, or at random."""
    own = np.flatnonzero(matrix.observed[row])
    if probes is None:
        return np.random.default_rng([SEED, row]).permutation(own)
    wanted = [matrix.benchmark_index(name) for name in probes.split(",")]
    return np.array([column for column in wanted if column in own], dtype=np.int64)


def errors(made: Predictive, matrix: ScoreMatrix, cells: np.ndarray) -> list[float]:
    """Absolute errors on the model's own hidden scores, points."""
    truth = matrix.values[tuple(cells.T)]
    return [float(e) for e in np.abs(made.median - truth)[np.isfinite(truth)]]


@click.command(help=(__doc__ or "").partition("\n")[0])
@click.option("--data", type=click.Path(exists=True, path_type=Path), default=PUBLIC_MATRIX)
@click.option("--engine", type=click.Choice(["nuts", "gibbs"]), default="nuts", show_default=True)
@click.option("--models", "n_models", type=click.IntRange(1), default=5, show_default=True)
@click.option("--ks", default="3,5,10", show_default=True)
@click.option("--repeats", type=click.IntRange(0), help="Cases refitted from a second seed; all.")
@click.option("--probes", help="Benchmarks to show in this order, comma-separated; else random.")
@click.option("--label", default="", help="Added to the name of the JSON file.")
@click.option("--set", "settings", multiple=True, help="Setting of the engine, as draws=300.")
@click.option("--out", type=Path, default=RESULTS)
def main(
    data: Path,
    engine: str,
    n_models: int,
    ks: str,
    repeats: int | None,
    probes: str | None,
    label: str,
    settings: tuple[str, ...],
    out: Path,
) -> None:
    matrix, spec = ScoreMatrix.from_directory(data), ModelSpec()
    config: Any = ENGINES[engine]()
    pairs = [pair.partition("=") for pair in settings]
    config = replace(config, **{key: int(value) for key, _, value in pairs})
    name = "-".join(part for part in ("conditioning", engine, label) if part)
    options = {"engine": engine, "ks": ks, "probes": probes, **asdict(config)}

    def fit(train: ScoreMatrix, seed: int) -> StoredPosterior:
        return sample(train, spec, config, seed=seed, n_readings=matrix.n_cells, check=False)

    cases = _kept(out / f"{name}.json", options, matrix)
    rng = np.random.default_rng(SEED)
    eligible = np.flatnonzero(matrix.observed.sum(axis=1) >= LEAST_SCORES)
    done = 0
    for row in rng.permutation(eligible)[:n_models]:
        order = shown_order(matrix, int(row), probes)
        base: StoredPosterior | None = None
        for k in (int(part) for part in ks.split(",")):
            key = f"{matrix.model_ids[row]} k={k}"
            repeat = repeats is None or done < repeats
            done += 1
            if key in cases and (not repeat or "refits" in cases[key]):
                continue
            if base is None:
                base = fit(showing(matrix, row, []), SEED)
            shown = [int(column) for column in order[:k]]
            columns = percent_cells(matrix, int(row), shown)
            cells = np.stack([np.full(columns.size, row), columns], axis=1)
            given = condition_on_row(base, matrix, int(row), np.array(shown), SEED).take(columns)
            train = showing(matrix, row, shown)
            refit = predict_cells(fit(train, SEED + 1), cells)
            case: dict[str, Any] = {
                "model_id": matrix.model_ids[row],
                "k": k,
                "n_cells": int(columns.size),
                "conditioning": compared(given, refit),
                "errors": {
                    "conditioning": errors(given, matrix, cells),
                    "refit": errors(refit, matrix, cells),
                },
            }
            if repeat:
                again = predict_cells(fit(train, SEED + 2), cells)
                case["refits"] = compared(again, refit)
            cases[key] = case
            write(name, _record(cases, provenance(matrix, options)), out)
            click.echo(f"{key}: {json.dumps({n: case[n] for n in case if n in KINDS})}")


KINDS = ("conditioning", "refits")


def _kept(path: Path, options: dict[str, Any], matrix: ScoreMatrix) -> dict[str, Any]:
    if not path.is_file():
        return {}
    record = json.loads(path.read_text(encoding="utf-8"))
    made = record["provenance"]
    same = made["data_hash"] == matrix.data_hash and made["options"] == json.loads(
        json.dumps(options)
    )
    return {f"{case['model_id']} k={case['k']}": case for case in record["cases"]} if same else {}


def _record(cases: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """All cases with their medians, in all and by the number of scores shown."""
    rows = list(cases.values())
    ks = sorted({row["k"] for row in rows})
    return {
        "name": "conditioning",
        "summary": _medians(rows),
        "by_k": {str(k): _medians([row for row in rows if row["k"] == k]) for k in ks},
        "cases": rows,
        "provenance": made,
    }


def _medians(rows: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {"n_cases": len(rows)}
    for kind in KINDS:
        measured = [row[kind] for row in rows if kind in row]
        if measured:
            out[kind] = {
                name: float(np.median([entry[name] for entry in measured])) for name in measured[0]
            }
    for way in ("conditioning", "refit"):
        pooled = [e for row in rows for e in row.get("errors", {}).get(way, ())]
        if pooled:
            out[f"medae_{way}"] = float(np.median(pooled))
    return out


if __name__ == "__main__":
    main()
