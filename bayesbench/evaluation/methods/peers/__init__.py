"""The peers: other ways to predict a missing score, all under one ``predict`` signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....errors import UnknownIdError, UsageError
from .als import BiasALS
from .base import CellPredictions, Predictor
from .external import ExternalPredictions
from .gaussian import GaussianConditioning
from .knn import ModelKNN
from .regression import BenchmarkRegression, Blend
from .simple import BenchmarkMean, ModelBenchmarkBias
from .soft_impute import SoftImpute

__all__ = [
    "BASELINES",
    "BenchmarkMean",
    "BenchmarkRegression",
    "BiasALS",
    "Blend",
    "CellPredictions",
    "ExternalPredictions",
    "GaussianConditioning",
    "ModelBenchmarkBias",
    "ModelKNN",
    "Predictor",
    "SoftImpute",
    "build_baseline",
]

BASELINES: dict[str, Callable[..., Predictor]] = {
    BenchmarkMean.name: BenchmarkMean,
    ModelBenchmarkBias.name: ModelBenchmarkBias,
    BiasALS.name: BiasALS,
    SoftImpute.name: SoftImpute,
    ModelKNN.name: ModelKNN,
    BenchmarkRegression.name: BenchmarkRegression,
    Blend.name: Blend,
    GaussianConditioning.name: GaussianConditioning,
    ExternalPredictions.name: ExternalPredictions,
}


def build_baseline(name: str, **options: Any) -> Predictor:
    """Build a peer by name; `options` are the fields of its class.

    Raises
    ------
    UnknownIdError
        If there is no such peer.
    UsageError
        If an option does not belong to it.
    """
    if name not in BASELINES:
        raise UnknownIdError("method", name, tuple(BASELINES))
    try:
        return BASELINES[name](**options)
    except TypeError as error:
        raise UsageError(f"method {name!r}: {error}") from None
