"""Which benchmark to run next: information gain, its cost, batches, recommendations."""

from __future__ import annotations

from .budget import batch_information, budget_batch
from .costs import Costs, read_allowlist
from .gain import Targets, bald, epig, greedy, information, joint_information, target
from .moments import Moments, gaussian_mi, moments
from .nested import NestedEstimate, nested_bald, nested_epig
from .recommend import Recommendation, recommend
from .widths import all_width_reductions, expected_width, width_reductions

__all__ = [
    "Costs",
    "Moments",
    "NestedEstimate",
    "Recommendation",
    "Targets",
    "all_width_reductions",
    "bald",
    "batch_information",
    "budget_batch",
    "epig",
    "expected_width",
    "gaussian_mi",
    "greedy",
    "information",
    "joint_information",
    "moments",
    "nested_bald",
    "nested_epig",
    "read_allowlist",
    "recommend",
    "target",
    "width_reductions",
]

Recommendations = tuple  # replaced by the merge
