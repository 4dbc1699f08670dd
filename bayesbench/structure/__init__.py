"""Structure of the scores (protocol P6): shares of variance by rank, and factors that have names.

Two views. Of the scores alone: complete (models x benchmarks) submatrices and their singular
values. Of a posterior: its factor draws, turned onto one another so that a factor means the same
in every draw.
"""

from __future__ import annotations

from .analysis import CompletePart, Structure, analyse
from .by_rank import rank_sweep
from .factors import AlignedFactors, aligned_factors, factor_ends

__all__ = [
    "AlignedFactors",
    "CompletePart",
    "Structure",
    "aligned_factors",
    "analyse",
    "factor_ends",
    "rank_sweep",
]
