"""Orders of probes: by information, by variance, by the error itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesbench.design import Moments
from bayesbench.evaluation.methods.probe_orders import (
    ADAPTIVE,
    GLOBAL,
    Asked,
    _global_order,
    _greedy,
    _Guess,
    _points,
    by_information,
    by_points,
    by_variance,
    global_orders,
    in_sample_policies,
    own_orders,
)
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores.matrix import ScoreMatrix
from tests.factories import make_posterior


def test_information_knows_a_duplicate_and_variance_does_not() -> None:
    """b repeats a with much noise, c and d go together: after a, c tells most, b varies most."""
    signal = np.zeros((4, 4))
    signal[:2, :2] = [[4.0, 3.99], [3.99, 4.0]]
    signal[2:, 2:] = [[1.0, 0.9], [0.9, 1.0]]
    state = Moments(("a", "b", "c", "d"), np.zeros(4), signal, np.array([0.05, 3.0, 0.05, 0.05]))
    left, about = np.array([1, 2]), np.array([1, 2, 3])
    asked = Asked(state, np.ones(4)).given(0)
    assert by_information(asked, left, about).argmax() == 1
    assert by_points(asked, left, about).argmax() == 1
    assert by_variance(asked, left, about).argmax() == 0


def test_points_count_where_error_is_left() -> None:
    """a tells of b, which varies by many points; c tells as much of d, which varies by few."""
    signal = np.kron(np.eye(2), [[1.0, 0.9], [0.9, 1.0]])
    state = Moments(("a", "b", "c", "d"), np.zeros(4), signal, np.full(4, 0.1))
    asked = Asked(state, np.array([1.0, 20.0, 1.0, 2.0]))
    candidates, about = np.array([0, 2]), np.arange(4)
    alike = by_information(asked, candidates, about)
    np.testing.assert_allclose(alike[0], alike[1])
    first, second = by_points(asked, candidates, about)
    np.testing.assert_allclose(first / second, 10.0)


def test_points_are_those_of_the_score_scale(dated_matrix: ScoreMatrix) -> None:
    """Near a bound a step on the latent scale is worth fewer points than in the middle."""
    transform = Transform.from_matrix(dated_matrix)
    b = dated_matrix.shape[1]
    bounded = np.isfinite(transform.upper - transform.lower)
    at = np.full(b, 50.0)
    middle, edge = (
        np.where(bounded, transform.to_latent(np.where(bounded, x, transform.center)), 0.0)
        for x in (at, np.full(b, 97.0))
    )

    def points(mean: np.ndarray) -> np.ndarray:
        state = Moments(dated_matrix.benchmark_ids, mean, np.eye(b) * 1e-8, np.zeros(b))
        return _points(state, transform)[bounded]

    # a narrow state: the slope of the inverse logit, x (1 - x), times the spread
    spread = transform.spread[bounded]
    np.testing.assert_allclose(points(middle), 100 * 0.25 * spread, rtol=1e-3)
    np.testing.assert_allclose(points(edge), 100 * 0.97 * 0.03 * spread, rtol=1e-3)


def test_adaptive_orders_hold_only_scored_benchmarks(dated_matrix: ScoreMatrix) -> None:
    posterior = make_posterior(3, matrix=dated_matrix, spec=ModelSpec(rank=1), n_draws=30)
    orders = own_orders(posterior, dated_matrix, 2, 3, ADAPTIVE)
    assert set(orders) == set(ADAPTIVE)
    for order in orders.values():
        assert len(order) == 3
        assert all(dated_matrix.observed[2, dated_matrix.benchmark_index(b)] for b in order)


def test_global_orders_do_not_look_at_errors(dated_matrix: ScoreMatrix) -> None:
    posterior = make_posterior(3, matrix=dated_matrix, spec=ModelSpec(rank=1), n_draws=30)
    shuffled = dated_matrix.to_frame()
    percent = shuffled["score"].between(0, 100)
    shuffled.loc[percent, "score"] = np.random.default_rng(0).permutation(
        shuffled.loc[percent, "score"].to_numpy()
    )
    other = ScoreMatrix.from_frame(
        shuffled, benchmarks=dated_matrix.benchmarks, models=dated_matrix.models
    )
    elsewhere = replace(posterior, matrix=other)
    orders = global_orders(posterior, None, GLOBAL)
    assert orders == global_orders(elsewhere, None, GLOBAL)
    assert all(set(order) == set(dated_matrix.benchmark_ids) for order in orders.values())
    rows = np.arange(18)
    assert in_sample_policies(posterior, dated_matrix, rows, 3) != in_sample_policies(
        posterior, other, rows, 3
    )


def test_global_orders_add_up_over_the_models_that_have_a_score(dated_matrix: ScoreMatrix) -> None:
    """Brute force: at every step the sums anew, from models conditioned on what they showed."""
    rng = np.random.default_rng(4)
    known, b = [], dated_matrix.shape[1]
    for row in range(6):
        columns = np.flatnonzero(dated_matrix.observed[row])
        root = rng.normal(size=(b, b))
        state = Moments(dated_matrix.benchmark_ids, np.zeros(b), root @ root.T, np.full(b, 0.5))
        known.append((columns, Asked(state, np.ones(b)).of(columns)))
    shown: list[list[int]] = [[] for _ in known]
    wanted: list[int] = []
    for _ in range(b):
        total = np.zeros(b)
        for (columns, asked), own in zip(known, shown, strict=True):
            now = asked
            for place in own:
                now = now.given(place)
            left = np.setdiff1d(np.arange(columns.size), own)
            total[columns[left]] += by_information(now, left, left)
        best = max((j for j in range(b) if j not in wanted), key=lambda j: total[j])
        wanted.append(best)
        for (columns, _), own in zip(known, shown, strict=True):
            own.extend(np.flatnonzero(columns == best).tolist())
    found = _global_order(known, dated_matrix, dated_matrix.benchmark_ids, by_information)
    assert found == tuple(dated_matrix.benchmark_ids[j] for j in wanted)


def test_greedy_takes_the_score_that_lowers_the_error_most(dated_matrix: ScoreMatrix) -> None:
    """Brute force over the first two choices."""
    transform = Transform.from_matrix(dated_matrix)
    rng = np.random.default_rng(5)
    columns = np.arange(4)
    truth = np.array([30.0, 55.0, 60.0, 80.0])
    root = rng.normal(size=(4, 4))
    signal, noise, mean = root @ root.T, np.full(4, 0.3), rng.normal(size=4)
    latent = np.asarray(transform.to_latent(truth, columns))

    def error(shown: list[int]) -> float:
        """Exact conditioning on all shown at once."""
        joint = signal[np.ix_(shown, shown)] + np.diag(noise[shown])
        gain = signal[:, shown] @ np.linalg.inv(joint)
        score = transform.to_score(mean + gain @ (latent - mean)[shown], columns)
        return float(np.median(np.delete(np.abs(score - truth), shown)))

    first = min(range(4), key=lambda c: error([c]))
    second = min((c for c in range(4) if c != first), key=lambda c: error([first, c]))
    guess = _Guess(0, columns.astype(np.intp), truth, latent, mean, signal, noise)
    order = _greedy([guess], dated_matrix, transform, 4)
    assert order[:2] == tuple(dated_matrix.benchmark_ids[c] for c in (first, second))
    assert len(set(order)) == 4
