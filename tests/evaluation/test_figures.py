"""Figures of a table of cells, against the same worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.evaluation import Folds, calibration, evaluate, sharpness, short
from bayesbench.evaluation.cells import CellTable
from bayesbench.evaluation.figures import by_k, counted, headline
from bayesbench.evaluation.metrics import RankingCounts
from bayesbench.evaluation.predictions import CellPredictions
from bayesbench.evaluation.tasks import FinishedFold, FoldTask
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal


def table(**columns: list[float] | list[str] | list[int]) -> CellTable:
    """Cells of m0 and b0 unless said otherwise."""
    n = len(next(iter(columns.values())))
    default = {
        "model_id": ["m00"] * n, "benchmark_id": ["b0"] * n, "lower90": [math.nan] * n,
        "upper90": [math.nan] * n, "n_train_model": [3] * n, "n_train_benchmark": [4] * n,
        "n_task": [0] * n, "scale": ["percent"] * n,
    }  # fmt: skip
    return CellTable(pd.DataFrame({**default, **columns}), None)


def test_short_leaves_out_what_cannot_be_predicted() -> None:
    found = short(
        table(
            truth=[10.0, 20.0, 0.0, 40.0],
            median=[12.0, 26.0, 4.0, math.nan],
            lower90=[11.0, 20.0, -1.0, math.nan],
            upper90=[13.0, 30.0, 3.0, math.nan],
        )
    )
    # errors 2, 6, 4; relative 20 % and 30 % (a truth of 0 has none)
    assert found == {
        "n_cells": 3,
        "medae": 4.0,
        "medape": pytest.approx(25.0),
        "within5": pytest.approx(200 / 3),
        "coverage90": pytest.approx(2 / 3),
        "width90": 4.0,
        "not_predictable": 0.25,
    }


def test_without_intervals_there_is_no_coverage() -> None:
    found = short(table(truth=[1.0, 2.0], median=[1.0, 3.0], lower90=[0.0, math.nan]))
    assert math.isnan(found["coverage90"]) and math.isnan(found["width90"])
    assert found["medae"] == 0.5


def test_revealed_cells_count_as_predicted_without_error() -> None:
    cells = table(truth=[10.0, 20.0, 0.0], median=[12.0, 26.0, 4.0])
    # errors 2, 6, 4, 0, 0; relative 20 %, 30 %, 0, 0
    assert counted(cells, 2) == {
        "medae_counted": 2.0, "medape_counted": pytest.approx(10.0), "n_cells_counted": 5,
    }  # fmt: skip


def test_the_surest_are_those_with_the_narrowest_half_for_their_level(
    dated_matrix: ScoreMatrix,
) -> None:
    """Ten cells: the narrowest in points is not the narrowest for its level."""
    n = 10
    truth = np.full(n, 80.0)
    truth[:2] = (2.0, 3.0)
    median = truth + np.arange(n)
    spread = np.full(n, 10.0)
    spread[:2] = (2.0, 2.5)  # small in points, wide for a score of 2 or 3
    spread[8:] = 5.0  # surest of all for their level
    quantiles = median[:, None] + spread[:, None] * (PREDICTIVE_LEVELS - 0.5)
    cells = table(
        truth=truth.tolist(), median=median.tolist(), lower90=quantiles[:, 7].tolist(),
        upper90=quantiles[:, -8].tolist(),
    )  # fmt: skip
    none = {margin: RankingCounts(0.0, 0.0) for margin in (0.0, 5.0)}
    found = headline(dated_matrix, CellTable(cells.cells, quantiles), none)
    assert found["top20_medape"] == pytest.approx(100 * 8.5 / 80)


def test_the_noise_floor_stands_beside_the_error_of_its_scale() -> None:
    """Two cells read twice, 2 and 4 points apart: a median difference of 3."""
    readings = pd.DataFrame(
        {
            "model_id": ["a", "a", "b", "b", "c"],
            "benchmark_id": "x",
            "score": [50.0, 52.0, 60.0, 64.0, 70.0],
            "reading": [1, 2, 1, 2, 1],
        }
    )
    matrix = ScoreMatrix.from_frame(readings, scale="percent")
    cells = table(
        model_id=["a", "b"], benchmark_id=["x", "x"], truth=[50.0, 60.0], median=[51.0, 62.0]
    )
    none = {margin: RankingCounts(0.0, 0.0) for margin in (0.0, 5.0)}
    floor = headline(matrix, cells, none)["by_scale"]["percent"]["noise_floor"]
    assert floor["n_cells"] == 2 and floor["difference"] == 3.0
    assert floor["medae"] == pytest.approx(3 / np.sqrt(2))


def fold(k: int, family: str, revealed: int) -> FinishedFold:
    task = FoldTask(
        seed=0, fold=0, cells=np.zeros((1, 2), dtype=np.int64), hidden=np.ones((1, 1), dtype=bool),
        random_seed=0, revealed=np.zeros((revealed, 2), dtype=np.int64),
        tags={"k": k, "family": family},
    )  # fmt: skip
    return FinishedFold(task, CellPredictions(np.zeros(1)), np.zeros(1), 0.0)


def test_figures_by_k_know_their_revealed_cells_and_families() -> None:
    cells = table(
        truth=[10.0, 10.0, 10.0, 10.0],
        median=[11.0, 15.0, 19.0, 12.0],
        k=[1, 1, 1, 10],
        family=["a", "b", "b", "a"],
        scale=["percent", "percent", "rating", "percent"],
    )
    folds = [fold(1, "a", 1), fold(1, "b", 2), fold(10, "a", 10)]
    found = by_k(folds, cells)
    assert list(found) == ["1", "10"]
    assert found["1"]["medae"] == 5.0 and found["1"]["n_cells_counted"] == 6
    assert found["1"]["medae_family_median"] == pytest.approx((1 + 7) / 2)
    assert found["10"]["n_cells_counted"] == 11 and found["10"]["medae_counted"] == 0.0
    apart = found["1"]["by_scale"]
    assert {name: entry["medae"] for name, entry in apart.items()} == {
        "percent": 3.0,
        "rating": 9.0,
    }
    assert {"winkler90", "crps"} <= set(apart["percent"])


def test_calibration_tells_honest_from_narrow() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(50, 12, (300, 8))).rename(columns=str)
    frame.index = [f"m{i}" for i in range(300)]
    matrix = ScoreMatrix.from_frame(frame, scale="rating")
    honest, narrow = (
        evaluate(matrix, Folds(), Normal(width))["normal"].table for width in (1.0, 0.5)
    )
    good, bad = calibration(honest), calibration(narrow)
    # 2,400 cells: the standard error of a share of 0.9 is 0.006
    assert abs(good["coverage"]["0.9"] - 0.9) < 0.03 and bad["coverage"]["0.9"] < 0.7
    assert max(bad["pit"]) > 3 * max(good["pit"])
    assert good["within"]["brier"] < bad["within"]["brier"]
    rows = sharpness(honest)
    assert len(rows) == 8 and rows[0]["width90"] >= rows[-1]["width90"]
    plain = evaluate(matrix, Folds(), "mean")["mean"].table
    assert calibration(plain) == {}
    assert math.isnan(short(plain)["coverage90"])
