"""Probe policies that need no method: random sets, the low-cost list."""

from __future__ import annotations

from collections import Counter

import numpy as np

from bayesbench.evaluation.policies import (
    low_cost_of,
    own_random_policy,
    popularity_policy,
    random_policy,
)
from bayesbench.scores.matrix import ScoreMatrix


def test_random_policy_stays_within_the_named_benchmarks(dated_matrix: ScoreMatrix) -> None:
    few = dated_matrix.benchmark_ids[2:5]
    policy = random_policy(dated_matrix, 20, 1, name="random-few", among=few)
    assert policy.name == "random-few"
    assert {frozenset(order) for order in policy.orders} == {frozenset(few)}
    assert len(set(policy.orders)) > 1


def test_random_policy_depends_on_the_seed_alone(dated_matrix: ScoreMatrix) -> None:
    one, again, other = (random_policy(dated_matrix, 2, seed) for seed in (1, 1, 2))
    assert one == again and one != other
    assert len(one.orders) == 2 and one.orders[0] != one.orders[1]


def test_low_cost_benchmarks_are_those_of_the_matrix_in_their_order(
    dated_matrix: ScoreMatrix,
) -> None:
    assert low_cost_of(dated_matrix, ["b7", "elsewhere", "b2"]) == ("b7", "b2")
    assert low_cost_of(dated_matrix, None) == ()


def test_own_random_orders_are_of_what_each_model_has(dated_matrix: ScoreMatrix) -> None:
    policy = own_random_policy(dated_matrix, 400, 3)
    for row, name in enumerate(dated_matrix.model_ids):
        there = {dated_matrix.benchmark_ids[j] for j in np.flatnonzero(dated_matrix.observed[row])}
        assert all(set(order[name]) == there for order in policy.orders)  # type: ignore[call-overload]
    # every benchmark of a model comes first equally often: a share of n of 400, within 4 sd
    firsts = Counter(order["m03"][0] for order in policy.orders)  # type: ignore[call-overload]
    n = int(dated_matrix.observed[3].sum())
    assert max(abs(count - 400 / n) for count in firsts.values()) < 4 * (400 / n) ** 0.5
    few = dated_matrix.benchmark_ids[2:5]
    some = own_random_policy(dated_matrix, 1, 3, among=few).orders[0]
    assert all(set(order) <= set(few) for order in some.values())  # type: ignore[union-attr]


def test_popularity_goes_by_the_number_of_models(dated_matrix: ScoreMatrix) -> None:
    (order,) = popularity_policy(dated_matrix).orders
    count = dict(
        zip(dated_matrix.benchmark_ids, dated_matrix.observed.sum(axis=0).tolist(), strict=True)
    )
    assert [count[name] for name in order] == sorted(count.values(), reverse=True)
    few = dated_matrix.benchmark_ids[2:5]
    assert set(popularity_policy(dated_matrix, among=few).orders[0]) == set(few)
