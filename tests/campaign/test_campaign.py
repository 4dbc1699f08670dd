from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesbench.campaign import Campaign, StopRules, fingerprint, read_state
from bayesbench.design import Costs
from bayesbench.errors import DataError, ScoreError, UnknownIdError, UsageError
from bayesbench.front.model import Model
from bayesbench.front.posterior import Posterior, open_posterior
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.posterior.stored import StoredPosterior
from tests.factories import make_posterior

B = 7
SCORES = {f"bench_{j}": 1200.0 if j == 2 else 40.0 + 5 * j for j in range(B)}


@pytest.fixture(scope="module")
def posterior() -> StoredPosterior:
    return make_posterior(seed=3, n_models=9, n_benchmarks=B, n_draws=120)


@pytest.fixture(scope="module")
def bundled() -> Posterior:
    return open_posterior()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "campaign.json"


@pytest.fixture
def model(posterior: StoredPosterior) -> Model:
    """A new model of which nothing is known."""
    return Model.of(posterior, {})


@pytest.fixture
def scored(posterior: StoredPosterior) -> Model:
    """A new model with one score."""
    return Model.of(posterior, {"bench_0": 55.0})


def same(first: Campaign, second: Model) -> None:
    """Predictions are equal to the last bit."""
    one, other = first.predictions(), second.predict()
    assert one.keys == other.keys
    np.testing.assert_array_equal(one.cells.quantiles, other.cells.quantiles)
    np.testing.assert_array_equal(one.cells.observed, other.cells.observed)


def test_a_proposal_is_what_the_model_recommends(path: Path, posterior: StoredPosterior) -> None:
    facts = ModelFacts(provider="Aleph", reasoning=True)
    model = Model.of(posterior, {"bench_0": 55.0}, facts=facts, seed=4)
    proposal = Campaign.new(path, model).propose(k=2)
    assert proposal.recommendations == model.recommend(2)
    assert proposal.stop is None
    costs = {f"bench_{j}": 1.0 + j for j in range(B)}
    settings: dict[str, Any] = {"targets": ["bench_3", "bench_5"], "weights": {"bench_5": 2.0},
                                "exclude": ["bench_1"], "costs": costs, "prob": 0.8}  # fmt: skip
    assert Campaign.new(None, model, **settings).propose(3).recommendations == model.recommend(
        3, **settings
    )


def test_a_loaded_campaign_answers_like_the_model(path: Path, posterior: StoredPosterior) -> None:
    facts = ModelFacts(provider="Aleph", reasoning=True, release_date="2024-05")
    model = Model.of(posterior, {"bench_0": 55.0}, facts=facts, id="model_1-next", seed=4)
    campaign = Campaign.new(path, model)
    campaign.observe("bench_3", 60.0)
    both = {"bench_0": 55.0, "bench_3": 60.0}
    expected = Model.of(posterior, both, facts=facts, id="model_1-next", seed=4)
    same(campaign, expected)
    again = Campaign.load(path, posterior)
    assert (again.model.id, again.model.facts, again.model.seed) == ("model_1-next", facts, 4)
    same(again, expected)


def test_one_begun_with_the_bundled_posterior_is_calibrated_and_finds_it(
    path: Path, bundled: Posterior
) -> None:
    model = bundled.condition({"GPQA Diamond": 70})
    campaign = Campaign.new(path, model, targets=["MMLU-Pro"])
    assert "'GPQA Diamond' is taken for gpqa_diamond" in campaign.notes
    assert "'MMLU-Pro' is taken for mmlu_pro" in campaign.notes
    assert (campaign.state.bundled, campaign.state.posterior_path) == (True, None)
    assert campaign.state.known == {"gpqa_diamond": 70.0}
    again = Campaign.load(path)
    same(again, model)
    assert again.predictions().calibrated
    raw = model.predict(raw=True).cells.quantiles
    assert not np.array_equal(again.predictions().cells.quantiles, raw)


