"""Small tables as tasks, and their figures by size, clustered by table."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import DataError
from bayesbench.evaluation import SmallTables, evaluate
from bayesbench.evaluation.clusters import share_interval
from bayesbench.evaluation.tasks import training_matrix
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal

SMALL = SmallTables(sizes=((8, 6), (12, 8)), fills=(0.5, 0.7), tables=3, held_out=0.25)


def test_a_task_shows_its_table_alone(dated_matrix: ScoreMatrix) -> None:
    tasks = SMALL.tasks(dated_matrix)
    assert [(task.tags["size"], task.tags["fill"]) for task in tasks[::3]] == [
        ("8x6", "0.5"), ("8x6", "0.7"), ("12x8", "0.5"), ("12x8", "0.7"),
    ]  # fmt: skip
    for task in tasks:
        rows, columns = map(int, str(task.tags["size"]).split("x"))
        train, cells = training_matrix(dated_matrix, task)
        scores = round(float(task.tags["fill"]) * rows * columns)
        assert train.shape[0] == rows and train.observed.any(axis=1).all()
        assert train.observed.any(axis=0).sum() == columns
        assert len(cells) == round(0.25 * scores)
        assert train.n_cells + len(cells) == scores
        assert not train.observed[tuple(cells.T)].any()


def test_figures_by_size_are_clustered_by_table(dated_matrix: ScoreMatrix) -> None:
    result = evaluate(dated_matrix, SMALL, Normal())["normal"]
    assert {scale: set(by) for scale, by in result.figures["by_size"].items()}["percent"] == {
        "8x6", "12x8",
    }  # fmt: skip
    cells = result.table.cells
    rating = cells["benchmark_id"] == "b11"
    chosen = cells[(cells["size"] == "8x6") & ~rating]
    entry = result.figures["by_size"]["percent"]["8x6"]
    hits = (chosen["lower90"] <= chosen["truth"]) & (chosen["truth"] <= chosen["upper90"])
    assert entry["coverage90"] == pytest.approx(hits.mean())
    assert entry["n_clusters"] == chosen["n_task"].nunique() == 6
    expected = share_interval(hits.to_numpy(), chosen["n_task"].to_numpy())
    assert entry["coverage90_interval95"] == pytest.approx(list(expected))
    assert set(result.figures["crossed"]["percent"]["12x8"]) == {"0.5", "0.7"}


def test_sizes_without_room_are_left_out(dated_matrix: ScoreMatrix) -> None:
    tasks = SmallTables(sizes=((8, 6), (60, 30)), fills=(0.5,), tables=2).tasks(dated_matrix)
    assert {task.tags["size"] for task in tasks} == {"8x6"}
    with pytest.raises(DataError, match="no table of these sizes"):
        SmallTables(sizes=((60, 30),)).tasks(dated_matrix)


def test_tables_do_not_depend_on_how_many_there_are(dated_matrix: ScoreMatrix) -> None:
    few, many = (
        SmallTables(sizes=((8, 6),), fills=(0.5,), tables=n).tasks(dated_matrix) for n in (2, 5)
    )
    assert all(np.array_equal(a.hidden, b.hidden) for a, b in zip(few, many, strict=False))
