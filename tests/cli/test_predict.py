"""``bayesbench predict``: that of the library, with what was resolved and left out noted."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from bayesbench.answers.predictive import fitted_draws, predictive
from bayesbench.cli.output import number
from bayesbench.front.posterior import Posterior, open_posterior
from bayesbench.low_rank.facts import ModelFacts
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.scores import ScoreMatrix
from tests.cli.conftest import HEAVY, Run, loaded
from tests.factories import make_matrix, make_posterior, make_repeated

FIELDS = [
    "benchmark_id", "median", "lower", "upper", "sd", "p_within_10", "observed", "score",
]  # fmt: skip


def test_the_answer_is_that_of_the_library(ask: Run, posterior_file: Path) -> None:
    answer = ask("predict", "--scores", "bench_0=40, bench_3=55", "--provider", "Beth",
                 "--reasoning", "--format", "json").json()  # fmt: skip
    posterior = open_posterior(posterior_file)
    facts = ModelFacts(provider="Beth", reasoning=True)
    expected = posterior.condition({"bench_0": 40.0, "bench_3": 55.0}, facts=facts).predict().cells
    lower, upper = expected.interval(0.9)
    at = {name: j for j, name in enumerate(posterior.benchmark_ids)}
    assert list(answer) == [
        "model", "target", "prob", "posterior", "notes", "warnings", "predictions", "sentence",
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
        known = {"bench_0": 40.0, "bench_3": 55.0}.get(row["benchmark_id"])
        assert row["observed"] is (known is not None) and row["score"] == known
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


def test_table_names_every_benchmark_and_shows_known_scores(ask: Run) -> None:
    lines = ask("predict", "--scores", "bench_0=40").out.splitlines()
    rows = {line.split()[0]: line for line in lines if line.startswith(" bench_")}
    assert len(rows) == 5 and rows["bench_0"].endswith(" 40.0")
    assert lines[2].endswith("known score")
    assert "known score" not in ask("predict", "--release-date", "2025-03").out


def test_the_sentence_says_the_one_or_the_surest_and_the_least_sure(ask: Run) -> None:
    call = ("predict", "--scores", "bench_0=40")
    one = ask(*call, "--benchmark", "bench_3", "--format", "json").json()
    (row,) = one["predictions"]
    assert one["sentence"] == (
        f"bench_3 is predicted at {row['median']:.1f} (90 % interval {row['lower']:.1f} to "
        f"{row['upper']:.1f}), and within 10 points of that with probability "
        f"{row['p_within_10']:.2f}."
    )
    assert ask(*call, "--benchmark", "bench_3").out.endswith(f"\n\n{one['sentence']}\n")
    named = ask(*call, "--benchmark", "bench_1,bench_3,bench_4", "--format", "json").json()
    widths = {row["benchmark_id"]: row["upper"] - row["lower"] for row in named["predictions"]}
    ordered = sorted(widths, key=lambda name: widths[name])
    assert named["sentence"].startswith(f"Of 3 benchmarks without a score, {ordered[0]} is ")
    assert f"and {ordered[-1]} least, at" in named["sentence"]


def test_one_benchmark_and_nothing_else_is_every_model_on_it(
    ask: Run, posterior_file: Path
) -> None:
    posterior = open_posterior(posterior_file)
    for name in ("bench_3", "bench_1"):  # of the second lower is better
        answer = ask("predict", "--benchmark", name, "--format", "json").json()
        assert answer["model"] is None and answer["warnings"] == []
        rows = answer["predictions"]
        medians = [row["median"] for row in rows]
        assert medians == sorted(medians, reverse=name == "bench_3")
        assert {row["model_id"] for row in rows} == set(posterior.model_ids)
        for row in rows:
            cell = posterior.predict(row["model_id"], benchmark=name)
            assert row["median"] == pytest.approx(cell.median, rel=1e-9)
            assert (row["lower"], row["upper"]) == pytest.approx(cell.interval(0.9), rel=1e-9)
            assert row["observed"] is bool(np.isfinite(cell.observed))
        assert answer["sentence"].startswith(f"{rows[0]['model_id']} has the best predicted score")
    shown = ask("predict", "--benchmark", "Bench 3")
    assert shown.out.startswith("6 models on bench_3, the best first")
    assert shown.err == "note: 'Bench 3' is taken for bench_3\n"
    csv_rows = list(csv.DictReader(io.StringIO(ask("predict", "--benchmark", "bench_3", "--format",
                                                   "csv").out)))  # fmt: skip
    assert list(csv_rows[0]) == ["model_id", *FIELDS] and len(csv_rows) == 6
    refused = ask("predict", "--benchmark", "bench_3,bench_1")
    assert refused.code == 2 and "nothing is known of the model" in refused.err


def test_bars_of_one_benchmark_share_their_ends(ask: Run, posterior_file: Path) -> None:
    """On a scale without bounds too: there it is the range of all scores."""
    posterior = open_posterior(posterior_file)
    for name in ("bench_2", "bench_3"):  # the first is a rating
        j = posterior.transform.index(name)
        scores = posterior.matrix.values[:, j]
        low, high = (0.0, 100.0) if name == "bench_3" else (np.nanmin(scores), np.nanmax(scores))
        shown = ask("predict", "--benchmark", name).out.splitlines()
        lines = {line.split()[0]: line for line in shown if line.startswith(" model_")}
        for row in ask("predict", "--benchmark", name, "--format", "json").json()["predictions"]:
            bar = next(part for part in lines[row["model_id"]].split() if "●" in part)
            at = {end: min(23, max(0, int((row[end] - low) / (high - low) * 24)))
                  for end in ("lower", "median", "upper")}  # fmt: skip
            heavy = [k for k, sign in enumerate(bar) if sign != "─"]
            assert len(bar) == 24 and bar.index("●") == at["median"]
            assert (heavy[0], heavy[-1]) == (at["lower"], at["upper"])


def test_a_table_shows_twenty_rows_and_says_how_many_more(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "wide.nc"
    make_posterior(matrix=make_matrix(n_models=7, n_benchmarks=24), n_draws=20).save(file)

    def names(*more: object) -> list[str]:
        found = run("predict", "--scores", "bench_0=40", "--posterior", file, *more)
        assert found.code == 0
        return [line.split()[0] for line in found.out.splitlines() if line.startswith(" bench_")]

    call = ("predict", "--scores", "bench_0=40", "--posterior", file)
    whole = [row["benchmark_id"] for row in run(*call, "--format", "json").json()["predictions"]]
    assert len(whole) == 24
    assert names() == whole[:20] and names("--all") == whole and names("--top", 3) == whole[:3]
    assert run(*call).err == "note: 4 more rows; --all shows them, --top N the first N\n"
    assert "more rows" not in run(*call, "--all").err
    named = ",".join(whole[1:23])
    assert names("--benchmark", named) == whole[1:23]
    assert run(*call, "--format", "csv").out.count("\n") == 25
    cut = run(*call, "--top", 2, "--format", "json")
    assert [row["benchmark_id"] for row in cut.json()["predictions"]] == whole[:2]
    assert cut.err.startswith("note: 22 more rows")
    said = run(*call, "--format", "json").json()["sentence"]
    assert said.startswith("Of 23 benchmarks") and cut.json()["sentence"] == said
    assert run(*call).out.endswith(f"\n\n{said}\n")  # of all, however many are shown
    both = run(*call, "--top", 2, "--all")
    assert both.code == 2 and "give one of them" in both.err and both.err.count("\n") == 1


@pytest.mark.parametrize(("width", "gone"), [
    (120, []), (80, ["sd"]), (60, ["sd", "P(within 10)", "on its scale"]),
    (40, ["sd", "P(within 10)", "on its scale", "known score"]),
])  # fmt: skip
def test_a_narrow_screen_drops_columns_in_the_stated_order(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, gone: list[str]
) -> None:
    matrix = make_matrix()
    names = [f"Name of benchmark {j}" for j in range(len(matrix.benchmark_ids))]
    benchmarks = matrix.benchmarks.assign(name=[*names[:-1], "A benchmark whose name is very long"])
    file = tmp_path / "named.nc"
    named = ScoreMatrix(matrix.models, benchmarks, matrix.readings)
    make_posterior(matrix=named, n_draws=20).save(file)
    monkeypatch.setenv("COLUMNS", str(width))
    found = run("predict", "--scores", "bench_0=40", "--posterior", file)
    assert max(map(len, found.out.splitlines())) <= width
    for name in benchmarks["name"]:
        assert sum(name in line for line in found.out.splitlines()) == 1
    told = f"note: {width} characters are too few for the columns {', '.join(gone)}; a wider"
    assert found.err.startswith(told) if gone else not found.err
    call = ("predict", "--scores", "bench_0=40", "--posterior", file, "--format", "json")
    words = found.out.split()
    for row in run(*call).json()["predictions"]:
        assert {number(row[end]) for end in ("median", "lower", "upper")} <= set(words)
    head = found.out.split("\n ─")[0].partition("intervals\n")[2].split()
    for title, word in (("sd", "sd"), ("P(within 10)", "10)"), ("on its scale", "scale"),
                        ("known score", "known")):  # fmt: skip
        assert (word in head) is (title not in gone)


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
