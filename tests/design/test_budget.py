from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies

from bayesbench.design.budget import batch_worth, budget_batch
from bayesbench.design.gain import Targets, target
from bayesbench.design.moments import Moments, moments
from bayesbench.errors import UsageError
from tests.design.design_helpers import exact_state, gaussian_draws, ids
from tests.design.oracles import worth

Case = tuple[Moments, Targets, dict[int, float]]


def random_case(seed: int, n: int) -> Case:
    """Moments (exact, or of few draws) and weighted targets, some of them no candidates."""
    rng = np.random.default_rng(seed)
    state = exact_state(seed, n)
    if seed % 2:
        n_draws = int(rng.integers(3, 60))
        state = moments(gaussian_draws(rng, state.signal, state.noise, n_draws))
    chosen = rng.permutation(n)[: rng.integers(1, n + 1)]
    weights = {
        int(t): float(w) for t, w in zip(chosen, rng.uniform(0, 3, len(chosen)), strict=True)
    }
    own = ("reading", "exclude")[seed // 2 % 2]
    return state, Targets(chosen, np.array(list(weights.values())), own), weights  # type: ignore[arg-type]


def best_of_all(
    state: Moments,
    weights: dict[int, float],
    candidates: list[int],
    costs: dict[int, float],
    budget: float,
    most: int = 99,
) -> float:
    return max(
        worth(state.signal, state.noise, batch, weights, state.n_draws)
        for size in range(min(most, len(candidates)) + 1)
        for batch in itertools.combinations(candidates, size)
        if sum(costs[index] for index in batch) <= budget
    )


@pytest.mark.parametrize("seed", range(30))
def test_worth_is_the_closed_form_in_any_order(seed: int) -> None:
    state, about, weights = random_case(seed, 6)
    rng = np.random.default_rng(seed)
    batch = [int(j) for j in rng.permutation(6)[: rng.integers(0, 5)]]
    expected = worth(state.signal, state.noise, batch, weights, state.n_draws)
    for order in itertools.permutations(batch):
        assert batch_worth(state, order, about) == pytest.approx(expected, rel=1e-8, abs=1e-12)


@given(strategies.integers(0, 2**32 - 1), strategies.integers(2, 9))
def test_a_larger_batch_is_never_worth_less(seed: int, n: int) -> None:
    """Down to 3 draws of 9 benchmarks: no correction may take away what was known."""
    state, about, _ = random_case(seed, n)
    order = [int(j) for j in np.random.default_rng(seed).permutation(n)]
    values = [batch_worth(state, order[:size], about) for size in range(n + 1)]
    assert values[0] == 0.0
    assert np.diff(values).min() >= 0.0


def test_a_target_that_is_run_is_known_down_to_its_noise() -> None:
    state = exact_state(2, 4)
    about = target(ids(4), ["bench_1"], {"bench_1": 3.0})
    known = 3 * 0.5 * np.log(state.variance[1] / state.noise[1])
    assert batch_worth(state, [1], about) == pytest.approx(known)
    assert batch_worth(state, [0, 2, 3, 1], about) == pytest.approx(known)
    assert batch_worth(state, [0, 2, 3], about) < known


def test_unrelated_benchmarks_are_worth_next_to_nothing() -> None:
    """150 unrelated targets, 200 draws: the chance part alone would be 0.2 nats a probe."""
    n, found = 150, []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        state = moments(gaussian_draws(rng, np.eye(n), np.full(n, 0.3), 200))
        about = target(ids(n), ids(n)[1:])
        found.append(batch_worth(state, [0], about))
    assert np.mean(found) < 0.02


@pytest.mark.parametrize("seed", range(60))
def test_small_cases_are_solved_exactly(seed: int) -> None:
    n = 7
    state, about, weights = random_case(seed, n)
    rng = np.random.default_rng(1000 + seed)
    candidates = rng.permutation(n)[: rng.integers(1, 7)]
    costs = rng.uniform(1, 5, len(candidates))
    price = dict(zip(candidates.tolist(), costs.tolist(), strict=True))
    budget = float(rng.uniform(costs.min(), costs.sum() + 1))
    k = (None, 2)[seed % 3 == 0]
    steps = budget_batch(state, candidates, about, costs, budget, ids(n), k)
    batch = [index for index, _ in steps]
    best = best_of_all(state, weights, list(price), price, budget, k or n)
    assert sum(price[index] for index in batch) <= budget
    assert len(set(batch)) == len(batch) <= (k or n)
    # whatever adds less than 1e-9 may be left out
    assert best == pytest.approx(batch_worth(state, batch, about), abs=1e-8)
    assert sum(gain for _, gain in steps) == pytest.approx(best, abs=1e-8)
    assert all(gain > 0 for _, gain in steps)


@pytest.mark.parametrize("seed", range(6))
def test_large_cases_stay_near_the_optimum(seed: int) -> None:
    """14 candidates: beyond the exact search, yet small enough to try every batch here."""
    state = exact_state(seed, 14)
    price = dict(enumerate(np.random.default_rng(seed).uniform(1, 5, 14).tolist()))
    about = target(ids(14), ids(14)[:5])
    costs = np.array(list(price.values()))
    steps = budget_batch(state, np.arange(14), about, costs, 6.0, ids(14))
    batch = [index for index, _ in steps]
    best = max(
        batch_worth(state, subset, about)
        for size in range(1, 6)
        for subset in itertools.combinations(range(14), size)
        if sum(price[index] for index in subset) <= 6.0
    )
    assert sum(price[index] for index in batch) <= 6.0
    # the guarantee where gains diminish is (1 - 1/e) / 2; in practice above 0.9
    assert batch_worth(state, batch, about) >= 0.8 * best


@pytest.mark.parametrize("seed", range(10))
def test_nothing_that_fits_is_left_out_of_a_large_case(seed: int) -> None:
    state = exact_state(seed, 15)
    costs = np.random.default_rng(seed).uniform(1, 5, 15)
    about = target(ids(15), ids(15))
    steps = budget_batch(state, np.arange(15), about, costs, 20.0, ids(15))
    batch = [index for index, _ in steps]
    left = 20.0 - costs[batch].sum()
    assert 0 <= left < np.delete(costs, batch).min()


def test_six_that_can_be_paid_are_all_run() -> None:
    """Once, a benchmark of the batch stopped being a target: three were bought, six worth 0."""
    state = exact_state(0, 6)
    about = target(ids(6), ids(6), None, "exclude")
    steps = budget_batch(state, np.arange(6), about, np.ones(6), 6.0, ids(6))
    assert sorted(index for index, _ in steps) == list(range(6))
    known = 0.5 * np.log(state.variance / state.noise)
    assert sum(gain for _, gain in steps) == pytest.approx(known.sum())


@pytest.mark.parametrize("n", [8, 20])
def test_what_tells_nothing_is_not_bought(n: int) -> None:
    """Half of the candidates are unrelated to the only targets, and no targets themselves."""
    signal = np.eye(n)
    signal[: n // 2, : n // 2] += 1.0
    state = Moments(ids(n), np.zeros(n), signal, np.ones(n))
    about = target(ids(n), ids(n)[:2])
    steps = budget_batch(state, np.arange(1, n), about, np.ones(n - 1), 99.0, ids(n))
    # benchmark 1 is known once it is run, 2, 3, ... tell about 0
    assert sorted(index for index, _ in steps) == list(range(1, n // 2))
    lone = np.arange(n // 2, n)
    assert budget_batch(state, lone, about, np.ones(len(lone)), 2.0, ids(n)) == ()


def test_of_equal_batches_the_cheapest() -> None:
    """Benchmark 2 tells nothing: with or without it the batch is worth the same."""
    signal = np.diag([1.0, 1.0, 0.0, 1.0])
    state = Moments(ids(4), np.zeros(4), signal, np.ones(4))
    about = target(ids(4), ids(4)[:2])
    costs = np.array([1.0, 3.0, 1.0, 9.0])
    steps = budget_batch(state, np.arange(4), about, costs, 3.5, ids(4))
    assert [index for index, _ in steps] == [0]


@pytest.mark.parametrize("n", [6, 12])
def test_a_cheap_crumb_does_not_crowd_out_the_dear_loaf(n: int) -> None:
    """Greedy by ratio takes the crumb first and can no longer pay the loaf."""
    signal = 0.01 * np.eye(n)
    signal[0, 0], signal[1, 1] = 4.0, 0.3
    state = Moments(ids(n), np.zeros(n), signal, np.full(n, 0.1))
    costs = np.full(n, 10.0)
    costs[1] = 0.1
    steps = budget_batch(state, np.arange(n), target(ids(n), ids(n)), costs, 10.0, ids(n))
    assert [index for index, _ in steps] == [0]


def test_the_best_single_probe_is_filled_up_with_what_still_fits() -> None:
    """Greedy by ratio cannot pay the loaf (4 nats), greedy by gain takes the dearer crumb to it."""
    known = np.array([4.0, 0.75, 0.75, 0.75, 0.8, *[0.01] * 8])
    costs = np.array([8.0, 1.0, 1.0, 1.0, 2.0, *[1.0] * 8])
    n = len(known)
    state = Moments(ids(n), np.zeros(n), np.diag(np.expm1(2 * known)), np.ones(n))
    steps = budget_batch(state, np.arange(n), target(ids(n), ids(n)), costs, 10.0, ids(n))
    assert [index for index, _ in steps] == [1, 2, 0]
    assert sum(gain for _, gain in steps) == pytest.approx(5.5)


def test_the_best_per_cost_is_run_first() -> None:
    state = Moments(ids(3), np.zeros(3), np.diag([1.0, 4.0, 2.0]), np.ones(3))
    costs = np.array([1.0, 10.0, 2.0])
    steps = budget_batch(state, np.arange(3), target(ids(3), ids(3)), costs, 13.0, ids(3))
    known = 0.5 * np.log([2.0, 5.0, 3.0])
    assert [index for index, _ in steps] == [0, 2, 1]
    np.testing.assert_allclose([gain for _, gain in steps], known[[0, 2, 1]])


def test_k_limits_the_batch() -> None:
    state = replace(exact_state(1, 13), n_draws=50)
    about = target(ids(13), ids(13))
    for n in (6, 13):
        steps = budget_batch(state, np.arange(n), about, np.ones(n), 99.0, ids(13), 2)
        assert len(steps) == 2


def test_impossible_budgets_are_named() -> None:
    state = exact_state(1, 3)
    about = target(ids(3), ids(3))
    with pytest.raises(UsageError, match="budget 2 is below the cheapest probe, 'bench_1' at 3"):
        budget_batch(state, np.arange(3), about, np.array([5.0, 3, 4]), 2.0, ids(3))
    for bad in (0.0, -1.0, float("nan")):
        with pytest.raises(UsageError, match="budget must be above 0"):
            budget_batch(state, np.arange(3), about, np.ones(3), bad, ids(3))
