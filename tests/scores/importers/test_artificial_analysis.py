from __future__ import annotations

from typing import Any

import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.artificial_analysis import matches, read
from bayesbench.scores.importers.reading import read_results
from tests.scores.importers.samples import DATA, changed, document

SAMPLE = "artificial_analysis/models.json"


def test_the_sample() -> None:
    assert matches(document(SAMPLE)) and not matches({"data": []})
    found = read_results(DATA / SAMPLE, add=True)
    scores = dict(zip(found.readings["benchmark_id"], found.readings["score"], strict=True))
    assert scores["gpqa_diamond"] == 77.0 and scores["aime_2024"] == 90.0  # as it means them
    assert scores["mmlu_pro"] == 85.0
    assert found.models.loc["model-1-high", "release_date"] == "2026-01-15"
    assert found.models.loc["model-1-high", "provider"] == "Acme"
    assert "no score" in found.left_out["reason"].tolist()


def test_an_index_is_no_share() -> None:
    scales = {r.metric: r.scale for r in read(document(SAMPLE), "f").records}
    assert scales["artificial_analysis_intelligence_index"] is None and scales["hle"] == "unit"


def test_a_slug_alone_and_a_flag() -> None:
    def change(whole: Any) -> None:
        del whole["data"][0]["name"]
        whole["data"][0]["evaluations"] = {"hle": 0.2, "hle_is_estimated": True}

    found = read(changed(SAMPLE, change), "f")
    assert [(r.model, r.score) for r in found.records] == [("model-1-high", 0.2)]
    assert [out.benchmark for out in found.left_out] == ["hle_is_estimated"]


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda d: d["data"][0].update(name="", slug=""),
            "data/0/name '' must be a printable name",
        ),
        (lambda d: d["data"][0]["evaluations"].update(hle="x"), "data/0/evaluations/hle 'x' must"),
        (lambda d: d["data"][0].update(evaluations=[1]), r"data/0/evaluations \(a list\) must be"),
        (lambda d: d["data"].append(1), "data/1 1 must be an object"),
    ],
)
def test_broken_twins(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(changed(SAMPLE, change), "f")
