"""Raw predictions of the low-rank model, kept so that recalibration can come as a last step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...answers.predictive import PREDICTIVE_LEVELS, Predictive
from ...fitting.crossfit import HeldOut
from ...low_rank.link import Transform
from ...posterior.calibration import Recalibration
from ...scores.matrix import ScoreMatrix
from ..predictions import CellPredictions
from ..tasks import FinishedFold

__all__ = ["held_out", "raw_predictions", "recalibrated_fold"]

Floats = NDArray[np.float64]


def raw_predictions(
    made: Predictive, model_scores: Floats, benchmark_scores: Floats
) -> CellPredictions:
    """Predictions before recalibration; what that needs is in ``extras``.

    Parameters
    ----------
    made : Predictive
    model_scores, benchmark_scores : (n,) array
        Numbers of training scores of each cell's model and benchmark.
    """
    raw = HeldOut.of(made, np.full(made.column.size, np.nan), model_scores, benchmark_scores)
    extras: dict[str, Any] = {
        "quantiles": raw.quantiles,
        "features": raw.features,
        "center": made.transform.center,
        "spread": made.transform.spread,
    }
    return CellPredictions(median=made.median, quantiles=made.score_quantiles, extras=extras)


def _stored(matrix: ScoreMatrix, base: Transform, fold: FinishedFold) -> Predictive:
    extras, cells = fold.predictions.extras, fold.task.cells
    transform = replace(
        base,
        center=np.asarray(extras["center"], np.float64),
        spread=np.asarray(extras["spread"], np.float64),
    )
    return Predictive(
        tuple(matrix.model_ids[i] for i in cells[:, 0]),
        tuple(matrix.benchmark_ids[j] for j in cells[:, 1]),
        transform,
        PREDICTIVE_LEVELS,
        np.asarray(extras["quantiles"], np.float64),
        *np.full((2, len(cells)), np.nan),
    )


def held_out(matrix: ScoreMatrix, base: Transform, fold: FinishedFold) -> HeldOut:
    """What a finished fold teaches: its raw predictions with their truth.

    Parameters
    ----------
    matrix : ScoreMatrix
    base : Transform
        Of the whole matrix: of it only the links are used, which come from metadata.
    fold : FinishedFold
        With predictions from `raw_predictions`.
    """
    made = _stored(matrix, base, fold)
    truth = made.transform.to_latent(fold.truth, made.column)
    known = np.isfinite(made.quantiles).all(axis=1)
    features = np.asarray(fold.predictions.extras["features"], np.float64)
    part = np.zeros(int(known.sum()), dtype=np.int64)
    return HeldOut(made.quantiles[known], truth[known], features[known], part)


def recalibrated_fold(
    matrix: ScoreMatrix, base: Transform, fold: FinishedFold, recalibration: Recalibration | None
) -> CellPredictions:
    """Predictions of a fold with their levels put right; as they are without a recalibration."""
    if recalibration is None:
        return fold.predictions
    made = _stored(matrix, base, fold)
    features = np.asarray(fold.predictions.extras["features"], np.float64)
    quantiles = recalibration.apply(made.quantiles, PREDICTIVE_LEVELS, features)
    made = replace(made, quantiles=quantiles)
    return CellPredictions(median=made.median, quantiles=made.score_quantiles)
