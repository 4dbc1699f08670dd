"""Anybody's predictions, read from a CSV file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from ....errors import SchemaError
from ....scores.matrix import ScoreMatrix
from ...predictions import CellPredictions, IntArray

__all__ = ["ExternalPredictions"]

_KEYS = ["model_id", "benchmark_id"]
_INTERVALS = (("lower", "upper"), ("lower90", "upper90"))


@dataclass(frozen=True)
class ExternalPredictions:
    """Predictions of a CSV: ``model_id, benchmark_id, predicted[, lower, upper]``.

    Optional columns ``seed`` and ``fold`` make a row count for that fold alone; without them one
    row serves the cell in every fold. Cells without a row are counted as not predictable.

    Attributes
    ----------
    path : str
        The CSV file (or .csv.gz).
    """

    path: str
    name: ClassVar[str] = "external"

    @property
    def fingerprint(self) -> str:
        """Path and content hash, so that a changed file is another run; the path if unreadable."""
        file = Path(self.path)
        content = file.read_bytes() if file.is_file() else b""
        return f"{self.path} {hashlib.sha256(content).hexdigest()}"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Look the cells up, whatever their fold; `seed` is not used."""
        return self.predict_fold(train, cells, None, None)

    def predict_fold(
        self, train: ScoreMatrix, cells: IntArray, seed: int | None, fold: int | None
    ) -> CellPredictions:
        """Look the cells of one fold up.

        Raises
        ------
        SchemaError
            If the file cannot be read, lacks a column, holds text for a number, or names a cell
            twice.
        """
        table = self._table()
        for column, wanted in (("seed", seed), ("fold", fold)):
            if column in table and wanted is not None:
                table = table[table[column] == wanted]
        twice = table.duplicated(_KEYS)
        if twice.any():
            first = table[twice].iloc[0]
            raise SchemaError(
                f"{Path(self.path).name}: ({first['model_id']}, {first['benchmark_id']}) stands "
                "twice; give one prediction per cell, or add columns seed and fold"
            )
        wanted_cells = pd.MultiIndex.from_arrays(
            [
                np.asarray(train.model_ids, dtype=object)[cells[:, 0]],
                np.asarray(train.benchmark_ids, dtype=object)[cells[:, 1]],
            ],
            names=_KEYS,
        )
        found = table.set_index(_KEYS).reindex(wanted_cells)
        median = found["predicted"].to_numpy(dtype=np.float64)
        for lower, upper in _INTERVALS:
            if {lower, upper} <= set(found.columns):
                low = found[lower].to_numpy(dtype=np.float64)
                high = found[upper].to_numpy(dtype=np.float64)
                return CellPredictions(median, lower=low, upper=high)
        return CellPredictions(median)

    def _table(self) -> pd.DataFrame:
        file = Path(self.path)
        try:
            table = pd.read_csv(file, dtype={key: str for key in _KEYS})
        except (OSError, ValueError, UnicodeDecodeError) as error:
            raise SchemaError(f"{file.name}: cannot be read as CSV ({error})") from None
        missing = [name for name in (*_KEYS, "predicted") if name not in table]
        if missing:
            raise SchemaError(
                f"{file.name}: column {missing[0]!r} is missing; it needs model_id, benchmark_id, "
                "predicted and may have lower, upper"
            )
        for name in ("predicted", "lower", "upper", "lower90", "upper90"):
            if name in table and not pd.api.types.is_numeric_dtype(table[name]):
                raise SchemaError(f"{file.name}: column {name!r} holds text; give numbers")
        return table
