"""``items score``: the full scores of Python, per benchmark and in total."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.items.bank_file import open_bank
from bayesbench.items.full_score import full_scores
from bayesbench.items.given import read_answers
from tests.cli.conftest import Run


def test_scores_are_those_of_python(run: Run, item_files: Path) -> None:
    bank_file, given = item_files / "bank.nc", item_files / "new.csv"
    found = run("items", "score", "--bank", bank_file, "--given", given, "--bar", 60, "--format",
                "json").json()  # fmt: skip
    bank = open_bank(bank_file)
    known = read_answers(given, bank)
    targets = {"benchmark_0": ["benchmark_0"], "benchmark_1": ["benchmark_1"], None: None}
    assert [row["benchmark_id"] for row in found["scores"]] == list(targets)
    for row in found["scores"]:
        about = targets[row["benchmark_id"]]
        for prob, name in ((0.5, "50"), (0.9, "90")):
            mine = full_scores(bank, known, benchmarks=about, prob=prob)[0]
            assert (row[f"lower{name}"], row[f"upper{name}"]) == (mine.lower, mine.upper)
        assert (row["score"], row["sd"], row["observed"]) == (mine.score, mine.sd, mine.observed)
        assert row["p_above"] == mine.probability_above(60)
        assert (row["answered"], row["items"]) == (mine.answered, mine.items)
    assert found["scores"][-1]["answered"] == 6 and found["notes"] == []
    total = run("items", "score", "--bank", bank_file, "--given", given).out.splitlines()[-1]
    assert total.split()[:4] == ["new", "total", "6", "24"]


def test_several_models_and_macro(run: Run, item_files: Path, tmp_path: Path) -> None:
    given = tmp_path / "two.csv"
    given.write_text("model_id,item_id,correct,n\nb,item_0,2,4\na,item_1,1,1\n")
    call = ("items", "score", "--bank", item_files / "bank.nc", "--given", given, "--format")
    rows = run(*call, "json", "--macro").json()
    assert [row["model_id"] for row in rows["scores"]] == ["b"] * 3 + ["a"] * 3
    assert rows["macro"] and "mean over 2 benchmarks" in rows["scale"]
    assert rows["scores"][0]["observed"] == 50 and rows["scores"][1]["observed"] is None
    lines = run(*call, "csv").out.splitlines()
    assert lines[0].startswith("model_id,benchmark_id,answered,items,observed,score,sd,lower50")
    assert len(lines) == 7


@pytest.mark.parametrize(
    ("code", "text", "args", "named"),
    [
        (1, "", (), "given.csv: the file is empty"),
        (1, "item_id,correct\n", (), "given.csv: no answer in the file"),
        (1, "item_id,correct\nitem_99,1\n", (), "given.csv, row 2: item_id 'item_99': not in the"),
        (1, "item_id,correct\nitem_1,1\nitem_1,0\n", (), "row 3: item 'item_1' is answered in an"),
        (1, "item_id,correct\nitem_1,7\n", (), "row 2: correct '7'"),
        (1, "item_id,benchmark_id,correct\nitem_1,x,1\n", (), "row 2: benchmark_id 'x': item"),
        (2, "item_id,correct\nitem_1,1\n", ("--campaign", "x.json"), "either --given FILE or"),
        (2, "item_id,correct\nitem_1,1\n", ("--bar", "nan"), "--bar"),
    ],
)
def test_bad_answers_are_one_line(
    run: Run, item_files: Path, tmp_path: Path, code: int, text: str, args: tuple[str, ...],
    named: str,
) -> None:  # fmt: skip
    given = tmp_path / "given.csv"
    given.write_text(text)
    found = run("items", "score", "--bank", item_files / "bank.nc", "--given", given, *args)
    assert (found.code, found.out, found.err.count("\n")) == (code, "", 1), found.err
    assert found.err.startswith("error: ") and named in found.err


def test_a_bank_is_needed(run: Run, item_files: Path) -> None:
    found = run("items", "score", "--given", item_files / "new.csv")
    assert (found.code, found.err) == (
        2, "error: no item bank: give --bank FILE; `bayesbench items fit` makes one\n",
    )  # fmt: skip
