"""Protocol P4 by the low-rank model: who is left out, who recalibrates whom, which probes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayesbench.evaluation import Policy, Probes, evaluate
from bayesbench.evaluation.methods.probes import ProbesLowRank, _dealt
from bayesbench.evaluation.runner import run_tasks
from bayesbench.evaluation.tasks import FinishedFold
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.conftest import Fake

METHOD = ProbesLowRank("low-rank", ModelSpec(rank=1))


def run(matrix: ScoreMatrix, order: tuple[str, ...]) -> list[FinishedFold]:
    tasks = Probes([Policy("given", (order,))], ks=(0, 2), sets=0, seed=1).tasks(matrix)
    return run_tasks(matrix, METHOD, tasks, protocol="probes")


def test_one_fit_per_model_that_never_saw_it(dated_matrix: ScoreMatrix, fake: Fake) -> None:
    folds = run(dated_matrix, dated_matrix.benchmark_ids[:2])
    gone = [set(np.flatnonzero(~train.observed.any(axis=1))) for train in fake.trained]
    assert sorted(min(rows) for rows in gone) == list(range(dated_matrix.shape[0]))
    assert all(len(rows) == 1 for rows in gone)
    assert all(np.isfinite(fold.predictions.median).all() for fold in folds)


def test_recalibration_never_learns_from_the_model_it_serves(
    dated_matrix: ScoreMatrix, fake: Fake
) -> None:
    """Errors of model 0 blown up: its own intervals stay, those of the others widen."""
    given = Policy("given", (dated_matrix.benchmark_ids[:2],))
    tasks = Probes([given], ks=(0, 2), sets=0, seed=1).tasks(dated_matrix)
    predictions = METHOD.predict_tasks(dated_matrix, tasks)

    def finished(factor: float) -> list[np.ndarray[Any, Any]]:
        done = []
        for task, made in zip(tasks, predictions, strict=True):
            rows, columns = task.cells.T
            truth = dated_matrix.values[rows, columns].copy()
            if rows[0] == 0:
                truth = np.where(truth > 50.0, truth - factor, truth + factor)
            done.append(FinishedFold(task, made, truth, 0.0))
        return [np.asarray(p.quantiles) for p in METHOD.finalize(dated_matrix, done)]

    owner = np.array([int(task.cells[0, 0]) for task in tasks])
    part = _dealt(owner)
    changed = [
        not np.allclose(one, other) for one, other in zip(finished(0), finished(40), strict=True)
    ]
    with_it = set(owner[part == part[owner == 0][0]].tolist())
    assert len(with_it) < 4
    assert not any(c for c, row in zip(changed, owner, strict=True) if row in with_it)
    assert all(c for c, row in zip(changed, owner, strict=True) if row not in with_it)


def test_each_policy_is_recalibrated_on_its_own_folds(
    dated_matrix: ScoreMatrix, fake: Fake
) -> None:
    """Two policies that show the same: errors blown up in one leave the other as it is."""
    order = dated_matrix.benchmark_ids[:2]
    policies = [Policy("one", (order,)), Policy("other", (order,))]
    protocol = Probes(policies, ks=(2,), sets=0, seed=1)
    tasks = protocol.tasks(dated_matrix)
    made = METHOD.predict_tasks(dated_matrix, tasks)

    def quantiles(policy_at_fault: str) -> dict[str, np.ndarray[Any, Any]]:
        raw = [
            FinishedFold(task, part, dated_matrix.values[tuple(task.cells.T)], 0.0)
            for task, part in zip(tasks, made, strict=True)
        ]
        folds = []
        for fold in protocol.arranged(dated_matrix, raw):
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


def test_policies_have_the_names_of_the_protocol(dated_matrix: ScoreMatrix, fake: Fake) -> None:
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


def test_policies_are_the_same_through_an_executor(dated_matrix: ScoreMatrix, fake: Fake) -> None:
    with ThreadPoolExecutor(2) as executor:
        there = METHOD.policies(dated_matrix, 2, 7, None, executor)
    assert there == METHOD.policies(dated_matrix, 2, 7, None)


@pytest.mark.slow
def test_the_protocol_with_the_sampler_itself(dated_matrix: ScoreMatrix) -> None:
    options = {"rank": 1, "draws": 20, "warmup": 10, "thin": 1}
    protocol = Probes(ks=(0, 2), sets=2)
    result = evaluate(dated_matrix, protocol, "low-rank", options=options)["low-rank"]
    policies = result.figures["policies"]
    assert {"epig-global", "epig-adaptive", "random", "max-variance"} <= set(policies)
    for policy in policies.values():
        assert np.isfinite(policy["2"]["medae"])
        assert 0.5 < policy["2"]["coverage90"] <= 1.0
