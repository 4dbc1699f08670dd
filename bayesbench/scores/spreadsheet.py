"""Excel files (.xlsx), with openpyxl from the extra ``xlsx``."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..errors import SchemaError, UsageError
from .containers import MOST_BYTES, MOST_CELLS
from .delimited import MOST_COLUMNS

__all__ = ["Sheet", "read_sheet"]

MOST_ROWS = 1_048_576
"""Rows of a sheet, Excel's own limit."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The cells of one sheet.

    Attributes
    ----------
    frame : pandas.DataFrame
        Values as in the file, percentages as ``"85.3%"``; None where empty.
    name : str
        Of the sheet.
    others : tuple of str
        Sheets that were not read.
    """

    frame: pd.DataFrame
    name: str
    others: tuple[str, ...]


def read_sheet(data: bytes, source: str) -> Sheet:
    """Read the first sheet that holds a table: at least two rows and two columns.

    Of a formula the value that the spreadsheet program left is taken.

    Raises
    ------
    UsageError
        openpyxl is not installed.
    SchemaError
        The file is damaged, hostile or too large, holds no table, or a formula without a value.
    """
    try:
        import openpyxl
    except ImportError:
        raise UsageError(
            f"{source}: reading .xlsx needs openpyxl; install bayesbench-scores[xlsx], or save the "
            "sheet as CSV"
        ) from None
    _check_parts(data, source)
    try:
        values = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False)
        names = [sheet.title for sheet in values.worksheets if sheet.sheet_state == "visible"]
        for name in names:
            rows = _filled(values[name], source)
            if len(rows) > 1 and max(map(_width, rows)) > 1:
                _check_formulas(rows, formulas[name], source)
                others = tuple(other for other in names if other != name)
                return Sheet(_frame(rows), name, others)
    except SchemaError:
        raise
    except Exception as error:  # openpyxl raises whatever its parsers raise on a damaged file
        detail = " ".join(str(error).split())[:120] or type(error).__name__
        raise SchemaError(f"{source}: cannot be read as .xlsx ({detail}); check the file") from None
    raise SchemaError(f"{source}: no sheet holds a table; it needs a header row and data rows")


def _check_parts(data: bytes, source: str) -> None:
    """Refuse parts that unpack to too much, or that declare entities: both are attacks."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > MOST_BYTES:
                raise SchemaError(
                    f"{source}: unpacks to more than {MOST_BYTES // 2**20} MB; save the sheet alone"
                )
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as stream:
                        if b"<!DOCTYPE" in stream.read(MOST_BYTES):
                            raise SchemaError(
                                f"{source}: {part.filename} declares a document type, which no "
                                "spreadsheet program does; save it again"
                            )
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError, zlib.error) as error:
        detail = " ".join(str(error).split())
        raise SchemaError(f"{source}: cannot be read as .xlsx ({detail}); check the file") from None


def _rows(sheet: Any, source: str) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # what the file says of its size need not be so
    cells = 0
    for at, row in enumerate(sheet.iter_rows()):
        cells += len(row)
        if at >= MOST_ROWS or len(row) > MOST_COLUMNS or cells > MOST_CELLS:
            raise SchemaError(f"{source}: sheet {sheet.title!r} is too large; save the table alone")
        yield row


def _filled(sheet: Any, source: str) -> list[list[Any]]:
    """Values of the rows down to the last filled one."""
    rows, last = [], 0
    for row in _rows(sheet, source):
        rows.append([_value(cell) for cell in row])
        if _width(rows[-1]):
            last = len(rows)
        elif len(rows) - last > 10_000:
            break
    return rows[:last]


def _width(row: list[Any]) -> int:
    """Number of columns up to the last filled one."""
    return max((at for at, value in enumerate(row, start=1) if value is not None), default=0)


def _value(cell: Any) -> Any:
    value = cell.value
    if isinstance(value, str) and not value.strip():
        return None
    percent = "%" in (getattr(cell, "number_format", None) or "")
    if percent and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{100 * value:.12g}%"
    return value


def _check_formulas(rows: list[list[Any]], sheet: Any, source: str) -> None:
    """A formula that was never computed has no value, which must not pass for a missing score."""
    for at, row in enumerate(_rows(sheet, source)):
        if at >= len(rows):
            return
        for column, cell in enumerate(row):
            formula = cell.data_type == "f" or str(cell.value or "").startswith("=")
            empty = column >= len(rows[at]) or rows[at][column] is None
            if formula and empty:
                raise SchemaError(
                    f"{source}, row {at + 1}, column {column + 1}: a formula without its value; "
                    "open and save it in a spreadsheet program, or save the sheet as CSV"
                )


def _frame(rows: list[list[Any]]) -> pd.DataFrame:
    width = max(map(_width, rows))
    padded = [(row + [None] * width)[:width] for row in rows]
    return pd.DataFrame(padded, dtype=object)
