"""Where the bundled data lie, and loading scores from whatever path a user names."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from ..errors import DataError
from .assemble import AUTO
from .matrix import ScoreMatrix

__all__ = ["bundled_path", "open_scores", "read_scores"]


def bundled_path(kind: str, *parts: str) -> Path:
    """Path of something that ships with the package.

    In a wheel ``data/`` and ``models/`` lie inside the package as ``_data`` and ``_models``; in a
    checkout (also when installed as editable) they stand beside it.

    Parameters
    ----------
    kind : {"data", "models"}
        Which of the two.
    *parts : str
        Path below it.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If it is in neither place.
    """
    package = Path(__file__).resolve().parent.parent
    for base in (package / f"_{kind}", package.parent / kind):
        path = base.joinpath(*parts)
        if path.exists():
            return path
    raise DataError(f"{'/'.join((kind, *parts))} is not installed; reinstall bayesbench-scores")


def open_scores() -> ScoreMatrix:
    """Load the bundled matrix of published scores (CC0; see its data card, data/README.md).

    Returns
    -------
    ScoreMatrix
        625 models x 189 benchmarks, 9,332 cells, unfiltered.

    Examples
    --------
    >>> scores = open_scores()
    >>> scores.shape
    (625, 189)
    """
    return ScoreMatrix.from_directory(bundled_path("data", "open_scores"))


def read_scores(
    source: str | Path | pd.DataFrame,
    *,
    scale: str | None = AUTO,
    benchmarks: str | Path | pd.DataFrame | None = None,
) -> ScoreMatrix:
    """Load a data directory, a single CSV file or a pandas frame.

    What was read is said in one line: by ``repr`` of the matrix, and to the logger of this module
    at level INFO.

    Parameters
    ----------
    source : str, Path or DataFrame
        A directory with models.csv, benchmarks.csv and scores.csv, one CSV file, or a frame as
        :meth:`ScoreMatrix.from_frame` takes it.
    scale : {"auto", "percent", "unit", "rating"}
        Of a single table: 0-100, 0-1 or unbounded. "auto" proposes the one that all its scores
        look like; state it where you know it. A directory states its own.
    benchmarks : frame or CSV path, optional
        Metadata of the benchmarks of a single table; they come before `scale`.

    Returns
    -------
    ScoreMatrix

    Raises
    ------
    UsageError, SchemaError
        As the loaders of :class:`ScoreMatrix`.

    Examples
    --------
    >>> table = pd.DataFrame({"gpqa": [70.0, 50.5], "mmlu": [88.0, None]}, index=["a", "b"])
    >>> read_scores(table)
    ScoreMatrix: 2 models x 2 benchmarks, 3 scores (percent)
    """
    if benchmarks is not None and scale == AUTO:
        scale = None  # a benchmark that the metadata leave out is then a fault, not a guess
    if isinstance(source, pd.DataFrame):
        matrix = ScoreMatrix.from_frame(source, scale=scale, benchmarks=benchmarks)
    elif Path(source).is_dir():
        matrix = ScoreMatrix.from_directory(source)
    else:
        matrix = ScoreMatrix.from_csv(source, scale=scale, benchmarks=benchmarks)
    logging.getLogger(__name__).info("read %r", matrix)
    return matrix
