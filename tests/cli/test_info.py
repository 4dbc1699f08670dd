"""``bayesbench info``: what a posterior file holds."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from bayesbench.cli.output import number
from bayesbench.front.posterior import open_posterior
from bayesbench.posterior.diagnostics import Diagnostics
from tests.cli.conftest import Run
from tests.factories import make_posterior, make_repeated, with_calibration


def test_info_tells_data_fit_and_diagnostics(run: Run, posterior_file: Path) -> None:
    answer = run("info", posterior_file, "--format", "json").json()
    posterior = open_posterior(posterior_file)
    assert answer["data_hash"] == posterior.matrix.data_hash
    assert (answer["models"], answer["benchmarks"], answer["draws"]) == (6, 5, 200)
    assert answer["spec"]["rank"] == 2
    assert answer["wall_s"] is None
    assert answer["diagnostics"]["verdict"] == "pass"
    shown = run("info", posterior_file, "--full")
    assert "spec.priors.nu_grid" in shown.out and shown.err == ""
    rows = [row["field"] for row in csv.DictReader(io.StringIO(run(
        "info", posterior_file, "--format", "csv").out))]  # fmt: skip
    assert [line.split()[0] for line in shown.out.splitlines()[2:]] == rows


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


def test_ten_lines_say_what_most_want_to_know(run: Run, tmp_path: Path) -> None:
    seen = dict(rhat_eta_max=1.01849, ess_eta_q01=665.2, rhat_eta_share_within_limit=0.99)
    made = replace(
        with_calibration(make_posterior(matrix=make_repeated())),
        diagnostics=Diagnostics("pass", (), seen),
    )
    file = tmp_path / "made.nc"
    made.save(file)
    found, answer = run("info", file), run("info", file, "--format", "json").json()
    lines = found.out.splitlines()
    assert len(lines) == 10 and lines[0] == f"Posterior {file}" and lines[1] == ""
    said = {line[:14].strip(): line[14:].strip() for line in lines[2:]}
    assert (
        said["data"]
        == f"6 models x 5 benchmarks, {answer['cells']} scores, hash " + (answer["data_hash"][:12])
    )
    assert said["model"].startswith("rank 2, first readings; facts: release_date, ")
    assert f"{answer['draws']} draws kept" in said["fit"]
    assert said["diagnostics"] == made.diagnostics.sentence
    assert said["convergence"] == (
        "largest R-hat 1.018, at least 665 effective draws in 99 % of the cells"
    )
    assert said["intervals"].startswith("recalibrated by cross-fits of ")
    floor = answer["noise_floor"]["percent"]
    assert (
        f"{number(floor['difference'])} on percent ({floor['n_cells']} cells)"
        in (said["noise floor"])
    )
    known = ", ".join(f"{name} {one}" for name, one in answer["versions"].items())
    assert said["versions"] == (known or "not known")
    assert found.err == "note: --full shows every setting, prior and diagnostic\n"


def test_what_is_not_there_is_said_in_words(run: Run, posterior_file: Path) -> None:
    found = run("info", posterior_file).out
    assert len(found.splitlines()) == 10
    for words in ("not recalibrated", "not measured", "no cell has two readings"):
        assert words in found


def test_json_is_the_same_with_and_without_full(run: Run, posterior_file: Path) -> None:
    for form in ("json", "csv"):
        plain = run("info", posterior_file, "--format", form)
        assert plain.out == run("info", posterior_file, "--full", "--format", form).out
        assert plain.err == ""
