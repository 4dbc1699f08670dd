"""Clustered intervals against closed forms by hand, and their own coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bayesbench.errors import UsageError
from bayesbench.evaluation.clusters import mean_interval, median_interval, share_interval

ABC = np.array(["a", "a", "b", "b", "c", "c"])


def wilson(share: float, size: float, t: float) -> tuple[float, float]:
    """Wilson's interval as the two roots of (p - x)^2 = t^2 x (1 - x) / n."""
    roots = np.roots([1 + t**2 / size, -(2 * share + t**2 / size), share**2])
    return float(roots.min()), float(roots.max())


def test_a_share_by_hand() -> None:
    # p = 1/2; cluster sums of y - p are 1, 0, -1: v = 3/2 * 2 / 36 = 1/12, n* = (1/4) / (1/12) = 3
    t = stats.t.ppf(0.975, 2)
    assert share_interval([1, 1, 1, 0, 0, 0], ABC) == pytest.approx(wilson(0.5, 3.0, t))
    # unequal clusters: p = 3/5; sums 2 - 1.2, 0 - 0.6, 1 - 1.2 of sizes 2, 1, 2
    clusters = np.array([5, 5, 7, 9, 9])
    v = 1.5 * (0.8**2 + 0.6**2 + 0.2**2) / 25
    assert share_interval([1, 1, 0, 1, 0], clusters) == pytest.approx(wilson(0.6, 0.24 / v, t))
    t90 = stats.t.ppf(0.95, 2)
    assert share_interval([1, 1, 0, 1, 0], clusters, 0.9) == pytest.approx(
        wilson(0.6, 0.24 / v, t90)
    )


def test_more_cells_of_the_same_clusters_tell_nothing_new() -> None:
    hits = np.array([1, 0, 1, 1, 0, 1])
    once = share_interval(hits, np.arange(6))
    assert share_interval(np.repeat(hits, 50), np.repeat(np.arange(6), 50)) == pytest.approx(once)
    apart = share_interval(np.repeat(hits, 50), np.arange(300))
    assert apart[1] - apart[0] < 0.4 * (once[1] - once[0])


def test_clusters_that_balance_are_worth_no_more_than_their_cells() -> None:
    # sums of y - p are 0.2, -0.2, 0, ...: clusters far more alike than chance would have them
    hits = np.concatenate([np.tile([1, 1, 1, 0, 0], 9), [1, 1, 0, 0, 0]])
    clusters = np.repeat(np.arange(10), 5)
    t = stats.t.ppf(0.975, 9)
    expected = wilson(float(hits.mean()), 50.0, t)
    assert share_interval(hits, clusters) == pytest.approx(expected)


def test_where_all_agree_a_cluster_is_one_cell() -> None:
    t = stats.t.ppf(0.975, 3)
    low, high = share_interval(np.ones(40), np.repeat(np.arange(4), 10))
    assert low == pytest.approx(1 / (1 + t**2 / 4)) and high == pytest.approx(1.0)


def test_one_cluster_or_none_has_no_interval() -> None:
    for interval in (share_interval, mean_interval, median_interval):
        assert all(map(math.isnan, interval([1.0, 0.0], np.array(["a", "a"]))))
        assert all(map(math.isnan, interval([], np.array([]))))
        with pytest.raises(UsageError, match="give one for each"):
            interval([1.0, 0.0], np.array(["a"]))


def test_a_mean_by_hand() -> None:
    # sums of y - 4 are -4 and 4: v = 2 * 32 / 16 = 4
    half = 2 * stats.t.ppf(0.975, 1)
    found = mean_interval([1.0, 3.0, 5.0, 7.0], np.array([0, 0, 1, 1]))
    assert found == pytest.approx((4 - half, 4 + half))


def test_a_median_moves_with_whole_clusters() -> None:
    values = np.concatenate([np.zeros(10), np.full(10, 8.0)])
    assert median_interval(values, np.repeat([0, 1], 10)) == (0.0, 8.0)
    spread = np.linspace(0, 8, 400)
    low, high = median_interval(spread, np.arange(400))
    assert 3.0 < low < 4.0 < high < 5.0


def test_intervals_of_shares_hold_what_they_say_where_cells_of_a_cluster_are_alike() -> None:
    rng = np.random.default_rng(3)
    n, groups, size, true = 800, 25, 12, 0.9
    clusters = np.repeat(np.arange(groups), size)
    own = rng.beta(4.5, 0.5, (n, groups))  # mean 0.9; correlation within a cluster 1/6
    hits = rng.random((n, groups * size)) < np.repeat(own, size, axis=1)
    ends = np.array([share_interval(one, clusters) for one in hits])
    naive = np.array([share_interval(one, np.arange(groups * size)) for one in hits])
    held = ((ends[:, 0] <= true) & (true <= ends[:, 1])).mean()
    assert abs(held - 0.95) < 4 * math.sqrt(0.95 * 0.05 / n)
    assert ((naive[:, 0] <= true) & (true <= naive[:, 1])).mean() < 0.85
