from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.scores.importers import reading
from bayesbench.scores.importers.reading import read_results, results_path
from tests.factories import make_matrix
from tests.scores.importers.samples import DATA

FORMATS = {
    "artificial_analysis": "Artificial Analysis JSON",
    "benchpress/matrix.json": "BenchPress JSON",
    "benchpress/scores.csv": "BenchPress CSV template",
    "epoch_hub": "Epoch AI Benchmarking Hub",
    "every_eval_ever/record_0.2.2.json": "Every Eval Ever record 0.2.2",
    "every_eval_ever/record_0.3.0.json": "Every Eval Ever record 0.3.0",
    "helm": "HELM run",
    "hugging_face/acme__model-1/.eval_results/scores.yaml": "Hugging Face evaluation results",
    "hugging_face/acme__model-1/README.md": "Hugging Face model card",
    "inspect": "Inspect log",
    "lighteval": "lighteval results",
    "lm_eval": "lm-evaluation-harness results",
    "lmarena": "LMArena leaderboard",
    "mteb": "MTEB result",
}


@pytest.mark.parametrize("sample", FORMATS)
def test_formats_are_told_by_content(sample: str, tmp_path: Path) -> None:
    found = read_results(DATA / sample, add=True, partial=True)
    assert set(found.files["format"]) == {FORMATS[sample]}
    assert found.files["readings"].sum() == len(found.readings) > 0
    assert found.files["left_out"].sum() == len(found.left_out)


def test_a_whole_directory_is_read_and_the_rest_is_named() -> None:
    found = read_results([str(DATA)], add=True, partial=True)
    assert set(FORMATS.values()) | {"not read"} == set(found.files["format"])
    notes = found.left_out[found.left_out["file"] == str(DATA / "README.md")]
    assert notes["reason"].tolist() == ["no YAML between dashes at its head; a model card has one"]


def test_in_a_directory_a_broken_file_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    shutil.copytree(DATA / "lighteval", tmp_path / "a")
    (tmp_path / "a" / "broken.json").write_text('{"results": ')
    (tmp_path / "a" / "samples.jsonl").write_text("{}\n")
    (tmp_path / "a" / "log.txt").write_text("x")
    (tmp_path / "a" / "other.json").write_text("{}")
    (tmp_path / "a" / ".hidden.json").write_text("{}")
    found = read_results(tmp_path / "a")
    assert len(found.readings) == 3
    reasons = dict(zip(found.left_out["file"], found.left_out["reason"], strict=True))
    said = {Path(file).name: reason for file, reason in reasons.items()}
    assert said["broken.json"].startswith(f"{tmp_path / 'a' / 'broken.json'}, line 1: not JSON")
    assert said["samples.jsonl"] == "single answers, no scores"
    assert said["log.txt"] == "a file of another kind"
    assert said["other.json"] == "JSON of no known result format; the manual lists them"
    with pytest.raises(DataError, match=r"broken\.json, line 1: not JSON"):
        read_results([tmp_path / "a", tmp_path / "a" / "broken.json"])


def test_links_in_a_directory_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    shutil.copytree(DATA / "lighteval", tmp_path / "d" / "real")
    (tmp_path / "d" / "loop").symlink_to(tmp_path / "d", target_is_directory=True)
    (tmp_path / "d" / "link.json").symlink_to("/etc/passwd")
    found = read_results(tmp_path / "d")
    assert len(found.readings) == 3
    links = found.left_out[found.left_out["reason"].str.startswith("a link")]
    assert {Path(file).name for file in links["file"]} == {"loop", "link.json"}


def test_a_companion_that_is_a_link_is_refused(tmp_path: Path) -> None:
    run = next((DATA / "helm").iterdir())
    shutil.copy(run / "run_spec.json", tmp_path)
    (tmp_path / "stats.json").symlink_to("/etc/passwd")
    with pytest.raises(DataError, match=r"stats\.json: a link; put the file itself there"):
        read_results(tmp_path / "run_spec.json")


def test_a_directory_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="no file of a known result format"):
        read_results(tmp_path)
    monkeypatch.setattr(reading, "MAX_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(DataError, match="more than 3 files; name fewer"):
        read_results(tmp_path)
    deep = tmp_path / "d"
    for _ in range(20):
        deep = deep / "d"
    deep.mkdir(parents=True)
    monkeypatch.setattr(reading, "MAX_FILES", 50)
    shutil.copy(next((DATA / "lighteval").iterdir()), deep)
    with pytest.raises(DataError, match="no file of a known"):
        read_results(tmp_path / "d")


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("a.json", "[]", "JSON of no known result format"),
        ("a.json", '"x"', "JSON of no known result format"),
        ("a.jsonl", "{}", "single answers, no scores"),
        ("a.txt", "x", "not a file of results"),
        ("a.csv", "a,b\n1,2\n", "a plain table; give it as --data"),
        ("a.yaml", "a: 1", "YAML of no known result format"),
        ("a.eval", "x", "not a zip archive, or cut off"),
        ("a.md", "# x", "no YAML between dashes"),
    ],
)
def test_unknown_files_are_refused(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=rf"{name}: {message}"):
        read_results(tmp_path / name, model="m")


def test_calls_that_are_wrong() -> None:
    with pytest.raises(UsageError, match="no path is given"):
        read_results([])
    with pytest.raises(UsageError, match="scale 'share' is not known"):
        read_results(DATA, scale="share")  # type: ignore[arg-type]


def test_names_are_those_of_the_matrix_given(tmp_path: Path) -> None:
    whole = {"model_name": "m", "versions": {}, "configs": {},
             "results": {"bench_0": {"acc": 0.5}, "gsm8k": {"acc": 0.5}}}  # fmt: skip
    (tmp_path / "r.json").write_text(json.dumps(whole))
    found = read_results(tmp_path / "r.json", matrix=make_matrix())
    assert found.scores() == {"bench_0": 50.0}
    mine = read_results(tmp_path / "r.json", matrix=make_matrix(), aliases={"gsm8k": "bench_3"})
    assert mine.scores() == {"bench_0": 50.0, "bench_3": 50.0}
    assert mine.readings["benchmark_rule"].tolist() == ["id", "alias file"]


def test_paths_where_scores_are_expected(tmp_path: Path) -> None:
    assert results_path("a=70,b=3") is None and results_path("@scores.csv") is None
    assert results_path("@r.json") == Path("r.json") and results_path("r.json") is None
    (tmp_path / "r.json").touch()
    assert results_path(str(tmp_path / "r.json")) == tmp_path / "r.json"
    assert results_path(f"@{tmp_path}") == tmp_path and results_path("@") is None
