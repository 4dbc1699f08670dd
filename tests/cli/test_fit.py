"""``bayesbench fit``: what it passes on, what a user is told, and what an interrupt leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from bayesbench.cli.fit import chosen_settings
from bayesbench.errors import UsageError
from bayesbench.fitting import fit as fitting
from bayesbench.fitting.engines.settings import ENGINES, Gibbs
from bayesbench.front.posterior import Posterior
from bayesbench.posterior.diagnostics import Diagnostics
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix, open_scores
from tests.cli.conftest import Run
from tests.factories import make_posterior, make_repeated, with_calibration
from tests.scores.spreadsheets import users_spreadsheet

REASONS = {
    "pass": (),
    "warn": ("warn: one chain; run 4",),
    "fail": ("warn: one chain; run 4", "fail: R-hat of eta is 1.2", "fail: 8 draws"),
}
"""As the diagnostics word them: each reason begins with its own verdict."""
SMALL = ("--min-model", "1", "--min-benchmark", "1")


@pytest.fixture
def quick_fit(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Instead of sampling, a made-up posterior; `verdict` can be set, the call is kept."""
    kept: dict[str, Any] = {
        "verdict": "pass",
        "calibration": with_calibration(make_posterior()).calibration,
    }

    def made(
        matrix: ScoreMatrix, spec: Any, engine: Any, *, seed: int, report: Any
    ) -> StoredPosterior:
        kept.update(matrix=matrix, spec=spec, engine=engine, seed=seed)
        posterior = make_posterior(spec=spec, matrix=matrix, n_draws=40)
        diagnostics = Diagnostics(kept["verdict"], REASONS[kept["verdict"]])
        object.__setattr__(posterior, "diagnostics", diagnostics)
        provenance = replace(posterior.provenance, method=engine.name, config=asdict(engine))
        object.__setattr__(posterior, "provenance", provenance)
        return posterior

    def learned(*_: Any, **__: Any) -> None:
        return kept["calibration"]

    monkeypatch.setattr(fitting, "sample", made)
    monkeypatch.setattr(fitting, "learned_calibration", learned)
    return kept


def test_fit_passes_the_settings_on_and_writes_the_file(
    run: Run, scores_csv: Path, tmp_path: Path, quick_fit: dict[str, Any]
) -> None:
    out = tmp_path / "fit.nc"
    answer = run("fit", "--data", scores_csv, "--scale", "percent", "--min-model", "2",
                 "--min-benchmark", "2", "--method", "gibbs", "--chains", "3", "--warmup", "50",
                 "--draws", "20", "--rank", "1", "--seed", "7", "--keep-draws", "20", "--out", out,
                 "--format", "json").json()  # fmt: skip
    assert quick_fit["matrix"].shape == (8, 4)
    assert (quick_fit["engine"].chains, quick_fit["engine"].draws) == (3, 20)
    assert (quick_fit["engine"].warmup, quick_fit["engine"].thin) == (50, Gibbs().thin)
    assert (quick_fit["spec"].rank, quick_fit["seed"]) == (1, 7)
    assert answer["draws"] == 20 == Posterior.load(out).n_draws
    assert (answer["models"], answer["benchmarks"], answer["cells"]) == (8, 4, 32)
    assert list(answer) == [
        "out", "read", "method", "seed", "config", "rank", "models", "benchmarks", "cells", "draws",
        "wall_s", "recalibrated", "diagnostics",
    ]  # fmt: skip


WARNED = "diagnostics warn: one chain; run 4"
FAILED = "R-hat of eta is 1.2; 8 draws; warn: one chain; run 4"
TOLD = [
    ("pass", False, 0, ""),
    ("pass", True, 0, ""),
    ("warn", False, 0, f"warning: {WARNED}\n"),
    ("warn", True, 0, f"warning: {WARNED}\n"),
    ("fail", False, 0, f"warning: diagnostics fail: {FAILED}\n"),
    ("fail", True, 3, f"error: the diagnostics failed: {FAILED}\n"),
]


