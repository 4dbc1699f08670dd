"""decide, rank, models, benchmarks, info, demo."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from bayesbench.front.posterior import open_posterior
from tests.cli.conftest import Run
from tests.factories import make_posterior


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


def test_rank_is_that_of_the_library(ask: Run, posterior_file: Path) -> None:
    answer = ask("rank", "model_0", "model_1", "model_2", "--benchmark", "bench_3", "--benchmark",
                 "bench_0", "--format", "json").json()  # fmt: skip
    ids = ("model_0", "model_1", "model_2")
    expected = open_posterior(posterior_file).rank(ids, on=("bench_3", "bench_0"))
    for row in answer["ranking"]:
        at = ids.index(row["model_id"])
        assert row["p_best"] == pytest.approx(expected.p_best[at])
        assert row["rank_probability"] == pytest.approx(expected.rank_probability[at].tolist())
    assert answer["p_better"]["model_0"]["model_2"] == pytest.approx(expected.win[0, 2])
    means = [np.dot(row["rank_probability"], [1, 2, 3]) for row in answer["ranking"]]
    assert means == sorted(means)


def test_rank_takes_a_new_model_and_says_what_to_run_on_it(ask: Run) -> None:
    answer = ask("rank", "model_0", "--scores", "bench_0=40", "--benchmark", "bench_3", "--probe",
                 "new", "--k", "2", "--format", "json").json()  # fmt: skip
    assert {row["model_id"] for row in answer["ranking"]} == {"model_0", "new"}
    assert len(answer["probes"]) == 2
    assert "bench_0" not in {row["benchmark_id"] for row in answer["probes"]}
    assert answer["probes"][0]["information_nats"] >= answer["probes"][1]["information_nats"]


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


def test_info_tells_data_fit_and_diagnostics(run: Run, posterior_file: Path) -> None:
    answer = run("info", posterior_file, "--format", "json").json()
    posterior = open_posterior(posterior_file)
    assert answer["data_hash"] == posterior.matrix.data_hash
    assert (answer["models"], answer["benchmarks"], answer["draws"]) == (6, 5, 200)
    assert answer["spec"]["rank"] == 2
    assert answer["wall_s"] is None
    assert answer["diagnostics"]["verdict"] == "pass"
    assert "spec.priors.nu_grid" in run("info", posterior_file).out


def test_demo_answers_from_any_posterior(ask: Run) -> None:
    answer = ask("demo", "--format", "json").json()
    assert set(answer["scores"]).isdisjoint(row["benchmark_id"] for row in answer["predictions"])
    assert answer["recommendations"]
    shown = ask("demo").out
    assert shown.startswith("A model scored ") and "Run next" in shown


def test_demo_uses_its_own_example_where_the_benchmarks_are_known(run: Run, tmp_path: Path) -> None:
    matrix = make_posterior().matrix
    names = ["gpqa_diamond", "ifeval", "bench_2", "humaneval", "mmlu_pro"]
    renamed = matrix.to_frame().replace(dict(zip(matrix.benchmark_ids, names, strict=True)))
    benchmarks = matrix.benchmarks.set_axis(names).rename_axis("benchmark_id").reset_index()
    made = type(matrix).from_frame(renamed, benchmarks=benchmarks)
    path = tmp_path / "named.nc"
    make_posterior(matrix=made).save(path)
    answer = run("demo", "--posterior", path, "--format", "json").json()
    assert answer["scores"] == {"gpqa_diamond": 70.0, "ifeval": 85.0, "humaneval": 88.0}
    assert [row["benchmark_id"] for row in answer["predictions"]] == ["mmlu_pro"]
