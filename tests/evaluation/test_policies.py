"""Probe policies that need no method: random sets, the low-cost list."""

from __future__ import annotations

from bayesbench.evaluation.policies import low_cost_of, random_policy
from bayesbench.scores.matrix import ScoreMatrix


def test_random_policy_stays_within_the_named_benchmarks(dated_matrix: ScoreMatrix) -> None:
    few = dated_matrix.benchmark_ids[2:5]
    policy = random_policy(dated_matrix, 20, 1, 10, name="random-few", among=few)
    assert policy.name == "random-few"
    assert {frozenset(order) for order in policy.orders} == {frozenset(few)}
    assert len(set(policy.orders)) > 1


def test_random_policy_depends_on_the_seed_alone(dated_matrix: ScoreMatrix) -> None:
    one, again, other = (random_policy(dated_matrix, 2, seed, 4) for seed in (1, 1, 2))
    assert one == again and one != other
    assert len(one.orders) == 2 and one.orders[0] != one.orders[1]


def test_low_cost_benchmarks_are_those_of_the_matrix_in_their_order(
    dated_matrix: ScoreMatrix,
) -> None:
    assert low_cost_of(dated_matrix, ["b7", "elsewhere", "b2"]) == ("b7", "b2")
    assert low_cost_of(dated_matrix, None) == ()