@pytest.mark.parametrize("calibrate", [True, False])
@pytest.mark.parametrize(("verdict", "strict", "code", "told"), TOLD)
def test_what_is_told_of_the_diagnostics(
    run: Run,
    scores_csv: Path,
    tmp_path: Path,
    quick_fit: dict[str, Any],
    verdict: str,
    strict: bool,
    code: int,
    told: str,
    calibrate: bool,
) -> None:
    quick_fit["verdict"] = verdict
    out = tmp_path / "fit.nc"
    found = run("fit", "--data", scores_csv, "--scale", "percent", *SMALL, "--out", out,
                *(["--strict"] * strict), *(["--no-calibrate"] * (not calibrate)))  # fmt: skip
    assert (found.code, found.err) == (code, told)
    assert out.exists() is bool(found.out) is (code == 0)
    if code == 0:
        assert Posterior.load(out).diagnostics.verdict == verdict
        assert (Posterior.load(out).calibration is not None) is calibrate


def test_warnings_of_a_fit_are_lines_on_stderr_each_time(
    run: Run, scores_csv: Path, tmp_path: Path, quick_fit: dict[str, Any]
) -> None:
    quick_fit.update(verdict="warn", calibration=None)
    call = ("fit", "--data", scores_csv, "--scale", "percent", *SMALL, "--out", tmp_path / "a.nc")
    for _ in range(2):  # not once per process
        found = run(*call)
        assert found.code == 0
        assert found.err.splitlines() == [
            f"warning: {WARNED}",
            "warning: too few scores to recalibrate the intervals; they are the model's own",
        ]


@pytest.mark.parametrize(("method", "option", "owners"), [
    ("svi", "--thin", "gibbs"), ("nuts", "--thin", "gibbs"), ("nuts", "--steps", "svi"),
    ("svi", "--chains", "gibbs or nuts"), ("gibbs", "--steps", "svi"),
])  # fmt: skip
def test_settings_of_another_method_are_refused_before_the_data_are_read(
    run: Run, tmp_path: Path, method: str, option: str, owners: str
) -> None:
    found = run("fit", "--data", tmp_path / "none.csv", "--method", method, option, "3", "--out",
                tmp_path / "a.nc")  # fmt: skip
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        f"error: {option} belongs to --method {owners}, not to {method}; leave it out\n"
    )


def test_settings_are_those_that_were_given() -> None:
    none = dict.fromkeys(("chains", "warmup", "draws", "thin", "steps"))
    for method in ENGINES:
        assert chosen_settings(method, none) == {}
        assert chosen_settings(method, {**none, "draws": 3}) == {"draws": 3}
    with pytest.raises(UsageError, match="--steps belongs to --method svi, not to nuts"):
        chosen_settings("nuts", {**none, "draws": 3, "steps": 5})


def test_a_large_matrix_has_fewer_sweeps_unless_they_are_stated(
    run: Run, tmp_path: Path, quick_fit: dict[str, Any]
) -> None:
    data = tmp_path / "large.csv"
    rows = [f"m{i},b{j},{(i * j) % 97 + 1}" for i in range(250) for j in range(100)]
    data.write_text("model_id,benchmark_id,score\n" + "\n".join(rows) + "\n")
    call = (
        "fit",
        "--data",
        data,
        "--scale",
        "percent",
        "--out",
        tmp_path / "a.nc",
        "--keep-draws",
        "10",
    )
    assert run(*call).code == 0
    assert (quick_fit["engine"].warmup, quick_fit["engine"].thin) == (2560, 80)
    assert run(*call, "--thin", "7").code == 0
    assert (quick_fit["engine"].warmup, quick_fit["engine"].thin) == (2560, 7)


