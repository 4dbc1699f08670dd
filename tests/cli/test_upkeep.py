"""``bayesbench data``."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from bayesbench.cli.upkeep import FINDING_FIELDS, SHOWN
from bayesbench.scores import ScoreMatrix, open_scores
from bayesbench.scores.exports import write_matrix
from tests.cli.conftest import Run
from tests.scores.upkeep.kept import directory, edited


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_check_exits_0_on_sound_data_and_1_on_faults(run: Run, tmp_path: Path) -> None:
    place = directory(tmp_path)
    sound = run("data", "check", place)
    assert (sound.code, sound.err) == (0, "") and "0 errors, 0 warnings" in sound.out
    edited(place, "scores", "model_0,bench_1,", "model_0,bench_1,x")
    edited(place, "scores", "https://example.org/5", "example.org")
    found = run("data", "check", place, "--format", "csv")
    assert found.code == 1
    assert found.err == f"error: {place}: 2 errors; correct what is listed\n"
    listed = rows(found.out)
    assert [one["kind"] for one in listed] == ["schema", "address"]
    assert tuple(listed[0]) == FINDING_FIELDS
    assert "must be a number like" in run("data", "check", place).out


def test_a_table_is_checked_on_its_scale(run: Run, scores_csv: Path) -> None:
    assert run("data", "check", scores_csv, "--scale", "percent").code == 0
    assert run("data", "check", scores_csv, "--scale", "unit").code == 1
    assert run("data", "check", scores_csv.parent / "none.csv").code == 1


def test_scales_of_a_directory_are_its_own(run: Run, tmp_path: Path) -> None:
    refused = run("data", "check", directory(tmp_path), "--scale", "unit")
    assert refused.code == 2 and "states its own scales" in refused.err


def test_diff_is_one_line_and_rows(run: Run, tmp_path: Path) -> None:
    one, other = directory(tmp_path, "one"), directory(tmp_path, "other")
    assert run("data", "diff", one, other).out.startswith("no difference")
    edited(other, "models", "2023-01", "2023-02")
    document = run("data", "diff", one, other, "--format", "json").json()
    assert document["line"] == "changed: 1 model"
    (row,) = document["differences"]
    assert (row["model_id"], row["field"], row["after"]) == ("model_0", "release_date", "2023-02")


def test_a_long_table_is_cut_on_screen_alone(run: Run, scores_csv: Path, full_csv: Path) -> None:
    call = ("data", "diff", scores_csv, full_csv)
    n = len(run(*call, "--format", "json").json()["differences"])
    assert n > SHOWN and len(rows(run(*call, "--format", "csv").out)) == n
    assert f"the first {SHOWN} of {n}" in run(*call).out


def test_stats(run: Run, tmp_path: Path) -> None:
    place = directory(tmp_path)
    document = run("data", "stats", place, "--format", "json").json()
    assert document["sizes"]["cells"] == ScoreMatrix.from_directory(place).n_cells
    assert rows(run("data", "stats", place, "--format", "csv").out)[0]["group"] == "source_kind"
    assert "Cells with several readings" in run("data", "stats", place).out


def test_quarantine_there_and_back(run: Run, tmp_path: Path) -> None:
    place = directory(tmp_path)
    text = (place / "scores.csv").read_bytes()
    call = ("data", "quarantine", place)
    assert "0 readings in quarantine" in run(*call).out
    moved = run(*call, "--add", ' "model_0" ,bench_1,1', "--reason", "why", "--format", "json")
    assert moved.json()["moved"] == "aside" and (place / "scores.csv").read_bytes() != text
    (listed,) = run(*call, "--format", "json").json()["quarantined"]
    assert (listed["reason"], listed["origin"]) == ("why", None)
    assert rows(run(*call, "--format", "csv").out)[0]["model_id"] == "model_0"
    assert run(*call, "--back", "model_0,bench_1").code == 0
    assert (place / "scores.csv").read_bytes() == text


@pytest.mark.parametrize(
    "options",
    [
        ("--add", "model_0,bench_1,1"),
        ("--reason", "why"),
        ("--add", "model_0,bench_1", "--reason", "why"),
        ("--add", "model_0,bench_1,0", "--reason", "why"),
        ("--back", "model_0"),
        ("--back", "model_0,bench_1", "--add", "model_0,bench_1,1", "--reason", "why"),
    ],
)
def test_wrong_calls_of_quarantine(options: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    place = directory(tmp_path)
    refused = run("data", "quarantine", place, *options)
    assert refused.code == 2 and refused.err.count("\n") == 1
    assert not (place / "quarantine.csv").exists()


def test_export_is_the_same_command(run: Run, scores_csv: Path, tmp_path: Path) -> None:
    for n, call in enumerate((("export",), ("data", "export"))):
        assert run(*call, "--data", scores_csv, "--out", tmp_path / f"{n}.csv").code == 0
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


def test_the_group_alone_shows_its_help(run: Run) -> None:
    assert "quarantine" in run("data").out


def test_readings_that_look_wrong_to_a_posterior_are_warnings(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "kept"
    write_matrix(open_scores().subset(models=["gpt-4.1", "gpt-4o-2024-08-06"]), place)
    edited(place, "scores", "gpt-4.1,gpqa_diamond,66.3", "gpt-4.1,gpqa_diamond,0.663")
    plain = run("data", "check", place, "--format", "json").json()
    found = run("data", "check", place, "--posterior", "bundled", "--format", "json")
    document = found.json()
    suspected = [one for one in document["findings"] if one["kind"] == "suspicion"]
    assert document["warnings"] == plain["warnings"] + len(suspected)
    assert "(gpt-4.1, gpqa_diamond): 0.663" in suspected[0]["text"]
    assert "a share, not a percentage: 66.3?" in suspected[0]["text"]
    assert suspected[0]["probability"] > 0.9 and "not judged" in found.err


def test_a_posterior_of_another_matrix_is_refused(run: Run, tmp_path: Path) -> None:
    refused = run("data", "check", directory(tmp_path), "--posterior", "bundled")
    assert refused.code == 1 and "it is of another matrix" in refused.err
