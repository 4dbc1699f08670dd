from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayesbench.answers.condition import condition
from bayesbench.answers.prediction import predictive
from bayesbench.campaign import Campaign, ModelFacts, StopRules, fingerprint, read_state
from bayesbench.design import Costs, recommend
from bayesbench.errors import DataError, ScoreError, UnknownIdError, UsageError
from bayesbench.low_rank.facts import ModelFacts as LatentFacts
from bayesbench.posterior.stored import StoredPosterior
from tests.factories import make_posterior

B = 7
SCORES = {f"bench_{j}": 1200.0 if j == 2 else 40.0 + 5 * j for j in range(B)}


@pytest.fixture(scope="module")
def posterior() -> StoredPosterior:
    return make_posterior(seed=3, n_models=9, n_benchmarks=B, n_draws=120)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "campaign.json"


def test_a_proposal_is_the_recommendation_from_conditioned_draws(
    path: Path, posterior: StoredPosterior
) -> None:
    facts = ModelFacts(provider="Aleph", reasoning=True)
    campaign = Campaign.new(path, posterior, model=facts, scores={"bench_0": 55.0}, seed=4)
    proposal = campaign.propose(k=2)
    draws = condition(
        posterior, {"bench_0": 55.0}, facts=LatentFacts(provider="Aleph", reasoning=True), seed=4
    )
    raw = predictive(draws, posterior.transform)
    assert proposal.recommendations == recommend(draws, raw, k=2).items
    assert proposal.stop is None


def test_observing_conditions_on_the_score(path: Path, posterior: StoredPosterior) -> None:
    campaign = Campaign.new(path, posterior, scores={"bench_0": 55.0})
    first = campaign.propose().recommendations[0]
    step = campaign.observe(first.benchmark_id, SCORES[first.benchmark_id])
    assert (step.gain_nats, step.median) == (first.gain_nats, first.median)
    assert (step.lower, step.upper) == (first.lower, first.upper)
    both = {"bench_0": 55.0, first.benchmark_id: SCORES[first.benchmark_id]}
    np.testing.assert_array_equal(campaign.draws().eta, condition(posterior, both).eta)
    assert first.benchmark_id != campaign.propose().recommendations[0].benchmark_id


def test_a_loaded_campaign_goes_on_the_same(path: Path, posterior: StoredPosterior) -> None:
    costs = Costs({f"bench_{j}": 1.0 + j for j in range(B)}, "USD")
    campaign = Campaign.new(path, posterior, costs=costs, stop=StopRules(budget=20.0))
    campaign.observe("bench_3", 60.0)
    campaign.observe("bench_1", 30.0, cost=9.0)
    proposal = campaign.propose()
    again = Campaign.load(path, posterior)
    assert again.state == campaign.state
    assert again.propose() == proposal
    assert again.status() == campaign.status()
    assert again.state.spent == 4.0 + 9.0


def test_the_file_is_readable_json(path: Path, posterior: StoredPosterior) -> None:
    campaign = Campaign.new(path, posterior, scores={"bench_0": 55.0}, posterior_path="p.nc")
    campaign.propose()
    campaign.observe("bench_4", 61.5)
    content = json.loads(path.read_text())
    assert (content["format"], content["version"]) == ("bayesbench-campaign", 1)
    assert content["known"] == {"bench_0": 55.0}
    assert content["steps"][0]["benchmark_id"] == "bench_4"
    assert content["steps"][0]["score"] == 61.5
    assert content["fingerprint"] == fingerprint(posterior)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_it_finds_its_posterior_again(path: Path, posterior: StoredPosterior) -> None:
    place = path.with_name("posterior.nc")
    posterior.save(place)
    campaign = Campaign.new(path, posterior, posterior_path=str(place))
    proposal = campaign.propose()
    assert Campaign.load(path).propose() == proposal


