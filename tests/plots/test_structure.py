"""Plots of structure: factors with the clear names, shares of variance by rank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench import plots
from bayesbench.errors import UsageError
from bayesbench.structure import AlignedFactors, factor_ends
from tests.plots.conftest import SHARES, STRUCTURE


def test_biplot_names_the_clear_ends(aligned: AlignedFactors) -> None:
    ax = plots.factor_biplot(aligned, n_benchmarks=2, n_models=1)
    ends = factor_ends(aligned, n=2)
    texts = {text.get_text() for text in ax.texts}
    assert set(ends.loc[ends["clear"], "benchmark_id"]) <= texts
    assert texts - set(aligned.benchmark_ids) <= set(aligned.model_ids)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), aligned.factors.mean(axis=0))
    with pytest.raises(UsageError, match="two different"):
        plots.factor_biplot(aligned, (1, 3))


def test_names_do_not_cover_one_another(aligned: AlignedFactors) -> None:
    ax = plots.factor_biplot(aligned, n_benchmarks=4, n_models=3)
    ax.figure.canvas.draw()
    for side in ("left", "right"):
        heights = sorted(t.get_position()[1] for t in ax.texts if t.get_ha() == side)
        points = np.diff(heights) * ax.get_window_extent().height / ax.figure.dpi * 72
        assert (points > 8).all()


def test_shares_by_rank_with_their_intervals_and_chance() -> None:
    ax = plots.variance_by_rank(STRUCTURE)
    share, chance = ax.lines[:2]
    assert share.get_label() == "20 models x 8 benchmarks"
    np.testing.assert_array_equal(share.get_xdata(), [1, 2])
    np.testing.assert_array_equal(share.get_ydata(), [one.share for one in SHARES])
    np.testing.assert_array_equal(chance.get_ydata(), [one.chance for one in SHARES])
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.6, 0.93)
    assert len(plots.variance_by_rank(STRUCTURE, most=1).lines[0].get_xdata()) == 1


def test_every_submatrix_has_a_colour_of_its_own() -> None:
    twice = replace(STRUCTURE, submatrices=STRUCTURE.submatrices * 2)
    ax = plots.variance_by_rank(twice)
    assert ax.lines[0].get_color() == ax.lines[1].get_color() != ax.lines[2].get_color()
