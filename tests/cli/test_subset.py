"""``bayesbench subset`` is that of the library: chosen, kept in a file, checked."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from bayesbench.evaluation import subsets
from bayesbench.evaluation.suite import Suite, subset
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix
from tests.cli.conftest import Run
from tests.factories import make_posterior

LIMITS = ("--scale", "percent", "--min-model", "1", "--min-benchmark", "1", "--folds", "2")


@pytest.fixture(autouse=True)
def random_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(matrix: ScoreMatrix, *_: object, **__: object) -> StoredPosterior:
        return make_posterior(matrix=matrix, n_draws=40)

    monkeypatch.setattr(subsets, "sample", made)


def test_it_is_that_of_the_library(run: Run, full_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "suite.json"
    call = ("subset", "--data", full_csv, *LIMITS, "--k", "3", "--seed", "4")
    expected = subset(ScoreMatrix.from_csv(full_csv, scale="percent"), 3, folds=2, seed=4)
    answer = run(*call, "--out", out, "--format", "json").json()
    assert [row["benchmark_id"] for row in answer["suite"]] == list(expected.benchmarks)
    figures = {row["figure"]: row["value"] for row in answer["figures"]}
    assert figures == {one.figure: pytest.approx(one.value) for one in expected.figures}
    assert {row["against"] for row in answer["against"]} == {"popularity", "random", "nothing"}
    assert (answer["n_models"], answer["folds"], answer["out"]) == (14, 2, str(out))
    assert repr(Suite.load(out)) == repr(expected)
    rows = list(csv.DictReader(io.StringIO(run(*call, "--format", "csv").out)))
    assert [row["benchmark_id"] for row in rows] == list(expected.benchmarks)
    table = run(*call).out
    assert "Suite of 3 of 7 benchmarks" in table and "The suite against other choices" in table


def test_costs_and_candidates(run: Run, full_csv: Path, tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text("benchmark_id,cost,unit\nb1,1,USD\nB2,2,USD\nb3,4,USD\n")
    call = ("subset", "--data", full_csv, *LIMITS, "--k", "2", "--format", "json")
    found = run(*call, "--cost", costs)
    assert {row["benchmark_id"] for row in found.json()["suite"]} <= {"b1", "b2", "b3"}
    assert "4 benchmarks have no known cost and are left out" in found.err
    named = run(*call, "--candidates", "B4,b5").json()
    assert {row["benchmark_id"] for row in named["suite"]} == {"b4", "b5"}
    assert named["notes"] == ["'B4' is taken for b4"]


def test_a_frozen_suite_on_a_newer_matrix(run: Run, full_csv: Path, tmp_path: Path) -> None:
    out, newer = tmp_path / "suite.json", tmp_path / "newer.csv"
    chosen = run("subset", "--data", full_csv, *LIMITS, "--k", "3", "--out", out,
                 "--format", "json").json()  # fmt: skip
    gone = chosen["suite"][0]["benchmark_id"]
    lines = [line for line in full_csv.read_text().splitlines() if f",{gone}," not in line]
    lines += [f"new{i},b{j},{20 + 3 * i + j}" for i in range(12) for j in range(7)
              if f"b{j}" != gone]  # fmt: skip
    newer.write_text("\n".join(lines) + "\n")
    call = ("subset", "--data", newer, *LIMITS, "--check", out)
    found = run(*call, "--format", "json")
    answer = found.json()
    assert answer["gone"] == [gone] and f"not in the data any more, or left out of it: {gone}" in (
        found.err
    )
    assert (answer["n_models"], answer["n_new"], answer["same_data"]) == (26, 12, False)
    assert answer["before"] == chosen["figures"] and answer["new_figures"]
    assert "On the 12 models it never saw" in run(*call).out
    same = run("subset", "--data", full_csv, *LIMITS, "--check", out, "--format", "json").json()
    assert (same["same_data"], same["gone"], same["new_figures"]) == (True, [], [])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "say how many benchmarks with --k"),
        (("--k", "8"), "k must lie between 1 and 7, the candidates; got 8"),
        (("--k", "1", "--candidates", "b9"), "unknown benchmark 'b9'"),
        (("--k", "1", "--check", "suite.json"), "leave out --k"),
        (("--check", "suite.json", "--cost", "n_items"), "leave out --cost"),
        (("--check", "none.json"), "no suite none.json"),
        (("--k", "1", "--out", "no/where.json"), "there is no directory 'no'"),
    ],
)
def test_wrong_calls(run: Run, full_csv: Path, args: tuple[str, ...], message: str) -> None:
    found = run("subset", "--data", full_csv, *LIMITS, *args)
    assert (found.code, found.out) == (2, "") and message in found.err


def test_a_candidate_with_too_few_scores_is_named(run: Run, full_csv: Path, tmp_path: Path) -> None:
    rare = tmp_path / "rare.csv"
    rare.write_text(full_csv.read_text() + "m0,rare,50\n")
    limits = ("--scale", "percent", "--min-model", "1", "--min-benchmark", "2")
    found = run("subset", "--data", rare, *limits, "--k", "1", "--candidates", "rare")
    assert found.code == 2 and "candidate 'rare' has too few scores" in found.err


def test_a_damaged_suite_ends_with_one_line(run: Run, full_csv: Path, tmp_path: Path) -> None:
    file = tmp_path / "suite.json"
    file.write_text(json.dumps({"format": "bayesbench-suite", "version": 1}))
    found = run("subset", "--data", full_csv, *LIMITS, "--check", file)
    assert (found.code, found.out) == (1, "")
    assert "is not a usable suite file" in found.err
    assert found.err.count("\n") == 1


def test_the_bundled_matrix_is_the_default(run: Run) -> None:
    found = run("subset", "--k", "500")
    assert found.code == 2 and "k must lie between 1 and 277, the candidates" in found.err
