from __future__ import annotations

import importlib
import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayesbench.answers.predictive import LatentDraws, Predictive, predictive
from bayesbench.design.costs import Costs
from bayesbench.design.gain import information, target
from bayesbench.design.moments import moments
from bayesbench.design.recommend import Recommendation, Recommendations, alone, recommend
from bayesbench.errors import DataError, UnknownIdError, UsageError
from bayesbench.low_rank.link import Transform
from tests.design.design_helpers import failed_examples, gaussian_draws, ids, random_covariance
from tests.design.oracles import worth

N = 8


def link(n: int = N) -> Transform:
    values = np.random.default_rng(0).uniform(20, 80, (9, n))
    return Transform.from_scores(
        ids(n),
        values,
        lower=np.zeros(n),
        upper=np.full(n, 100.0),
        higher_is_better=np.arange(n) != 1,
        n_items=np.full(n, np.nan),
    )


def draws(
    seed: int = 0, n: int = N, observed: dict[int, float] | None = None, n_draws: int = 300
) -> LatentDraws:
    rng = np.random.default_rng(seed)
    noise = rng.uniform(0.2, 0.8, n)
    made = gaussian_draws(rng, random_covariance(rng, n, 3), noise, n_draws, nu=5.0)
    seen = np.full(n, np.nan)
    for index, score in (observed or {}).items():
        seen[index] = score
    return replace(made, observed=seen)


def both(seed: int = 0, **how: dict[int, float]) -> tuple[LatentDraws, Predictive]:
    one = draws(seed, **how)  # type: ignore[arg-type]
    return one, predictive(one, link())


def epig(one: LatentDraws, candidates: list[int], targets: list[int], own: str) -> np.ndarray:
    about = target(ids(N), [f"bench_{t}" for t in targets], None, own)  # type: ignore[arg-type]
    return information(moments(one), np.array(candidates), about)


def test_the_first_is_the_largest_epig_and_predictions_are_those_given() -> None:
    one, shown = both()
    found = recommend(one, shown)
    gains = epig(one, list(range(N)), list(range(N)), "exclude")
    assert len(found) == 5
    assert found[0].benchmark_id == ids(N)[int(np.argmax(gains))]
    assert found[0].gain_nats == pytest.approx(gains.max())
    assert (found[0].cost, found[0].gain_per_cost, found.note) == (None, None, "")
    lower, upper = shown.interval(0.9)
    for each in found:
        j = ids(N).index(each.benchmark_id)
        assert (each.median, each.lower, each.upper) == (shown.median[j], lower[j], upper[j])
        assert each.lower < each.median < each.upper


def test_what_is_run_excluded_or_not_allowed_is_not_proposed() -> None:
    one, shown = both(observed={0: 50.0, 1: 40.0})
    assert {r.benchmark_id for r in recommend(one, shown, k=20)} == set(ids(N)[2:])
    assert {r.benchmark_id for r in recommend(one, shown, budget=20)} == set(ids(N)[2:])
    allowed = ["bench_0", "bench_3", "bench_4", "bench_5"]
    found = recommend(one, shown, candidates=allowed, exclude=["bench_4"], k=20)
    assert {r.benchmark_id for r in found} == {"bench_3", "bench_5"}


def test_named_targets_and_weights() -> None:
    one, shown = both(observed={0: 50.0})
    found = recommend(one, shown, targets=["bench_0", "bench_2"], k=1)
    gains = epig(one, list(range(1, N)), [2], "reading")
    assert found[0].gain_nats == pytest.approx(gains.max())
    weighted = recommend(one, shown, weights={"bench_2": 2.0}, k=1)
    assert weighted[0].gain_nats == pytest.approx(2 * gains.max())


def test_costs_rank_by_gain_per_cost_and_unknown_costs_are_left_out() -> None:
    one, shown = both()
    costs = {"bench_1": 2.0, "bench_3": 10.0, "bench_4": 0.5}
    found = recommend(one, shown, costs=Costs(costs, "USD"))
    assert {r.benchmark_id for r in found} == set(costs)
    alone = dict(zip(costs, epig(one, [1, 3, 4], list(range(N)), "exclude"), strict=True))
    assert found[0].benchmark_id == max(costs, key=lambda name: alone[name] / costs[name])
    for each in found:
        assert each.cost == costs[each.benchmark_id]
        assert each.gain_per_cost == pytest.approx(each.gain_nats / each.cost)
    assert found.unit == "USD"


