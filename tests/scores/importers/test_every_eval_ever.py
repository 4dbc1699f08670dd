from __future__ import annotations

from typing import Any

import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.every_eval_ever import matches, read
from tests.scores.importers.samples import changed, document

OLD, NEW = "every_eval_ever/record_0.2.2.json", "every_eval_ever/record_0.3.0.json"


def first(change: Any) -> Any:
    return read(changed(NEW, lambda d: change(d["evaluation_results"][0])), "f").records[0]


def test_the_real_record_of_0_2_2() -> None:
    assert matches(document(OLD))
    found = read(document(OLD), "f")
    assert found.format == "Every Eval Ever record 0.2.2" and len(found.records) == 15
    whole, part = found.records[:2]
    assert (whole.benchmark, whole.others) == ("MMLU-Pro (overall)", ("MMLU-Pro",))
    assert (part.benchmark, part.others) == ("MMLU-Pro (Biology)", ())  # a part is not the whole
    assert (whole.model, whole.score, whole.scale) == ("01-ai/yi-1.5-34b-chat", 0.5229, "unit")
    assert whole.date == "2026-05-01"
    assert whole.url.endswith("/datasets/TIGER-Lab/mmlu_pro_leaderboard_submission")


def test_the_real_record_of_0_3_0() -> None:
    found = read(document(NEW), "f")
    record = found.records[0]
    assert found.format.endswith("0.3.0") and len(found.records) == 1
    assert (record.score, record.scale, record.date) == (0.75, "unit", "2025-06-15")
    assert record.others == ("demo_bench",) and record.url == "https://example.invalid/demo_bench"


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda d: d.update(schema_version="0.4.1"), "schema_version '0.4.1' is not read"),
        (lambda d: d.pop("model_info"), r"model_info \(missing\) must be an object"),
        (lambda d: d.update(evaluation_results={}), "evaluation_results .* must be a list"),
        (
            lambda d: d["evaluation_results"][0]["score_details"].update(score="Infinity"),
            "score_details/score 'Infinity' must be a finite number",
        ),
        (
            lambda d: d["evaluation_results"][0].update(evaluation_name=" \u0007"),
            "evaluation_name .* must be a printable name",
        ),
    ],
)
def test_broken_twins(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(changed(NEW, change), "f")


def test_errors_items_and_setting_are_kept() -> None:
    def told(result: dict[str, Any]) -> None:
        result["score_details"]["uncertainty"] = {
            "standard_error": {"value": 0.02},
            "num_samples": 300,
        }
        result["generation_config"] = {"generation_args": {"temperature": 0.5}}
        result["evaluation_timestamp"] = "1700000000"

    record = first(told)
    assert (record.stderr, record.n_items, record.setting) == (0.02, 300, "temperature 0.5")
    assert record.date == "2023-11-14"  # of the result, not of the record


def test_an_interval_gives_the_standard_error_of_a_normal() -> None:
    def told(result: dict[str, Any], level: float = 0.95) -> None:
        interval = {"lower": 0.70, "upper": 0.80, "confidence_level": level}
        result["score_details"]["uncertainty"] = {"confidence_interval": interval}

    assert first(told).stderr == pytest.approx(0.1 / (2 * 1.959964), rel=1e-6)
    assert first(lambda r: told(r, 0.9)).stderr == pytest.approx(0.1 / (2 * 1.644854), rel=1e-6)
    assert "interval" in first(told).note


def test_missing_bounds_mean_unknown() -> None:
    def bare(result: dict[str, Any]) -> None:
        for key in ("metric_unit", "min_score", "max_score"):
            result["metric_config"].pop(key)

    assert first(bare).scale is None

    def percent(result: dict[str, Any]) -> None:
        bare(result)
        result["metric_config"].update(min_score=0, max_score=100)

    assert first(percent).scale == "percent"


def test_an_unknown_level_and_a_direction() -> None:
    def unknown(result: dict[str, Any]) -> None:
        result["metric_config"].update(score_type="levels", has_unknown_level=True)
        result["score_details"]["score"] = -1

    found = read(changed(NEW, lambda d: unknown(d["evaluation_results"][0])), "f")
    assert found.records == () and found.left_out[0].reason == "an unknown level"
    assert first(lambda r: r["metric_config"].update(lower_is_better=True)).lower_is_better
