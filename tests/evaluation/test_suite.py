"""Suites in files: the same after a round trip, checked on what a matrix has become."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bayesbench as bb
from bayesbench.errors import DataError, UsageError
from bayesbench.evaluation import subsets
from bayesbench.evaluation.suite import Suite, subset
from bayesbench.low_rank.simulate import simulate
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix
from tests.factories import make_matrix, make_posterior


@pytest.fixture(autouse=True)
def random_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(matrix: ScoreMatrix, *_: object, **__: object) -> StoredPosterior:
        return make_posterior(matrix=matrix, n_draws=40)

    monkeypatch.setattr(subsets, "sample", made)


@pytest.fixture
def chosen() -> Suite:
    return subset(make_matrix(n_models=8), 2, folds=2, sets=2, costs=costs(bench_0=1, bench_4=3))


def costs(**given: float) -> Mapping[str, float]:
    return {"bench_1": 2.0, "bench_3": 2.0, **given}


def without(matrix: ScoreMatrix, *names: str, more: int = 0) -> ScoreMatrix:
    """The matrix without some benchmarks, and with so many further models."""
    frame = matrix.to_frame()
    frame = frame[~frame["benchmark_id"].isin(names)]
    new = [
        frame.assign(model_id="new_" + str(n) + "_" + frame["model_id"]).iloc[n : n + 9]
        for n in range(more)
    ]
    kept = matrix.benchmarks.drop(index=list(names)).reset_index()
    return ScoreMatrix.from_frame(pd.concat([frame, *new]), benchmarks=kept)


def test_it_is_the_same_after_a_round_trip(chosen: Suite, tmp_path: Path) -> None:
    chosen.save(tmp_path / "suite.json")
    assert repr(Suite.load(tmp_path / "suite.json")) == repr(chosen)
    assert bb.Suite is Suite and bb.subset is subset
    assert str(chosen).startswith("2 of 5 benchmarks: ")


def test_only_what_has_a_cost_is_chosen(chosen: Suite) -> None:
    assert "bench_2" not in chosen.benchmarks and set(chosen.folds_chosen) == set(chosen.benchmarks)
    figure = {one.figure: one.value for one in chosen.figures}
    assert 2 * 1 <= figure["cost"] <= 2 + 3
    named = subset(make_matrix(), 1, candidates=["BENCH 3"], folds=2, sets=1)
    assert named.benchmarks == named.candidates == ("bench_3",)


def test_the_frozen_suite_is_checked_on_what_is_left(chosen: Suite) -> None:
    gone, *_ = chosen.benchmarks
    found = chosen.check(without(make_matrix(n_models=8), gone), folds=2, sets=2)
    assert (found.gone, found.benchmarks) == ((gone,), chosen.benchmarks[1:])
    assert (found.n_models, found.n_new, found.new_figures) == (8, 0, ())
    assert f"1 of 2 benchmarks are there; gone: {gone}; now" in str(found)
    assert {one.against for one in found.against} == {"popularity", "random", "nothing"}
    same = chosen.check(make_matrix(n_models=8), folds=2, sets=2)
    assert same.gone == () and same.benchmarks == chosen.benchmarks


def test_new_models_have_figures_of_their_own(chosen: Suite) -> None:
    found = chosen.check(without(make_matrix(n_models=8), more=4), folds=2, sets=1)
    assert found.n_new == found.n_models - 8 >= 10
    whole, new = ({one.figure: one.value for one in part}
                  for part in (found.figures, found.new_figures))  # fmt: skip
    assert whole["medae"] != new["medae"] and set(whole) == set(new)


def test_nothing_left_is_an_error(chosen: Suite) -> None:
    frozen = replace(chosen, benchmarks=("other_1", "other_2"))
    with pytest.raises(DataError, match="none of the benchmarks of the suite is left: other_1, o"):
        frozen.check(make_matrix())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "other"}, "it is of another kind"),
        ({"version": 9}, "version 9, this program reads 1"),
        ({"benchmarks": []}, "benchmarks and models must be lists of ids"),
        ({"benchmarks": [1]}, "benchmarks and models must be lists of ids"),
        ({"figures": 3}, "not iterable"),
        ({"figures": [{"figure": "medae"}]}, "missing"),
        ({"costs": {"values": {"bench_0": -1}, "unit": ""}}, "cost of 'bench_0' must be"),
        ({"figures": [{"figure": "medae", "value": "1", "lower": 0, "upper": 1}]}, "no row of num"),
        ({"figures": []}, "figures must hold medae and pairs"),
        ({"sets": "5"}, "must be whole numbers"),
        ({"folds_chosen": [1]}, "has no attribute"),
        ({"more": 1}, "unexpected keyword"),
    ],
)
def test_other_files_are_refused(
    chosen: Suite, tmp_path: Path, change: Mapping[str, Any], reason: str
) -> None:
    file = tmp_path / "suite.json"
    file.write_text(json.dumps({**json.loads(chosen.to_json()), **change}))
    with pytest.raises((DataError, UsageError), match=reason) as failure:
        Suite.load(file)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "\x00"])
def test_what_is_no_suite_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "suite.json"
    file.write_text(text)
    with pytest.raises(DataError, match="is not a usable suite file"):
        Suite.load(file)
    with pytest.raises(UsageError, match="no suite"):
        Suite.load(tmp_path / "none.json")


@pytest.mark.slow
def test_with_real_fits_the_choice_is_that_of_every_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    spec, engine = ModelSpec(rank=0), bb.Gibbs(chains=1, warmup=100, draws=100, thin=1)
    matrix = simulate(0, 16, 6, spec, fill=1.0).matrix
    told: list[Sequence[int]] = []
    shared = {"folds": 2, "sets": 2, "spec": spec, "engine": engine}
    found = subset(matrix, 2, report=lambda *at: told.append(at[:2]), **shared)
    assert found == subset(matrix, 2, jobs=2, **shared)
    assert told[-1][0] == told[-1][1]
    pairs = next(one for one in found.figures if one.figure == "pairs")
    assert 0.5 < pairs.lower <= pairs.value <= 1
