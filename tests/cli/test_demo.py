"""``bayesbench demo``: a worked example, from any posterior."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.factories import make_posterior


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
