"""Samples of Inspect logs: a real log, archives, epochs; broken twins are refused in one line."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from bayesbench.errors import BayesbenchError
from bayesbench.items.inspect_samples import read_inspect_logs
from tests.conftest import REPOSITORY

REAL = REPOSITORY / "tests" / "data" / "inspect" / "data_pubmedqa_gpt4o_mini.json"
TASK = "inspect_evals/pubmedqa"


def log(**change: Any) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(REAL.read_text())
    return {**whole, **change}


def sample(own: object, value: object, epoch: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": own, "epoch": epoch, "input": f"q {own}", "scores": {"match": {"value": value}},
            **more}  # fmt: skip


def written(folder: Path, whole: Any, name: str = "log.json") -> Path:
    file = folder / name
    file.write_text(json.dumps(whole))
    return file


def test_a_real_log_is_read() -> None:
    found = read_inspect_logs([REAL])
    assert list(found.models.index) == ["openai/azure/gpt-4o-mini"]
    assert list(found.items.index) == [f"{TASK}/12377809", f"{TASK}/26163474"]
    assert found.correct.tolist() == [[1, 1]] and found.benchmark_ids == [TASK]


def test_epochs_are_runs_and_values_of_every_kind(tmp_path: Path) -> None:
    values = ["C", "I", "P", "N", True, False, 0.25, 1]
    samples = [sample(own, value) for own, value in enumerate(values)]
    samples += [sample(0, "I", 2), sample(9, "C", scores=None), sample(9, "C", 2)]
    found = read_inspect_logs([written(tmp_path, log(samples=samples))])
    assert found.correct.tolist() == [[1, 0, 0.5, 0, 1, 0, 0.25, 1, 1]]
    assert found.trials.tolist() == [[2, 1, 1, 1, 1, 1, 1, 1, 1]]
    assert found.notes == ("log.json: 1 of 11 samples without a score left out",)


@pytest.mark.parametrize("summaries", [True, False])
def test_an_archive_reads_like_its_log(tmp_path: Path, summaries: bool) -> None:
    samples = [sample("a", "C"), sample("b", "I"), sample("a", "I", 2)]
    whole = log()
    del whole["samples"]
    file = tmp_path / "log.eval"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(whole))
        if summaries:
            archive.writestr("summaries.json", json.dumps(samples))
        else:
            for one in samples:
                archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
    found = read_inspect_logs([file])
    assert found.correct.tolist() == [[1, 0]] and found.trials.tolist() == [[2, 1]]


def test_a_scorer_is_named_where_there_are_several(tmp_path: Path) -> None:
    two = {"match": {"value": "C"}, "judge": {"value": {"style": 0.5, "fact": 1}}}
    file = written(tmp_path, log(samples=[sample("a", "C", scores=two)]))
    assert read_inspect_logs([file], "match").correct.tolist() == [[1]]
    assert read_inspect_logs([file], "judge/style").correct.tolist() == [[0.5]]
    for scorer, message in (
        ("", r"several scorers \(match, judge\)"),
        ("x", "no scorer 'x'; scorers found: match, judge"),
        ("judge", r"judge has several values; name one as judge/KEY \(style, fact\)"),
    ):
        with pytest.raises(BayesbenchError, match=message):
            read_inspect_logs([file], scorer)


def test_failed_logs_are_left_out_with_a_note_and_prompts_are_compared(tmp_path: Path) -> None:
    good = written(tmp_path, log(samples=[sample("a", "C")]))
    failed = written(tmp_path, log(status="error"), "failed.json")
    other = log(samples=[sample("a", "I", input="another wording")])
    other["eval"] = {**other["eval"], "model": "other"}
    void = written(tmp_path, log(invalidated=True), "void.json")
    found = read_inspect_logs([good, failed, void, written(tmp_path, other, "other.json")])
    assert found.shape == (2, 1)
    assert found.notes == (
        "failed.json left out: status error",
        "void.json left out: status invalidated",
        f"1 items were asked with different prompts: {TASK}/a",
    )
    with pytest.raises(BayesbenchError, match=r"answered .* in log\.json already"):
        read_inspect_logs([good, written(tmp_path, log(samples=[sample("a", "C")]), "again.json")])


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        (lambda d: d.update(version=1), "version 1 of the log is not read"),
        (lambda d: d["samples"][0].pop("id"), "sample 1: no id"),
        (lambda d: d["samples"][1]["scores"]["choice"].update(value="maybe"), "choice is 'maybe'"),
        (lambda d: d["samples"][1]["scores"]["choice"].update(value=7), "choice is '7'"),
        (lambda d: d.update(samples=[]), "no samples in the log"),
        (lambda d: d["eval"].update(model=""), "eval/model"),
        (lambda d: d.update(samples={"a": 1}), "samples .* must be a list"),
    ],
)
def test_a_broken_twin_is_refused_in_one_line(
    tmp_path: Path, breaking: Callable[[Any], Any], message: str
) -> None:
    whole = deepcopy(log())
    breaking(whole)
    with pytest.raises(BayesbenchError, match=message) as caught:
        read_inspect_logs([written(tmp_path, whole)])
    assert "\n" not in str(caught.value) and "log.json" in str(caught.value)


def test_a_run_that_is_not_over_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "log.eval"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    with pytest.raises(BayesbenchError, match=r"no header.json: the run is not over"):
        read_inspect_logs([file])
    file.write_bytes(b"PK\3\4 cut")
    with pytest.raises(BayesbenchError, match="not a zip archive, or cut off"):
        read_inspect_logs([file])
