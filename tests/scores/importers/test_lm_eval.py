from __future__ import annotations

import math
from typing import Any

import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.lm_eval import matches, read
from tests.scores.importers.samples import changed, document

SAMPLE = "lm_eval/results_2026-01-21T03-44-18.458309.json"


def run(results: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"results": results, "model_name": "acme/m", "versions": {}, "configs": {}, **others}


def test_the_real_sample() -> None:
    whole = document(SAMPLE)
    assert matches(whole)
    found = read(whole, "f")
    assert found.left_out == ()
    first, second = found.records
    assert first.model == whole["model_name"] and first.benchmark == "math_perturbed_full"
    assert (second.score, second.scale, second.n_items) == (0.0004, "unit", 5000)
    assert second.stderr == 0.0002828144211304471 and second.note == ""
    assert second.date == "2026-01-21" and second.setting.startswith("0-shot, exact_match")
    # 0 of 5000 is no standard error of 0: half an answer's worth, sqrt(p (1 - p) / (n - 1))
    assert first.score == 0 and first.stderr == pytest.approx(math.sqrt(1e-4 * (1 - 1e-4) / 4999))
    assert "replaced" in first.note


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda d: d.update(results=[]), r"f: results \(a list\) must be an object"),
        (lambda d: d["results"].update(x=3), "results/x 3 must be an object"),
        (
            lambda d: d["results"]["math_rephrased_full"].update({"exact_match,none": math.nan}),
            "results/math_rephrased_full/exact_match,none nan must be a finite number",
        ),
        (
            lambda d: d["results"]["math_rephrased_full"].update({"exact_match,none": 10**300}),
            "must be a finite number",
        ),
        (
            lambda d: d["results"]["math_rephrased_full"].update({"exact_match_stderr,none": -1}),
            "standard error -1 must be at least 0",
        ),
        (
            lambda d: d.update(model_name="", config={}),
            r"model_name \(missing\) must be a printable",
        ),
        (lambda d: d["n-samples"].update(math_rephrased_full={"effective": -3}), "at least 0"),
    ],
)
def test_broken_twins(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(changed(SAMPLE, change), "f")


def test_one_metric_of_a_task_is_read_and_the_others_are_listed() -> None:
    row = {"alias": "h", "acc,none": 0.5, "acc_stderr,none": 0.01, "acc_norm,none": 0.7,
           "acc_norm_stderr,none": "N/A"}  # fmt: skip
    found = read(run({"hellaswag": row}), "f")
    assert [(r.metric, r.score, r.stderr) for r in found.records] == [("acc_norm,none", 0.7, None)]
    assert [out.reason for out in found.left_out] == ["the metric acc_norm,none is read"]
    asked = read(run({"hellaswag": row}), "f", {"hellaswag": "acc"})
    assert [(r.metric, r.stderr) for r in asked.records] == [("acc,none", 0.01)]
    wrong = read(run({"hellaswag": row}), "f", {"hellaswag": "f1"})
    assert wrong.records == () and "no metric f1: acc,none, acc_norm" in wrong.left_out[0].reason


def test_metrics_none_of_which_is_preferred_are_left_to_the_user() -> None:
    found = read(run({"t": {"rouge1,none": 1.0, "rouge2,none": 2.0}}), "f")
    assert found.records == () and "--metric t=METRIC" in found.left_out[0].reason


def test_a_filter_is_a_further_name_and_its_own_setting() -> None:
    row = {"exact_match,strict-match": 0.7, "exact_match,flexible-extract": 0.8}
    found = read(run({"gsm8k": row}, **{"n-shot": {"gsm8k": 5}}), "f").records[0]
    assert found.others == ("gsm8k/strict-match",) and found.score == 0.7
    assert found.setting == "5-shot, exact_match strict-match"


def test_a_group_stands_for_its_tasks_or_they_for_it() -> None:
    rows = {"mmlu": {"acc,none": 0.6}, "mmlu_law": {"acc,none": 0.5}, "mmlu_art": {"acc,none": 0.7}}
    whole = run(rows, group_subtasks={"mmlu": ["mmlu_law", "mmlu_art"], "mmlu_law": []})
    assert [r.benchmark for r in read(whole, "f").records] == ["mmlu"]
    assert {out.reason for out in read(whole, "f").left_out} == {"part of the group mmlu"}
    whole["results"]["mmlu"] = {"alias": "mmlu", " ": " "}
    found = read(whole, "f")
    assert [r.benchmark for r in found.records] == ["mmlu_law", "mmlu_art"]
    assert "without a score of its own" in found.left_out[0].reason


def test_a_part_of_the_items_is_a_partial_run() -> None:
    whole = run({"t": {"acc,none": 0.5}}, **{"n-samples": {"t": {"original": 90, "effective": 9}}})
    assert read(whole, "f").records[0].partial == "9 of 90 items"
    limited = read(run({"t": {"acc,none": 0.5}}, config={"limit": 10.0}), "f").records[0]
    assert limited.partial == "limit 10.0" and limited.n_items is None


def test_older_and_other_writers() -> None:
    old = {"results": {"t": {"acc": 0.5, "acc_stderr": 0.02}}, "versions": {"t": 0},
           "config": {"model": "hf", "model_args": "pretrained=acme/old,dtype=auto"}}  # fmt: skip
    assert matches(old)
    record = read(old, "f").records[0]
    assert (record.model, record.score, record.stderr) == ("acme/old", 0.5, 0.02)
    evalchemy = run({"AIME24": {"accuracy_avg": 0.4, "accuracy_std_err": 0.03}})
    record = read(evalchemy, "f").records[0]
    assert (record.score, record.stderr, record.scale) == (0.4, 0.03, "unit")


def test_lower_is_better_is_left_out() -> None:
    whole = run({"t": {"word_perplexity,none": 9.0}},
                higher_is_better={"t": {"word_perplexity": False}})  # fmt: skip
    found = read(whole, "f")
    assert found.records == () and "lower is better" in found.left_out[-1].reason


@pytest.mark.parametrize("other", [[], {"results": {}}, {"results": {}, "config_general": {}}, 3])
def test_others_do_not_match(other: Any) -> None:
    assert not matches(other)
