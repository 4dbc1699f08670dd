"""Readings that are put aside and come back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bayesbench.errors import BayesbenchError, DataError
from bayesbench.scores import ScoreMatrix
from bayesbench.scores.upkeep import put_aside, put_back, quarantine, quarantined
from tests.design.design_helpers import failed_examples
from tests.scores.upkeep.kept import directory, edited


def files(place: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in place.iterdir()}


def cell(place: Path) -> dict[int, float]:
    frame = ScoreMatrix.from_directory(place).readings
    own = frame[(frame["model_id"] == "model_0") & (frame["benchmark_id"] == "bench_1")]
    return dict(zip(own["reading"], own["score"], strict=True))


@pytest.mark.parametrize("number", [1, 2])
def test_there_and_back_leaves_all_as_it_was(number: int, tmp_path: Path) -> None:
    place = directory(tmp_path)
    text, scores = (place / "scores.csv").read_bytes(), cell(place)
    aside = put_aside(place, "model_0", "bench_1", number, "  another\n split ")
    assert cell(place) == {1: scores[3 - number]}
    assert (aside.score, aside.reading, aside.first) == (scores[number], number, scores[3 - number])
    (row,) = quarantined(place).to_dict("records")
    assert row["reason"] == "another split" and row["reading"] == str(number)
    assert row["setting"] == "0-shot" and row["source_url"].startswith("https://example.org/")
    back = put_back(place, "model_0", "bench_1")
    assert (back.reading, back.first) == (number, scores[1])
    assert (place / "scores.csv").read_bytes() == text
    assert len(quarantined(place)) == 0


def test_the_lowest_of_the_others_becomes_reading_1_and_no_other_number_moves(
    tmp_path: Path,
) -> None:
    place = directory(tmp_path)
    frame = pd.read_csv(place / "scores.csv", dtype=str)
    own = frame[(frame["model_id"] == "model_0") & (frame["benchmark_id"] == "bench_1")]
    third = own.iloc[[1]].assign(reading="3", score="33")
    pd.concat([third, frame]).to_csv(place / "scores.csv", index=False)
    scores = cell(place)
    put_aside(place, "model_0", "bench_1", 1, "why")
    assert cell(place) == {1: scores[2], 3: 33.0}
    put_back(place, "model_0", "bench_1")
    assert cell(place) == scores


def test_the_only_reading_of_a_cell_leaves_it_empty(tmp_path: Path) -> None:
    place = directory(tmp_path)
    matrix = ScoreMatrix.from_directory(place)
    only = matrix.readings[matrix.readings["model_id"] == "model_5"]["benchmark_id"].iloc[0]
    moved = put_aside(place, "model_5", only, 1, "why")
    assert moved.first is None
    assert ScoreMatrix.from_directory(place).n_cells == matrix.n_cells - 1
    put_back(place, "model_5", only)
    assert ScoreMatrix.from_directory(place).n_cells == matrix.n_cells


def test_a_quarantine_of_other_columns_keeps_them(tmp_path: Path) -> None:
    place = directory(tmp_path)
    (place / "quarantine.csv").write_text(
        "model_id,benchmark_id,score,source_url,origin,reason\n"
        "model_0,bench_1,12.5,https://example.org/q,benchpress:x,wrong split\n"
    )
    put_aside(place, "model_0", "bench_1", 2, "why")
    frame = quarantined(place)
    assert list(frame["origin"]) == ["benchpress:x", ""]
    assert list(frame.columns[:6]) == list(quarantine._FIRST)
    back = put_back(place, "model_0", "bench_1", 1)  # its number is not known: the last one
    assert (back.score, back.reading) == (12.5, 2)
    assert put_back(place, "model_0", "bench_1").reading == 3  # its own number is taken


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda at: put_aside(at, "model_0", "bench_1", 3, "why"), "its readings: 1, 2"),
        (lambda at: put_aside(at, "nobody", "bench_1", 1, "why"), "its readings: none"),
        (lambda at: put_aside(at, "model_0", "bench_1", 1, " "), "state it"),
        (lambda at: put_back(at, "model_0", "bench_1"), "0 readings of"),
        (lambda at: put_aside(at / "none", "model_0", "bench_1", 1, "why"), "no such directory"),
    ],
)
def test_what_is_not_there_is_refused_and_nothing_changes(
    call: Callable[[Path], object], word: str, tmp_path: Path
) -> None:
    place = directory(tmp_path)
    before = files(place)
    with pytest.raises(BayesbenchError, match=word):
        call(place)
    assert files(place) == before


def test_a_reading_that_breaks_the_schema_does_not_come_back(tmp_path: Path) -> None:
    place = directory(tmp_path)
    put_aside(place, "model_0", "bench_1", 2, "why")
    edited(place, "quarantine", quarantined(place)["score"].iloc[0], "850")
    before = files(place)
    with pytest.raises(BayesbenchError, match="outside its percent scale"):
        put_back(place, "model_0", "bench_1")
    assert files(place) == before


@pytest.mark.parametrize("broken", ["scores", "quarantine"])
def test_a_write_that_fails_loses_nothing(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = directory(tmp_path)
    text, written = (place / "scores.csv").read_bytes(), quarantine.write_as_written

    def failing(directory: Path, name: str, frame: pd.DataFrame) -> None:
        if name == broken:
            raise DataError(f"{name}: cannot be written")
        written(directory, name, frame)

    monkeypatch.setattr(quarantine, "write_as_written", failing)
    with pytest.raises(DataError, match="cannot be written"):
        put_aside(place, "model_0", "bench_1", 1, "why")
    assert (place / "scores.csv").read_bytes() == text


def test_examples() -> None:
    assert failed_examples(sys.modules[put_aside.__module__]) == 0
