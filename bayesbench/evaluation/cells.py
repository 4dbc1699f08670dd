"""From finished folds to one table of cells, its quantiles and the ranking counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..answers.predictive import PREDICTIVE_LEVELS
from ..scores.matrix import ScoreMatrix
from .metrics import RankingCounts, interval_from_quantiles, ranking_counts
from .predictions import BoolArray, CellPredictions, FloatArray, IntArray
from .tasks import FinishedFold, FoldTask

__all__ = ["CellTable", "cell_table", "ranking_of", "visible_scores"]

MARGINS = (0.0, 5.0)


@dataclass(frozen=True, eq=False)
class CellTable:
    """Held-out cells with predictions.

    Attributes
    ----------
    cells : pandas.DataFrame
        model_id, benchmark_id, seed, fold, truth, median, lower90, upper90 (NaN without
        intervals), n_train_model, n_train_benchmark, scale (of the benchmark), n_task (number of
        the task), and the tasks' tags. A cell is not predictable (median NaN) if its benchmark has
        no training score, the same for every method, or if the method gives nothing for it.
    quantiles : (n, L) float or None
        Score scale, on :data:`~bayesbench.answers.predictive.PREDICTIVE_LEVELS`; NaN where not
        predictable.
    """

    cells: pd.DataFrame
    quantiles: FloatArray | None

    @property
    def predictable(self) -> BoolArray:
        """Rows that have a prediction."""
        known: BoolArray = np.isfinite(self.cells["median"].to_numpy(dtype=np.float64))
        return known

    def select(self, rows: BoolArray) -> CellTable:
        """Some of the rows."""
        quantiles = None if self.quantiles is None else self.quantiles[rows]
        return CellTable(self.cells[rows].reset_index(drop=True), quantiles)

    def take(self, rows: IntArray) -> CellTable:
        """The rows at these positions."""
        quantiles = None if self.quantiles is None else self.quantiles[rows]
        return CellTable(self.cells.iloc[rows].reset_index(drop=True), quantiles)

    def with_quantiles(self) -> pd.DataFrame:
        """The cells with one column per quantile (``q0.05``), as written to parquet."""
        cells = self.cells.drop(columns="n_task")
        if self.quantiles is None:
            return cells
        names = [f"q{level:g}" for level in PREDICTIVE_LEVELS]
        table = pd.DataFrame(self.quantiles.astype(np.float32), columns=names, index=cells.index)
        return pd.concat([cells, table], axis=1)


def _training_mask(matrix: ScoreMatrix, task: FoldTask) -> BoolArray:
    seen = np.ones(matrix.shape[0], dtype=np.bool_)
    if task.rows is not None:
        seen[:] = False
        seen[task.rows] = True
    shown: BoolArray = matrix.observed & ~task.hidden & seen[:, None]
    return shown


def cell_table(matrix: ScoreMatrix, folds: Sequence[FinishedFold]) -> CellTable:
    """Put the folds into one table."""
    frames, quantiles = [], []
    models = np.asarray(matrix.model_ids, dtype=object)
    benchmarks = np.asarray(matrix.benchmark_ids, dtype=object)
    scales = matrix.benchmarks["scale"].astype(str).to_numpy(dtype=object)
    with_quantiles = any(fold.predictions.quantiles is not None for fold in folds)
    for number, fold in enumerate(folds):
        task, row, column = fold.task, fold.task.cells[:, 0], fold.task.cells[:, 1]
        shown = _training_mask(matrix, task)
        per_benchmark = shown.sum(axis=0)[column]
        missing = ~np.isfinite(fold.predictions.median) | (per_benchmark == 0)
        lower, upper = _interval(fold.predictions, missing)
        frames.append(
            pd.DataFrame(
                {
                    "model_id": models[row],
                    "benchmark_id": benchmarks[column],
                    "seed": task.seed,
                    "fold": task.fold,
                    "truth": fold.truth,
                    "median": np.where(missing, np.nan, fold.predictions.median),
                    "lower90": lower,
                    "upper90": upper,
                    "n_train_model": shown.sum(axis=1)[row],
                    "n_train_benchmark": per_benchmark,
                    "scale": scales[column],
                    "n_task": number,
                    **task.tags,
                }
            )
        )
        if with_quantiles:
            given = fold.predictions.quantiles
            grid = np.full((row.size, PREDICTIVE_LEVELS.size), np.nan)
            if given is not None:
                grid[~missing] = given[~missing]
            quantiles.append(grid)
    table = pd.concat(frames, ignore_index=True)
    return CellTable(table, np.concatenate(quantiles) if with_quantiles else None)


def _interval(predictions: CellPredictions, missing: BoolArray) -> tuple[FloatArray, FloatArray]:
    lower, upper = (np.full(missing.shape, np.nan) for _ in range(2))
    known = ~missing
    if predictions.quantiles is not None:
        lower[known], upper[known] = interval_from_quantiles(
            PREDICTIVE_LEVELS, predictions.quantiles[known]
        )
    elif predictions.lower is not None and predictions.upper is not None:
        lower[known], upper[known] = predictions.lower[known], predictions.upper[known]
    return lower, upper


def visible_scores(
    matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
) -> Iterator[tuple[FloatArray, FloatArray, BoolArray]]:
    """What each task present in `table` shows and predicts, as (M, B) arrays.

    Yields
    ------
    scores : true scores of the cells that the task shows or holds out; NaN elsewhere
    predicted : predictions of the cells of `table`; NaN elsewhere
    held_out : the cells that the task holds out
    """
    numbers = table.cells["n_task"].to_numpy()
    medians = table.cells["median"].to_numpy(dtype=np.float64)
    for number in np.unique(numbers):
        task = folds[int(number)].task
        predicted = np.full(matrix.shape, np.nan)
        predicted[task.cells[:, 0], task.cells[:, 1]] = medians[numbers == number]
        held_out = np.zeros(matrix.shape, dtype=np.bool_)
        held_out[task.cells[:, 0], task.cells[:, 1]] = True
        visible = _training_mask(matrix, task) | held_out
        yield np.where(visible, matrix.values, np.nan), predicted, held_out


def ranking_of(
    matrix: ScoreMatrix, folds: Sequence[FinishedFold], table: CellTable
) -> Mapping[float, RankingCounts]:
    """Ranking counts per margin, pooled over the tasks present in `table`.

    A pair may join a held-out cell with any other cell of the benchmark that the task shows or
    holds out.
    """
    counts = {margin: RankingCounts(0.0, 0.0) for margin in MARGINS}
    for scores, predicted, held_out in visible_scores(matrix, folds, table):
        for margin in MARGINS:
            counts[margin] += ranking_counts(scores, predicted, held_out, margin)
    return counts
