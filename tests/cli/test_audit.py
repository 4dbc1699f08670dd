"""``bayesbench audit``: that of the library, on a sampler that is made up."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesbench.audit import audit
from bayesbench.cli.audit import FIELDS
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix
from tests.cli.conftest import Run
from tests.factories import make_posterior
from tests.scores.spreadsheets import users_spreadsheet

DATA = ("--scale", "percent", "--min-model", "1", "--min-benchmark", "1")


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Instead of sampling, draws around the scores; the seeds of the fits are kept."""
    asked: list[int] = []

    def made(
        matrix: ScoreMatrix, spec: ModelSpec, engine: Any, *, seed: int, **_: Any
    ) -> StoredPosterior:
        asked.append(seed)
        posterior = make_posterior(matrix=matrix, spec=ModelSpec(rank=0), n_draws=40)
        sure = np.full_like(posterior.draws["noise_benchmark"], 0.02)
        return replace(posterior, draws={**posterior.draws, "noise_benchmark": sure})

    monkeypatch.setattr("bayesbench.fitting.crossfit.sample", made)
    return asked


def test_it_is_that_of_the_library(run: Run, full_csv: Path, seeds: list[int]) -> None:
    call = ("audit", "--data", full_csv, *DATA, "--top", "4", "--seed", "7")
    expected = audit(ScoreMatrix.from_csv(full_csv, scale="percent"), seed=7)
    assert sorted(seeds) == [7, 8, 9, 10, 11]
    answer = run(*call, "--format", "json")
    assert sorted(seeds) == sorted([7, 8, 9, 10, 11] * 2)
    assert answer.err == ""
    assert (answer.json()["readings"], answer.json()["seed"]) == (14 * 7, 7)
    rows = answer.json()["suspicions"]
    assert len(rows) == 4
    for row, one in zip(rows, expected, strict=False):
        known = {name: None if value != value else value for name, value in asdict(one).items()}
        assert row == known


def test_csv_and_table_show_what_json_holds(run: Run, full_csv: Path, seeds: list[int]) -> None:
    call = ("audit", "--data", full_csv, *DATA, "--top", "98")
    rows = run(*call, "--format", "json").json()["suspicions"]
    gross = [row for row in rows if row["explanation"] == "gross error"]
    assert gross and all(row["corrected"] is None for row in gross)  # NaN is no JSON
    written = list(csv.DictReader(io.StringIO(run(*call, "--format", "csv").out)))
    assert len(written) == len(rows) == 98 and list(written[0]) == list(FIELDS) == list(rows[0])
    for row, line in zip(rows, written, strict=True):
        assert line["corrected"] == ("" if row["corrected"] is None else str(row["corrected"]))
    shown = run(*call[:-1], "1").out
    assert shown.startswith("Suspicious readings\n")
    assert rows[0]["model_id"] in shown and rows[0]["explanation"] in shown


def test_by_default_twenty_are_listed(run: Run, full_csv: Path, seeds: list[int]) -> None:
    answer = run("audit", "--data", full_csv, *DATA, "--format", "json").json()
    assert len(answer["suspicions"]) == 20
    probability = [row["probability"] for row in answer["suspicions"]]
    assert probability == sorted(probability, reverse=True)


def test_sparse_models_and_benchmarks_are_left_out_and_that_is_said(
    run: Run, full_csv: Path, seeds: list[int]
) -> None:
    whole = run("audit", "--data", full_csv, "--scale", "percent", "--format", "json")
    assert whole.err == "" and whole.json()["readings"] == 98
    text = full_csv.read_text().splitlines()
    sparse = full_csv.with_name("sparse.csv")
    sparse.write_text("\n".join([*text, text[-1].replace(text[-1].split(",")[0], "alone", 1)]))
    found = run("audit", "--data", sparse, "--scale", "percent", "--format", "json")
    assert found.err.startswith("note: left out 1 of ") and found.json()["readings"] == 98
    refused = run("audit", "--data", full_csv, "--scale", "percent", "--min-model", "99")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.count("\n") == 1 and "lower the limits" in refused.err


def test_columns_and_ids_that_may_be_wrong_are_named(
    run: Run, tmp_path: Path, seeds: list[int]
) -> None:
    _, truth = users_spreadsheet(1)
    truth["HLE"] = 100 - truth["HLE"]
    truth.loc["model-1 LOW"] = truth.iloc[0]
    data = tmp_path / "scores.csv"
    truth.rename_axis("model").to_csv(data)
    found = run("audit", "--data", data, "--scale", "percent", "--format", "json")
    document = found.json()
    assert [(one["benchmark_id"], one["kind"]) for one in document["columns"]] == [
        ("HLE", "direction")
    ]
    assert "note: column HLE: falls where the other columns rise" in found.err
    (pair,) = document["identities"]
    assert {pair["first"], pair["second"]} == {"Model 1 (low)", "model-1 LOW"}
    assert pair["probability"] > 0.9 and pair["equal"] == pair["shared"]
    assert document["read"]["benchmarks"] == 20
    shown = run("audit", "--data", data, "--scale", "percent").out
    assert "Ids that may be one model" in shown
