"""``bayesbench explain``: each score left out in turn, as the library does it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from bayesbench.cli.explain import FIELDS
from bayesbench.front.posterior import open_posterior
from tests.cli.conftest import Run

CALL = ("explain", "--scores", "bench_0=40,bench_3=55", "--benchmark", "Bench 4", "--seed", "2")


def test_it_is_that_of_the_library(ask: Run, posterior_file: Path) -> None:
    answer = ask(*CALL, "--format", "json").json()
    model = open_posterior(posterior_file).condition({"bench_0": 40.0, "bench_3": 55.0}, seed=2)
    made = model.explain("bench_4")
    assert answer["drivers"] == made.to_frame().to_dict("records")
    assert (answer["benchmark_id"], answer["sentence"]) == ("bench_4", made.sentence)
    assert (answer["lower"], answer["upper"]) == (made.lower, made.upper)
    assert answer["notes"] == ["'Bench 4' is taken for bench_4"]
    rows = list(csv.DictReader(io.StringIO(ask(*CALL, "--format", "csv").out)))
    assert len(rows) == 2 and list(rows[0]) == list(FIELDS)
    assert ask(*CALL).out.endswith(f"{made.sentence}\n")


def test_a_shift_is_the_prediction_with_the_score_less_that_without(ask: Run) -> None:
    def median(scores: str) -> float:
        call = ("predict", "--scores", scores, "--benchmark", "bench_4", "--seed", "2")
        (row,) = ask(*call, "--format", "json").json()["predictions"]
        return float(row["median"])

    drivers = ask(*CALL, "--format", "json").json()["drivers"]
    shifts = {row["benchmark_id"]: row["shift"] for row in drivers}
    both = median("bench_0=40,bench_3=55")
    assert shifts["bench_0"] == pytest.approx(both - median("bench_3=55"))
    assert shifts["bench_3"] == pytest.approx(both - median("bench_0=40"))


def test_without_scores_there_is_nothing_to_explain(ask: Run) -> None:
    result = ask("explain", "--model", "model_0", "--benchmark", "bench_4")
    assert (result.code, result.out) == (2, "")
    assert "no scores were given" in result.err