def test_a_bundled_posterior_that_has_changed_is_named(path: Path, bundled: Posterior) -> None:
    Campaign.new(path, bundled.condition({"gpqa_diamond": 70}))
    path.write_text(path.read_text().replace(fingerprint(bundled), "0" * 64))
    with pytest.raises(DataError, match=r"^the bundled posterior is not the one the campaign"):
        Campaign.load(path)


def test_a_file_of_the_version_before_goes_on(path: Path, bundled: Posterior) -> None:
    facts = dict.fromkeys(
        ("model_id", "provider", "release_date", "reasoning", "open_weights", "params_b")
    )
    stop = dict.fromkeys(("min_gain", "target_width", "budget", "max_probes"))
    step = {"benchmark_id": "hle", "score": 20, "cost": None, "gain_nats": None, "median": 15.0,
            "lower": 5.0, "upper": 30.0}  # fmt: skip
    content = {
        "format": "bayesbench-campaign", "version": 1, "posterior_path": None,
        "fingerprint": fingerprint(bundled), "model": {**facts, "reasoning": True},
        "known": {"gpqa_diamond": 70.0}, "targets": None, "candidates": None, "weights": None,
        "exclude": [], "costs": None, "cost_unit": "", "stop": stop, "prob": 0.9, "seed": 0,
        "steps": [step], "proposed": {}, "revision": 2,
    }  # fmt: skip
    path.write_text(json.dumps(content))
    campaign = Campaign.load(path)
    scores = {"gpqa_diamond": 70.0, "hle": 20.0}
    same(campaign, bundled.condition(scores, facts=ModelFacts(reasoning=True)))
    campaign.observe("ifeval", 85.0)
    assert json.loads(path.read_text())["version"] == 3
    assert Campaign.load(path).state == campaign.state


def test_observing_conditions_on_the_score(path: Path, scored: Model) -> None:
    campaign = Campaign.new(path, scored)
    first = campaign.propose().recommendations[0]
    step = campaign.observe(first.benchmark_id, SCORES[first.benchmark_id])
    assert (step.gain_nats, step.median) == (first.gain_nats, first.median)
    assert (step.lower, step.upper) == (first.lower, first.upper)
    assert step.corrects is None
    assert campaign.model.observed == {"bench_0": 55.0, step.benchmark_id: step.score}
    assert first.benchmark_id != campaign.propose().recommendations[0].benchmark_id


def test_observing_again_corrects(path: Path, posterior: StoredPosterior, scored: Model) -> None:
    campaign = Campaign.new(path, scored)
    campaign.observe("bench_4", 61.5)
    step = campaign.observe("bench_4", 16.5)
    assert (step.corrects, step.note) == (61.5, "bench_4: 61.5 is replaced by 16.5")
    assert step.note in campaign.notes
    lower, upper = scored.predict()["bench_4"].interval(0.9)
    assert (step.lower, step.upper) == (lower, upper), "predicted without the score it replaces"
    fixed = campaign.observe("bench_0", 45.0)
    assert fixed.corrects == 55.0
    expected = Model.of(posterior, {"bench_0": 45.0, "bench_4": 16.5})
    same(campaign, expected)
    again = Campaign.load(path, posterior)
    same(again, expected)
    assert again.state.steps[1:] == (step, fixed)


def test_corrections_count_as_no_probes(scored: Model) -> None:
    campaign = Campaign.new(None, scored, stop=StopRules(max_probes=2, budget=4.0))
    width = campaign.predictions()["bench_4"].interval(0.9)
    campaign.observe("bench_4", 99.9)
    campaign.observe("bench_4", sum(width) / 2)
    campaign.observe("bench_0", 45.0)
    status = campaign.status()
    assert (status.n_known, status.n_steps, status.n_corrections) == (1, 3, 2)
    assert (status.spent, status.budget_left, status.stop) == (1.0, 3.0, None)
    assert not campaign.state.steps[0].inside and status.within == 1
    campaign.observe("bench_0", 46.0, cost=0.5)
    assert campaign.status().spent == 1.5, "a second run that was paid for"
    campaign.observe("bench_5", 60.0)
    assert campaign.status().stop == "2 probes have been run"


