"""``bayesbench evaluate``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from ..config import cache_directory, usable_cores
from ..errors import UsageError
from ..progress import bar
from . import completing, values
from .data import chosen_splits, data_options, read_account, read_data, writable
from .output import Column, Listing, emit, example, format_option, text

if TYPE_CHECKING:
    from ..evaluation import EvaluationProtocol, EvaluationResult
    from ..scores import ScoreMatrix

__all__ = ["evaluate"]

LOW_COST_FILE = "low_cost_allowlist.json"
NESTED = ("medae", "medape", "coverage90", "width90", "n_cells")
PARAMETERS = {
    "folds": ("splits",),
    "families": ("families",),
    "low_cost": ("low_cost",),
    "ks": ("ks",),
    "seeds": ("seeds", "sets", "tables"),
    "cutoffs": ("cutoffs",),
    "posterior": ("posterior",),
    "inputs": ("inputs",),
    "reveals": ("reveals",),
    "sizes": ("sizes",),
    "fills": ("fills",),
    "seed": ("seed",),
    "max_folds": ("max_folds",),
}
"""Which parameter of a protocol an option stands for; a protocol has one of these or none."""


@click.command(
    epilog=example(
        "bayesbench evaluate --data data/open_scores --min-model 15 --min-benchmark 8 \\",
        "    --protocol folds --method low-rank --format json",
    )
)
@data_options(0, 0)
@click.option(
    "--protocol",
    default="folds",
    show_default=True,
    metavar="NAME",
    help="What is held out: folds, new-release, probes, curve, new-benchmark, as-shipped or "
    "small-tables.",
)
@click.option(
    "--method",
    default="low-rank",
    show_default=True,
    metavar="NAME",
    help="low-rank, low-rank-nuts, low-rank-svi, als, offsets, soft-impute, model-knn, blend, "
    "gaussian, bench-regression, one-factor, observational, smurff, model-mean, bias, mean "
    "or external; a peer with +conformal behind it (als+conformal) gets intervals.",
)
@click.option(
    "--folds",
    metavar="FILE",
    shell_complete=completing.file,
    help="folds: as JSON.  [default: per-model thirds]",
)
@click.option(
    "--families",
    metavar="FILE",
    shell_complete=completing.file,
    help="new-release: families as JSON.",
)
@click.option(
    "--low-cost",
    metavar="FILE",
    shell_complete=completing.file,
    help=f"probes: allow-list of cheap benchmarks.  [default: {LOW_COST_FILE} of the data, if any]",
)
@click.option(
    "--ks",
    type=values.counts,
    metavar="N,N",
    help="All but folds and small-tables: numbers of revealed scores.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    metavar="N",
    help="Repetitions; for probes random sets, for small-tables tables of each size and fill.",
)
@click.option(
    "--cutoffs",
    type=values.ids,
    metavar="DATE,DATE",
    help="as-shipped: fit the models before each.  [default: 2025-10-01,2026-02-01]",
)
@click.option(
    "--posterior",
    metavar="FILE",
    shell_complete=completing.file,
    help="as-shipped: instead of fitting, ask this one; bundled is the one that ships.",
)
@click.option(
    "--inputs",
    type=values.ids,
    metavar="A,B",
    help="as-shipped: what is told of a model.  [default: scores,facts,id]",
)
@click.option(
    "--reveals",
    type=values.ids,
    metavar="A,B",
    help="as-shipped: how scores are chosen to be shown.  [default: random,adaptive]",
)
@click.option(
    "--sizes",
    type=values.sizes,
    metavar="RxC,RxC",
    help="small-tables: models x benchmarks.  [default: 8x6,12x8,20x12,40x20,60x30]",
)
@click.option(
    "--fills",
    type=values.shares,
    metavar="F,F",
    help="small-tables: shares of cells with a score.  [default: 0.3,0.6,0.9]",
)
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
    callback=values.key_values,
    metavar="KEY=VALUE",
    help="Setting of the method; may be given several times.",
)
@click.option(
    "--predictions",
    multiple=True,
    metavar="FILE",
    shell_complete=completing.file,
    help="OUT.parquet: write every prediction there. IN.csv: what --method external predicts.",
)
@click.option(
    "--work-dir",
    metavar="DIR",
    shell_complete=completing.directory,
    help="Where finished folds are kept until the end.",
)
@click.option("--no-resume", is_flag=True, help="Keep nothing, take nothing up.")
@format_option("table", "json")
def evaluate(
    data: str,
    scale: str | None,
    benchmarks: str | None,
    keep: tuple[str, ...],
    drop: tuple[str, ...],
    models_in: Literal["rows", "columns"] | None,
    min_model: int,
    min_benchmark: int,
    protocol: str,
    method: str,
    jobs: int | None,
    options: dict[str, Any],
    predictions: tuple[str, ...],
    work_dir: str | None,
    no_resume: bool,
    output_format: str,
    **given: Any,
) -> None:
    """Measure error, coverage and width of a method on held-out scores.

    A run that was killed goes on where it stopped when it is started again the same way.
    """
    from ..evaluation import CONFORMAL, available_methods
    from ..evaluation import evaluate as evaluated
    from ..scores.ids import look_up

    known = {name: at for at, name in enumerate(available_methods())}
    look_up("method", method.removesuffix(CONFORMAL), known)
    plan = parameters(protocol, given)
    source, target = _prediction_files(method, predictions)
    if source is not None:
        options["path"] = source
    beside = Path(data) / LOW_COST_FILE
    if protocol == "probes" and beside.is_file():
        plan.setdefault("low_cost", str(beside))
    matrix = read_data(data, scale, benchmarks, min_model, min_benchmark, keep, drop, models_in)
    kept_in = Path(work_dir) if work_dir else cache_directory("evaluate")
    if jobs is None:
        jobs = usable_cores() if method.startswith("low-rank") else 1
    with bar("folds") as report:
        evaluation = evaluated(
            matrix,
            built(protocol, plan, matrix),
            method,
            options=options,
            jobs=jobs,
            work_dir=None if no_resume else kept_in,
            report=report,
        )
    result = evaluation[method]
    if target is not None:
        result.to_parquet(target)
    document = {**result.to_json(), "read": read_account(matrix)}
    emit(output_format, document, *_tables(result))


def parameters(protocol: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a protocol from the options that were given.

    Parameters
    ----------
    protocol : str
    given : mapping
        Value of every option of `PARAMETERS`; None where it was left out.

    Raises
    ------
    UsageError
        If there is no such protocol, or it has no such parameter; names the protocols that do.
    """
    from ..evaluation import PROTOCOLS
    from ..scores.ids import look_up

    look_up("protocol", protocol, {name: at for at, name in enumerate(PROTOCOLS)})
    found = {}
    for option, value in given.items():
        if value is None:
            continue
        owners = {
            name: field.name
            for name, kind in PROTOCOLS.items()
            for field in fields(cast(Any, kind))
            if field.name in PARAMETERS[option]
        }
        if protocol not in owners:
            raise UsageError(
                f"--{option.replace('_', '-')} belongs to protocol {', '.join(owners)}, "
                f"not to {protocol}; leave it out"
            )
        found[owners[protocol]] = value
    if "splits" in found and "seeds" in found:
        raise UsageError("--folds FILE says which folds there are: leave out --seeds")
    return found


