from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bayesbench.campaign.state_file import (
    CampaignState,
    Step,
    StopRules,
    read_state,
    write_state,
)
from bayesbench.errors import DataError, UsageError
from bayesbench.low_rank.facts import ModelFacts

PROBE = Step("b", 50.0, 3.5, 0.25, median=48.0, lower=40.0, upper=61.0)
FULL = CampaignState(
    "5e1f",
    posterior_path="/there/p.nc",
    model_id="m-2",
    facts=ModelFacts("Aleph", "2025-03", True, False, 7.5),
    known={"a": 40.0},
    targets=("a", "b"),
    candidates=("b", "c"),
    weights={"a": 2.0},
    exclude=("d",),
    costs={"b": 3.5},
    cost_unit="USD",
    stop=StopRules(0.01, 2.0, 30.0, 4),
    prob=0.8,
    seed=7,
    steps=(PROBE, replace(PROBE, score=52.0, cost=None, gain_nats=None, corrects=50.0)),
    proposed={"c": 0.125},
    revision=9,
)

VERSION_1 = """{
  "format": "bayesbench-campaign",
  "version": 1,
  "posterior_path": null,
  "fingerprint": "5e1f",
  "model": {
    "model_id": "m-2",
    "provider": "Aleph",
    "release_date": null,
    "reasoning": true,
    "open_weights": null,
    "params_b": null
  },
  "known": {"bench_0": 55},
  "targets": ["bench_4"],
  "candidates": null,
  "weights": null,
  "exclude": [],
  "costs": null,
  "cost_unit": "",
  "stop": {"min_gain": null, "target_width": null, "budget": 3.0, "max_probes": null},
  "prob": 0.9,
  "seed": 4,
  "steps": [
    {"benchmark_id": "bench_1", "score": 30.0, "cost": null, "gain_nats": 0.5,
     "median": 33.0, "lower": 20.0, "upper": 45.0}
  ],
  "proposed": {},
  "revision": 3
}"""


def changed(text: str = FULL.to_json(), **changes: object) -> str:
    return json.dumps({**json.loads(text), **changes})


def test_every_field_comes_back() -> None:
    assert CampaignState.from_json(FULL.to_json()) == FULL
    assert CampaignState.from_json(CampaignState("x", bundled=True).to_json()) == CampaignState(
        "x", bundled=True
    )


def test_the_file_is_readable_json(tmp_path: Path) -> None:
    path = tmp_path / "campaign.json"
    write_state(path, FULL)
    content = json.loads(path.read_text())
    assert (content["format"], content["version"]) == ("bayesbench-campaign", 3)
    assert content["known"] == {"a": 40.0}
    assert content["facts"]["params_b"] == 7.5
    assert content["steps"][1]["corrects"] == 50.0
    assert '\n  "fingerprint": "5e1f",\n' in path.read_text()
    assert read_state(path) == FULL
    assert [place.name for place in tmp_path.iterdir()] == [path.name]


def test_a_file_of_the_version_before_opens() -> None:
    assert CampaignState.from_json(VERSION_1) == CampaignState(
        "5e1f",
        bundled=True,
        model_id="m-2",
        facts=ModelFacts(provider="Aleph", reasoning=True),
        known={"bench_0": 55.0},
        targets=("bench_4",),
        stop=StopRules(budget=3.0),
        seed=4,
        steps=(Step("bench_1", 30.0, None, 0.5, median=33.0, lower=20.0, upper=45.0),),
        revision=3,
    )
    named = CampaignState.from_json(changed(VERSION_1, posterior_path="/there/p.nc"))
    assert (named.bundled, named.posterior_path) == (False, "/there/p.nc")


def test_a_file_without_standard_errors_opens() -> None:
    content = json.loads(FULL.to_json())
    del content["known_stderr"]
    for step in content["steps"]:
        del step["stderr"]
    assert CampaignState.from_json(json.dumps({**content, "version": 2})) == replace(
        FULL, known_stderr={}, steps=tuple(replace(step, stderr=None) for step in FULL.steps)
    )


def test_standard_errors_are_those_of_the_scores_that_stand() -> None:
    first = Step("b", 30.0, None, None, 33.0, 20.0, 45.0, stderr=1.5)
    again = replace(first, score=31.0, corrects=30.0, stderr=None)
    state = CampaignState("x", known={"a": 1.0}, known_stderr={"a": 0.5}, steps=(first,))
    assert state.stderr == {"a": 0.5, "b": 1.5}
    assert replace(state, steps=(first, again)).stderr == {"a": 0.5}
    assert CampaignState.from_json(state.to_json()) == state