def test_undo_takes_back_the_last_steps(
    path: Path, posterior: StoredPosterior, scored: Model
) -> None:
    campaign = Campaign.new(path, scored)
    made = [campaign.observe("bench_4", 61.5), campaign.observe("bench_5", 60.0),
            campaign.observe("bench_4", 16.5)]  # fmt: skip
    assert campaign.undo() == (made[2],)
    assert read_state(path).scores == {"bench_0": 55.0, "bench_4": 61.5, "bench_5": 60.0}
    same(campaign, Model.of(posterior, campaign.state.scores))
    assert campaign.undo(2) == (made[0], made[1])
    same(campaign, scored)
    same(Campaign.load(path, posterior), scored)
    kept = path.read_bytes()
    with pytest.raises(UsageError, match="take back: 1, but only 0 have been made"):
        campaign.undo()
    with pytest.raises(UsageError, match="1 or more, got 0"):
        campaign.undo(0)
    assert path.read_bytes() == kept


def test_a_loaded_campaign_goes_on_the_same(
    path: Path, posterior: StoredPosterior, model: Model
) -> None:
    costs = Costs({f"bench_{j}": 1.0 + j for j in range(B)}, "USD")
    campaign = Campaign.new(path, model, costs=costs, stop=StopRules(budget=20.0))
    campaign.observe("bench_3", 60.0)
    campaign.observe("bench_1", 30.0, cost=9.0)
    proposal = campaign.propose()
    again = Campaign.load(path, posterior)
    assert again.state == campaign.state
    assert again.propose() == proposal
    assert again.status() == campaign.status()
    assert again.state.spent == 4.0 + 9.0
    assert (
        proposal.recommendations[0].cost == costs.values[proposal.recommendations[0].benchmark_id]
    )


def test_it_finds_its_posterior_again(
    path: Path, posterior: StoredPosterior, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = path.with_name("posterior.nc")
    posterior.save(place)
    monkeypatch.chdir(place.parent)
    campaign = Campaign.new(path, model, posterior_path="posterior.nc")
    proposal = campaign.propose()
    monkeypatch.chdir("/")
    assert Campaign.load(path).propose() == proposal
    place.rename(place.with_name("moved.nc"))
    with pytest.raises(
        DataError, match=r"is no longer at .*posterior\.nc: put it back, or"
    ) as caught:
        Campaign.load(path)
    assert "\n" not in str(caught.value)
    assert Campaign.load(path, open_posterior(place.with_name("moved.nc"))).propose() == proposal


def test_a_replay_runs_itself_on_held_out_scores(
    path: Path, posterior: StoredPosterior, model: Model
) -> None:
    held_out = {name: SCORES[name] for name in ("bench_1", "bench_4", "bench_5")}
    campaign = Campaign.new(path, model)
    steps = campaign.replay(held_out)
    assert {s.benchmark_id: s.score for s in steps} == held_out
    assert Campaign.load(path, posterior).state.steps == steps
    by_hand = Campaign.new(None, model)
    for step in steps:
        left = [n for n in held_out if n not in by_hand.state.scores]
        proposed = by_hand.propose(1, left).recommendations[0]
        assert by_hand.observe(proposed.benchmark_id, held_out[proposed.benchmark_id]) == step
    assert len(Campaign.new(None, model).replay(held_out, max_steps=2)) == 2
    assert len(Campaign.new(None, model).replay({"Bench 1": 40.0})) == 1
    with pytest.raises(UsageError, match="'bench_1' is given twice"):
        Campaign.new(None, model).replay({"Bench 1": 40.0, "bench_1": 40.0})


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (StopRules(max_probes=2), "2 probes have been run"),
        (StopRules(budget=2.0), "the rest of the budget, 0, pays for no candidate"),
        (StopRules(min_gain=1e6), "gains only"),
        (StopRules(target_width=1e6), "the mean target interval is"),
    ],
)
def test_stop_rules(rules: StopRules, reason: str, model: Model) -> None:
    campaign = Campaign.new(None, model, stop=rules)
    steps = campaign.replay(SCORES)
    stop = campaign.propose().stop
    assert stop is not None and reason in stop
    assert campaign.status().stop == stop == campaign.propose(3).stop
    assert len(steps) == (0 if rules.min_gain or rules.target_width else 2)


