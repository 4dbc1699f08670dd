"""Figures of the protocols against the same figures worked out by hand."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesbench.answers.prediction import PREDICTIVE_LEVELS
from bayesbench.errors import DataError, UsageError
from bayesbench.evaluation import (
    EvaluationResult,
    Family,
    Policy,
    calibration,
    comparison_rows,
    evaluate,
    export_prompt,
    metrics,
    sharpness,
    short,
    table_rows,
)
from bayesbench.evaluation.methods.peers.base import CellPredictions, IntArray
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.scores.splits import per_model_folds
from tests.evaluation.evaluation_methods import Normal, Planner

KEYS = {
    "protocol", "method", "n_cells", "medae", "medape", "within3", "within5", "coverage90",
    "width90", "winkler90", "crps", "spearman", "top20_medape", "ranking_margin0",
    "ranking_margin5", "by_scale", "strata", "wall_s",
}  # fmt: skip


def test_folds(dated_matrix: ScoreMatrix, tmp_path: Path) -> None:
    result = evaluate(dated_matrix, "folds", Normal(), n_seeds=2)
    figures = result.to_json()
    json.dumps(figures, allow_nan=False)
    assert set(figures) >= KEYS
    assert result.table is not None
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
    result = evaluate(dated_matrix, "folds", Normal(), splits=splits)
    assert result.table is not None
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
    figures = evaluate(dated_matrix, "folds", "bias").to_json()
    for name in ("coverage90", "width90", "winkler90", "crps", "spearman", "top20_medape"):
        assert figures[name] is None
    assert figures["medae"] > 0 and figures["ranking_margin0"] > 0.5


def test_perfect_external_predictions(dated_matrix: ScoreMatrix, tmp_path: Path) -> None:
    truth = dated_matrix.to_frame()[["model_id", "benchmark_id", "score"]]
    table = truth.rename(columns={"score": "predicted"})
    table["lower"], table["upper"] = table["predicted"] - 1, table["predicted"] + 1
    path = tmp_path / "p.csv"
    table.iloc[5:].to_csv(path, index=False)
    result = evaluate(dated_matrix, "folds", "external", options={"path": str(path)})
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
    result = evaluate(dated_matrix, "folds", "external", splits=splits, options={"path": str(path)})
    assert result.table is not None
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
        clean, dirty = (evaluate(m, "folds", method, splits=splits) for m in (dated_matrix, other))
        assert clean.table is not None and dirty.table is not None
        np.testing.assert_array_equal(clean.table.cells["median"], dirty.table.cells["median"])


def test_new_release(dated_matrix: ScoreMatrix) -> None:
    families = [
        Family("m15", "2025-04-15", ids=("m15",)),
        Family("m16-17", "2025-05-15", prefixes=("m16", "m17")),
    ]
    result = evaluate(
        dated_matrix, "new-release", Normal(), families=families, ks=(1, 4), n_seeds=3
    )
    figures = result.to_json()
    assert set(figures["by_k"]) == {"1", "4"} and result.table is not None
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
    result = evaluate(matrix, "new-release", "bias", families=[family], ks=(1,), n_seeds=4)
    assert result.table is not None
    cells = result.table.cells
    unseen = cells["n_train_benchmark"] == 0
    assert unseen.any() and set(cells.loc[unseen, "benchmark_id"]) == {"b2"}
    np.testing.assert_array_equal(cells["median"].isna(), unseen)
    entry = result.figures["by_k"]["1"]
    assert entry["not_predictable"] == pytest.approx(unseen.mean())
    assert entry["n_cells"] == (~unseen).sum()


def test_probes(dated_matrix: ScoreMatrix) -> None:
    given = Policy("given", (("b0", "b3"),), in_sample=True)
    result = evaluate(
        dated_matrix, "probes", Planner(), policies=[given], ks=(0, 1, 2), n_seeds=2,
        low_cost=["b5", "b6"],
    )  # fmt: skip
    policies = result.to_json()["policies"]
    assert set(policies) == {"given", "planned", "adaptive", "random", "random-low-cost"}
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


def test_curve(dated_matrix: ScoreMatrix) -> None:
    figures = evaluate(dated_matrix, "curve", "bias", ks=(1, 5), n_seeds=3).to_json()
    assert set(figures["by_k"]) == {"1", "5"}
    assert figures["by_k"]["5"]["medae"] < figures["by_k"]["1"]["medae"]


def test_calibration_tells_honest_from_narrow() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(50, 12, (300, 8))).rename(columns=str)
    frame.index = [f"m{i}" for i in range(300)]
    matrix = ScoreMatrix.from_frame(frame, scale="rating")
    honest, narrow = (evaluate(matrix, "folds", Normal(width)).table for width in (1.0, 0.5))
    assert honest is not None and narrow is not None
    good, bad = calibration(honest), calibration(narrow)
    # 2,400 cells: the standard error of a share of 0.9 is 0.006
    assert abs(good["coverage"]["0.9"] - 0.9) < 0.03 and bad["coverage"]["0.9"] < 0.7
    assert max(bad["pit"]) > 3 * max(good["pit"])
    assert good["within"]["brier"] < bad["within"]["brier"]
    rows = sharpness(honest)
    assert len(rows) == 8 and rows[0]["width90"] >= rows[-1]["width90"]
    plain = evaluate(matrix, "folds", "mean").table
    assert plain is not None and calibration(plain) == {}
    assert math.isnan(short(plain)["coverage90"])


def test_tables(dated_matrix: ScoreMatrix) -> None:
    result = evaluate(dated_matrix, "folds", "mean")
    rows = dict(table_rows(result))
    assert rows["CRPS"] == "-" and rows["held-out cells"] == str(dated_matrix.n_cells)
    side_by_side = comparison_rows([result.to_json()], ("medae", "coverage90"))
    assert side_by_side[0] == ["method", "median absolute error", "coverage of 90 % intervals"]
    assert side_by_side[1][0] == "mean" and side_by_side[1][2] == "-"


def test_export_prompt(dated_matrix: ScoreMatrix) -> None:
    split = per_model_folds(dated_matrix, 3, 0)[0]
    text = export_prompt(dated_matrix, split)
    back = pd.read_csv(io.StringIO(text), index_col=0, dtype=str, keep_default_na=False)
    assert tuple(back.index) == dated_matrix.model_ids and back.index.name == "model_id"
    asked = back.to_numpy() == "?"
    np.testing.assert_array_equal(asked, split.mask(dated_matrix.shape))
    train = dated_matrix.mask(asked)
    shown = back.mask(back.isin(["?", ""])).astype(float).to_numpy()
    np.testing.assert_allclose(shown, train.values)
    assert "?" not in export_prompt(dated_matrix)


def test_bad_calls(dated_matrix: ScoreMatrix, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown protocol 'fold'"):
        evaluate(dated_matrix, "fold", "mean")
    with pytest.raises(UsageError, match="options belong to a method given by name"):
        evaluate(dated_matrix, "folds", Normal(), options={"width": 2})
    with pytest.raises(DataError, match="no cell to hold out"):
        evaluate(dated_matrix, "curve", "mean", ks=(99,))
    with pytest.raises(UsageError, match="no per-cell predictions"):
        EvaluationResult("structure", "low-rank", {}).to_parquet(tmp_path / "p.parquet")


def test_folds_are_kept_until_the_figures_are_made(
    dated_matrix: ScoreMatrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that dies over its figures takes its folds up again."""
    calls: list[int] = []

    class Counted(Normal):
        def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
            calls.append(seed)
            return super().predict(train, cells, seed)

    def dies(*_: object) -> None:
        raise RuntimeError("killed")

    def run() -> EvaluationResult:
        return evaluate(dated_matrix, "folds", Counted(), work_dir=tmp_path)

    with monkeypatch.context() as patched:
        patched.setattr("bayesbench.evaluation.protocols.run.headline", dies)
        with pytest.raises(RuntimeError, match="killed"):
            run()
    assert len(calls) == 3 and list(tmp_path.iterdir())
    assert run().figures["n_cells"] == dated_matrix.n_cells
    assert len(calls) == 3 and not list(tmp_path.iterdir())
