"""Evaluation of any method on held-out cells: protocols, methods, figures."""

from __future__ import annotations

from .figures import calibration, sharpness, short
from .methods.conformal import CONFORMAL, Conformal
from .methods.registry import available_methods, build_method
from .policies import Policy
from .predictions import CellPredictions
from .predictor import Predictor
from .prompt import export_prompt
from .protocols import (
    PROTOCOLS,
    AsShipped,
    Curve,
    EvaluationProtocol,
    Folds,
    NewBenchmark,
    NewRelease,
    Probes,
    SmallTables,
)
from .protocols.releases import Family, load_families
from .results import Evaluation, EvaluationResult
from .rows import table_rows
from .run import evaluate

__all__ = [
    "CONFORMAL",
    "PROTOCOLS",
    "AsShipped",
    "CellPredictions",
    "Conformal",
    "Curve",
    "Evaluation",
    "EvaluationProtocol",
    "EvaluationResult",
    "Family",
    "Folds",
    "NewBenchmark",
    "NewRelease",
    "Policy",
    "Predictor",
    "Probes",
    "SmallTables",
    "available_methods",
    "build_method",
    "calibration",
    "evaluate",
    "export_prompt",
    "load_families",
    "sharpness",
    "short",
    "table_rows",
]
