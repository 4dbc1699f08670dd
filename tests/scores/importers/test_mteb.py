from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.mteb import folder_model, matches, read
from bayesbench.scores.importers.reading import read_results
from tests.scores.importers.samples import DATA, changed, document, twin

SAMPLE = "mteb/acme__embed-1/abc123/Banking77Classification.json"


def test_the_sample() -> None:
    assert matches(document(SAMPLE))
    found = read_results(DATA / "mteb", add=True)
    row = found.readings.iloc[0]
    assert (row["model_id"], row["benchmark_id"]) == ("acme/embed-1", "Banking77Classification")
    assert row["score"] == pytest.approx((0.81 + 0.75) / 2) and row["note"] == "mean over 2 subsets"
    assert found.left_out["reason"].tolist() == ["the test split is read"]
    assert found.benchmarks.loc["Banking77Classification", "scale"] == "unit"


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda d: d.update(scores=[]), r"scores \(a list\) must be an object"),
        (lambda d: d["scores"].update(test={}), r"scores/test \(an object\) must be a list"),
        (lambda d: d["scores"]["test"][1].pop("main_score"), "scores/test/1/main_score"),
        (lambda d: d.update(task_name=None), r"task_name \(missing\)"),
    ],
)
def test_broken_twins(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(changed(SAMPLE, change), "f", "m")


def test_the_model_is_that_of_the_folder_or_given(tmp_path: Path) -> None:
    assert folder_model(DATA / SAMPLE) == "acme/embed-1"
    alone = twin(tmp_path, SAMPLE, "0.81", "0.82")
    with pytest.raises(DataError, match="names no model; give --model NAME"):
        read_results(alone)
    assert read_results(alone, model="m", add=True).readings["model_id"].tolist() == ["m"]


def test_a_split_that_cannot_be_told_is_left_out() -> None:
    whole = changed(SAMPLE, lambda d: d.update(scores={"a": [], "b": []}))
    assert read(whole, "f", "m").left_out[0].reason == "no test split among a, b"
    empty = changed(SAMPLE, lambda d: d.update(scores={"test": []}))
    assert read(empty, "f", "m").left_out[0].reason == "no subset"
