"""Protocol P4 by the low-rank model: who is left out, who recalibrates whom, which probes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayesbench.evaluation import Policy, Probes, evaluate
from bayesbench.evaluation.methods.probes import ProbesLowRank, _dealt
from bayesbench.evaluation.methods.raw import recalibrated_fold
from bayesbench.evaluation.tasks import FinishedFold, FoldTask
from bayesbench.low_rank.link import Transform
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.calibration import FEATURES, Calibration, Recalibration
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.conftest import Fake

METHOD = ProbesLowRank("low-rank", ModelSpec(rank=1))
ALL = np.arange(18)


def test_one_fit_per_model_that_never_saw_it(dated_matrix: ScoreMatrix, fake: Fake) -> None:
    tasks = Probes([Policy("given", (dated_matrix.benchmark_ids[:2],))], ks=(0, 2), sets=0, seed=1)
    made = METHOD.predict_tasks
    by_model: dict[int, list[FoldTask]] = {}
    for task in tasks.tasks(dated_matrix):
        by_model.setdefault(int(task.cells[0, 0]), []).append(task)
    predictions = [one for own in by_model.values() for one in made(dated_matrix, own)]
    gone = [set(np.flatnonzero(~train.observed.any(axis=1))) for train in fake.trained]
    assert sorted(min(rows) for rows in gone) == list(range(dated_matrix.shape[0]))
    assert all(len(rows) == 1 for rows in gone)
    assert all(np.isfinite(one.median).all() for one in predictions)


def test_recalibration_is_what_fit_learns_from_the_other_parts(
    dated_matrix: ScoreMatrix, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every part gets the calibration for new models of a matrix without its models, no other."""
    learned: list[tuple[set[int], int]] = []

    def recorded(matrix: ScoreMatrix, *_: Any, seed: int) -> Calibration:
        gone = set(np.flatnonzero(~matrix.observed.any(axis=1)).tolist())
        learned.append((gone, seed))
        wide = replace(NARROW, errors=NARROW.errors * (1 + min(gone)))
        return Calibration(NARROW, wide)

    monkeypatch.setattr("bayesbench.evaluation.methods.probes.learned_calibration", recorded)
    order = dated_matrix.benchmark_ids[:2]
    policies = [Policy("one", (order,)), Policy("other", (order[::-1],))]
    protocol = Probes(policies, ks=(0, 1), sets=0, seed=1)
    tasks = protocol.tasks(dated_matrix)
    folds = [
        FinishedFold(task, made, dated_matrix.values[tuple(task.cells.T)], 0.0)
        for task, made in zip(tasks, METHOD.predict_tasks(dated_matrix, tasks), strict=True)
    ]
    arranged = protocol.arranged(dated_matrix, folds)
    final = METHOD.finalize(dated_matrix, arranged)
    part = _dealt(dated_matrix)
    parts = [set(np.flatnonzero(part == p).tolist()) for p in range(part.max() + 1)]
    assert sorted(map(min, parts)) == sorted(min(gone) for gone, _ in learned)
    assert all(gone in parts for gone, _ in learned)
    base = Transform.from_matrix(dated_matrix)
    for fold, made in zip(arranged, final, strict=True):
        own = parts[part[fold.task.cells[0, 0]]]
        wide = replace(NARROW, errors=NARROW.errors * (1 + min(own)))
        wanted = recalibrated_fold(dated_matrix, base, fold, wide)
        np.testing.assert_array_equal(made.quantiles, wanted.quantiles)
        np.testing.assert_array_equal(made.median, wanted.median)


NARROW = Recalibration(
    np.zeros(len(FEATURES)),
    np.ones(len(FEATURES)),
    *np.zeros((3, 1 + len(FEATURES))),
    errors=np.arange(-59, 60) / 100,
)


def test_global_orders_never_saw_the_models_they_are_for(
    dated_matrix: ScoreMatrix, fake: Fake
) -> None:
    METHOD.policies(dated_matrix, np.array([2, 5]), 2, 7, None)
    gone = [set(np.flatnonzero(~train.observed.any(axis=1)).tolist()) for train in fake.trained]
    part = _dealt(dated_matrix)
    wanted = [{2}, {5}, *(set(np.flatnonzero(part == p)) for p in {part[2], part[5]}), set()]
    assert sorted(map(sorted, gone)) == sorted(map(sorted, wanted))


def test_policies_have_the_names_of_the_protocol(dated_matrix: ScoreMatrix, fake: Fake) -> None:
    cheap = dated_matrix.benchmark_ids[3:6]
    policies = {p.name: p for p in METHOD.policies(dated_matrix, ALL, 2, 7, (*cheap, "elsewhere"))}
    assert set(policies) == {
        "epig-global", "epig-low-cost", "epig-adaptive", "points-global", "points-low-cost",
        "points-adaptive", "max-variance", "max-variance-adaptive", "max-variance-low-cost",
        "greedy-in-sample", "oracle",
    }  # fmt: skip
    for name in ("epig-low-cost", "points-low-cost", "max-variance-low-cost"):
        (orders,) = policies[name].orders
        assert all(set(order) == set(cheap) for order in orders.values())  # type: ignore[union-attr]
    whole = set(dated_matrix.benchmark_ids)
    for name in ("epig-global", "points-global", "max-variance"):
        (orders,) = policies[name].orders
        assert all(set(order) == whole for order in orders.values())  # type: ignore[union-attr]
    assert {p.name for p in policies.values() if p.in_sample} == {"greedy-in-sample", "oracle"}
    for policy in policies.values():
        for order in policy.orders:
            by_model = order.values() if isinstance(order, dict) else [order]
            assert all(len(set(own)) == len(own) for own in by_model)
            if policy.name.endswith("-adaptive") or policy.in_sample:
                assert all(len(own) == 2 for own in by_model)


def test_policies_are_the_same_through_an_executor(dated_matrix: ScoreMatrix, fake: Fake) -> None:
    with ThreadPoolExecutor(2) as executor:
        there = METHOD.policies(dated_matrix, ALL, 2, 7, None, executor)
    assert there == METHOD.policies(dated_matrix, ALL, 2, 7, None)


@pytest.mark.slow
def test_the_protocol_with_the_sampler_itself(dated_matrix: ScoreMatrix) -> None:
    options = {"rank": 1, "draws": 20, "warmup": 10, "thin": 1}
    protocol = Probes(ks=(0, 2), sets=2)
    result = evaluate(dated_matrix, protocol, "low-rank", options=options)["low-rank"]
    for table in ("policies", "matched"):
        policies = result.figures[table]
        assert {"epig-global", "epig-adaptive", "random", "max-variance"} <= set(policies)
        for name, policy in policies.items():
            if name == "greedy-in-sample" and "2" not in policy:
                continue
            assert np.isfinite(policy["2"]["medae"])
            assert 0.5 < policy["2"]["coverage90"] <= 1.0
