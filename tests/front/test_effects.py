"""What new scores change, each figure against the one asked for directly."""

from __future__ import annotations

import sys

import pytest

from bayesbench.front import effects as module
from bayesbench.front.effects import effects
from bayesbench.scores import ScoreMatrix
from tests.design.design_helpers import failed_examples
from tests.factories import make_matrix, make_posterior

POSTERIOR = make_posterior()
MATRIX = make_matrix()


def test_figures_are_those_of_conditioning() -> None:
    found = effects(POSTERIOR, MATRIX, MATRIX, {"model_0": {"bench_0": 40.0, "bench_1": 60.0}})
    old = POSTERIOR.condition({}, id="model_0")
    new = POSTERIOR.condition({"bench_0": 40.0, "bench_1": 60.0}, id="model_0")
    for one in found.foreseen:
        cell = old.predict()[one.benchmark_id]
        assert (one.median, (one.lower, one.upper)) == (cell.median, cell.interval(0.9))
        side = one.upper - one.median if one.score > one.median else one.median - one.lower
        assert one.distance == pytest.approx(abs(one.score - one.median) / side)
    assert {one.benchmark_id for one in found.moves} == set(POSTERIOR.benchmark_ids) - set(
        new.observed
    )
    for move in found.moves:
        assert move.after == new.predict()[move.benchmark_id].median
        assert move.before == old.predict()[move.benchmark_id].median


def test_a_model_that_was_not_fitted_is_known_by_its_scores() -> None:
    small = make_posterior(matrix=MATRIX.subset(models=MATRIX.model_ids[1:]))
    name = MATRIX.model_ids[0]
    found = effects(small, MATRIX, MATRIX, {name: {"bench_0": 40.0}})
    assert name not in small.model_ids and len(found.foreseen) == 1
    assert not {one.benchmark_id for one in found.moves} & {
        bench for bench, seen in zip(MATRIX.benchmark_ids, MATRIX.observed[0], strict=True) if seen
    }


def test_benchmarks_on_another_scale_are_named_and_left_out() -> None:
    turned = MATRIX.benchmarks.copy()
    turned.loc["bench_3", "upper"] = 99.99
    other = ScoreMatrix(MATRIX.models, turned, MATRIX.readings)
    found = effects(POSTERIOR, MATRIX, other, {"model_0": {"bench_3": 50.0}})
    assert found.foreseen == () and "does not know bench_3 on that scale" in found.notes[0]


def test_a_rating_far_off_is_suspected_not_raised() -> None:
    found = effects(POSTERIOR, MATRIX, MATRIX, {"model_0": {"bench_2": 9e9}})
    assert [one.benchmark_id for one in found.suspected] == ["bench_2"]
    assert found.suspected[0].probability is None and found.foreseen[0].distance > 1


def test_many_models_are_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MODELS", 1)
    found = effects(
        POSTERIOR, MATRIX, MATRIX, {"model_0": {"bench_0": 40.0}, "model_1": {"bench_0": 40.0}}
    )
    assert len(found.foreseen) == 1 and "the first 1 of 2 models only" in found.notes[0]


def test_examples() -> None:
    assert failed_examples(sys.modules[effects.__module__]) == 0