def test_costs_bar_what_the_rest_cannot_pay(model: Model) -> None:
    costs = Costs({"bench_1": 1.0, "bench_3": 5.0, "bench_4": 5.0})
    campaign = Campaign.new(None, model, costs=costs, stop=StopRules(budget=6.5))
    campaign.observe("bench_3", 50.0)
    assert [r.benchmark_id for r in campaign.propose(3).recommendations] == ["bench_1"]
    assert campaign.status().budget_left == pytest.approx(1.5)
    with pytest.raises(UsageError, match="no cost known for 'bench_5': say what it did cost"):
        campaign.observe("bench_5", 50.0)
    campaign.observe("bench_5", 50.0, cost=1.0)
    stop = campaign.propose().stop
    assert stop == "the rest of the budget, 0.5, pays for no candidate"


def test_a_batch_is_fitted_into_the_rest_of_the_budget(scored: Model) -> None:
    costs = {f"bench_{j}": 1.0 + j for j in range(B)}
    campaign = Campaign.new(None, scored, costs=costs, stop=StopRules(budget=12.0))
    campaign.observe("bench_1", 45.0)
    batch = campaign.propose(4).recommendations
    affordable = [f"bench_{j}" for j in range(2, B)]
    expected = campaign.model.recommend(4, candidates=affordable, costs=costs, budget=10.0)
    assert batch == expected and len(batch) > 1
    assert sum(costs[each.benchmark_id] for each in batch) <= 10.0


def test_a_given_cost_counts_without_campaign_costs(model: Model) -> None:
    campaign = Campaign.new(None, model, stop=StopRules(budget=4.0))
    assert campaign.notes == ("the budget counts probes: no costs were given",)
    campaign.observe("bench_1", 45.0)
    assert (campaign.status().spent, campaign.status().unit) == (1.0, "probes")
    step = campaign.observe("bench_3", 50.0, cost=2.5)
    assert step.cost == 2.5
    assert (campaign.status().spent, campaign.status().budget_left) == (3.5, 0.5)
    assert campaign.status().stop == "the rest of the budget, 0.5, pays for no candidate"
    assert Campaign.new(None, model).notes == ()


def test_it_stops_when_every_target_is_known(model: Model) -> None:
    campaign = Campaign.new(None, model, targets=["bench_4"])
    assert campaign.status().n_targets_left == 1
    campaign.observe("bench_4", 60.0)
    assert campaign.propose().stop == "every target has been run"
    assert (campaign.status().mean_width, campaign.status().n_targets_left) == (0.0, 0)


def test_the_mean_width_is_weighted(model: Model) -> None:
    campaign = Campaign.new(None, model, weights={"bench_3": 1.0, "bench_4": 3.0, "bench_5": 0.0})
    lower, upper = campaign.predictions().interval(0.9)
    width = upper - lower
    assert campaign.status().mean_width == pytest.approx((width[3] + 3 * width[4]) / 4, rel=1e-12)
    assert campaign.status().n_targets_left == 2


def test_candidates_can_run_out(model: Model) -> None:
    campaign = Campaign.new(None, model, candidates=["bench_1", "bench_3"], exclude=["bench_3"])
    assert [r.benchmark_id for r in campaign.propose(5).recommendations] == ["bench_1"]
    campaign.observe("bench_1", 60.0)
    assert campaign.propose().stop == "no candidate benchmark is left to run"


