"""Protocol P4 by the low-rank model: who is left out, who recalibrates whom, which probes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayesbench.design import Moments, Targets
from bayesbench.evaluation import FinishedFold, evaluate, run_tasks
from bayesbench.evaluation.methods.probe_orders import (
    _greedy,
    _Guess,
    by_information,
    by_variance,
    in_sample_policies,
    informed_policies,
    own_order,
)
from bayesbench.evaluation.methods.probes import ProbesLowRank, _dealt
from bayesbench.evaluation.protocols.probe_curves import by_policy
from bayesbench.evaluation.protocols.reveal import Policy, plan_probes
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores.matrix import ScoreMatrix
from tests.factories import make_posterior

METHOD = ProbesLowRank("low-rank", ModelSpec(rank=1))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[ScoreMatrix]:
    """Training matrices of the fits, whose draws are random numbers."""
    seen: list[ScoreMatrix] = []

    def fit(matrix: ScoreMatrix, spec: ModelSpec, config: Any, **options: Any) -> StoredPosterior:
        seen.append(matrix)
        return make_posterior(options["seed"], matrix=matrix, spec=spec, n_draws=20)

    monkeypatch.setattr("bayesbench.evaluation.methods.probes.sample", fit)
    return seen


def run(matrix: ScoreMatrix, order: tuple[str, ...]) -> list[FinishedFold]:
    plan = plan_probes(matrix, [Policy("given", (order,))], (0, 2), seed=1)
    return run_tasks(matrix, METHOD, plan.tasks, protocol="probes")


def test_one_fit_per_model_that_never_saw_it(
    dated_matrix: ScoreMatrix, trained: list[ScoreMatrix]
) -> None:
    folds = run(dated_matrix, dated_matrix.benchmark_ids[:2])
    gone = [set(np.flatnonzero(~train.observed.any(axis=1))) for train in trained]
    assert sorted(min(rows) for rows in gone) == list(range(dated_matrix.shape[0]))
    assert all(len(rows) == 1 for rows in gone)
    assert all(np.isfinite(fold.predictions.median).all() for fold in folds)


def test_recalibration_never_learns_from_the_model_it_serves(
    dated_matrix: ScoreMatrix, trained: list[ScoreMatrix]
) -> None:
    """Errors of model 0 blown up: its own intervals stay, those of the others widen."""
    plan = plan_probes(
        dated_matrix, [Policy("given", (dated_matrix.benchmark_ids[:2],))], (0, 2), seed=1
    )
    predictions = METHOD.predict_tasks(dated_matrix, plan.tasks)

    def finished(factor: float) -> list[np.ndarray[Any, Any]]:
        done = []
        for task, made in zip(plan.tasks, predictions, strict=True):
            rows, columns = task.cells.T
            truth = dated_matrix.values[rows, columns].copy()
            if rows[0] == 0:
                truth = np.where(truth > 50.0, truth - factor, truth + factor)
            done.append(FinishedFold(task, made, truth, 0.0))
        return [np.asarray(p.quantiles) for p in METHOD.finalize(dated_matrix, done)]

    owner = np.array([int(task.cells[0, 0]) for task in plan.tasks])
    part = _dealt(owner)
    changed = [
        not np.allclose(one, other) for one, other in zip(finished(0), finished(40), strict=True)
    ]
    with_it = set(owner[part == part[owner == 0][0]].tolist())
    assert len(with_it) < 4
    assert not any(c for c, row in zip(changed, owner, strict=True) if row in with_it)
    assert all(c for c, row in zip(changed, owner, strict=True) if row not in with_it)


def test_each_policy_is_recalibrated_on_its_own_folds(
    dated_matrix: ScoreMatrix, trained: list[ScoreMatrix]
) -> None:
    """Two policies that show the same: errors blown up in one leave the other as it is."""
    order = dated_matrix.benchmark_ids[:2]
    plan = plan_probes(
        dated_matrix, [Policy("one", (order,)), Policy("other", (order,))], (2,), seed=1
    )
    made = METHOD.predict_tasks(dated_matrix, plan.tasks)

    def quantiles(policy_at_fault: str) -> dict[str, np.ndarray[Any, Any]]:
        raw = [
            FinishedFold(task, part, dated_matrix.values[tuple(task.cells.T)], 0.0)
            for task, part in zip(plan.tasks, made, strict=True)
        ]
        folds = []
        for fold in by_policy(plan, raw):
            wrong = fold.task.tags["policy"] == policy_at_fault
            shift = np.where(fold.truth > 50.0, -40.0, 40.0) if wrong else 0.0
            folds.append(replace(fold, truth=fold.truth + shift))
        out: dict[str, list[np.ndarray[Any, Any]]] = {"one": [], "other": []}
        for fold, final in zip(folds, METHOD.finalize(dated_matrix, folds), strict=True):
            out[str(fold.task.tags["policy"])].append(np.asarray(final.quantiles))
        return {name: np.concatenate(parts) for name, parts in out.items()}

    right, wrong = quantiles("none"), quantiles("one")
    np.testing.assert_array_equal(right["one"], right["other"])
    np.testing.assert_array_equal(right["other"], wrong["other"])
    width = [made["one"][:, -1] - made["one"][:, 0] for made in (right, wrong)]
    assert (width[1] > width[0]).mean() > 0.9


def test_policies_have_the_names_of_the_protocol(
    dated_matrix: ScoreMatrix, trained: list[ScoreMatrix]
) -> None:
    cheap = dated_matrix.benchmark_ids[3:6]
    policies = {p.name: p for p in METHOD.policies(dated_matrix, 2, 7, (*cheap, "elsewhere"))}
    assert set(policies) == {
        "epig-global", "epig-low-cost", "epig-adaptive", "max-variance", "max-variance-adaptive",
        "max-variance-low-cost", "greedy-in-sample", "oracle",
    }  # fmt: skip
    for name in ("epig-low-cost", "max-variance-low-cost"):
        assert set(policies[name].orders[0]) <= set(cheap)
    assert {p.name for p in policies.values() if p.in_sample} == {"greedy-in-sample", "oracle"}
    for policy in policies.values():
        for order in policy.orders:
            by_model = order.values() if isinstance(order, dict) else [order]
            assert all(len(set(own)) == len(own) <= 2 for own in by_model)


def test_policies_are_the_same_through_an_executor(
    dated_matrix: ScoreMatrix, trained: list[ScoreMatrix]
) -> None:
    with ThreadPoolExecutor(2) as executor:
        there = METHOD.policies(dated_matrix, 2, 7, None, executor)
    assert there == METHOD.policies(dated_matrix, 2, 7, None)


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


@pytest.mark.slow
def test_the_protocol_with_the_sampler_itself(dated_matrix: ScoreMatrix) -> None:
    result = evaluate(
        dated_matrix, "probes", "low-rank", ks=(0, 2), n_seeds=2,
        options={"rank": 1, "draws": 20, "warmup": 10, "thin": 1},
    )  # fmt: skip
    policies = result.figures["policies"]
    assert {"epig-global", "epig-adaptive", "random", "max-variance"} <= set(policies)
    for policy in policies.values():
        assert np.isfinite(policy["2"]["medae"])
        assert 0.5 < policy["2"]["coverage90"] <= 1.0