@pytest.mark.slow
def test_a_real_fit_from_the_command_line(run: Run, scores_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "fit.nc"
    answer = run("fit", "--data", scores_csv, "--scale", "percent", *SMALL, "--chains", "2",
                 "--warmup", "50", "--draws", "50", "--thin", "1", "--rank", "1", "--no-calibrate",
                 "--out", out, "--format", "json").json()  # fmt: skip
    assert answer["draws"] == 100
    rows = run("predict", "--scores", "b0=40", "--posterior", out, "--format", "json").json()
    assert len(rows["predictions"]) == 4


# a shell starts background jobs with SIGINT ignored, and tests may be one
PROGRAM = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from bayesbench.cli import main
from bayesbench.fitting import fit as fitting

stage, *sys.argv[1:] = sys.argv[1:]
fit, said = fitting.fit, []

def report(done, total, note=""):
    if note in stage.split("|") and not said:
        said.append(True)
        os.write(1, b"ready\\n")

fitting.fit = lambda *args, **options: fit(*args, **{**options, "progress": report})
sys.exit(main())
"""
ENDLESS = {"gibbs": ("--thin", "100000000"), "nuts": ("--warmup", "100000000"),
           "svi": ("--steps", "100000000")}  # fmt: skip
SHORT = {"gibbs": ("--chains", "2", "--warmup", "10", "--draws", "10", "--thin", "1"),
         "nuts": ("--chains", "1", "--warmup", "10", "--draws", "10"),
         "svi": ("--steps", "100", "--draws", "20")}  # fmt: skip


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 models x 9 benchmarks: enough to recalibrate."""
    path = tmp_path_factory.mktemp("data") / "scores.csv"
    rows = [f"m{i},b{j},{10 + 5 * i + 3 * j + (i * j) % 7}" for i in range(12) for j in range(9)]
    path.write_text("model_id,benchmark_id,score\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def interrupt(
    repository: Path, scores: Path, cache: Path, folder: Path, stage: str, method: str, *args: str
) -> None:
    """Ctrl-C at the first report of a stage: the settings would keep the process for hours."""
    call = ["fit", "--data", str(scores), "--scale", "percent", "--min-model", "1", "--rank", "0",
            "--min-benchmark", "1", "--method", method, *args]  # fmt: skip
    call += ["--out", str(folder / "fit.nc")]
    environment = {**os.environ, "PYTHONPATH": str(repository), "XDG_CACHE_HOME": str(cache)}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, stage, *call],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=120)
        finally:
            running.kill()
    lines = [line for line in err.splitlines() if not line.startswith("warning: ")]
    assert (running.returncode, out, lines) == (130, "", ["error: interrupted"])
    assert list(folder.iterdir()) == []


posix = pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")


@posix
@pytest.mark.parametrize("method", ["gibbs", "nuts", "svi"])
def test_interrupted_before_the_first_draw(
    repository: Path, scores: Path, cache: Path, tmp_path: Path, method: str
) -> None:
    """While the program is compiled."""
    interrupt(repository, scores, cache, tmp_path, "sampling, compiling", method, *ENDLESS[method])


@posix
@pytest.mark.slow
@pytest.mark.parametrize("method", ["gibbs", "nuts", "svi"])
def test_interrupted_while_it_samples(
    repository: Path, scores: Path, cache: Path, tmp_path: Path, method: str
) -> None:
    """Inside a compiled block: one of Gibbs takes hours."""
    interrupt(repository, scores, cache, tmp_path, "sampling", method, *ENDLESS[method])


@posix
@pytest.mark.slow
@pytest.mark.parametrize("method", ["gibbs", "nuts", "svi"])
def test_interrupted_while_it_recalibrates(
    repository: Path, scores: Path, cache: Path, tmp_path: Path, method: str
) -> None:
    interrupt(
        repository,
        scores,
        cache,
        tmp_path,
        "recalibration|recalibration, compiling",
        method,
        *SHORT[method],
    )


def test_the_user_s_spreadsheet_is_fitted_at_the_first_attempt(
    run: Run, tmp_path: Path, quick_fit: dict[str, Any]
) -> None:
    text, truth = users_spreadsheet(0)
    data = tmp_path / "leaderboard.csv"
    data.write_text(text, encoding="utf-8-sig")
    found = run("fit", "--data", data, "--out", tmp_path / "a.nc", "--format", "json")
    read = found.json()["read"]
    assert (read["models"], read["benchmarks"]) == (38, 20)
    assert [one["column"] for one in read["left_out"]] == ["Rank", "Average", "License"]
    assert read["models_without_scores"] == ["Model 12 (high)", "Model 30 (high)"]
    line = found.err.splitlines()[0]
    assert line.startswith("note: read leaderboard.csv: 38 models x 20 benchmarks, ")
    assert "left out: Rank (rank), Average (aggregate), License (text), no scores" in line
    assert quick_fit["matrix"].shape[0] >= 30  # the limits suit the table
    assert quick_fit["matrix"].n_cells >= 0.6 * truth.notna().to_numpy().sum()


