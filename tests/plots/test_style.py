"""Small parts that the plots share: axes, the band of honest shares, names pushed apart."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from scipy.stats import binom

from bayesbench.plots.style import axes_for, binomial_band, label


def test_binomial_band_holds_its_share() -> None:
    shares = np.random.default_rng(3).binomial(200, 0.3, size=4000) / 200
    lower, upper = binomial_band(200, 0.3, 0.9)
    inside = ((shares >= lower) & (shares <= upper)).mean()
    # discrete, so at least nominal, and at most one more value at either end
    assert 0.9 - 0.015 < inside < 0.96


def test_the_band_is_made_of_shares_and_narrows_with_the_cells() -> None:
    lower, upper = binomial_band([20, 2000], 0.5)
    assert upper[0] - lower[0] > 5 * (upper[1] - lower[1])
    for n, low, high in zip((20, 2000), lower, upper, strict=True):
        assert (n * low, n * high) == (binom.ppf(0.025, n, 0.5), binom.ppf(0.975, n, 0.5))
    wide, narrow = binomial_band(100, 0.5, 0.99), binomial_band(100, 0.5, 0.5)
    assert wide[0] < narrow[0] < 0.5 < narrow[1] < wide[1]


def test_given_axes_are_taken_and_new_ones_have_their_size() -> None:
    given = Figure().subplots()
    assert axes_for(given, 9.0, 9.0) is given
    assert plt.get_fignums() == []
    made = axes_for(None, 3.0, 2.0)
    assert tuple(made.figure.get_size_inches()) == (3.0, 2.0)
    assert [side for side in made.spines if made.spines[side].get_visible()] == ["left", "bottom"]


@pytest.mark.parametrize("turn", [0.0, 0.5])
def test_names_are_pushed_apart_no_further_than_needed(turn: float) -> None:
    ax = Figure(figsize=(5, 5), dpi=100).subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    points = [(0.1, 0.5), (0.2, 0.5), (0.3, 0.5), (0.9, 0.9)]
    label(ax, points, ["a", "b", "c", "far"], ["red", "red", "blue", "red"], turn=turn)
    place = {text.get_text(): text for text in ax.texts}
    heights = sorted(place[name].get_position()[1] for name in "abc")
    gap = 1.25 * 8 / 72 * 100 / ax.get_window_extent().height
    np.testing.assert_allclose(np.diff(heights), gap)
    assert np.mean(heights) == pytest.approx(0.5)  # the least squares move
    assert place["far"].get_position()[1] == pytest.approx(0.9)  # nothing is near
    right = {name for name, text in place.items() if text.get_ha() == "left"}
    assert right == ({"far"} if turn else {"a", "b", "c", "far"})
    assert place["c"].get_color() == "blue"
