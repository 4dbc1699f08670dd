"""The schema of models, benchmarks and readings; the first fault found is raised, none repaired.

Scale, bounds, direction and number of items come from metadata or from ``scale=``, never from the
scores.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import SchemaError, UsageError
from .headers import name_aliases
from .ids import nearest_ids
from .tables import Table, read_table, shown

__all__ = [
    "GIVEN_SCALES",
    "SCALES",
    "benchmarks_from_scale",
    "check_benchmarks",
    "check_models",
    "check_readings",
    "find_table",
    "require_rows",
    "validate_directory",
]

SCALES: dict[str, tuple[float, float]] = {
    "percent": (0.0, 100.0),
    "unit": (0.0, 1.0),
    "points": (np.nan, np.nan),
    "rating": (np.nan, np.nan),
    "distance": (0.0, np.nan),
}
"""Known scales and the bounds that hold where the metadata state none (NaN = unbounded)."""

GIVEN_SCALES = ("percent", "unit", "rating")
"""Scales that need no further metadata, so that one word can state them for a whole table."""

_DIRECTORY_COLUMNS = {
    "models": (
        *("model_id", "name", "provider", "release_date", "params_b", "open_weights", "reasoning"),
    ),
    "benchmarks": ("benchmark_id", "scale", "lower", "upper", "higher_is_better", "n_items"),
    "scores": (
        *("model_id", "benchmark_id", "score", "reading", "setting", "source_kind", "source_url"),
    ),
}


def check_models(table: Table) -> pd.DataFrame:
    """Check a table of models and give it its types.

    Parameters
    ----------
    table : Table
        Needs ``model_id``; ``name``, ``provider``, ``release_date``, ``params_b``,
        ``open_weights``, ``reasoning``, ``active_params_b``, ``date_source``, ``family`` and
        ``aliases`` (other spellings, separated by ``|``) may be missing or empty.

    Returns
    -------
    pandas.DataFrame
        Indexed by model_id.

    Raises
    ------
    SchemaError
        Naming the source, the row and the value.
    """
    table = name_aliases(table)
    table.require(["model_id"])
    ids = table.unique_ids("model_id")
    frame = pd.DataFrame(
        {
            "name": table.texts("name").fillna(ids),
            "provider": table.texts("provider"),
            "release_date": table.dates("release_date"),
            "params_b": table.numbers(
                "params_b", lambda x: x > 0, "must be a positive number of billions, or empty"
            ),
            "open_weights": table.flags("open_weights"),
            "reasoning": table.flags("reasoning"),
        }
    )
    if "active_params_b" in table.frame.columns:
        frame["active_params_b"] = table.numbers(
            "active_params_b", lambda x: x > 0, "must be a positive number of billions, or empty"
        )
    return _with_texts(table, frame, "date_source", "family", "aliases").set_index(
        pd.Index(ids, name="model_id", dtype="str")
    )


def check_benchmarks(table: Table, scale: str | None = None) -> pd.DataFrame:
    """Check a table of benchmarks and give it its types.

    Parameters
    ----------
    table : Table
        Needs ``benchmark_id`` and ``scale`` (percent, unit, points, rating or distance).
        ``lower`` and ``upper`` default to the bounds of the scale, ``higher_is_better`` to true;
        ``name``, ``n_items``, ``cost``, ``category``, ``how`` (it is scored), ``cost_note``,
        ``url`` and ``aliases`` (other spellings, separated by ``|``) are optional.
    scale : str, optional
        Scale of benchmarks that state none.

    Returns
    -------
    pandas.DataFrame
        Indexed by benchmark_id; NaN bounds mean unbounded.

    Raises
    ------
    SchemaError
        Naming the source, the row and the value.
    """
    table = name_aliases(table)
    table.require(["benchmark_id"] if scale else ["benchmark_id", "scale"])
    ids = table.unique_ids("benchmark_id")
    scales = table.texts("scale")
    if scale:
        scales = scales.fillna(_known_scale(scale))
    known = f"must be one of {', '.join(SCALES)}"
    if "scale" in table.frame.columns:
        table.check("scale", scales.isin(SCALES).to_numpy(), known)
    lower, upper = _bounds(table, scales)
    frame = pd.DataFrame(
        {
            "name": table.texts("name").fillna(ids),
            "scale": scales,
            "lower": lower,
            "upper": upper,
            "higher_is_better": table.flags("higher_is_better", default=True).astype(bool),
            "n_items": table.numbers(
                "n_items", lambda x: x >= 1, "must be a number of at least 1, or empty"
            ),
        }
    )
    if "cost" in table.frame.columns:
        frame["cost"] = table.numbers("cost", lambda x: x > 0, "must be positive, or empty")
    return _with_texts(table, frame, "category", "how", "cost_note", "url", "aliases").set_index(
        pd.Index(ids, name="benchmark_id", dtype="str")
    )


def _with_texts(table: Table, frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The frame with those of the optional text columns that the table has."""
    present = [name for name in columns if name in table.frame.columns]
    return frame.assign(**{name: table.texts(name) for name in present})


