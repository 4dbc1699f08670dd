"""``bayesbench evaluate``: the figures of the library, and options that belong to a protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bayesbench.cli.evaluate import PARAMETERS, parameters
from bayesbench.config import cache_directory
from bayesbench.errors import UsageError
from bayesbench.evaluation import PROTOCOLS, Folds, evaluate
from bayesbench.scores import ScoreMatrix
from tests.cli.conftest import Run


def test_evaluate_is_that_of_the_library(run: Run, scores_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "cells.parquet"
    answer = run("evaluate", "--data", scores_csv, "--scale", "percent", "--method", "mean",
                 "--seed", "5", "--no-resume", "--predictions", out, "--format",
                 "json").json()  # fmt: skip
    matrix = ScoreMatrix.from_csv(scores_csv, scale="percent")
    expected = evaluate(matrix, Folds(seed=5), "mean")["mean"].to_json()
    assert answer.pop("read") == matrix.account.to_json()
    assert {**answer, "wall_s": 0} == {**expected, "wall_s": 0}
    assert len(pd.read_parquet(out)) == answer["n_cells"] == 32
    assert "median absolute error" in run(
        "evaluate", "--data", scores_csv, "--scale", "percent", "--method", "mean", "--no-resume"
    ).out  # fmt: skip


def test_finished_folds_are_kept_in_the_cache_or_where_wanted(
    run: Run, scores_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the end: no file is left to be seen, so what the library is given is looked at."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept: list[Path | None] = []

    def evaluated(*args: Any, work_dir: Path | None, **options: Any) -> Any:
        kept.append(work_dir)
        return evaluate(*args, work_dir=work_dir, **options)

    monkeypatch.setattr("bayesbench.evaluation.evaluate", evaluated)
    call = ("evaluate", "--data", scores_csv, "--scale", "percent", "--method", "mean",
            "--format", "json")  # fmt: skip
    for options in ((), ("--work-dir", tmp_path / "wanted"), ("--no-resume",)):
        run(*call, *options).json()
    assert kept == [cache_directory("evaluate"), tmp_path / "wanted", None]


def test_a_list_of_cheap_benchmarks_beside_the_data_is_taken(
    run: Run, scores_csv: Path, tmp_path: Path
) -> None:
    scores = pd.read_csv(scores_csv)
    scores.to_csv(tmp_path / "scores.csv", index=False)
    scores[["model_id"]].drop_duplicates().to_csv(tmp_path / "models.csv", index=False)
    columns = scores[["benchmark_id"]].drop_duplicates()
    columns.assign(scale="percent").to_csv(tmp_path / "benchmarks.csv", index=False)
    other = tmp_path / "other.txt"
    other.write_text("b3\n")

    def policies(*args: object) -> dict[str, Any]:
        return run("evaluate", "--data", tmp_path, "--protocol", "probes", "--method", "bias",
                   "--ks", "1", "--seeds", "2", "--no-resume", "--format", "json",
                   *args).json()["policies"]  # fmt: skip

    assert set(policies()) == {"random", "popularity"}
    (tmp_path / "low_cost_allowlist.json").write_text('["b1"]')
    beside = policies()
    assert set(beside) == {
        f"{name}{end}" for name in ("random", "popularity") for end in ("", "-low-cost")
    }
    given = policies("--low-cost", other)["random-low-cost"]
    assert given["1"]["medae"] != beside["random-low-cost"]["1"]["medae"]


def test_evaluate_options_reach_the_method(run: Run, scores_csv: Path) -> None:
    base = ("evaluate", "--data", scores_csv, "--scale", "percent", "--method", "als",
            "--no-resume", "--format", "json")  # fmt: skip
    weak = run(*base, "--option", "penalty=0.01").json()
    strong = run(*base, "--option", "penalty=10").json()
    assert weak["medae"] != strong["medae"]


def test_a_curve_evaluation_shows_its_table_by_k(run: Run, scores_csv: Path) -> None:
    call = ("evaluate", "--data", scores_csv, "--scale", "percent", "--method", "mean",
            "--protocol", "curve", "--ks", "1,2", "--seeds", "1", "--no-resume")  # fmt: skip
    assert set(run(*call, "--format", "json").json()["by_k"]) == {"1", "2"}
    assert "by number of revealed scores" in run(*call).out


FOREIGN = [
    ("folds", "--ks", "1,2", "new-release, probes, curve, new-benchmark, as-shipped"),
    ("folds", "--posterior", "bundled", "as-shipped"),
    ("as-shipped", "--sizes", "8x6", "small-tables"),
    ("small-tables", "--cutoffs", "2025-10-01", "as-shipped"),
    ("folds", "--families", "no.json", "new-release"),
    ("folds", "--low-cost", "no.json", "probes"),
    ("curve", "--folds", "no.json", "folds"),
    ("curve", "--families", "no.json", "new-release"),
    ("new-release", "--low-cost", "no.json", "probes"),
    ("probes", "--folds", "no.json", "folds"),
]


@pytest.mark.parametrize(("protocol", "option", "value", "owners"), FOREIGN)
def test_an_option_of_another_protocol_is_an_error(
    run: Run, protocol: str, option: str, value: str, owners: str
) -> None:
    # before anything is read: the data do not exist
    found = run("evaluate", "--data", "no.csv", "--protocol", protocol, "--method", "mean",
                option, value)  # fmt: skip
    assert (found.code, found.out) == (2, "")
    assert f"{option} belongs to protocol {owners}, not to {protocol}" in found.err


def test_options_become_the_parameters_of_the_protocol() -> None:
    none = dict.fromkeys(PARAMETERS)
    assert parameters("probes", {**none, "seeds": 3, "ks": (0, 1)}) == {"sets": 3, "ks": (0, 1)}
    assert parameters("curve", {**none, "seeds": 3, "seed": 7}) == {"seeds": 3, "seed": 7}
    assert parameters("small-tables", {**none, "seeds": 3}) == {"tables": 3}
    assert parameters("folds", {**none, "folds": "f.json", "max_folds": 2}) == {
        "splits": "f.json", "max_folds": 2,
    }  # fmt: skip
    with pytest.raises(UsageError, match="leave out --seeds"):
        parameters("folds", {**none, "folds": "f.json", "seeds": 3})


def test_help_names_every_protocol_and_method(run: Run) -> None:
    from bayesbench.evaluation import available_methods

    text = run("evaluate", "--help").out
    assert [name for name in (*PROTOCOLS, *available_methods()) if name not in text] == []


def test_folds_of_a_file_are_taken(run: Run, scores_csv: Path, tmp_path: Path) -> None:
    file = tmp_path / "folds.json"
    fold = {"seed": 1, "fold": 0, "test_cells": [[0, 0], [1, 1]]}
    content = {"models": ["m2", "m5"], "benchmarks": ["b1", "b3"], "folds": [fold]}
    file.write_text(json.dumps(content))
    answer = run("evaluate", "--data", scores_csv, "--scale", "percent", "--method", "mean",
                 "--folds", file, "--no-resume", "--format", "json").json()  # fmt: skip
    assert answer["n_cells"] == 2


def test_a_posterior_is_asked_about_models_it_never_saw(
    run: Run, posterior_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "new.csv"
    rows = [f"fresh_{i},bench_{j},{20 + 9 * i + 5 * j}" for i in range(3) for j in (0, 3, 4)]
    known = ["model_0,bench_0,40"]
    file.write_text("\n".join(["model_id,benchmark_id,score", *rows, *known]) + "\n")
    out = tmp_path / "cells.parquet"
    call = ("evaluate", "--data", file, "--scale", "percent", "--protocol", "as-shipped",
            "--posterior", posterior_file, "--ks", "1", "--seeds", "1", "--no-resume")  # fmt: skip
    answer = run(*call, "--predictions", out, "--format", "json").json()
    assert set(pd.read_parquet(out)["model_id"]) == {"fresh_0", "fresh_1", "fresh_2"}
    crossed = answer["crossed"]["percent"]
    assert set(crossed) == {"scores", "facts", "id"}
    assert all(set(ways) == {"random", "adaptive"} for ways in crossed.values())
    assert all(way["1"]["n_cells"] == 6 for ways in crossed.values() for way in ways.values())
    entry = crossed["id"]["adaptive"]["1"]
    assert entry["coverage90_interval95"][0] <= entry["coverage90"]
    some = run(*call, "--inputs", "facts", "--reveals", "random")
    assert "percent, facts, random" in some.out and "adaptive" not in some.out


def test_small_tables_of_the_sizes_and_fills_asked_for(run: Run, scores_csv: Path) -> None:
    answer = run("evaluate", "--data", scores_csv, "--scale", "percent", "--method", "mean",
                 "--protocol", "small-tables", "--sizes", "6x3,8x4", "--fills", "0.8,0.9",
                 "--seeds", "2", "--no-resume", "--format", "json").json()  # fmt: skip
    crossed = answer["crossed"]["percent"]
    assert set(crossed) == {"6x3", "8x4"}
    assert all(set(fills) == {"0.8", "0.9"} for fills in crossed.values())
    assert answer["by_size"]["percent"]["6x3"]["n_clusters"] == 4
