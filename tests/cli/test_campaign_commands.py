from __future__ import annotations

from pathlib import Path

from bayesbench.campaign import read_state
from tests.cli.conftest import Run


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
