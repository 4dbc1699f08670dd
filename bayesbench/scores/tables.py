"""Tables from files and frames, and checks of single columns; a fault names file, row and value."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import SchemaError
from .containers import MOST_BYTES, MOST_CELLS, Content, open_content
from .delimited import records
from .numerals import is_missing_mark
from .spreadsheet import read_sheet

__all__ = ["Table", "is_missing", "read_table", "shown", "table_of"]

_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@dataclass(frozen=True, eq=False)
class Table:
    """A raw table with the row number every record has in its source.

    Attributes
    ----------
    source : str
        File name, or what the frame is, for messages.
    frame : pandas.DataFrame
        The records, index 0..n-1.
    rows : numpy.ndarray, shape (n,)
        Row of each record in its source: a file's header is row 1; a frame's rows count from 0.
    form : tuple of str
        What is to say about how the source was written.
    counted : str
        What `rows` names: ``"row"``, or ``"column"`` where the source was turned over.
    """

    source: str
    frame: pd.DataFrame
    rows: np.ndarray
    form: tuple[str, ...] = ()
    counted: str = "row"

    def fault(self, position: int, text: str) -> SchemaError:
        """Error about one record, naming the source and the row."""
        error = SchemaError(f"{self.source}, {self.counted} {self.rows[position]}: {text}")
        if self.counted == "row":
            error.row = int(self.rows[position])
        return error

    def holding(self, frame: pd.DataFrame, rows: np.ndarray | None = None) -> Table:
        """The same source with other records; `rows` says which they are."""
        return replace(self, frame=frame, rows=self.rows if rows is None else rows)

    def require(self, columns: Sequence[str]) -> None:
        """Raise SchemaError unless every one of the columns is there."""
        missing = [name for name in columns if name not in self.frame.columns]
        if missing:
            found = ", ".join(shown(name) for name in self.frame.columns[:12]) or "none"
            raise SchemaError(
                f"{self.source}: missing column {', '.join(missing)}; add it (columns found: "
                f"{found})"
            )

    def check(self, column: str, good: np.ndarray, remedy: str) -> None:
        """Raise SchemaError naming the first record whose value in ``column`` is not good."""
        if not good.all():
            first = int(np.argmin(good))
            raise self.fault(first, f"{column} {shown(self.frame[column].iloc[first])}: {remedy}")

    def ids(self, column: str) -> pd.Series[str]:
        """Column of ids as text: not empty, printable, no space around."""
        values = self.frame[column]
        self.check(column, values.notna().to_numpy(), "an id is required; fill it in")
        texts = values.map(str).astype("str")
        self.check(column, (texts.str.strip() != "").to_numpy(), "an id is required; fill it in")
        clean = (texts.str.strip() == texts).to_numpy()
        self.check(column, clean, "an id has space around it; remove it")
        printable = texts.map(str.isprintable).to_numpy(dtype=bool)
        self.check(column, printable, "an id has an unprintable character; remove it")
        return texts

    def unique_ids(self, column: str) -> pd.Series[str]:
        """Column of ids, each of which may stand once only."""
        texts = self.ids(column)
        self.check(column, ~texts.duplicated().to_numpy(), "this id stands twice; keep one row")
        return texts

    def numbers(
        self,
        column: str,
        good: Callable[[np.ndarray], np.ndarray],
        remedy: str,
        *,
        optional: bool = True,
    ) -> pd.Series[float]:
        """Column as float64; empty is NaN where optional, anything else must satisfy ``good``."""
        if column not in self.frame.columns:
            return pd.Series(np.nan, index=self.frame.index, dtype=np.float64)
        raw = self.frame[column]
        numbers = _to_float(raw)
        with np.errstate(invalid="ignore"):
            fine = np.isfinite(numbers) & good(numbers)
        if optional:
            fine |= raw.isna().to_numpy()
        self.check(column, fine, remedy)
        return pd.Series(numbers, index=self.frame.index)

    def flags(self, column: str, *, default: bool | None = None) -> pd.Series[bool]:
        """Column of true/false as nullable booleans; a missing column gives the default."""
        if column not in self.frame.columns:
            return pd.Series(default, index=self.frame.index, dtype="boolean")
        raw = self.frame[column]
        words = raw.map(lambda value: str(value).strip().casefold(), na_action="ignore")
        words = words.replace({"1.0": "1", "0.0": "0"})
        yes, no = words.isin(_TRUE).to_numpy(), words.isin(_FALSE).to_numpy()
        empty = raw.isna().to_numpy() if default is None else np.zeros(len(raw), dtype=bool)
        self.check(column, yes | no | empty, "must be true or false")
        flags = pd.Series(yes, index=self.frame.index, dtype="boolean")
        return flags.mask(pd.Series(~(yes | no), index=self.frame.index))

    def texts(self, column: str) -> pd.Series[str]:
        """Column as text, missing where empty; all missing when the column is not there."""
        if column not in self.frame.columns:
            return pd.Series(np.nan, index=self.frame.index, dtype="str")
        return self.frame[column].map(str, na_action="ignore").astype("str")

    def dates(self, column: str) -> pd.Series[str]:
        """Column of dates as text: YYYY, YYYY-MM or YYYY-MM-DD, or empty."""
        if column in self.frame.columns:
            raw = self.frame[column]
            if isinstance(raw.dtype, np.dtype) and raw.dtype.kind == "M":
                raw = raw.dt.strftime("%Y-%m-%d")
            replaced = self.frame.assign(**{column: raw})
            texts = self.holding(replaced).texts(column)
            good = np.array([pd.isna(text) or _is_date(text) for text in texts], dtype=bool)
            self.check(column, good, "must be YYYY, YYYY-MM or YYYY-MM-DD, or empty")
            return texts
        return self.texts(column)


def shown(value: object) -> str:
    """Value for a message: quoted, cut to a readable length, ``(empty)`` when missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "(empty)"
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 60 else text[:57] + "..."