def test_columns_that_contradict_their_scale_or_direction_are_named(
    run: Run, tmp_path: Path, quick_fit: dict[str, Any]
) -> None:
    _, truth = users_spreadsheet(1)
    truth["IFEval"] = (truth["IFEval"] / 100).round(3)
    truth["HLE"] = 100 - truth["HLE"]
    data = tmp_path / "scores.csv"
    truth.rename_axis("model").to_csv(data)
    call = ("fit", "--data", data, "--out", tmp_path / "a.nc", "--scale")
    told = [line for line in run(*call, "percent").err.splitlines() if "warning: column" in line]
    assert [line.split(":")[1] for line in told] == [" column IFEval", " column HLE"]
    said = run(*call, "auto").err
    assert "on another scale than most: IFEval (taken as unit)" in said
    assert "column IFEval" not in said and "column HLE: falls where" in said


def test_a_benchmark_that_nobody_has_a_score_on_is_not_fitted(
    run: Run, tmp_path: Path, scores_csv: Path, quick_fit: dict[str, Any]
) -> None:
    about = tmp_path / "benchmarks.csv"
    about.write_text("benchmark_id,scale\n" + "".join(f"b{j},percent\n" for j in range(5)))
    found = run("fit", "--data", scores_csv, "--benchmarks", about, "--min-model", "0",
                "--min-benchmark", "0", "--out", tmp_path / "a.nc")  # fmt: skip
    assert found.code == 0, found.err
    assert quick_fit["matrix"].benchmark_ids == ("b0", "b1", "b2", "b3")
    assert "1 of 5 benchmarks with fewer than 1" in found.err


def test_a_table_is_fitted_together_with_the_bundled_matrix(
    run: Run, tmp_path: Path, quick_fit: dict[str, Any]
) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("model,GPQA Diamond,own test\nGPT-4.1,0.61,0.4\nmine,0.5,0.3\n")
    call = ("fit", "--base", "bundled", "--data", mine, "--min-model", "1", "--min-benchmark", "1",
            "--out", tmp_path / "fit.nc", "--format", "json")  # fmt: skip
    refused = run(*call)
    assert refused.code == 1 and "--scale unit or --scale percent" in refused.err
    found = run(*call, "--scale", "unit")
    assert "1 shared and 1 new models, 1 shared and 1 new benchmarks" in found.err
    merged = found.json()["merged"]
    assert (merged["new_models"], merged["new_benchmarks"]) == (["mine"], ["own test"])
    fitted, bundled = quick_fit["matrix"], open_scores()
    assert fitted.n_cells == bundled.n_cells + merged["new_cells"]
    at = fitted.model_index("gpt-4.1"), fitted.benchmark_index("gpqa_diamond")
    assert fitted.values[at] == 61
    before = bundled.values[bundled.model_index("gpt-4.1"), bundled.benchmark_index("gpqa_diamond")]
    own = fitted.readings[fitted.readings["model_id"] == "gpt-4.1"]
    own = own[own["benchmark_id"] == "gpqa_diamond"].set_index("reading")["score"]
    assert own[2] == before != 61


def test_metadata_come_from_the_base(run: Run, scores_csv: Path, tmp_path: Path) -> None:
    refused = run("fit", "--base", "bundled", "--data", scores_csv, "--benchmarks", "b.csv",
                  "--out", tmp_path / "fit.nc")  # fmt: skip
    assert refused.code == 2 and "leave out --benchmarks" in refused.err


def test_all_readings_are_fitted_and_their_mean_is_predicted(run: Run, tmp_path: Path) -> None:
    table, out = tmp_path / "twice.csv", tmp_path / "twice.nc"
    columns = ["model_id", "benchmark_id", "score", "reading"]
    readings = make_repeated().readings[columns]
    readings[readings["benchmark_id"] != "bench_2"].to_csv(table, index=False)  # no ratings
    quick = ("--chains", "2", "--warmup", "200", "--draws", "100", "--thin", "2", "--no-calibrate")
    call = ("fit", "--data", str(table), "--scale", "percent", *SMALL, *quick, "--out", str(out))
    assert run(*call, "--readings", "all").code == 0

    def widths(target: str) -> list[float]:
        call = ("predict", "--posterior", str(out), "--scores", "bench_0=40", "--format", "json")
        answer = run(*call, "--target", target).json()
        assert answer["target"] == target
        return [row["upper"] - row["lower"] for row in answer["predictions"]]

    assert all(a < b for a, b in zip(widths("mean"), widths("reading"), strict=True))
    assert run(*call, "--readings", "both").code == 2
