"""``bayesbench info``: what a posterior file holds."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from bayesbench.front.posterior import open_posterior
from tests.cli.conftest import Run
from tests.factories import make_posterior, with_calibration


def test_info_tells_data_fit_and_diagnostics(run: Run, posterior_file: Path) -> None:
    answer = run("info", posterior_file, "--format", "json").json()
    posterior = open_posterior(posterior_file)
    assert answer["data_hash"] == posterior.matrix.data_hash
    assert (answer["models"], answer["benchmarks"], answer["draws"]) == (6, 5, 200)
    assert answer["spec"]["rank"] == 2
    assert answer["wall_s"] is None
    assert answer["diagnostics"]["verdict"] == "pass"
    assert "spec.priors.nu_grid" in run("info", posterior_file).out


def test_nested_settings_are_rows_with_dotted_names(run: Run, posterior_file: Path) -> None:
    answer = run("info", posterior_file, "--format", "json").json()
    found = run("info", posterior_file, "--format", "csv").out
    rows = {row["field"]: row["value"] for row in csv.DictReader(io.StringIO(found))}
    assert rows["spec.rank"] == "2" and rows["config.n_draws"] == "200"
    assert rows["diagnostics.verdict"] == "pass" and rows["wall_s"] == ""
    assert rows["spec.covariates"] == "; ".join(answer["spec"]["covariates"])
    assert rows["spec.student_t"] == str(answer["spec"]["student_t"]).lower()


def test_whether_and_by_what_it_was_recalibrated(run: Run, tmp_path: Path) -> None:
    for name, made in (("raw", make_posterior()), ("own", with_calibration(make_posterior()))):
        path = tmp_path / f"{name}.nc"
        made.save(path)
        answer = run("info", path, "--format", "json").json()
        calibration = made.calibration
        assert answer["recalibrated"] is (calibration is not None)
        engine = None if calibration is None else calibration.engine
        assert answer["recalibrated_by"] == engine


def test_without_a_file_it_is_the_bundled_posterior(run: Run) -> None:
    answer = run("info", "--format", "json").json()
    posterior = open_posterior()
    assert (answer["file"], answer["models"]) == ("open_scores.nc", len(posterior.model_ids))
    assert answer["chains"] * (answer["draws"] // answer["chains"]) == posterior.n_draws
