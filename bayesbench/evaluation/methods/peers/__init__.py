"""The peers: other ways to predict a missing score, all under one ``predict`` signature."""

from __future__ import annotations

from collections.abc import Mapping

from ...predictor import Predictor
from .als import BiasALS
from .external import ExternalPredictions
from .gaussian import GaussianConditioning
from .knn import ModelKNN
from .regression import BenchmarkRegression, Blend
from .simple import BenchmarkMean, ModelBenchmarkBias
from .soft_impute import SoftImpute

__all__ = ["PEERS"]

PEERS: Mapping[str, type[Predictor]] = {
    peer.name: peer
    for peer in (
        BenchmarkMean,
        ModelBenchmarkBias,
        BiasALS,
        SoftImpute,
        ModelKNN,
        BenchmarkRegression,
        Blend,
        GaussianConditioning,
        ExternalPredictions,
    )
}
"""By the name of ``--method``; the options of a peer are the fields of its class."""
