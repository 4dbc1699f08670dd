"""Run evaluation protocols and keep their figures: one JSON per protocol and method.

    python benchmarks/run.py p1 --methods low-rank,als --jobs 2
    python benchmarks/run.py p1 --methods low-rank --seeds development --label rank-4 \
        --option rank=4
    python benchmarks/run.py p1 --methods als --seed 1 --label seed-1
    python benchmarks/run.py p2 --methods low-rank,als
    python benchmarks/run.py p3 --methods low-rank,als
    python benchmarks/run.py p3 --methods low-rank --option update=condition --label conditioned
    python benchmarks/run.py p4 --methods low-rank --jobs 2
    python benchmarks/run.py new-benchmark --methods low-rank,als,mean --jobs 2
    python benchmarks/run.py p7 --jobs 2
    python benchmarks/run.py p8 --jobs 2

P1, P3 and P4 read the public matrix (``--data``); P2 and new-benchmark the bundled one; P7 asks the
shipped posterior about the public and the bundled models it never saw, P8 cuts tables out of both.
A run that was killed goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from records import PUBLIC_MATRIX, RESULTS, provenance, write

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.cli.evaluate import LOW_COST_FILE
from bayesbench.cli.values import counts, key_values
from bayesbench.config import cache_directory
from bayesbench.design import read_allowlist
from bayesbench.evaluation import (
    AsShipped,
    EvaluationProtocol,
    EvaluationResult,
    Folds,
    NewBenchmark,
    NewRelease,
    Policy,
    Probes,
    SmallTables,
    calibration,
    evaluate,
    metrics,
    sharpness,
)
from bayesbench.evaluation.cells import CellTable
from bayesbench.evaluation.figures import headline, short
from bayesbench.evaluation.metrics import RankingCounts
from bayesbench.progress import bar
from bayesbench.scores import ScoreMatrix, open_scores
from bayesbench.scores.splits import Split, load_folds

DEVELOPMENT_SEEDS = (42, 43, 44, 45)
"""Fold seeds that settings were chosen on. The others split the same cells again: they show how far
the split moves the figures, and test nothing new."""
ENDS = 8
"""Benchmarks listed at each end of the sharpness table."""


def common(command: Callable[..., None]) -> Callable[..., None]:
    """Options of every protocol."""
    for option in (
        click.option("--methods", default="low-rank", show_default=True, help="Comma-separated."),
        click.option("--jobs", type=click.IntRange(1), default=1, show_default=True),
        click.option("--max-folds", type=click.IntRange(1), help="Only the first tasks."),
        click.option("--option", "options", multiple=True, callback=key_values, help="KEY=VALUE."),
        click.option("--label", default="", help="Added to the name of the JSON file."),
        click.option("--predictions", type=Path, help="Folder for per-cell parquet files."),
        click.option("--out", type=Path, default=RESULTS, help="Folder of the JSON files."),
    ):
        command = option(command)
    return command


data_option = click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=PUBLIC_MATRIX,
    help="Folder of the public 84 x 133 matrix with its folds.",
)


PUBLISHED_ORDERS = {
    "the post's five": ("hle", "aime_2025", "livecodebench", "swe_bench_verified", "simpleqa"),
    "published order": ("gpqa_diamond", "hle", "codeforces_rating", "mmlu_pro", "arc_agi_1"),
    "published order, low-cost": (
        "gpqa_diamond", "mmlu_pro", "aider_polyglot_diff", "math_500", "aime_2026",
    ),
}  # fmt: skip
"""Published probes, chosen there on the error of these very cells."""


@click.group(help=(__doc__ or "").partition("\n")[0])
def main() -> None:
    pass


def run_methods(
    name: str,
    matrix: ScoreMatrix,
    protocol: EvaluationProtocol,
    *,
    methods: str,
    jobs: int,
    max_folds: int | None,
    options: dict[str, Any],
    label: str,
    predictions: Path | None,
    out: Path,
    extras: Callable[[str, EvaluationResult], dict[str, Any]],
    said: dict[str, Any],
) -> None:
    """Evaluate every method and write its record."""
    for method in methods.split(","):
        with bar(f"{name} {method}") as report:
            result = evaluate(
                matrix,
                protocol,
                method,
                options=options,
                jobs=jobs,
                work_dir=cache_directory("evaluate"),
                report=report,
            )[method]
        written = {**said, "max_folds": max_folds, "jobs": jobs, "method_options": options}
        record = {
            "name": name,
            "label": label,
            **result.to_json(),
            **extras(method, result),
            "provenance": provenance(matrix, written),
        }
        stem = "-".join(part for part in (name, method, label) if part)
        path = write(stem, record, out)
        if predictions is not None:
            predictions.mkdir(parents=True, exist_ok=True)
            result.to_parquet(predictions / f"{stem}.parquet")
        figures = {key: record[key] for key in ("medae", "medape", "coverage90", "width90")}
        click.echo(f"{path.name}: {json.dumps(figures)}")


@main.command()
@common
@data_option
@click.option(
    "--seeds",
    type=click.Choice(["all", "development", "other"]),
    default="all",
    show_default=True,
    help="Which of the published fold seeds.",
)
@click.option("--seed", default=42, show_default=True, help="Of the method; the folds are given.")
def p1(data: Path, seeds: str, seed: int, **plan: Any) -> None:
    """Published per-model folds: 10 seeds of 3 folds."""
    matrix = ScoreMatrix.from_directory(data)
    splits = [split for split in published_folds(data, matrix) if wanted(split.seed, seeds)]

    def extras(method: str, result: EvaluationResult) -> dict[str, Any]:
        return {
            **by_seeds(matrix, result),
            **calibration_part(result),
            "published_trust": published_trust(data, result),
        }

    said = {"seeds": seeds, "seed": seed, "data": "public 84 x 133 matrix"}
    protocol = Folds(splits=splits, seed=seed, max_folds=plan["max_folds"])
    run_methods("p1", matrix, protocol, extras=extras, said=said, **plan)


def published_folds(data: Path, matrix: ScoreMatrix) -> list[Split]:
    """The 30 folds that lie beside the matrix."""
    return load_folds(data / "folds_10x3.json", matrix)


def wanted(seed: int, which: str) -> bool:
    """Whether a fold seed belongs to the part asked for."""
    return which == "all" or (seed in DEVELOPMENT_SEEDS) == (which == "development")


@main.command()
@common
def p2(**plan: Any) -> None:
    """The bundled matrix: per-model 3-fold, seed 42."""
    matrix = open_scores().filter(15, 8)

    def extras(method: str, result: EvaluationResult) -> dict[str, Any]:
        return calibration_part(result)

    said = {"data": "bundled open_scores, models >= 15 and benchmarks >= 8 scores", "seed": 42}
    protocol = Folds(seed=42, max_folds=plan["max_folds"])
    run_methods("p2", matrix, protocol, extras=extras, said=said, **plan)


@main.command()
@common
@data_option
@click.option("--draws", type=click.IntRange(1), default=10, show_default=True)
@click.option("--ks", type=counts, default="1,5,10", show_default=True)
def p3(data: Path, draws: int, ks: tuple[int, ...], **plan: Any) -> None:
    """New releases from the models before them, k scores shown."""
    matrix = ScoreMatrix.from_directory(data)

    def extras(method: str, result: EvaluationResult) -> dict[str, Any]:
        return {"calibration_by_k": {str(k): calibration_part(result, k) for k in ks}}

    said = {"data": "public 84 x 133 matrix", "draws": draws, "ks": ks}
    protocol = NewRelease(ks=ks, seeds=draws, max_folds=plan["max_folds"])
    run_methods("p3", matrix, protocol, extras=extras, said=said, **plan)


@main.command()
@common
@data_option
@click.option("--random-sets", type=click.IntRange(0), default=5, show_default=True)
@click.option("--ks", type=counts, default="0,1,2,3,4,5,7,10", show_default=True)
def p4(data: Path, random_sets: int, ks: tuple[int, ...], **plan: Any) -> None:
    """Probes: which benchmarks to run on a model none of whose scores are known.

    Beside the method's own policies, random ones and popularity-first: the published orders.
    """
    matrix = ScoreMatrix.from_directory(data)
    low_cost = read_allowlist(data / LOW_COST_FILE)
    policies = [Policy(name, (order,), in_sample=True) for name, order in PUBLISHED_ORDERS.items()]

    def extras(method: str, result: EvaluationResult) -> dict[str, Any]:
        return calibration_part(result)

    said = {"data": "public 84 x 133 matrix", "random_sets": random_sets, "ks": ks}
    protocol = Probes(
        policies=policies,
        low_cost=low_cost,
        ks=ks,
        sets=random_sets,
        max_folds=plan["max_folds"],
    )
    run_methods("p4", matrix, protocol, extras=extras, said=said, **plan)


@main.command()
@common
@data_option
@click.option("--draws", type=click.IntRange(1), default=2, show_default=True)
@click.option("--ks", type=counts, default="0,1,3,5,10", show_default=True)
def p7(data: Path, draws: int, ks: tuple[int, ...], **plan: Any) -> None:
    """As shipped: models that the shipped posterior never saw, public ones and bundled ones."""
    label = plan.pop("label")
    sources = {"public": ScoreMatrix.from_directory(data), "bundled": open_scores()}
    for name, matrix in sources.items():
        said = {"data": f"{name} models outside the shipped fit", "draws": draws, "ks": ks}
        protocol = AsShipped(posterior="bundled", ks=ks, seeds=draws, max_folds=plan["max_folds"])
        stem = "-".join(part for part in (name, label) if part)
        run_methods("p7", matrix, protocol, extras=nothing, said=said, label=stem, **plan)


@main.command()
@common
@data_option
@click.option("--tables", type=click.IntRange(1), default=2, show_default=True)
def p8(data: Path, tables: int, **plan: Any) -> None:
    """Small tables, cut out of the public and the bundled matrix and fitted as users do."""
    label = plan.pop("label")
    sources = {"public": ScoreMatrix.from_directory(data), "bundled": open_scores()}
    for name, matrix in sources.items():
        said = {"data": f"tables cut out of the {name} matrix", "tables": tables}
        protocol = SmallTables(tables=tables, max_folds=plan["max_folds"])
        stem = "-".join(part for part in (name, label) if part)
        run_methods("p8", matrix, protocol, extras=nothing, said=said, label=stem, **plan)


@main.command()
@common
@click.option("--ks", type=counts, default="5,10,15,20", show_default=True)
def new_benchmark(ks: tuple[int, ...], **plan: Any) -> None:
    """The bundled matrix: how many models must have run a new benchmark."""
    matrix = open_scores().filter(15, 8)

    def extras(method: str, result: EvaluationResult) -> dict[str, Any]:
        return {"calibration_by_k": {str(k): calibration_part(result, k) for k in ks}}

    said = {"data": "bundled open_scores, models >= 15 and benchmarks >= 8 scores", "ks": ks}
    protocol = NewBenchmark(ks=ks, max_folds=plan["max_folds"])
    run_methods("new-benchmark", matrix, protocol, extras=extras, said=said, **plan)


def nothing(_method: str, _result: EvaluationResult) -> dict[str, Any]:
    """No figures beside those of the protocol."""
    return {}


def by_seeds(matrix: ScoreMatrix, result: EvaluationResult) -> dict[str, Any]:
    """Figures of the development seeds and of the other splits of the same cells, each apart."""
    seed = result.table.cells["seed"].to_numpy()
    development = np.isin(seed, DEVELOPMENT_SEEDS)
    none = {margin: RankingCounts(0.0, 0.0) for margin in (0.0, 5.0)}
    out = {}
    for name, rows in (("development", development), ("other", ~development)):
        if rows.any():
            figures = headline(matrix, result.table.select(rows), none)
            for left_out in ("ranking_margin0", "ranking_margin5", "by_scale", "strata"):
                del figures[left_out]
            out[name] = {"seeds": sorted({int(s) for s in seed[rows]}), **figures}
    return out


def calibration_part(result: EvaluationResult, k: int | None = None) -> dict[str, Any]:
    """PIT, coverage at several levels, `P(|error| <= 10)`, and the two ends of sharpness."""
    table = result.table
    if k is not None:
        table = table.select((table.cells["k"] == k).to_numpy())
    found = calibration(table)
    if not found:
        return {}
    rows = [row for row in sharpness(table) if row["n_cells"]]
    ends = {"widest": rows[:ENDS], "narrowest": rows[-ENDS:][::-1]}
    return {"calibration": found, "sharpness": ends, "certainty": by_certainty(table)}


def by_certainty(table: CellTable, parts: int = 5) -> list[dict[str, Any]]:
    """Error and coverage by fifths of the relative width of the central half."""
    kept = table.select(table.predictable)
    assert kept.quantiles is not None
    low, high = (int(np.argmin(np.abs(PREDICTIVE_LEVELS - p))) for p in (0.25, 0.75))
    spread = kept.quantiles[:, high] - kept.quantiles[:, low]
    doubt = spread / np.maximum(np.abs(kept.cells["median"].to_numpy(np.float64)), 1e-9)
    fifth = np.argsort(np.argsort(doubt, kind="stable")) * parts // max(doubt.size, 1)
    return [{"fifth": n + 1, **short(kept.select(fifth == n))} for n in range(parts)]


def published_trust(data: Path, result: EvaluationResult) -> dict[str, Any] | None:
    """Brier score of the published trust against the errors of this method, and of our own.

    The published predictions are those of one fit of the whole matrix and give every known score
    back as its own prediction, so they have no held-out error. What can be measured is whether the
    published trust of a cell says how often a method's HELD-OUT prediction of it lies within 10.
    """
    path = data / "published_predictions.csv.gz"
    if not path.is_file():
        return None
    keys = ["model_id", "benchmark_id"]
    kept = result.table.select(result.table.predictable)
    cells = kept.cells.merge(pd.read_csv(path), on=keys, how="left", validate="many_to_one")
    both = cells["trust10"].notna().to_numpy()
    hit = ((cells["median"] - cells["truth"]).abs() <= 10).to_numpy(np.float64)
    out: dict[str, Any] = {
        "n_cells": int(both.sum()),
        "predicted_equals_score": float((cells["predicted"] == cells["truth"])[both].mean()),
        "brier_published_trust": metrics.brier(cells["trust10"].to_numpy()[both], hit[both]),
        "mean_published_trust": float(cells["trust10"][both].mean()),
        "hit_rate": float(hit[both].mean()),
    }
    if kept.quantiles is not None:
        median = kept.cells["median"].to_numpy(np.float64)
        own = metrics.probability_within(median, PREDICTIVE_LEVELS, kept.quantiles, 10.0)
        out["brier_own"] = metrics.brier(own[both], hit[both])
    return out


if __name__ == "__main__":
    main()
