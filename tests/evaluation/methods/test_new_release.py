"""New releases by the low-rank model: who is fitted with whom, and what is shared."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import UsageError
from bayesbench.evaluation import Family, NewRelease, build_method, evaluate
from bayesbench.evaluation.methods.new_release import NewReleaseLowRank
from bayesbench.evaluation.runner import run_tasks
from bayesbench.evaluation.tasks import FinishedFold
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.conftest import Fake

FAMILY = Family("late", "2025-04-01", ids=("m15", "m16"))


def rows_fitted(fake: Fake) -> list[set[int]]:
    return [set(np.flatnonzero(train.observed.any(axis=1)).tolist()) for train in fake.trained]


def intervals_hold_their_medians(folds: list[FinishedFold]) -> bool:
    for fold in folds:
        quantiles = fold.predictions.quantiles
        assert quantiles is not None
        assert np.isfinite(fold.predictions.median).all()
        low, high = quantiles[:, [3 + 4, -(3 + 5)]].T
        if not ((low < fold.predictions.median) & (fold.predictions.median < high)).all():
            return False
    return True


def test_new_releases_are_fitted_with_all_they_show(dated_matrix: ScoreMatrix, fake: Fake) -> None:
    tasks = NewRelease([FAMILY], ks=(1, 3), seeds=2).tasks(dated_matrix)
    method = build_method("low-rank", setting="releases", rank=1)
    folds = run_tasks(dated_matrix, method, tasks, protocol="new-release")
    earlier = set(range(15))
    shown = rows_fitted(fake)
    with_family = [n for n, rows in enumerate(shown) if rows == earlier | {15, 16}]
    assert len(with_family) == len(tasks)
    for number, task in zip(with_family, tasks, strict=True):
        train = fake.trained[number]
        assert not train.observed[task.hidden].any()
        assert train.observed[tuple(task.revealed.T)].all()
        assert train.observed[sorted(earlier)].sum() == dated_matrix.observed[sorted(earlier)].sum()
    # the cross-fits of the recalibration: of earlier models alone, shared by all tasks
    rest = [rows for n, rows in enumerate(shown) if n not in with_family]
    assert rest and all(rows <= earlier for rows in rest)
    assert len(rest) <= 15
    assert len(set(fake.readings)) == 1  # one shape, one compiled program
    assert intervals_hold_their_medians(folds)


def test_new_releases_by_conditioning_share_one_fit_of_the_models_before_them(
    dated_matrix: ScoreMatrix, fake: Fake
) -> None:
    tasks = NewRelease([FAMILY], ks=(1, 3), seeds=2).tasks(dated_matrix)
    method = build_method("low-rank", setting="releases", rank=1, update="condition")
    folds = run_tasks(dated_matrix, method, tasks, protocol="new-release")
    earlier = set(range(15))
    # both draws and both numbers of shown scores: one fit, and its cross-fits
    shown = rows_fitted(fake)
    assert shown.count(earlier) == 1
    assert all(rows <= earlier for rows in shown)
    assert len(set(fake.readings)) == 1
    assert intervals_hold_their_medians(folds)


@pytest.mark.parametrize("update", ["refit", "condition"])
def test_one_task_and_many_see_the_same_scores(
    dated_matrix: ScoreMatrix, fake: Fake, update: str
) -> None:
    (task,) = NewRelease([FAMILY], ks=(3,), seeds=1).tasks(dated_matrix)
    method = NewReleaseLowRank("low-rank", ModelSpec(rank=1), update=update)
    run_tasks(dated_matrix, method, [task], protocol="new-release")
    seen = sorted(train.observed.tobytes() for train in fake.trained)
    fake.trained.clear()
    assert task.rows is not None
    hidden = task.hidden.copy()
    hidden[np.setdiff1d(np.arange(dated_matrix.shape[0]), task.rows)] = True
    train = dated_matrix.mask(hidden & dated_matrix.observed)
    method.predict(train, task.cells, task.random_seed)
    assert seen == sorted(train.observed.tobytes() for train in fake.trained)


def test_an_unknown_update_is_refused() -> None:
    with pytest.raises(UsageError, match="refit or condition"):
        build_method("low-rank", setting="releases", update="guess")
    with pytest.raises(UsageError, match="update"):
        build_method("low-rank", setting="cells", update="refit")


def test_shown_scores_move_the_predictions_of_a_new_release(
    dated_matrix: ScoreMatrix, fake: Fake
) -> None:
    family = Family("late", "2025-04-01", ids=("m16",))
    few, many = NewRelease([family], ks=(1, 5), seeds=1).tasks(dated_matrix)
    method = build_method("low-rank", setting="releases", rank=1)
    one, other = run_tasks(dated_matrix, method, [few, many], protocol="new-release")
    common = [tuple(cell) for cell in many.cells]
    at = [n for n, cell in enumerate(few.cells) if tuple(cell) in common]
    assert not np.allclose(one.predictions.median[at], other.predictions.median)


@pytest.mark.slow
def test_new_releases_with_the_sampler_itself(dated_matrix: ScoreMatrix) -> None:
    family = Family("late", "2025-04-01", ids=("m15", "m16", "m17"))
    options = {"rank": 1, "draws": 20, "warmup": 10, "thin": 1}
    protocol = NewRelease([family], ks=(2,), seeds=1)
    release = evaluate(dated_matrix, protocol, "low-rank", options=options)["low-rank"]
    assert np.isfinite(release.figures["medae"])
