"""``bayesbench next``: that of the library, within costs, lists and a budget."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from bayesbench.cli.next import FIELDS
from bayesbench.front.posterior import open_posterior
from bayesbench.scores import ScoreMatrix
from tests.cli.conftest import Run
from tests.factories import make_posterior


def test_the_answer_is_that_of_the_library(ask: Run, posterior_file: Path) -> None:
    answer = ask("next", "--scores", "bench_0=40", "--k", "3", "--format", "json").json()
    expected = open_posterior(posterior_file).condition({"bench_0": 40.0}).recommend(3)
    assert list(answer) == [
        "model", "prob", "posterior", "notes", "warnings", "recommendations", "sentence",
    ]  # fmt: skip
    assert answer["sentence"] == expected.sentence
    shown = ask("next", "--scores", "bench_0=40", "--k", "3")
    assert shown.out.endswith(f"\n\n{expected.sentence}\n")
    for row, one in zip(answer["recommendations"], expected, strict=True):
        assert tuple(row) == FIELDS
        assert row["benchmark_id"] == one.benchmark_id
        assert row["gain_nats"] == pytest.approx(one.gain_nats, rel=1e-12)
        assert row["median"] == pytest.approx(one.median, rel=1e-9)
        assert row["width_reduction"] == pytest.approx(one.width_reduction, rel=1e-9)
        assert row["cost"] is None and row["gain_per_cost"] is None


def test_what_is_known_is_never_recommended(ask: Run) -> None:
    rows = ask("next", "--scores", "bench_0=40,bench_3=50", "--k", "99", "--format", "json").json()
    names = {row["benchmark_id"] for row in rows["recommendations"]}
    assert names == {"bench_1", "bench_2", "bench_4"}


def test_candidates_by_name_by_file_and_by_exclusion(ask: Run, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed.txt"
    allowed.write_text("bench_1\nbench_4  # cheap\n")
    base = ("next", "--scores", "bench_0=40", "--k", "9", "--format", "json")
    for extra, expected in (
        (("--benchmark", "bench_3"), {"bench_3"}),
        (("--allow", allowed), {"bench_1", "bench_4"}),
        (("--allow", allowed, "--benchmark", "bench_4"), {"bench_4"}),
        (("--exclude", "bench_1,bench_2"), {"bench_3", "bench_4"}),
    ):
        rows = ask(*base, *extra).json()["recommendations"]
        assert {row["benchmark_id"] for row in rows} == expected


def test_costs_from_a_file_and_a_budget(ask: Run, tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text("benchmark_id,cost,unit\nbench_1,1,USD\nbench_2,3,USD\nbench_3,10,USD\n")
    found = ask("next", "--scores", "bench_0=40", "--cost", costs, "--budget", "4", "--format",
                "json")  # fmt: skip
    rows = found.json()["recommendations"]
    assert sum(row["cost"] for row in rows) <= 4
    assert all(
        row["gain_per_cost"] == pytest.approx(row["gain_nats"] / row["cost"]) for row in rows
    )
    assert "note: 2 benchmarks have no known cost and are left out: bench_0, bench_4\n" == found.err


def test_a_budget_without_costs_says_that_it_counts_probes(ask: Run) -> None:
    base = ("next", "--scores", "bench_0=40", "--format", "json", "--budget")
    found = ask(*base, "2")
    assert found.err == "note: the budget counts probes: no costs were given\n"
    assert len(found.json()["recommendations"]) == 2
    assert len(ask(*base, "9").json()["recommendations"]) == 4


def test_number_of_items_as_cost(ask: Run) -> None:
    rows = ask("next", "--scores", "bench_3=50", "--cost", "n_items", "--format", "json").json()
    assert [(row["benchmark_id"], row["cost"]) for row in rows["recommendations"]] == [
        ("bench_0", 500.0)
    ]


@pytest.fixture
def kinds_file(tmp_path: Path) -> Path:
    """The small posterior with a category and how it is scored for every benchmark."""
    posterior = make_posterior()
    matrix = posterior.matrix
    table = matrix.benchmarks.assign(
        category=["math", "agentic", "preference", "coding", "long-context"],
        how=["exact-match", "agentic", "human-preference", "code-execution", "judge"],
    )
    path = tmp_path / "kinds.nc"
    known = ScoreMatrix(matrix.models, table, matrix.readings)
    replace(posterior, matrix=known).save(path)
    return path


LOADS = {"bench_1": 40000.0, "bench_3": 2000.0, "bench_4": 150000.0}


@pytest.mark.parametrize("written", [("--cost",), ("--cost", "bundled")])
def test_costs_of_the_metadata(run: Run, kinds_file: Path, written: tuple[str, ...]) -> None:
    base = ("next", "--scores", "bench_0=40", "--posterior", kinds_file, "--format", "json")
    found = run(*base, *written)
    rows = {row["benchmark_id"]: row["cost"] for row in found.json()["recommendations"]}
    assert rows == LOADS
    line = "costs are in item equivalents: items x effort, by category and how scored"
    assert line in found.json()["notes"] and f"note: {line}\n" in found.err
    assert "note: 1 benchmarks have no known cost and are left out: bench_2\n" in found.err


def test_a_file_replaces_single_costs(run: Run, kinds_file: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    base = ("next", "--scores", "bench_0=40", "--posterior", kinds_file, "--format", "json")
    own.write_text("benchmark_id,cost\nBench 3,7\nbench_2,9\n")
    for order, changed in (
        (("bundled", own), {"bench_3": 7.0, "bench_2": 9.0}),
        ((own, "bundled"), {"bench_2": 9.0}),
    ):
        found = run(*base, "--cost", order[0], "--cost", order[1]).json()["recommendations"]
        assert {row["benchmark_id"]: row["cost"] for row in found} == LOADS | changed
    alone = run(*base, "--cost", own).json()["recommendations"]
    assert {row["benchmark_id"]: row["cost"] for row in alone} == {"bench_3": 7.0, "bench_2": 9.0}
    own.write_text("benchmark_id,cost,unit\nbench_3,7,USD\n")
    refused = run(*base, "--cost", "--cost", own)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines()[-1].startswith("error: costs in USD cannot replace costs in")


def test_metadata_that_tell_no_cost(ask: Run) -> None:
    found = ask("next", "--scores", "bench_0=40", "--cost", "bundled")
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "error: the benchmarks have no column category and no column how to tell costs from: give "
        "a CSV file of costs, or n_items\n"
    )


def test_targets_steer_the_choice(ask: Run) -> None:
    base = ("next", "--scores", "bench_0=40", "--k", "1", "--format", "json")
    rows = ask(*base, "--targets", "bench_4", "--exclude", "bench_4").json()["recommendations"]
    assert rows[0]["benchmark_id"] in {"bench_1", "bench_2", "bench_3"}
    assert rows[0]["gain_nats"] > 0


def test_csv_and_table_show_costs_where_there_are_some(ask: Run, tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text("benchmark_id,cost\nbench_1,1\nbench_3,10\n")
    base = ("next", "--scores", "bench_0=40", "--prob", "0.5")
    rows = list(csv.DictReader(io.StringIO(ask(*base, "--format", "csv").out)))
    assert list(rows[0]) == list(FIELDS) and rows[0]["cost"] == ""
    plain, priced = ask(*base).out, ask(*base, "--cost", costs).out
    assert "predictions with 50 % intervals" in plain
    assert "gain per cost" in priced and "gain per cost" not in plain


def test_an_allow_list_that_leaves_no_priced_benchmark(ask: Run, tmp_path: Path) -> None:
    costs, allowed = tmp_path / "costs.csv", tmp_path / "allowed.txt"
    costs.write_text("benchmark_id,cost\nbench_1,1\n")
    allowed.write_text("bench_3\n")
    base = ("next", "--scores", "bench_0=40", "--allow", allowed)
    found = ask(*base, "--cost", costs)
    assert (found.code, found.out) == (2, "")
    assert found.err.splitlines()[-1] == (
        "error: no candidate benchmark is left: none of them has a known cost"
    )
    other = ask(*base, "--benchmark", "bench_4")
    assert other.err == f"error: none of the named benchmarks is in the allow-list {allowed}\n"


def test_names_resolve_in_every_option_and_what_was_taken_is_said(ask: Run, tmp_path: Path) -> None:
    costs, allowed = tmp_path / "costs.csv", tmp_path / "allowed.txt"
    costs.write_text("Benchmark;Cost\nBench 1;1,5\nBENCH-3;2\nbench_4;3\n")
    allowed.write_text("Bench-1\nbench 3\nbench_4\n")
    base = ("next", "--scores", "bench_0=40", "--k", "9", "--format", "json")
    spelled = ask(*base, "--targets", "BENCH 2,bench_4", "--exclude", "Bench 4", "--cost", costs,
                  "--allow", allowed)  # fmt: skip
    plain = tmp_path / "plain.csv"
    plain.write_text("benchmark_id,cost\nbench_1,1.5\nbench_3,2\nbench_4,3\n")
    ids = ask(*base, "--targets", "bench_2,bench_4", "--exclude", "bench_4", "--cost", plain)
    assert spelled.json()["recommendations"] == ids.json()["recommendations"]
    notes = spelled.json()["notes"]
    for line in ("'BENCH 2' is taken for bench_2", "'Bench 4' is taken for bench_4",
                 "'BENCH-3' is taken for bench_3", "'Bench-1' is taken for bench_1"):  # fmt: skip
        assert line in notes and f"note: {line}\n" in spelled.err
    several = ask(*base, "--benchmark", "bench_1,Bench 3").json()
    assert {row["benchmark_id"] for row in several["recommendations"]} == {"bench_1", "bench_3"}
    for option in ("--targets", "--exclude", "--benchmark"):
        refused = ask(*base, option, "bench_9")
        assert (refused.code, refused.out) == (2, "") and "nearest: bench_" in refused.err


def test_targets_of_a_file(ask: Run, tmp_path: Path) -> None:
    targets = tmp_path / "targets.txt"
    targets.write_text("bench_4\n")
    base = ("next", "--scores", "bench_0=40", "--k", "1", "--format", "json", "--targets")
    assert ask(*base, f"@{targets}").out == ask(*base, "bench_4").out


def test_one_cost_under_two_names_is_refused(ask: Run, tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text("benchmark,cost\nBench 1,1\nbench_1,2\n")
    found = ask("next", "--scores", "bench_0=40", "--cost", costs)
    assert (found.code, found.out) == (2, "")
    assert "cost of 'bench_1' is given twice, in two spellings" in found.err


def test_a_narrow_screen_keeps_the_gain_and_the_whole_interval(
    ask: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("benchmark_id,cost\n" + "".join(f"bench_{j},{j + 1}\n" for j in range(5)))
    call = ("next", "--scores", "bench_0=40", "--cost", prices)
    order = ["gain per cost", "narrower by", "cost", "median"]
    least = 0
    for width in (120, 60, 50, 40):
        monkeypatch.setenv("COLUMNS", str(width))
        found = ask(*call)
        assert max(map(len, found.out.splitlines())) <= width
        told = found.err.partition(" for the columns ")[2].partition(";")[0]
        left_out = told.split(", ") if told else []
        assert left_out == order[: len(left_out)] and len(left_out) >= least
        least = len(left_out)
        head = found.out.split("\n ─")[0].split()
        assert {"(nats)", "lower", "upper"} <= set(head)
    assert least > 1