@pytest.mark.parametrize("seed", range(40))
def test_within_a_budget_no_batch_is_worth_more(seed: int) -> None:
    """Every batch by determinants: few and many draws, targets run, weighted, no candidates."""
    rng = np.random.default_rng(seed)
    run = {int(j): 50.0 for j in rng.permutation(N)[: rng.integers(0, 3)]}
    one = draws(seed, observed=run, n_draws=(300, 6)[seed % 2])
    open_ = [j for j in range(N) if j not in run]
    named = [f"bench_{int(j)}" for j in rng.permutation(N)[: rng.integers(4, N + 1)]]
    weights = dict(zip(named, rng.uniform(0.1, 3, len(named)).tolist(), strict=True))
    how = ({}, {"targets": named}, {"weights": weights}, {"targets": named, "weights": weights})
    chosen = how[seed // 2 % 4]
    shares = {ids(N).index(t): w for t, w in weights.items()}
    if "weights" not in chosen:
        shares = dict.fromkeys(shares if chosen else range(N), 1.0)
    shares = {t: w for t, w in shares.items() if t in open_}
    candidates = [int(j) for j in rng.permutation(open_)[:6]]
    price = dict(zip(candidates, rng.uniform(1, 4, len(candidates)).tolist(), strict=True))
    budget = float(rng.uniform(4, 1.2 * sum(price.values())))
    found = recommend(
        one,
        predictive(one, link()),
        candidates=[f"bench_{j}" for j in candidates],
        costs={f"bench_{j}": cost for j, cost in price.items()},
        budget=budget,
        **chosen,  # type: ignore[arg-type]
    )
    state = moments(one)
    best = max(
        worth(state.signal, state.noise, batch, shares, state.n_draws)
        for size in range(len(candidates) + 1)
        for batch in itertools.combinations(candidates, size)
        if sum(price[j] for j in batch) <= budget
    )
    batch = [ids(N).index(each.benchmark_id) for each in found]
    assert sum(each.cost or 0 for each in found) <= budget
    done = worth(state.signal, state.noise, batch, shares, state.n_draws)
    # what adds less than 1e-9 may be left out
    assert done == pytest.approx(best, abs=1e-8)
    assert sum(each.gain_nats for each in found) == pytest.approx(best, abs=1e-8)
    assert all(each.gain_nats > 0 for each in found)


def test_a_budget_without_costs_counts_probes_and_says_so() -> None:
    one, shown = both()
    found = recommend(one, shown, budget=2.0)
    assert len(found) == 2
    assert found[0].cost is None
    assert found.note == "the budget counts probes: no costs were given"
    assert recommend(one, shown, budget=2.0, costs=dict.fromkeys(ids(N), 1.0)).note == ""


def test_a_budget_has_no_other_limit_unless_k_is_given() -> None:
    one, shown = both()
    assert len(recommend(one, shown, budget=99.0)) == N
    assert len(recommend(one, shown, budget=99.0, k=3)) == 3


def test_nothing_to_learn_within_a_budget_is_no_error() -> None:
    one = draws()
    one.eta[:, 3] = 0.0
    found = recommend(
        one, predictive(one, link()), targets=["bench_4"], candidates=["bench_3"], budget=2.0
    )
    assert len(found) == 0
    assert found.note.endswith("; nothing within the budget tells anything about the targets")
    assert repr(found) == f"nothing to run\nnote: {found.note}"


@pytest.mark.parametrize("prob", [0.9, 0.8521])
def test_narrower_by_starts_from_the_printed_interval(prob: float) -> None:
    """A target that the probe all but settles: what falls is the printed width, itself.

    Also between the kept levels (0.8521).
    """
    one = draws()
    one.eta[:, 2] = one.eta[:, 4]
    one.noise_scale[:, [2, 4]] = 1e-7
    shown = predictive(one, link())
    found = recommend(one, shown, targets=["bench_2"], candidates=["bench_4"], prob=prob)
    lower, upper = shown.interval(prob)
    assert found[0].width_reduction == pytest.approx(upper[2] - lower[2], abs=5e-5)


def test_narrower_by_follows_the_calibration_and_gains_do_not() -> None:
    one, shown = both()
    middle = shown.quantiles[:, [shown.levels.size // 2]]
    surer = replace(shown, quantiles=middle + 0.5 * (shown.quantiles - middle))
    for plain, sure in zip(recommend(one, shown), recommend(one, surer), strict=True):
        assert sure.gain_nats == plain.gain_nats
        assert sure.width_reduction < 0.9 * plain.width_reduction


def test_recommendations_are_a_sequence() -> None:
    one, shown = both()
    found = recommend(one, shown, budget=4.0, costs=Costs(dict.fromkeys(ids(N), 1.0), "items"))
    assert isinstance(found[0], Recommendation)
    assert list(found) == list(found.items)
    assert found[-1] == found.items[-1]
    first = found[:2]
    assert first == Recommendations(found.items[:2], 0.9, "items", "")
    assert found[0] in found
    frame = found.to_frame()
    assert frame["benchmark_id"].tolist() == [each.benchmark_id for each in found]
    assert frame.shape == (4, 8)
    assert list(Recommendations(()).to_frame()) == list(frame)


def test_recommendations_print_as_a_table() -> None:
    item = Recommendation("mmlu_pro", 1.234, None, None, 0.5, 70.04, 60.0, 80.0)
    shown = str(Recommendations((item, replace(item, benchmark_id="a")), prob=0.8, note="hm"))
    assert shown.splitlines() == [
        "run next  gain (nats)  narrower by  median  80% interval",
        "mmlu_pro         1.23         0.50    70.0  60.0 to 80.0",
        "a                1.23         0.50    70.0  60.0 to 80.0",
        "note: hm",
    ]


def test_bad_calls_name_the_value() -> None:
    one, shown = both(observed={0: 50.0})
    with pytest.raises(UnknownIdError, match="unknown target 'bench_77'"):
        recommend(one, shown, targets=["bench_77"])
    with pytest.raises(UnknownIdError, match="unknown candidate 'zzz'"):
        recommend(one, shown, candidates=["zzz"])
    with pytest.raises(UnknownIdError, match="unknown excluded benchmark 'zzz'"):
        recommend(one, shown, exclude=["zzz"])
    with pytest.raises(UnknownIdError, match="unknown benchmark with a cost 'zzz'"):
        recommend(one, shown, costs={"zzz": 1.0})
    with pytest.raises(UsageError, match="no candidate benchmark left"):
        recommend(one, shown, candidates=[])
    with pytest.raises(UsageError, match="no candidate benchmark left"):
        recommend(one, shown, candidates=["bench_0"])
    with pytest.raises(UsageError, match="no cost known for 'bench_3'"):
        recommend(one, shown, candidates=["bench_3"], costs={"bench_4": 1.0})
    with pytest.raises(UsageError, match="cost of 'bench_4' must be a number above 0, got -1"):
        recommend(one, shown, costs={"bench_4": -1.0})
    with pytest.raises(
        UsageError, match=r"budget 0\.5 is below the cheapest probe, 'bench_4' at 1"
    ):
        recommend(one, shown, costs={"bench_4": 1.0}, budget=0.5)
    with pytest.raises(UsageError, match="every target benchmark has been run"):
        recommend(one, shown, targets=["bench_0"])
    with pytest.raises(UsageError, match="no target benchmark given"):
        recommend(one, shown, targets=[])
    with pytest.raises(UsageError, match="k must be at least 1, got 0"):
        recommend(one, shown, k=0)
    with pytest.raises(UsageError, match=r"probability must lie in \(0, 0\.998\], got 1\.5"):
        recommend(one, shown, prob=1.5)
    with pytest.raises(DataError, match="draws and predictions are of different benchmarks"):
        recommend(one, shown.take([1, 0, 2, 3, 4, 5, 6, 7]))


def test_recommending_needs_neither_jax_nor_scipy(repository: Path) -> None:
    code = (
        "import sys, bayesbench.design, bayesbench.answers.ranking, bayesbench.answers.decide;"
        "print([m for m in ('jax', 'numpyro', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_examples() -> None:
    assert failed_examples(importlib.import_module("bayesbench.design.recommend")) == 0


def test_alone_is_the_information_of_each_by_closed_form() -> None:
    """Two targets and one candidate more: -1/2 log(1 - r^2) of the sample, chance taken out."""
    one, shown = both(observed={0: 50.0})
    found = {each.benchmark_id: each for each in alone(one, shown, targets=["bench_2", "bench_3"])}
    assert set(found) == set(ids(N)[1:])
    state, S = moments(one), len(one.eta)
    total = np.diagonal(state.signal) + state.noise
    for c in range(1, N):
        gain = 0.0
        for t in (2, 3):
            squared = np.cov(one.eta[:, c], one.eta[:, t])[0, 1] ** 2
            squared -= state.signal[c, c] * state.signal[t, t] / (S - 1)
            gain -= 0.5 * np.log(1 - squared / (total[c] * total[t]))
        assert found[f"bench_{c}"].gain_nats == pytest.approx(max(gain, 0.0), abs=1e-12)


@pytest.mark.parametrize("targets", [None, ["bench_2", "bench_5"]])
def test_alone_describes_each_as_the_first_recommendation_would(targets: list[str] | None) -> None:
    one, shown = both()
    found = alone(one, shown, targets=targets)
    assert [each.gain_nats for each in found] == sorted((e.gain_nats for e in found), reverse=True)
    assert found[0].benchmark_id == recommend(one, shown, targets=targets, k=1)[0].benchmark_id
    for each in found:
        (only,) = recommend(one, shown, targets=targets, candidates=[each.benchmark_id], k=1)
        assert each.width_reduction == pytest.approx(only.width_reduction, rel=1e-9)
        assert each.gain_nats == pytest.approx(only.gain_nats, rel=1e-12)  # sums in another order
        same = {"width_reduction": 0.0, "gain_nats": 0.0}
        assert replace(each, **same) == replace(only, **same)


def test_alone_counts_what_it_costs_and_leaves_out_what_has_no_cost() -> None:
    one, shown = both()
    costs = {name: float(1 + n % 4) for n, name in enumerate(ids(N)[:-1])}
    found = alone(one, shown, costs=costs, exclude=["bench_3"])
    assert {each.benchmark_id for each in found} == set(costs) - {"bench_3"}
    ratios = [each.gain_nats / costs[each.benchmark_id] for each in found]
    assert ratios == sorted(ratios, reverse=True)
    assert [each.gain_per_cost for each in found] == ratios
    with pytest.raises(DataError, match="different benchmarks"):
        alone(replace(one, benchmark_ids=("x", *ids(N)[1:])), shown)
