"""Metadata tables as plain data: per column its type and values, as JSON holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

__all__ = ["from_plain", "to_plain"]

_DTYPES = {"float": "float64", "text": "str", "bool": "bool", "boolean": "boolean"}


def to_plain(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Columns of a table, without its index: ``{name: {kind, values}}``, None where missing."""
    columns: dict[str, dict[str, Any]] = {}
    for name in frame.columns:
        series = frame[name]
        if pd.api.types.is_bool_dtype(series.dtype):
            kind = "boolean" if series.dtype == "boolean" else "bool"
        elif pd.api.types.is_numeric_dtype(series.dtype):
            kind = "float"
        else:
            kind = "text"
        values = [None if pd.isna(value) else value for value in series.tolist()]
        columns[str(name)] = {"kind": kind, "values": [_cell(kind, value) for value in values]}
    return columns


def from_plain(
    columns: Mapping[str, Mapping[str, Any]], ids: Sequence[str], key: str
) -> pd.DataFrame:
    """The table that `to_plain` was made from, with its index of `ids` called `key`."""
    data = {
        name: pd.array(column["values"], dtype=_DTYPES[column["kind"]])
        for name, column in columns.items()
    }
    return pd.DataFrame(data, index=pd.Index(list(ids), name=key, dtype="str"))


def _cell(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "float":
        return float(value)
    return bool(value) if kind in ("bool", "boolean") else str(value)
