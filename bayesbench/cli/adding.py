"""``bayesbench data add``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ..errors import DataError
from . import completing, values
from .output import Column, Listing, emit, example, format_option, note, number, text
from .question import posterior_option

if TYPE_CHECKING:
    from ..front.effects import Effects
    from ..scores.upkeep import Addition

__all__ = ["add"]

ADDED_FIELDS = (
    *("model_id", "benchmark_id", "score", "reading", "stderr", "n_items", "setting"),
    "source_url",
)
FORESEEN_FIELDS = ("model_id", "benchmark_id", "score", "median", "lower", "upper", "distance")
MOVE_FIELDS = (*("model_id", "benchmark_id", "before", "after", "width_before", "width_after"),)
SHOWN = 20
"""Most rows of a table on screen; JSON has all, CSV every added reading."""


@click.command(
    epilog=example(
        "bayesbench data add mine.csv --scale percent",
        "bayesbench data add results.json --to mine --new-ids --dry-run",
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=completing.file)
@click.option(
    "--to",
    metavar="DIR",
    shell_complete=completing.directory,
    help="Data directory to add to.  [default: none is changed, the bundled matrix is the measure]",
)
@click.option(
    "--scale",
    type=click.Choice(["percent", "unit", "rating"]),
    help="Scale of the scores in the files.  [default: that of the matrix]",
)
@click.option(
    "--alias",
    metavar="FILE",
    shell_complete=completing.file,
    help="Your own names for result files: name,id[,kind].",
)
@click.option("--new-ids", is_flag=True, help="Take models and benchmarks that are not there.")
@click.option("--accept-suspicious", is_flag=True, help="Add scores that look wrong, too.")
@click.option("--dry-run", is_flag=True, help="Show everything, change nothing.")
@posterior_option
@click.option(
    "--seed", type=values.SEED, default=0, show_default=True, metavar="N", help="Of the draws."
)
@format_option()
def add(
    files: tuple[str, ...],
    to: str | None,
    scale: str | None,
    alias: str | None,
    new_ids: bool,
    accept_suspicious: bool,
    dry_run: bool,
    posterior: str | None,
    seed: int,
    output_format: str,
) -> None:
    """Check scores, show what they change in predictions, and add them to a data directory.

    FILE is a table, a data directory or a result file of another tool. Nothing is added if there
    is an error, or a score that looks wrong. The directory is replaced whole or not at all.
    """
    from ..front.effects import effects
    from ..front.posterior import open_posterior
    from ..scores.matrix import ScoreMatrix
    from ..scores.upkeep import add_scores, planned_addition, read_contribution
    from ..shipped import bundled_path

    place = bundled_path("data", "open_scores") if to is None else to
    given = read_contribution(
        files, ScoreMatrix.from_directory(place), scale=scale, aliases=alias, new_ids=new_ids
    )
    planned = planned_addition(place, given.matrix, new_ids=new_ids)
    changed = effects(
        open_posterior(posterior), planned.base, planned.matrix, _added(planned), seed=seed
    )
    suspicious = bool(changed.suspected) and not accept_suspicious
    wanted = to is not None and not dry_run and len(planned.readings) > 0
    write = wanted and not planned.errors and not suspicious
    if write:
        add_scores(place, given.matrix, new_ids=new_ids)
    notes = [*given.notes, *planned.account.taken, *changed.notes, planned.account.line]
    if given.left_out:
        first = given.left_out[0]
        notes.append(
            f"{len(given.left_out)} left out, the first: {first.benchmark} ({first.reason})"
        )
    if not wanted:
        why = "no --to" if to is None else "--dry-run" if dry_run else "nothing new"
        notes.append(f"nothing was written ({why})")
    for line in notes:
        note(f"note: {line}")
    _show(output_format, to, write, planned, changed, [asdict(one) for one in given.left_out],
          notes)  # fmt: skip
    if planned.errors:
        raise DataError(f"{len(planned.errors)} errors: {planned.errors[0].text}")
    if suspicious and wanted:
        raise DataError(
            f"{len(changed.suspected)} scores look wrong, nothing was added: correct them, or "
            "--accept-suspicious"
        )


def _added(planned: Addition) -> dict[str, dict[str, float]]:
    """The first new score of each cell, by model."""
    found: dict[str, dict[str, float]] = {}
    for row in planned.readings.to_dict("records"):
        scores = found.setdefault(str(row["model_id"]), {})
        scores.setdefault(str(row["benchmark_id"]), float(row["score"]))
    return found


def _show(
    output_format: str,
    to: str | None,
    written: bool,
    planned: Addition,
    changed: Effects,
    left_out: list[dict[str, Any]],
    notes: list[str],
) -> None:
    added = [
        {name: row.get(name) for name in ADDED_FIELDS}
        for row in planned.readings.to_dict("records")
    ]
    foreseen = [asdict(one) for one in changed.foreseen]
    moves = [asdict(one) for one in changed.moves]
    findings = [asdict(one) for one in planned.findings]
    findings += [
        {"level": "warning", "kind": "suspicion", "text": one.text, "probability": one.probability}
        for one in changed.suspected
    ]
    document = {
        "to": to,
        "written": written,
        "merged": planned.account.to_json(),
        "added": added,
        "findings": findings,
        "foreseen": foreseen,
        "moves": moves,
        "left_out": left_out,
        "notes": notes,
    }
    cell = (
        Column("model_id", "model", text, right=False),
        Column("benchmark_id", "benchmark", text, right=False),
    )
    verb = "Added" if written else "To add"
    listings = [_cut(verb, (*cell, Column("score", "score"), Column("reading", "reading", str)),
                     added, ADDED_FIELDS)]  # fmt: skip
    if output_format == "csv":
        emit("csv", document, Listing("", (), added, ADDED_FIELDS))
        return
    if planned.account.repeats:
        rows: list[dict[str, Any]] = planned.account.to_json()["repeats"]
        listings.append(_cut("Left out, being there already", (*cell, Column("score", "score")),
                             rows, ("model_id", "benchmark_id", "score")))  # fmt: skip
    if findings:
        columns = tuple(Column(name, name, text, right=False) for name in ("level", "kind", "text"))
        listings.append(_cut("Findings", columns, findings, ("level", "kind", "text")))
    if foreseen:
        columns = (*cell, *(Column(name, name, number) for name in FORESEEN_FIELDS[2:]))
        listings.append(_cut("Scores and what was predicted before, the largest surprises first",
                             columns, foreseen, FORESEEN_FIELDS))  # fmt: skip
    if moves:
        columns = (*cell, *(Column(name, name.replace("_", " "), number)
                            for name in MOVE_FIELDS[2:]))  # fmt: skip
        listings.append(_cut("Predictions that move most", columns, moves, MOVE_FIELDS))
    emit(output_format, document, *listings)


def _cut(
    title: str, columns: tuple[Column, ...], rows: list[dict[str, Any]], fields: tuple[str, ...]
) -> Listing:
    if len(rows) > SHOWN:
        title = f"{title} (the first {SHOWN} of {len(rows)}; --format json has all)"
    return Listing(title, columns, rows[:SHOWN], fields)
