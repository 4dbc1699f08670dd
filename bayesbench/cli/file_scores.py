"""Scores of a model from another tool's result file, where a command takes scores."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, UsageError
from .output import note
from .values import Scores

if TYPE_CHECKING:
    from ..scores import ScoreMatrix
    from ..scores.importers import ImportedScores

__all__ = ["mapped", "notes_on", "scores_of"]


def scores_of(path: Path, matrix: ScoreMatrix, model: str | None) -> Scores:
    """Scores of one model in a file of results, with notes on what was taken for what.

    `model` picks one where there are several; a file of a single one is that one's.
    """
    from ..scores.importers import read_results

    try:
        imported = read_results(path, matrix=matrix)
    except DataError as error:
        if path.is_file():
            raise
        raise UsageError(str(error)) from None  # no such file, or nothing in the directory
    several = imported.readings["model_id"].nunique() > 1
    chosen = model if several else None
    found = Scores(imported.scores(chosen), imported.stderr(chosen))
    for line in notes_on(imported):
        note(f"note: {line}")
    whose = model if several else imported.readings["model_id"].iloc[0]
    note(f"note: the scores are those of {whose}")
    for row in mapped(imported):
        if row["kind"] == "benchmark" and row["rule"] != "id":
            note(f"note: {row['name']!r} is taken for {row['id']} ({row['rule']})")
    return found


def notes_on(imported: ImportedScores) -> list[str]:
    """One line on what was read, then what a reader should not miss."""
    readings, left = imported.readings, imported.left_out
    lines = [repr(imported).replace("ImportedScores:", "read")]
    own = readings.loc[readings["model_rule"] == "own name", "model_id"].nunique()
    if own:
        lines.append(f"{own} models are not known and keep their own names")
    if len(left):
        most = left["reason"].value_counts()
        lines.append(f"{len(left)} left out, most often: {most.index[0]} ({most.iloc[0]})")
    return lines


def mapped(imported: ImportedScores) -> list[dict[str, Any]]:
    """Every name with what it was taken for, by which rule, and how many readings it has."""
    rows: list[dict[str, Any]] = []
    for kind in ("benchmark", "model"):
        columns = [f"{kind}_name", f"{kind}_id", f"{kind}_rule"]
        names = Counter(map(tuple, imported.readings[columns].to_numpy()))
        for (name, own, rule), count in names.items():
            rows.append({"kind": kind, "name": name, "id": own, "rule": rule, "readings": count})
    return rows
