"""Probe curves: a line a policy, a band where sets were drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench import plots
from bayesbench.errors import UsageError
from tests.plots.conftest import POLICIES


def test_policies_have_lines_and_random_sets_a_band() -> None:
    ax = plots.policy_curves(POLICIES)
    lines = {str(line.get_label()): line for line in ax.get_lines()}
    assert set(lines) == set(POLICIES)
    np.testing.assert_array_equal(lines["epig"].get_ydata(), [5.0, 4.0, 3.0])
    assert lines["greedy"].get_linestyle() == "--"
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (3.0, 6.0)


def test_unknown_policies_and_figures_are_named() -> None:
    with pytest.raises(UsageError, match="'best'"):
        plots.policy_curves(POLICIES, names=["best"])
    with pytest.raises(UsageError, match="'rmse'"):
        plots.policy_curves(POLICIES, metric="rmse")
