"""Structure of the scores (protocol P6): shares of variance by rank, and factors that have names.

Two views. Of the scores alone: complete (models x benchmarks) submatrices and their singular
values. Of a posterior: its factor draws, turned onto one another so that a factor means the same
in every draw.
"""

from __future__ import annotations

from .factors import AlignedFactors, align_factors, aligned_factors, factor_ends, varimax
from .shares import (
    Submatrix,
    complete_submatrices,
    cumulative_shares,
    evaluate_structure,
    rank_sweep,
    submatrix_shares,
)

__all__ = [
    "AlignedFactors",
    "Submatrix",
    "align_factors",
    "aligned_factors",
    "complete_submatrices",
    "cumulative_shares",
    "evaluate_structure",
    "factor_ends",
    "rank_sweep",
    "submatrix_shares",
    "varimax",
]