def test_a_fitted_model_brings_its_scores(path: Path, posterior: StoredPosterior) -> None:
    row = posterior.matrix.values[0]
    seen = int(np.flatnonzero(np.isfinite(row))[0])
    campaign = Campaign.new(path, Model.fitted_one(posterior, "model_0"))
    proposed = campaign.propose(B).recommendations
    assert {r.benchmark_id for r in proposed} == {
        f"bench_{j}" for j in np.flatnonzero(np.isnan(row))
    }
    assert (campaign.state.model_id, campaign.state.known) == ("model_0", {})
    step = campaign.observe(f"bench_{seen}", 50.0)
    assert step.corrects == row[seen]
    same(Campaign.load(path, posterior), Model.of(posterior, {f"bench_{seen}": 50.0}, id="model_0"))


def test_names_may_be_spelled_freely(model: Model) -> None:
    campaign = Campaign.new(
        None,
        model,
        targets=["Bench 4"],
        weights={"BENCH-4": 2.0},
        candidates=["bench 1", "bench_3"],
        exclude=["Bench_3"],
        costs={"Bench 1": 2.0},
    )
    state = campaign.state
    assert (state.targets, state.candidates, state.exclude) == (
        ("bench_4",), ("bench_1", "bench_3"), ("bench_3",),
    )  # fmt: skip
    assert (state.weights, state.costs) == ({"bench_4": 2.0}, {"bench_1": 2.0})
    assert "'Bench 1' is taken for bench_1" in campaign.notes
    assert campaign.propose(1, ["BENCH 1"]).recommendations[0].benchmark_id == "bench_1"
    assert campaign.observe("Bench 1", 40.0).benchmark_id == "bench_1"
    with pytest.raises(UsageError, match="'bench_1' is given twice, in two spellings"):
        Campaign.new(None, model, costs={"Bench 1": 2.0, "bench_1": 3.0})


def test_a_refused_observation_changes_nothing(path: Path, scored: Model) -> None:
    campaign = Campaign.new(path, scored)
    before = path.read_bytes()
    with pytest.raises(UnknownIdError, match="unknown benchmark 'bench_44'; nearest: bench_4"):
        campaign.observe("bench_44", 50.0)
    for bad in (140.0, float("nan")):
        for name in ("bench_4", "bench_0"):
            with pytest.raises(ScoreError, match=name):
                campaign.observe(name, bad)
    for name in ("bench_4", "bench_0"):
        with pytest.raises(UsageError, match=f"cost of '{name}' must be a number above 0, got -2"):
            campaign.observe(name, 50.0, cost=-2.0)
    assert path.read_bytes() == before
    assert campaign.state.steps == ()
    same(campaign, scored)


def test_bad_plans_are_refused_before_anything_is_written(
    path: Path, posterior: StoredPosterior, model: Model
) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"targets": ["bench_99"]}, "unknown benchmark 'bench_99'"),
        ({"targets": []}, "name at least one"),
        ({"candidates": []}, "no candidate benchmark left"),
        ({"candidates": ["x"]}, "unknown benchmark 'x'"),
        ({"weights": {"bench_1": -1.0}}, "weight of target 'bench_1' must be 0 or more"),
        ({"costs": {"bench_1": -3.0}}, "cost of 'bench_1' must be a number above 0"),
        ({"costs": Costs({"bench_1": 3.0}), "stop": StopRules(budget=2.0)}, "below the cheapest"),
        ({"candidates": ["bench_2"], "costs": Costs({"bench_1": 3.0})}, "no cost known for"),
        ({"prob": 2.0}, r"\(0, "),
    ]
    for arguments, message in cases:
        with pytest.raises(UsageError, match=message):
            Campaign.new(path, model, **arguments)
        assert not path.exists()


