from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from scipy import stats

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.design import widths
from bayesbench.design.gain import Targets, target
from bayesbench.design.moments import Moments
from bayesbench.design.widths import all_width_reductions, expected_widths, width_reductions
from bayesbench.errors import UsageError
from tests.design.design_helpers import exact_state, failed_examples, ids

Z = 1.6448536269514722


def bounded(u: np.ndarray, centre: float, spread: float) -> np.ndarray:
    """Quantile function of a score on 0 to 100, crowded at a bound for a centre off 0."""
    return 100 / (1 + np.exp(-centre - spread * stats.norm.ppf(u)))


def tables(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.stack(
        [bounded(PREDICTIVE_LEVELS, *rng.uniform((-3, 0.3), (3, 1.5))) for _ in range(n)]
    )


@pytest.mark.parametrize("prob", [0.5, 0.8, 0.9, 0.99])
def test_without_a_probe_the_width_is_the_printed_interval(prob: float) -> None:
    """Quantiles without any shape: nothing but the table itself can be behind it."""
    rng = np.random.default_rng(0)
    quantiles = np.sort(rng.uniform(0, 100, (6, PREDICTIVE_LEVELS.size)), axis=1)
    low, high = (int(np.argmin(abs(PREDICTIVE_LEVELS - (0.5 + s * prob / 2)))) for s in (-1, 1))
    found = expected_widths(PREDICTIVE_LEVELS, quantiles, np.zeros(6), prob)
    np.testing.assert_allclose(found, quantiles[:, high] - quantiles[:, low], rtol=1e-12)


def test_all_explained_leaves_no_width() -> None:
    quantiles = tables(np.random.default_rng(1), 3)
    np.testing.assert_allclose(expected_widths(PREDICTIVE_LEVELS, quantiles, np.ones(3)), 0.0)


def test_a_normal_score_narrows_by_the_root_of_what_is_left() -> None:
    quantiles = 50 + 7 * stats.norm.ppf(PREDICTIVE_LEVELS)[None]
    for share in (0.0, 0.2, 0.5):
        found = expected_widths(PREDICTIVE_LEVELS, quantiles, np.array([share]), 0.9)
        # the table ends at 3.1 standard deviations: beyond it nothing is gained or lost much
        assert found[0] == pytest.approx(2 * Z * 7 * np.sqrt(1 - share), rel=0.005)


@pytest.mark.parametrize(
    ("rho", "centre", "spread"),
    [(0.5, 0.0, 1.0), (0.8, 2.5, 1.2), (-0.8, -3.0, 0.8), (0.95, 1.0, 1.5)],
)
def test_widths_are_those_of_conditioned_samples(rho: float, centre: float, spread: float) -> None:
    """A joint sample of the copula, cut into 400 slices of the probe's rank: mean slice width."""
    rng, slices, size = np.random.default_rng(2), 400, 1500
    probe = np.sort(rng.normal(size=slices * size))
    normal = rho * probe + np.sqrt(1 - rho**2) * rng.normal(size=probe.size)
    score = bounded(stats.norm.cdf(normal), centre, spread).reshape(slices, size)
    ends = np.quantile(score, [0.05, 0.95], axis=1)
    each = ends[1] - ends[0]
    quantiles = bounded(PREDICTIVE_LEVELS, centre, spread)[None]
    found = expected_widths(PREDICTIVE_LEVELS, quantiles, np.array([rho**2]))[0]
    # error of a slice: f = phi(z) / width of a normal slice, sqrt(0.05 * 0.95 / size) / f = 0.055
    # standard deviations (of 3.3) an end, 0.024 of the width for both, / sqrt(400) = 0.0012;
    # as much again for the width of a slice in the probe and for the kept levels
    assert found == pytest.approx(each.mean(), rel=3 * 0.0024)


@pytest.mark.parametrize("own", ["reading", "exclude"])
def test_reductions_of_a_batch_follow_the_conditional_variances(own: str) -> None:
    state = exact_state(3, 5)
    quantiles = tables(np.random.default_rng(3), 5)
    about = target(ids(5), ids(5)[1:], {"bench_1": 2, "bench_3": 1, "bench_4": 1}, own)  # type: ignore[arg-type]
    falls = width_reductions(state, [0, 3], about, PREDICTIVE_LEVELS, quantiles, 0.8)

    def mean_width(batch: list[int], weights: dict[int, float]) -> float:
        after = reduce(Moments.given, batch, state)
        total = 0.0
        for t, weight in weights.items():
            share = np.array([1 - after.variance[t] / state.variance[t]])
            width = expected_widths(PREDICTIVE_LEVELS, quantiles[[t]], share, 0.8)[0]
            total += weight * width / sum(weights.values())
        return total

    every = {1: 2.0, 3: 1.0, 4: 1.0}
    left = {1: 2.0, 4: 1.0} if own == "exclude" else every
    assert falls[0] == pytest.approx(mean_width([], every) - mean_width([0], every))
    assert falls[1] == pytest.approx(mean_width([0], left) - mean_width([0, 3], left))
    assert min(falls) > 0


def test_a_batch_that_leaves_no_target_narrows_nothing() -> None:
    state, quantiles = exact_state(4, 2), tables(np.random.default_rng(4), 2)
    about = target(ids(2), ids(2), None, "exclude")
    falls = width_reductions(state, [0, 1], about, PREDICTIVE_LEVELS, quantiles)
    assert falls[0] > 0
    assert falls[1] == 0.0


@pytest.mark.parametrize("own", ["reading", "exclude"])
def test_all_width_reductions_are_those_of_single_probes(own: str) -> None:
    state, quantiles = exact_state(5, 8), tables(np.random.default_rng(5), 8)
    about = Targets(np.array([4, 0, 2]), np.array([1.0, 0.0, 3.0]), own)  # type: ignore[arg-type]
    candidates = np.array([7, 2, 4, 0])
    found = all_width_reductions(state, candidates, about, PREDICTIVE_LEVELS, quantiles)
    single = [
        width_reductions(state, [int(j)], about, PREDICTIVE_LEVELS, quantiles)[0]
        for j in candidates
    ]
    np.testing.assert_allclose(found, single, rtol=1e-9)


def test_a_probability_that_is_none_is_named() -> None:
    for bad in (0.0, 1.0):
        with pytest.raises(UsageError, match=f"prob must lie in .* got {bad:g}"):
            expected_widths(np.array([0.5]), np.ones((1, 1)), np.zeros(1), bad)


def test_examples() -> None:
    assert failed_examples(widths) == 0
