from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bayesbench.answers.prediction import LatentDraws, predictive
from bayesbench.design.costs import Costs
from bayesbench.design.gain import epig, target
from bayesbench.design.moments import Moments, moments
from bayesbench.design.recommend import recommend
from bayesbench.design.widths import all_width_reductions, expected_width, width_reductions
from bayesbench.errors import UnknownIdError, UsageError
from bayesbench.low_rank.link import Transform
from tests.design.design_helpers import gaussian_draws, ids, random_covariance

N = 8


def link(n: int = N, rating: int | None = None) -> Transform:
    bounded = np.arange(n) != (-1 if rating is None else rating)
    values = np.random.default_rng(0).uniform(20, 80, (9, n))
    return Transform.from_scores(
        ids(n),
        values,
        lower=np.where(bounded, 0.0, np.nan),
        upper=np.where(bounded, 100.0, np.nan),
        higher_is_better=np.arange(n) != 1,
        n_items=np.full(n, np.nan),
    )


def draws(seed: int = 0, n: int = N, observed: dict[int, float] | None = None) -> LatentDraws:
    rng = np.random.default_rng(seed)
    made = gaussian_draws(rng, random_covariance(rng, n, 3), rng.uniform(0.2, 0.8, n), 300, nu=5.0)
    seen = np.full(n, np.nan)
    for index, score in (observed or {}).items():
        seen[index] = score
    return LatentDraws("model", ids(n), made.eta, made.noise_scale, made.nu, seen)


def test_the_first_is_the_largest_epig_and_predictions_are_the_predictive() -> None:
    one, t = draws(), link()
    found = recommend(one, t, k=3)
    gains = epig(one, ids(N), ids(N), own="exclude")
    assert found[0].benchmark_id == ids(N)[int(np.argmax(gains))]
    assert found[0].gain_nats == pytest.approx(gains.max())
    assert (found[0].cost, found[0].gain_per_cost) == (None, None)
    shown = predictive(one, t)
    lower, upper = shown.interval(0.9)
    for each in found:
        j = ids(N).index(each.benchmark_id)
        assert each.median == pytest.approx(shown.median[j])
        assert each.lower == pytest.approx(lower[j]) and each.upper == pytest.approx(upper[j])
        assert each.lower < each.median < each.upper
    assert recommend(one, t, k=3, predictions=shown) == found


def test_what_is_run_excluded_or_not_allowed_is_not_proposed() -> None:
    one = draws(observed={0: 50.0, 1: 40.0})
    everything = {r.benchmark_id for r in recommend(one, link(), k=20)}
    assert everything == set(ids(N)[2:])
    allowed = ["bench_0", "bench_3", "bench_4", "bench_5"]
    found = recommend(one, link(), candidates=allowed, exclude=["bench_4"], k=20)
    assert {r.benchmark_id for r in found} == {"bench_3", "bench_5"}


def test_named_targets_and_weights() -> None:
    one = draws(observed={0: 50.0})
    found = recommend(one, link(), targets=["bench_0", "bench_2"], k=1)
    gains = epig(one, ids(N)[1:], ["bench_2"])
    assert found[0].gain_nats == pytest.approx(gains.max())
    weighted = recommend(one, link(), weights={"bench_2": 2.0}, k=1)
    assert weighted[0].gain_nats == pytest.approx(2 * gains.max())


def test_costs_rank_by_gain_per_cost_and_unknown_costs_are_left_out() -> None:
    one, t = draws(), link()
    costs = {"bench_1": 2.0, "bench_3": 10.0, "bench_4": 0.5}
    found = recommend(one, t, costs=Costs(costs, "USD"), k=5)
    assert {r.benchmark_id for r in found} == set(costs)
    alone = dict(zip(costs, epig(one, tuple(costs), ids(N), own="exclude"), strict=True))
    assert found[0].benchmark_id == max(costs, key=lambda name: alone[name] / costs[name])
    for each in found:
        assert each.cost == costs[each.benchmark_id]
        assert each.gain_per_cost == pytest.approx(each.gain_nats / each.cost)


def test_a_budget_is_kept_and_may_count_probes() -> None:
    one, t = draws(), link()
    costs = dict(zip(ids(N), np.linspace(1, 4, N), strict=True))
    found = recommend(one, t, costs=costs, budget=5.0, k=8)
    assert sum(r.cost or 0 for r in found) <= 5.0
    assert len(recommend(one, t, budget=2.0, k=8)) == 2


