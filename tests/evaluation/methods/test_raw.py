"""Raw predictions kept for later: what they teach, and what recalibration does to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.answers.predictive import PREDICTIVE_LEVELS, Predictive, predict_cells
from bayesbench.evaluation.methods.raw import held_out, raw_predictions, recalibrated_fold
from bayesbench.evaluation.tasks import FinishedFold, FoldTask
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores.matrix import ScoreMatrix
from tests.factories import make_posterior


@pytest.fixture
def made_fold(dated_matrix: ScoreMatrix) -> tuple[Predictive, FinishedFold]:
    """Predictions of all scores of m03, as a finished fold."""
    posterior = make_posterior(3, matrix=dated_matrix, spec=ModelSpec(rank=1), n_draws=60)
    hidden = np.zeros(dated_matrix.shape, dtype=np.bool_)
    hidden[3] = dated_matrix.observed[3]
    cells = np.argwhere(hidden)
    made = predict_cells(posterior, cells)
    counts = np.arange(len(cells), dtype=np.float64)
    raw = raw_predictions(made, counts + 1, counts + 2)
    task = FoldTask(seed=0, fold=0, cells=cells, hidden=hidden, random_seed=0)
    return made, FinishedFold(task, raw, dated_matrix.values[tuple(cells.T)], 0.0)


def test_raw_predictions_are_on_the_score_scale(
    made_fold: tuple[Predictive, FinishedFold],
) -> None:
    made, fold = made_fold
    np.testing.assert_array_equal(fold.predictions.median, made.median)
    np.testing.assert_array_equal(fold.predictions.quantiles, made.score_quantiles)


def test_a_fold_teaches_its_truth_on_the_scale_it_was_fitted_on(
    dated_matrix: ScoreMatrix, made_fold: tuple[Predictive, FinishedFold]
) -> None:
    made, fold = made_fold
    # the transform of the whole matrix has other centres than that of the fold
    base = Transform.from_matrix(dated_matrix)
    moved = replace(base, center=base.center + 3)
    for given in (base, moved):
        taught = held_out(dated_matrix, given, fold)
        # stored in single precision
        np.testing.assert_allclose(taught.quantiles, made.quantiles, rtol=1e-5, atol=1e-6)
        expected = made.transform.to_latent(fold.truth, made.column)
        np.testing.assert_allclose(taught.truth, expected, rtol=1e-5, atol=1e-5)


def test_cells_without_predictions_teach_nothing(
    dated_matrix: ScoreMatrix, made_fold: tuple[Predictive, FinishedFold]
) -> None:
    _, fold = made_fold
    fold.predictions.extras["quantiles"][1] = np.nan  # type: ignore[index]
    base = Transform.from_matrix(dated_matrix)
    taught = held_out(dated_matrix, base, fold)
    assert taught.truth.size == len(fold.task.cells) - 1 == len(taught.features)


class Wider:
    """A recalibration that doubles the distance from the median."""

    def apply(self, quantiles: np.ndarray, levels: np.ndarray, features: np.ndarray) -> np.ndarray:
        assert levels is PREDICTIVE_LEVELS and len(features) == len(quantiles)
        middle = quantiles[:, [PREDICTIVE_LEVELS.size // 2]]
        return np.asarray(middle + 2 * (quantiles - middle))


def test_recalibration_moves_the_ends_and_keeps_the_median(
    dated_matrix: ScoreMatrix, made_fold: tuple[Predictive, FinishedFold]
) -> None:
    made, fold = made_fold
    base = Transform.from_matrix(dated_matrix)
    assert recalibrated_fold(dated_matrix, base, fold, None) is fold.predictions
    final = recalibrated_fold(dated_matrix, base, fold, Wider())  # type: ignore[arg-type]
    np.testing.assert_allclose(final.median, made.median, rtol=1e-5)
    assert final.quantiles is not None and fold.predictions.quantiles is not None
    raw = np.asarray(made.quantiles, np.float64)
    middle = raw[:, [PREDICTIVE_LEVELS.size // 2]]
    expected = replace(made, quantiles=middle + 2 * (raw - middle)).score_quantiles
    np.testing.assert_allclose(final.quantiles, expected, rtol=1e-4, atol=1e-4)
    width = [one[:, -4] - one[:, 3] for one in (final.quantiles, fold.predictions.quantiles)]
    assert (width[0] > width[1]).all()
