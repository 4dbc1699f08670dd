"""``bayesbench data``: check, add, diff, stats, quarantine, fetch, export."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import DataError, UsageError
from . import completing
from .adding import add
from .data import read_data
from .export import export
from .fetching import fetch
from .output import Column, Listing, emit, example, format_option, note, number, text
from .quoting import bare, split_list

if TYPE_CHECKING:
    from ..scores.matrix import ScoreMatrix

__all__ = ["data"]

FINDING_FIELDS = ("level", "kind", "probability", "text")
DIFFERENCE_FIELDS = (*("change", "kind", "model_id", "benchmark_id", "field", "before", "after"),)
GROUP_FIELDS = ("group", "value", "models", "benchmarks", "cells", "readings")
REPEAT_FIELDS = (
    *("scale", "cells", "readings", "agree", "difference", "difference_p75", "difference_p90"),
    "medae",
)
ASIDE_FIELDS = (
    *("model_id", "benchmark_id", "score", "reading", "setting", "source_kind", "source_url"),
    *("origin", "reason"),
)
MOVED_FIELDS = ("moved", "model_id", "benchmark_id", "reading", "score", "first", "reason")
SHOWN = 40
"""Most rows of one table on screen; CSV and JSON have all."""


@click.group(
    invoke_without_command=True,
    epilog=example(
        "bayesbench data check data/open_scores",
        "bayesbench data add results.json --to mine --dry-run",
        "bayesbench data diff data/open_scores mine",
        'bayesbench data quarantine mine --add "gpt-4.1,ifeval,1" --reason "another split"',
    ),
)
@click.pass_context
def data(ctx: click.Context) -> None:
    """Keep a score matrix: find its faults, add to it, compare, count, leave out, export."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


data.add_command(add)
data.add_command(export)
data.add_command(fetch)


@data.command(epilog=example("bayesbench data check data/open_scores --format json"))
@click.argument("path", metavar="DIR_OR_FILE", shell_complete=completing.file)
@click.option(
    "--scale",
    type=click.Choice(["auto", "percent", "unit", "rating"]),
    help="Scale of the scores of a single table.  [default: auto]",
)
@click.option(
    "--benchmarks",
    metavar="FILE",
    shell_complete=completing.file,
    help="Benchmark metadata of a single table, as a table.",
)
@click.option(
    "--posterior",
    metavar="FILE|bundled",
    shell_complete=completing.file,
    help="A posterior of these scores: readings that look wrong to it are named too (a minute).",
)
@format_option()
def check(
    path: str,
    scale: str | None,
    benchmarks: str | None,
    posterior: str | None,
    output_format: str,
) -> None:
    """List every fault of a data directory or a table, then what is doubtful about it.

    Exit 1 if there is an error. Warnings, such as two ids that may be one model, are to be looked
    at; they do not count as errors.
    """
    from ..scores.assemble import AUTO
    from ..scores.upkeep import check_data

    if Path(path).is_dir() and (scale is not None or benchmarks is not None):
        raise UsageError("a data directory states its own scales: leave out --scale, --benchmarks")
    found = check_data(path, scale=scale or AUTO, benchmarks=benchmarks)
    rows = [asdict(one) for one in found.findings]
    n_suspected = 0
    if posterior is not None and found.matrix is not None:
        suspected = _suspected(posterior, found.matrix)
        rows, n_suspected = rows + suspected, len(suspected)
    n_warnings = len(found.warnings) + n_suspected
    sizes = None if found.matrix is None else found.matrix.describe()
    document = {
        "path": path,
        "errors": len(found.errors),
        "warnings": n_warnings,
        "sizes": sizes,
        "findings": rows,
    }
    columns = (
        Column("level", "level", text, right=False),
        Column("kind", "kind", text, right=False),
        Column("probability", "probability", _blank),
        Column("text", "what", text, right=False),
    )
    title = f"{path}: {_count(len(found.errors), 'error')}, {_count(n_warnings, 'warning')}"
    if found.matrix is not None:
        title += f"; {found.matrix}"
    emit(output_format, document, Listing(title, columns, rows, FINDING_FIELDS))
    if found.errors:
        raise DataError(f"{path}: {_count(len(found.errors), 'error')}; correct what is listed")


def _suspected(posterior: str, matrix: ScoreMatrix) -> list[dict[str, Any]]:
    """Findings of readings that look wrong to a posterior."""
    from ..answers.wrong_readings import wrong_readings
    from ..front.posterior import open_posterior

    judged = wrong_readings(open_posterior(None if posterior == "bundled" else posterior), matrix)
    if judged.left_out:
        note(f"note: {judged.left_out} scores are not judged: the posterior does not know them")
    return [
        {
            "level": "warning",
            "kind": "suspicion",
            "text": one.sentence,
            "probability": one.probability,
        }
        for one in judged.found
    ]


@data.command(epilog=example("bayesbench data diff data/open_scores mine"))
@click.argument("before", metavar="BEFORE", shell_complete=completing.file)
@click.argument("after", metavar="AFTER", shell_complete=completing.file)
@format_option()
def diff(before: str, after: str, output_format: str) -> None:
    """List what two matrices differ in: models, benchmarks, metadata, cells, readings.

    Each is a data directory or a table. Order does not count.
    """
    from ..scores.upkeep import differences, summed_up

    found = differences(_matrix(before), _matrix(after))
    rows = [asdict(one) for one in found]
    line = summed_up(found)
    document = {"paths": [before, after], "line": line, "differences": rows}
    columns = (
        Column("change", "change", text, right=False),
        Column("kind", "what", text, right=False),
        Column("model_id", "model", text, right=False),
        Column("benchmark_id", "benchmark", text, right=False),
        Column("field", "field", text, right=False),
        Column("before", "before", text, right=False),
        Column("after", "after", text, right=False),
    )
    shown = rows if output_format == "csv" else rows[:SHOWN]
    emit(
        output_format, document, Listing(line, columns, shown, DIFFERENCE_FIELDS), after=_cut(rows)
    )


