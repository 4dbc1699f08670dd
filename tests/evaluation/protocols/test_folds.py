"""Folds: what they hide, and their figures worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.errors import UsageError
from bayesbench.evaluation import Folds, evaluate, metrics
from bayesbench.evaluation.tasks import training_matrix
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.scores.splits import per_model_folds
from tests.evaluation.evaluation_methods import Normal

KEYS = {
    "protocol", "method", "n_cells", "not_predictable", "medae", "medape", "within3", "within5",
    "coverage90", "width90", "winkler90", "crps", "spearman", "top20_medape", "ranking_margin0",
    "ranking_margin5", "medae_interval95", "medape_interval95", "within5_interval95",
    "coverage90_interval95", "width90_interval95", "by_scale", "strata", "ranking_published",
    "wall_s",
}  # fmt: skip


def test_fold_tasks_hide_what_they_ask_for(dated_matrix: ScoreMatrix) -> None:
    tasks = Folds(splits=per_model_folds(dated_matrix, 3, 5), seed=1).tasks(dated_matrix)
    assert len({task.random_seed for task in tasks}) == 3
    union = sum(task.hidden.astype(int) for task in tasks)
    np.testing.assert_array_equal(union, dated_matrix.observed)
    for task in tasks:
        train, cells = training_matrix(dated_matrix, task)
        assert not train.observed[cells[:, 0], cells[:, 1]].any()
        assert train.n_cells + len(cells) == dated_matrix.n_cells
    assert len(Folds(max_folds=2).tasks(dated_matrix)) == 2


def test_without_splits_there_are_per_model_folds_of_every_seed(dated_matrix: ScoreMatrix) -> None:
    tasks = Folds(n_folds=4, seeds=2, seed=7).tasks(dated_matrix)
    assert [(task.seed, task.fold) for task in tasks] == [(s, f) for s in (7, 8) for f in range(4)]
    given = [split for seed in (7, 8) for split in per_model_folds(dated_matrix, 4, seed)]
    for task, split in zip(tasks, given, strict=True):
        np.testing.assert_array_equal(task.cells, split.cells)
    assert [task.group for task in tasks] == ["7"] * 4 + ["8"] * 4


def test_splits_stand_alone(dated_matrix: ScoreMatrix) -> None:
    splits = per_model_folds(dated_matrix)
    assert Folds(splits=list(splits)).splits == splits
    for more in ({"n_folds": 5}, {"seeds": 2}):
        with pytest.raises(UsageError, match="leave out n_folds and seeds"):
            Folds(splits=splits, **more)


def test_folds(dated_matrix: ScoreMatrix, tmp_path: Path) -> None:
    result = evaluate(dated_matrix, Folds(seeds=2), Normal())["normal"]
    figures = result.to_json()
    json.dumps(figures, allow_nan=False)
    assert set(figures) == KEYS
    cells, grid = result.table.cells, result.table.quantiles
    assert figures["n_cells"] == len(cells) == 2 * dated_matrix.n_cells
    assert grid is not None
    truth, median = cells["truth"].to_numpy(), cells["median"].to_numpy()
    assert figures["medae"] == pytest.approx(np.median(np.abs(truth - median)))
    inside = (cells["lower90"] <= cells["truth"]) & (cells["truth"] <= cells["upper90"])
    assert figures["coverage90"] == pytest.approx(inside.mean())
    crps = metrics.crps_from_quantiles(truth, PREDICTIVE_LEVELS, grid)
    assert figures["crps"] == pytest.approx(crps.mean())
    assert set(figures["by_scale"]) == {"percent", "rating"}
    assert sum(entry["n_cells"] for entry in figures["by_scale"].values()) == len(cells)
    for scale, entry in figures["by_scale"].items():
        rows = (cells["benchmark_id"] == "b11").to_numpy() == (scale == "rating")
        assert entry["crps"] == pytest.approx(crps[rows].mean())
        assert entry["medae_interval95"][0] < entry["medae"] < entry["medae_interval95"][1]
    assert {row["stratum"] for row in figures["strata"]} == {
        "level", "n_model", "n_benchmark", "scale",
    }  # fmt: skip
    path = tmp_path / "p.parquet"
    result.to_parquet(path)
    back = pd.read_parquet(path)
    assert list(back.columns[:8]) == [
        "model_id", "benchmark_id", "seed", "fold", "truth", "median", "lower90", "upper90",
    ]  # fmt: skip
    assert len(back) == len(cells) and back["q0.05"].to_numpy() == pytest.approx(
        cells["lower90"].to_numpy(), rel=1e-5
    )
    assert len([name for name in back if name.startswith("q")]) == PREDICTIVE_LEVELS.size


def test_ranking_of_folds_pools_the_pairs(dated_matrix: ScoreMatrix) -> None:
    splits = per_model_folds(dated_matrix, 3, 0)
    result = evaluate(dated_matrix, Folds(splits=splits), Normal())["normal"]
    correct = total = 0.0
    for split in splits:
        rows = result.table.cells[result.table.cells["fold"] == split.fold]
        predicted = np.full(dated_matrix.shape, np.nan)
        predicted[split.cells[:, 0], split.cells[:, 1]] = rows["median"]
        counts = metrics.ranking_counts(
            dated_matrix.values, predicted, split.mask(dated_matrix.shape), 5.0
        )
        correct, total = correct + counts.correct, total + counts.total
    assert result.figures["ranking_margin5"] == pytest.approx(correct / total)


def test_a_method_without_intervals_has_nulls(dated_matrix: ScoreMatrix) -> None:
    figures = evaluate(dated_matrix, Folds(), "bias")["bias"].to_json()
    for name in ("coverage90", "width90", "winkler90", "crps", "spearman", "top20_medape"):
        assert figures[name] is None
    assert figures["medae"] > 0 and figures["ranking_margin0"] > 0.5


def test_perfect_external_predictions(dated_matrix: ScoreMatrix, tmp_path: Path) -> None:
    truth = dated_matrix.to_frame()[["model_id", "benchmark_id", "score"]]
    table = truth.rename(columns={"score": "predicted"})
    table["lower"], table["upper"] = table["predicted"] - 1, table["predicted"] + 1
    path = tmp_path / "p.csv"
    table.iloc[5:].to_csv(path, index=False)
    result = evaluate(dated_matrix, Folds(), "external", options={"path": str(path)})["external"]
    figures = result.to_json()
    assert figures["medae"] == 0 and figures["within3"] == 100 and figures["coverage90"] == 1
    assert figures["width90"] == pytest.approx(2) and figures["winkler90"] == pytest.approx(2)
    assert figures["ranking_margin0"] == 1 and figures["crps"] is None
    assert figures["n_cells"] == dated_matrix.n_cells - 5
    assert figures["not_predictable"] == pytest.approx(5 / dated_matrix.n_cells)


def test_external_predictions_by_fold(dated_matrix: ScoreMatrix, tmp_path: Path) -> None:
    splits = per_model_folds(dated_matrix, 3, 4)
    rows = [
        (dated_matrix.model_ids[i], dated_matrix.benchmark_ids[j], float(split.fold), 4, split.fold)
        for split in splits
        for i, j in split.cells
    ]
    path = tmp_path / "p.csv"
    pd.DataFrame(rows, columns=["model_id", "benchmark_id", "predicted", "seed", "fold"]).to_csv(
        path, index=False
    )
    result = evaluate(dated_matrix, Folds(splits=splits), "external", options={"path": str(path)})[
        "external"
    ]
    np.testing.assert_array_equal(result.table.cells["median"], result.table.cells["fold"])


def test_hidden_scores_do_not_matter(dated_matrix: ScoreMatrix) -> None:
    """Poisoning the hidden cells of a fold changes no prediction of that fold."""
    splits = per_model_folds(dated_matrix, 3, 0)[:1]
    frame = dated_matrix.to_frame(wide=True)
    poisoned = frame.copy()
    for i, j in splits[0].cells:
        poisoned.iat[i, j] = 50.0
    other = ScoreMatrix.from_frame(
        poisoned,
        benchmarks=dated_matrix.benchmarks.reset_index(),
        models=dated_matrix.models.reset_index(),
    )
    for method in ("als", "blend", "gaussian"):
        clean, dirty = (
            evaluate(m, Folds(splits=splits), method)[method] for m in (dated_matrix, other)
        )
        np.testing.assert_array_equal(clean.table.cells["median"], dirty.table.cells["median"])
