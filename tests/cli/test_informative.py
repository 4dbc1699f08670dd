"""``bayesbench benchmarks --by information``: that of the library, in tables and as JSON."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from bayesbench.cli.informative import information_document, information_table
from bayesbench.cli.next import FIELDS, Choice
from bayesbench.design import information, moments, target
from bayesbench.front.posterior import open_posterior
from tests.cli.conftest import HEAVY, Run, loaded

CALL = ("benchmarks", "--by", "information")


def test_the_answer_is_that_of_the_library(ask: Run, posterior_file: Path) -> None:
    answer = ask(*CALL, "--format", "json").json()
    assert list(answer) == ["benchmarks", "targets", "prob", "posterior", "notes", "sentence"]
    assert answer["targets"] is None and answer["notes"] == []
    model = open_posterior(posterior_file).condition()
    names = model.posterior.benchmark_ids
    state, everything = moments(model.latent), target(names, names, None, "exclude")
    gains = dict(zip(names, information(state, everything.indices, everything), strict=True))
    rows, expected = answer["benchmarks"], model.information()
    assert [row["benchmark_id"] for row in rows] == sorted(names, key=lambda one: -gains[one])
    for row, one in zip(rows, expected, strict=True):
        assert tuple(row) == FIELDS
        assert row["gain_nats"] == pytest.approx(gains[row["benchmark_id"]])
        assert row["width_reduction"] == one.width_reduction
        assert (row["lower"], row["median"], row["upper"]) == (one.lower, one.median, one.upper)


def test_targets_costs_and_a_term(ask: Run, posterior_file: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("benchmark_id,cost,unit\nbench_0,1,USD\nBench 3,2,USD\nbench_4,9,USD\n")
    call = (*CALL, "--targets", "BENCH 3,bench_1", "--cost", prices)
    found = ask(*call, "--format", "json")
    answer = found.json()
    assert answer["targets"] == ["bench_3", "bench_1"]
    assert found.err.splitlines() == [f"note: {line}" for line in answer["notes"]]
    assert any("no known cost" in line for line in answer["notes"])
    expected = open_posterior(posterior_file).condition().information(
        targets=["bench_3", "bench_1"], costs={"bench_0": 1.0, "bench_3": 2.0, "bench_4": 9.0}
    )  # fmt: skip
    for row, one in zip(answer["benchmarks"], expected, strict=True):
        assert (row["benchmark_id"], row["gain_nats"]) == (one.benchmark_id, one.gain_nats)
        assert row["gain_per_cost"] == one.gain_nats / one.cost
    assert "tells most for its cost about bench_3, bench_1, then" in answer["sentence"]
    kept = ask(*call, "rating", "--format", "json").json()  # bench_2, which has no cost
    assert kept["benchmarks"] == [] and kept["sentence"].startswith("No benchmark")
    (row,) = ask(*CALL, "rating", "--format", "json").json()["benchmarks"]
    whole = ask(*CALL, "--format", "json").json()["benchmarks"]
    assert row == next(one for one in whole if one["benchmark_id"] == "bench_2")


def test_the_table_its_sentence_and_csv(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ask(*CALL, "--format", "json").json()
    names = [row["benchmark_id"] for row in answer["benchmarks"]]
    shown = ask(*CALL, "--top", 2)
    assert shown.out.startswith("2 of 5 benchmarks: what one score tells about all the others")
    assert [line.split()[0] for line in shown.out.splitlines() if line[:7] == " bench_"] == names[
        :2
    ]
    assert shown.err == "note: 3 more rows; --all shows them, --top N the first N\n"
    assert shown.out.endswith(f"\n\n{answer['sentence']}\n")
    first = answer["benchmarks"][0]
    assert answer["sentence"].startswith(
        f"Of a model of which nothing is known, one score of {names[0]} "
        f"({first['gain_nats']:.2f} nats) tells most about all the others, then {names[1]} ("
    )
    rows = list(csv.DictReader(io.StringIO(ask(*CALL, "--format", "csv").out)))
    assert tuple(rows[0]) == FIELDS and [row["benchmark_id"] for row in rows] == names
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, ask(*CALL).out.splitlines())) <= 60


def test_one_or_a_few_of_the_benchmarks_in_words(posterior_file: Path) -> None:
    posterior, none = open_posterior(posterior_file), Choice(None, None, (), None)
    few = information_document(posterior, None, none, among={"bench_1", "bench_2"})
    assert "tells most of these 2 about all the others, then" in few["sentence"]
    one = information_document(posterior, None, none, among={"bench_1"})
    assert one["sentence"].startswith("Of a model of which nothing is known, one score of bench_1 ")
    assert one["sentence"].endswith(" nats about all the others.")
    assert information_table(posterior, one, 5).title.startswith("1 of 5 benchmarks")


@pytest.mark.parametrize("option", ["--targets", "--cost"])
def test_what_needs_information_is_refused_without_it(ask: Run, option: str) -> None:
    refused = ask("benchmarks", option, "bench_0")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        f"error: {option} goes with --by information: give that too, or leave it out\n"
    )


def test_unknown_targets_are_refused_with_the_nearest(ask: Run) -> None:
    refused = ask(*CALL, "--targets", "bench_33")
    assert refused.code == 2 and "bench_33" in refused.err and "nearest: bench_3" in refused.err


def test_nothing_heavy_is_loaded(repository: Path, posterior_file: Path) -> None:
    call = [*CALL, "--posterior", str(posterior_file)]
    assert not HEAVY & loaded(repository, f"from bayesbench.cli import main\nmain({call})")
