"""The peers: other ways to predict a missing score, all under one ``predict`` signature."""

from __future__ import annotations

from collections.abc import Mapping

from ...predictor import Predictor
from .als import BiasALS, Offsets
from .bpmf import Smurff
from .external import ExternalPredictions
from .gaussian import GaussianConditioning
from .knn import ModelKNN
from .observational import ObservationalScaling
from .one_factor import OneFactor
from .regression import BenchmarkRegression, Blend
from .simple import BenchmarkMean, ModelBenchmarkBias, ModelMean
from .soft_impute import SoftImpute

__all__ = ["PEERS"]

PEERS: Mapping[str, type[Predictor]] = {
    peer.name: peer
    for peer in (
        BenchmarkMean,
        ModelMean,
        ModelBenchmarkBias,
        Offsets,
        BiasALS,
        SoftImpute,
        ModelKNN,
        BenchmarkRegression,
        Blend,
        GaussianConditioning,
        OneFactor,
        ObservationalScaling,
        Smurff,
        ExternalPredictions,
    )
}
"""By the name of ``--method``; the options of a peer are the fields of its class."""
