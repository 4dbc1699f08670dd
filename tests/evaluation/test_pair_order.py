"""Ranking as published, by hand and against loops."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from bayesbench.evaluation import CellPredictions, Folds, evaluate
from bayesbench.evaluation.cells import cell_table
from bayesbench.evaluation.pair_order import MARGINS, TOP, published_ranking, top_recovered
from bayesbench.evaluation.tasks import FinishedFold, FoldTask
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal


def test_by_hand() -> None:
    """a and b are held out on x; c and d show their scores. On y nobody is out of order."""
    scores = {"x": [50.0, 49.5, 40.0, 30.0], "y": [1.0, 2.0, 3.0, 4.0]}
    matrix = ScoreMatrix.from_frame(pd.DataFrame(scores, index=list("abcd")), scale="percent")
    hidden = np.zeros((4, 2), dtype=bool)
    hidden[:2] = True
    task = FoldTask(seed=0, fold=0, cells=np.argwhere(hidden), hidden=hidden, random_seed=0)
    # rows of cells: a x, a y, b x, b y
    made = CellPredictions(np.array([35.0, 1.0, 45.0, 2.0]))
    fold = FinishedFold(task, made, matrix.values[hidden], 0.0)
    got = published_ranking(matrix, [fold], cell_table(matrix, [fold]))
    # x: a-b wrong, a-c wrong, a-d, b-c, b-d right; with a margin of 1 there is no a-b
    assert got["pairs"]["0"] == {"scored": (0.6 + 1) / 2, "held_out": (0 + 1) / 2}
    assert got["pairs"]["1"] == {"scored": (0.75 + 1) / 2, "held_out": 1.0}
    # gaps of 2 or more on y: a-c, a-d, b-d; none of two held-out models
    assert got["pairs"]["2"]["scored"] == (0.75 + 1) / 2
    # the top of four models is one model up to 25 %, two at 30 %; b and c stand before a on x
    assert got["top"]["10"] == {"scored": 0.5, "held_out": 0.5}
    assert got["top"]["30"] == {"scored": 0.75, "held_out": 0.5}


def test_against_loops(dated_matrix: ScoreMatrix) -> None:
    found = evaluate(dated_matrix, Folds(seeds=2), Normal())["normal"]
    cells, truth = found.table.cells, dated_matrix.values
    index = {name: i for i, name in enumerate(dated_matrix.model_ids)}
    got = found.figures["ranking_published"]
    assert list(got["pairs"]) == [f"{m:g}" for m in MARGINS]
    for margin in MARGINS:
        for kind, least in (("scored", 1), ("held_out", 2)):
            shares = []
            for benchmark, rows in cells.groupby("benchmark_id"):
                j, right = dated_matrix.benchmark_index(str(benchmark)), []
                for _, fold in rows.groupby("n_task"):
                    held = dict(zip(fold["model_id"].map(index), fold["median"], strict=True))
                    for a, b in combinations(np.flatnonzero(np.isfinite(truth[:, j])), 2):
                        gap = truth[a, j] - truth[b, j]
                        if (a in held) + (b in held) >= least and gap and abs(gap) >= margin:
                            shown = held.get(a, truth[a, j]) - held.get(b, truth[b, j])
                            right.append(np.sign(shown) == np.sign(gap))
                if right:
                    shares.append(np.mean(right))
            assert got["pairs"][f"{margin:g}"][kind] == pytest.approx(np.median(shares))


def test_the_best_of_a_scale_that_goes_down_are_the_lowest() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]}, index=list("abcd"))
    shares = []
    for upwards in (True, False):
        metadata = pd.DataFrame(
            {"benchmark_id": ["x"], "scale": ["rating"], "higher_is_better": [upwards]}
        )
        matrix = ScoreMatrix.from_frame(frame, benchmarks=metadata)
        hidden = np.array([[True], [False], [False], [False]])
        task = FoldTask(seed=0, fold=0, cells=np.argwhere(hidden), hidden=hidden, random_seed=0)
        fold = FinishedFold(task, CellPredictions(np.array([3.5])), np.array([1.0]), 0.0)
        found = published_ranking(matrix, [fold], cell_table(matrix, [fold]))
        shares.append(found["top"]["10"]["scored"])
        assert np.isnan(found["top"]["10"]["held_out"]) and np.isnan(
            found["pairs"]["0"]["held_out"]
        )
    assert shares == [1.0, 0.0] and TOP[0] == 10


def test_top_is_rounded_up() -> None:
    truth = np.arange(11.0)
    shown = truth.copy()
    shown[10] = -1.0  # the best is thought the worst
    assert top_recovered(truth, shown, 10) == 0.5
    assert top_recovered(truth, shown, 30) == 0.75
    assert top_recovered(truth[:10], truth[:10], 10) == 1.0
