from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.hugging_face import (
    front_matter,
    matches_results,
    read_card,
    read_eval_results,
    repository_of,
)
from bayesbench.scores.importers.reading import read_results
from tests.scores.importers.samples import DATA, twin

FOLDER = "hugging_face/acme__model-1"
RESULTS, CARD = f"{FOLDER}/.eval_results/scores.yaml", f"{FOLDER}/README.md"


def test_the_sample_of_results() -> None:
    found = read_results(DATA / RESULTS)
    rows = found.readings[["model_id", "benchmark_id", "score", "date"]].to_numpy().tolist()
    assert rows == [
        ["acme/model-1", "gpqa_diamond", 63.3, "2026-01-15"],
        ["acme/model-1", "mmlu_pro", 74.1, "2026-01-16"],
    ]
    assert found.readings["source_url"].tolist() == [
        "https://example.org/acme/model-1",
        "https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro",
    ]
    # no scale is stated, and 0.412 may be either: never guessed
    assert found.left_out["reason"].tolist() == [
        "0.412 may be a share or a percentage; give --scale"
    ]
    told = read_results(DATA / RESULTS, scale="percent").readings
    assert told["score"].tolist() == [63.3, 74.1, 0.412]


def test_a_share_beyond_1_is_not_taken() -> None:
    found = read_results(DATA / RESULTS, scale="unit")
    assert found.readings["score"].tolist() == [41.2]
    assert "63.3 is outside its unit scale" in found.left_out["reason"].tolist()


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("value: 63.3", "value: high", "entry 1 value 'high' must be a finite number"),
        ("value: 63.3", "value: .inf", "entry 1 value '.inf' must be a finite number"),
        ("value: 63.3", "value: 63.3\n  value: 60", "line 5: the key 'value' stands twice"),
        ("id: Idavidrein/gpqa", "id:", "entry 1 dataset/id '' must be a printable name"),
        ("value: 63.3", "value: &a 63.3", "anchors are not read"),
        ("dataset:\n", "dataset: [\n", "line 3: not YAML"),
    ],
)
def test_broken_results(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_results(twin(tmp_path, RESULTS, old, new), model="m")


def test_a_file_outside_a_repository_needs_the_model(tmp_path: Path) -> None:
    path = twin(tmp_path, RESULTS, "63.3", "63.4")
    with pytest.raises(DataError, match=r"scores\.yaml: names no model; give --model NAME"):
        read_results(path)
    assert set(read_results(path, model="mine").readings["model_id"]) == {"mine"}


def test_the_repository_is_the_folder_of_a_clone_or_of_the_cache(tmp_path: Path) -> None:
    cached = tmp_path / "models--acme--m" / "snapshots" / "0a1b" / ".eval_results" / "x.yaml"
    assert repository_of(cached) == "acme/m"
    assert repository_of(tmp_path / "acme__m" / ".eval_results" / "x.yaml") == "acme/m"


def test_a_task_is_the_data_set_only_where_it_is_all_of_it() -> None:
    entries = [
        {"dataset": {"id": "cais/hle", "task_id": "hle"}, "value": "20"},
        {"dataset": {"id": "acme/suite", "task_id": "math"}, "value": "20"},
        {"dataset": {"id": "acme/suite"}, "value": "20"},
    ]
    assert matches_results(entries)
    names = [(r.benchmark, *r.others) for r in read_eval_results(entries, "f", "m").records]
    assert names[0] == ("cais/hle/hle", "hle", "hle")
    assert names[1] == ("acme/suite/math", "suite_math")  # not "math"
    assert names[2] == ("acme/suite", "suite")


def test_a_run_with_tools_is_another_benchmark() -> None:
    entry = {"dataset": {"id": "cais/hle", "task_id": "hle"}, "value": "40", "notes": "With tools"}
    record = read_eval_results([entry], "f", "m").records[0]
    assert set(record.others) == {"hle_tools"} and record.setting == "With tools"
    assert record.benchmark == "cais/hle/hle_tools"


def test_the_sample_card() -> None:
    found = read_results(DATA / CARD)
    rows = found.readings[["model_id", "benchmark_id", "score", "stderr", "setting"]]
    assert rows.loc[1].tolist() == [
        "model-1", "arc_challenge", 61.5, 1.2, "25-shot, normalized accuracy",
    ]  # fmt: skip
    assert rows.loc[0, "benchmark_id"] == "gsm8k" and rows.loc[0, "setting"] == "5-shot, accuracy"
    assert found.left_out["benchmark"].tolist() == ["IFEval"]
    assert "rescaled so that guessing is 0" in found.left_out.loc[0, "reason"]


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("---\nlicense", "license", "no YAML between dashes at its head"),
        ("model-index:", "index:", "no model-index in the front matter"),
        ("value: 78.2", "value: 78.2 points", "value '78.2 points' must be a finite number"),
        ("61.5 ± 1.2", "61.5 ± much", "value 'much' must be a finite number"),
        ("- name: model-1", "- nom: model-1", r"model-index name \(missing\)"),
        (
            "metrics:\n    - {type: acc,",
            "metrics:\n    - {type: acc, type: em,",
            "'type' stands twice",
        ),
    ],
)
def test_broken_cards(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_results(twin(tmp_path, CARD, old, new))


def test_front_matter_is_what_stands_between_dashes() -> None:
    assert front_matter("\ufeff---\na: 1\n---\nb: 2\n---\n", "f") == "a: 1"
    with pytest.raises(DataError, match="no YAML between dashes"):
        front_matter("---\na: 1\n", "f")


def test_further_metrics_are_listed() -> None:
    entry = {"dataset": {"name": "X", "type": "acme/x"}, "metrics": [
        {"type": "acc", "value": "1"}, {"type": "f1", "value": "2"}]}  # fmt: skip
    card = {"model-index": [{"name": "m", "results": [entry]}]}
    found = read_card(card, "f", "acme/m")
    assert [(r.model, r.other_models, r.others) for r in found.records] == [
        ("acme/m", ("m",), ("acme/x", "x"))
    ]
    assert found.left_out[0].reason == "the first metric is read"
