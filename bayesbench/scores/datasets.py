"""Where the bundled data lie, and loading scores from whatever path a user names."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from ..errors import BayesbenchWarning
from ..shipped import bundled_path
from .assemble import AUTO, Metadata, Options
from .matrix import ScoreMatrix

__all__ = ["bundled_path", "load_scores", "open_scores", "read_scores"]


def open_scores() -> ScoreMatrix:
    """Load the bundled matrix of published scores (CC0; see its data card, data/README.md).

    Returns
    -------
    ScoreMatrix
        675 models x 339 benchmarks, 12,866 cells, unfiltered.

    Examples
    --------
    >>> scores = open_scores()
    >>> scores.shape
    (675, 339)
    """
    return ScoreMatrix.from_directory(bundled_path("data", "open_scores"))


def read_scores(
    source: str | Path | pd.DataFrame,
    *,
    scale: str | None = AUTO,
    benchmarks: Metadata = None,
    models: Metadata = None,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    models_in: Literal["rows", "columns"] | None = None,
) -> ScoreMatrix:
    """Load a data directory, a single table in a file, or a pandas frame.

    What was read is in the ``account`` of the matrix and said in one line: to the logger of this
    module at level INFO, and as a warning where something was left out, taken for something else
    or is doubtful.

    Parameters
    ----------
    source : str, Path or DataFrame
        A directory with models.csv, benchmarks.csv and scores.csv, one file (CSV with any
        separator, parquet, Excel; see docs/tables.md), or a frame as
        :meth:`ScoreMatrix.from_frame` takes it.
    scale : {"auto", "percent", "unit", "rating"}
        Of a single table: 0-100, 0-1 or unbounded. "auto" proposes one for each benchmark, from
        its scores and what is known of benchmarks of that name; state it where you know it. A
        directory states its own.
    benchmarks, models : frame or path, optional
        Metadata of the benchmarks and models of a single table; the benchmarks' come before
        `scale`.
    keep, drop : sequence of str
        Columns of a wide table that hold scores, or do not, whatever they look like.
    models_in : {"rows", "columns"}, optional
        Where the models of a wide table stand.

    Returns
    -------
    ScoreMatrix

    Raises
    ------
    UsageError, SchemaError
        As the loaders of :class:`ScoreMatrix`.

    Warns
    -----
    BayesbenchWarning
        The line, if it has more than sizes to say.

    Examples
    --------
    >>> table = pd.DataFrame({"gpqa": ["70%", "50.5%"], "mmlu": [88.0, None]}, index=["a", "b"])
    >>> matrix = read_scores(table)
    >>> matrix
    ScoreMatrix: 2 models x 2 benchmarks, 3 scores (percent)
    >>> matrix.account.line
    'frame: 2 models x 2 benchmarks, 3 scores, percent (scale proposed, --scale states it)'
    """
    matrix = load_scores(
        source, scale, benchmarks, models, Options(tuple(keep), tuple(drop), models_in)
    )
    account = matrix.account
    assert account is not None
    logging.getLogger(__name__).info("read %s", account.line)
    if account.remarkable:
        warnings.warn(f"read {account.line}", BayesbenchWarning, stacklevel=2)
    return matrix


def load_scores(
    source: str | Path | pd.DataFrame,
    scale: str | None = AUTO,
    benchmarks: Metadata = None,
    models: Metadata = None,
    options: Options | None = None,
) -> ScoreMatrix:
    """As `read_scores`, without a word: the account of the matrix has it all."""
    if benchmarks is not None and scale == AUTO:
        scale = None  # a benchmark that the metadata leave out is then a fault, not a guess
    if isinstance(source, pd.DataFrame):
        return ScoreMatrix.from_frame(source, scale=scale, benchmarks=benchmarks, models=models,
                                      options=options)  # fmt: skip
    if Path(source).is_dir():
        return ScoreMatrix.from_directory(source)
    return ScoreMatrix.from_csv(source, scale=scale, benchmarks=benchmarks, models=models,
                                options=options)  # fmt: skip
