"""The data options: what is read, what is proposed, and files that can be written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
import pytest

from bayesbench.cli.data import chosen_splits, data_options, read_data, writable
from bayesbench.errors import DataError, UsageError
from bayesbench.scores import ScoreMatrix, per_model_folds

LONG = "model_id,benchmark_id,score\n"


def options(data: Path, **given: Any) -> dict[str, Any]:
    none = {"scale": None, "benchmarks": None, "min_model": 0, "min_benchmark": 0, "keep": (),
            "drop": (), "models_in": None}  # fmt: skip
    return {"data": str(data), **none, **given}


def test_a_scale_that_is_proposed_is_noted(
    scores_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = read_data(**options(scores_csv))
    assert set(matrix.benchmarks["scale"]) == {"percent"}
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        "note: read scores.csv: 8 models x 4 benchmarks, 32 scores, percent (scale proposed, "
        "--scale states it)\n"
    )


def test_a_scale_that_is_stated_is_taken_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(LONG + "a,b0,0.5\nb,b0,0.25\n")
    assert list(read_data(**options(file, scale="unit")).benchmarks["upper"]) == [1.0]
    assert list(read_data(**options(file, scale="percent")).benchmarks["upper"]) == [100.0]
    assert capsys.readouterr().err == ""
    assert list(read_data(**options(file)).benchmarks["upper"]) == [1.0]
    assert ", unit (scale proposed" in capsys.readouterr().err


def test_metadata_come_before_any_proposal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, about = tmp_path / "scores.csv", tmp_path / "benchmarks.csv"
    file.write_text(LONG + "a,b0,0.5\nb,b0,0.25\n")
    about.write_text("benchmark_id,scale\nb0,percent\n")
    matrix = read_data(**options(file, benchmarks=str(about)))
    assert list(matrix.benchmarks["scale"]) == ["percent"]
    assert capsys.readouterr().err == ""
    about.write_text("benchmark_id,scale\nb1,percent\n")
    with pytest.raises(DataError):  # one it leaves out is a fault, not a guess
        read_data(**options(file, benchmarks=str(about)))


def test_a_directory_states_its_own_scales(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scores.csv").write_text(LONG + "a,b0,1200\nb,b0,1300\n")
    (tmp_path / "models.csv").write_text("model_id\na\nb\n")
    (tmp_path / "benchmarks.csv").write_text("benchmark_id,scale\nb0,rating\n")
    assert list(read_data(**options(tmp_path)).benchmarks["scale"]) == ["rating"]
    assert capsys.readouterr().err == ""
    for given in ({"scale": "percent"}, {"benchmarks": "b.csv"}):
        with pytest.raises(UsageError, match="leave out --scale, --benchmarks"):
            read_data(**options(tmp_path, **given))


def test_what_has_few_scores_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    rows = [f"m{i},b{j},50" for i in range(4) for j in range(4) if j < 3 or i == 0]
    file.write_text(LONG + "\n".join(rows) + "\n")
    assert read_data(**options(file, scale="percent")).shape == (4, 4)
    assert read_data(**options(file, scale="percent", min_benchmark=2)).shape == (4, 3)
    with pytest.raises(DataError, match="lower the limits"):
        read_data(**options(file, scale="percent", min_model=9))


def test_the_limits_are_the_command_s_own() -> None:
    @click.command()
    @data_options(15, 8)
    def command(**data: Any) -> dict[str, Any]:
        return data

    found = command.main(["--data", "x"], standalone_mode=False)
    assert found == options(Path("x"), min_model=15, min_benchmark=8)
    given = ["--data", "x", "--min-model", "0", "--min-benchmark", "2", "--scale", "unit"]
    expected = options(Path("x"), min_model=0, min_benchmark=2, scale="unit")
    assert command.main(given, standalone_mode=False) == expected


def test_folds_of_a_seed_or_of_a_file(scores_csv: Path, tmp_path: Path) -> None:
    matrix = ScoreMatrix.from_csv(scores_csv, scale="percent")
    made, expected = chosen_splits(matrix, None, 5), per_model_folds(matrix, seed=5)
    assert [split.cells.tolist() for split in made] == [split.cells.tolist() for split in expected]
    file = tmp_path / "folds.json"
    fold = {"seed": 1, "fold": 0, "test_cells": [[0, 0], [1, 1]]}
    content = {"models": ["m2", "m5"], "benchmarks": ["b1", "b3"], "folds": [fold]}
    file.write_text(json.dumps(content))
    (split,) = chosen_splits(matrix, str(file), 5)
    assert [(matrix.model_ids[i], matrix.benchmark_ids[j]) for i, j in split.cells] == [
        ("m2", "b1"), ("m5", "b3"),
    ]  # fmt: skip


def test_a_file_that_can_be_written_is_not_touched(tmp_path: Path) -> None:
    assert writable(str(tmp_path / "new.nc"), "--out") == tmp_path / "new.nc"
    assert list(tmp_path.iterdir()) == []
    there = tmp_path / "old.nc"
    there.write_text("kept")
    assert writable(str(there), "--out") == there
    assert there.read_text() == "kept"


def test_a_file_that_cannot_be_written_is_refused_by_its_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (str(tmp_path), "", "."):
        with pytest.raises(UsageError, match=r"--out .* is a directory; name a file"):
            writable(path, "--out")
    with pytest.raises(UsageError, match=r"--predictions .*: there is no directory"):
        writable(str(tmp_path / "no" / "such.nc"), "--predictions")
    # not by its mode: the super-user may write anywhere
    monkeypatch.setattr(os, "access", lambda path, mode: (Path(path), mode) != (tmp_path, os.W_OK))
    with pytest.raises(UsageError, match="the directory may not be written"):
        writable(str(tmp_path / "new.nc"), "--out")
