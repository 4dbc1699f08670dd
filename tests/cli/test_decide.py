"""``bayesbench decide``: run a benchmark, or trust its prediction."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from bayesbench.cli.decide import FIELDS
from bayesbench.front.posterior import open_posterior
from tests.cli.conftest import Run


def test_decide_recommends_the_cheaper_and_says_why(ask: Run) -> None:
    base = ("decide", "--scores", "bench_0=40", "--benchmark", "bench_3", "--tolerance", "3",
            "--price-wrong", "10", "--format", "json", "--cost")  # fmt: skip
    dear, cheap = ask(*base, "1000").json(), ask(*base, "0").json()
    assert dear["decision"]["recommendation"] == "predict"
    assert cheap["decision"]["recommendation"] == "run"
    decision = cheap["decision"]
    assert decision["expected_loss"] == pytest.approx(10 * (1 - decision["p_within"]))
    assert (
        decision["sentence"].startswith("bench_3: the prediction")
        and "Run it" in decision["sentence"]
    )
    free = ask(*base[:7], "--format", "json", "--cost", "10").json()["decision"]
    assert free["recommendation"] == "depends"
    assert free["break_even"] == pytest.approx(10 / (1 - free["p_within"]))


def test_it_is_that_of_the_library(ask: Run, posterior_file: Path) -> None:
    call = ("decide", "--scores", "bench_0=40", "--benchmark", "Bench 3", "--tolerance", "2",
            "--cost", "5", "--loss-per-point", "1.5", "--prob", "0.5", "--seed", "3")  # fmt: skip
    model = open_posterior(posterior_file).condition({"bench_0": 40.0}, seed=3)
    expected = model.decide("bench_3", tolerance=2, cost=5, loss_per_point=1.5, prob=0.5)
    answer = ask(*call, "--format", "json").json()
    assert answer["decision"] == {field: getattr(expected, field) for field in FIELDS}
    assert list(answer) == ["model", "posterior", "notes", "warnings", "decision"]
    (row,) = csv.DictReader(io.StringIO(ask(*call, "--format", "csv").out))
    assert list(row) == list(FIELDS) and row["sentence"] == expected.sentence
    shown = ask(*call).out
    assert shown.startswith("Run or predict?") and shown.endswith(f"{expected.sentence}\n")
    assert "P(within 2)" in shown
