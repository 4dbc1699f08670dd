"""Reading CSV files and checking single columns; every fault names file, row, value and remedy."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import SchemaError

__all__ = ["Table", "read_table", "table_of"]

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
    """

    source: str
    frame: pd.DataFrame
    rows: np.ndarray

    def fault(self, position: int, text: str) -> SchemaError:
        """Error about one record, naming the source and the row."""
        return SchemaError(f"{self.source}, row {self.rows[position]}: {text}")

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
            texts = Table(self.source, replaced, self.rows).texts(column)
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
    return Table(source, flat, np.arange(len(flat)))


def read_table(path: str | Path) -> Table:
    """Read a CSV file (``.csv``, ``.csv.gz``; UTF-8) as text.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Table
        All values as text, missing where empty; blank lines are left out, row numbers kept.

    Raises
    ------
    SchemaError
        If the file is not there, is not a CSV text in UTF-8, is empty, or names a column twice.
    """
    path = Path(path)
    source = path.name or str(path)
    raw = _read_text_frame(path, source)
    if raw.empty:
        raise SchemaError(f"{source}: the file is empty; it needs a header row and data rows")
    header = [str(name).strip() for name in raw.iloc[0].fillna("")]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise SchemaError(f"{source}, row 1: column {shown(twice[0])} stands twice; keep one")
    frame = raw.iloc[1:].set_axis(header, axis=1)
    filled = frame.notna().any(axis=1).to_numpy()
    rows = np.arange(2, len(raw) + 1)[filled]
    return Table(source, frame[filled].reset_index(drop=True), rows)


def _read_text_frame(path: Path, source: str) -> pd.DataFrame:
    if path.is_dir():
        raise SchemaError(f"{source}: is a directory; name a CSV file")
    try:
        return pd.read_csv(
            path,
            header=None,
            dtype="str",
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=False,
            encoding="utf-8-sig",
            low_memory=False,
        )
    except FileNotFoundError:
        raise SchemaError(f"{path}: no such file; check the path") from None
    except UnicodeDecodeError as error:
        raise SchemaError(
            f"{source}: not UTF-8 text (byte {error.start}); save it as UTF-8 CSV"
        ) from None
    except pd.errors.EmptyDataError:
        raise SchemaError(
            f"{source}: the file is empty; it needs a header row and data rows"
        ) from None
    except pd.errors.ParserError as error:
        detail = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise SchemaError(f"{source}: not a regular CSV ({detail}); fix the row") from None
    except (OSError, EOFError, zlib.error, ValueError) as error:
        detail = " ".join(str(error).split())
        raise SchemaError(f"{source}: cannot be read ({detail}); check the file") from None


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