def table_of(frame: pd.DataFrame, source: str) -> Table:
    """Table of a frame; its index becomes a column when it has a name."""
    named = all(name is not None for name in frame.index.names)
    flat = frame.reset_index() if named else frame.reset_index(drop=True)
    if flat.size > MOST_CELLS:
        raise SchemaError(f"{source}: {flat.size:,} cells; at most {MOST_CELLS:,} are read")
    return Table(source, flat, np.arange(len(flat)))


def read_table(path: str | Path) -> Table:
    """Read a table from a file: delimited text, parquet or Excel, also in gzip or zip.

    Parameters
    ----------
    path : str or Path
        Text with commas, semicolons, tabs or bars in UTF-8 or UTF-16, ``.parquet``, or ``.xlsx``
        (with openpyxl). What a file is, its content says. A text stays text: nothing is taken for
        a number or a missing value here but the empty cell.

    Returns
    -------
    Table
        What is not usual about the file is in its ``form``.

    Raises
    ------
    SchemaError
        If the file is none of these, is damaged, irregular, empty or too large, or a column
        stands twice.
    UsageError
        If a package that is needed for it is not installed.
    """
    content = open_content(path)
    if content.kind == "parquet":
        return _from_parquet(content)
    if content.kind == "xlsx":
        sheet = read_sheet(content.data, content.name)
        form = (f"sheet {sheet.name!r}", *(f"sheet {name!r} not read" for name in sheet.others))
        return _with_header(content.name, sheet.frame, 1, form)
    text = records(content.data, content.name)
    return _with_header(content.name, text.frame, text.first, text.form)


def _with_header(source: str, raw: pd.DataFrame, first: int, form: tuple[str, ...]) -> Table:
    """Table whose first record with more than a title in it is the header."""
    filled = raw.notna().to_numpy()
    start = next((at for at, row in enumerate(filled) if not _is_title(row)), None)
    if raw.empty or start is None:
        raise SchemaError(f"{source}: the file is empty; it needs a header row and data rows")
    if filled[:start].any():
        lines = int(filled[:start].any(axis=1).sum())
        form = (*form, f"{lines} line{'s' * (lines > 1)} before the header left out")
    header = [_header(name) for name in raw.iloc[start]]
    twice = sorted(name for name, times in Counter(header).items() if name and times > 1)
    if twice:
        raise SchemaError(
            f"{source}, row {first + start}: column {shown(twice[0])} stands twice; keep one"
        )
    body = filled[start + 1 :]
    used = np.array([bool(name) for name in header]) | body.any(axis=0)
    frame = raw.iloc[start + 1 :, np.flatnonzero(used)].copy()
    frame.columns = pd.Index([name for name, kept in zip(header, used, strict=True) if kept])
    kept = np.flatnonzero(body.any(axis=1))
    rows = np.arange(first + start + 1, first + len(raw))[kept]
    return Table(source, frame.iloc[kept].reset_index(drop=True), rows, form)


def _is_title(filled: np.ndarray) -> bool:
    """A row above a header: empty, or with one text in its first cell of several."""
    return not filled.any() or (len(filled) > 1 and bool(filled[0]) and not filled[1:].any())


def _header(name: object) -> str:
    return "" if is_missing(name) else " ".join(str(name).split())


def is_missing(value: object) -> bool:
    """Whether a cell is empty, as opposed to saying that there is nothing."""
    return not isinstance(value, str) and is_missing_mark(value)


def _from_parquet(content: Content) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = content.name
    try:
        file = pq.ParquetFile(io.BytesIO(content.data))
        groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
        size = sum(group.total_byte_size for group in groups)
        cells = file.metadata.num_rows * file.metadata.num_columns
        if size > MOST_BYTES or cells > MOST_CELLS:
            raise SchemaError(f"{source}: too large ({cells:,} cells); give it in parts")
        nested = [field.name for field in file.schema_arrow if pa.types.is_nested(field.type)]
        plain = [name for name in file.schema_arrow.names if name not in nested]
        twice = sorted(name for name, times in Counter(plain).items() if times > 1)
        if twice:
            raise SchemaError(f"{source}: column {shown(twice[0])} stands twice; keep one")
        frame = file.read(columns=plain).to_pandas()
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        detail = " ".join(str(error).split())[:120]
        raise SchemaError(
            f"{source}: cannot be read as parquet ({detail}); check the file"
        ) from None
    if frame.index.name is None and not isinstance(frame.index, pd.RangeIndex):
        frame = frame.rename_axis("")  # a column without a name, as in a CSV file
    table = table_of(frame, source)
    form = ("parquet", *(f"column {name!r} of nested values left out" for name in nested))
    return replace(table, form=form)


def _to_float(raw: pd.Series) -> np.ndarray:
    if pd.api.types.is_bool_dtype(raw.dtype) or pd.api.types.is_complex_dtype(raw.dtype):
        return np.full(len(raw), np.nan)
    if raw.dtype == object:
        raw = raw.map(lambda value: None if isinstance(value, bool | complex) else value)
    numbers = pd.to_numeric(raw, errors="coerce")
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return True
