from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.conftest import REPOSITORY

DATA = REPOSITORY / "tests" / "data"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """lm-evaluation-harness results of one model on benchmarks of the small posterior."""
    whole = {
        "model_name": "acme/m",
        "versions": {},
        "configs": {},
        "results": {
            "bench_0": {"acc,none": 0.41, "acc_stderr,none": 0.02},
            "BENCH 3": {"acc,none": 0.63},
            "bench_4": {"acc,none": 0.5},
            "other": {"acc,none": 0.5},
        },
    }
    path = tmp_path / "results_2026-01-01.json"
    path.write_text(json.dumps(whole))
    return path


def test_a_table_of_what_was_read_mapped_and_left_out(run: Run) -> None:
    found = run("import", DATA / "lighteval", DATA / "hugging_face")
    assert found.code == 0
    assert "read 7 readings of 2 models on 5 benchmarks from 3 files" in found.err
    for words in (
        "Read",
        "Names",
        "Left out",
        "Files",
        "task name",
        "own name",
        "lighteval results",
    ):
        assert words in found.out, words
    assert "0.412 may be a share or a" in found.out


def test_json_holds_everything(run: Run) -> None:
    document = run("import", DATA / "lighteval", "--format", "json").json()
    first = document["readings"][0]
    assert (first["model_id"], first["benchmark_id"], first["score"]) == (
        "acme/model-1", "gsm8k", 81.0,
    )  # fmt: skip
    assert first["stderr"] == 1.08 and first["n_items"] is None
    assert first["benchmark_rule"] == "id" and first["factor"] == 100
    assert [out["reason"] for out in document["left_out"]] == [
        "the metric acc_norm is read",
        "an average over the tasks",
    ]
    assert document["files"][0]["format"] == "lighteval results" and document["out"] is None


def test_csv_holds_the_readings(run: Run) -> None:
    rows = list(
        csv.DictReader(io.StringIO(run("import", DATA / "lighteval", "--format", "csv").out))
    )
    assert [row["score"] for row in rows] == ["81.0", "79.0", "42.0"]
    assert rows[0]["n_items"] == ""


def test_out_is_a_data_directory_that_other_commands_take(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    assert run("import", DATA / "epoch_hub", "--out", out).code == 0
    again = run("export", "--data", out, "--out", tmp_path / "a.csv")
    assert again.code == 0 and "8 readings written" in again.err
    taken = run("import", DATA / "epoch_hub", "--out", out)
    assert (taken.code, taken.err) == (
        2, f"error: --out '{out}' exists already; name a new directory\n",
    )  # fmt: skip
    nowhere = run("import", DATA / "epoch_hub", "--out", tmp_path / "no" / "where")
    assert nowhere.code == 2 and "there is no directory" in nowhere.err


def test_names_metrics_and_scales_can_be_given(run: Run, tmp_path: Path) -> None:
    names = tmp_path / "names.csv"
    names.write_text("name,id\nacme/model-1,gpt-4o-2024-08-06\n")
    found = run(
        "import",
        DATA / "lighteval",
        "--alias",
        names,
        "--metric",
        "hellaswag=acc",
        "--format",
        "json",
    ).json()
    assert {row["model_id"] for row in found["readings"]} == {"gpt-4o-2024-08-06"}
    assert [row["score"] for row in found["readings"]] == [81.0, 61.0, 42.0]
    scaled = run("import", DATA / "hugging_face", "--scale", "percent", "--format", "json").json()
    assert 0.412 in [row["score"] for row in scaled["readings"]]


def test_names_may_be_those_of_a_posterior(ask: Run, results: Path) -> None:
    found = ask("import", results, "--format", "json").json()
    assert {row["benchmark_id"] for row in found["readings"]} == {"bench_0", "bench_3", "bench_4"}
    assert [out["benchmark"] for out in found["left_out"]] == ["other"]
    kept = ask("import", results, "--add", "--format", "json").json()
    assert {row["benchmark_id"] for row in kept["readings"]} >= {"other"}


@pytest.mark.parametrize(
    "arguments, code, message",
    [
        (("no.json",), 1, "error: no.json: cannot be read (No such file or directory)"),
        ((DATA / "README.md",), 1, "no YAML between dashes at its head"),
        ((DATA / "lighteval", "--metric", "x"), 2, "--metric 'x' is not TASK=METRIC"),
        ((DATA / "lighteval", "--metric", "a=b", "--metric", "a=c"), 2, "is given twice"),
        ((DATA / "lighteval", "--alias", "no.csv"), 1, "no.csv: cannot be read"),
        ((), 2, "Missing argument 'PATH...'"),
    ],
)
def test_wrong_calls_are_one_line(
    arguments: tuple[object, ...], code: int, message: str, run: Run
) -> None:
    found = run("import", *arguments)
    assert found.code == code and found.out == ""
    assert message in found.err and found.err.count("\n") == 1
