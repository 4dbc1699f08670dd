from __future__ import annotations

import numpy as np
import pytest

from bayesbench.design.gain import (
    candidate_indices,
    greedy,
    information,
    spread_reduction,
    target,
)
from bayesbench.design.moments import Moments, moments
from bayesbench.errors import UnknownIdError, UsageError
from tests.design.design_helpers import exact_state, gaussian_draws, ids, random_covariance
from tests.design.oracles import gaussian_mi, two_readings


@pytest.mark.parametrize("seed", range(20))
def test_information_is_the_closed_form(seed: int) -> None:
    state = exact_state(seed, 6)
    covariance = two_readings(state.signal, state.noise)
    weights = {"bench_0": 1.0, "bench_2": 0.5, "bench_4": 2.0}
    about = target(state.benchmark_ids, tuple(weights), weights)
    gains = information(state, np.arange(6), about)
    for candidate in range(6):
        expected = sum(
            w * gaussian_mi(covariance, [candidate], [6 + int(name[-1])])
            for name, w in weights.items()
        )
        assert gains[candidate] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_spread_reduction_is_the_fall_by_exact_conditioning(seed: int) -> None:
    state = exact_state(seed, 6)
    weights = {"bench_0": 1.0, "bench_2": 0.5, "bench_4": 2.0}
    about = target(state.benchmark_ids, tuple(weights), weights, "exclude")
    falls = spread_reduction(state, np.arange(6), about)
    before = np.sqrt(state.variance)
    for candidate in range(6):
        after = np.sqrt(state.given(candidate).variance)
        expected = sum(
            w * (before[int(name[-1])] - after[int(name[-1])])
            for name, w in weights.items()
            if int(name[-1]) != candidate
        )
        assert falls[candidate] == pytest.approx(expected, rel=1e-9)


def test_information_from_draws_matches_the_exact_covariance() -> None:
    rng = np.random.default_rng(5)
    signal, noise = random_covariance(rng, 5), rng.uniform(0.2, 1, 5)
    draws = gaussian_draws(rng, signal, noise, 4000, exact=True)
    about = target(ids(5), ids(5))
    expected = information(Moments(ids(5), np.zeros(5), signal, noise), np.arange(5), about)
    np.testing.assert_allclose(
        information(moments(draws), np.arange(5), about), expected, rtol=2e-3
    )


def test_unrelated_benchmarks_tell_about_nothing_on_average() -> None:
    """Without the correction 150 unrelated targets give 0.5 * 150 / 200 = 0.2 nats of noise."""
    n, gains = 150, []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        state = moments(gaussian_draws(rng, np.eye(n), np.full(n, 0.3), 200))
        gains.append(information(state, np.arange(n), target(ids(n), ids(n), own="exclude")))
    # mean over 3,000 gains, each cut at 0: of the order of the spread of one sum, 0.02
    assert np.mean(gains) < 0.02


def test_own_target_excluded_or_read_again() -> None:
    state = exact_state(8, 6)
    alone = target(state.benchmark_ids, ["bench_1"], None, "exclude")
    assert information(state, np.array([1]), alone)[0] == 0.0
    again = target(state.benchmark_ids, ["bench_1"], None, "reading")
    rho = state.signal[1, 1] / state.variance[1]
    assert information(state, np.array([1]), again)[0] == pytest.approx(-0.5 * np.log(1 - rho**2))


@pytest.mark.parametrize("apart", [0.0, 0.05])
@pytest.mark.parametrize("own", ["reading", "exclude"])
def test_a_duplicate_loses_its_gain_once_one_is_chosen(own: str, apart: float) -> None:
    """Two (near) copies with little noise: what they share is known after one of them."""
    rng = np.random.default_rng(9)
    common, other, third = rng.normal(size=(3, 2000))
    copy = common + apart * rng.normal(size=2000)
    eta = np.stack([common, copy, other, other + 0.3 * third, common + other], 1)
    signal = np.cov(eta.T) + 1e-9 * np.eye(5)
    noise = np.array([0.01, 0.01, 0.4, 0.4, 0.4])
    state = Moments(ids(5), np.zeros(5), signal, noise)
    about = target(ids(5), ids(5)[2:], None, own)  # type: ignore[arg-type]
    alone = information(state, np.arange(5), about)
    after = information(state.given(0), np.arange(5), about)
    assert after[1] < 0.02 * alone[1] + 0.005
    order = [index for index, _ in greedy(state, np.arange(5), about, 2)]
    assert set(order) != {0, 1}


@pytest.mark.parametrize("seed", range(5))
def test_greedy_gains_are_the_chain_rule(seed: int) -> None:
    state = exact_state(seed, 6)
    about = target(state.benchmark_ids, ["bench_5"])
    steps = greedy(state, np.arange(6), about, 4)
    batch = [index for index, _ in steps]
    total = gaussian_mi(two_readings(state.signal, state.noise), batch, [6 + 5])
    assert sum(gain for _, gain in steps) == pytest.approx(total, rel=1e-9)
    assert batch[0] == int(np.argmax(information(state, np.arange(6), about)))


def test_greedy_takes_gain_per_cost() -> None:
    state = exact_state(3, 6)
    about = target(state.benchmark_ids, state.benchmark_ids, None, "exclude")
    costs = np.array([5.0, 1.0, 3.0, 2.0, 8.0, 1.0])
    gains = information(state, np.arange(6), about)
    steps = greedy(state, np.arange(6), about, 9, costs)
    assert steps[0] == (int(np.argmax(gains / costs)), pytest.approx(gains[steps[0][0]]))
    assert sorted(index for index, _ in steps) == list(range(6))


def test_bad_calls_name_the_value() -> None:
    with pytest.raises(UnknownIdError, match="unknown target 'bench_9'; nearest: bench_"):
        target(ids(3), ["bench_9"])
    with pytest.raises(UnknownIdError, match="unknown candidate 'x'"):
        candidate_indices(ids(3), ["x"])
    with pytest.raises(UsageError, match="no candidate benchmark"):
        candidate_indices(ids(3), [])
    with pytest.raises(UsageError, match="no target benchmark"):
        target(ids(3), [])
    with pytest.raises(UsageError, match="'bench_1' is named twice"):
        candidate_indices(ids(3), ["bench_1", "bench_1"])
    with pytest.raises(UsageError, match="weight of target 'bench_0' must be 0 or more, got -1"):
        target(ids(3), ids(3), {"bench_0": -1.0})
    with pytest.raises(UsageError, match="every target has weight 0"):
        target(ids(3), ids(3), {"bench_0": 0.0})
