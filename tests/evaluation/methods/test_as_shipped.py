"""The product as a method: the very answers of the front door, and no other scores than shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.evaluation import AsShipped, build_method, evaluate, metrics
from bayesbench.evaluation.honesty import RAW, RAW_LEVELS
from bayesbench.evaluation.methods import front_door
from bayesbench.evaluation.methods.as_shipped import AsShippedLowRank
from bayesbench.evaluation.tasks import FoldTask, training_matrix
from bayesbench.front.posterior import Posterior, open_posterior
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.scores.matrix import ScoreMatrix
from tests.factories import make_matrix, make_posterior, with_calibration

METHOD = build_method("low-rank", setting="shipped")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calibrated, of the first 12 of 16 models."""
    whole = make_matrix(1, 16, 9)
    fitted = whole.subset(models=whole.model_ids[:12])
    path = tmp_path_factory.mktemp("shipped") / "posterior.nc"
    with_calibration(make_posterior(2, matrix=fitted, n_draws=200), 1.5).save(path)
    return path


@pytest.fixture(scope="module")
def tasks(file: Path) -> tuple[ScoreMatrix, list[FoldTask]]:
    protocol = AsShipped(posterior=str(file), ks=(0, 1, 3), seeds=2)
    matrix = protocol.prepared(make_matrix(1, 16, 9))
    return matrix, protocol.tasks(matrix)


def picked(tasks: list[FoldTask], **tags: object) -> FoldTask:
    return next(task for task in tasks if tags.items() <= task.tags.items())


@pytest.mark.parametrize("told", ["scores", "facts", "id"])
def test_the_answer_is_that_of_the_front_door(
    file: Path, tasks: tuple[ScoreMatrix, list[FoldTask]], told: str
) -> None:
    matrix, every = tasks
    task = picked(every, input=told, reveal="random", k=3)
    (made,) = METHOD.predict_tasks(matrix, [task])  # type: ignore[attr-defined]
    row = int(task.cells[0, 0])
    scores = {matrix.benchmark_ids[j]: matrix.values[row, j] for j in task.revealed[:, 1]}
    assert len(scores) == 3
    model = open_posterior(file).condition(
        scores,
        facts=None if told == "scores" else ModelFacts.of(matrix, row),
        id=matrix.model_ids[row] if told == "id" else None,
        seed=task.random_seed % 2**31,
    )
    names = [matrix.benchmark_ids[j] for j in task.cells[:, 1]]
    expected = model.predict(names)
    np.testing.assert_array_equal(made.median, expected.median)
    assert made.quantiles is not None
    np.testing.assert_array_equal(made.quantiles, expected.cells.score_quantiles)
    assert (RAW_LEVELS[0], RAW_LEVELS[-1]) == (0.05, 0.95)
    lower, upper = model.predict(names, raw=True).interval(0.9)
    np.testing.assert_allclose(made.extras[RAW][:, [0, -1]], np.stack([lower, upper], axis=1))
    assert (made.extras[RAW][:, 0] != made.quantiles[:, 7]).any()  # level 0.05, recalibrated
    within = metrics.probability_within(made.median, PREDICTIVE_LEVELS, made.quantiles, 10.0)
    np.testing.assert_allclose(within, expected.p_within(10.0), atol=0.02)


def test_inputs_tell_different_things(tasks: tuple[ScoreMatrix, list[FoldTask]]) -> None:
    matrix, every = tasks
    row = every[0].fold  # a model with facts
    assert ModelFacts.of(matrix, row).given
    told = [
        METHOD.predict_tasks(matrix, [task])[0].median  # type: ignore[attr-defined]
        for task in every
        if task.fold == row and task.tags["k"] == 0
    ]
    assert len(told) == 3 and not np.array_equal(told[0], told[1])


def test_scores_are_revealed_as_recommended(
    file: Path, tasks: tuple[ScoreMatrix, list[FoldTask]]
) -> None:
    matrix, every = tasks
    task = picked(every, input="facts", reveal="adaptive", k=3)
    assert not task.revealed.size
    row = int(task.cells[0, 0])
    names = [matrix.benchmark_ids[j] for j in task.cells[:, 1]]
    model = open_posterior(file).condition(
        facts=ModelFacts.of(matrix, row), seed=task.random_seed % 2**31
    )
    for _ in range(3):
        left = [name for name in names if name not in model.observed]
        best = model.recommend(1, candidates=left)[0].benchmark_id
        model = model.observe(best, matrix.values[row, matrix.benchmark_index(best)])
    (made,) = METHOD.predict_tasks(matrix, [task])  # type: ignore[attr-defined]
    shown = {name for name, looked in zip(names, made.extras["shown"], strict=True) if looked}
    assert shown == set(model.observed) and len(shown) == 3
    assert np.isnan(made.median[made.extras["shown"]]).all()
    rest = [name for name in names if name not in shown]
    np.testing.assert_array_equal(made.median[~made.extras["shown"]], model.predict(rest).median)


