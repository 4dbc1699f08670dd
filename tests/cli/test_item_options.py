"""What the commands about items share: quotas, and how answers are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bayesbench.cli.item_options import quotas_of, read_known
from bayesbench.errors import BayesbenchError, UsageError
from bayesbench.items.bank_file import open_bank
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


def test_quotas_are_read() -> None:
    limits = quotas_of(["algebra=3", "a=b=0-4 "]).limits
    assert limits == {"algebra": (3, 3), "a=b": (0, 4)}
    assert quotas_of([]).limits == {}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (["algebra"], "is not CATEGORY=N or CATEGORY=A-B"),
        (["=3"], "is not CATEGORY=N"),
        (["a=-3"], "is not CATEGORY=N"),
        (["a=1.5"], "is not CATEGORY=N"),
        (["a=3", "a=4"], "--quota of 'a' is given twice"),
        (["a=3-2"], "must rise from 0 on, got 3 to 2"),
    ],
)
def test_a_quota_that_is_none_is_refused(written: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        quotas_of(written)


def samples(folder: Path, documents: dict[int, str]) -> Path:
    """Samples of lm-evaluation-harness: doc_id to hash, all answered correctly."""
    file = folder / "samples_task_2026-01-21T03-44-18.458309.jsonl"
    rows = [{"doc_id": n, "doc_hash": own, "acc": 1.0} for n, own in documents.items()]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_samples_of_another_tool_may_hold_more_than_the_bank(tmp_path: Path) -> None:
    drawn = simulate_items(30, 2, seed=1).responses
    ids = [f"task/{n}:{'ab'[n] * 12}" for n in range(2)]
    bank = fit_bank(
        ItemResponses.of(drawn.correct, list(drawn.models.index), ids, "task"), factors=1
    )
    file = samples(tmp_path, {1: "b" * 40, 0: "a" * 40, 7: "c" * 40})
    found = read_known(str(file), bank, metric="acc")
    assert found.responses.trials.tolist() == [[1, 1]]
    assert found.notes[-1] == f"1 items of {file} are not in the bank and are left out"
    with pytest.raises(BayesbenchError, match=f"item 'task/1:{'x' * 12}': its document changed"):
        read_known(str(samples(tmp_path, {1: "x" * 40, 0: "a" * 40})), bank, metric="acc")


def test_without_a_file_nothing_is_known(item_files: Path) -> None:
    bank = open_bank(item_files / "bank.nc")
    assert not read_known(None, bank).responses.trials.any()
    with pytest.raises(UsageError, match="--metric belongs to samples"):
        read_known(str(item_files / "new.csv"), bank, metric="acc")
