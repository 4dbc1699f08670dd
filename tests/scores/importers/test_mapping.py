from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayesbench.scores.importers.mapping import Mapped, mapped
from bayesbench.scores.importers.naming import Naming
from bayesbench.scores.importers.records import Found, LeftOut, Record
from tests.factories import make_matrix

MATRIX = make_matrix()
"""bench_0: percent; bench_1: percent, lower is better; bench_2: a rating."""


def record(score: float = 0.5, benchmark: str = "bench_0", **more: Any) -> Record:
    return Record(**{"place": "p", "model": "m", "benchmark": benchmark, "score": score,
                     "scale": "unit", **more})  # fmt: skip


def result(*records: Record, scale: Any = None, partial: bool = False, add: bool = False) -> Mapped:
    naming = Naming(MATRIX, {}, add)
    return mapped([("f", Found("k", records))], naming, scale=scale, partial=partial)


@pytest.mark.parametrize(
    "score, stated, asked, benchmark, read",
    [
        (0.412, "unit", None, "bench_0", 41.2),
        (41.2, "percent", None, "bench_0", 41.2),
        (41.2, None, None, "bench_0", 41.2),
        (0.9, None, "unit", "bench_0", 90.0),
        (0.9, None, "percent", "bench_0", 0.9),
        (1234.0, "rating", None, "bench_2", 1234.0),
        (1234.0, None, None, "bench_2", 1234.0),
        (0.9, "percent", "unit", "bench_0", 0.9),  # what the format says stands
    ],
)
def test_scales(score: float, stated: Any, asked: Any, benchmark: str, read: float) -> None:
    found = result(record(score, benchmark, scale=stated), scale=asked).readings
    assert found["score"].tolist() == [read]


@pytest.mark.parametrize(
    "score, stated, benchmark, reason",
    [
        (0.9, None, "bench_0", "0.9 may be a share or a percentage; give --scale"),
        (1.0, None, "bench_0", "1 may be a share or a percentage; give --scale"),
        (41.2, "unit", "bench_0", "41.2 is outside its unit scale"),
        (141.0, None, "bench_0", "141 is outside the percent scale of bench_0"),
        (-3.0, None, "bench_0", "-3 is outside the percent scale of bench_0"),
        (0.5, "unit", "bench_2", "a share, but the benchmark is on a rating scale"),
        (1234.0, "rating", "bench_0", "a rating, but the benchmark is on a percent scale"),
        (0.5, "unit", "bench_1", "higher is better there, the reverse on bench_1"),
        (0.5, "unit", "bench_9", "unknown benchmark; nearest: bench_4, bench_3, bench_2"),
    ],
)
def test_what_does_not_fit_is_left_out_with_the_reason(
    score: float, stated: Any, benchmark: str, reason: str
) -> None:
    found = result(record(score, benchmark, scale=stated))
    assert found.readings.empty
    assert found.left_out["reason"].tolist() == [reason]
    assert found.left_out.loc[0, ["file", "place", "model"]].tolist() == ["f", "p", "m"]


def test_errors_go_with_their_scores() -> None:
    found = result(record(0.5, stderr=0.02, n_items=100)).readings
    assert found.loc[0, ["stderr", "n_items", "factor"]].tolist() == [2.0, 100, 100]
    doubtful = result(record(0.5, stderr=2.0)).readings  # in points, of a share
    assert np.isnan(doubtful.loc[0, "stderr"])
    assert doubtful.loc[0, "note"] == "standard error 2 is on another scale, and not read"


def test_lower_is_better_on_both_sides() -> None:
    assert len(result(record(0.5, "bench_1", lower_is_better=True)).readings) == 1


def test_partial_runs_are_asked_for() -> None:
    trial = record(partial="2 of 500 items")
    left = result(trial).left_out
    assert left["reason"].tolist() == ["a partial run (2 of 500 items); --partial takes it"]
    assert result(trial, partial=True).readings["note"].tolist() == ["2 of 500 items"]


def test_readings_of_a_cell_are_numbered_the_latest_first() -> None:
    found = result(
        record(0.1, date="2024-01-01"), record(0.2, date="2025-01-01"), record(0.3),
        record(0.2, date="2025-01-01", stderr=0.1),
    )  # fmt: skip
    assert found.readings[["score", "reading"]].to_numpy().tolist() == [[10, 2], [20, 1], [30, 3]]
    assert found.left_out["reason"].tolist() == ["the same reading stands before"]


def test_a_benchmark_that_is_added_keeps_its_name_and_scale() -> None:
    found = result(record(0.5, "new"), record(55.0, "new", scale="percent", model="n"), add=True)
    assert found.readings["score"].tolist() == [0.5, 0.55]
    assert found.benchmarks.loc["new", ["scale", "lower", "upper"]].tolist() == ["unit", 0, 1]
    assert list(found.models.index) == ["m", "n"]
    bare = result(record(0.5, "new", scale=None), add=True)
    assert bare.left_out["reason"].tolist() == ["no scale is stated for it; give --scale"]


def test_facts_of_new_models_are_kept() -> None:
    told = record(provider="Acme", release_date="2026-01-15")
    assert result(told).models.loc["m", ["provider", "release_date"]].tolist() == [
        "Acme", "2026-01-15",
    ]  # fmt: skip
    known = result(record(model="model_0", provider="Other")).models
    assert known.loc["model_0", "provider"] == MATRIX.models.loc["model_0", "provider"]


def test_what_a_reader_left_out_comes_first() -> None:
    found = Found("k", (record(0.5, "x"),), (LeftOut("q", "", "", "why"),))
    left = mapped([("f", found)], Naming(MATRIX, {}), scale=None, partial=False).left_out
    assert left["reason"].tolist()[0] == "why" and len(left) == 2