def test_hidden_scores_play_no_part(tasks: tuple[ScoreMatrix, list[FoldTask]]) -> None:
    matrix, every = tasks
    task = picked(every, input="id", reveal="random", k=1)
    hidden = np.zeros(matrix.shape, dtype=bool)
    hidden[tuple(task.cells.T)] = True
    changed = ScoreMatrix(
        matrix.models,
        matrix.benchmarks,
        matrix.readings.assign(
            score=[
                99.0 if hidden[matrix.model_index(m), matrix.benchmark_index(b)] else score
                for m, b, score in matrix.readings[
                    ["model_id", "benchmark_id", "score"]
                ].itertuples(index=False)
            ]
        ),
    )
    one, other = (
        METHOD.predict_tasks(which, [task])[0]  # type: ignore[attr-defined]
        for which in (matrix, changed)
    )
    np.testing.assert_array_equal(one.median, other.median)


def test_a_score_the_product_refuses_is_not_predictable(
    tasks: tuple[ScoreMatrix, list[FoldTask]],
) -> None:
    matrix, every = tasks
    rating = matrix.benchmark_index("bench_2")
    task = next(t for t in every if rating in t.revealed[:, 1] and t.tags["reveal"] == "random")
    row = task.fold
    odd = matrix.readings.copy()
    at = (odd["model_id"] == matrix.model_ids[row]) & (odd["benchmark_id"] == "bench_2")
    odd.loc[at, "score"] = 9e9
    (made,) = METHOD.predict_tasks(  # type: ignore[attr-defined]
        ScoreMatrix(matrix.models, matrix.benchmarks, odd), [task]
    )
    assert np.isnan(made.median).all() and made.quantiles is not None
    assert np.isnan(made.quantiles).all()


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[ScoreMatrix]:
    """What was fitted; the posteriors are random numbers."""
    seen: list[ScoreMatrix] = []

    def fit(scores: ScoreMatrix, **given: Any) -> Posterior:
        seen.append(scores)
        return make_posterior(matrix=scores, spec=given["spec"], n_draws=60)

    monkeypatch.setattr(front_door, "fit", fit)
    return seen


def test_one_fit_for_all_models_after_a_cutoff(
    fits: list[ScoreMatrix], dated_matrix: ScoreMatrix
) -> None:
    protocol = AsShipped(("2025-02-15",), ks=(0, 2), seeds=1, min_model=4, min_benchmark=4)
    result = evaluate(dated_matrix, protocol, "low-rank", options={"rank": 1})["low-rank"]
    (fitted,) = fits
    assert fitted.model_ids == dated_matrix.model_ids[:13]
    np.testing.assert_array_equal(fitted.values, dated_matrix.values[:13])
    crossed = result.figures["crossed"]["percent"]
    assert set(crossed) == {"scores", "facts", "id"}
    assert set(crossed["id"]) == {"random", "adaptive"}
    assert set(crossed["id"]["random"]) == {"0", "2"} and set(crossed["id"]["adaptive"]) == {"2"}
    per_way = [crossed[told][way]["2"]["n_cells"] for told in crossed for way in crossed[told]]
    scores = dated_matrix.observed[13:].sum() - 2 * 5  # five later models, two shown of each
    rating = result.figures["crossed"]["rating"]["id"]
    assert (
        per_way[0] + result.figures["crossed"]["rating"]["scores"]["random"]["2"]["n_cells"]
        == scores
    )
    assert crossed["id"]["adaptive"]["2"]["n_cells"] + rating["adaptive"]["2"]["n_cells"] == scores
    assert crossed["id"]["random"]["0"]["not_predictable"] == 0


def test_one_task_alone_is_the_same(fits: list[ScoreMatrix], dated_matrix: ScoreMatrix) -> None:
    protocol = AsShipped(
        ("2025-02-15",), ks=(2,), seeds=1, inputs=("scores",), reveals=("random",), min_model=4,
        min_benchmark=4,
    )  # fmt: skip
    task = protocol.tasks(dated_matrix)[0]
    method = AsShippedLowRank.built("low-rank", {"rank": 1})
    (together,) = method.predict_tasks(dated_matrix, [task])
    train, cells = training_matrix(dated_matrix, task)
    alone = method.predict(train, cells, task.random_seed)
    np.testing.assert_array_equal(alone.median, together.median)
    assert fits[0].data_hash == fits[1].data_hash


def test_facts_are_not_told_with_scores_alone(tasks: tuple[ScoreMatrix, list[FoldTask]]) -> None:
    matrix, every = tasks
    task = picked(every, input="scores", reveal="random", k=1)
    bare = matrix.models.copy()
    nobody = np.arange(len(bare)) < 12  # the fitted ones keep theirs
    for name in ("provider", "release_date", "reasoning"):
        bare[name] = bare[name].where(nobody)
    other = ScoreMatrix(bare, matrix.benchmarks, matrix.readings)
    one, same = (
        METHOD.predict_tasks(which, [task])[0].median  # type: ignore[attr-defined]
        for which in (matrix, other)
    )
    np.testing.assert_array_equal(one, same)
