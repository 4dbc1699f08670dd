"""The tables of a data directory as they are written: all columns and every text, none typed."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from ...errors import DataError
from ...files import write_text

__all__ = ["read_as_written", "write_as_written"]


def read_as_written(directory: Path, name: str) -> pd.DataFrame:
    """Texts of ``name``.csv; what is empty is an empty text.

    Raises
    ------
    DataError
        If it is not a plain CSV file in UTF-8 that would be written back as it is but for quotes.
    """
    file = directory / f"{name}.csv"
    if not file.is_file():
        packed = directory / f"{name}.csv.gz"
        remedy = "unpack it" if packed.is_file() else "only a data directory can be changed"
        raise DataError(f"{file}: no such file; {remedy}")
    try:
        text = file.read_text(encoding="utf-8")
        return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:100]
        raise DataError(f"{file}: not a plain CSV file in UTF-8 ({reason}); convert it") from None


def write_as_written(directory: Path, name: str, frame: pd.DataFrame) -> None:
    """Write ``name``.csv, whole or not at all."""
    write_text(directory / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
