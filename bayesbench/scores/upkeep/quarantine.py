"""Quarantine: readings that are left out of a data directory, each with its reason, and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import DataError, UsageError
from ..assemble import assemble_directory
from ..headers import name_aliases
from ..matrix import ScoreMatrix
from ..schema import check_benchmarks, check_models, find_table
from ..tables import table_of
from .as_written import read_as_written, write_as_written

__all__ = ["Moved", "put_aside", "put_back", "quarantined"]

FILE = "quarantine"
_FIRST = ["model_id", "benchmark_id", "score", "source_url", "origin", "reason"]
"""Columns of a new file; those of the readings follow."""


@dataclass(frozen=True)
class Moved:
    """A reading that was moved.

    Attributes
    ----------
    model_id, benchmark_id : str
    score : float
    reading : int
        Its number among the readings, before it left or after it came back.
    first : float or None
        Score of reading 1 of the cell now; None if the cell has no reading left.
    """

    model_id: str
    benchmark_id: str
    score: float
    reading: int
    first: float | None


def quarantined(directory: str | Path) -> pd.DataFrame:
    """What is in quarantine, as text, in the order of the file; no row where there is no file."""
    if not (Path(directory) / f"{FILE}.csv").exists():
        return pd.DataFrame(columns=_FIRST, dtype=str)
    frame = read_as_written(Path(directory), FILE)
    missing = [name for name in ("model_id", "benchmark_id", "score") if name not in frame]
    if missing:
        raise DataError(f"{directory}/{FILE}.csv: missing column {', '.join(missing)}; add it")
    return frame


def put_aside(
    directory: str | Path, model_id: str, benchmark_id: str, reading: int, reason: str
) -> Moved:
    """Move a reading from scores.csv to quarantine.csv.

    Where it was reading 1, the lowest of the others becomes reading 1. The quarantine is written
    first: a reading may then stand in both files, but never in none.

    Parameters
    ----------
    directory : path
    model_id, benchmark_id : str
    reading : int
    reason : str

    Returns
    -------
    Moved

    Raises
    ------
    DataError
        If the directory breaks the schema, there is no such reading, or it would be the last one.
    UsageError
        If there is no reason.

    Examples
    --------
    >>> import tempfile
    >>> import bayesbench as bb
    >>> matrix = bb.open_scores().subset(benchmarks=["gpqa_diamond", "ifeval"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = Path(folder, "mine")
    ...     bb.write_matrix(matrix, place)
    ...     one = put_aside(place, "gpt-4.1", "ifeval", 1, "another split")
    ...     row = quarantined(place).iloc[0]
    ...     back = put_back(place, "gpt-4.1", "ifeval")
    >>> row["reason"], one.score == back.score, back.reading
    ('another split', True, 1)
    """
    place, why = Path(directory), " ".join(reason.split())
    if not why:
        raise UsageError("a reading is put into quarantine for a reason; state it")
    scores, cell = _cell(place, model_id, benchmark_id)
    at = [row for row in cell if _number(scores, row) == reading]
    if not at:
        there = ", ".join(str(_number(scores, row)) for row in cell) or "none"
        raise DataError(
            f"{place}: no reading {reading} of ({model_id}, {benchmark_id}); its readings: {there}"
        )
    if len(scores) == 1:
        raise DataError(f"{place}: this is its last reading; a matrix needs one")
    moved = scores.iloc[at[0]]
    aside = quarantined(place)
    columns = list(dict.fromkeys([*aside.columns, *moved.index, "reason"]))
    row = {**moved.to_dict(), "reason": why}
    aside = pd.concat([aside, pd.DataFrame([row])], ignore_index=True).reindex(columns=columns)
    left = [row for row in cell if row != at[0]]
    if reading == 1 and left:
        lowest = min(left, key=lambda row: _number(scores, row))
        scores.loc[lowest, "reading"] = "1"
    scores = scores.drop(index=at[0]).reset_index(drop=True)
    write_as_written(place, FILE, aside.fillna(""))
    write_as_written(place, "scores", scores)
    return _moved(place, model_id, benchmark_id, float(moved["score"]), reading)


def put_back(directory: str | Path, model_id: str, benchmark_id: str, row: int = 1) -> Moved:
    """Move a reading of a cell from quarantine.csv back to scores.csv, under its number of before.

    A reading 1 that took its place gets the lowest number that is free; a reading whose number
    nobody noted comes last. The scores are written first.

    Parameters
    ----------
    directory : path
    model_id, benchmark_id : str
    row : int
        Which of those of the cell in quarantine, from 1.

    Returns
    -------
    Moved

    Raises
    ------
    DataError
        If the directory breaks the schema, or there is no such row.
    """
    place = Path(directory)
    scores, cell = _cell(place, model_id, benchmark_id)
    aside = quarantined(place)
    same = (aside["model_id"] == model_id) & (aside["benchmark_id"] == benchmark_id)
    at = np.flatnonzero(same.to_numpy())
    if not 1 <= row <= len(at):
        raise DataError(
            f"{place}: {len(at)} readings of ({model_id}, {benchmark_id}) are in quarantine, not "
            f"{row} or more"
        )
    moved = aside.iloc[at[row - 1]]
    taken = {_number(scores, one): one for one in cell}
    noted = str(moved.get("reading", ""))
    number = int(noted) if noted.isdigit() and int(noted) > 0 else max(taken, default=0) + 1
    if number > 1 and (number in taken or 1 not in taken):
        number = max(taken, default=0) + 1
    if number == 1 and 1 in taken:
        free = next(n for n in range(2, len(taken) + 3) if n not in taken)
        scores.loc[taken[1], "reading"] = str(free)
    new = pd.DataFrame([{**moved.to_dict(), "reading": str(number)}]).reindex(
        columns=scores.columns
    )
    cut = (min(cell) if number == 1 else max(cell) + 1) if cell else len(scores)
    scores = pd.concat([scores.iloc[:cut], new, scores.iloc[cut:]], ignore_index=True).fillna("")
    _check_back(place, scores)
    write_as_written(place, "scores", scores)
    write_as_written(place, FILE, aside.drop(index=at[row - 1]))
    return _moved(place, model_id, benchmark_id, float(moved["score"]), number)


def _check_back(place: Path, scores: pd.DataFrame) -> None:
    """Raise DataError if a reading that comes back breaks the schema."""
    models = check_models(find_table(place, "models"))
    benchmarks = check_benchmarks(find_table(place, "benchmarks"))
    table = table_of(scores.replace("", np.nan), "scores.csv")
    assemble_directory(place.name, models, benchmarks, name_aliases(table))


def _cell(place: Path, model_id: str, benchmark_id: str) -> tuple[pd.DataFrame, list[int]]:
    """The readings as written, and the rows of a cell."""
    ScoreMatrix.from_directory(place)
    scores = read_as_written(place, "scores")
    missing = [name for name in ("model_id", "benchmark_id", "reading") if name not in scores]
    if missing:
        raise DataError(f"{place}/scores.csv: missing column {', '.join(missing)}; add it")
    same = (scores["model_id"] == model_id) & (scores["benchmark_id"] == benchmark_id)
    return scores, [int(row) for row in np.flatnonzero(same.to_numpy())]


def _number(scores: pd.DataFrame, row: int) -> int:
    return int(float(scores["reading"].iloc[row]))


def _moved(place: Path, model_id: str, benchmark_id: str, score: float, reading: int) -> Moved:
    matrix = ScoreMatrix.from_directory(place)
    now = matrix.values[matrix.model_index(model_id), matrix.benchmark_index(benchmark_id)]
    return Moved(model_id, benchmark_id, score, reading, float(now) if np.isfinite(now) else None)
