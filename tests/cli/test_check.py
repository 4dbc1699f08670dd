"""``bayesbench check``: the given scores against each other, as the library does it."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path

from bayesbench.cli.check import FIELDS
from bayesbench.front.posterior import open_posterior
from bayesbench.jsonable import plain
from tests.cli.conftest import Run

SLIP = {"bench_0": 70.0, "bench_3": 0.8, "bench_4": 72.0}
CALL = ("check", "--scores", "bench_0=70,bench_3=0.8,bench_4=72")


def test_it_is_that_of_the_library(ask: Run, posterior_file: Path) -> None:
    answer = ask(*CALL, "--format", "json").json()
    found = open_posterior(posterior_file).condition(SLIP).surprises()
    assert [{**row, "sentence": None} for row in answer["surprises"]] == [
        plain({**asdict(one), "sentence": None}) for one in found
    ]
    assert [row["sentence"] for row in answer["surprises"]] == [one.sentence for one in found]
    rows = list(csv.DictReader(io.StringIO(ask(*CALL, "--format", "csv").out)))
    assert len(rows) == 3 and list(rows[0]) == list(FIELDS)
    assert ask(*CALL).out.endswith(f"{found[0].sentence}\n")


def test_the_bundled_posterior_finds_a_share(run: Run) -> None:
    call = ("check", "--scores", "gpqa_diamond=70,ifeval=0.85,mmlu_pro=76", "--format", "json")
    worst = run(*call).json()["surprises"][0]
    assert worst["benchmark_id"] == "ifeval" and worst["suspicion"] > 0.9
    assert (worst["explanation"], worst["corrected"]) == ("a share, not a percentage", 85.0)


def test_one_score_cannot_be_checked(ask: Run) -> None:
    result = ask("check", "--scores", "bench_0=70")
    assert (result.code, result.out) == (2, "")
    assert "fewer than two scores" in result.err


def test_more_scores_than_can_be_left_out_in_turn_are_refused(run: Run) -> None:
    names = open_posterior().benchmark_ids
    told = open_posterior().transform
    percent = [name for name, upper in zip(names, told.upper, strict=True) if upper == 100][:41]
    pairs = ",".join(f"{name}=50" for name in percent)
    for call in (("check",), ("explain", "--benchmark", names[-1])):
        result = run(*call, "--scores", pairs)
        assert (result.code, result.out) == (2, "")
        assert "41 scores are given, give at most 40" in result.err
