"""One function in front: methods side by side, what is asked wrongly, runs that are taken up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bayesbench.errors import DataError, UnknownIdError, UsageError
from bayesbench.evaluation import (
    CellPredictions,
    Curve,
    EvaluationResult,
    Family,
    Folds,
    NewRelease,
    Policy,
    Probes,
    build_method,
    evaluate,
)
from bayesbench.evaluation.predictions import IntArray
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.evaluation_methods import Normal, Planner


def test_methods_side_by_side_are_what_each_is_alone(dated_matrix: ScoreMatrix) -> None:
    protocol = Folds(seeds=2)
    both = evaluate(dated_matrix, protocol, ["als", Normal()])
    assert [result.method for result in both] == ["als", "normal"]
    for name, alone in (("als", "als"), ("normal", Normal())):
        one = evaluate(dated_matrix, protocol, alone)[name]
        for key, value in one.to_json().items():
            if key != "wall_s":
                assert both[name].to_json()[key] == value, key


def test_folds_are_the_default(dated_matrix: ScoreMatrix) -> None:
    result = evaluate(dated_matrix, methods="bias")["bias"]
    assert result.protocol == Folds()
    assert result.figures["n_cells"] == dated_matrix.n_cells


def test_options_go_to_a_method_given_by_name(dated_matrix: ScoreMatrix) -> None:
    asked = evaluate(dated_matrix, Folds(), "als", options={"rank": 1, "n_starts": 2})["als"]
    built = evaluate(dated_matrix, Folds(), build_method("als", rank=1, n_starts=2))["als"]
    assert asked.figures["medae"] == built.figures["medae"]
    other = evaluate(dated_matrix, Folds(), "als")["als"]
    assert asked.figures["medae"] != other.figures["medae"]


def test_a_named_method_is_built_for_what_the_protocol_leaves_unknown(
    dated_matrix: ScoreMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[tuple[str, str]] = []

    def build(name: str, *, setting: str, **options: object) -> Normal:
        built.append((name, setting))
        return Normal()

    monkeypatch.setattr("bayesbench.evaluation.run.build_method", build)
    late = Family("late", "2025-04-15", ids=("m15",))
    for protocol in (Folds(), NewRelease([late]), Probes(ks=(1,), sets=1), Curve(seeds=1)):
        evaluate(dated_matrix, protocol, "low-rank")
    assert built == [("low-rank", setting) for setting in ("cells", "releases", "probes", "cells")]


def test_progress_runs_over_all_methods(dated_matrix: ScoreMatrix) -> None:
    seen: list[tuple[int, int]] = []
    evaluate(
        dated_matrix,
        Folds(),
        ["mean", "bias"],
        report=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(n, 6) for n in (0, 1, 2, 3, 3, 4, 5, 6)]


def test_the_result_keeps_the_plans_of_its_method(dated_matrix: ScoreMatrix) -> None:
    given = Probes([Policy("given", (("b1",),))], ks=(1,), sets=0)
    found = evaluate(dated_matrix, given, Planner())
    assert found.protocol == given
    planned = found["normal"].protocol
    assert isinstance(planned, Probes)
    assert [policy.name for policy in planned.policies] == ["given", "planned", "adaptive"]


@pytest.mark.parametrize("wrong", ["folds", Folds, None])
def test_something_that_is_no_protocol_is_refused(dated_matrix: ScoreMatrix, wrong: Any) -> None:
    with pytest.raises(UsageError, match=r"one of Folds\(\), NewRelease\(\), Probes\(\), Curve"):
        evaluate(dated_matrix, wrong, "mean")


def test_wrong_methods_and_options_are_refused_before_the_work(dated_matrix: ScoreMatrix) -> None:
    with pytest.raises(UnknownIdError, match="unknown method 'alz'; nearest: als"):
        evaluate(dated_matrix, Folds(), ["mean", "alz"])
    with pytest.raises(UsageError, match="methods is empty"):
        evaluate(dated_matrix, Folds(), [])
    with pytest.raises(UsageError, match="two methods are called 'als'"):
        evaluate(dated_matrix, Folds(), ["als", build_method("als", rank=3)])
    for methods in (Normal(), ["als", "mean"]):
        with pytest.raises(UsageError, match="options belong to a single method given by name"):
            evaluate(dated_matrix, Folds(), methods, options={"rank": 2})
    with pytest.raises(DataError, match="protocol 'curve' finds no cell to hold out"):
        evaluate(dated_matrix, Curve(ks=(99,)), "mean")


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
        return evaluate(dated_matrix, Folds(), Counted(), work_dir=tmp_path)["normal"]

    with monkeypatch.context() as patched:
        patched.setattr("bayesbench.evaluation.run.cell_table", dies)
        with pytest.raises(RuntimeError, match="killed"):
            run()
    assert len(calls) == 3 and list(tmp_path.iterdir())
    assert run().figures["n_cells"] == dated_matrix.n_cells
    assert len(calls) == 3 and not list(tmp_path.iterdir())
