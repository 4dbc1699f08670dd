"""Coverage, tails and certainty against counts by hand, and of laws that are known."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.evaluation import metrics
from bayesbench.evaluation.cells import CellTable, cell_table
from bayesbench.evaluation.clusters import share_interval
from bayesbench.evaluation.honesty import RAW, RAW_LEVELS, Judged, honesty, tables, tails
from bayesbench.evaluation.predictions import CellPredictions
from bayesbench.evaluation.tasks import FinishedFold, FoldTask
from bayesbench.scores.matrix import ScoreMatrix

STEPS = np.array([NormalDist().inv_cdf(float(p)) for p in PREDICTIVE_LEVELS])
RAW_STEPS = np.array([NormalDist().inv_cdf(p) for p in RAW_LEVELS])


def judged(truth: np.ndarray, sd: float = 1.0, *, raw_sd: float | None = None) -> Judged:
    """Normal predictions about 50 of the given spread; clusters of four cells."""
    n = truth.size
    quantiles = np.tile(50 + sd * STEPS, (n, 1))
    lower, upper = metrics.interval_from_quantiles(PREDICTIVE_LEVELS, quantiles)
    cells = pd.DataFrame(
        {
            "truth": truth, "median": 50.0, "lower90": lower, "upper90": upper,
            "scale": "percent", "cluster": np.arange(n) // 4, "k": np.arange(n) % 2 * 10,
        }
    )  # fmt: skip
    raw = None if raw_sd is None else np.tile(50 + raw_sd * RAW_STEPS, (n, 1))
    return Judged(CellTable(cells, quantiles), raw, np.zeros(n, dtype=bool))


def test_shares_by_hand() -> None:
    z = np.array([-3.0, -1.5, -1.0, -0.5, 0.3, 0.6, 1.4, 1.7, 2.0, 0.1])
    found = honesty(judged(50 + z, raw_sd=0.5))
    assert found["n_cells"] == 10 and found["n_clusters"] == 3
    assert found["coverage50"] == 0.4  # |z| < 0.674
    assert found["coverage80"] == 0.5  # |z| < 1.282
    assert found["coverage90"] == 0.7  # |z| < 1.645
    assert (found["below90"], found["above90"], found["above_median"]) == (0.1, 0.2, 0.6)
    assert found["coverage90_raw"] == 0.4  # |z| < 0.822
    assert found["medae"] == pytest.approx(1.2)
    assert found["width90"] == pytest.approx(2 * 1.6449, abs=1e-3)
    assert found["width90_raw"] == pytest.approx(1.6449, abs=1e-3)
    lower, upper = np.full(10, 50 - 1.644854), np.full(10, 50 + 1.644854)
    assert found["winkler90"] == pytest.approx(metrics.winkler(50 + z, lower, upper), abs=1e-4)
    assert found["shift"] == pytest.approx(z.mean(), abs=0.02)
    hits = np.abs(z) < 1.645
    expected = share_interval(hits, np.arange(10) // 4)
    assert found["coverage90_interval95"] == pytest.approx(list(expected))
    assert sum(found["pit"]) == 10


def test_tails_are_the_figures_without_points() -> None:
    one = judged(50 + np.random.default_rng(0).normal(size=40))
    whole, found = honesty(one), tails(one)
    assert {"below90", "above90", "above_median", "pit", "below90_interval95"} <= set(found)
    assert all(found[name] == whole[name] for name in found)
    assert not {"medae", "width90", "winkler90", "crps"} & set(found)


@pytest.mark.parametrize("narrow", [1.0, 0.93])
def test_intervals_too_narrow_by_seven_percent_are_seen(narrow: float) -> None:
    truth = 50 + np.random.default_rng(1).normal(size=8000)
    found = honesty(judged(truth, narrow))
    low, high = found["spread_interval95"]
    assert (low <= 1 <= high) == (narrow == 1.0)
    assert found["spread"] == pytest.approx(1 / narrow, abs=0.03)
    covered = found["coverage90_interval95"]
    assert (covered[0] <= 0.9 <= covered[1]) == (narrow == 1.0)
    z = 1.644854 * narrow
    expected = 2 * NormalDist().cdf(z) - 1
    assert abs(found["coverage90"] - expected) < 4 * math.sqrt(0.1 * 0.9 / 8000)


def test_certainty_of_being_within_ten_points() -> None:
    truth = 50 + 10 * np.random.default_rng(2).normal(size=4000)
    ((row,)) = honesty(judged(truth, 10.0))["within10"]["reliability"]
    assert row["predicted"] == pytest.approx(0.6827, abs=1e-3)
    low, high = row["observed_interval95"]
    assert low <= 0.6827 <= high and high - low < 0.05


def test_what_a_method_does_not_give_is_left_out() -> None:
    whole = judged(np.array([49.0, 51.0, 53.0, 48.0, 50.5]))
    bare = Judged(
        CellTable(whole.table.cells.assign(lower90=np.nan, upper90=np.nan), None),
        None,
        np.array([False, True, False, False, False]),
    )
    found = honesty(bare)
    assert found["n_cells"] == 4 and found["not_predictable"] == 0.2
    assert found["medae"] == pytest.approx(1.5)
    assert "coverage90" not in found and "crps" not in found and "winkler90_raw" not in found
    assert [name for name in found if name.endswith("95")] == ["medae_interval95"]


def test_tables_are_nested_and_numbers_in_order() -> None:
    part = judged(50 + np.random.default_rng(0).normal(size=40))
    cells = part.table.cells.assign(
        scale=np.where(np.arange(40) < 30, "percent", "rating"), k=[10, 2] * 20
    )
    whole = Judged(CellTable(cells, part.table.quantiles), None, part.not_predictable)
    found = tables(whole, "k")
    assert list(found) == ["percent", "rating"] and list(found["percent"]) == ["2", "10"]
    counts = [entry["n_cells"] for by_k in found.values() for entry in by_k.values()]
    assert counts == [15, 15, 5, 5]


def test_raw_quantiles_belong_to_their_cells(dated_matrix: ScoreMatrix) -> None:
    folds = []
    for number, row in enumerate((3, 1)):
        columns = np.flatnonzero(dated_matrix.observed[row])
        cells = np.stack([np.full(columns.size, row), columns], axis=1)
        hidden = np.zeros(dated_matrix.shape, dtype=bool)
        hidden[tuple(cells.T)] = True
        truth = dated_matrix.values[tuple(cells.T)]
        raw = truth[:, None] + RAW_STEPS
        predicted = CellPredictions(truth + 1, truth[:, None] + STEPS, extras={RAW: raw})
        folds.append(FinishedFold(FoldTask(0, number, cells, hidden, 0), predicted, truth, 0.0))
    made = Judged.of(folds, cell_table(dated_matrix, folds), "model_id")
    assert made.raw is not None
    np.testing.assert_allclose(made.raw[:, 3], made.table.cells["truth"])
    assert list(dict.fromkeys(made.table.cells["cluster"])) == ["m03", "m01"]
    assert set(made.table.cells["scale"]) == {"percent", "rating"}