def built(protocol: str, plan: Mapping[str, Any], matrix: ScoreMatrix) -> EvaluationProtocol:
    """The protocol, with the files among its parameters read."""
    from ..design import read_allowlist
    from ..evaluation import PROTOCOLS, load_families

    read: dict[str, Callable[[str], Any]] = {
        "splits": lambda path: chosen_splits(matrix, path, plan["seed"]),
        "families": load_families,
        "low_cost": read_allowlist,
    }
    known = {name: read[name](value) if name in read else value for name, value in plan.items()}
    return PROTOCOLS[protocol](**known)


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


def _tables(result: EvaluationResult) -> list[Listing]:
    from ..evaluation import table_rows

    rows = [{"figure": label, "value": value} for label, value in table_rows(result)]
    columns = (Column("figure", "figure", text, right=False), Column("value", "value", text))
    listings = [Listing(f"{result.protocol.name}, {result.method}", columns, rows)]
    for name, levels in result.protocol.parts.items():
        *outer, last = levels
        if len(result.protocol.parts) > 1:
            outer.insert(0, "table")
        grouped: dict[str, list[dict[str, Any]]] = {}
        for row in result.rows():
            if row.get("table", name) != name:
                continue
            grouped.setdefault(", ".join(str(row[level]) for level in outer), []).append(row)
        shown = (Column(last, last, text), *(Column(field, field) for field in NESTED))
        listings.extend(
            Listing(title or "by number of revealed scores", shown, entries)
            for title, entries in grouped.items()
        )
    return listings
