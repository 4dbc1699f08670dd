"""A matrix in figures: sizes, its parts by source, category and year, how far repeats differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..matrix import ScoreMatrix
from ..repeats import NoiseFloor, noise_floor

__all__ = ["GROUPS", "overview"]

GROUPS = ("source_kind", "scale", "category", "year", "provider")
"""By what the cells are counted."""
NOT_STATED = "not stated"


def overview(matrix: ScoreMatrix) -> dict[str, Any]:
    """Figures of a matrix.

    Parameters
    ----------
    matrix : ScoreMatrix

    Returns
    -------
    dict
        ``sizes`` (as `ScoreMatrix.describe`), ``groups`` (one row per value of each of `GROUPS`:
        models, benchmarks, cells and readings with it; the year is that of the model's release,
        and a cell has the source of its reading 1) and ``repeats`` (`noise_floor` by scale).

    Examples
    --------
    >>> from bayesbench.scores import open_scores
    >>> figures = overview(open_scores())
    >>> sum(row["cells"] for row in figures["groups"] if row["group"] == "year")
    12866
    """
    readings = matrix.readings
    readings = readings.assign(
        scale=_looked_up(matrix.benchmarks, "scale", readings["benchmark_id"]),
        category=_looked_up(matrix.benchmarks, "category", readings["benchmark_id"]),
        year=_looked_up(matrix.models, "release_date", readings["model_id"]).str[:4],
        provider=_looked_up(matrix.models, "provider", readings["model_id"]),
    )
    rows = [row for group in GROUPS if group in readings for row in _counted(readings, group)]
    repeats = [_repeated(scale, floor) for scale, floor in noise_floor(matrix).items()]
    return {"sizes": matrix.describe(), "groups": rows, "repeats": repeats}


def _repeated(scale: str, floor: NoiseFloor) -> dict[str, Any]:
    return {
        "scale": scale,
        "cells": floor.n_cells,
        "readings": floor.n_readings,
        "agree": floor.agree,
        "difference": floor.difference,
        "difference_p75": floor.quantiles[0.75],
        "difference_p90": floor.quantiles[0.9],
        "medae": floor.medae,
    }


def _looked_up(table: pd.DataFrame, column: str, ids: pd.Series[str]) -> pd.Series[str]:
    if column not in table:
        return pd.Series(np.nan, index=ids.index, dtype="str")
    return ids.map(table[column]).astype("str")


def _counted(readings: pd.DataFrame, group: str) -> list[dict[str, Any]]:
    """Rows of one group, the largest first; those without a value stand last."""
    values = readings[group].astype(object).where(readings[group].notna(), NOT_STATED)
    rows = [
        {
            "group": group,
            "value": str(value),
            "models": int(part["model_id"].nunique()),
            "benchmarks": int(part["benchmark_id"].nunique()),
            "cells": int((part["reading"] == 1).sum()),
            "readings": len(part),
        }
        for value, part in readings.groupby(values)
    ]
    return sorted(rows, key=lambda row: (row["value"] == NOT_STATED, -row["cells"], row["value"]))
