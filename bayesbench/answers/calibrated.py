"""Calibrated predictions: the recalibration a posterior carries, applied to what it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..posterior.calibration import TOLD, calibration_features
from ..posterior.stored import StoredPosterior
from .predictive import Predictive

__all__ = ["predictive_features", "recalibrated"]

Floats = NDArray[np.float64]


def predictive_features(
    predictive: Predictive, model_scores: Floats, benchmark_scores: Floats
) -> Floats:
    """`calibration_features` of a predictive distribution, (n, F)."""
    transform, column = predictive.transform, predictive.column
    at = int(np.argmin(np.abs(predictive.levels - 0.5)))
    middle = predictive.quantiles[:, at]
    link = transform.center[column] + transform.sign[column] * transform.spread[column] * middle
    bounded = np.asarray([transform.link[j] == "logit" for j in column], dtype=np.bool_)
    return calibration_features(
        predictive.quantiles,
        predictive.levels,
        link,
        bounded,
        model_scores,
        benchmark_scores,
        predictive.eta_sd,
        np.ones((column.size, len(TOLD))) if predictive.told is None else predictive.told,
    )


def recalibrated(
    posterior: StoredPosterior,
    predictive: Predictive,
    *,
    new: bool,
    known: Mapping[str, int] | None = None,
) -> Predictive:
    """Predictions with the levels the posterior was found to keep on held-out cells.

    Parameters
    ----------
    posterior : StoredPosterior
        Without a stored recalibration the predictions come back as they are.
    predictive : Predictive
        Of fitted models, or of one conditioned new model.
    new : bool
        Whether the model is new to the posterior: errors of new models have a recalibration of
        their own, learned by leaving whole models out.
    known : mapping of model id to int, optional
        Numbers of scores known of the models; needed where `predictive` leaves out cells of a
        conditioned model that have one.
    """
    if posterior.calibration is None:
        return predictive
    recalibration = posterior.calibration.of(new=new)
    if recalibration is None:
        return predictive
    counts = dict.fromkeys(predictive.model_ids, 0)
    for model_id, score in zip(predictive.model_ids, predictive.observed, strict=True):
        counts[model_id] += int(np.isfinite(score))
    if not new:
        totals = posterior.matrix.observed.sum(axis=1)
        for model_id in counts:
            row = posterior.matrix.model_index(model_id)
            counts[model_id] = max(counts[model_id], int(totals[row]))
    counts |= known or {}
    per_model = np.asarray([counts[model_id] for model_id in predictive.model_ids], np.float64)
    per_benchmark = posterior.matrix.observed.sum(axis=0)[predictive.column].astype(np.float64)
    features = predictive_features(predictive, per_model, per_benchmark)
    quantiles = recalibration.apply(predictive.quantiles, predictive.levels, features)
    return replace(predictive, quantiles=quantiles)
