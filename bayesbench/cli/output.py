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
from .screen import Strip, draw, screen_width, wrap

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
        Right-aligned; what is not, behind the first column, may be broken between words.
    drop : int or None
        On a narrow screen columns are left out in the order of this number, then from the right.
    drawn : callable or None
        Value and width to text, of a column that takes what width there is; `show` is not used.
    """

    key: str
    title: str
    show: Callable[[Any], str] = number
    right: bool = True
    drop: int | None = None
    drawn: Callable[[Any, int], str] | None = None


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
        Sentences around the tables.

    Notes
    -----
    Tables fit the screen (`screen.screen_width`); what is left out for that is noted on stderr.
    """
    if output_format == "json":
        write(_json(document))
    elif output_format == "csv":
        write(_csv(listings[0]))
    else:
        width = screen_width()
        tables = [_table(listing, width) for listing in listings]
        around = ["\n".join(_wrapped(said, width)) for said in (before, after)]
        parts = [around[0], *(drawn for drawn, _ in tables), around[1]]
        write("\n\n".join(part.strip("\n") for part in parts if part) + "\n")
        left_out = list(dict.fromkeys(title for _, titles in tables for title in titles))
        if left_out:
            note(
                f"note: {width} characters are too few for the columns {', '.join(left_out)}; a "
                "wider screen or --format json has them"
            )


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


def _table(listing: Listing, width: int | None) -> tuple[str, list[str]]:
    """A table with its title, and the titles of the columns that are left out."""
    strips = [_strip(column, listing.rows) for column in listing.columns]
    lines, left_out = draw(strips, width)
    return "\n".join([*_wrapped(one_line(listing.title), width), "", *lines]), left_out


def _strip(column: Column, rows: Sequence[Mapping[str, Any]]) -> Strip:
    values, drawn = [row[column.key] for row in rows], column.drawn
    if drawn is None:
        cells = [one_line(column.show(value)) for value in values]
        return Strip(column.title, cells, column.right, column.drop)
    return Strip(
        column.title, [], False, column.drop, lambda width: [drawn(each, width) for each in values]
    )


def _wrapped(text: str, width: int | None) -> list[str]:
    return [part for line in text.split("\n") for part in wrap(line, width)]


def example(*lines: str) -> str:
    """Epilog of a help page: example calls, left as they are written."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))
