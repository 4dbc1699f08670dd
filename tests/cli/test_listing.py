"""``bayesbench models`` and ``bayesbench benchmarks``."""

from __future__ import annotations

import csv
import io

import pytest

from bayesbench.cli.listing import BENCHMARK_FIELDS, MODEL_FIELDS
from tests.cli.conftest import Run


def test_models_and_benchmarks_list_the_metadata(ask: Run) -> None:
    models = ask("models", "--format", "json").json()["models"]
    assert {row["model_id"] for row in models} == {f"model_{i}" for i in range(6)}
    assert models[-1]["n_scores"] == min(row["n_scores"] for row in models)
    alone = next(row for row in models if row["model_id"] == "model_5")
    assert alone["provider"] is None and alone["reasoning"] is None
    rating = ask("benchmarks", "rating", "--format", "json").json()["benchmarks"]
    assert [(row["benchmark_id"], row["lower"], row["upper"]) for row in rating] == [
        ("bench_2", None, None)
    ]
    rows = list(csv.DictReader(io.StringIO(ask("benchmarks", "--format", "csv").out)))
    assert {row["higher_is_better"] for row in rows if row["benchmark_id"] == "bench_1"} == {
        "false"
    }


def test_a_search_without_a_hit_is_empty_and_says_what_is_near(ask: Run) -> None:
    found = ask("models", "modle_3", "--format", "json")
    assert found.json() == {"models": []}
    assert found.err.startswith("note: nothing holds 'modle_3'; nearest: model_3")
    assert ask("models", "zzz", "--format", "csv").out.count("\n") == 1


@pytest.mark.parametrize(("command", "term", "found"), [
    ("models", "ALEPH", {"model_0", "model_3"}), ("models", "L_4", {"model_4"}),
    ("benchmarks", "rating", {"bench_2"}), ("benchmarks", "BENCH_4", {"bench_4"}),
])  # fmt: skip
def test_a_term_is_searched_in_ids_names_and_kinds(
    ask: Run, command: str, term: str, found: set[str]
) -> None:
    answer = ask(command, term, "--format", "json")
    assert {row[f"{command[:-1]}_id"] for row in answer.json()[command]} == found
    assert not answer.err
    total = 6 if command == "models" else 5
    assert ask(command, term).out.startswith(f"{len(found)} of {total} ")


def test_most_scores_first_then_by_id(run: Run) -> None:
    for command in ("models", "benchmarks"):  # of the bundled posterior
        rows = run(command, "--format", "json").json()[command]
        keys = [(-row["n_scores"], row[f"{command[:-1]}_id"]) for row in rows]
        assert keys == sorted(keys) and 1 < len({count for count, _ in keys}) < len(keys)


def test_csv_holds_every_field_and_blanks_what_is_missing(ask: Run) -> None:
    for command, fields in (("models", MODEL_FIELDS), ("benchmarks", BENCHMARK_FIELDS)):
        rows = list(csv.DictReader(io.StringIO(ask(command, "--format", "csv").out)))
        plain = ask(command, "--format", "json").json()[command]
        assert list(rows[0]) == list(fields) == list(plain[0])
        for row, answer in zip(rows, plain, strict=True):
            assert {name for name in fields if row[name] == ""} == {
                name for name in fields if answer[name] is None
            }


def test_a_bound_that_does_not_exist_is_blank(ask: Run) -> None:
    lines = {line.split()[0]: line.split() for line in ask("benchmarks").out.splitlines() if line}
    assert lines["bench_2"][1:3] == ["rating", "higher"]
    assert lines["bench_1"][1:5] == ["percent", "0", "100", "lower"]
