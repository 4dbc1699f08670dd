"""A small table as a user fits it: what is in the file, and what is predicted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.evaluation import SmallTables, build_method, evaluate
from bayesbench.evaluation.honesty import RAW
from bayesbench.evaluation.methods import front_door
from bayesbench.evaluation.methods.small_tables import SmallTablesLowRank
from bayesbench.evaluation.tasks import FoldTask, training_matrix
from bayesbench.fitting.fit import filtered
from bayesbench.front.posterior import Posterior
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.scores.matrix import ScoreMatrix
from tests.factories import make_posterior, with_calibration


class Fits:
    """Takes the place of `fit`; the posteriors are random numbers."""

    def __init__(self) -> None:
        self.least: list[int | None] = []
        self.tables: list[ScoreMatrix] = []
        self.made: list[Posterior] = []
        self.seeds: list[int] = []
        self.fails = False

    def __call__(self, scores: ScoreMatrix, **given: Any) -> Posterior:
        if self.fails:
            raise DataError("too little data")
        scores, _ = filtered(scores, given["min_model"], given["min_benchmark"])
        self.least.append(given["min_model"])
        self.tables.append(scores)
        self.seeds.append(given["seed"])
        made = make_posterior(matrix=scores, spec=given["spec"], n_draws=60)
        self.made.append(with_calibration(made, 2.0))
        return self.made[-1]


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    made = Fits()
    monkeypatch.setattr(front_door, "fit", made)
    return made


@pytest.fixture
def task(dated_matrix: ScoreMatrix) -> FoldTask:
    return SmallTables(sizes=((8, 6),), fills=(0.6,), tables=1).tasks(dated_matrix)[0]


def test_the_table_is_fitted_bare_and_asked(
    fits: Fits, dated_matrix: ScoreMatrix, task: FoldTask
) -> None:
    train, cells = training_matrix(dated_matrix, task)
    made = SmallTablesLowRank.built("low-rank", {"rank": 1, "least": 0}).predict(train, cells, 7)
    (table,), (posterior,) = fits.tables, fits.made
    assert table.shape == (8, 6) and table.n_cells == train.n_cells
    assert fits.seeds == [7]
    assert all(ModelFacts.of(table, row) == ModelFacts() for row in range(8))
    for n, (i, j) in enumerate(cells):
        cell = posterior.predict(train.model_ids[i], benchmark=train.benchmark_ids[j])
        assert made.median[n] == cell.median  # type: ignore[union-attr]
        raw = posterior.predict(train.model_ids[i], raw=True)[train.benchmark_ids[j]]  # type: ignore[index]
        assert made.extras[RAW][n, [0, -1]] == pytest.approx(raw.interval(0.9))
        assert cell.interval(0.9) != raw.interval(0.9)


def test_facts_are_told_where_asked_for(
    fits: Fits, dated_matrix: ScoreMatrix, task: FoldTask
) -> None:
    train, cells = training_matrix(dated_matrix, task)
    SmallTablesLowRank.built("low-rank", {"facts": True}).predict(train, cells, 0)
    assert all(ModelFacts.of(fits.tables[0], row).release_date for row in range(8))


def test_what_is_left_out_of_the_fit_is_not_predicted(
    fits: Fits, dated_matrix: ScoreMatrix
) -> None:
    (task,) = SmallTables(sizes=((14, 10),), fills=(0.6,), tables=1).tasks(dated_matrix)
    train, cells = training_matrix(dated_matrix, task)
    poor = int(cells[0, 0])
    fewer = np.zeros(train.shape, dtype=bool)
    fewer[poor, np.flatnonzero(train.observed[poor])[2:]] = True
    made = SmallTablesLowRank.built("low-rank", {"least": 3}).predict(train.mask(fewer), cells, 0)
    kept = fits.tables[0]
    assert train.model_ids[poor] not in kept.model_ids
    there = [
        train.model_ids[i] in kept.model_ids and train.benchmark_ids[j] in kept.benchmark_ids
        for i, j in cells
    ]
    assert any(there) and not there[0]
    np.testing.assert_array_equal(np.isfinite(made.median), there)


def test_a_table_too_small_for_a_fit_is_not_predicted(
    fits: Fits, dated_matrix: ScoreMatrix, task: FoldTask
) -> None:
    fits.fails = True
    train, cells = training_matrix(dated_matrix, task)
    made = SmallTablesLowRank("low-rank").predict(train, cells, 0)
    assert np.isnan(made.median).all()
    fits.fails = False
    assert np.isnan(SmallTablesLowRank("x", least=50).predict(train, cells, 0).median).all()


def test_through_evaluate(fits: Fits, dated_matrix: ScoreMatrix) -> None:
    protocol = SmallTables(sizes=((8, 6),), fills=(0.6, 0.7), tables=2)
    result = evaluate(dated_matrix, protocol, "low-rank")["low-rank"]
    entry = result.figures["by_size"]["percent"]["8x6"]
    assert fits.least == [None] * 4 and entry["n_clusters"] <= 4
    assert entry["width90_raw"] < entry["width90"]


@pytest.mark.parametrize("options", [{"least": -1}, {"least": True}, {"facts": "yes"}])
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        build_method("low-rank", setting="tables", **options)
