"""Scores: the labelled (models x benchmarks) matrix, its schema, loaders and held-out splits."""

from __future__ import annotations

from .datasets import open_scores, read_scores
from .doubts import column_doubts
from .identity import same_models
from .matrix import ScoreMatrix
from .schema import validate_directory
from .splits import Split, load_folds, per_model_folds

__all__ = [
    "ScoreMatrix",
    "Split",
    "column_doubts",
    "load_folds",
    "open_scores",
    "per_model_folds",
    "read_scores",
    "same_models",
    "validate_directory",
]
