"""Scores: the labelled (models x benchmarks) matrix, its schema, loaders and held-out splits."""

from __future__ import annotations

from .datasets import open_scores, read_scores
from .matrix import ScoreMatrix
from .schema import validate_directory
from .splits import Split, load_folds, per_model_folds

__all__ = [
    "ScoreMatrix",
    "Split",
    "load_folds",
    "open_scores",
    "per_model_folds",
    "read_scores",
    "validate_directory",
]
