"""Matrices with second readings, and data directories to change."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bayesbench.scores import ScoreMatrix
from bayesbench.scores.exports import write_matrix
from tests.factories import make_matrix


def repeated(matrix: ScoreMatrix) -> ScoreMatrix:
    """With a second reading of the first four cells, and a source of every reading."""
    first = matrix.readings
    again = first.iloc[:4].assign(reading=2, score=first["score"].iloc[:4] + 0.5)
    readings = pd.concat([first, again]).sort_values(["model_id", "benchmark_id"], kind="stable")
    readings = readings.reset_index(drop=True)
    pages = [f"https://example.org/{n}" for n in range(len(readings))]
    return ScoreMatrix(
        matrix.models,
        matrix.benchmarks,
        readings.assign(
            setting="0-shot", source_kind="other", source_url=pd.array(pages, dtype="str")
        ),
    )


def directory(tmp_path: Path, name: str = "kept") -> Path:
    """A data directory of 6 models x 5 benchmarks."""
    place = tmp_path / name
    write_matrix(repeated(make_matrix()), place)
    return place


def edited(place: Path, table: str, old: str, new: str) -> None:
    """Change the first occurrence of a text in a table."""
    file = place / f"{table}.csv"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
