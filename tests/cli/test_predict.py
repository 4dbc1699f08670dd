"""``bayesbench predict``: that of the library, with what was resolved and left out noted."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from bayesbench.answers.predictive import fitted_draws, predictive
from bayesbench.front.posterior import Posterior, open_posterior
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.low_rank.spec import ModelSpec
from tests.cli.conftest import HEAVY, Run, loaded
from tests.factories import make_posterior, make_repeated

FIELDS = ["benchmark_id", "median", "lower", "upper", "sd", "p_within_10", "observed"]


def test_the_answer_is_that_of_the_library(ask: Run, posterior_file: Path) -> None:
    answer = ask("predict", "--scores", "bench_0=40, bench_3=55", "--provider", "Beth",
                 "--reasoning", "--format", "json").json()  # fmt: skip
    posterior = open_posterior(posterior_file)
    facts = ModelFacts(provider="Beth", reasoning=True)
    expected = posterior.condition({"bench_0": 40.0, "bench_3": 55.0}, facts=facts).predict().cells
    lower, upper = expected.interval(0.9)
    at = {name: j for j, name in enumerate(posterior.benchmark_ids)}
    assert list(answer) == [
        "model", "target", "prob", "posterior", "notes", "warnings", "predictions"
    ]  # fmt: skip
    assert (answer["model"], answer["target"], answer["prob"]) == ("new", "reading", 0.9)
    assert len(answer["predictions"]) == 5
    for row in answer["predictions"]:
        j = at[row["benchmark_id"]]
        assert list(row) == FIELDS
        assert row["median"] == pytest.approx(expected.median[j], rel=1e-12)
        assert row["lower"] == pytest.approx(lower[j], rel=1e-12)
        assert row["upper"] == pytest.approx(upper[j], rel=1e-12)
        assert row["sd"] == pytest.approx(expected.sd[j], rel=1e-12)
        assert row["p_within_10"] == pytest.approx(expected.p_within(10.0)[j], rel=1e-12)
        assert row["observed"] is (row["benchmark_id"] in ("bench_0", "bench_3"))
        assert row["lower"] < row["median"] < row["upper"]


def test_the_mean_over_readings_on_request(run: Run, ask: Run, tmp_path: Path) -> None:
    spec = ModelSpec(rank=2, readings="all")
    file = tmp_path / "all.nc"
    make_posterior(spec=spec, matrix=make_repeated()).save(file)
    call = ("predict", "--scores", "bench_0=40", "--target", "mean")
    answer = run(*call, "--posterior", file, "--format", "json").json()
    assert answer["target"] == "mean"
    expected = open_posterior(file).condition({"bench_0": 40.0}).predict(target="mean")
    for row in answer["predictions"]:
        assert row["median"] == pytest.approx(expected[row["benchmark_id"]].median, rel=1e-12)
        assert row["sd"] == pytest.approx(expected[row["benchmark_id"]].sd, rel=1e-12)
    table = run(*call, "--posterior", file).out
    assert "predictions of the mean over readings with 90 % intervals" in " ".join(table.split())
    refused = ask(*call)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.count("\n") == 1 and "fit with --readings all" in refused.err


def test_known_benchmarks_come_last_and_the_most_reported_first(
    ask: Run, posterior_file: Path
) -> None:
    rows = ask("predict", "--scores", "bench_0=40", "--format", "json").json()["predictions"]
    counts = Posterior.load(posterior_file).matrix.observed.sum(axis=0)
    names = [row["benchmark_id"] for row in rows]
    reported = [counts[int(name[-1])] for name in names]
    assert names[-1] == "bench_0"
    assert reported[:-1] == sorted(reported[:-1], reverse=True)


def test_named_benchmarks_in_the_order_given(ask: Run) -> None:
    rows = ask("predict", "--scores", "bench_0=40", "--benchmark", "bench_4", "--benchmark",
               "bench_1", "--format", "json").json()["predictions"]  # fmt: skip
    assert [row["benchmark_id"] for row in rows] == ["bench_4", "bench_1"]


def test_a_fitted_model_brings_its_own_scores(ask: Run, posterior_file: Path) -> None:
    posterior = Posterior.load(posterior_file)
    answer = ask("predict", "--model", "model_0", "--format", "json").json()
    expected = predictive(fitted_draws(posterior, "model_0"), posterior.transform)
    observed = posterior.matrix.observed[0]
    assert answer["model"] == "model_0"
    for row in answer["predictions"]:
        j = int(row["benchmark_id"][-1])
        assert row["median"] == pytest.approx(expected.median[j], rel=1e-12)
        assert row["observed"] is bool(observed[j])


def test_further_scores_of_a_fitted_model_count(ask: Run, posterior_file: Path) -> None:
    missing = np.flatnonzero(~Posterior.load(posterior_file).matrix.observed[0])
    name = f"bench_{missing[0]}"
    rows = ask("predict", "--model", "model_0", "--scores", f"{name}=30", "--format",
               "json").json()["predictions"]  # fmt: skip
    assert {row["benchmark_id"]: row["observed"] for row in rows}[name] is True


def test_a_fact_alone_is_enough(ask: Run) -> None:
    rows = ask("predict", "--release-date", "2025-03", "--format", "json").json()["predictions"]
    assert len(rows) == 5 and not any(row["observed"] for row in rows)


def test_narrower_probability_gives_narrower_intervals(ask: Run) -> None:
    call = ("predict", "--scores", "bench_0=40", "--format", "json", "--prob")
    wide, narrow = ask(*call, "0.9").json(), ask(*call, "0.5").json()
    for a, b in zip(wide["predictions"], narrow["predictions"], strict=True):
        assert b["upper"] - b["lower"] < a["upper"] - a["lower"]
        assert a["median"] == b["median"]


def test_csv_holds_the_fields_of_the_json(ask: Run) -> None:
    call = ("predict", "--scores", "bench_0=40", "--format")
    rows = list(csv.DictReader(io.StringIO(ask(*call, "csv").out)))
    expected = ask(*call, "json").json()["predictions"]
    assert list(rows[0]) == FIELDS
    for row, answer in zip(rows, expected, strict=True):
        assert float(row["median"]) == answer["median"]
        assert row["observed"] == str(answer["observed"]).lower()


def test_table_names_every_benchmark_and_marks_the_known(ask: Run) -> None:
    lines = ask("predict", "--scores", "bench_0=40").out.splitlines()
    assert [line for line in lines if "known" in line and "bench_0" in line]
    assert sum("bench_" in line for line in lines) == 5


def test_scores_from_a_file_are_the_same(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text("benchmark_id,score\nbench_0,40\nbench_3,55\n")
    a = ask("predict", "--scores", f"@{file}", "--format", "json")
    b = ask("predict", "--scores", "bench_0=40,bench_3=55", "--format", "json")
    assert a.json() == b.json()


def test_same_seed_same_answer_and_another_seed_another(ask: Run) -> None:
    call = ("predict", "--scores", "bench_0=40", "--format", "json", "--seed")
    assert ask(*call, 1).out == ask(*call, 1).out
    assert ask(*call, 1).out != ask(*call, 2).out


def test_an_unknown_provider_is_noted_on_stderr_and_not_guessed(ask: Run) -> None:
    call = ("predict", "--scores", "bench_0=40", "--format", "json", "--provider")
    found = ask(*call, "bethh")
    assert (
        found.err == "note: provider 'bethh' was not fitted, its effect is unknown; nearest: Beth\n"
    )
    spelled = ask(*call, "BETH")
    assert spelled.err == "note: provider 'BETH' is taken for Beth\n"
    assert spelled.json()["predictions"] == ask(*call, "Beth").json()["predictions"]
    assert spelled.json()["predictions"] != found.json()["predictions"]


def test_benchmarks_are_named_several_at_a_time(ask: Run) -> None:
    call = ("predict", "--scores", "bench_0=40", "--format", "json", "--benchmark")
    both = ask(*call, "bench_4,Bench 1").json()
    assert (
        both["predictions"] == ask(*call, "bench_4", "--benchmark", "bench_1").json()["predictions"]
    )
    assert both["notes"] == ["'Bench 1' is taken for bench_1"]


def test_the_ends_of_the_scale_are_scores_too(ask: Run) -> None:
    for score in (0, 100):
        rows = ask("predict", "--scores", f"bench_0={score}", "--format", "json").json()
        for row in rows["predictions"]:
            assert row["lower"] < row["median"] < row["upper"]


def test_names_are_resolved_and_what_they_stand_for_is_noted(ask: Run) -> None:
    found = ask("predict", "--scores", "Bench 0=40", "--benchmark", "BENCH-3", "--format", "json")
    assert [row["benchmark_id"] for row in found.json()["predictions"]] == ["bench_3"]
    assert found.json()["notes"] == [
        "'Bench 0' is taken for bench_0", "'BENCH-3' is taken for bench_3",
    ]  # fmt: skip
    assert found.err.splitlines() == [f"note: {line}" for line in found.json()["notes"]]
    plain = ask("predict", "--scores", "bench_0=40", "--benchmark", "bench_3", "--format", "json")
    assert plain.json()["predictions"] == found.json()["predictions"]


def test_a_model_that_was_not_fitted_is_a_new_one_with_a_note(ask: Run) -> None:
    call = ("predict", "--scores", "bench_0=40", "--format", "json")
    found = ask(*call, "--model", "model_99")
    (line,) = found.json()["notes"]
    assert found.json()["model"] == "model_99"
    assert line.startswith("model 'model_99' was not fitted: it is taken as a new one; nearest")
    assert found.err == f"note: {line}\n"
    named = ask(*call, "--id", "model_99")
    assert named.json()["predictions"] == found.json()["predictions"]
    assert not named.err and named.json()["notes"] == []


def test_a_fitted_model_spelled_otherwise_is_noted(ask: Run) -> None:
    found = ask("predict", "--model", "MODEL 1", "--format", "json")
    assert found.json()["notes"] == ["'MODEL 1' is taken for model_1"]
    assert found.err == "note: 'MODEL 1' is taken for model_1\n"
    plain = ask("predict", "--model", "model_1", "--format", "json").json()
    assert plain["predictions"] == found.json()["predictions"]


def test_a_fact_the_posterior_has_no_use_for_is_noted(ask: Run) -> None:
    call = ("predict", "--scores", "bench_0=40", "--format", "json")
    found = ask(*call, "--params-b", "70")
    note = "params_b plays no part: this posterior was fitted without it"
    assert found.json()["notes"] == [note] and found.err == f"note: {note}\n"
    assert found.json()["predictions"] == ask(*call).json()["predictions"]


def test_predicting_loads_nothing_heavy(repository: Path, posterior_file: Path) -> None:
    call = ["predict", "--scores", "bench_0=40", "--format", "json", "--posterior",
            str(posterior_file)]  # fmt: skip
    assert not HEAVY & loaded(repository, f"from bayesbench.cli import main\nmain({call!r})")
