"""Answers to a bank's items: order, several models, faults that name their row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bayesbench.errors import DataError, SchemaError
from bayesbench.items.bank import ItemBank
from bayesbench.items.given import aligned, changed_since, of_one, read_answers
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


@pytest.fixture(scope="module")
def bank() -> ItemBank:
    return fit_bank(simulate_items(20, 5, seed=1).responses, factors=1)


def table(folder: Path, text: str) -> Path:
    file = folder / "answers.csv"
    file.write_text(text)
    return file


def test_answers_stand_in_the_order_of_the_bank(tmp_path: Path, bank: ItemBank) -> None:
    found = read_answers(table(tmp_path, "item_id,correct\nitem_3,1\nitem_0,0\n"), bank)
    assert list(found.models.index) == ["new"] and found.items.index.equals(bank.items.index)
    assert found.trials.tolist() == [[1, 0, 0, 1, 0]] and found.correct.tolist() == [
        [0, 0, 0, 1, 0]
    ]
    text = "model_id,item_id,correct,n\nb,item_1,2,4\na,item_1,4,4\n"
    found = read_answers(table(tmp_path, text), bank)
    assert list(found.models.index) == ["b", "a"] and found.correct[:, 1].tolist() == [2, 4]
    text = "item_id,share,n\nitem_1,0.5,4\n"
    assert read_answers(table(tmp_path, text), bank).correct[0, 1] == 2
    same = of_one(bank, {"item_3": (1, 1), "item_0": (0, 1)})
    assert same.correct.tolist() == [[0, 0, 0, 1, 0]] and same.trials.tolist() == [[1, 0, 0, 1, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item_id,correct\nitem_3,1\nitem_33,1\n", "row 3: item_id 'item_33': not in the bank; ne"),
        ("item_id,correct\nitem_3,1\nitem_3,1\n", "row 3: item 'item_3' is answered in an earlier"),
        ("item_id,correct\nitem_3,2\n", "row 2: correct '2': must be a whole number"),
        ("item_id,correct\n,1\n", r"row 2: item_id \(empty\)"),
        ("item,correct\nitem_3,1\n", "missing column item_id"),
        (
            "benchmark_id,item_id,correct\nbenchmark_0,item_3,1\nother,item_2,1\n",
            "row 3: benchmark_id 'other': item 'item_2' is of 'benchmark_0' in the bank",
        ),
        ("item_id,correct\n", "no answer in the file"),
        ("", "the file is empty"),
        ("item_id\nitem_3\n", "missing column correct"),
    ],
)
def test_a_fault_is_one_line(tmp_path: Path, bank: ItemBank, text: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        read_answers(table(tmp_path, text), bank)
    assert "\n" not in str(caught.value) and "answers.csv" in str(caught.value)


def test_a_document_that_changed_is_named(tmp_path: Path) -> None:
    drawn = simulate_items(20, 2, seed=1).responses
    ids = ["task/1:aa", "task/2:bb"]
    bank = fit_bank(
        ItemResponses.of(drawn.correct, list(drawn.models.index), ids, "task"), factors=1
    )
    with pytest.raises(SchemaError, match="'task/2:cc': its document changed since the bank, wher"):
        read_answers(table(tmp_path, "item_id,correct\ntask/1:aa,1\ntask/2:cc,1\n"), bank)
    assert changed_since("task/2:cc", bank) == "task/2:bb"
    assert changed_since("task/3:cc", bank) == changed_since("task/2", bank) == ""


def test_other_items_are_counted(bank: ItemBank) -> None:
    more = simulate_items(7, 9, seed=2).responses
    found, others = aligned(more.subset(items=np.arange(9)[::-1]), bank)
    assert others == 4 and found.items.index.equals(bank.items.index)
    np.testing.assert_array_equal(found.correct, more.correct[:, :5])
    with pytest.raises(DataError, match="no item is in the bank: 'item_5' here, 'item_0' there"):
        aligned(more.subset(items=np.arange(5, 9)), bank)
