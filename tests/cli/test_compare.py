"""``bayesbench compare``: the gap of the library, and that of `rank`."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from bayesbench.cli.compare import FIELDS
from bayesbench.front.posterior import open_posterior
from tests.cli.conftest import Run

CALL = ("compare", "model_0", "Model 2", "--benchmark", "bench_0,bench_1", "--weights",
        "bench_0=2,bench_1=1", "--prob", "0.5")  # fmt: skip


def test_it_is_that_of_the_library(ask: Run, posterior_file: Path) -> None:
    answer = ask(*CALL, "--format", "json")
    found = answer.json()
    gap = open_posterior(posterior_file).compare(
        "model_0", "model_2", on=["bench_0", "bench_1"],
        weights={"bench_0": 2.0, "bench_1": 1.0}, prob=0.5,
    )  # fmt: skip
    assert found["comparison"] == {field: getattr(gap, field) for field in FIELDS}
    assert found["benchmarks"] == ["bench_0", "bench_1"] and found["prob"] == 0.5
    assert found["notes"] == ["'Model 2' is taken for model_2"]
    assert "note: 'Model 2' is taken for model_2" in answer.err
    (row,) = csv.DictReader(io.StringIO(ask(*CALL, "--format", "csv").out))
    assert list(row) == list(FIELDS)
    assert ask(*CALL).out.endswith(f"{gap.sentence}\n")


def test_it_agrees_with_rank_and_turns_with_the_order(ask: Run) -> None:
    end = ("--scores", "bench_3=55", "--benchmark", "bench_0", "--format", "json")
    one = ask("compare", "model_0", *end).json()["comparison"]
    ranked = ask("rank", "model_0", *end).json()
    assert one["p_better"] == pytest.approx(ranked["p_better"]["model_0"]["new"], abs=1e-12)
    there, back = (
        ask("compare", *pair, "--benchmark", "bench_0", "--format", "json").json()["comparison"]
        for pair in (("model_0", "model_1"), ("model_1", "model_0"))
    )
    assert there["median"] == pytest.approx(-back["median"])
    assert there["p_better"] == pytest.approx(1 - back["p_better"])


@pytest.mark.parametrize("models", [(), ("model_0",), ("model_0", "model_1", "model_2")])
def test_it_takes_two_models(models: tuple[str, ...], ask: Run) -> None:
    result = ask("compare", *models, "--benchmark", "bench_0")
    assert (result.code, result.out) == (2, "")
    assert f"comparing needs 2 models, got {len(models)}" in result.err
