from __future__ import annotations

from typing import Any

import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.lighteval import matches, read
from tests.scores.importers.samples import changed, document

SAMPLE = "lighteval/results_2025-05-01T10-00-00.json"


def test_the_sample() -> None:
    assert matches(document(SAMPLE))
    found = read(document(SAMPLE), "f")
    rows = [(r.model, r.benchmark, r.score, r.stderr, r.scale, r.setting) for r in found.records]
    assert rows == [
        ("acme/model-1", "gsm8k", 0.81, 0.0108, "unit", "5-shot, extractive_match"),
        ("acme/model-1", "hellaswag", 0.79, 0.0041, "unit", "10-shot, acc_norm"),
        ("acme/model-1", "gpqa:diamond", 0.42, 0.035, "unit", "0-shot, gpqa_pass@k:k=1"),
    ]
    assert [out.reason for out in found.left_out] == [
        "the metric acc_norm is read",
        "an average over the tasks",
    ]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda d: d.update(config_general=None), r"config_general \(missing\) must be an object"),
        (lambda d: d["config_general"].pop("model_name"), "config_general/model_name"),
        (
            lambda d: d["results"]["lighteval|gsm8k|5"].update(extractive_match="high"),
            "results/lighteval|gsm8k|5/extractive_match 'high' must be a finite number",
        ),
    ],
)
def test_broken_twins(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message.replace("|", r"\|")):
        read(changed(SAMPLE, change), "f")


def test_newer_files_name_the_model_in_its_settings() -> None:
    def moved(whole: Any) -> None:
        name = whole["config_general"].pop("model_name")
        whole["config_general"]["model_config"] = {"model_name": name}

    assert read(changed(SAMPLE, moved), "f").records[0].model == "acme/model-1"


def test_a_cap_on_samples_and_a_metric_by_hand() -> None:
    whole = changed(SAMPLE, lambda d: d["config_general"].update(max_samples=10))
    assert {r.partial for r in read(whole, "f").records} == {"at most 10 samples"}
    chosen = read(document(SAMPLE), "f", {"hellaswag": "acc"}).records[1]
    assert (chosen.metric, chosen.score) == ("acc", 0.61)
    none = read(document(SAMPLE), "f", {"hellaswag": "f1"})
    assert "choose with --metric hellaswag=METRIC" in none.left_out[0].reason
