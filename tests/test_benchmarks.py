"""Benchmarks: the report is what the committed figures give, and it reads every kind of record."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bayesbench.low_rank.spec import ModelSpec, Priors
from benchmarks import checks, records, report, sections
from tests.factories import make_posterior


def test_report_and_readmes_are_what_the_results_give(repository: Path) -> None:
    command = [sys.executable, str(repository / "benchmarks" / "report.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def made(**options: object) -> dict[str, object]:
    machine = {"cpu": "any", "cores": 2, "python": "3.12", "jax": "0.8"}
    return {
        "commit": "0123456789abcdef",
        "package_changed": False,
        "created": "2025-01-01",
        "data_hash": "feedfeedfeedfeed",
        "options": {"max_folds": None, **options},
        "machine": machine,
    }


def folds(method: str, coverage: float | None, **more: object) -> dict[str, object]:
    strata = [
        {"stratum": "scale", "part": "percent", "n": 10, "medae": 2.0, "coverage90": c}
        | {"width90": 9.0}
        for c in ((0.80, 0.90, 0.96) if coverage is not None else ())
    ]
    return {
        "name": "p1",
        "label": "",
        "method": method,
        "medae": 3.25,
        "coverage90": coverage,
        "strata": strata,
        "provenance": made(),
        **more,
    }


CALIBRATED = {
    "pit": [1, 3],
    "coverage": {"0.5": 0.51},
    "within": {"points": 10.0, "brier": 0.1, "base_rate": 0.8},
}


def test_methods_stand_in_order_with_published_rows_after_them() -> None:
    text = report.report([folds("als", None), folds("low-rank", 0.9, calibration=CALIBRATED)])
    order = [text.index(name) for name in ("| low-rank |", "| als |", "*published")]
    assert order == sorted(order)
    assert "0.50 1.50" in text  # PIT: shares of the even height
    assert "0.1600" in text  # Brier score of always saying 0.8


def test_words_name_the_strata_outside_of_the_band() -> None:
    text = sections.words(folds("low-rank", 0.9))
    assert "90.0 %" in text
    assert "over-confident (too narrow) in scale: percent (0.800" in text
    assert "under-confident (too wide) in scale: percent (0.960" in text
    assert "0.900," not in text


def test_words_are_short_where_every_stratum_is_off() -> None:
    record = folds("gaussian", 0.5)
    record["strata"] = [{**row, "coverage90": 0.5} for row in record["strata"]]  # type: ignore[attr-defined]
    assert "over-confident (too narrow) in every stratum" in sections.words(record)


@pytest.mark.parametrize(
    "partial",
    [
        {"label": "rank-2"},
        {"provenance": made(max_folds=3)},
        {"provenance": made(seeds="other")},
    ],
)
def test_partial_and_labelled_runs_stay_out_of_the_tables(partial: dict[str, object]) -> None:
    assert records.of([folds("als", None, **partial)], "p1") == []
    assert len(records.of([folds("als", None)], "p1")) == 1


def test_older_records_say_what_was_not_measured() -> None:
    """No intervals, no matched figures, no families: said so, not a failure."""
    entry = {
        "n_cells": 5, "medae": 4.0, "medape": 7.0, "coverage90": 0.9, "width90": 20.0,
        "not_predictable": 0.0, "medae_counted": 3.0,
    }  # fmt: skip
    p3 = {**folds("low-rank", 0.9), "name": "p3", "by_k": {"1": entry}}
    p4 = {**folds("low-rank", 0.9), "name": "p4", "policies": {"random": {"1": entry}}}
    text = report.report([folds("als", None), p3, p4])
    for title in ("Intervals", "Ranking as published", "By family", "equal numbers of revealed"):
        (line,) = [one for one in text.splitlines() if title in one]
        assert line.endswith("not measured at this commit.")
    for title in ("## P7", "## P8"):
        body = text[text.index(title) :].splitlines()[2]
        assert body == "Not measured at this commit."


def test_matched_figures_stand_first_with_their_intervals() -> None:
    difference = {"difference": -0.5, "interval95": [-0.9, -0.1], "n_models": 80}
    entry = {
        "n_cells": 5, "n_models": 80, "medae": 4.0, "medae_interval95": [3.5, 4.5], "medape": 7.0,
        "coverage90": 0.9, "coverage90_interval95": [0.88, 0.92], "width90": 20.0,
        "medae_counted": 3.0, "revealed": 3.25, "against": {"random": difference},
        "against_matched": {"popularity": {**difference, "difference": -0.25}},
        "probe_sets": [{"probes": ["hle"], "n_models": 70}, {"probes": ["ifeval"], "n_models": 14}],
    }  # fmt: skip
    curves = {"epig-global": {"5": entry}}
    text = sections.probes_section([{"policies": curves, "matched": curves}])
    row = "| epig-global | 5 | 4.00 (3.50 to 4.50) | 0.900 (0.880 to 0.920) | 80 |"
    assert f"{row} -0.50 (-0.90 to -0.10) | - |" in text
    assert "| epig-global | 5 | 3.2 |" in text and "-0.25 (-0.90 to -0.10)" in text
    assert "* epig-global, 14 models: ifeval" in text


def test_tables_of_p7_and_p8_have_scales_and_tails_apart() -> None:
    entry = {
        "n_cells": 50, "n_clusters": 9, "medae": 4.0, "coverage90": 0.85, "below90": 0.1,
        "coverage90_interval95": [0.8, 0.9], "above90": 0.05, "above_median": 0.55,
    }  # fmt: skip
    record = {"method": "low-rank", "label": "public", "by_size": {"percent": {"8x6": entry}}}
    text = sections.honest_section([record], "by_size", ["size"])
    assert "| low-rank, public | percent | 8x6 | 4.00 | - | 0.850 (0.800 to 0.900) |" in text
    assert "| 0.100 | 0.050 | 0.550 |" in text


def test_a_method_that_is_not_listed_stands_last() -> None:
    found = [folds(name, None) for name in ("other", "als+conformal", "mean", "als")]
    order = [record["method"] for record in records.of(found, "p1")]
    assert order == ["als", "als+conformal", "mean", "other"]


def test_block_between_the_marks_is_replaced() -> None:
    text = f"before\n{report.BEGIN}old\n{report.END}\nafter\n"
    once = report.with_block(text, "new\n")
    assert once == f"before\n{report.BEGIN}new\n{report.END}\nafter\n"
    assert report.with_block(once, "new\n") == once
    assert report.with_block("no marks\n", "new\n") == "no marks\n"


def test_ablations_change_settings_of_the_model_and_keep_their_files_apart() -> None:
    labels = {change.label for change in report.ablation.CHANGES}
    assert len(labels) == len(report.ablation.CHANGES)
    for change in report.ablation.CHANGES:
        assert not set(change.label) & set('[]"=/ ')
        for option in change.options:
            key, _, value = option.partition("=")
            assert getattr(ModelSpec(), key) != json.loads(value)


def test_ablation_without_a_file_has_dashes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(report.ablation, "RESULTS", tmp_path)
    (tmp_path / "ablation").mkdir()
    names = ("medae", "medape", "coverage90", "width90", "spearman")
    figures = dict.fromkeys(names, 0.5)
    label = report.ablation.CHANGES[0].label
    text = json.dumps({"development": figures})
    (tmp_path / "ablation" / f"p1-low-rank-{label}.json").write_text(text)
    head, _, first, second, *_ = report.ablation_table().splitlines()
    assert first.count(" - ") == len(figures)
    assert second.count(" - ") == 2 * len(figures)
    assert len(head.split("|")) == len(first.split("|"))


def test_the_page_of_checks_is_what_its_figures_give(repository: Path) -> None:
    path = repository / "benchmarks" / "results" / "checks" / "checks.json"
    text = checks.PAGE.read_text(encoding="utf-8")
    assert checks.page(text, json.loads(path.read_text(encoding="utf-8"))) == text


def test_predictive_p_values_are_shares_of_draws_above() -> None:
    drawn = np.array([[10.0, 20.0], [30.0, 40.0], [1.0, 99.0], [40.0, 60.0]])
    groups = {"all": {"all": np.array([True, True]), "none": np.array([False, False])}}
    (row,) = checks.predictive_checks(np.array([20.0, 50.0]), drawn, np.ones(2, bool), groups)
    tests = row["tests"]
    assert tests["mean"] == {"observed": 35.0, "drawn": 42.5, "p": pytest.approx(0.625)}
    assert tests["sd"]["p"] == 0.25
    assert tests["near an end"] == {"observed": 0.0, "drawn": 0.0, "p": 0.625}


def test_strata_of_checks_hold_every_cell_once() -> None:
    posterior = make_posterior()
    cells = posterior.cells
    groups = checks.strata(posterior, cells, np.linspace(0, 100, cells.row.size))
    bounded = groups["scale"]["percent"].astype(int)
    for name, parts in groups.items():
        times = sum(at.astype(int) for at in parts.values())
        expected = {"scores": 2, "predicted level": bounded}.get(name, 1)
        np.testing.assert_array_equal(times, expected, err_msg=name)


def test_points_of_checks_are_per_cent_of_a_scale() -> None:
    posterior = make_posterior()
    matrix, cells = posterior.matrix, posterior.cells
    scores = matrix.values[cells.row, cells.col]
    found, bounded = checks.relative(matrix, scores, cells.col)
    unit = checks.units(matrix, cells.col)
    np.testing.assert_allclose(found[bounded], scores[bounded])
    np.testing.assert_allclose(unit[bounded], 1.0)
    inner = bounded & (scores > 5) & (scores < 95)
    step, link = 1e-2, posterior.transform
    ends = [link.to_latent(scores + sign * step, cells.col) for sign in (-1, 1)]
    slope = np.log(abs(ends[1] - ends[0]) / (2 * step))
    of_checks = checks.log_slope(link, scores, cells.col, unit)
    np.testing.assert_allclose(of_checks[inner], slope[inner], rtol=1e-3, atol=1e-4)


def test_every_refit_of_checks_changes_what_it_says() -> None:
    made = checks.changes()
    usual = Priors()
    assert made["none"][0] == made["none, another seed"][0] == usual
    assert made["noise_shape x 0.5"][0].noise_shape == usual.noise_shape / 2
    assert made["nu_grid x 2"][0].nu_grid == tuple(2 * nu for nu in usual.nu_grid)
    scales = made["scales x 2"][0]
    assert {name for name in vars(usual) if vars(usual)[name] != vars(scales)[name]} == set(
        checks.SCALES
    )
    assert len({priors for priors, _ in made.values()}) == len(made) - 1