@data.command(epilog=example("bayesbench data stats data/open_scores"))
@click.argument("path", metavar="DIR_OR_FILE", shell_complete=completing.file)
@format_option()
def stats(path: str, output_format: str) -> None:
    """Count models, benchmarks and cells, by source, scale, category, year and provider.

    Also how far repeated readings of a cell lie apart.
    """
    from ..scores.upkeep import overview

    figures = overview(_matrix(path))
    sizes = [{"field": name, "value": value} for name, value in figures["sizes"].items()]
    groups, repeats = figures["groups"], figures["repeats"]
    plain = (Column("field", "", text, right=False), Column("value", "", _figure))
    counted = (
        Column("group", "by", text, right=False),
        Column("value", "value", text, right=False),
        *(Column(name, name, text) for name in GROUP_FIELDS[2:]),
    )
    repeated = (
        Column("scale", "scale", text, right=False),
        Column("cells", "cells", text),
        Column("readings", "readings", text),
        Column("agree", "agree", number),
        Column("difference", "median difference", number),
        Column("difference_p75", "75 %", number),
        Column("difference_p90", "90 %", number),
        Column("medae", "least median error", number),
    )
    listings = [
        Listing(f"Sizes of {path}", plain, sizes, ("field", "value")),
        Listing("Cells", counted, groups, GROUP_FIELDS),
    ]
    if repeats:
        listings.append(Listing("Cells with several readings", repeated, repeats, REPEAT_FIELDS))
    if output_format == "csv":
        listings = [listings[1]]
    emit(output_format, {"path": path, **figures}, *listings)


@data.command(
    epilog=example(
        "bayesbench data quarantine mine",
        'bayesbench data quarantine mine --add "gpt-4.1,ifeval,1" --reason "another split"',
        'bayesbench data quarantine mine --back "gpt-4.1,ifeval"',
    )
)
@click.argument("directory", metavar="DIR", shell_complete=completing.directory)
@click.option("--add", metavar="MODEL,BENCHMARK,READING", help="Put this reading aside.")
@click.option("--reason", metavar="TEXT", help="Why; with --add.")
@click.option(
    "--back", metavar="MODEL,BENCHMARK[,N]", help="Bring the N-th one of that cell back (1)."
)
@format_option()
def quarantine(
    directory: str, add: str | None, reason: str | None, back: str | None, output_format: str
) -> None:
    """List the readings in quarantine, put one aside with a reason, or bring one back.

    A reading goes from scores.csv to quarantine.csv with all that is known of it. Where reading 1
    goes, the lowest of the others takes its place. Names with a comma stand in double quotes.
    """
    from ..scores.upkeep import put_aside, put_back, quarantined

    if add is not None and back is not None:
        raise UsageError("--add and --back are two steps; take one at a time")
    if (add is None) != (reason is None):
        raise UsageError("--add and --reason go together")
    if add is not None:
        moved = put_aside(directory, *_cell(add, "--add", None), reason or "")
        _say_moved("aside", moved, reason, output_format)
    elif back is not None:
        moved = put_back(directory, *_cell(back, "--back", 1))
        _say_moved("back", moved, None, output_format)
    else:
        if not Path(directory).is_dir():
            raise DataError(f"{directory}: no such directory; check the path")
        frame = quarantined(directory)
        rows: list[dict[str, Any]] = [
            {name: record.get(name) or None for name in ASIDE_FIELDS}
            for record in frame.to_dict("records")
        ]
        columns = tuple(
            Column(name, name.removesuffix("_id"), text, right=False)
            for name in ("model_id", "benchmark_id", "score", "reading", "reason")
        )
        shown = rows if output_format == "csv" else rows[:SHOWN]
        listing = Listing(f"{len(rows)} readings in quarantine", columns, shown, ASIDE_FIELDS)
        emit(output_format, {"directory": directory, "quarantined": rows}, listing,
             after=_cut(rows))  # fmt: skip


def _say_moved(where: str, moved: Any, reason: str | None, output_format: str) -> None:
    row: dict[str, Any] = {"moved": where, **asdict(moved), "reason": reason}
    columns = (
        Column("model_id", "model", text, right=False),
        Column("benchmark_id", "benchmark", text, right=False),
        Column("reading", "reading", text),
        Column("score", "score", text),
        Column("first", "reading 1 now", text),
    )
    title = "Put into quarantine" if where == "aside" else "Brought back from quarantine"
    emit(output_format, row, Listing(title, columns, [row], MOVED_FIELDS))


def _cell(written: str, option: str, default: int | None) -> tuple[str, str, int]:
    parts = [bare(part) for part in split_list(written)]
    if len(parts) == 2 and default is not None:
        parts.append(str(default))
    if len(parts) != 3 or not all(parts) or not (parts[2].isdecimal() and int(parts[2]) > 0):
        form = "MODEL,BENCHMARK,READING" if default is None else "MODEL,BENCHMARK[,N]"
        raise UsageError(f"{option} {written!r} is not {form}")
    return parts[0], parts[1], int(parts[2])


def _matrix(path: str) -> Any:
    return read_data(path, None, None)


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _cut(rows: list[dict[str, Any]]) -> str:
    if len(rows) <= SHOWN:
        return ""
    return f"the first {SHOWN} of {len(rows)}; --format csv and json have all"


def _blank(value: float | None) -> str:
    return "" if value is None else number(value)


def _figure(value: float) -> str:
    return str(value) if isinstance(value, int) else number(value)