def test_an_existing_file_is_not_overwritten(path: Path, model: Model) -> None:
    Campaign.new(path, model)
    kept = path.read_bytes()
    with pytest.raises(UsageError, match="exists: go on with that campaign"):
        Campaign.new(path, model)
    assert path.read_bytes() == kept
    with pytest.raises(DataError, match="cannot be written"):
        Campaign.new(path.parent / "none" / "campaign.json", model)


def test_two_processes_do_not_overwrite_each_other(
    path: Path, posterior: StoredPosterior, model: Model
) -> None:
    first = Campaign.new(path, model)
    second = Campaign.load(path, posterior)
    first.observe("bench_1", 40.0)
    with pytest.raises(UsageError, match="changed by another process: load it again"):
        second.observe("bench_3", 40.0)
    same(second, model)
    first.undo()
    with pytest.raises(UsageError, match="changed by another process: load it again"):
        second.observe("bench_3", 40.0)
    assert Campaign.load(path, posterior).state.scores == {}


def test_another_posterior_is_refused(path: Path, posterior: StoredPosterior, model: Model) -> None:
    Campaign.new(path, model)
    other = make_posterior(seed=4, n_models=9, n_benchmarks=B, n_draws=120)
    with pytest.raises(DataError, match=r"^the posterior is not the one the campaign"):
        Campaign.load(path, other)
    with pytest.raises(UsageError, match="names no posterior file: give the posterior"):
        Campaign.load(path)


def test_it_prints_in_a_line(path: Path, scored: Model) -> None:
    campaign = Campaign.new(path, scored)
    campaign.observe("bench_1", 40.0)
    assert repr(campaign) == (
        f"Campaign ({path}) of model new: 1 score known at the start, 1 probe observed, "
        "spent 1 probes"
    )


WORKER = """
import sys
sys.path[:0] = sys.argv[3:]
from tests.factories import make_posterior
from bayesbench.campaign import Campaign
posterior = make_posterior(seed=3, n_models=9, n_benchmarks=90, n_draws=24)
campaign = Campaign.load(sys.argv[1], posterior)
print("ready", flush=True)
while True:
    proposal = campaign.propose()
    if not proposal.recommendations:
        break
    chosen = proposal.recommendations[0].benchmark_id
    campaign.observe(chosen, float(1200 if chosen == "bench_2" else 50))
    print("done", chosen, flush=True)
"""


@pytest.mark.slow
def test_nothing_is_lost_when_killed_at_twenty_random_moments(path: Path, repository: Path) -> None:
    """What was acknowledged is in the file, in order; at most one more step had been saved."""
    posterior = make_posterior(seed=3, n_models=9, n_benchmarks=90, n_draws=24)
    Campaign.new(path, Model.of(posterior, {}))
    command = [sys.executable, "-c", WORKER, str(path), "", str(repository)]
    command.append(str(repository / "tests"))
    rng = np.random.default_rng(11)
    acknowledged: list[str] = []
    for _ in range(20):
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
        lines = [worker.stdout.readline() for _ in range(rng.integers(0, 4))]
        time.sleep(rng.uniform(0, 0.05))
        worker.kill()
        lines += worker.stdout.read().splitlines()
        said = [line.split()[1] for line in lines]
        worker.wait()
        worker.stdout.close()
        steps = [step.benchmark_id for step in read_state(path).steps]
        expected = acknowledged + said
        assert steps[: len(expected)] == expected
        assert len(steps) <= len(expected) + 1
        acknowledged = steps
        Campaign.load(path, posterior).status()
    assert 20 <= len(acknowledged) < 90, "kills must fall while steps are being taken"
    uninterrupted = Campaign.new(None, Model.of(posterior, {}))
    for name in acknowledged:
        assert uninterrupted.propose().recommendations[0].benchmark_id == name
        uninterrupted.observe(name, float(1200 if name == "bench_2" else 50))
