"""Evaluation of any method on held-out cells: protocols, runner, figures."""

from __future__ import annotations

from .figures import calibration, sharpness, short
from .methods.registry import available_methods, build_method
from .protocols.releases import BENCHPRESS_FAMILIES, Family, default_families, load_families
from .protocols.reveal import Policy
from .protocols.run import PROTOCOLS, EvaluationResult, evaluate
from .rows import comparison_rows, export_prompt, table_rows
from .runner import run_tasks
from .tasks import FinishedFold, FoldTask, training_matrix

__all__ = [
    "BENCHPRESS_FAMILIES",
    "PROTOCOLS",
    "EvaluationResult",
    "Family",
    "FinishedFold",
    "FoldTask",
    "Policy",
    "available_methods",
    "build_method",
    "calibration",
    "comparison_rows",
    "default_families",
    "evaluate",
    "export_prompt",
    "load_families",
    "run_tasks",
    "sharpness",
    "short",
    "table_rows",
    "training_matrix",
]
