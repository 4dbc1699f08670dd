"""Output: rows as a table, CSV or JSON on stdout; notes on stderr."""

from __future__ import annotations

import csv
import io
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from ..jsonable import json_text

__all__ = [
    "Column",
    "Listing",
    "emit",
    "example",
    "format_option",
    "note",
    "number",
    "one_line",
    "percent",
    "text",
    "write",
]

WIDTH_OFF_TERMINAL = 160
"""Columns of a table that is written to a file or a pipe: nothing is cut there."""


def one_line(text: str) -> str:
    """`text` on one line, blanks run together, what cannot be printed written as escapes."""
    flat = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in flat)


def note(text: str) -> None:
    """One line on stderr; a closed stderr is no reason to fail."""
    try:
        sys.stderr.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return


def write(text: str) -> None:
    """Text on stdout, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def number(value: Any) -> str:
    """Number for a table: about three digits; ``-`` where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    size = abs(value)
    digits = 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:.{digits}f}"


def percent(prob: float) -> str:
    """Probability in words: ``90 %``."""
    return f"{100 * prob:.4g} %"


def text(value: Any) -> str:
    """Anything for a table; blank where there is nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    key : str
        Field of the row.
    title : str
    show : callable
        Value to text.
    right : bool
        Right-aligned.
    """

    key: str
    title: str
    show: Callable[[Any], str] = number
    right: bool = True


@dataclass(frozen=True, eq=False)
class Listing:
    """Rows with the columns to show of them.

    Attributes
    ----------
    title : str
    columns : sequence of Column
    rows : sequence of mapping
        Plain values by field; CSV writes all fields.
    fields : sequence of str
        Of CSV; needed where there may be no row.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    fields: Sequence[str] = ()


def format_option(*formats: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--format``, passed on as ``output_format``; table, csv and json unless said otherwise."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats or ("table", "csv", "json")),
        default="table",
        show_default=True,
        help="Form of the output.",
    )


def emit(
    output_format: str,
    document: Mapping[str, Any],
    *listings: Listing,
    before: str = "",
    after: str = "",
) -> None:
    """Write an answer to stdout.

    Parameters
    ----------
    output_format : {"table", "csv", "json"}
    document : mapping
        The answer as JSON; numbers that are not finite become null.
    *listings : Listing
        The answer as tables; CSV holds the first one.
    before, after : str
        Lines around the tables.
    """
    if output_format == "json":
        write(_json(document))
    elif output_format == "csv":
        write(_csv(listings[0]))
    else:
        parts = [before, *(_table(listing) for listing in listings), after]
        write("\n\n".join(part.strip("\n") for part in parts if part) + "\n")


def _json(document: Mapping[str, Any]) -> str:
    return json_text(document, indent=2) + "\n"


def _csv(listing: Listing) -> str:
    buffer = io.StringIO()
    fields = list(listing.fields or listing.rows[0])
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(fields)
    for row in listing.rows:
        writer.writerow([_csv_cell(row[field]) for field in fields])
    return buffer.getvalue()


def _csv_cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _table(listing: Listing) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    titled = any(column.title for column in listing.columns)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_header=titled)
    for column in listing.columns:
        table.add_column(
            Text(column.title), justify="right" if column.right else "left", overflow="fold"
        )
    for row in listing.rows:
        table.add_row(*(Text(one_line(column.show(row[column.key]))) for column in listing.columns))
    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, width=None if terminal else WIDTH_OFF_TERMINAL)
    with console.capture() as capture:
        console.print(table)
    lines = (line if terminal else line.rstrip() for line in capture.get().splitlines())
    return "\n".join([one_line(listing.title), *([] if titled else [""]), *lines])


def example(*lines: str) -> str:
    """Epilog of a help page: example calls, left as they are written."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))