def test_a_replay_runs_itself_on_held_out_scores(path: Path, posterior: StoredPosterior) -> None:
    held_out = {name: SCORES[name] for name in ("bench_1", "bench_4", "bench_5")}
    campaign = Campaign.new(path, posterior)
    steps = campaign.replay(held_out)
    assert {s.benchmark_id: s.score for s in steps} == held_out
    assert Campaign.load(path, posterior).state.steps == steps
    by_hand = Campaign.new(None, posterior)
    for step in steps:
        left = [n for n in held_out if n not in by_hand.state.scores]
        proposed = by_hand.propose(1, left).recommendations[0]
        assert by_hand.observe(proposed.benchmark_id, held_out[proposed.benchmark_id]) == step
    assert len(Campaign.new(None, posterior).replay(held_out, max_steps=2)) == 2


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (StopRules(max_probes=2), "2 probes have been run"),
        (StopRules(budget=2.0), "the rest of the budget, 0, pays for no candidate"),
        (StopRules(min_gain=1e6), "gains only"),
        (StopRules(target_width=1e6), "the mean target interval is"),
    ],
)
def test_stop_rules(rules: StopRules, reason: str, posterior: StoredPosterior) -> None:
    campaign = Campaign.new(None, posterior, stop=rules)
    steps = campaign.replay(SCORES)
    stop = campaign.propose().stop
    assert stop is not None and reason in stop
    assert campaign.status().stop == stop
    assert len(steps) == (0 if rules.min_gain or rules.target_width else 2)


def test_costs_bar_what_the_rest_cannot_pay(posterior: StoredPosterior) -> None:
    costs = Costs({"bench_1": 1.0, "bench_3": 5.0, "bench_4": 5.0})
    campaign = Campaign.new(None, posterior, costs=costs, stop=StopRules(budget=6.5))
    campaign.observe("bench_3", 50.0)
    assert [r.benchmark_id for r in campaign.propose(3).recommendations] == ["bench_1"]
    assert campaign.status().budget_left == pytest.approx(1.5)
    with pytest.raises(UsageError, match="no cost known for 'bench_5': say what it did cost"):
        campaign.observe("bench_5", 50.0)
    campaign.observe("bench_5", 50.0, cost=1.0)
    stop = campaign.propose().stop
    assert stop == "the rest of the budget, 0.5, pays for no candidate"


def test_it_stops_when_every_target_is_known(posterior: StoredPosterior) -> None:
    campaign = Campaign.new(None, posterior, targets=["bench_4"])
    assert campaign.status().n_targets_left == 1
    campaign.observe("bench_4", 60.0)
    assert campaign.propose().stop == "every target has been run"
    assert (campaign.status().mean_width, campaign.status().n_targets_left) == (0.0, 0)


def test_candidates_can_run_out(posterior: StoredPosterior) -> None:
    campaign = Campaign.new(None, posterior, candidates=["bench_1", "bench_3"], exclude=["bench_3"])
    assert [r.benchmark_id for r in campaign.propose(5).recommendations] == ["bench_1"]
    campaign.observe("bench_1", 60.0)
    assert campaign.propose().stop == "no candidate benchmark is left to run"


def test_a_fitted_model_brings_its_scores(posterior: StoredPosterior) -> None:
    row = posterior.matrix.values[0]
    seen = int(np.flatnonzero(np.isfinite(row))[0])
    campaign = Campaign.new(None, posterior, model=ModelFacts(model_id="model_0"))
    with pytest.raises(UsageError, match="has a score already"):
        campaign.observe(f"bench_{seen}", 50.0)
    proposed = campaign.propose(B).recommendations
    assert {r.benchmark_id for r in proposed} == {
        f"bench_{j}" for j in np.flatnonzero(np.isnan(row))
    }


def test_a_recalibration_is_applied(posterior: StoredPosterior) -> None:
    def widen(raw: object) -> object:
        return replace(raw, quantiles=2 * raw.quantiles)  # type: ignore[attr-defined,type-var]

    plain = Campaign.new(None, posterior).status().mean_width
    wide = Campaign.new(None, posterior, recalibrate=widen).status().mean_width  # type: ignore[arg-type]
    assert wide > plain


def test_a_refused_observation_changes_nothing(path: Path, posterior: StoredPosterior) -> None:
    campaign = Campaign.new(path, posterior, scores={"bench_0": 55.0})
    before = path.read_bytes()
    with pytest.raises(UnknownIdError, match="unknown benchmark 'bench_44'; nearest: bench_4"):
        campaign.observe("bench_44", 50.0)
    with pytest.raises(UsageError, match="'bench_0' has a score already: 55"):
        campaign.observe("bench_0", 60.0)
    with pytest.raises(ScoreError, match="bench_4"):
        campaign.observe("bench_4", 140.0)
    with pytest.raises(ScoreError, match="bench_4"):
        campaign.observe("bench_4", float("nan"))
    with pytest.raises(UsageError, match="cost of 'bench_4' must be a number above 0, got -2"):
        campaign.observe("bench_4", 50.0, cost=-2.0)
    assert path.read_bytes() == before
    assert campaign.state.steps == ()


