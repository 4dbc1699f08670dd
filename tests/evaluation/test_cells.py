"""From finished folds to one table of cells, and ranking counts."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.evaluation.cells import CellTable, cell_table, ranking_of
from bayesbench.evaluation.metrics import ranking_counts
from bayesbench.evaluation.predictions import CellPredictions
from bayesbench.evaluation.tasks import FinishedFold, FoldTask
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal


def finished(
    matrix: ScoreMatrix, rows: list[int] | None, hidden_rows: list[int], **tags: int | str
) -> FinishedFold:
    """Predict all scores of some models by the means of the others that are seen."""
    hidden = np.zeros(matrix.shape, dtype=np.bool_)
    hidden[hidden_rows] = matrix.observed[hidden_rows]
    cells = np.argwhere(hidden)
    task = FoldTask(
        seed=3, fold=1, cells=cells, hidden=hidden, random_seed=0,
        rows=None if rows is None else np.array(rows), tags=tags,
    )  # fmt: skip
    seen = hidden.copy()
    if rows is not None:
        seen[np.setdiff1d(np.arange(matrix.shape[0]), rows)] = True
    made = Normal().predict(matrix.mask(seen & matrix.observed), cells, 0)
    return FinishedFold(task, made, matrix.values[tuple(cells.T)], 0.5)


def test_training_scores_are_counted_as_the_method_saw_them(dated_matrix: ScoreMatrix) -> None:
    fold = finished(dated_matrix, [0, 1, 2, 3, 4, 10], [10], k=2)
    cells = cell_table(dated_matrix, [fold]).cells
    assert set(cells["model_id"]) == {"m10"} and set(cells["k"]) == {2}
    assert (cells["seed"] == 3).all() and (cells["fold"] == 1).all()
    assert (cells["n_train_model"] == 0).all()
    columns = fold.task.cells[:, 1]
    expected = dated_matrix.observed[:5].sum(axis=0)[columns]
    np.testing.assert_array_equal(cells["n_train_benchmark"], expected)
    np.testing.assert_array_equal(cells["truth"], dated_matrix.values[10, columns])


def test_a_benchmark_nobody_showed_is_not_predictable(dated_matrix: ScoreMatrix) -> None:
    hidden = np.zeros(dated_matrix.shape, dtype=bool)
    hidden[:15, 2] = True
    matrix = dated_matrix.mask(hidden & dated_matrix.observed)
    row = int(np.flatnonzero(matrix.observed[:, 2])[0])
    fold = finished(matrix, [*range(15), row], [row])
    # a method that answers all the same is not taken at its word
    made = CellPredictions(np.full(len(fold.task.cells), 5.0))
    table = cell_table(matrix, [FinishedFold(fold.task, made, fold.truth, 0.0)])
    unseen = (table.cells["benchmark_id"] == "b2").to_numpy()
    assert unseen.sum() == 1
    np.testing.assert_array_equal(table.predictable, ~unseen)


def test_intervals_come_from_quantiles_or_from_bounds(dated_matrix: ScoreMatrix) -> None:
    fold = finished(dated_matrix, None, [4])
    given = fold.predictions.quantiles
    assert given is not None
    table = cell_table(dated_matrix, [fold])
    at = int(np.argmin(np.abs(PREDICTIVE_LEVELS - 0.05)))
    np.testing.assert_allclose(table.cells["lower90"], given[:, at])
    n = len(fold.task.cells)
    bounds = CellPredictions(np.zeros(n), lower=np.full(n, -2.0), upper=np.full(n, 3.0))
    other = cell_table(dated_matrix, [FinishedFold(fold.task, bounds, fold.truth, 0.0)])
    assert set(other.cells["lower90"]) == {-2.0} and set(other.cells["upper90"]) == {3.0}
    assert other.quantiles is None


def test_rows_keep_their_quantiles(dated_matrix: ScoreMatrix) -> None:
    table = cell_table(dated_matrix, [finished(dated_matrix, None, [row]) for row in (4, 5)])
    assert table.quantiles is not None
    chosen = np.array([7, 2])
    taken = table.take(chosen)
    assert list(taken.cells["truth"]) == list(table.cells["truth"].iloc[chosen])
    assert taken.quantiles is not None
    np.testing.assert_array_equal(taken.quantiles, table.quantiles[chosen])
    second = (table.cells["model_id"] == "m05").to_numpy()
    selected = table.select(second)
    assert selected.quantiles is not None
    np.testing.assert_array_equal(selected.quantiles, table.quantiles[second])
    written = table.with_quantiles()
    assert "n_task" not in written
    np.testing.assert_allclose(written["q0.5"], table.cells["median"], rtol=1e-6)


def test_ranking_pairs_only_what_the_task_shows_or_holds_out(dated_matrix: ScoreMatrix) -> None:
    seen = [0, 1, 2, 3, 4, 10, 11]
    fold = finished(dated_matrix, seen, [10, 11])
    counts = ranking_of(dated_matrix, [fold], cell_table(dated_matrix, [fold]))
    predicted = np.full(dated_matrix.shape, np.nan)
    predicted[tuple(fold.task.cells.T)] = fold.predictions.median
    held_out = fold.task.hidden
    expected = ranking_counts(
        dated_matrix.values[seen], predicted[seen], held_out[seen], margin=5.0
    )
    assert (counts[5.0].correct, counts[5.0].total) == (expected.correct, expected.total)
    whole = ranking_counts(dated_matrix.values, predicted, held_out, margin=5.0)
    assert whole.total > expected.total


def test_an_empty_table_has_no_pairs(dated_matrix: ScoreMatrix) -> None:
    fold = finished(dated_matrix, None, [4])
    table = cell_table(dated_matrix, [fold])
    none: CellTable = table.select(np.zeros(len(table.cells), dtype=np.bool_))
    assert ranking_of(dated_matrix, [fold], none)[0.0].total == pytest.approx(0.0)
