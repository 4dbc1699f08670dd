"""Plots of checks: what is drawn is recomputed from the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesbench import plots
from bayesbench.errors import UsageError
from bayesbench.evaluation.metrics import coverage
from bayesbench.plots.style import binomial_band
from tests.plots.conftest import PIT


def test_calibration_curve_is_the_coverage_of_central_intervals() -> None:
    ax = plots.calibration_curve(PIT)
    nominal, found = ax.lines[1].get_data()
    for p in (0.5, 0.9):
        share = coverage(PIT, np.full(500, 0.5 - p / 2), np.full(500, 0.5 + p / 2))
        assert np.interp(p, nominal, found) == pytest.approx(share, abs=1e-9)
    with pytest.raises(UsageError, match="0-1"):
        plots.calibration_curve([0.5, 1.2])


def test_pit_histogram_has_mean_one_and_shows_overconfidence() -> None:
    heights = [bar.get_height() for bar in plots.pit_histogram(PIT, bins=10).patches[:10]]
    assert np.mean(heights) == pytest.approx(1.0)
    sure = np.random.default_rng(4).beta(0.3, 0.3, 500)
    heights = [bar.get_height() for bar in plots.pit_histogram(sure, bins=10).patches[:10]]
    upper = float(binomial_band(500, 0.1)[1]) * 10
    assert heights[0] > upper and heights[-1] > upper and heights[5] < 1


def test_reliability_points() -> None:
    ax = plots.reliability([0.2, 0.2, 0.9, 0.9], [0, 1, 1, 1], bins=10)
    np.testing.assert_allclose(ax.collections[1].get_offsets(), [[0.2, 0.5], [0.9, 1.0]])
    with pytest.raises(UsageError, match="at least one"):
        plots.reliability([], [])


def test_coverage_by_stratum_marks_what_lies_outside(rows: list[dict[str, Any]]) -> None:
    ax = plots.coverage_by_stratum(rows)
    inside, outside = (np.asarray(ax.lines[i].get_xdata()) for i in (1, 2))
    assert inside.size + outside.size == len(rows) == len(ax.get_yticklabels())
    assert (np.abs(inside - 0.9) <= 0.03).all() and (np.abs(outside - 0.9) > 0.03).all()
    with pytest.raises(UsageError, match="no intervals"):
        plots.coverage_by_stratum([{**rows[0], "coverage90": None}])


def test_learning_curve_is_the_pooled_median_inside_its_band(curve_cells: pd.DataFrame) -> None:
    ax = plots.learning_curve(curve_cells, n_boot=100)
    ks, errors = ax.lines[0].get_data()
    assert list(ks) == [1, 2, 5]
    error = (curve_cells["median"] - curve_cells["truth"]).abs()
    np.testing.assert_allclose(errors, error.groupby(curve_cells["k"]).median())
    low, high = ax.collections[0].get_paths()[0].get_extents().intervaly
    assert low < min(errors) and high > max(errors)
    ax = plots.learning_curve(curve_cells, metric="medape", n_boot=5)
    relative = 100 * (error / curve_cells["truth"]).groupby(curve_cells["k"]).median()
    np.testing.assert_allclose(ax.lines[0].get_ydata(), relative)
    with pytest.raises(UsageError, match="medae"):
        plots.learning_curve(curve_cells, metric="rmse")


def test_rank_histogram_tells_a_stuck_chain() -> None:
    draws = np.random.default_rng(5).normal(size=(2, 400))
    draws[1] += 2.0
    heights = [bar.get_height() for bar in plots.rank_histogram(draws, chain=1, bins=10).patches]
    assert heights[0] < 0.3 and heights[9] > 1.5
    with pytest.raises(UsageError, match="chain, draw"):
        plots.rank_histogram(draws[0])


def test_a_trace_has_a_line_a_chain() -> None:
    draws = np.random.default_rng(6).normal(size=(3, 50))
    ax = plots.trace(draws, name="noise")
    assert [line.get_label() for line in ax.lines] == ["chain 0", "chain 1", "chain 2"]
    for line, chain in zip(ax.lines, draws, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), chain)
    assert len({line.get_color() for line in ax.lines}) == 3
    assert ax.get_ylabel() == "noise"
    with pytest.raises(UsageError, match="chain, draw"):
        plots.trace(draws[0])
