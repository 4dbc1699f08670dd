"""Anybody's predictions: looked up by id, refused where they are not clear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import SchemaError
from bayesbench.evaluation.methods.peers.external import ExternalPredictions
from bayesbench.scores.matrix import ScoreMatrix


def write(path: Path, rows: Sequence[Sequence[object]], columns: Sequence[str]) -> str:
    pd.DataFrame(rows, columns=list(columns)).to_csv(path, index=False)
    return str(path)


def test_external(tmp_path: Path, small_matrix: ScoreMatrix) -> None:
    cells = np.array([[0, 1], [2, 3], [4, 5]])
    path = write(
        tmp_path / "p.csv",
        [["m2", "b3", 30.0, 20.0, 40.0], ["m0", "b1", 10.0, 5.0, 15.0]],
        ["model_id", "benchmark_id", "predicted", "lower", "upper"],
    )
    got = ExternalPredictions(path=path).predict(small_matrix, cells, 0)
    np.testing.assert_array_equal(got.median, [10.0, 30.0, np.nan])
    assert got.lower is not None and got.upper is not None
    np.testing.assert_array_equal(got.upper, [15.0, 40.0, np.nan])


def test_external_errors(tmp_path: Path, small_matrix: ScoreMatrix) -> None:
    cells = np.array([[0, 1]])
    cases = {
        "twice": ([["m0", "b1", 1.0]] * 2, ["model_id", "benchmark_id", "predicted"]),
        "'predicted' is missing": ([["m0", "b1", 1.0]], ["model_id", "benchmark_id", "score"]),
        "holds text": ([["m0", "b1", "high"]], ["model_id", "benchmark_id", "predicted"]),
    }
    for number, (message, (rows, columns)) in enumerate(cases.items()):
        path = write(tmp_path / f"{number}.csv", rows, columns)
        with pytest.raises(SchemaError, match=message):
            ExternalPredictions(path=path).predict(small_matrix, cells, 0)
    with pytest.raises(SchemaError, match="cannot be read"):
        ExternalPredictions(path=str(tmp_path / "none.csv")).predict(small_matrix, cells, 0)


def test_the_content_of_the_file_is_part_of_the_method(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("a")
    before = ExternalPredictions(str(path)).fingerprint
    path.write_text("b")
    assert ExternalPredictions(str(path)).fingerprint != before
    assert ExternalPredictions(str(tmp_path / "none.csv")).fingerprint.startswith(str(tmp_path))