def one_step(**changes: object) -> list[dict[str, Any]]:
    return [{**json.loads(FULL.to_json())["steps"][0], **changes}]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (changed(extra=1), "'extra' is unknown"),
        (json.dumps({"format": "bayesbench-campaign", "version": 3}), "fingerprint is missing"),
        (changed(steps=[{"benchmark_id": "b"}]), "steps[0]: score is missing"),
        (changed(steps=one_step(score="50")), "steps[0].score: must be a number, got '50'"),
        (changed(steps=one_step(corrects=True)), "steps[0].corrects"),
        (changed(steps=one_step(note="x")), "steps[0]: 'note' is unknown"),
        (changed(steps=3), "steps: must be a list, got 3"),
        (changed(known={"b": "high"}), "known['b']: must be a number, got 'high'"),
        (changed(known={"b": True}), "known['b']: must be a number, got True"),
        (changed(known=None), "known: must be an object, got None"),
        (changed(known=[["b", 3]]), "known: must be an object"),
        (changed(targets="bench_1"), "targets: must be a list, got 'bench_1'"),
        (changed(exclude=[1]), "exclude[0]: must be text, got 1"),
        (changed(stop={"budget": 1}), "stop: min_gain is missing"),
        (changed(stop={**json.loads(FULL.to_json())["stop"], "budget": -1}), "stop rule budget"),
        (changed(stop={**json.loads(FULL.to_json())["stop"], "max_probes": 2.5}), "max_probes"),
        (changed(facts={"provider": "x"}), "facts: release_date is missing"),
        (
            changed(facts={**json.loads(FULL.to_json())["facts"], "release_date": "x\ny"}),
            "facts: release date",
        ),
        (changed(model_id=3), "model_id: must be text, got 3"),
        (changed(seed="x"), "seed: must be a whole number, got 'x'"),
        (changed(seed=1.0), "seed: must be a whole number, got 1.0"),
        (changed(seed=-1), "seed must be 0 or more, got -1"),
        (changed(revision=True), "revision: must be a whole number, got True"),
        (changed(bundled=1), "bundled: must be true or false, got 1"),
        (changed(prob=1.5), "(0, 1), got 1.5"),
        (changed(known={"b": float("nan")}), "it holds NaN"),
        (changed(known={"b": float("inf")}), "it holds Infinity"),
        (FULL.to_json().replace("48.0", "1e999"), "steps[0].median: must be a finite number"),
        (FULL.to_json().replace("48.0", "9" * 400), "steps[0].median: must be a finite number"),
        (changed(version=4), "format version 4, this program reads up to 3"),
        (changed(version=True), "format version True"),
        (changed(VERSION_1, model=None), "model: must be an object, got None"),
        (changed(VERSION_1, steps=[3]), "steps[0]: must be an object, got 3"),
        (changed(VERSION_1, fingerprint=3), "fingerprint: must be text, got 3"),
        (changed(format="other"), "not a campaign"),
        ("[]", "not a campaign"),
        ("", "Expecting value"),
        (FULL.to_json()[:300], ""),
        ("[" * 100_000, ""),
    ],
)
def test_a_damaged_file_is_one_line_that_names_the_field(
    tmp_path: Path, text: str, named: str
) -> None:
    path = tmp_path / "campaign.json"
    path.write_text(text)
    with pytest.raises(DataError, match="is not a usable campaign file") as caught:
        read_state(path)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300 + len(str(path))


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "campaign.json"
    with pytest.raises(UsageError, match="no campaign file"):
        read_state(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="it is not text"):
        read_state(path)
    with pytest.raises(DataError, match="cannot read the campaign file"):
        read_state(tmp_path)
    with pytest.raises(DataError, match="cannot be written"):
        write_state(tmp_path / "none" / "campaign.json", FULL)


def test_a_step_says_what_it_did() -> None:
    assert (PROBE.inside, PROBE.price, PROBE.note) == (True, 3.5, "")
    assert not replace(PROBE, score=39.9).inside and not replace(PROBE, score=61.1).inside
    assert replace(PROBE, cost=None).price == 1.0
    again = replace(PROBE, cost=None, corrects=45.0)
    assert (again.price, again.note) == (0.0, "b: 45 is replaced by 50")
    assert replace(again, cost=2.0).price == 2.0


def test_scores_and_spent_follow_the_steps() -> None:
    assert FULL.scores == {"a": 40.0, "b": 52.0}
    assert (FULL.spent, FULL.unit, FULL.notes, FULL.probes) == (3.5, "USD", (), (PROBE,))
    corrected = replace(FULL, steps=(*FULL.steps, replace(PROBE, benchmark_id="a", score=1.0)))
    assert corrected.scores == {"a": 1.0, "b": 52.0}
    free = replace(FULL, costs=None, steps=(PROBE, replace(PROBE, benchmark_id="c", cost=None)))
    assert (free.spent, free.unit) == (3.5 + 1.0, "probes")
    assert free.notes == ("the budget counts probes: no costs were given",)
    assert replace(free, stop=StopRules()).notes == ()


def test_values_are_checked_when_built() -> None:
    for rule in ("min_gain", "target_width", "budget", "max_probes"):
        with pytest.raises(UsageError, match=f"stop rule {rule} must be above 0, got -1"):
            StopRules(**{rule: -1})
    with pytest.raises(UsageError, match="stop rule target_width must be above 0, got nan"):
        StopRules(target_width=float("nan"))
    with pytest.raises(UsageError, match="got 1"):
        CampaignState("x", prob=1.0)
    with pytest.raises(UsageError, match="got -1"):
        CampaignState("x", seed=-1)


def test_cattrs_is_loaded_only_for_a_file(repository: Path) -> None:
    code = (
        "import sys; from bayesbench.campaign import CampaignState; s = CampaignState('x');"
        "assert 'cattrs' not in sys.modules; s.to_json(); assert 'cattrs' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=repository, check=True)
