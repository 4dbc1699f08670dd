from __future__ import annotations

import itertools

import numpy as np
import pytest

from bayesbench.design.budget import batch_information, budget_batch
from bayesbench.design.gain import target
from bayesbench.design.moments import Moments, gaussian_mi
from bayesbench.errors import UsageError
from tests.design.design_helpers import ids, random_covariance


def exact_state(seed: int, n: int) -> Moments:
    rng = np.random.default_rng(seed)
    return Moments(ids(n), np.zeros(n), random_covariance(rng, n, 3), rng.uniform(0.2, 1.0, n))


@pytest.mark.parametrize("seed", range(10))
def test_batch_information_is_the_closed_form_in_any_order(seed: int) -> None:
    state = exact_state(seed, 5)
    covariance = np.tile(state.signal, (2, 2)) + np.diag(np.tile(state.noise, 2))
    about = target(ids(5), ["bench_3", "bench_4"], {"bench_3": 2.0, "bench_4": 1.0})
    batch = [0, 2, 3]
    expected = 2 * gaussian_mi(covariance, batch, [8]) + gaussian_mi(covariance, batch, [9])
    for order in itertools.permutations(batch):
        assert batch_information(state, order, about) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("own", ["reading", "exclude"])
@pytest.mark.parametrize("seed", range(6))
def test_small_cases_are_solved_exactly(seed: int, own: str) -> None:
    state = exact_state(seed, 7)
    costs = np.random.default_rng(seed).uniform(1, 5, 7)
    about = target(ids(7), ids(7), None, own)
    batch = budget_batch(state, np.arange(7), about, costs, 8.0, 7, ids(7))
    best = max(
        batch_information(state, subset, about)
        for size in range(1, 8)
        for subset in itertools.combinations(range(7), size)
        if costs[list(subset)].sum() <= 8.0
    )
    assert costs[list(batch)].sum() <= 8.0
    assert batch_information(state, batch, about) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(6))
def test_large_cases_stay_near_the_optimum(seed: int) -> None:
    """14 candidates: beyond the exact search, yet small enough to try every batch here."""
    state = exact_state(seed, 14)
    costs = np.random.default_rng(seed).uniform(1, 5, 14)
    about = target(ids(14), ids(14)[:5])
    batch = budget_batch(state, np.arange(14), about, costs, 6.0, 14, ids(14))
    best = max(
        batch_information(state, subset, about)
        for size in range(1, 6)
        for subset in itertools.combinations(range(14), size)
        if costs[list(subset)].sum() <= 6.0
    )
    assert costs[list(batch)].sum() <= 6.0
    # the guarantee for submodular gains, (1 - 1/e) / 2; in practice above 0.9
    assert batch_information(state, batch, about) >= 0.8 * best


def test_a_cheap_crumb_does_not_crowd_out_the_dear_loaf() -> None:
    """Greedy by ratio takes the crumb first and can no longer pay the loaf (12 candidates)."""
    n = 12
    signal = 0.01 * np.eye(n)
    signal[0, 0], signal[1, 1] = 4.0, 0.3
    state = Moments(ids(n), np.zeros(n), signal, np.full(n, 0.1))
    costs = np.full(n, 10.0)
    costs[1] = 0.1
    about = target(ids(n), ids(n))
    assert budget_batch(state, np.arange(n), about, costs, 10.0, 5, ids(n)) == (0,)


def test_k_limits_the_batch() -> None:
    state = exact_state(1, 6)
    about = target(ids(6), ids(6))
    assert len(budget_batch(state, np.arange(6), about, np.ones(6), 6.0, 2, ids(6))) == 2


def test_impossible_budgets_are_named() -> None:
    state = exact_state(1, 3)
    about = target(ids(3), ids(3))
    with pytest.raises(UsageError, match="budget 2 is below the cheapest probe, 'bench_1' at 3"):
        budget_batch(state, np.arange(3), about, np.array([5.0, 3, 4]), 2.0, 3, ids(3))
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(UsageError, match="budget must be above 0"):
            budget_batch(state, np.arange(3), about, np.ones(3), bad, 3, ids(3))
