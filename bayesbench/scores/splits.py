"""Held-out splits of the observed cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SchemaError, UsageError
from .matrix import ScoreMatrix

__all__ = ["Split", "load_folds", "per_model_folds"]


@dataclass(frozen=True, eq=False)
class Split:
    """One held-out set of observed cells.

    Attributes
    ----------
    seed : int
        Seed of the partition it belongs to.
    fold : int
        Number of the fold in its partition, from 0.
    cells : numpy.ndarray of int, shape (n, 2)
        (model, benchmark) positions of the held-out cells, sorted.
    """

    seed: int
    fold: int
    cells: np.ndarray

    def mask(self, shape: tuple[int, int]) -> np.ndarray:
        """Held-out cells as a boolean (M, B) array, as `ScoreMatrix.mask` takes it."""
        held_out = np.zeros(shape, dtype=bool)
        held_out[self.cells[:, 0], self.cells[:, 1]] = True
        return held_out


def per_model_folds(matrix: ScoreMatrix, n_folds: int = 3, seed: int = 42) -> tuple[Split, ...]:
    """Partition the observed cells into folds, model by model.

    The cells of each model are shuffled and dealt out in turn, starting at a random fold, so that
    every fold holds the same number of scores of each model, give or take one.

    Parameters
    ----------
    matrix : ScoreMatrix
    n_folds : int
        At least 2.
    seed : int
        Seed of the shuffle; the split depends on it and on the order of rows and columns.

    Returns
    -------
    tuple of Split
        Disjoint; together all observed cells.

    Raises
    ------
    UsageError
        If ``n_folds`` is below 2.
    """
    if n_folds < 2:
        raise UsageError(f"n_folds must be at least 2, got {n_folds}")
    rng = np.random.default_rng(seed)
    fold_of = np.full(matrix.shape, -1)
    for row, observed in enumerate(matrix.observed):
        columns = rng.permutation(np.flatnonzero(observed))
        fold_of[row, columns] = (np.arange(len(columns)) + rng.integers(n_folds)) % n_folds
    return tuple(Split(seed, fold, np.argwhere(fold_of == fold)) for fold in range(n_folds))


def load_folds(path: str | Path, matrix: ScoreMatrix) -> list[Split]:
    """Load published folds and put them on the rows and columns of a matrix, by id.

    Parameters
    ----------
    path : str or Path
        JSON file ``{"models": [id], "benchmarks": [id], "folds": [{"seed": int, "fold": int,
        "test_cells": [[i, j]]}]}`` with cells as positions in the two lists.
    matrix : ScoreMatrix

    Returns
    -------
    list of Split

    Raises
    ------
    SchemaError
        If the file is not such JSON, a position is out of range, or a cell has no score.
    UnknownIdError
        If a held-out model or benchmark is not in the matrix.
    """
    path = Path(path)
    content = _read_json(path)
    try:
        models = [str(value) for value in content["models"]]
        benchmarks = [str(value) for value in content["benchmarks"]]
        return [_fold(path, entry, models, benchmarks, matrix) for entry in content["folds"]]
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaError(
            f"{path.name}: not a folds file ({type(error).__name__}: {error}); it needs models, "
            "benchmarks and folds with seed, fold and test_cells"
        ) from None


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SchemaError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except ValueError as error:
        raise SchemaError(f"{path.name}: not JSON ({error}); check the file") from None
    if not isinstance(content, dict):
        raise SchemaError(f"{path.name}: not a folds file; it must hold a JSON object")
    return content


def _fold(
    path: Path,
    entry: Mapping[str, Any],
    models: list[str],
    benchmarks: list[str],
    matrix: ScoreMatrix,
) -> Split:
    seed, fold = int(entry["seed"]), int(entry["fold"])
    cells = np.array(entry["test_cells"], dtype=np.intp).reshape(-1, 2)
    where = f"{path.name}, seed {seed}, fold {fold}"
    outside = (cells < 0) | (cells >= [len(models), len(benchmarks)])
    if outside.any():
        first = cells[outside.any(axis=1)][0].tolist()
        raise SchemaError(f"{where}: cell {first} is outside the listed ids; correct it")
    rows, columns = np.full(len(models), -1), np.full(len(benchmarks), -1)
    for position in np.unique(cells[:, 0]):
        rows[position] = matrix.model_index(models[position])
    for position in np.unique(cells[:, 1]):
        columns[position] = matrix.benchmark_index(benchmarks[position])
    mapped = np.stack([rows[cells[:, 0]], columns[cells[:, 1]]], axis=1)
    unscored = ~matrix.observed[mapped[:, 0], mapped[:, 1]]
    if unscored.any():
        model, benchmark = mapped[unscored][0]
        raise SchemaError(
            f"{where}: ({matrix.model_ids[model]}, {matrix.benchmark_ids[benchmark]}) has no score "
            "to hold out; use the folds with the matrix they were made for"
        )
    order = np.lexsort((mapped[:, 1], mapped[:, 0]))
    return Split(seed, fold, mapped[order])
