"""``items next`` and campaigns over items from the command line, a loop over files included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bayesbench.items.bank_file import open_bank
from bayesbench.items.given import read_answers
from bayesbench.items.item_campaign import ItemCampaign
from bayesbench.items.item_state import Answer
from tests.cli.conftest import Run


@pytest.fixture
def started(run: Run, item_files: Path, tmp_path: Path) -> Path:
    file = tmp_path / "run.json"
    made = run("items", "new", file, "--bank", item_files / "bank.nc", "--max-items", 4)
    assert made.code == 0, made.err
    return file


def test_next_from_a_bank_and_answers(run: Run, item_files: Path) -> None:
    bank = open_bank(item_files / "bank.nc")
    call = ("items", "next", "--bank", item_files / "bank.nc")
    found = run(*call, "--given", item_files / "new.csv", "--n", 3, "--format", "json").json()
    known = read_answers(item_files / "new.csv", bank)
    answers = {f"item_{at}": Answer(float(known.correct[0, at])) for at in range(6)}
    mine = ItemCampaign.new(None, bank, known=answers)
    assert [row["item_id"] for row in found["items"]] == [
        one.item_id for one in mine.propose(3).items
    ]
    assert found["status"]["n_known"] == 6 and found["stop"] is None and found["campaign"] is None
    assert found["status"]["score"] == mine.score.score
    first = run(*call, "--format", "csv").out.splitlines()
    assert first[0] == "item_id,benchmark_id,category,probability,gain,cost,sd_after"
    assert len(first) == 2
    quota = run(*call, "--n", 4, "--quota", "easy=3", "--format", "json").json()
    assert [row["category"] for row in quota["items"]].count("easy") == 3


def test_a_loop_over_files(run: Run, item_files: Path, started: Path, tmp_path: Path) -> None:
    """What an evaluation does: ask, run, take in, until there is a reason to stop."""
    given, asked = tmp_path / "answers.csv", list[str]()
    while True:
        found = run("items", "next", "--campaign", started, "--n", 2, "--format", "json").json()
        if found["stop"] is not None:
            break
        asked += [row["item_id"] for row in found["items"]]
        given.write_text("item_id,correct\n" + "".join(f"{item},1\n" for item in asked))
        seen = run("items", "observe", "--campaign", started, "--given", given, "--format", "json")
        assert {row["item_id"] for row in seen.json()["observed"]} == set(asked[-2:])
    assert len(asked) == len(set(asked)) == 4 and found["stop"] == "4 items have been asked"
    last = seen.json()
    assert "2 answers were known already and change nothing" in last["notes"]
    scored = run("items", "score", "--campaign", started, "--format", "json").json()
    total = scored["scores"][-1]
    status = last["status"]
    assert (total["score"], total["lower90"]) == (status["score"], status["lower"])


def test_observe_undo_and_status(run: Run, started: Path) -> None:
    seen = run("items", "observe", "item_3=1", "item_4=2/5", "--campaign", started, "--cost", 2,
               "--format", "json").json()  # fmt: skip
    assert [(row["correct"], row["n"], row["cost"]) for row in seen["observed"]] == [
        (1, 1, 2), (2, 5, 2),
    ]  # fmt: skip
    refused = run("items", "observe", "item_3=0", "--campaign", started)
    assert refused.code == 2 and "was answered 1 of 1 and now 0 of 1" in refused.err
    fixed = run("items", "observe", "item_3=0", "--correct", "--campaign", started, "--format",
                "json").json()  # fmt: skip
    assert (fixed["observed"][0]["corrected"], fixed["status"]["n_corrections"]) == (1, 1)
    rows = run("items", "status", "--campaign", started, "--format", "csv").out.splitlines()
    assert rows[0].startswith("item_id,benchmark_id,correct,n") and len(rows) == 4
    back = run("items", "undo", "--campaign", started, "--steps", 2, "--format", "json").json()
    assert [row["item_id"] for row in back["undone"]] == ["item_4", "item_3"]
    table = run("items", "status", "--campaign", started).out
    assert "1 item asked, 1 correct where" in table and "Go on." in table


def test_a_plan_is_kept(run: Run, item_files: Path, tmp_path: Path) -> None:
    costs, file = tmp_path / "costs.csv", tmp_path / "run.json"
    costs.write_text("item_id,cost,unit\n" + "".join(f"item_{n},{1 + n},USD\n" for n in range(12)))
    made = run("items", "new", file, "--bank", item_files / "bank.nc", "--given",
               item_files / "new.csv", "--id", "mine", "--cost", costs, "--budget", 30,
               "--exclude", "item_7", "--bar", 50, "--sure", 0.99, "--target-width", 2,
               "--benchmark", "benchmark_1", "--macro", "--prob", 0.8, "--quota", "hard=0-2",
               "--format", "json").json()  # fmt: skip
    state = json.loads(file.read_text())
    assert (state["model_id"], state["prob"], state["exclude"]) == ("mine", 0.8, ["item_7"])
    assert state["stop"] == {"target_width": 2.0, "bar": 50.0, "sure": 0.99, "budget": 30.0,
                             "max_items": None}  # fmt: skip
    assert state["quotas"] == {"hard": [0, 2]} and state["cost_unit"] == "USD"
    assert made["items"][0]["item_id"] in ("item_9", "item_11") and made["items"][0]["cost"]
    assert made["status"]["p_above"] is not None and made["status"]["unit"] == "USD"
    assert any("without a known cost are never asked" in line for line in made["notes"])


NEW = ("new", "fresh.json", "--bank", "bank.nc")


@pytest.mark.parametrize(
    ("code", "args", "named"),
    [
        (2, ("new", "run.json", "--bank", "bank.nc"), "run.json exists: go on with that"),
        (2, ("new", "fresh.json"), "no item bank"),
        (2, (*NEW, "--sure", "0.3"), "sure must lie between 0.5 and 1"),
        (2, (*NEW, "--bar", "200"), "bar must be a score from 0 to 100"),
        (2, (*NEW, "--budget", "0.5"), "below the cost of the cheapest item"),
        (2, (*NEW, "--quota", "easy=3"), "give --max-items"),
        (2, (*NEW, "--exclude", "item_99"), "unknown item 'item_99'"),
        (2, (*NEW, "--given", "two.csv"), "two.csv has answers of 2 models (a, b)"),
        (1, (*NEW, "--given", "empty.csv"), "empty.csv: the file is empty"),
        (1, (*NEW, "--cost", "empty.csv"), "empty.csv: the file is empty"),
        (2, ("next", "--campaign", "none.json"), "no campaign file none.json"),
        (1, ("next", "--campaign", "empty.csv"), "empty.csv is not a usable campaign file"),
        (2, ("next", "--campaign", "run.json", "--given", "two.csv"), "--given belongs to `items"),
        (2, ("next",), "no item bank"),
        (2, ("observe", "--campaign", "run.json"), "give answers: either ITEM=CORRECT or"),
        (2, ("observe", "item_1", "--campaign", "run.json"), "'item_1' is not ITEM=CORRECT"),
        (2, ("observe", "item_1=2", "--campaign", "run.json"), "2 correct of 1"),
        (2, ("observe", "item_1=0/0", "--campaign", "run.json"), "0 correct of 0"),
        (2, ("observe", "item_1=x", "--campaign", "run.json"), "is not ITEM=CORRECT"),
        (2, ("observe", "item_1=1", "item_1=0", "--campaign", "run.json"), "is given twice"),
        (2, ("observe", "item_99=1", "--campaign", "run.json"), "unknown item 'item_99'"),
        (2, ("observe", "item_1=1", "--cost", "-1", "--campaign", "run.json"), "item_1"),
        (1, ("observe", "--given", "empty.csv", "--campaign", "run.json"), "the file is empty"),
        (1, ("observe", "item_1=1", "--bank", "other.nc", "--campaign", "run.json"),
         "other.nc: no such file"),
        (2, ("undo", "--campaign", "run.json"), "only 0 have been made"),
        (2, ("status",), "--campaign"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(
    run: Run, item_files: Path, started: Path, monkeypatch: pytest.MonkeyPatch,
    code: int, args: tuple[str, ...], named: str,
) -> None:  # fmt: skip
    place = started.parent
    (place / "bank.nc").write_bytes((item_files / "bank.nc").read_bytes())
    (place / "empty.csv").write_text("")
    (place / "two.csv").write_text("model_id,item_id,correct\na,item_1,1\nb,item_1,0\n")
    monkeypatch.chdir(place)
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    found = run("items", *args)
    assert (found.code, found.out, found.err.count("\n")) == (code, "", 1), found.err
    assert found.err.startswith("error: ") and named in found.err
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before


def test_another_bank_is_refused(run: Run, item_files: Path, started: Path, tmp_path: Path) -> None:
    other: Any = tmp_path / "other.nc"
    made = run("items", "fit", item_files / "answers.csv", "--factors", 1, "--no-widths", "--out",
               other)  # fmt: skip
    assert made.code == 0
    whole = (item_files / "answers.csv").read_text()
    changed = tmp_path / "changed.csv"
    changed.write_text(whole.replace(",1,f", ",0,f", 40))
    run("items", "fit", changed, "--factors", 1, "--no-widths", "--out", other)
    found = run("items", "status", "--campaign", started, "--bank", other)
    assert found.code == 1 and "the bank is not the one the campaign" in found.err
