"""``bayesbench rank``: that of the library, with a new model, with what to run."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from bayesbench.cli.rank import RANK_FIELDS
from bayesbench.front.posterior import open_posterior
from tests.cli.conftest import Run


def test_rank_is_that_of_the_library(ask: Run, posterior_file: Path) -> None:
    answer = ask("rank", "model_0", "model_1", "model_2", "--benchmark", "bench_3", "--benchmark",
                 "bench_0", "--format", "json").json()  # fmt: skip
    ids = ("model_0", "model_1", "model_2")
    expected = open_posterior(posterior_file).rank(ids, on=("bench_3", "bench_0"))
    for row in answer["ranking"]:
        at = ids.index(row["model_id"])
        assert row["p_best"] == pytest.approx(expected.p_best[at])
        assert row["rank_probability"] == pytest.approx(expected.rank_probability[at].tolist())
    assert answer["p_better"]["model_0"]["model_2"] == pytest.approx(expected.win[0, 2])
    means = [np.dot(row["rank_probability"], [1, 2, 3]) for row in answer["ranking"]]
    assert means == sorted(means)


def test_rank_takes_a_new_model_and_says_what_to_run_on_it(ask: Run) -> None:
    answer = ask("rank", "model_0", "--scores", "bench_0=40", "--benchmark", "bench_3", "--probe",
                 "new", "--k", "2", "--format", "json").json()  # fmt: skip
    assert {row["model_id"] for row in answer["ranking"]} == {"model_0", "new"}
    assert len(answer["probes"]) == 2
    assert "bench_0" not in {row["benchmark_id"] for row in answer["probes"]}
    assert answer["probes"][0]["information_nats"] >= answer["probes"][1]["information_nats"]


def test_probabilities_are_those_of_the_draws_that_predict_prints(
    ask: Run, posterior_file: Path
) -> None:
    answer = ask("rank", "model_0", "model_1", "--benchmark", "bench_3", "--format", "json").json()
    posterior = open_posterior(posterior_file)
    one, other = (posterior.model(name).predict(["bench_3"]) for name in ("model_0", "model_1"))
    won = float(np.mean(one.draws()[:, 0] > other.draws()[:, 0]))
    assert answer["p_better"]["model_0"]["model_1"] == pytest.approx(won, abs=1e-12)
    assert answer["p_better"]["model_1"]["model_0"] == pytest.approx(1 - won, abs=1e-12)


def test_weights_change_the_answer_and_their_size_does_not(ask: Run) -> None:
    base = ("rank", "model_0", "model_1", "model_2", "--benchmark", "bench_3", "--benchmark",
            "bench_0", "--format", "json")  # fmt: skip
    plain = ask(*base).json()["p_better"]
    assert ask(*base, "--weights", "bench_0=1,bench_3=1").json()["p_better"] == plain
    assert ask(*base, "--weights", "bench_0=2,bench_3=2").json()["p_better"] == plain
    assert ask(*base, "--weights", "bench_0=9,bench_3=1").json()["p_better"] != plain


def test_csv_and_table_hold_the_order(ask: Run) -> None:
    back = ("rank", "model_2", "model_1", "model_0", "--benchmark", "bench_3")
    call = ("rank", "model_0", "model_1", "model_2", "--benchmark", "bench_3")
    names = [row["model_id"] for row in ask(*call, "--format", "json").json()["ranking"]]
    assert names != ["model_0", "model_1", "model_2"] != names[::-1]
    turned = ask(*back, "--format", "json").json()["ranking"]
    assert [row["model_id"] for row in turned] == names
    rows = list(csv.DictReader(io.StringIO(ask(*call, "--format", "csv").out)))
    assert list(rows[0]) == list(RANK_FIELDS)
    assert [row["model_id"] for row in rows] == names
    shown = ask(*call).out
    assert shown.startswith("3 models on bench_3: scores, gaps and ranks with 90 % intervals")
    assert sorted(names, key=shown.index) == names


def test_scores_and_gaps_are_those_of_predict_and_compare(
    ask: Run, posterior_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posterior = open_posterior(posterior_file)
    for on in ("bench_3", "bench_1"):  # of the second lower is better
        call = ("rank", "model_0", "model_1", "model_2", "--benchmark", on)
        answer = ask(*call, "--format", "json").json()
        first, *others = rows = answer["ranking"]
        for row in rows:
            draws = posterior.model(row["model_id"]).predict([on]).draws()[:, 0]
            levels = np.quantile(draws, [0.05, 0.5, 0.95])
            assert [row[end] for end in ("lower", "median", "upper")] == pytest.approx(levels)
        assert first["gap"] is first["gap_lower"] is None
        for row in others:
            gap = posterior.compare(row["model_id"], first["model_id"], on=[on])
            assert (row["gap"], row["gap_lower"], row["gap_upper"]) == pytest.approx(
                (gap.median, gap.lower, gap.upper)
            )
        for row, after in zip(rows, [*others, None], strict=True):
            won = None if after is None else answer["p_better"][row["model_id"]][after["model_id"]]
            assert row["p_better_next"] == won
        assert answer["sentence"].startswith(f"{first['model_id']} is the best of 3 models on {on}")
        assert ask(*call).out.endswith(f"\n{answer['sentence']}\n")
    order = "ranks, score interval, gap interval, P(beats the next)"
    for width in (120, 80, 60, 40):
        monkeypatch.setenv("COLUMNS", str(width))
        found = ask(*call)
        assert max(map(len, found.out.splitlines())) <= width
        left_out = found.err.partition(" for the columns ")[2].partition(";")[0]
        assert order.startswith(left_out) and bool(left_out) is (width < 80)


def test_names_are_resolved_and_said(ask: Run) -> None:
    found = ask("rank", "Model 0", "model_1", "--benchmark", "BENCH 3,bench_4", "--format", "json")
    answer = found.json()
    assert answer["benchmarks"] == ["bench_3", "bench_4"]
    assert {row["model_id"] for row in answer["ranking"]} == {"model_0", "model_1"}
    assert answer["notes"] == ["'Model 0' is taken for model_0", "'BENCH 3' is taken for bench_3"]
    assert found.err.splitlines() == [f"note: {line}" for line in answer["notes"]]


def priced(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    return path


def test_the_cheapest_model_is_that_of_the_predictions(
    ask: Run, posterior_file: Path, tmp_path: Path
) -> None:
    """P(reaches) of a model without a score is the share of `predict`'s draws."""
    file = priced(tmp_path, "model,price,unit\nMODEL 0,5,USD\nmodel_2,3,USD\nnobody,1,USD\n")
    posterior = open_posterior(posterior_file)
    levels = posterior.model("model_0").predict(["bench_3"]).draws()[:, 0]
    level = float(np.quantile(levels, 0.05))
    call = ("rank", "--price", file, "--benchmark", "bench_3", "--at-least", f"{level:.3f}")
    answer = ask(*call, "--kind", "score", "--format", "json").json()
    found = {row["model_id"]: row for row in answer["price"]["models"]}
    for name in ("model_0", "model_2"):
        draws = posterior.model(name).predict(["bench_3"]).draws()[:, 0]
        share = float(np.mean(draws >= round(level, 3)))
        assert found[name]["p_reaches"] == pytest.approx(share, abs=1e-12)
    assert found["nobody"] == {"model_id": "nobody", "price": 1.0, "p_reaches": None,
                               "median": None, "frontier": False}  # fmt: skip
    assert answer["price"]["without_prediction"] == ["nobody"]
    assert answer["price"]["without_price"] == ["model_1", "model_3", "model_4", "model_5"]
    assert "'MODEL 0' is taken for model_0" in answer["notes"]
    assert any("nobody" in line for line in answer["notes"])
    sure = [name for name in ("model_2", "model_0") if found[name]["p_reaches"] >= 0.9]
    assert answer["price"]["cheapest"] == sure[0]
    assert {row["model_id"] for row in answer["ranking"]} == {"model_0", "model_2"}
    assert answer["price"]["sentence"] in ask(*call, "--kind", "score").out


