"""Probes: tasks that policies share, plans of the method, figures by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import UnknownIdError, UsageError
from bayesbench.evaluation import Policy, Probes, evaluate
from bayesbench.evaluation.runner import run_tasks
from bayesbench.evaluation.tasks import FinishedFold, training_matrix
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal, Planner


def test_tasks_show_the_probes_alone_and_are_shared(dated_matrix: ScoreMatrix) -> None:
    shared = Policy("shared", (("b1", "b4"),))
    own = Policy("own", ({"m03": ["b4", "b1"]},))
    protocol = Probes([shared, own], ks=(0, 1, 2), sets=0, seed=0)
    tasks = protocol.tasks(dated_matrix)
    for task in tasks:
        row = int(task.cells[0, 0])
        train, _ = training_matrix(dated_matrix, task)
        assert train.observed[row].sum() == len(task.revealed)
        others = np.arange(18) != row
        np.testing.assert_array_equal(train.observed[others], dated_matrix.observed[others])
    assert len({task.key for task in tasks}) == len(tasks)
    folds = run_tasks(dated_matrix, Normal(), tasks)
    used = uses(protocol.arranged(dated_matrix, folds))
    # at k = 0 every policy means the same tasks
    assert used["shared", 0] == used["own", 0] and len(used["shared", 0]) == 18
    for row, shown in used["shared", 2].items():
        assert shown == {j for j in (1, 4) if dated_matrix.observed[row, j]}
    # the order named for one model holds the same two; an unnamed model shows nothing
    assert used["own", 2] == {**used["own", 0], 3: used["shared", 2][3]}
    # at two scores only models that have both are left, and of the named one its own
    used = uses(protocol.arranged(dated_matrix, folds), "matched")
    both = np.flatnonzero(dated_matrix.observed[:, [1, 4]].all(axis=1))
    assert used["shared", 2] == {row: {1, 4} for row in both}
    assert set(used["own", 2]) == {3}
    count = dated_matrix.observed.sum(axis=0)
    for row, shown in used["popularity", 2].items():
        left = np.flatnonzero(dated_matrix.observed[row])
        assert min(count[sorted(shown)]) >= max(count[[j for j in left if j not in shown]])


def uses(
    folds: list[FinishedFold], table: str = "policies"
) -> dict[tuple[str, int], dict[int, set[int]]]:
    """By policy and k: every model's benchmarks shown."""
    found: dict[tuple[str, int], dict[int, set[int]]] = {}
    for fold in folds:
        tags = fold.task.tags
        if tags["table"] != table:
            continue
        place = found.setdefault((str(tags["policy"]), int(tags["k"])), {})
        place[int(fold.task.cells[0, 0])] = set(fold.task.revealed[:, 1].tolist())
    return found


def test_only_some_models_are_tested(dated_matrix: ScoreMatrix) -> None:
    given = Policy("given", (("b1", "b4"),))
    protocol = Probes([given], ks=(1,), sets=1, models=["m05", "m11"])
    assert {int(task.cells[0, 0]) for task in protocol.tasks(dated_matrix)} == {5, 11}
    with pytest.raises(UnknownIdError):
        Probes([given], models=["nobody"]).tasks(dated_matrix)
    with pytest.raises(UsageError, match="models of Probes is empty"):
        Probes([given], models=[])


def test_only_the_first_tasks_and_what_uses_them(dated_matrix: ScoreMatrix) -> None:
    protocol = Probes([Policy("p", (("b1",),))], ks=(0, 1), sets=0, max_folds=20)
    tasks = protocol.tasks(dated_matrix)
    assert len(tasks) == 20
    made = run_tasks(dated_matrix, Normal(), tasks)
    assert {id(fold.predictions) for fold in protocol.arranged(dated_matrix, made)} == {
        id(fold.predictions) for fold in made
    }


