"""Split-conformal intervals: coverage by exchangeability, to the last error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from bayesbench.answers.predictive import PREDICTIVE_LEVELS
from bayesbench.errors import UsageError
from bayesbench.evaluation import CellPredictions, Folds, build_method, evaluate
from bayesbench.evaluation.methods.conformal import (
    Conformal,
    _around,
    conformal_quantiles,
    difficulty,
    fitted_difficulty,
)
from bayesbench.evaluation.methods.peers.als import BiasALS
from bayesbench.evaluation.methods.peers.columns import StandardColumns
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal

ENDS = np.array([0.05, 0.95])


@dataclass(frozen=True)
class Constant:
    """1000 everywhere: its errors are the scores themselves, whatever it is shown."""

    name: str = "constant"

    def predict(self, train: ScoreMatrix, cells: np.ndarray, seed: int) -> CellPredictions:
        return CellPredictions(np.full(len(cells), 1000.0))


@pytest.mark.parametrize("n", [19, 20, 39, 57])
def test_each_of_n_plus_1_errors_is_covered_by_the_others_as_often_as_said(n: int) -> None:
    """Exchangeable errors: the new one is any of n + 1 alike, so its coverage is a plain count."""
    errors = np.random.default_rng(n).standard_cauchy(n + 1)

    def covered(ends: object) -> int:
        total = 0
        for i in range(n + 1):
            low, high = ends(np.delete(errors, i), ENDS)  # type: ignore[operator]
            total += bool(low <= errors[i] <= high)
        return total

    got = covered(conformal_quantiles)
    assert 0.9 * (n + 1) <= got < 0.9 * (n + 1) + 2  # less than a rank too much at either end
    # plain quantiles, without the correction for n errors, are too narrow
    assert covered(np.quantile) < 0.9 * (n + 1)
    for level in (0.2, 0.8):
        below = sum(
            errors[i] < conformal_quantiles(np.delete(errors, i), np.array([level]))[0]
            for i in range(n + 1)
        )
        assert below >= level * (n + 1) - 1 if level > 0.5 else below <= level * (n + 1)


def test_levels_that_n_errors_cannot_tell_take_the_outermost() -> None:
    errors = np.arange(1.0, 20)
    got = conformal_quantiles(errors, PREDICTIVE_LEVELS)
    assert (got[0], got[-1]) == (1, 19) and (np.diff(got) >= 0).all()
    # 0.29 * 100 is 28.999... in floating point
    assert conformal_quantiles(np.arange(1.0, 100), np.array([0.29]))[0] == 29


def test_difficulty_is_the_minimum_of_its_penalised_likelihood() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(120, 3))
    error = rng.exponential(np.exp(0.5 - features @ [0.8, 0.0, -0.3]))
    got = fitted_difficulty(error, features)

    def loss(w: np.ndarray) -> float:
        eta = w[0] + features @ w[1:]
        return float((eta + error * np.exp(-eta)).sum() + 0.5 * (w[1:] ** 2).sum())

    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9}).x
    np.testing.assert_allclose(got, best, atol=1e-5)
    np.testing.assert_allclose(difficulty(got, features), np.exp(got[0] + features @ got[1:]))
    np.testing.assert_array_equal(fitted_difficulty(np.empty(0), np.empty((0, 3))), np.zeros(4))


def scores(seed: int, shape: tuple[int, int] = (60, 30)) -> ScoreMatrix:
    rng = np.random.default_rng(seed)
    values = 1000 + 50 * rng.standard_t(3, shape)
    values[rng.random(shape) < 0.3] = np.nan
    frame = pd.DataFrame(values, index=[f"m{i}" for i in range(shape[0])]).rename(columns=str)
    return ScoreMatrix.from_frame(frame, scale="rating")


def test_coverage_of_exchangeable_errors_through_the_whole_method() -> None:
    """490 errors and 490 cells: each coverage has a standard deviation of 0.019."""
    covered = []
    for seed in range(12):
        matrix = scores(seed, (150, 14))
        found = evaluate(matrix, Folds(seed=seed, max_folds=1), Conformal(Constant()))
        covered.append(found["constant+conformal"].figures["coverage90"])
    assert abs(np.mean(covered) - 0.9) < 4 * 0.019 / np.sqrt(12)


def test_errors_are_those_of_cells_that_were_hidden() -> None:
    """Nearest to a memory: a method that knows what it is shown by heart, and nothing else."""

    @dataclass(frozen=True)
    class Memory:
        name: str = "memory"

        def predict(self, train: ScoreMatrix, cells: np.ndarray, seed: int) -> CellPredictions:
            shown = train.values[cells[:, 0], cells[:, 1]]
            return CellPredictions(np.where(np.isfinite(shown), shown, 1000.0))

    matrix = scores(1)
    cells = np.argwhere(~matrix.observed)
    memory, constant = (
        Conformal(method).predict(matrix, cells, 0).quantiles for method in (Memory(), Constant())
    )
    assert memory is not None and constant is not None
    np.testing.assert_allclose(memory, constant)


def test_widths_follow_the_number_of_scores() -> None:
    """Errors four times as large where a model has a quarter of the scores."""
    rng = np.random.default_rng(2)
    values = 1000 + np.where(np.arange(80) < 40, 80.0, 20.0)[:, None] * rng.normal(size=(80, 40))
    few = (np.arange(80) < 40)[:, None] & (rng.random((80, 40)) < 0.75)
    values[few | (rng.random((80, 40)) < 0.1)] = np.nan
    frame = pd.DataFrame(values, index=[f"m{i}" for i in range(80)]).rename(columns=str)
    matrix = ScoreMatrix.from_frame(frame, scale="rating")
    cells = np.argwhere(~matrix.observed)
    made = Conformal(Constant()).predict(matrix, cells, 0).quantiles
    assert made is not None
    width = made[:, -8] - made[:, 7]
    poor = cells[:, 0] < 40
    assert np.median(width[poor]) > 2.5 * np.median(width[~poor])


def test_quantiles_stay_on_the_scale_and_in_order(dated_matrix: ScoreMatrix) -> None:
    found = evaluate(dated_matrix, Folds(), "als+conformal")["als+conformal"]
    grid = found.table.quantiles
    assert grid is not None and np.isfinite(grid).all() and (np.diff(grid, axis=1) >= 0).all()
    percent = (found.table.cells["benchmark_id"] != "b11").to_numpy()
    assert grid[percent].min() >= 0 and grid[percent].max() <= 100
    plain = evaluate(dated_matrix, Folds(), "als")["als"]
    np.testing.assert_array_equal(found.table.cells["median"], plain.table.cells["median"])
    for name in ("coverage90", "width90", "winkler90", "crps"):
        assert np.isfinite(found.figures[name]) and not np.isfinite(plain.figures[name])


def test_an_interval_that_reaches_the_clipped_scores_holds_the_end() -> None:
    """The logit takes 99.5 to 100 for one score, so an interval up to 99.6 is one up to 100."""
    names = ["p", "r"]
    frame = pd.DataFrame({"p": [20.0, 80.0], "r": [900.0, 1100.0]}, index=["a", "b"])
    metadata = pd.DataFrame({"benchmark_id": names, "scale": ["percent", "rating"]})
    columns = StandardColumns.of(ScoreMatrix.from_frame(frame, benchmarks=metadata))
    middle = np.array([50.0, 1000.0])
    for share, (low, high) in ((0.996, (0.0, 100.0)), (0.9, (10.0, 90.0))):
        z = np.log(share / (1 - share)) / columns.spread[0]
        grid = z * np.where(PREDICTIVE_LEVELS >= 0.5, 1.0, -1.0)
        made = _around(columns, middle, np.ones(2), grid)
        np.testing.assert_allclose(made[0, [0, -1]], [low, high])
        np.testing.assert_allclose(made[1, [0, -1]], [1000 - 100 * z, 1000 + 100 * z])


def test_too_few_errors_give_no_intervals() -> None:
    small = scores(4, (6, 5))
    train = small.mask(np.arange(30).reshape(6, 5) % 2 == 0)
    assert train.n_cells < 19
    made = Conformal(Constant()).predict(train, np.array([[0, 0]]), 0)
    assert made.quantiles is None and made.median[0] == 1000


def test_by_name() -> None:
    made = build_method("als+conformal", rank=3)
    assert made == Conformal(BiasALS(rank=3)) and made.name == "als+conformal"
    assert build_method("als+conformal").fingerprint != made.fingerprint  # type: ignore[attr-defined]
    assert Conformal(Normal(1.0)).fingerprint != Conformal(Normal(2.0)).fingerprint
    with pytest.raises(UsageError, match="'als' has no option 'ranks'"):
        build_method("als+conformal", ranks=3)
    for name, options in (("low-rank", {}), ("external", {"path": "p.csv"})):
        with pytest.raises(UsageError, match=f"'{name}' takes no conformal intervals"):
            build_method(f"{name}+conformal", **options)
    with pytest.raises(UsageError, match="nearest: als"):
        build_method("alz+conformal")
