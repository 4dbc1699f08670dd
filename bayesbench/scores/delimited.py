"""Delimited text: its encoding, its separator and its records, decided and said."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass

import pandas as pd

from ..errors import SchemaError
from .containers import MOST_CELLS

__all__ = ["Text", "records"]

SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
"""Candidates with their names, the likelier first."""
MOST_COLUMNS = 10_000
LONGEST_CELL = 100_000
MOST_COMMENTS = 200
MOST_TITLES = 5
"""Lines without a separator that may stand above a header."""
SAMPLE = 1 << 16
"""Characters from the start of a text that decide about its separator."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, eq=False)
class Text:
    """The records of a text.

    Attributes
    ----------
    frame : pandas.DataFrame
        All records as text, the header among them; NaN where empty.
    first : int
        Row of the first record in the file, counted from 1.
    form : tuple of str
        What is not usual about it: ``semicolons``, ``UTF-16``.
    """

    frame: pd.DataFrame
    first: int
    form: tuple[str, ...]


def records(data: bytes, source: str) -> Text:
    """Split a text into records.

    UTF-8, or UTF-16 and UTF-32 with their byte order mark (UTF-16 also without). A line ``sep=;``
    and lines from ``#`` on before the header are left out.

    Raises
    ------
    SchemaError
        For any other encoding, an irregular or a huge table.
    """
    text, encoding = _decoded(data, source)
    text, markdown = _without_bars(text)
    text, skipped, stated = _without_preamble(text)
    if not text.strip():
        raise SchemaError(f"{source}: the file is empty; it needs a header row and data rows")
    separator = "|" if markdown else stated or _separator(text)
    text, titles = _without_titles(text, separator)
    skipped += titles
    _check_size(text, separator, source)
    form = [SEPARATORS.get(separator, f"separator {separator!r}")] if separator != "," else []
    form = ["Markdown"] if markdown else form
    if encoding != "utf-8":
        form.append(encoding.upper())
    if skipped:
        form.append(f"{skipped} line{'s' * (skipped > 1)} before the header left out")
    return Text(_parsed(text, separator, source), skipped + 1, tuple(form))


def _decoded(data: bytes, source: str) -> tuple[str, str]:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None:
        encoding = _utf16_without_mark(data) or "utf-8"
    try:
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise SchemaError(
                f"{source}: not {encoding.upper()} text although it begins so (byte "
                f"{error.start}); save it as UTF-8 CSV"
            ) from None
        raise SchemaError(
            f"{source}: not UTF-8 text (byte {error.start} is 0x{data[error.start]:02x}, as in "
            "Windows-1252 or Latin-1); save it as UTF-8 CSV"
        ) from None
    if "\0" in text:
        raise SchemaError(f"{source}: not a text, it holds zero bytes; give a table as CSV")
    return text.removeprefix("\ufeff"), encoding


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 where every other byte of a sample is zero, as in mostly Latin text."""
    sample = data[:4096]
    if len(sample) < 8:
        return None
    even, odd = sample[0::2], sample[1::2]
    for zeros, others, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros.count(0) > 0.7 * len(zeros) and others.count(0) == 0:
            return name
    return None


def _without_preamble(text: str) -> tuple[str, int, str | None]:
    """The text from its header on, how many lines were left out, and a separator it states."""
    skipped, stated = 0, None
    while text and skipped < MOST_COMMENTS:
        line, end, rest = text.partition("\n")
        plain = line.strip().strip('"')
        if skipped == 0 and plain[:4].lower() == "sep=" and len(plain) in (4, 5):
            stated = plain[4:] or "\t"
        elif not (plain.startswith("#") and not _is_header(plain)):
            break
        skipped += 1
        text = rest if end else ""
    return text, skipped, stated


def _is_header(line: str) -> bool:
    """A column may be called ``#``, or ``#Params``: then others follow."""
    first = line.lstrip("#").strip()
    return any(sign in line for sign in SEPARATORS) and (
        not first or first[0] in SEPARATORS or not line.startswith("# ")
    )


def _without_bars(text: str) -> tuple[str, bool]:
    """A Markdown table without its outer bars, its ruler emptied; anything else as it is."""
    if not text[:SAMPLE].lstrip().startswith("|"):
        return text, False
    lines = [line.strip() for line in text.splitlines()]
    rulers = [line for line in lines if "-" in line and not set(line) - set("|:- ")]
    if len(rulers) != 1 or not all(line.startswith("|") for line in lines if line):
        return text, False
    bare = ("" if line == rulers[0] else line.removeprefix("|").removesuffix("|") for line in lines)
    cells = ("|".join(cell.strip() for cell in line.split("|")) for line in bare)
    return "\n".join(cells) + "\n", True


def _without_titles(text: str, separator: str) -> tuple[str, int]:
    """The text from its first line with a separator on, if at most `MOST_TITLES` stand before."""
    rest, titles = text, 0
    while titles <= MOST_TITLES and rest:
        line, _, following = rest.partition("\n")
        if separator in line or line.count('"') % 2:  # a quoted cell may go on over lines
            regular = not titles or separator in following.partition("\n")[0]
            return (rest, titles) if regular else (text, 0)
        if any(sign in line for sign in ";\t|"):
            return text, 0
        rest, titles = following, titles + 1
    return text, 0


def _separator(text: str) -> str:
    """The separator by which the records are the most regular, then the widest."""
    sample = text[:SAMPLE]
    if len(text) > SAMPLE:
        sample = sample.rpartition("\n")[0] or sample
    best, found = (0.0, 0), ","
    for sign in SEPARATORS:
        widths = _widths(_without_titles(sample, sign)[0], sign)
        if not widths or widths[0] < 2:
            continue
        usual, times = Counter(widths).most_common(1)[0]
        regular = times / len(widths) if usual == widths[0] else 0.0
        score = (round(regular, 1), widths[0])
        if score > best:
            best, found = score, sign
    return found


def _widths(sample: str, sign: str) -> list[int]:
    try:
        rows = list(csv.reader(io.StringIO(sample, newline=""), delimiter=sign))
    except csv.Error:
        return []
    return [len(row) for row in rows if row]


def _check_size(text: str, separator: str, source: str) -> None:
    columns = text.partition("\n")[0].count(separator) + 1
    if columns > MOST_COLUMNS:
        raise SchemaError(f"{source}: {columns} columns; at most {MOST_COLUMNS} are read")
    cells = columns * (text.count("\n") + 1)
    if cells > MOST_CELLS:
        raise SchemaError(
            f"{source}: about {cells:,} cells; at most {MOST_CELLS:,} are read, give it in parts"
        )


def _parsed(text: str, separator: str, source: str) -> pd.DataFrame:
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            dtype="str",
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=False,
            low_memory=False,
        )
    except pd.errors.EmptyDataError:
        raise SchemaError(
            f"{source}: the file is empty; it needs a header row and data rows"
        ) from None
    except pd.errors.ParserError as error:
        detail = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        name = SEPARATORS.get(separator, repr(separator))
        raise SchemaError(
            f"{source}: not a regular CSV ({detail}; read with {name}); fix the row"
        ) from None
    except (OSError, EOFError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise SchemaError(f"{source}: cannot be read ({detail}); check the file") from None
    for column in frame:
        longest = frame[column].str.len().max()
        if longest > LONGEST_CELL:
            row = int(frame[column].str.len().argmax()) + 1
            raise SchemaError(
                f"{source}, row {row}: a cell of {longest:.0f} characters; at most {LONGEST_CELL} "
                "are read, shorten it"
            )
    return frame
