"""New releases: only the past and k scores are shown; figures by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.evaluation import Family, NewRelease, evaluate
from bayesbench.evaluation.tasks import training_matrix
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal


def test_new_release_shows_only_the_past_and_k_scores(dated_matrix: ScoreMatrix) -> None:
    family = Family("late", "2025-02-15", prefixes=("m1",), exclude=("m10", "m11", "m12"))
    tasks = NewRelease([family], ks=(1, 3), seeds=2, seed=9).tasks(dated_matrix)
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
    (task,) = NewRelease([Family("one", "2024-10-15", ids=("m09",))], ks=(2,), seeds=1).tasks(
        dated_matrix
    )
    train, cells = training_matrix(dated_matrix, task)
    assert train.model_ids == tuple(f"m{i:02d}" for i in range(10))
    assert set(cells[:, 0]) == {9} and set(task.cells[:, 0]) == {9}


def test_models_released_on_the_very_day_are_not_before_it(dated_matrix: ScoreMatrix) -> None:
    family = Family("one", "2024-10-15", ids=("m10",))  # m09 came out on that day
    (task,) = NewRelease([family], ks=(2,), seeds=1).tasks(dated_matrix)
    assert task.rows is not None
    assert task.rows.tolist() == [*range(9), 10]


def test_families_without_members_or_past_are_refused(dated_matrix: ScoreMatrix) -> None:
    with pytest.raises(DataError, match="no model in the matrix"):
        NewRelease([Family("x", "2025-01-01", ids=("zzz",))]).tasks(dated_matrix)
    with pytest.raises(DataError, match="nothing released before"):
        NewRelease([Family("x", "2020-01-01", ids=("m00",))]).tasks(dated_matrix)
    with pytest.raises(UsageError, match="families of NewRelease is empty"):
        NewRelease([])


def test_a_model_with_no_more_than_k_scores_sits_out(dated_matrix: ScoreMatrix) -> None:
    family = Family("late", "2025-04-15", ids=("m15", "m16"))
    n = dated_matrix.observed.sum(axis=1)
    k = int(min(n[15], n[16]))
    tasks = NewRelease([family], ks=(k, 12), seeds=1).tasks(dated_matrix)
    left = {i for i in (15, 16) if n[i] > k}
    assert [set(task.cells[:, 0].tolist()) for task in tasks] == ([left] if left else [])


def test_new_release(dated_matrix: ScoreMatrix) -> None:
    families = [
        Family("m15", "2025-04-15", ids=("m15",)),
        Family("m16-17", "2025-05-15", prefixes=("m16", "m17")),
    ]
    result = evaluate(dated_matrix, NewRelease(families=families, ks=(1, 4), seeds=3), Normal())[
        "normal"
    ]
    figures = result.to_json()
    assert set(figures["by_k"]) == {"1", "4"}
    cells = result.table.cells
    for k, entry in figures["by_k"].items():
        part = cells[cells["k"] == int(k)]
        error = (part["median"] - part["truth"]).abs().to_numpy()
        assert entry["n_cells"] == len(part) and entry["medae"] == pytest.approx(np.median(error))
        shown = 3 * 3 * int(k)  # three models, three seeds
        counted = np.concatenate([error, np.zeros(shown)])
        assert entry["medae_counted"] == pytest.approx(np.median(counted))
        assert entry["n_cells_counted"] == len(part) + shown
        by_family = [np.median(error[part["family"] == f.name]) for f in families]
        assert entry["medae_family_median"] == pytest.approx(np.median(by_family))
        assert 0 <= entry["coverage90"] <= 1 and entry["not_predictable"] == 0
    assert figures["n_cells"] == len(cells)


def test_a_benchmark_without_training_scores_is_not_predictable(dated_matrix: ScoreMatrix) -> None:
    hidden = np.zeros(dated_matrix.shape, dtype=bool)
    hidden[:15, 2] = True
    matrix = dated_matrix.mask(hidden & dated_matrix.observed)
    assert matrix.observed[15:, 2].any()
    family = Family("late", "2025-04-15", ids=("m15", "m16", "m17"))
    result = evaluate(matrix, NewRelease([family], ks=(1,), seeds=4), "bias")["bias"]
    cells = result.table.cells
    unseen = cells["n_train_benchmark"] == 0
    assert unseen.any() and set(cells.loc[unseen, "benchmark_id"]) == {"b2"}
    np.testing.assert_array_equal(cells["median"].isna(), unseen)
    entry = result.figures["by_k"]["1"]
    assert entry["not_predictable"] == pytest.approx(unseen.mean())
    assert entry["n_cells"] == (~unseen).sum()


def test_families_stand_apart_and_are_drawn_whole(dated_matrix: ScoreMatrix) -> None:
    families = [
        Family("m14-15", "2025-03-15", ids=("m14", "m15")),
        Family("m16-17", "2025-05-15", prefixes=("m16", "m17")),
    ]
    result = evaluate(dated_matrix, NewRelease(families=families, ks=(1, 4), seeds=3), Normal())[
        "normal"
    ]
    found, cells = result.figures, result.table.cells
    assert list(found["by_family"]) == ["m14-15", "m16-17"]
    for family, by_k in found["by_family"].items():
        for k, entry in by_k.items():
            own = cells[(cells["family"] == family) & (cells["k"] == int(k))]
            error = (own["median"] - own["truth"]).abs()
            assert entry["medae"] == pytest.approx(error.median())
            assert entry["below90"] == pytest.approx((own["truth"] < own["lower90"]).mean())
            assert entry["above90"] == pytest.approx((own["truth"] > own["upper90"]).mean())
            assert sum(entry["pit"]) == entry["n_cells"] == len(own)
    for k, entry in found["by_k"].items():
        # of two families one, the other, or both are drawn
        at = {name: by_k[k]["medae"] for name, by_k in found["by_family"].items()}
        assert entry["medae_by_family_interval95"] == pytest.approx(sorted(at.values()))
        assert entry["n_clusters"] == 2
        tail = entry["below90"] + entry["above90"]
        assert entry["coverage90"] == pytest.approx(1 - tail)
