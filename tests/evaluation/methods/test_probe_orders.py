"""Orders of probes: by information, by variance, by the error itself."""

from __future__ import annotations

import numpy as np

from bayesbench.design import Moments, Targets
from bayesbench.evaluation.methods.probe_orders import (
    _greedy,
    _Guess,
    by_information,
    by_variance,
    in_sample_policies,
    informed_policies,
    own_order,
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
    left, about = np.array([1, 2]), Targets(np.array([1, 2, 3]), np.ones(3), "exclude")
    assert by_information(state.given(0), left, about).argmax() == 1
    assert by_variance(state.given(0), left, about).argmax() == 0


def test_adaptive_orders_hold_only_scored_benchmarks(dated_matrix: ScoreMatrix) -> None:
    posterior = make_posterior(3, matrix=dated_matrix, spec=ModelSpec(rank=1), n_draws=30)
    order = own_order(posterior, dated_matrix, 2, 3, by_information)
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
    assert informed_policies(posterior, dated_matrix, 3, None) == informed_policies(
        posterior, other, 3, None
    )
    assert in_sample_policies(posterior, dated_matrix, 3) != in_sample_policies(posterior, other, 3)


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
