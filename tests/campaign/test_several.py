"""Several models under one budget: against one-model campaigns, and the argmax over models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bayesbench.campaign import Campaign, JointCampaign, StopRules
from bayesbench.errors import DataError, UnknownIdError, UsageError
from bayesbench.front.model import Model
from bayesbench.posterior.stored import StoredPosterior
from tests.factories import make_posterior

B = 7
COSTS = {f"bench_{j}": 1.0 + (3 * j) % 5 for j in range(B)}
TARGETS = ["bench_3", "bench_5", "bench_6"]


@pytest.fixture(scope="module")
def posterior() -> StoredPosterior:
    return make_posterior(seed=3, n_models=9, n_benchmarks=B, n_draws=120)


@pytest.fixture
def models(posterior: StoredPosterior) -> list[Model]:
    known = {"a": {"bench_0": 55.0}, "b": {}, "c": {"bench_1": 20.0, "bench_4": 70.0}}
    return [Model.of(posterior, scores, id=name) for name, scores in known.items()]


@pytest.mark.parametrize("costs", [None, COSTS])
@pytest.mark.parametrize(
    "rules",
    [{}, {"budget": 6.0}, {"max_probes": 2}, {"min_gain": 0.05}, {"target_width": 40.0}],
)
def test_with_one_model_it_is_its_campaign(
    models: list[Model], costs: Any, rules: dict[str, Any]
) -> None:
    settings: dict[str, Any] = {"targets": TARGETS, "costs": costs, "stop": StopRules(**rules)}
    one = Campaign.new(None, models[0], **settings)
    joint = JointCampaign.new(None, models[:1], **settings)
    for score in (40.0, 45.0, 50.0):
        expected, found = one.propose(), joint.propose()
        assert found.stop == expected.stop
        assert [run.recommendation for run in found.runs] == list(expected.recommendations)
        status = one.status()
        assert joint.status().budget_left == status.budget_left
        assert joint.status().mean_width == pytest.approx(status.mean_width)
        if not found.runs:
            break
        name = found.runs[0].recommendation.benchmark_id
        score = 1200.0 if name == "bench_2" else score
        assert joint.observe("a", name, score).step == one.observe(name, score)


@pytest.mark.parametrize("costs", [None, COSTS])
def test_the_choice_is_the_best_over_all_models(models: list[Model], costs: Any) -> None:
    """Every pair of model and benchmark is scored alone; the proposal is their argmax."""
    settings: dict[str, Any] = {"targets": TARGETS, "costs": costs}
    joint = JointCampaign.new(None, models, **settings)
    chosen = set()
    for score in (40.0, 45.0, 50.0, 60.0):
        worth = {}
        for name, model in joint.models.items():
            for benchmark in posterior_ids(model):
                if benchmark not in model.observed:
                    own = model.recommend(1, candidates=[benchmark], **settings)[0]
                    worth[name, benchmark] = own.gain_per_cost or own.gain_nats
        run = joint.propose().runs[0]
        pair = run.model_id, run.recommendation.benchmark_id
        assert worth[pair] == pytest.approx(max(worth.values()), rel=1e-9)
        chosen.add(run.model_id)
        taken = joint.observe(*pair, 1200.0 if pair[1] == "bench_2" else score)
        assert taken.step.gain_nats == run.recommendation.gain_nats
    assert len(chosen) > 1


def posterior_ids(model: Model) -> tuple[str, ...]:
    return model.posterior.benchmark_ids


def test_a_batch_keeps_each_models_order_and_the_budget(models: list[Model]) -> None:
    joint = JointCampaign.new(None, models, costs=COSTS, stop=StopRules(budget=7.0))
    runs = joint.propose(5).runs
    worth = [run.worth for run in runs]
    assert sum(COSTS[run.recommendation.benchmark_id] for run in runs) <= 7.0
    free = JointCampaign.new(None, models, costs=COSTS).propose(5).runs
    for model in models:
        own = [run.recommendation for run in free if run.model_id == model.id]
        assert own == list(model.recommend(5, costs=COSTS))[: len(own)]
    assert runs[0] == free[0] and worth[0] == max(worth)


def test_it_goes_on_from_its_file_and_undoes(
    tmp_path: Path, posterior: StoredPosterior, models: list[Model]
) -> None:
    path = tmp_path / "joint.json"
    joint = JointCampaign.new(path, models, costs=COSTS, stop=StopRules(budget=9.0))
    start = joint.propose()
    joint.observe("a", "bench_3", 60.0)
    joint.observe("b", "bench_4", 50.0, stderr=2.0)
    joint.observe("a", "bench_3", 61.0)
    again = JointCampaign.load(path, posterior)
    assert again.state == joint.state
    assert again.propose() == joint._propose(1)
    assert again.status().spent == COSTS["bench_3"] + COSTS["bench_4"]
    undone = again.undo(3)
    assert [(one.model_id, one.step.benchmark_id, one.step.score) for one in undone] == [
        ("a", "bench_3", 60.0), ("b", "bench_4", 50.0), ("a", "bench_3", 61.0)
    ]  # fmt: skip
    assert again.propose() == start and again.status().spent == 0.0
    with pytest.raises(UsageError, match="was changed by another process"):
        joint.observe("c", "bench_3", 60.0)
    assert "bench_3" not in joint.models["c"].observed


def test_the_budget_is_one(models: list[Model]) -> None:
    joint = JointCampaign.new(None, models, stop=StopRules(budget=2))
    assert joint.notes[-1] == "the budget counts probes: no costs were given"
    joint.observe("a", "bench_3", 60.0)
    assert joint.propose().stop is None
    joint.observe("b", "bench_3", 60.0)
    assert joint.propose().stop == "the rest of the budget, 0, pays for no candidate"


def test_wrong_calls_change_nothing(
    tmp_path: Path, posterior: StoredPosterior, models: list[Model]
) -> None:
    with pytest.raises(UsageError, match="model 'a' is named twice"):
        JointCampaign.new(None, [models[0], models[0]])
    with pytest.raises(UsageError, match="at least one model"):
        JointCampaign.new(None, [])
    with pytest.raises(UsageError, match=r"the rest of the budget, 0\.5, pays for no candidate"):
        JointCampaign.new(None, models, costs=COSTS, stop=StopRules(budget=0.5))
    path = tmp_path / "joint.json"
    joint = JointCampaign.new(path, models)
    before = path.read_text()
    with pytest.raises(UnknownIdError, match="unknown model 'd'"):
        joint.observe("d", "bench_3", 60.0)
    with pytest.raises(UsageError):
        joint.observe("a", "bench_3", 600.0)
    with pytest.raises(UsageError, match="only 0 have been made"):
        joint.undo()
    with pytest.raises(UsageError, match="exists"):
        JointCampaign.new(path, models)
    assert path.read_text() == before
    with pytest.raises(DataError, match="is not the one the campaign"):
        JointCampaign.load(path, make_posterior(seed=4))
    path.write_text(before.replace('"order": []', '"order": ["a"]'))
    with pytest.raises(DataError, match="order does not fit the steps"):
        JointCampaign.load(path, posterior)