def test_a_known_score_counts_as_it_is(ask: Run, posterior_file: Path, tmp_path: Path) -> None:
    matrix = open_posterior(posterior_file).matrix
    row, column = matrix.model_index("model_1"), matrix.benchmark_index("bench_3")
    score = float(matrix.values[row, column])
    file = priced(tmp_path, "model_id,price\nmodel_1,2\nmodel_0,1\n")
    base = ("rank", "model_1", "--price", file, "--benchmark", "bench_3", "--format", "json")
    at = ask(*base, "--at-least", score).json()
    assert at["kind"] == "known" and at["price"]["models"][0]["p_reaches"] == 1.0
    above = ask(*base, "--at-least", f"{score + 0.01:.2f}").json()["price"]
    assert above["models"][0]["p_reaches"] == 0.0 and above["cheapest"] is None
    assert above["not_asked"] == ["model_0"] and at["ranking"] == []


def test_a_new_model_joins_those_of_the_file(ask: Run, tmp_path: Path) -> None:
    file = priced(tmp_path, "model_id,price\nmodel_0,2\nnew,1\n")
    answer = ask("rank", "--price", file, "--scores", "bench_0=40", "--benchmark",
                 "bench_3,bench_4",
                 "--weights", "bench_3=2,bench_4=1", "--at-least", "1", "--probability", "0.5",
                 "--format", "json").json()  # fmt: skip
    assert [row["model_id"] for row in answer["price"]["models"]] == ["new", "model_0"]
    assert answer["price"]["cheapest"] == "new"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--at-least", "5"), "--at-least goes with --price FILE"),
        (("--probability", "0.5"), "--probability goes with --price FILE"),
        (("--price", "FILE"), "give the level with --at-least"),
        (("--price", "FILE", "--at-least", "5", "--scale", "latent"), "leave out --scale latent"),
        (("--price", "FILE", "--at-least", "500"), "level 500 lies outside the scale (0 to 100)"),
        (("--price", "absent.csv", "--at-least", "5"), "absent.csv"),
    ],
)
def test_wrong_calls_about_prices(
    ask: Run, tmp_path: Path, more: tuple[str, ...], message: str
) -> None:
    file = priced(tmp_path, "model_id,price\nmodel_0,1\nmodel_1,2\n")
    found = ask("rank", "--benchmark", "bench_3", *(file if x == "FILE" else x for x in more))
    assert found.code == 2 and message in found.err and found.err.count("\n") == 1
