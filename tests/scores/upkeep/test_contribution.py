"""Files that somebody brings, on the names and scales of a matrix."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bayesbench.errors import DataError, SchemaError, UsageError
from bayesbench.scores import ScoreMatrix, open_scores
from bayesbench.scores.upkeep.contribution import read_contribution
from tests.design.design_helpers import failed_examples
from tests.scores.upkeep.kept import directory

BASE = open_scores()


def table(tmp_path: Path, *rows: str, name: str = "mine.csv") -> Path:
    file = tmp_path / name
    file.write_text("\n".join(("model,benchmark,score", *rows)) + "\n")
    return file


def results(tmp_path: Path, **tasks: float) -> Path:
    run = {"lm_eval_version": "0.4.9", "model_name": "acme/model-1", "versions": {"gsm8k": 3},
           "results": {task: {"exact_match,strict-match": score}
                       for task, score in tasks.items()}}  # fmt: skip
    file = tmp_path / "results.json"
    file.write_text(json.dumps(run))
    return file


@pytest.mark.parametrize(
    ("scale", "written"), [("unit", "0.5,0.25"), ("percent", "50,25"), (None, "50,25")]
)
def test_scores_come_to_the_scale_of_the_matrix(
    scale: str | None, written: str, tmp_path: Path
) -> None:
    one, other = written.split(",")
    file = table(tmp_path, f"m,GPQA Diamond,{one}", f"m,own test,{other}")
    found = read_contribution([file], BASE, scale=scale).matrix
    assert found.benchmark_ids == ("gpqa_diamond", "own test")
    assert found.values[0, 0] == 50 and found.benchmarks["scale"].iloc[0] == "percent"
    assert found.values[0, 1] == float(other)


def test_percentages_that_may_be_shares_are_refused(tmp_path: Path) -> None:
    file = table(tmp_path, "m,gpqa_diamond,0.7", "n,gpqa_diamond,0.8")
    with pytest.raises(SchemaError, match=r"no score above 1 on gpqa_diamond.*--scale unit or"):
        read_contribution([file], BASE)
    low = table(tmp_path, "m,gpqa_diamond,0.7", "n,gpqa_diamond,31", name="low.csv")
    assert read_contribution([low], BASE).matrix.n_cells == 2
    assert read_contribution([file], BASE, scale="percent").matrix.values[0, 0] == 0.7


@pytest.mark.parametrize(("scale", "score"), [("unit", "70"), ("percent", "700"), (None, "-3")])
def test_a_wrong_scale_is_refused_by_row(scale: str | None, score: str, tmp_path: Path) -> None:
    file = table(tmp_path, f"m,gpqa_diamond,{score}")
    with pytest.raises(SchemaError, match=r"mine\.csv, row 2: score .* is outside its"):
        read_contribution([file], BASE, scale=scale)


def test_results_of_other_tools_and_tables_together(tmp_path: Path) -> None:
    files = [results(tmp_path, gsm8k=0.81, nonesuch=0.5), table(tmp_path, "m,mmlu,70")]
    found = read_contribution(files, BASE)
    assert sorted(found.matrix.readings["score"]) == [70.0, 81.0]
    assert [one.benchmark for one in found.left_out] == ["nonesuch"] and len(found.notes) == 2


def test_a_data_directory_is_one(tmp_path: Path) -> None:
    place = directory(tmp_path)
    found = read_contribution([place], BASE).matrix
    assert found.data_hash == ScoreMatrix.from_directory(place).data_hash
    with pytest.raises(UsageError, match="states its own scales"):
        read_contribution([place], BASE, scale="unit")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: no such file"):
        read_contribution([tmp_path / "none.csv"], BASE)
    with pytest.raises(UsageError, match="at least one file"):
        read_contribution([], BASE)


def test_examples() -> None:
    assert failed_examples(sys.modules[read_contribution.__module__]) == 0
