from __future__ import annotations

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


def test_predict_takes_such_a_file(ask: Run, results: Path) -> None:
    told = ask("predict", "--scores", f"@{results}", "--format", "json")
    known = ask("predict", "--scores", "bench_0=41+-2,bench_3=63,bench_4=50", "--format", "json")
    assert told.json()["predictions"] == known.json()["predictions"]
    assert "'BENCH 3' is taken for bench_3 (folded spelling)" in told.err
    assert "the scores are those of acme/m" in told.err and "1 left out" in told.err
    bare = ask("predict", "--scores", results, "--format", "json")
    assert bare.json()["predictions"] == known.json()["predictions"]


def test_predict_needs_the_model_where_there_are_several(
    ask: Run, results: Path, tmp_path: Path
) -> None:
    other = json.loads(results.read_text()) | {"model_name": "acme/n"}
    (tmp_path / "more").mkdir()
    results.rename(tmp_path / "more" / "a.json")
    (tmp_path / "more" / "b.json").write_text(json.dumps(other))
    found = ask("predict", "--scores", f"@{tmp_path / 'more'}")
    assert found.code == 1 and "the files hold 2 models: acme/m, acme/n; name one" in found.err
    assert ask("predict", "--scores", f"@{tmp_path / 'more'}", "--id", "acme/n").code == 0


def test_a_path_that_leads_nowhere_is_a_wrong_call(ask: Run, tmp_path: Path) -> None:
    for path, message in (
        (tmp_path, "no file of a known"),
        (tmp_path / "a.json", "cannot be read"),
    ):
        found = ask("predict", "--scores", f"@{path}")
        assert found.code == 2 and message in found.err
    (tmp_path / "a.json").write_text("{")
    assert ask("predict", "--scores", f"@{tmp_path / 'a.json'}").code == 1


def test_predict_refuses_a_file_without_a_known_score(ask: Run) -> None:
    found = ask("predict", "--scores", f"@{DATA / 'lighteval'}")
    assert found.code == 1 and found.err.startswith("error: no score could be taken from 1 files")
