"""The low-rank model on folds: recalibration that is never its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.evaluation import CellPredictions, Folds, evaluate
from bayesbench.evaluation.methods.low_rank import CONFIGS, LowRank
from bayesbench.evaluation.methods.registry import LOW_RANK_METHODS
from bayesbench.evaluation.runner import run_tasks
from bayesbench.evaluation.tasks import FinishedFold, FoldTask
from bayesbench.fitting.crossfit import HeldOut
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.scores.splits import per_model_folds
from tests.evaluation.methods.conftest import Fake

SMALL: dict[str, Any] = {"rank": 1, "draws": 20, "warmup": 10, "thin": 1}
MIDDLE = int(np.argmin(np.abs(PREDICTIVE_LEVELS - 0.5)))


def small_folds(matrix: ScoreMatrix, seeds: tuple[int, ...]) -> list[FoldTask]:
    return Folds(splits=[s for n in seeds for s in per_model_folds(matrix, 3, n)], seed=0).tasks(
        matrix
    )


def test_every_low_rank_method_has_its_engine() -> None:
    assert set(CONFIGS) == set(LOW_RANK_METHODS)


def test_each_fold_is_recalibrated_by_the_others_of_its_seed(
    dated_matrix: ScoreMatrix, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[HeldOut] = []
    real = HeldOut.recalibration

    def recalibration(self: HeldOut) -> Any:
        used.append(self)
        return real(self)

    monkeypatch.setattr(HeldOut, "recalibration", recalibration)
    method, tasks = LowRank("low-rank"), small_folds(dated_matrix, (1, 2))
    folds = run_tasks(dated_matrix, method, tasks)
    assert len(fake.trained) == 6
    for number, fold in enumerate(folds):
        hidden = fold.task.hidden
        assert not fake.trained[number].observed[hidden].any()
        others = [t for t in tasks if t.seed == fold.task.seed and t.fold != fold.task.fold]
        assert used[number].truth.size == sum(len(task.cells) for task in others)
        quantiles = fold.predictions.quantiles
        assert quantiles is not None
        assert np.isfinite(quantiles).all()
        assert (np.diff(quantiles, axis=1) >= 0).all()
        np.testing.assert_allclose(quantiles[:, MIDDLE], fold.predictions.median)


def test_the_truth_of_a_fold_does_not_reach_its_own_predictions(
    dated_matrix: ScoreMatrix, fake: Fake
) -> None:
    method, tasks = LowRank("low-rank"), small_folds(dated_matrix, (1,))
    raw = [method.predict(dated_matrix.mask(t.hidden), t.cells, t.random_seed) for t in tasks]
    truth = [dated_matrix.values[t.cells[:, 0], t.cells[:, 1]] for t in tasks]

    def finalized(own: np.ndarray) -> CellPredictions:
        parts = zip(tasks, raw, [own, *truth[1:]], strict=True)
        folds = [FinishedFold(task, made, known, 0.0) for task, made, known in parts]
        return method.finalize(dated_matrix, folds)[0]

    one, other = finalized(truth[0]), finalized(np.clip(truth[0] + 20.0, 0.0, 100.0))
    np.testing.assert_array_equal(one.quantiles, other.quantiles)
    assert not np.array_equal(one.quantiles, raw[0].quantiles)


def test_a_fold_alone_is_recalibrated_inside_its_training_scores(
    dated_matrix: ScoreMatrix, fake: Fake
) -> None:
    task = small_folds(dated_matrix, (1,))[0]
    (fold,) = run_tasks(dated_matrix, LowRank("low-rank"), [task])
    assert len(fake.trained) == 4  # the fold, and three cross-fits inside it
    assert not any(train.observed[task.hidden].any() for train in fake.trained)
    assert fold.predictions.quantiles is not None
    assert np.isfinite(fold.predictions.quantiles).all()


@pytest.mark.slow
def test_folds_with_the_sampler_itself(dated_matrix: ScoreMatrix) -> None:
    folds = evaluate(dated_matrix, Folds(), "low-rank", options=SMALL)["low-rank"]
    assert folds.figures["n_cells"] == dated_matrix.n_cells
    assert np.isfinite(folds.figures["crps"])
    assert 0.7 < folds.figures["coverage90"] <= 1.0
