"""Which benchmark to run next: information gain, its cost, batches, recommendations."""

from __future__ import annotations

from .budget import batch_worth, budget_batch
from .costs import BUNDLED_COSTS, Costs, read_allowlist
from .decision import Estimate, decision_information
from .gain import Targets, greedy, information, spread_reduction, target
from .moments import Moments, moments
from .recommend import Recommendation, Recommendations, alone, recommend
from .widths import all_width_reductions, expected_widths, width_reductions

__all__ = [
    "BUNDLED_COSTS",
    "Costs",
    "Estimate",
    "Moments",
    "Recommendation",
    "Recommendations",
    "Targets",
    "all_width_reductions",
    "alone",
    "batch_worth",
    "budget_batch",
    "decision_information",
    "expected_widths",
    "greedy",
    "information",
    "moments",
    "read_allowlist",
    "recommend",
    "spread_reduction",
    "target",
    "width_reductions",
]
