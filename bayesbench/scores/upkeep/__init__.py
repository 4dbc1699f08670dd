"""Keeping a matrix: all faults of its files, differences, sizes, quarantine."""

from __future__ import annotations

from .differences import Difference, differences, summed_up
from .faults import Checked, Finding, check_data
from .overview import overview
from .quarantine import Moved, put_aside, put_back, quarantined

__all__ = [
    "Checked",
    "Difference",
    "Finding",
    "Moved",
    "check_data",
    "differences",
    "overview",
    "put_aside",
    "put_back",
    "quarantined",
    "summed_up",
]