def benchmarks_from_scale(ids: list[str], scale: str) -> pd.DataFrame:
    """Metadata of benchmarks that all stand on one stated scale, higher is better.

    Raises
    ------
    UsageError
        If ``scale`` is not ``percent`` (0-100), ``unit`` (0-1) or ``rating`` (unbounded).
    """
    frame = pd.DataFrame({"benchmark_id": ids, "scale": _known_scale(scale)})
    return check_benchmarks(Table("benchmarks", frame, np.arange(len(ids))))


def check_readings(table: Table, models: pd.DataFrame, benchmarks: pd.DataFrame) -> pd.DataFrame:
    """Check a long table of readings against its models and benchmarks and give it its types.

    Parameters
    ----------
    table : Table
        Needs ``model_id``, ``benchmark_id``, ``score``; ``reading`` defaults to 1; ``setting``,
        ``source_kind``, ``source_url``, ``n_items`` and ``stderr`` are kept when there.
    models, benchmarks : pandas.DataFrame
        Checked metadata, indexed by id.

    Returns
    -------
    pandas.DataFrame
        One row per reading.

    Raises
    ------
    SchemaError
        If there is no reading, an id is unknown, a score is not a finite number inside the scale
        of its benchmark, a reading stands twice, or a cell lacks its reading 1.
    """
    table = name_aliases(table)
    table.require(["model_id", "benchmark_id", "score"])
    require_rows(table)
    model_ids, benchmark_ids = table.ids("model_id"), table.ids("benchmark_id")
    _check_known(table, "model_id", model_ids, models.index)
    _check_known(table, "benchmark_id", benchmark_ids, benchmarks.index)
    scores = table.numbers(
        "score",
        lambda x: np.ones(len(x), dtype=bool),
        "must be a finite number; correct it or remove the row",
        optional=False,
    )
    _check_in_scale(table, scores, benchmark_ids, benchmarks)
    reading = table.numbers(
        "reading", lambda x: (x >= 1) & (x == np.floor(x)), "must be 1, 2, 3, ...", optional=False
    ).fillna(1.0)
    frame = pd.DataFrame(
        {
            "model_id": model_ids.astype("str"),
            "benchmark_id": benchmark_ids.astype("str"),
            "score": scores,
            "reading": reading.astype(np.int64),
        }
    )
    _check_numbering(table, frame)
    return frame.assign(**_optional_columns(table))


def require_rows(table: Table) -> None:
    """Raise SchemaError if a table of readings has no row."""
    if table.frame.empty:
        raise SchemaError(f"{table.source}: no readings; it needs at least one row with a score")


