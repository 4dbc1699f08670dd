from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesbench.errors import SchemaError, UnknownIdError, UsageError
from bayesbench.scores import ScoreMatrix, load_folds, per_model_folds


def matrix_of(observed: np.ndarray) -> ScoreMatrix:
    rows, columns = np.nonzero(observed)
    frame = pd.DataFrame(
        {
            "model_id": [f"m{row}" for row in rows],
            "benchmark_id": [f"b{column}" for column in columns],
            "score": 50.0,
        }
    )
    return ScoreMatrix.from_frame(frame, scale="percent")


def small() -> ScoreMatrix:
    return matrix_of(np.array([[1, 1, 0], [1, 0, 1]]))


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_folds_partition_the_observed_cells_evenly_per_model(seed: int, n_folds: int) -> None:
    matrix = matrix_of(np.random.default_rng(seed).random((7, 11)) < 0.6)
    folds = per_model_folds(matrix, n_folds, seed)
    masks = np.array([fold.mask(matrix.shape) for fold in folds])
    np.testing.assert_array_equal(masks.sum(axis=0), matrix.observed)
    per_model = masks.sum(axis=2)
    assert (per_model.max(axis=0) - per_model.min(axis=0)).max() <= 1
    assert [(fold.seed, fold.fold) for fold in folds] == [(seed, fold) for fold in range(n_folds)]


def test_folds_follow_the_seed(open_matrix: ScoreMatrix) -> None:
    one, again, other = (per_model_folds(open_matrix, 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one[0].cells, again[0].cells)
    assert not np.array_equal(one[0].cells, other[0].cells)
    assert sum(len(fold.cells) for fold in one) == open_matrix.n_cells


def test_one_fold_is_refused() -> None:
    with pytest.raises(UsageError, match="n_folds must be at least 2, got 1"):
        per_model_folds(small(), 1)


def write(path: Path, **changed: object) -> Path:
    content: dict[str, object] = {
        "models": ["m1", "m0"],
        "benchmarks": ["b2", "b1", "b0"],
        "folds": [{"seed": 42, "fold": 0, "test_cells": [[0, 0], [1, 2]]}],
    }
    path.write_text(json.dumps(content | changed))
    return path


def test_published_folds_are_mapped_by_id(tmp_path: Path) -> None:
    (split,) = load_folds(write(tmp_path / "folds.json"), small())
    # (m1, b2) and (m0, b0)
    assert (split.seed, split.fold, split.cells.tolist()) == (42, 0, [[0, 0], [1, 2]])
    reordered = small().subset(models=["m1", "m0"], benchmarks=["b1", "b2", "b0"])
    (split,) = load_folds(tmp_path / "folds.json", reordered)
    assert split.cells.tolist() == [[0, 1], [1, 2]]


def fold(cells: list[list[int]]) -> list[dict[str, object]]:
    return [{"seed": 42, "fold": 0, "test_cells": cells}]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"folds": fold([[0, 3]])}, "seed 42, fold 0: cell [0, 3] is outside the listed ids"),
        ({"folds": fold([[-1, 0]])}, "cell [-1, 0] is outside"),
        ({"folds": fold([[0, 1]])}, "(m1, b1) has no score to hold out"),
        ({"folds": fold([[0, 1, 2]])}, "not a folds file (ValueError"),
        ({"folds": [{"fold": 1}]}, "not a folds file (KeyError: 'seed')"),
        ({"folds": 3}, "not a folds file (TypeError"),
        ({"models": None}, "not a folds file (TypeError"),
    ],
)
def test_faults_of_a_folds_file(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        load_folds(write(tmp_path / "folds.json", **changed), small())
    assert message in str(caught.value)
    assert str(caught.value).startswith("folds.json")


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b""])
def test_files_that_are_no_json_object(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "folds.json"
    path.write_bytes(content)
    with pytest.raises(SchemaError, match=r"folds\.json: not "):
        load_folds(path, small())


def test_unknown_ids_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(UnknownIdError, match="unknown model 'x'"):
        load_folds(write(tmp_path / "folds.json", models=["x", "m0"]), small())
    with pytest.raises(SchemaError, match="cannot be read"):
        load_folds(tmp_path / "none.json", small())
    with pytest.raises(SchemaError, match="cannot be read"):
        load_folds(tmp_path, small())


def test_benchpress_folds_cover_every_cell_once_per_seed(benchpress_directory: Path) -> None:
    matrix = ScoreMatrix.from_directory(benchpress_directory)
    folds = load_folds(benchpress_directory / "folds_10x3.json", matrix)
    assert len(folds) == 30
    for seed in {split.seed for split in folds}:
        masks = [split.mask(matrix.shape) for split in folds if split.seed == seed]
        np.testing.assert_array_equal(np.sum(masks, axis=0), matrix.observed)
