"""``bayesbench evaluate``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config import cache_directory, usable_cores
from ..errors import UsageError
from ..files import replacing
from ..progress import bar
from . import values
from .data import chosen_splits, data_options, read_data, writable
from .output import Column, Listing, emit, example, format_option, text

if TYPE_CHECKING:
    from ..evaluation import EvaluationResult
    from ..scores import ScoreMatrix

__all__ = ["evaluate"]

PROTOCOLS = ("folds", "new-release", "probes", "curve", "structure")
LOW_COST_FILE = "low_cost_allowlist.json"
NESTED = ("medae", "medape", "coverage90", "width90", "n_cells")


@click.command(
    epilog=example(
        "bayesbench evaluate --data data/open_scores --min-model 15 --min-benchmark 8 \\",
        "    --protocol folds --method low-rank --format json",
    )
)
@data_options(0, 0)
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default="folds",
    show_default=True,
    help="What is held out.",
)
@click.option(
    "--method",
    default="low-rank",
    show_default=True,
    metavar="NAME",
    help="low-rank, low-rank-nuts, low-rank-svi, als, soft-impute, model-knn, bench-regression, "
    "blend, gaussian, bias, mean or external.",
)
@click.option("--folds", metavar="FILE", help="Folds as JSON.  [default: per-model thirds]")
@click.option("--families", metavar="FILE", help="new-release: families as JSON.")
@click.option(
    "--low-cost",
    metavar="FILE",
    help=f"probes: allow-list of cheap benchmarks.  [default: {LOW_COST_FILE} of the data, if any]",
)
@click.option("--ks", type=values.counts, metavar="N,N", help="Numbers of revealed scores.")
@click.option("--seeds", type=click.IntRange(1), metavar="N", help="Repetitions.")
@click.option("--max-folds", type=click.IntRange(1), metavar="N", help="Only the first folds.")
@click.option(
    "--seed", type=values.SEED, default=42, show_default=True, metavar="N", help="First seed."
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Processes.  [default: one per core for low-rank methods, else 1]",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="Setting of the method; may be given several times.",
)
@click.option(
    "--predictions",
    multiple=True,
    metavar="FILE",
    help="OUT.parquet: write every prediction there. IN.csv: what --method external predicts.",
)
@click.option("--work-dir", metavar="DIR", help="Where finished folds are kept until the end.")
@click.option("--no-resume", is_flag=True, help="Keep nothing, take nothing up.")
@format_option("table", "json")
def evaluate(
    data: str,
    scale: str | None,
    benchmarks: str | None,
    min_model: int,
    min_benchmark: int,
    method: str,
    low_cost: str | None,
    options: tuple[str, ...],
    predictions: tuple[str, ...],
    work_dir: str | None,
    no_resume: bool,
    output_format: str,
    **plan: Any,
) -> None:
    """Measure error, coverage and width of a method on held-out scores.

    A run that was killed goes on where it stopped when it is started again the same way.
    """
    from ..evaluation import available_methods
    from ..scores.ids import look_up

    look_up("method", method, {name: at for at, name in enumerate(available_methods())})
    settings = read_options(options)
    source, target = _prediction_files(method, predictions)
    if source is not None:
        settings["path"] = source
    matrix = read_data(data, scale, benchmarks, min_model, min_benchmark)
    keep = None if no_resume else Path(work_dir) if work_dir else cache_directory("evaluate")
    beside = Path(data) / LOW_COST_FILE
    if low_cost is None and plan["protocol"] == "probes" and beside.is_file():
        low_cost = str(beside)
    result = run(matrix, method, settings, keep, low_cost=low_cost, **plan)
    if target is not None:
        _write(result, target)
    emit(output_format, result.to_json(), *_tables(result))


def read_options(written: Sequence[str]) -> dict[str, Any]:
    """``KEY=VALUE`` pairs; a value that is JSON is read as such, anything else is text."""
    found: dict[str, Any] = {}
    for pair in written:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip().isidentifier():
            raise UsageError(f"--option {pair!r} is not KEY=VALUE")
        if key.strip() in found:
            raise UsageError(f"--option {key.strip()} is given twice; give it once")
        try:
            found[key.strip()] = json.loads(value)
        except ValueError:
            found[key.strip()] = value
    return found


def _prediction_files(method: str, given: Sequence[str]) -> tuple[str | None, Path | None]:
    """What to read (external) and what to write, told apart by their names."""
    read = [name for name in given if name.endswith((".csv", ".csv.gz"))]
    write = [name for name in given if name.endswith(".parquet")]
    other = [name for name in given if name not in read + write]
    if other or len(read) > 1 or len(write) > 1:
        raise UsageError(
            f"--predictions {(other or read[1:] or write[1:])[0]!r}: give one OUT.parquet to "
            "write, and for --method external one IN.csv to read"
        )
    if read and method != "external":
        raise UsageError(f"--predictions {read[0]!r} is for --method external; name a .parquet")
    if method == "external" and not read:
        raise UsageError("--method external needs --predictions FILE.csv")
    if read and not Path(read[0]).is_file():
        raise UsageError(f"--predictions {read[0]!r}: no such file")
    return (read[0] if read else None), (writable(write[0], "--predictions") if write else None)


def run(
    matrix: ScoreMatrix,
    method: str,
    settings: Mapping[str, Any],
    keep: Path | None,
    *,
    protocol: str,
    folds: str | None,
    families: str | None,
    low_cost: str | None,
    ks: tuple[int, ...] | None,
    seeds: int | None,
    max_folds: int | None,
    seed: int,
    jobs: int | None,
) -> EvaluationResult:
    """Evaluate with a progress bar over folds."""
    from ..design import read_allowlist
    from ..evaluation import evaluate as evaluated
    from ..evaluation import load_families

    if jobs is None:
        jobs = usable_cores() if method.startswith("low-rank") else 1
    with bar("folds") as report:
        return evaluated(
            matrix,
            protocol,
            method,
            splits=None if folds is None else chosen_splits(matrix, folds, seed),
            families=None if families is None else load_families(families),
            low_cost=None if low_cost is None else read_allowlist(low_cost),
            max_folds=max_folds,
            seed=seed,
            n_seeds=seeds,
            ks=ks,
            options=settings,
            jobs=jobs,
            work_dir=keep,
            on_progress=report,
        )


def _write(result: EvaluationResult, target: Path) -> None:
    with replacing(target) as part:
        result.to_parquet(part)


def _tables(result: EvaluationResult) -> list[Listing]:
    from ..evaluation import table_rows

    rows = [{"figure": label, "value": value} for label, value in table_rows(result)]
    columns = (Column("figure", "figure", text, right=False), Column("value", "value", text))
    listings = [Listing(f"{result.protocol}, {result.method}", columns, rows)]
    figures = result.to_json()
    nested = dict(figures.get("policies", {}))
    if "by_k" in figures:
        nested[""] = figures["by_k"]
    for name, by_k in nested.items():
        entries = [
            {"k": k, **{field: entry.get(field) for field in NESTED}} for k, entry in by_k.items()
        ]
        shown = (Column("k", "k", text), *(Column(field, field) for field in NESTED))
        listings.append(Listing(name or "by number of revealed scores", shown, entries))
    return listings