def test_policies_need_names_and_ids_of_their_own(dated_matrix: ScoreMatrix) -> None:
    shared = Policy("shared", (("b1",),))
    with pytest.raises(UsageError, match="share a name"):
        Probes([shared, shared])
    with pytest.raises(UnknownIdError):
        Probes([Policy("x", (("nope",),))], ks=(1,)).tasks(dated_matrix)
    clash = Probes([Policy("random-low-cost", (("b1",),))], low_cost=["b1"], ks=(1,))
    with pytest.raises(UsageError, match="share a name"):
        clash.tasks(dated_matrix)


def test_random_sets_join_unless_they_are_given(dated_matrix: ScoreMatrix) -> None:
    def names(**parameters: object) -> list[str]:
        protocol = Probes(ks=(1, 3), **parameters)  # type: ignore[arg-type]
        return [policy.name for policy in protocol.compared(dated_matrix)]

    cheap = ["popularity", "popularity-low-cost"]
    assert names(sets=2) == ["popularity", "random"]
    assert names(sets=2, low_cost=["b1", "elsewhere"]) == [*cheap, "random", "random-low-cost"]
    assert names(sets=2, low_cost=["elsewhere"]) == ["popularity", "random"]
    assert names(sets=0, low_cost=["b1"]) == cheap
    given = [Policy("random", (("b1",),)), Policy("popularity", (("b1",),))]
    assert names(policies=given, low_cost=["b1"]) == ["random", *cheap]


def test_the_method_plans_for_the_most_probes_and_the_seed(dated_matrix: ScoreMatrix) -> None:
    asked: list[object] = []

    class Asked(Planner):
        def policies(self, matrix, rows, length, seed, low_cost, executor=None):  # type: ignore[no-untyped-def]
            asked.extend([rows.tolist(), length, seed, low_cost, executor])
            return [Policy("mine", (("b2",),))]

    given = Policy("given", (("b1",),))
    protocol = Probes([given], low_cost=["b3"], ks=(2, 4), models=["m04", "m02"], seed=9)
    planned = protocol.planned_by(dated_matrix, Asked())
    assert asked == [[2, 4], 4, 9, ("b3",), None]
    assert [policy.name for policy in planned.policies] == ["given", "mine"]
    assert (planned.ks, planned.seed) == (protocol.ks, protocol.seed)
    assert protocol.planned_by(dated_matrix, Normal()) is protocol


def test_probes(dated_matrix: ScoreMatrix) -> None:
    given = Policy("given", (("b0", "b3"),), in_sample=True)
    result = evaluate(
        dated_matrix,
        Probes(policies=[given], low_cost=["b5", "b6"], ks=(0, 1, 2), sets=2),
        Planner(),
    )["normal"]
    policies = result.to_json()["policies"]
    naive = {f"{name}{end}" for name in ("random", "popularity") for end in ("", "-low-cost")}
    assert (
        set(policies)
        == set(result.to_json()["matched"])
        == {"given", "planned", "adaptive"} | naive
    )
    assert policies["given"]["2"]["probes"] == ["b0", "b3"] and policies["given"]["1"]["in_sample"]
    assert policies["planned"]["1"]["probes"] == ["b5"]
    assert policies["adaptive"]["1"]["probes"] is None
    assert len(policies["random"]["1"]["medae_replicates"]) == 2
    observed = dated_matrix.observed
    at_2 = policies["given"]["2"]
    n_shown = int(observed[:, [0, 3]].sum())
    assert at_2["n_cells"] == dated_matrix.n_cells - n_shown
    assert at_2["n_cells_counted"] == dated_matrix.n_cells
    # by hand: the column means of the other models, at the cells of given at k = 2
    errors = []
    for i, j in np.argwhere(observed):
        if j not in (0, 3):
            others = np.delete(dated_matrix.values[:, j], i)
            errors.append(abs(np.nanmean(others) - dated_matrix.values[i, j]))
    assert at_2["medae"] == pytest.approx(np.median(errors))
    assert policies["given"]["0"] == {**policies["planned"]["0"], "in_sample": True}
