"""Bootstrap over models against copies of the cells, drawn the same way."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from bayesbench.evaluation import short
from bayesbench.evaluation.cells import CellTable
from bayesbench.evaluation.resampling import FIGURES, intervals, paired, weighted_medians

SEED, RESAMPLES = 5, 40


def made(seed: int, n_models: int = 6, spread: float = 4.0, with_bounds: bool = True) -> CellTable:
    """Models with 2 to 7 cells, each model with an error level of its own."""
    rng, rows = np.random.default_rng(seed), []
    for i in range(n_models):
        level = np.random.default_rng([9, i]).gamma(2.0)
        for j in range(2 + i % 6):
            truth = float(10 * j)  # a score of 0 has no relative error
            median = truth + spread * level * rng.normal()
            width = abs(rng.normal(8, 3)) if with_bounds else math.nan
            rows.append((f"m{i}", f"b{j}", 0, j % 2, truth, median, median - width, median + width))
    names = ["model_id", "benchmark_id", "seed", "fold", "truth", "median", "lower90", "upper90"]
    cells = pd.DataFrame(rows, columns=names)
    return CellTable(cells.assign(n_train_model=1, n_train_benchmark=1, n_task=0), None)


def copies(table: CellTable) -> list[CellTable]:
    """What every draw of models looks like written out."""
    cells = table.cells
    groups = [part for _, part in cells.groupby("model_id", sort=False)]
    shares = np.full(len(groups), 1 / len(groups))
    counts = np.random.default_rng(SEED).multinomial(len(groups), shares, size=RESAMPLES)
    return [
        CellTable(
            pd.concat([part for part, n in zip(groups, row, strict=True) for _ in range(n)]), None
        )
        for row in counts
    ]


def test_weighted_medians_are_medians_of_copies() -> None:
    rng = np.random.default_rng(0)
    values, group = rng.normal(size=30).round(1), rng.integers(0, 7, 30)
    weights = rng.integers(0, 3, (25, 7))
    weights[3] = 0
    got = weighted_medians(values, weights, group)
    assert math.isnan(got[3])
    for row, found in zip(np.delete(weights, 3, axis=0), np.delete(got, 3), strict=True):
        assert found == np.median(np.repeat(values, row[group]))


def test_intervals_are_those_of_copied_models() -> None:
    table = made(1)
    figures = pd.DataFrame([short(one) for one in copies(table)])
    got = intervals(table, seed=SEED, resamples=RESAMPLES)
    assert set(got) == {f"{name}_interval95" for name in FIGURES}
    for name in FIGURES:
        expected = figures[name].quantile([0.025, 0.975])
        np.testing.assert_allclose(got[f"{name}_interval95"], expected, rtol=1e-12)


def test_it_is_models_that_are_drawn() -> None:
    """More cells of the same kind per model tell nothing new."""
    table = made(2)
    tenfold = CellTable(pd.concat([table.cells] * 10, ignore_index=True), None)
    for name, interval in intervals(table).items():
        np.testing.assert_allclose(intervals(tenfold)[name], interval, rtol=0.2, atol=0.05)


def test_without_intervals_or_models_there_are_no_ends() -> None:
    plain = intervals(made(1, with_bounds=False))
    assert all(map(math.isnan, plain["coverage90_interval95"]))
    assert not any(map(math.isnan, plain["medae_interval95"]))
    assert all(map(math.isnan, intervals(made(1, n_models=1))["medae_interval95"]))


def test_cells_that_cannot_be_predicted_are_left_out() -> None:
    table = made(1)
    more = table.cells.assign(model_id="m9", median=math.nan)
    both = CellTable(pd.concat([table.cells, more], ignore_index=True), None)
    assert intervals(both) == intervals(table)


def test_differences_are_those_of_copied_models() -> None:
    one, other = made(1), made(3, spread=8)
    pairs = list(zip(copies(one), copies(other), strict=True))
    got = paired(one, other, seed=SEED, resamples=RESAMPLES)
    assert tuple(got) == FIGURES
    for name, entry in got.items():
        assert entry["difference"] == pytest.approx(short(one)[name] - short(other)[name])
        moved = [short(a)[name] - short(b)[name] for a, b in pairs]
        expected = np.quantile(moved, [0.025, 0.975])
        np.testing.assert_allclose(entry["interval95"], expected, rtol=1e-9, atol=1e-9)
    back = paired(other, one, seed=SEED, resamples=RESAMPLES)["medae"]
    assert back["difference"] == -got["medae"]["difference"]
    np.testing.assert_allclose(back["interval95"], [-x for x in got["medae"]["interval95"][::-1]])


def test_pairing_takes_what_both_share_away() -> None:
    """0.1 points worse everywhere is worse for sure, however uncertain both are."""
    one = made(4)
    error = one.cells["median"] - one.cells["truth"]
    worse = CellTable(one.cells.assign(median=one.cells["median"] + 0.1 * np.sign(error)), None)
    entry = paired(worse, one)["medae"]
    np.testing.assert_allclose([entry["difference"], *entry["interval95"]], 0.1)
    low, high = intervals(one)["medae_interval95"]
    assert high - low > 1


def test_only_cells_that_both_predict_are_compared() -> None:
    one, other = made(1), made(3)
    left = other.cells.sample(frac=1, random_state=0).iloc[4:].reset_index(drop=True)
    left.loc[0, "median"] = math.nan
    keys = pd.MultiIndex.from_frame(left.iloc[1:][["model_id", "benchmark_id"]])
    both = pd.MultiIndex.from_frame(one.cells[["model_id", "benchmark_id"]]).isin(keys)
    expected = short(one.select(both))["medae"] - short(other.select(both))["medae"]
    got = paired(one, CellTable(left, None))
    assert got["medae"]["difference"] == pytest.approx(expected)
    ordered = left.sort_values(["model_id", "benchmark_id"])
    same = paired(one, CellTable(ordered, None))
    for name, entry in same.items():
        np.testing.assert_allclose(got[name]["interval95"], entry["interval95"])
    elsewhere = CellTable(other.cells.assign(seed=1), None)
    assert paired(one, elsewhere) == {}
    bare = paired(one, made(3, with_bounds=False))
    assert set(bare) == {"medae", "medape", "within5"}