def find_table(directory: str | Path, name: str) -> Table:
    """Read ``name``.csv or ``name``.csv.gz of a directory.

    Raises
    ------
    SchemaError
        If the directory or the file is not there, or the file is not a CSV text.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise SchemaError(f"{directory}: no such directory; check the path")
    for file in (directory / f"{name}.csv", directory / f"{name}.csv.gz"):
        if file.exists():
            return read_table(file)
    raise SchemaError(
        f"{directory}: {name}.csv is missing; a data directory needs "
        "models.csv, benchmarks.csv and scores.csv"
    )


def validate_directory(path: str | Path) -> tuple[int, int, int]:
    """Check a directory of published scores: the full schema and a URL for every reading.

    Parameters
    ----------
    path : str or Path
        Directory with models.csv, benchmarks.csv and scores.csv, all columns present.

    Returns
    -------
    tuple of int
        Numbers of models, benchmarks and readings.

    Raises
    ------
    SchemaError
        The first fault, naming file, row, value and remedy.
    """
    tables = {name: find_table(path, name) for name in ("models", "benchmarks", "scores")}
    for name, columns in _DIRECTORY_COLUMNS.items():
        tables[name].require(columns)
    models, benchmarks = check_models(tables["models"]), check_benchmarks(tables["benchmarks"])
    readings = check_readings(tables["scores"], models, benchmarks)
    good = readings["source_url"].str.fullmatch(r"https?://[^\s/]+\S*", na=False).to_numpy()
    tables["scores"].check("source_url", good, "must be the http(s) address of a public page")
    return len(models), len(benchmarks), len(readings)


def _known_scale(scale: str) -> str:
    if scale not in GIVEN_SCALES:
        raise UsageError(
            f"scale {shown(scale)} is not known; use percent (0-100), unit (0-1) or rating"
        )
    return scale


def _bounds(table: Table, scales: pd.Series[str]) -> tuple[pd.Series[float], pd.Series[float]]:
    def anything(x: np.ndarray) -> np.ndarray:
        return np.ones(len(x), dtype=bool)

    remedy = "must be a finite number, or empty"
    lower = table.numbers("lower", anything, remedy)
    upper = table.numbers("upper", anything, remedy)
    lower = lower.fillna(scales.map({name: bounds[0] for name, bounds in SCALES.items()}))
    upper = upper.fillna(scales.map({name: bounds[1] for name, bounds in SCALES.items()}))
    crossed = np.flatnonzero((lower >= upper).to_numpy())
    if len(crossed):
        first = int(crossed[0])
        raise table.fault(
            first, f"lower {lower[first]:g} is not below upper {upper[first]:g}; correct the bounds"
        )
    return lower, upper


def _check_known(table: Table, column: str, ids: pd.Series[str], known: pd.Index[str]) -> None:
    unknown = np.flatnonzero(~ids.isin(known).to_numpy())
    if len(unknown):
        first = int(unknown[0])
        near = nearest_ids(ids.iloc[first], known)
        hint = f"; nearest: {', '.join(near)}" if near else ""
        what = column.removesuffix("_id")
        raise table.fault(
            first,
            f"{column} {shown(ids.iloc[first])} is not among the {what}s; correct it or add the "
            f"{what}{hint}",
        )


def _check_in_scale(
    table: Table, scores: pd.Series[float], ids: pd.Series[str], benchmarks: pd.DataFrame
) -> None:
    lower, upper = ids.map(benchmarks["lower"]), ids.map(benchmarks["upper"])
    outside = np.flatnonzero(((scores < lower) | (scores > upper)).to_numpy())
    if len(outside):
        first = int(outside[0])
        low, high = lower.iloc[first], upper.iloc[first]
        scale = benchmarks["scale"][ids.iloc[first]]
        raise table.fault(
            first,
            f"score {scores.iloc[first]:g} of {ids.iloc[first]} is outside its {scale} scale "
            f"[{_bound(low)}, {_bound(high)}]; correct the score or the scale",
        )


def _bound(value: float) -> str:
    return "unbounded" if np.isnan(value) else f"{value:g}"


def _check_numbering(table: Table, frame: pd.DataFrame) -> None:
    twice = np.flatnonzero(frame.duplicated(["model_id", "benchmark_id", "reading"]).to_numpy())
    if len(twice):
        first = int(twice[0])
        cell = _cell(frame, first)
        raise table.fault(
            first,
            f"reading {frame['reading'].iloc[first]} of {cell} stands twice; remove one or number "
            "them 1, 2, ... in a column `reading`",
        )
    least = frame.groupby(["model_id", "benchmark_id"])["reading"].transform("min")
    headless = np.flatnonzero((least > 1).to_numpy())
    if len(headless):
        first = int(headless[0])
        raise table.fault(
            first, f"{_cell(frame, first)} has no reading 1; number its best reading 1"
        )


def _cell(frame: pd.DataFrame, position: int) -> str:
    return f"({frame['model_id'].iloc[position]}, {frame['benchmark_id'].iloc[position]})"


def _optional_columns(table: Table) -> dict[str, pd.Series]:
    present = set(table.frame.columns)
    columns: dict[str, pd.Series] = {
        name: table.texts(name)
        for name in ("setting", "source_kind", "source_url")
        if name in present
    }
    if "n_items" in present:
        columns["n_items"] = table.numbers(
            "n_items", lambda x: x >= 1, "must be a number of at least 1, or empty"
        )
    if "stderr" in present:
        columns["stderr"] = table.numbers(
            "stderr", lambda x: x >= 0, "must be a number of at least 0, or empty"
        )
    return columns
