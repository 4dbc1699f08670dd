"""Plots: each takes data and optional axes, and returns the axes; none shows or saves anything."""

from __future__ import annotations

from .answers import epig_bars, profile, shrinkage
from .checks import (
    calibration_curve,
    coverage_by_stratum,
    learning_curve,
    pit_histogram,
    rank_histogram,
    reliability,
    trace,
)
from .probes import policy_curves
from .structure import factor_biplot, variance_by_rank

__all__ = [
    "calibration_curve",
    "coverage_by_stratum",
    "epig_bars",
    "factor_biplot",
    "learning_curve",
    "pit_histogram",
    "policy_curves",
    "profile",
    "rank_histogram",
    "reliability",
    "shrinkage",
    "trace",
    "variance_by_rank",
]
