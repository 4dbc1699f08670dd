"""Keeping a matrix: all faults of its files, differences, sizes, quarantine."""

from __future__ import annotations

from .additions import Addition, add_scores, planned_addition
from .contribution import Contribution, LeftOut, read_contribution
from .differences import Difference, differences, summed_up
from .faults import Checked, Finding, check_data
from .overview import overview
from .quarantine import Moved, put_aside, put_back, quarantined

__all__ = [
    "Addition",
    "Checked",
    "Contribution",
    "Difference",
    "Finding",
    "LeftOut",
    "Moved",
    "add_scores",
    "check_data",
    "differences",
    "overview",
    "planned_addition",
    "put_aside",
    "put_back",
    "quarantined",
    "read_contribution",
    "summed_up",
]