def test_width_reduction_is_the_moment_formula_on_an_unbounded_scale() -> None:
    """Identity link: widths scale with the latent standard deviation, no centre to average."""
    t = link(rating=2)
    state = moments(draws())
    about = target(ids(N), ["bench_2"])
    z = 1.6448536269514722
    now = 2 * z * np.sqrt(state.variance[2]) * t.spread[2]
    after = 2 * z * np.sqrt(state.given(4).variance[2]) * t.spread[2]
    assert expected_width(state, state, t, about) == pytest.approx(now)
    assert width_reductions(state, [4], t, about)[0] == pytest.approx(now - after)


def test_width_reduction_matches_simulated_readings() -> None:
    """Bounded scale: simulate the reading, condition exactly, map the ends, average."""
    rng = np.random.default_rng(4)
    signal, noise = random_covariance(rng, 3), np.array([0.3, 0.4, 0.5])
    state = Moments(ids(3), np.array([1.0, 0.5, -0.5]), signal, noise)
    t, about, z = (
        link(3),
        target(ids(3), ["bench_1", "bench_2"], {"bench_1": 3, "bench_2": 1}),
        1.6448536,
    )
    after = state.given(0)
    reading = state.mean[0] + np.sqrt(state.variance[0]) * rng.normal(size=20_000)
    widths = []
    for j, weight in ((1, 0.75), (2, 0.25)):
        slope = signal[0, j] / state.variance[0]
        centre = state.mean[j] + slope * (reading - state.mean[0])
        half = z * np.sqrt(after.variance[j])
        ends = [t.to_score(centre + s * half, np.full(20_000, j)) for s in (-1, 1)]
        widths.append(weight * np.abs(ends[1] - ends[0]))
    simulated = np.sum(widths, axis=0)
    error = simulated.std() / np.sqrt(20_000)
    assert abs(expected_width(state, after, t, about) - simulated.mean()) < 3 * error + 0.01


def test_width_reductions_of_a_batch_add_up() -> None:
    state, t = moments(draws()), link()
    about = target(ids(N), ["bench_6", "bench_7"])
    falls = width_reductions(state, [0, 2, 3], t, about)
    whole = expected_width(state, state, t, about) - expected_width(
        state, state.given_all([0, 2, 3]), t, about
    )
    assert sum(falls) == pytest.approx(whole)
    assert all(fall > 0 for fall in falls)


@pytest.mark.parametrize("own", ["reading", "exclude"])
def test_all_width_reductions_are_those_of_single_probes(own: str) -> None:
    state, t = moments(draws()), link(rating=2)
    about = target(ids(N), ids(N)[:5], {name: 1.0 + j for j, name in enumerate(ids(N)[:5])}, own)
    found = all_width_reductions(state, np.arange(N), t, about)
    single = [width_reductions(state, [j], t, about)[0] for j in range(N)]
    np.testing.assert_allclose(found, single, rtol=1e-9)


def test_bad_calls_name_the_value() -> None:
    one, t = draws(observed={0: 50.0}), link()
    with pytest.raises(UnknownIdError, match="unknown target 'bench_77'"):
        recommend(one, t, targets=["bench_77"])
    with pytest.raises(UnknownIdError, match="unknown candidate 'zzz'"):
        recommend(one, t, candidates=["zzz"])
    with pytest.raises(UnknownIdError, match="unknown excluded benchmark 'zzz'"):
        recommend(one, t, exclude=["zzz"])
    with pytest.raises(UnknownIdError, match="unknown benchmark with a cost 'zzz'"):
        recommend(one, t, costs={"zzz": 1.0})
    with pytest.raises(UsageError, match="no candidate benchmark left"):
        recommend(one, t, candidates=[])
    with pytest.raises(UsageError, match="no candidate benchmark left"):
        recommend(one, t, candidates=["bench_0"])
    with pytest.raises(UsageError, match="no cost known for 'bench_3'"):
        recommend(one, t, candidates=["bench_3"], costs={"bench_4": 1.0})
    with pytest.raises(UsageError, match="cost of 'bench_4' must be a number above 0, got -1"):
        recommend(one, t, costs={"bench_4": -1.0})
    with pytest.raises(
        UsageError, match=r"budget 0\.5 is below the cheapest probe, 'bench_4' at 1"
    ):
        recommend(one, t, costs={"bench_4": 1.0}, budget=0.5)
    with pytest.raises(UsageError, match="every target benchmark has been run"):
        recommend(one, t, targets=["bench_0"])
    with pytest.raises(UsageError, match="no target benchmark given"):
        recommend(one, t, targets=[])
    with pytest.raises(UsageError, match="k must be at least 1, got 0"):
        recommend(one, t, k=0)
    with pytest.raises(UsageError, match="prob must lie"):
        recommend(one, t, prob=1.5)


def test_recommending_needs_neither_jax_nor_scipy(repository: Path) -> None:
    import subprocess

    code = (
        "import sys, bayesbench.design, bayesbench.ranking, bayesbench.decide;"
        "print([m for m in ('jax', 'numpyro', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
