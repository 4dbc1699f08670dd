"""What is written on the command line: pairs, lists, numbers; nothing is guessed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest

from bayesbench.cli import values
from bayesbench.cli.values import key_values, pairs, shares, sizes
from bayesbench.errors import ScoreError, UsageError


def read(*written: str) -> dict[str, Any]:
    return key_values(None, None, written)


def test_values_are_json_or_text() -> None:
    found = read("rank=4", "student_t=false", 'groups=["provider"]', "update=condition", "path=a=b")
    assert found == {
        "rank": 4,
        "student_t": False,
        "groups": ["provider"],
        "update": "condition",
        "path": "a=b",
    }
    assert read(" rank =2") == {"rank": 2}
    assert read() == {}


@pytest.mark.parametrize("written", ["rank", "=3", "two words=3", "2x=3"])
def test_what_is_no_pair_is_refused(written: str) -> None:
    with pytest.raises(click.BadParameter, match="is not KEY=VALUE"):
        read(written)


def test_a_key_stands_once() -> None:
    with pytest.raises(click.BadParameter, match="rank is given twice"):
        read("rank=3", "rank=4")


def test_sizes_and_shares() -> None:
    assert sizes("8x6, 20x12") == ((8, 6), (20, 12))
    assert shares("0.3, 1") == (0.3, 1.0)


@pytest.mark.parametrize("written", ["8", "8x", "x6", "8x6x4", "8x-6", "8by6", ""])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(click.BadParameter, match="not a list of sizes like 8x6"):
        sizes(written)


@pytest.mark.parametrize("written", ["", "0.3,", "half", "nan"])
def test_what_is_no_share_is_refused(written: str) -> None:
    with pytest.raises(click.BadParameter, match="not a plain finite number"):
        shares(written)


def test_pairs_are_names_and_numbers() -> None:
    assert pairs("a=70, b = 75.5 ,c=.5,d=-1e1,e=+3.") == {
        "a": 70.0, "b": 75.5, "c": 0.5, "d": -10.0, "e": 3.0,
    }  # fmt: skip
    assert pairs("GPQA Diamond=70") == {"GPQA Diamond": 70.0}
    assert values.scores("a=1").scores == values.weights("a=1") == {"a": 1.0}
    with pytest.raises(ScoreError, match="weight of 'a' is given twice"):
        values.weights("a=1,a=2")


@pytest.mark.parametrize(
    "written", ["1_0", "0x1F", "40%", "\u0664\u0660", "1,5", "1e", "--1", "1 0", ""]
)
def test_only_plain_numbers_are_numbers(written: str) -> None:
    with pytest.raises(click.BadParameter):
        values.finite(written)
    with pytest.raises(ScoreError):
        pairs(f"a={written}")


@pytest.mark.parametrize("written", ["nan", "inf", "-Infinity", "1e999"])
def test_what_is_not_finite_is_said_to_be(written: str) -> None:
    with pytest.raises(ScoreError, match="score of 'a' is not a finite number"):
        pairs(f"a={written}")
    with pytest.raises(click.BadParameter, match="finite"):
        values.finite(written)


def test_pairs_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "known.csv"
    file.write_text('\ufeffbenchmark_id,source,score\n a ,x, 70\n"b,c",y,5\n', encoding="utf-8")
    assert pairs(f"@{file}") == {"a": 70.0, "b,c": 5.0}
    with pytest.raises(UsageError, match="needs columns benchmark_id,weight"):
        pairs(f"@{file}", "weight")
    file.write_text("benchmark_id,score\na,1\na,2\n")
    with pytest.raises(ScoreError, match="'a' is given twice"):
        pairs(f"@{file}")
    file.write_text("benchmark_id,score\na,N/A\nb,7\n")
    assert pairs(f"@{file}") == {"b": 7.0}
    assert capsys.readouterr().err == f"note: {file}: no score of a\n"
    file.write_text("benchmark_id,score\na\n")
    with pytest.raises(UsageError, match="no score in the file; it needs at least one"):
        pairs(f"@{file}")


def test_scores_may_have_standard_errors(tmp_path: Path) -> None:
    expected = ({"a": 70.0, "b": 75.5, "c": 1.0}, {"a": 2.0, "b": 0.0})
    assert values.scores("a=70+-2, b = 75.5 \u00b1 0,c=1") == expected
    file = tmp_path / "s.csv"
    file.write_text("benchmark_id,score,stderr\na,70,2\nb,75.5,0\nc,1,\n")
    assert values.scores(f"@{file}") == expected
    for written, told in (
        ("a=70+-", "standard error of 'a' is not a plain number: ''"),
        ("a=70+--1", "standard error of 'a' is below 0: -1"),
        ("a=70+-x", "standard error of 'a' is not a plain number: 'x'"),
        ("a=+-2", "score of 'a' is not a plain number: ''"),
        ("a=1+-1,a=2", "score of 'a' is given twice"),
    ):
        with pytest.raises(ScoreError, match=re.escape(told)):
            values.scores(written)
    file.write_text("benchmark_id,score,stderr\na,70+-2,2\n")
    with pytest.raises(UsageError, match=r"s\.csv, row 2: standard error of 'a' is given twice"):
        values.scores(f"@{file}")
    with pytest.raises(ScoreError, match="weight of 'a'"):
        values.weights("a=1+-1")


def test_pairs_of_a_table_of_any_dialect(tmp_path: Path) -> None:
    file = tmp_path / "known.csv"
    file.write_bytes("Task;Accuracy\r\nGPQA Diamond;70,5%\r\n".encode("utf-16"))
    assert pairs(f"@{file}") == {"GPQA Diamond": 70.5}
    file.write_text("Model,GPQA,MMLU,Average,IFEval\nmine,70.5,80,75.2,-\n")
    assert pairs(f"@{file}") == {"GPQA": 70.5, "MMLU": 80.0}
    file.write_text("Model,GPQA\nmine,70.5*\n")
    with pytest.raises(UsageError, match=r"known\.csv, row 2: score '70\.5\*' of 'GPQA' must be"):
        pairs(f"@{file}")


def test_names_with_a_comma_or_an_equals_sign_stand_in_quotes() -> None:
    assert pairs('"a,b"=70, "c=d" = 5,e=1') == {"a,b": 70.0, "c=d": 5.0, "e": 1.0}
    assert values.ids('"a,b", c,"say ""x"""') == ("a,b", "c", 'say "x"')
    assert values.id_lists(None, None, ("a,b", '"c,d"')) == ("a", "b", "c,d")
    for read in (pairs, values.ids):
        with pytest.raises(UsageError, match="a quote is not closed"):
            read('"a=70')


