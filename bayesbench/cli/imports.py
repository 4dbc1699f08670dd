"""``bayesbench import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from . import completing
from .file_scores import mapped, notes_on
from .output import Column, Listing, emit, example, format_option, note, text
from .question import posterior_option

if TYPE_CHECKING:
    import pandas as pd

    from ..scores import ScoreMatrix
    from ..scores.importers import ImportedScores

__all__ = ["import_"]

SHOWN = 40
"""Most rows of one table on screen; CSV has every reading, JSON everything."""
READING_FIELDS = (
    *("model_id", "benchmark_id", "score", "reading", "stderr", "n_items", "setting", "date"),
    *("source_url", "file", "place", "format", "model_name", "benchmark_name", "metric"),
    *("model_rule", "benchmark_rule", "factor", "note"),
)
LEFT_FIELDS = ("file", "place", "model", "benchmark", "reason")


@click.command("import", epilog=example("bayesbench import results/ --alias names.csv --out mine"))
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=completing.file)
@click.option(
    "--alias",
    metavar="FILE",
    shell_complete=completing.file,
    help="Your own names: a CSV name,id[,kind].",
)
@click.option(
    "--out",
    metavar="DIR",
    shell_complete=completing.directory,
    help='Write a data directory there, as "fit --data" takes it.',
)
@click.option("--model", metavar="NAME", help="Model of files that name none.")
@click.option(
    "--scale",
    type=click.Choice(["unit", "percent", "rating"]),
    help="Scale of scores whose format states none.  [default: the benchmark's own]",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="TASK=METRIC",
    help="Metric of a task to read, where it has several; may be given several times.",
)
@click.option("--add", is_flag=True, help="Keep benchmarks that are not known, by their own names.")
@click.option("--partial", is_flag=True, help="Take runs that did not cover their benchmark.")
@posterior_option
@format_option()
def import_(
    paths: tuple[str, ...],
    alias: str | None,
    out: str | None,
    model: str | None,
    scale: Any,
    metrics: tuple[str, ...],
    add: bool,
    partial: bool,
    posterior: str | None,
    output_format: str,
) -> None:
    """Read result files of other tools: what was read, what names were taken for, what was not.

    Formats are told by content: lm-evaluation-harness, Every Eval Ever, Inspect, lighteval, HELM,
    Hugging Face, BenchPress, Open LLM Leaderboard v2, MTEB, Epoch's hub, LMArena, Artificial
    Analysis. Names and scales are those of the bundled matrix, or of --posterior.
    """
    from ..scores.importers import read_results

    if out is not None:
        _free(out)
    imported = read_results(
        paths,
        matrix=_matrix(posterior),
        aliases=alias,
        model=model,
        scale=scale,
        metrics=_metrics(metrics),
        add=add,
        partial=partial,
    )
    notes = notes_on(imported)
    for line in notes:
        note(f"note: {line}")
    if out is not None:
        imported.save(out)
    readings = _rows(imported.readings[list(READING_FIELDS)])
    document = {
        "out": out,
        "files": _rows(imported.files),
        "readings": readings,
        "left_out": _rows(imported.left_out),
        "notes": notes,
    }
    listings = [_readings(imported), _mapping(imported), _left_out(imported), _files(imported)]
    if output_format == "csv":
        listings = [Listing("", (), readings, READING_FIELDS)]
    emit(output_format, document, *listings)


def _free(out: str) -> None:
    """Refuse a place that is taken before anything is read."""
    target = Path(out)
    if target.exists():
        raise UsageError(f"--out {out!r} exists already; name a new directory")
    if not target.parent.is_dir():
        raise UsageError(f"--out {out!r}: there is no directory {str(target.parent)!r}")


def _matrix(posterior: str | None) -> ScoreMatrix | None:
    from ..front.posterior import open_posterior

    return None if posterior is None else open_posterior(posterior).matrix


def _metrics(written: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in written:
        task, equals, metric = pair.partition("=")
        if not (task.strip() and equals and metric.strip()):
            raise UsageError(f"--metric {pair!r} is not TASK=METRIC")
        if task.strip() in found:
            raise UsageError(f"--metric of {task.strip()!r} is given twice; give it once")
        found[task.strip()] = metric.strip()
    return found


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _cut(title: str, rows: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    if len(rows) <= SHOWN:
        return title, rows
    return f"{title} (the first {SHOWN} of {len(rows)}; --format json has all)", rows[:SHOWN]


def _readings(imported: ImportedScores) -> Listing:
    title, rows = _cut("Read", _rows(imported.readings))
    columns = (
        Column("model_id", "model", text, right=False),
        Column("benchmark_id", "benchmark", text, right=False),
        Column("score", "score"),
        Column("stderr", "stderr"),
        Column("n_items", "items", lambda n: "-" if n != n else f"{n:.0f}"),
        Column("setting", "setting", text, right=False),
        Column("date", "date", text, right=False),
        Column("note", "note", text, right=False),
    )
    return Listing(title, columns, rows, READING_FIELDS)


def _mapping(imported: ImportedScores) -> Listing:
    title, rows = _cut("Names", mapped(imported))
    columns = (
        Column("kind", "", text, right=False),
        Column("name", "in the files", text, right=False),
        Column("id", "taken for", text, right=False),
        Column("rule", "by", text, right=False),
        Column("readings", "readings", str),
    )
    return Listing(title, columns, rows, ("kind", "name", "id", "rule", "readings"))


def _files(imported: ImportedScores) -> Listing:
    title, rows = _cut("Files", _rows(imported.files))
    columns = (
        Column("file", "file", text, right=False),
        Column("format", "format", text, right=False),
        Column("readings", "readings", str),
        Column("left_out", "left out", str),
    )
    return Listing(title, columns, rows, ("file", "format", "readings", "left_out"))


def _left_out(imported: ImportedScores) -> Listing:
    """What was not taken, alike things together."""
    left = imported.left_out
    grouped = left.groupby(["benchmark", "reason"], sort=False).agg(
        number=("reason", "size"), file=("file", "first"), place=("place", "first")
    )
    found = grouped.reset_index().sort_values("number", ascending=False, kind="stable")
    title, rows = _cut("Left out", _rows(found))
    columns = (
        Column("number", "number", str),
        Column("benchmark", "benchmark", text, right=False),
        Column("reason", "reason", text, right=False),
        Column("file", "first in", text, right=False),
        Column("place", "at", text, right=False),
    )
    return Listing(title, columns, rows, ("number", "benchmark", "reason", "file", "place"))
