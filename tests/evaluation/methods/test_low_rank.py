"""The low-rank model as a method: engines and options, and recalibration that is never its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayesbench.answers.prediction import PREDICTIVE_LEVELS
from bayesbench.errors import UsageError
from bayesbench.evaluation import FinishedFold, build_method, evaluate, run_tasks
from bayesbench.evaluation.methods.low_rank import LowRank
from bayesbench.evaluation.methods.new_release import NewReleaseLowRank
from bayesbench.evaluation.methods.peers.base import CellPredictions
from bayesbench.evaluation.methods.probes import ProbesLowRank
from bayesbench.evaluation.protocols.releases import Family, new_release_tasks
from bayesbench.evaluation.tasks import fold_tasks
from bayesbench.fitting.crossfit import HeldOut
from bayesbench.fitting.engines.settings import NUTS, SVI, Gibbs
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.scores.splits import per_model_folds
from tests.factories import make_posterior

SMALL: dict[str, Any] = {"rank": 1, "draws": 20, "warmup": 10, "thin": 1}
MIDDLE = int(np.argmin(np.abs(PREDICTIVE_LEVELS - 0.5)))


class Fake:
    """Takes the place of the sampler: random draws, and a note of every training matrix."""

    def __init__(self) -> None:
        self.trained: list[ScoreMatrix] = []
        self.readings: list[int] = []

    def __call__(
        self, matrix: ScoreMatrix, spec: ModelSpec, config: Any, **options: Any
    ) -> StoredPosterior:
        self.trained.append(matrix)
        self.readings.append(options.get("n_readings", 0))
        return make_posterior(options["seed"], matrix=matrix, spec=spec, n_draws=20)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr("bayesbench.evaluation.methods.low_rank.sample", made)
    monkeypatch.setattr("bayesbench.evaluation.methods.new_release.sample", made)
    monkeypatch.setattr("bayesbench.fitting.crossfit.sample", made)
    return made


def test_names_and_options_choose_engine_and_settings() -> None:
    gibbs = build_method("low-rank", rank=2, student_t=False, draws=30)
    assert isinstance(gibbs, LowRank)
    assert gibbs.spec == ModelSpec(rank=2, student_t=False)
    assert isinstance(gibbs.config, Gibbs)
    assert gibbs.config.draws == 30
    for name, kind in (("low-rank-nuts", NUTS), ("low-rank-svi", SVI)):
        assert isinstance(build_method(name).config, kind)  # type: ignore[attr-defined]
    assert isinstance(build_method("low-rank", protocol="new-release"), NewReleaseLowRank)
    assert isinstance(build_method("low-rank", protocol="probes"), ProbesLowRank)


def test_options_and_engines_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="colour"):
        build_method("low-rank", colour="red")
    with pytest.raises(UsageError, match="new-release"):
        build_method("low-rank-nuts", protocol="new-release")


def small_folds(matrix: ScoreMatrix, seeds: tuple[int, ...]) -> list[Any]:
    return fold_tasks(matrix, [s for n in seeds for s in per_model_folds(matrix, 3, n)], seed=0)


def test_each_fold_is_recalibrated_by_the_others_of_its_seed(
    dated_matrix: ScoreMatrix, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[HeldOut] = []
    real = HeldOut.recalibration

    def recalibration(self: HeldOut) -> Any:
        used.append(self)
        return real(self)

    monkeypatch.setattr(HeldOut, "recalibration", recalibration)
    method, tasks = LowRank("low-rank"), small_folds(dated_matrix, (1, 2))
    folds = run_tasks(dated_matrix, method, tasks)
    assert len(fake.trained) == 6
    for number, fold in enumerate(folds):
        hidden = fold.task.hidden
        assert not fake.trained[number].observed[hidden].any()
        others = [t for t in tasks if t.seed == fold.task.seed and t.fold != fold.task.fold]
        assert used[number].truth.size == sum(len(task.cells) for task in others)
        quantiles = fold.predictions.quantiles
        assert quantiles is not None
        assert np.isfinite(quantiles).all()
        assert (np.diff(quantiles, axis=1) >= 0).all()
        np.testing.assert_allclose(quantiles[:, MIDDLE], fold.predictions.median)


def test_the_truth_of_a_fold_does_not_reach_its_own_predictions(
    dated_matrix: ScoreMatrix, fake: Fake
) -> None:
    method, tasks = LowRank("low-rank"), small_folds(dated_matrix, (1,))
    raw = [method.predict(dated_matrix.mask(t.hidden), t.cells, t.random_seed) for t in tasks]
    truth = [dated_matrix.values[t.cells[:, 0], t.cells[:, 1]] for t in tasks]

    def finalized(own: np.ndarray) -> CellPredictions:
        parts = zip(tasks, raw, [own, *truth[1:]], strict=True)
        folds = [FinishedFold(task, made, known, 0.0) for task, made, known in parts]
        return method.finalize(dated_matrix, folds)[0]

    one, other = finalized(truth[0]), finalized(np.clip(truth[0] + 20.0, 0.0, 100.0))
    np.testing.assert_array_equal(one.quantiles, other.quantiles)
    assert not np.array_equal(one.quantiles, raw[0].quantiles)


def test_a_fold_alone_is_recalibrated_inside_its_training_scores(
    dated_matrix: ScoreMatrix, fake: Fake
) -> None:
    task = small_folds(dated_matrix, (1,))[0]
    (fold,) = run_tasks(dated_matrix, LowRank("low-rank"), [task])
    assert len(fake.trained) == 4  # the fold, and three cross-fits inside it
    assert not any(train.observed[task.hidden].any() for train in fake.trained)
    assert fold.predictions.quantiles is not None
    assert np.isfinite(fold.predictions.quantiles).all()


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
    tasks = new_release_tasks(dated_matrix, [FAMILY], ks=(1, 3), n_seeds=2)
    method = build_method("low-rank", protocol="new-release", rank=1)
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
    tasks = new_release_tasks(dated_matrix, [FAMILY], ks=(1, 3), n_seeds=2)
    method = build_method("low-rank", protocol="new-release", rank=1, update="condition")
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
    (task,) = new_release_tasks(dated_matrix, [FAMILY], ks=(3,), n_seeds=1)
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
        build_method("low-rank", protocol="new-release", update="guess")
    with pytest.raises(UsageError, match="update"):
        build_method("low-rank", protocol="folds", update="refit")


def test_lists_of_options_become_tuples() -> None:
    method = build_method("low-rank", covariates=["reasoning"])
    assert method.spec.covariates == ("reasoning",)  # type: ignore[attr-defined]


def test_shown_scores_move_the_predictions_of_a_new_release(
    dated_matrix: ScoreMatrix, fake: Fake
) -> None:
    family = Family("late", "2025-04-01", ids=("m16",))
    few, many = new_release_tasks(dated_matrix, [family], ks=(1, 5), n_seeds=1)
    method = build_method("low-rank", protocol="new-release", rank=1)
    one, other = run_tasks(dated_matrix, method, [few, many], protocol="new-release")
    common = [tuple(cell) for cell in many.cells]
    at = [n for n, cell in enumerate(few.cells) if tuple(cell) in common]
    assert not np.allclose(one.predictions.median[at], other.predictions.median)


@pytest.mark.slow
def test_folds_and_new_releases_with_the_sampler_itself(dated_matrix: ScoreMatrix) -> None:
    folds = evaluate(dated_matrix, "folds", "low-rank", options=SMALL)
    assert folds.figures["n_cells"] == dated_matrix.n_cells
    assert np.isfinite(folds.figures["crps"])
    assert 0.7 < folds.figures["coverage90"] <= 1.0
    family = Family("late", "2025-04-01", ids=("m15", "m16", "m17"))
    release = evaluate(
        dated_matrix, "new-release", "low-rank", families=[family], ks=(2,), n_seeds=1,
        options=SMALL,
    )  # fmt: skip
    assert np.isfinite(release.figures["medae"])
