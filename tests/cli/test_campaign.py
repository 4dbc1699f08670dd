"""``bayesbench campaign``: kept in a file, answering as Python and ``predict`` do."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest

from bayesbench.campaign import Campaign, read_state
from bayesbench.cli.predict import FIELDS
from bayesbench.front.posterior import open_posterior
from tests.cli.conftest import Run

BUDGET = "the budget counts probes: no costs were given"


@pytest.fixture
def file(ask: Run, tmp_path: Path) -> Path:
    """A campaign with one score known at the start."""
    place = tmp_path / "run.json"
    assert ask("campaign", "new", place, "--scores", "bench_0=40").code == 0
    return place


def test_a_campaign_from_start_to_stop(run: Run, ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    first = ask("campaign", "new", file, "--scores", "bench_0=40", "--max-probes", "2",
                "--format", "json").json()  # fmt: skip
    assert first["stop"] is None and len(first["recommendations"]) == 1
    again = run("campaign", "next", file, "--format", "json").json()
    assert again == first
    name = first["recommendations"][0]["benchmark_id"]
    step = run("campaign", "observe", file, f"{name}=50", "--format", "json").json()
    assert step["step"]["benchmark_id"] == name
    assert step["step"]["gain_nats"] == first["recommendations"][0]["gain_nats"]
    assert step["status"]["n_steps"] == 1
    second = run("campaign", "next", file, "--format", "json").json()["recommendations"][0]
    run("campaign", "observe", file, f"{second['benchmark_id']}=50")
    status = run("campaign", "status", file, "--format", "json").json()
    assert status["status"]["stop"] == "2 probes have been run"
    assert [row["benchmark_id"] for row in status["steps"]] == [name, second["benchmark_id"]]
    assert "Stop: 2 probes have been run." in run("campaign", "status", file).out


def test_the_posterior_is_found_from_another_directory(run: Run, ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    ask("campaign", "new", file, "--scores", "bench_0=40")
    path = read_state(file).posterior_path
    assert path is not None and Path(path).is_absolute()
    assert run("campaign", "status", file).code == 0


def test_a_replay_leaves_the_file_alone(run: Run, ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    ask("campaign", "new", file, "--scores", "bench_0=40")
    before = file.read_bytes()
    answer = run("campaign", "replay", file, "--scores", "bench_1=60,bench_3=50,bench_4=20",
                 "--max-steps", "2", "--format", "json").json()  # fmt: skip
    assert len(answer["steps"]) == 2
    assert {row["benchmark_id"] for row in answer["steps"]} <= {"bench_1", "bench_3", "bench_4"}
    assert file.read_bytes() == before


def test_costs_and_targets_are_kept(run: Run, ask: Run, tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text("benchmark_id,cost\nbench_1,1\nbench_3,2\n")
    file = tmp_path / "run.json"
    ask("campaign", "new", file, "--scores", "bench_0=40", "--cost", costs, "--targets",
        "bench_4,bench_2", "--budget", "3")  # fmt: skip
    state = read_state(file)
    assert state.targets == ("bench_4", "bench_2")
    assert state.costs == {"bench_1": 1.0, "bench_3": 2.0}
    run("campaign", "observe", file, "bench_3=50")
    status = run("campaign", "status", file, "--format", "json").json()["status"]
    assert (status["spent"], status["budget_left"]) == (2.0, 1.0)


def test_command_line_and_library_answer_the_same(run: Run, tmp_path: Path) -> None:
    file, known = tmp_path / "run.json", {"gpqa_diamond": 70.0, "mmlu_pro": 75.5}
    run("campaign", "new", file, "--scores", "gpqa_diamond=70")
    run("campaign", "observe", file, "mmlu_pro=75.5")
    answer = run("campaign", "predict", file, "--format", "json").json()
    posterior = open_posterior()
    expected = posterior.condition(known).predict()
    for found in (expected, Campaign.load(file).predictions()):
        frame = found.to_frame(0.9).set_index("benchmark_id")
        assert len(answer["predictions"]) == len(frame)
        for row in answer["predictions"]:
            for field in FIELDS[1:-2]:
                value = frame.loc[row["benchmark_id"], field]
                assert row[field] == pytest.approx(value, rel=1e-12)
            assert row["observed"] is (row["benchmark_id"] in known)
    assert answer["posterior"]["recalibrated"] is True
    plain = run("predict", "--scores", "gpqa_diamond=70,mmlu_pro=75.5", "--format", "json").json()
    assert answer["predictions"] == plain["predictions"]
    assert answer["posterior"] == plain["posterior"]
    step = run("campaign", "status", file, "--format", "json").json()["steps"][0]
    before = posterior.condition({"gpqa_diamond": 70.0}).predict()["mmlu_pro"]
    said = (step["median"], step["lower"], step["upper"])
    assert said == pytest.approx((before.median, *before.interval(0.9)), rel=1e-12)


def test_predictions_are_those_of_predict(run: Run, ask: Run, file: Path) -> None:
    run("campaign", "observe", file, "bench_3=55")
    named = ("--benchmark", "bench_4", "--benchmark", "bench_1")
    for options in ((), named):
        answer = run("campaign", "predict", file, *options, "--format", "json").json()
        plain = ask("predict", "--scores", "bench_0=40,bench_3=55", *options, "--format", "json")
        assert answer["predictions"] == plain.json()["predictions"]
        assert (answer["model"], answer["prob"]) == ("new", 0.9)
        assert answer["campaign"] == str(file)
        rows = list(csv.DictReader(io.StringIO(
            run("campaign", "predict", file, *options, "--format", "csv").out
        )))  # fmt: skip
        assert list(rows[0]) == list(FIELDS) and len(rows) == len(answer["predictions"])
    assert "2 scores known" in run("campaign", "predict", file).out
    unknown = run("campaign", "predict", file, "--benchmark", "bench_9")
    assert (unknown.code, unknown.out) == (2, "")


def test_the_campaign_s_own_probability_is_used(run: Run, ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    ask("campaign", "new", file, "--scores", "bench_0=40", "--prob", "0.5")
    answer = run("campaign", "predict", file, "--format", "json").json()
    plain = ask("predict", "--scores", "bench_0=40", "--prob", "0.5", "--format", "json").json()
    assert answer["prob"] == 0.5 and answer["predictions"] == plain["predictions"]


def test_observing_again_corrects_with_a_note(run: Run, file: Path) -> None:
    run("campaign", "observe", file, "bench_1=60")
    answer = run("campaign", "observe", file, "bench_1=16", "--format", "json")
    told = "bench_1: 60 is replaced by 16"
    assert answer.json()["step"]["corrects"] == 60.0
    assert answer.json()["notes"] == [told]
    assert answer.err == f"note: {told}\n"
    status = answer.json()["status"]
    assert (status["n_steps"], status["n_corrections"], status["spent"]) == (2, 1, 1.0)
    start = run("campaign", "observe", file, "bench_0=45")
    assert start.err == "note: bench_0: 40 is replaced by 45\n"
    assert "instead of" in start.out
    assert read_state(file).scores == {"bench_0": 45.0, "bench_1": 16.0}


def test_undo_takes_back(run: Run, ask: Run, file: Path) -> None:
    begun = read_state(file)
    for pair in ("bench_1=60", "bench_3=50", "bench_1=16"):
        run("campaign", "observe", file, pair)
    answer = run("campaign", "undo", file, "--format", "json").json()
    assert [(row["benchmark_id"], row["score"]) for row in answer["undone"]] == [("bench_1", 16.0)]
    assert answer["status"]["n_steps"] == 2
    assert read_state(file).scores == {"bench_0": 40.0, "bench_1": 60.0, "bench_3": 50.0}
    assert "bench_3" in run("campaign", "undo", file, "--steps", "2").out
    assert (read_state(file).scores, read_state(file).steps) == (begun.scores, ())
    plain = ask("predict", "--scores", "bench_0=40", "--format", "json").json()["predictions"]
    assert run("campaign", "predict", file, "--format", "json").json()["predictions"] == plain
    kept = file.read_bytes()
    for options in ((), ("--steps", "0"), ("--steps", "x")):
        refused = run("campaign", "undo", file, *options)
        assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert file.read_bytes() == kept


def test_a_budget_without_costs_says_that_it_counts_probes(
    run: Run, ask: Run, tmp_path: Path
) -> None:
    file = tmp_path / "run.json"
    new = ask("campaign", "new", file, "--scores", "bench_0=40", "--budget", "3", "--format",
              "json")  # fmt: skip
    assert new.json()["notes"] == [BUDGET] and new.err == f"note: {BUDGET}\n"
    run("campaign", "observe", file, "bench_1=60", "--cost", "1.5")
    status = run("campaign", "status", file, "--format", "json")
    assert status.json()["notes"] == [BUDGET] and status.err == f"note: {BUDGET}\n"
    now = status.json()["status"]
    assert (now["spent"], now["unit"], now["budget_left"]) == (1.5, "probes", 1.5)
    assert "spent 1.5 probes, 1.5 left" in run("campaign", "status", file).out
    batch = run("campaign", "next", file, "--k", "2", "--format", "json").json()
    assert batch["notes"] == [BUDGET] and len(batch["recommendations"]) == 1


def test_what_was_resolved_is_noted_when_a_campaign_begins(
    run: Run, ask: Run, tmp_path: Path
) -> None:
    file = tmp_path / "run.json"
    new = ask("campaign", "new", file, "--scores", "Bench 0=40", "--model", "model_99",
              "--params-b", "70", "--budget", "3", "--format", "json")  # fmt: skip
    first, *others = new.json()["notes"]
    assert first.startswith("model 'model_99' was not fitted: it is taken as a new one")
    assert "'Bench 0' is taken for bench_0" in others and BUDGET in others
    assert [line.split()[0] for line in others if "params_b" in line] == ["params_b"]
    assert new.err.splitlines() == [f"note: {line}" for line in (first, *others)]
    assert read_state(file).scores == {"bench_0": 40.0}
    status = run("campaign", "status", file, "--format", "json").json()
    assert status["model"] == "model_99"


def test_a_posterior_that_moved_is_one_line_with_the_remedy(
    run: Run, posterior_file: Path, tmp_path: Path
) -> None:
    place, file = tmp_path / "p.nc", tmp_path / "run.json"
    place.write_bytes(posterior_file.read_bytes())
    first = run("campaign", "new", file, "--scores", "bench_0=40", "--posterior",
                os.path.relpath(place), "--format", "json").json()  # fmt: skip
    place.rename(tmp_path / "moved.nc")
    refused = run("campaign", "next", file)
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert str(place) in refused.err and "--posterior FILE" in refused.err
    again = run("campaign", "next", file, "--posterior", tmp_path / "moved.nc", "--format", "json")
    assert again.json() == first


@pytest.mark.parametrize("name", ["new", "next", "observe", "undo", "status", "predict", "replay"])
def test_every_command_has_help_with_an_example(run: Run, name: str) -> None:
    assert f"bayesbench campaign {name}" in run("campaign", name, "--help").out


def test_where_it_stands_is_said_under_every_step(run: Run, file: Path) -> None:
    for step in (("observe", file, "bench_1=60"), ("undo", file)):
        shown = run("campaign", *step).out
        assert shown.endswith(run("campaign", "status", file).out.splitlines()[-1] + "\n")