def test_bad_plans_are_refused_before_anything_is_written(
    path: Path, posterior: StoredPosterior
) -> None:
    cases = [
        ({"targets": ["bench_99"]}, "unknown target 'bench_99'"),
        ({"candidates": []}, "no candidate benchmark left"),
        ({"candidates": ["x"]}, "unknown candidate 'x'"),
        ({"costs": Costs({"bench_1": 3.0}), "stop": StopRules(budget=2.0)}, "below the cheapest"),
        ({"candidates": ["bench_2"], "costs": Costs({"bench_1": 3.0})}, "no cost known for"),
        ({"scores": {"bench_1": 400.0}}, "bench_1"),
        ({"prob": 2.0}, r"\(0, "),
    ]
    for arguments, message in cases:
        with pytest.raises(UsageError, match=message):
            Campaign.new(path, posterior, **arguments)
        assert not path.exists()
    with pytest.raises(UsageError, match="stop rule budget must be above 0, got -1"):
        StopRules(budget=-1.0)
    with pytest.raises(UsageError, match="stop rule target_width must be above 0, got nan"):
        StopRules(target_width=float("nan"))


def test_an_existing_file_is_not_overwritten(path: Path, posterior: StoredPosterior) -> None:
    Campaign.new(path, posterior)
    with pytest.raises(UsageError, match="exists: go on with that campaign"):
        Campaign.new(path, posterior)


def test_two_processes_do_not_overwrite_each_other(path: Path, posterior: StoredPosterior) -> None:
    first = Campaign.new(path, posterior)
    second = Campaign.load(path, posterior)
    first.observe("bench_1", 40.0)
    with pytest.raises(UsageError, match="changed by another process: load it again"):
        second.observe("bench_3", 40.0)
    assert Campaign.load(path, posterior).state.scores == {"bench_1": 40.0}


def damaged(text: str, **changes: object) -> str:
    return json.dumps({**json.loads(text), **changes})


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: "[" * 100_000,
        lambda text: damaged(text, format="other"),
        lambda text: damaged(text, version=2),
        lambda text: damaged(text, steps=[{"benchmark_id": "bench_1"}]),
        lambda text: damaged(text, steps=3),
        lambda text: damaged(text, known={"bench_1": "high"}),
        lambda text: damaged(text, known=None),
        lambda text: damaged(text, targets="bench_1"),
        lambda text: damaged(text, stop={"budget": -1}),
        lambda text: damaged(text, extra=1),
        lambda text: damaged(text, seed="x"),
        lambda text: damaged(text, model={"model_id": 3}),
        lambda text: damaged(text, exclude=[1]),
        lambda text: damaged(text, revision=True),
        lambda text: damaged(text, known={"bench_1": float("nan")}),
    ],
)
def test_a_damaged_file_is_one_clear_line(
    path: Path, posterior: StoredPosterior, damage: object
) -> None:
    Campaign.new(path, posterior)
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(DataError, match="is not a usable campaign file") as caught:
        Campaign.load(path, posterior)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_used(path: Path, posterior: StoredPosterior) -> None:
    with pytest.raises(UsageError, match="no campaign file"):
        Campaign.load(path, posterior)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="it is not text"):
        Campaign.load(path, posterior)
    with pytest.raises(DataError, match="cannot read the campaign file"):
        Campaign.load(path.parent, posterior)
    with pytest.raises(DataError, match="cannot write the campaign file"):
        Campaign.new(path.parent / "none" / "campaign.json", posterior)


def test_another_posterior_is_refused(path: Path, posterior: StoredPosterior) -> None:
    Campaign.new(path, posterior)
    other = make_posterior(seed=4, n_models=9, n_benchmarks=B, n_draws=120)
    with pytest.raises(DataError, match="not the one the campaign"):
        Campaign.load(path, other)
    with pytest.raises(UsageError, match="names no posterior file: give the posterior"):
        Campaign.load(path)


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
    Campaign.new(path, posterior)
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
    uninterrupted = Campaign.new(None, posterior)
    for name in acknowledged:
        assert uninterrupted.propose().recommendations[0].benchmark_id == name
        uninterrupted.observe(name, float(1200 if name == "bench_2" else 50))
