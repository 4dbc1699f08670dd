"""``bayesbench data add``."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from bayesbench.cli.adding import ADDED_FIELDS
from bayesbench.scores import ScoreMatrix
from bayesbench.scores.exports import write_matrix
from bayesbench.shipped import bundled_path
from tests.cli.conftest import Run
from tests.factories import make_matrix
from tests.scores.upkeep.kept import repeated


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The directory of the matrix that the small posterior was fitted to."""
    write_matrix(repeated(make_matrix()), tmp_path / "kept")
    return tmp_path / "kept"


def table(tmp_path: Path, *rows: str) -> Path:
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(("model,benchmark,score", *rows)) + "\n")
    return file


def files(place: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in place.iterdir()}


def test_scores_are_shown_and_added(ask: Run, tmp_path: Path, place: Path) -> None:
    matrix = ScoreMatrix.from_directory(place)
    known = matrix.values[0, 1]
    file = table(tmp_path, "Model 0,bench_0,48", f"model_0,bench_1,{known}", "model_5,bench_0,45")
    call = ("data", "add", file, "--to", place)
    before = files(place)
    dry = ask(*call, "--dry-run")
    assert dry.code == 0 and files(place) == before
    assert "nothing was written (--dry-run)" in dry.err and "To add" in dry.out
    assert "Left out, being there already" in dry.out and "Predictions that move most" in dry.out
    done = ask(*call, "--format", "json").json()
    assert done["written"] and files(place) != before
    assert [(one["model_id"], one["reading"]) for one in done["added"]] == [
        ("model_0", 1), ("model_5", 2 if matrix.observed[5, 0] else 1),
    ]  # fmt: skip
    assert [one["score"] for one in done["merged"]["repeats"]] == [known]
    distances = [one["distance"] for one in done["foreseen"]]
    assert distances == sorted(distances, reverse=True) and len(distances) == 2
    assert {one["model_id"] for one in done["moves"]} <= {"model_0", "model_5"}
    again = ask(*call, "--format", "csv")
    assert list(csv.reader(io.StringIO(again.out))) == [list(ADDED_FIELDS)]
    assert "nothing was written (nothing new)" in again.err


def test_a_score_that_looks_wrong_is_added_only_when_accepted(run: Run, tmp_path: Path) -> None:
    whole = ScoreMatrix.from_directory(bundled_path("data", "open_scores"))
    place = tmp_path / "kept"
    write_matrix(whole.subset(models=["gpt-4.1", "gpt-4o-2024-08-06"]), place)
    file = table(tmp_path, "gpt-4.1,gpqa_diamond,0.7", "gpt-4.1,mmlu_pro,80.5")
    call = ("data", "add", file, "--to", place, "--scale", "percent")
    before = files(place)
    refused = run(*call)
    assert refused.code == 1 and "1 scores look wrong, nothing was added" in refused.err
    assert "did you mean 70" in " ".join(refused.out.split()) and files(place) == before
    assert run(*call, "--accept-suspicious").code == 0 and files(place) != before


def test_without_a_directory_nothing_is_changed(run: Run, tmp_path: Path) -> None:
    bundled = bundled_path("data", "open_scores")
    before = files(bundled)
    found = run("data", "add", table(tmp_path, "GPT-4.1,GPQA Diamond,66.9"), "--format", "json")
    assert found.json()["written"] is False and files(bundled) == before
    assert "nothing was written (no --to)" in found.err
    assert "'GPQA Diamond' is taken for gpqa_diamond" in found.err


def test_what_is_refused(ask: Run, tmp_path: Path, place: Path) -> None:
    before = files(place)
    for code, word, rows, options in (
        (2, "'model_9' (nearest: model_", ["model_9,bench_1,50"], ()),
        (2, "'bench_9' (nearest: bench_", ["model_0,bench_9,50"], ()),
        (1, "is outside its percent scale", ["model_0,bench_1,500"], ()),
        (1, "say --scale unit or", ["model_0,bench_1,0.5"], ()),
        (1, "is outside its unit scale", ["model_0,bench_1,50"], ("--scale", "unit")),
        (1, "must be a number like", ["model_0,bench_1,x"], ()),
    ):
        refused = ask("data", "add", table(tmp_path, *rows), "--to", place, *options)
        assert refused.code == code and word.casefold() in refused.err.casefold(), refused.err
        assert refused.err.count("\n") == 1 and files(place) == before
    nowhere = ask("data", "add", table(tmp_path, "m,b,1"), "--to", tmp_path / "none")
    assert nowhere.code == 1 and "no such directory" in nowhere.err


def test_an_error_of_the_check_is_listed(ask: Run, tmp_path: Path, place: Path) -> None:
    before = files(place)
    file = tmp_path / "mine.csv"
    file.write_text("model,benchmark,score,source_url\nmodel_0,bench_0,48,javascript:x\n")
    refused = ask("data", "add", file, "--to", place)
    assert refused.code == 1 and "must be the http" in refused.out and files(place) == before
