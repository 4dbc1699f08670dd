"""Where the bundled data lie, and loading scores from whatever path a user names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..errors import DataError
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
    path: str | Path,
    *,
    scale: str | None = None,
    benchmarks: str | Path | pd.DataFrame | None = None,
) -> ScoreMatrix:
    """Load a data directory or a single CSV file.

    Parameters
    ----------
    path : str or Path
        A directory with models.csv, benchmarks.csv and scores.csv, or one CSV file.
    scale, benchmarks
        For a single CSV: see :meth:`ScoreMatrix.from_csv`. A directory states its own.

    Returns
    -------
    ScoreMatrix

    Raises
    ------
    UsageError, SchemaError
        As the loaders of :class:`ScoreMatrix`.

    Examples
    --------
    >>> folder = bundled_path("data", "open_scores")
    >>> read_scores(folder).shape
    (625, 189)
    """
    if Path(path).is_dir():
        return ScoreMatrix.from_directory(path)
    return ScoreMatrix.from_csv(path, scale=scale, benchmarks=benchmarks)