def test_ids_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("a\nb  # cheap\n")
    assert values.ids(f"@{file}") == ("a", "b")


def test_exactly_one_score() -> None:
    assert values.one_score("a=5") == ("a", 5.0, None)
    assert values.one_score("a=5+-0.5") == ("a", 5.0, 0.5)
    with pytest.raises(ScoreError, match="one pair benchmark=score, got 2"):
        values.one_score("a=5,b=6")


def test_lists_of_ids_and_of_whole_numbers() -> None:
    assert values.ids(" a, b c ,d") == ("a", "b c", "d")
    assert values.counts("0, 1,10") == (0, 1, 10)
    with pytest.raises(click.BadParameter, match="empty id"):
        values.ids("a,,b")
    for written in ("1,-2", "1.5", "1,,2", "", "\u0663"):
        with pytest.raises(click.BadParameter, match="whole numbers"):
            values.counts(written)


def test_probabilities_lie_inside() -> None:
    assert values.probability("0.9") == values.probability(0.9) == 0.9
    for written in ("0", "1", "-0.1", "90"):
        with pytest.raises(click.BadParameter, match=r"between 0 and 1; write 90 % as 0\.9"):
            values.probability(written)


def test_seeds_are_those_numpy_takes() -> None:
    assert values.SEED.convert("4294967295", None, None) == 2**32 - 1
    for written in ("-1", "4294967296", "1.5"):
        with pytest.raises(click.BadParameter):
            values.SEED.convert(written, None, None)
