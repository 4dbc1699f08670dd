"""``bayesbench campaign joint``: that of the library, on a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.campaign import JointCampaign, StopRules
from bayesbench.front.posterior import open_posterior
from tests.cli.conftest import Run


def begun(ask: Run, file: Path) -> None:
    found = ask("campaign", "joint", "new", file, "--model", "MODEL 0", "--known",
                "mine: bench_0=40+-2,BENCH 1=30", "--budget", "2")  # fmt: skip
    assert found.code == 0, found.err


def test_it_proposes_what_the_library_does(ask: Run, posterior_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    begun(ask, file)
    posterior = open_posterior(posterior_file)
    models = [
        posterior.condition(id="model_0"),
        posterior.condition(
            {"bench_0": 40, "bench_1": 30}, stderr={"bench_0": 2.0}, id="mine"
        ),
    ]  # fmt: skip
    expected = JointCampaign.new(None, models, stop=StopRules(budget=2)).propose(2)
    answer = ask("campaign", "joint", "next", file, "--k", "2", "--format", "json").json()
    assert [(row["model_id"], row["benchmark_id"], row["worth"]) for row in answer["runs"]] == [
        (run.model_id, run.recommendation.benchmark_id, pytest.approx(run.worth))
        for run in expected.runs
    ]
    assert "the budget counts probes: no costs were given" in answer["notes"]


def test_observe_status_and_undo(ask: Run, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    begun(ask, file)
    first = run("campaign", "joint", "observe", file, "mine", "bench_3=50", "--format", "json")
    assert first.json()["step"]["model_id"] == "mine"
    assert first.json()["status"]["budget_left"] == 1.0
    run("campaign", "joint", "observe", file, "mine", "bench_4=50")
    stop = run("campaign", "joint", "next", file, "--format", "json").json()["stop"]
    assert stop == "the rest of the budget, 0, pays for no candidate"
    answer = run("campaign", "joint", "status", file, "--format", "json").json()
    assert [row["benchmark_id"] for row in answer["steps"]] == ["bench_3", "bench_4"]
    assert {row["model_id"]: row["n_steps"] for row in answer["status"]["models"]} == {
        "model_0": 0, "mine": 2,
    }  # fmt: skip
    shown = run("campaign", "joint", "status", file).out
    assert "2 models, 2 probes observed; spent 2 probes, 0 left" in shown
    taken = run("campaign", "joint", "undo", file, "--steps", "2", "--format", "json").json()
    assert [row["benchmark_id"] for row in taken["undone"]] == ["bench_3", "bench_4"]
    assert taken["status"]["spent"] == 0.0 and '"order": []' in file.read_text()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "name the models"),
        (("--known", "bench_0=40"), 'is not "ID: PAIRS"'),
        (("--model", "nobody"), "unknown model 'nobody'"),
        (("--model", "model_0,model_0"), "model 'model_0' is named twice"),
        (("--known", "mine: bench_9=40"), "unknown benchmark 'bench_9'"),
    ],
)
def test_wrong_calls(ask: Run, tmp_path: Path, args: tuple[str, ...], message: str) -> None:
    file = tmp_path / "all.json"
    found = ask("campaign", "joint", "new", file, *args)
    assert found.code == 2 and message in found.err and found.err.count("\n") == 1
    assert not file.exists()
