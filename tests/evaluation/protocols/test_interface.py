"""What all protocols have in common."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import UsageError
from bayesbench.evaluation import (
    PROTOCOLS,
    AsShipped,
    Curve,
    EvaluationProtocol,
    Family,
    Folds,
    NewBenchmark,
    NewRelease,
    Policy,
    Probes,
    SmallTables,
    evaluate,
)
from bayesbench.evaluation.protocols.interface import PlannedProtocol, PreparedProtocol
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal

FAMILY = Family("late", "2025-04-15", ids=("m15", "m16"))
SMALL: dict[str, EvaluationProtocol] = {
    "folds": Folds(seeds=2),
    "new-release": NewRelease([FAMILY], ks=(1, 3), seeds=2),
    "probes": Probes([Policy("given", (("b0", "b3"),))], ks=(0, 2), sets=2),
    "curve": Curve(ks=(1, 3), seeds=2),
    "new-benchmark": NewBenchmark(ks=(1, 3), seeds=2, benchmarks_per_fit=3),
    "as-shipped": AsShipped(("2025-02-15",), ks=(0, 2), seeds=2, min_model=4, min_benchmark=4),
    "small-tables": SmallTables(sizes=((8, 6), (12, 8)), fills=(0.5, 0.7), tables=2),
}
EVERY = pytest.mark.parametrize("protocol", SMALL.values(), ids=SMALL)


def test_every_protocol_is_tested_here() -> None:
    assert set(SMALL) == set(PROTOCOLS)
    assert all(kind.name == name for name, kind in PROTOCOLS.items())
    assert {type(protocol) for protocol in SMALL.values()} == set(PROTOCOLS.values())


@EVERY
def test_tasks_predict_only_what_they_hide(
    protocol: EvaluationProtocol, dated_matrix: ScoreMatrix
) -> None:
    assert isinstance(protocol, EvaluationProtocol)
    tasks = protocol.tasks(dated_matrix)
    assert len({task.key for task in tasks}) == len(tasks) > 2
    for task in tasks:
        assert task.hidden[task.cells[:, 0], task.cells[:, 1]].all()
        assert dated_matrix.observed[task.cells[:, 0], task.cells[:, 1]].all()
        assert not task.hidden[tuple(task.revealed.T)].any()


@EVERY
def test_the_same_tasks_every_time_and_others_for_another_seed(
    protocol: EvaluationProtocol, dated_matrix: ScoreMatrix
) -> None:
    kind: Any = type(protocol)
    given = {field.name: getattr(protocol, field.name) for field in fields(kind)}
    one, again, other = (
        kind(**{**given, "seed": seed}).tasks(dated_matrix) for seed in (42, 42, 43)
    )
    assert [task.random_seed for task in one] == [task.random_seed for task in again]
    assert all(
        np.array_equal(a.hidden, b.hidden) and a.key == b.key
        for a, b in zip(one, again, strict=True)
    )
    assert {task.random_seed for task in one}.isdisjoint(task.random_seed for task in other)


@EVERY
def test_max_folds_takes_the_first_tasks(
    protocol: EvaluationProtocol, dated_matrix: ScoreMatrix
) -> None:
    kind: Any = type(protocol)
    given = {field.name: getattr(protocol, field.name) for field in fields(kind)}
    first = kind(**{**given, "max_folds": 2}).tasks(dated_matrix)
    assert [task.key for task in first] == [task.key for task in protocol.tasks(dated_matrix)[:2]]


def _counted(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["table"] == "policies"] if "table" in rows else rows


@EVERY
def test_figures_are_pooled_and_their_parts_are_there(
    protocol: EvaluationProtocol, dated_matrix: ScoreMatrix
) -> None:
    result = evaluate(dated_matrix, protocol, Normal())["normal"]
    # the headline of probes is that of the policies, each as many probes; matched ones stand apart
    cells = _counted(result.table.cells)
    assert result.figures["n_cells"] == len(cells) > 0
    for name, levels in protocol.parts.items():
        frame = _counted(result.to_frame()).drop(columns="table", errors="ignore")
        assert list(frame.columns[1 : 1 + len(levels)]) == list(levels)
        assert frame["n_cells"].sum() == result.figures["n_cells"]
        assert len(result.figures[name]) == frame[levels[0]].nunique()


@EVERY
def test_values_cannot_be_changed_and_are_compared_by_their_parameters(
    protocol: EvaluationProtocol,
) -> None:
    kind: Any = type(protocol)
    given = {field.name: getattr(protocol, field.name) for field in fields(kind)}
    assert kind(**given) == protocol != kind(**{**given, "seed": 1})
    with pytest.raises(AttributeError):
        protocol.seed = 1  # type: ignore[attr-defined]


@EVERY
def test_a_parameter_of_another_protocol_is_no_parameter(protocol: EvaluationProtocol) -> None:
    kind: Any = type(protocol)
    own = {field.name for field in fields(kind)}
    every = {field.name for other in PROTOCOLS.values() for field in fields(other)}  # type: ignore[arg-type]
    assert every - own
    for name in every - own:
        with pytest.raises(TypeError, match=name):
            kind(**{name: 1})


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (Folds, {"n_folds": 1}, "n_folds of Folds must be a whole number of at least 2, got 1"),
        (Folds, {"seeds": 0}, "seeds of Folds"),
        (Folds, {"seed": -1}, "seed of Folds must be a whole number of at least 0, got -1"),
        (Folds, {"max_folds": 0}, "max_folds of Folds"),
        (Folds, {"seeds": 2.5}, "got 2.5"),
        (Folds, {"seeds": True}, "got True"),
        (NewRelease, {"ks": ()}, "ks of NewRelease must be different whole numbers"),
        (NewRelease, {"ks": (1, 1)}, r"got \(1, 1\)"),
        (NewRelease, {"ks": 3}, "got 3"),
        (Curve, {"ks": (-1,)}, "ks of Curve"),
        (Curve, {"ks": "12"}, "got '12'"),
        (Curve, {"models_per_fit": 0}, "models_per_fit of Curve"),
        (Probes, {"sets": -1}, "sets of Probes"),
        (Probes, {"ks": (1.5,)}, "ks of Probes"),
        (AsShipped, {"ks": ()}, "ks of AsShipped"),
        (AsShipped, {"inputs": ("score",)}, "inputs of AsShipped must be different ones of scores"),
        (AsShipped, {"reveals": "random"}, "reveals of AsShipped"),
        (AsShipped, {"reveals": ("random", "random")}, "reveals of AsShipped"),
        (AsShipped, {"cutoffs": ("soon",)}, "cutoffs of AsShipped must be different dates"),
        (AsShipped, {"cutoffs": "2025-10-01"}, "cutoffs of AsShipped"),
        (AsShipped, {"posterior": "a.nc", "cutoffs": ("2025-01-01",)}, "leave out cutoffs"),
        (AsShipped, {"min_model": -1}, "min_model of AsShipped"),
        (SmallTables, {"sizes": ()}, "sizes of SmallTables"),
        (SmallTables, {"sizes": ((8, 1),)}, "sizes of SmallTables"),
        (SmallTables, {"sizes": (8, 6)}, "sizes of SmallTables"),
        (SmallTables, {"fills": (0.5, 1.5)}, "fills of SmallTables"),
        (SmallTables, {"held_out": 1.0}, "held_out of SmallTables"),
        (SmallTables, {"tables": 0}, "tables of SmallTables"),
    ],
)
def test_bad_parameters_are_refused_when_a_protocol_is_built(
    kind: Any, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        kind(**parameters)


def test_what_depends_on_the_method_and_what_changes_the_matrix() -> None:
    planned = {name for name, one in SMALL.items() if isinstance(one, PlannedProtocol)}
    assert planned == {"probes", "as-shipped"}
    prepared = {name for name, one in SMALL.items() if isinstance(one, PreparedProtocol)}
    assert prepared == {"as-shipped"}
