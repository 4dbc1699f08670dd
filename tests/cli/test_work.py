"""fit."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from bayesbench.fitting import fit as fitting
from bayesbench.fitting.engines.settings import Gibbs
from bayesbench.front.posterior import Posterior
from bayesbench.posterior.diagnostics import Diagnostics
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix
from tests.cli.conftest import Run
from tests.factories import make_posterior

SMALL = ("--min-model", "1", "--min-benchmark", "1")


@pytest.fixture
def quick_fit(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Instead of sampling, a made-up posterior; `verdict` can be set, the call is kept."""
    kept: dict[str, Any] = {"verdict": "pass"}

    def made(
        matrix: ScoreMatrix, spec: Any, engine: Any, *, seed: int, report: Any
    ) -> StoredPosterior:
        kept.update(matrix=matrix, spec=spec, engine=engine, seed=seed)
        posterior = make_posterior(spec=spec, matrix=matrix, n_draws=40)
        diagnostics = Diagnostics(kept["verdict"], ("R-hat of eta is 1.2",))
        object.__setattr__(posterior, "diagnostics", diagnostics)
        provenance = replace(posterior.provenance, method=engine.name, config=asdict(engine))
        object.__setattr__(posterior, "provenance", provenance)
        return posterior

    def learned(*_: Any, **__: Any) -> None:
        return kept.get("calibration")

    monkeypatch.setattr(fitting, "sample", made)
    monkeypatch.setattr(fitting, "learned_calibration", learned)
    return kept


def test_fit_passes_the_settings_on_and_writes_the_file(
    run: Run, scores_csv: Path, tmp_path: Path, quick_fit: dict[str, Any]
) -> None:
    out = tmp_path / "fit.nc"
    answer = run("fit", "--data", scores_csv, "--scale", "percent", "--min-model", "2",
                 "--min-benchmark", "2", "--method", "gibbs", "--chains", "3", "--warmup", "50",
                 "--draws", "20", "--rank", "1", "--seed", "7", "--keep", "20", "--out", out,
                 "--format", "json").json()  # fmt: skip
    assert quick_fit["matrix"].shape == (8, 4)
    assert (quick_fit["engine"].chains, quick_fit["engine"].draws) == (3, 20)
    assert (quick_fit["engine"].warmup, quick_fit["engine"].thin) == (50, Gibbs().thin)
    assert (quick_fit["spec"].rank, quick_fit["seed"]) == (1, 7)
    assert answer["draws"] == 20 == Posterior.load(out).n_draws
    assert (answer["models"], answer["benchmarks"], answer["cells"]) == (8, 4, 32)
    assert list(answer) == [
        "out", "method", "seed", "config", "rank", "models", "benchmarks", "cells", "draws",
        "wall_s", "recalibrated", "diagnostics",
    ]  # fmt: skip


@pytest.mark.parametrize(("verdict", "strict", "code"), [
    ("pass", True, 0), ("warn", True, 0), ("fail", False, 0), ("fail", True, 3),
])  # fmt: skip
def test_strict_refuses_a_failed_fit(
    run: Run,
    scores_csv: Path,
    tmp_path: Path,
    quick_fit: dict[str, Any],
    verdict: str,
    strict: bool,
    code: int,
) -> None:
    quick_fit["verdict"] = verdict
    out = tmp_path / "fit.nc"
    found = run("fit", "--data", scores_csv, "--scale", "percent", *SMALL, "--out", out,
                "--no-calibrate", *(["--strict"] * strict))  # fmt: skip
    assert found.code == code
    assert out.exists() is (code == 0)
    assert bool(found.err) is (verdict != "pass")
    if code:
        assert (found.out, found.err.count("\n")) == ("", 1)


def test_warnings_of_a_fit_are_lines_on_stderr(
    run: Run, scores_csv: Path, tmp_path: Path, quick_fit: dict[str, Any]
) -> None:
    quick_fit["verdict"] = "warn"
    call = ("fit", "--data", scores_csv, "--scale", "percent", *SMALL, "--out", tmp_path / "a.nc")
    for _ in range(2):  # each time, not once per process
        found = run(*call)
        assert found.code == 0
        assert found.err.splitlines() == [
            "warning: diagnostics warn: R-hat of eta is 1.2",
            "warning: too few scores to recalibrate the intervals; they are the model's own",
        ]


def test_settings_of_another_method_are_refused_before_the_data_are_read(
    run: Run, tmp_path: Path, quick_fit: dict[str, Any]
) -> None:
    found = run("fit", "--data", tmp_path / "none.csv", "--method", "svi", "--thin", "3", "--out",
                tmp_path / "a.nc")  # fmt: skip
    assert found.code == 2
    assert found.err.startswith("error: thin is not a setting of svi")


@pytest.mark.slow
def test_a_real_fit_from_the_command_line(run: Run, scores_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "fit.nc"
    answer = run("fit", "--data", scores_csv, "--scale", "percent", *SMALL, "--chains", "2",
                 "--warmup", "50", "--draws", "50", "--thin", "1", "--rank", "1", "--no-calibrate",
                 "--out", out, "--format", "json").json()  # fmt: skip
    assert answer["draws"] == 100
    rows = run("predict", "--scores", "b0=40", "--posterior", out, "--format", "json").json()
    assert len(rows["predictions"]) == 4
