"""The file of an item campaign: whole, strict, told apart from others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesbench.campaign import CampaignState
from bayesbench.errors import DataError, UsageError
from bayesbench.items.item_state import (
    Answer,
    ItemState,
    ItemStep,
    ItemStopRules,
    bank_fingerprint,
    read_item_state,
    revision_of,
    write_item_state,
)
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank

STEPS = (
    ItemStep("q1", Answer(1), None, 0.4),
    ItemStep("q2", Answer(2, 5), 3.5, 0.6),
    ItemStep("q1", Answer(0), None, 0.5, Answer(1)),
)
STATE = ItemState(
    "5e1f",
    "bank.nc",
    "m",
    known={"q0": Answer(1)},
    benchmarks=("a", "b"),
    macro=True,
    exclude=("q9",),
    quotas={"algebra": (1, 3)},
    costs={"q1": 1.0, "q2": 2.0},
    cost_unit="USD",
    stop=ItemStopRules(4.0, 70.0, 0.9, 100.0, 50),
    prob=0.8,
    steps=STEPS,
    revision=4,
)


def test_a_file_says_all_there_is(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write_item_state(file, STATE)
    assert read_item_state(file) == STATE and revision_of(file) == 4
    plain = ItemState("5e1f")
    assert ItemState.from_json(plain.to_json()) == plain


def test_what_stands_and_what_was_spent() -> None:
    assert STATE.answers == {"q0": Answer(1), "q1": Answer(0), "q2": Answer(2, 5)}
    assert [step.item_id for step in STATE.asked] == ["q1", "q2"]
    assert [step.price for step in STEPS] == [1.0, 3.5, 0.0] and STATE.spent == 4.5
    assert (STATE.unit, ItemState("5e1f").unit) == ("USD", "items")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 3}, "'seed' is unknown"),
        ({"prob": 2}, "interval probability"),
        ({"steps": [{"item_id": "q"}]}, "steps"),
        ({"known": {"q": {"correct": 3, "n": 1}}}, "3 of 1: give 0 to n correct"),
        ({"quotas": {"a": [1]}}, "a quota is a least and a most"),
        ({"format": "bayesbench-campaign"}, "it is no bayesbench-item-campaign"),
        ({"version": 9}, "format version 9"),
        ({"revision": "x"}, "revision"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps({**json.loads(STATE.to_json()), **change}))
    with pytest.raises(DataError, match=named) as caught:
        read_item_state(file)
    assert "\n" not in str(caught.value) and str(file) in str(caught.value)


def test_another_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    with pytest.raises(UsageError, match="no campaign file"):
        read_item_state(file)
    file.write_text("")
    with pytest.raises(DataError, match="not a usable campaign file"):
        read_item_state(file)
    file.write_text(CampaignState("5e1f").to_json())
    with pytest.raises(DataError, match="it is no bayesbench-item-campaign"):
        read_item_state(file)
    file.write_text(STATE.to_json().replace('"revision": 4', '"revision": true'))
    with pytest.raises(DataError, match="revision is missing or wrong"):
        revision_of(file)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"target_width": 0}, "target_width must be above 0"),
        ({"budget": float("inf")}, "budget must be above 0"),
        ({"max_items": -1}, "max_items must be above 0"),
        ({"bar": 101}, "bar must be a score from 0 to 100"),
        ({"sure": 0.5}, "sure must lie between 0.5 and 1"),
    ],
)
def test_rules_out_of_range(rules: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ItemStopRules(**rules)
    with pytest.raises(UsageError, match="0 of 0: give 0 to n correct"):
        Answer(0, 0)


def test_the_fingerprint_is_of_items_and_parameters() -> None:
    bank = fit_bank(simulate_items(20, 6, seed=1).responses, factors=1)
    own = bank_fingerprint(bank)
    assert own == bank_fingerprint(replace(bank, converged=False, width_factors={5: 1.2}))
    moved = bank.easiness.copy()
    moved[3] += 1e-9
    renamed = bank.items.rename(index={"item_0": "item_00"})
    wider = np.array(2 * bank.covariance)
    others = (
        replace(bank, easiness=moved), replace(bank, items=renamed), replace(bank, covariance=wider)
    )  # fmt: skip
    assert len({own, *map(bank_fingerprint, others)}) == 4
