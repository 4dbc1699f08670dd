"""What a task hides and shows."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from bayesbench.errors import DataError, SchemaError, UnknownIdError, UsageError
from bayesbench.evaluation import BENCHPRESS_FAMILIES, Family, Policy, load_families
from bayesbench.evaluation.protocols.releases import (
    default_families,
    families_by_time,
    last_day,
    new_release_tasks,
)
from bayesbench.evaluation.protocols.reveal import curve_tasks, plan_probes, random_policy
from bayesbench.evaluation.tasks import fold_tasks, training_matrix
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.scores.splits import per_model_folds


def test_fold_tasks_hide_what_they_ask_for(dated_matrix: ScoreMatrix) -> None:
    tasks = fold_tasks(dated_matrix, per_model_folds(dated_matrix, 3, 5), seed=1)
    assert len({task.random_seed for task in tasks}) == 3
    union = sum(task.hidden.astype(int) for task in tasks)
    np.testing.assert_array_equal(union, dated_matrix.observed)
    for task in tasks:
        train, cells = training_matrix(dated_matrix, task)
        assert not train.observed[cells[:, 0], cells[:, 1]].any()
        assert train.n_cells + len(cells) == dated_matrix.n_cells
    assert len(fold_tasks(dated_matrix, per_model_folds(dated_matrix), 1, max_folds=2)) == 2


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-03-04", dt.date(2025, 3, 4)),
        ("2024-02", dt.date(2024, 2, 29)),
        ("2025", dt.date(2025, 12, 31)),
        ("", None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_last_day(text: object, day: dt.date | None) -> None:
    assert last_day(text) == day


def test_published_families() -> None:
    ids = (
        "deepseek-r1", "deepseek-r1-0528", "deepseek-r1-distill-llama-70b", "gemini-2.5-pro",
        "gpt-4.1", "gpt-4.1-mini", "qwen3-8b", "qwen3.5-397b", "claude-sonnet-4", "claude-opus-4",
        "claude-sonnet-4.5", "claude-opus-4.1", "gpt-5", "gpt-5-mini", "gpt-5.1",
    )  # fmt: skip
    members = {f.name: [ids[i] for i in f.members(ids)] for f in BENCHPRESS_FAMILIES}
    assert members == {
        "deepseek-r1": ["deepseek-r1", "deepseek-r1-distill-llama-70b"],
        "gemini-2.5-pro": ["gemini-2.5-pro"],
        "gpt-4.1": ["gpt-4.1", "gpt-4.1-mini"],
        "qwen3": ["qwen3-8b"],
        "claude-4": ["claude-sonnet-4", "claude-opus-4"],
        "gpt-5": ["gpt-5"],
        "claude-sonnet-4.5": ["claude-sonnet-4.5"],
        "gpt-5.1": ["gpt-5.1"],
    }


def test_new_release_shows_only_the_past_and_k_scores(dated_matrix: ScoreMatrix) -> None:
    family = Family("late", "2025-02-15", prefixes=("m1",), exclude=("m10", "m11", "m12"))
    tasks = new_release_tasks(dated_matrix, [family], ks=(1, 3), n_seeds=2, seed=9)
    assert [(task.seed, task.tags["k"]) for task in tasks] == [(9, 1), (9, 3), (10, 1), (10, 3)]
    for task in tasks:
        k = int(task.tags["k"])
        train, cells = training_matrix(dated_matrix, task)
        # released before the cutoff: m00 .. m12, m13 on the very day is a member
        assert train.model_ids == tuple(f"m{i:02d}" for i in range(18))
        assert task.rows is not None and set(task.rows) == set(range(18))
        assert (train.observed[13:].sum(axis=1) == k).all()
        assert not train.observed[cells[:, 0], cells[:, 1]].any()
        np.testing.assert_array_equal(train.observed[:13], dated_matrix.observed[:13])
        assert len(task.revealed) == 5 * k
        hidden_and_shown = len(cells) + len(task.revealed)
        assert hidden_and_shown == dated_matrix.observed[13:].sum()
    shown = [set(map(tuple, task.revealed.tolist())) for task in tasks]
    assert shown[0] < shown[1] and shown[0] != shown[2]


def test_later_models_are_not_even_rows(dated_matrix: ScoreMatrix) -> None:
    (task,) = new_release_tasks(
        dated_matrix, [Family("one", "2024-10-15", ids=("m09",))], ks=(2,), n_seeds=1
    )
    train, cells = training_matrix(dated_matrix, task)
    assert train.model_ids == tuple(f"m{i:02d}" for i in range(10))
    assert set(cells[:, 0]) == {9} and set(task.cells[:, 0]) == {9}


def test_bad_families(dated_matrix: ScoreMatrix, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no model in the matrix"):
        new_release_tasks(dated_matrix, [Family("x", "2025-01-01", ids=("zzz",))])
    with pytest.raises(DataError, match="nothing released before"):
        new_release_tasks(dated_matrix, [Family("x", "2020-01-01", ids=("m00",))])
    good = [{"name": "a", "cutoff": "2025-01-01", "prefixes": ["m1"], "exclude": ["m10"]}]
    path = tmp_path / "families.json"
    path.write_text(json.dumps(good))
    assert load_families(path) == (Family("a", "2025-01-01", prefixes=("m1",), exclude=("m10",)),)
    for bad in (
        "{",
        '[{"name": "a"}]',
        '[{"name": "a", "cutoff": "2025-01-01"}]',
        '[{"name": "a", "cutoff": "soon", "ids": ["m"]}]',
    ):
        path.write_text(bad)
        with pytest.raises(SchemaError, match=r"families\.json: not a families file"):
            load_families(path)
    with pytest.raises(SchemaError, match="cannot be read"):
        load_families(tmp_path / "none.json")


def test_families_by_time(dated_matrix: ScoreMatrix) -> None:
    families = families_by_time(dated_matrix, n_families=3, min_scores=5)
    assert [family.ids for family in families] == [("m15",), ("m16",), ("m17",)]
    assert families[0].cutoff == "2025-04-15"
    undated = ScoreMatrix.from_frame(dated_matrix.to_frame(wide=True), scale="rating")
    with pytest.raises(DataError, match="release_date"):
        default_families(undated)


def test_probe_plan(dated_matrix: ScoreMatrix) -> None:
    shared = Policy("shared", (("b1", "b4"),))
    own = Policy("own", ({"m03": ["b4", "b1"]},))
    plan = plan_probes(dated_matrix, [shared, own], ks=(0, 1, 2), seed=0)
    for task in plan.tasks:
        row = int(task.cells[0, 0])
        train, _ = training_matrix(dated_matrix, task)
        assert train.observed[row].sum() == len(task.revealed)
        others = np.arange(18) != row
        np.testing.assert_array_equal(train.observed[others], dated_matrix.observed[others])
    # at k = 0 every policy means the same tasks; an unnamed model shows nothing
    assert plan.uses["shared", 0, 0] == plan.uses["own", 0, 0] == plan.uses["shared", 0, 0]
    at_2 = [plan.tasks[n] for n in plan.uses["shared", 2, 0]]
    for task in at_2:
        row = int(task.cells[0, 0])
        have = {j for j in (1, 4) if dated_matrix.observed[row, j]}
        assert set(task.revealed[:, 1].tolist()) == have
    same = [n for n in plan.uses["shared", 2, 0] if plan.tasks[n].group == "m03"]
    assert same == [n for n in plan.uses["own", 2, 0] if plan.tasks[n].group == "m03"]
    with pytest.raises(UnknownIdError):
        plan_probes(dated_matrix, [Policy("x", (("nope",),))], ks=(1,), seed=0)
    with pytest.raises(UsageError, match="share a name"):
        plan_probes(dated_matrix, [shared, shared], ks=(1,), seed=0)


def test_random_policy_stays_within_the_named_benchmarks(dated_matrix: ScoreMatrix) -> None:
    few = dated_matrix.benchmark_ids[2:5]
    policy = random_policy(dated_matrix, 20, 1, 10, name="random-few", among=few)
    assert policy.name == "random-few"
    assert {frozenset(order) for order in policy.orders} == {frozenset(few)}
    assert len(set(policy.orders)) > 1


def test_random_policy_depends_on_the_seed_alone(dated_matrix: ScoreMatrix) -> None:
    one, again, other = (random_policy(dated_matrix, 2, seed, 4) for seed in (1, 1, 2))
    assert one == again and one != other
    assert len(one.orders) == 2 and one.orders[0] != one.orders[1]


def test_curve_tasks(dated_matrix: ScoreMatrix) -> None:
    tasks = curve_tasks(dated_matrix, ks=(1, 4), n_seeds=2, models_per_fit=5)
    for k in (1, 4):
        for seed in (42, 43):
            chosen = [t for t in tasks if t.tags["k"] == k and t.seed == seed]
            cells = sum(len(task.cells) for task in chosen)
            n_scores = dated_matrix.observed.sum(axis=1)
            assert cells == np.maximum(n_scores - k, 0).sum()
    for task in tasks:
        train, _ = training_matrix(dated_matrix, task)
        shown = train.observed[np.unique(task.cells[:, 0])].sum(axis=1)
        assert (shown == task.tags["k"]).all()
