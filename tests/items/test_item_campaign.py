"""Campaigns over items: what they ask, when they stop, resuming, undoing, what they refuse."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from bayesbench.design import Costs
from bayesbench.errors import BayesbenchError, DataError, UsageError
from bayesbench.items.bank import ItemBank
from bayesbench.items.bank_file import save_bank
from bayesbench.items.choice import Quotas, attenuated
from bayesbench.items.full_score import full_scores
from bayesbench.items.given import of_one
from bayesbench.items.item_campaign import ItemCampaign
from bayesbench.items.item_state import Answer, ItemStopRules
from bayesbench.items.reconstruction import estimate_scores
from bayesbench.items.simulator import SimulatedItems, simulate_items
from bayesbench.items.variational import fit_bank

ITEMS = 40


@pytest.fixture(scope="module")
def drawn() -> SimulatedItems:
    return simulate_items(204, ITEMS, factors=2, benchmarks=2, seed=21)


@pytest.fixture(scope="module")
def bank(drawn: SimulatedItems) -> ItemBank:
    known = drawn.responses.subset(models=np.arange(200))
    return replace(fit_bank(known, factors=2), width_factors={5: 1.2, 20: 1.5})


def answer_of(drawn: SimulatedItems, model: int) -> Callable[[str], Answer]:
    row = drawn.responses.correct[model]
    places = {name: at for at, name in enumerate(drawn.responses.items.index)}
    return lambda item: Answer(float(row[places[item]]))


def run_to(campaign: ItemCampaign, answer: Callable[[str], Answer], steps: int) -> list[str]:
    """Ask and observe until it says stop, at most so often; the items asked."""
    asked: list[str] = []
    while len(asked) < steps:
        proposal = campaign.propose()
        if proposal.stop is not None:
            break
        item = proposal.items[0].item_id
        campaign.observe({item: answer(item)})
        asked.append(item)
    return asked


def best_by_conditioning(bank: ItemBank, answers: dict[str, Answer]) -> str:
    """The item that leaves the least variance, by conditioning the normal of all open answers."""
    given = of_one(bank, {name: (one.correct, one.n) for name, one in answers.items()})
    found = estimate_scores(bank, given)
    b, a = attenuated(bank)
    open_ = np.flatnonzero(given.trials[0] == 0)
    p = 1 / (1 + np.exp(-(b + a @ found.ability[0])))[open_]
    d, slope = p * (1 - p), a[open_]
    joint = (d[:, None] * slope) @ found.ability_covariance[0] @ (d[:, None] * slope).T + np.diag(d)
    left = []
    for at in range(len(open_)):
        after = joint - np.outer(joint[:, at], joint[:, at]) / joint[at, at]
        left.append(after.sum())
    return str(bank.items.index[open_[int(np.argmin(left))]])


def test_it_asks_what_leaves_the_least_variance(drawn: SimulatedItems, bank: ItemBank) -> None:
    campaign, answers = ItemCampaign.new(None, bank), dict[str, Answer]()
    for _ in range(15):
        item = best_by_conditioning(bank, answers)
        assert campaign.propose().items[0].item_id == item
        answers[item] = answer_of(drawn, 203)(item)
        campaign.observe({item: answers[item]})
    assert campaign.state.answers == answers
    assert campaign.score == full_scores(bank, campaign.responses)[0]


def test_a_campaign_killed_at_any_moment_goes_on(
    drawn: SimulatedItems, bank: ItemBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, kept = tmp_path / "run.json", tmp_path / "bank.nc"
    save_bank(bank, kept)
    ItemCampaign.new(file, bank, bank_path=kept, model_id="m", stop=ItemStopRules(max_items=9))
    whole = ItemCampaign.new(None, bank, stop=ItemStopRules(max_items=9))
    expected = run_to(whole, answer_of(drawn, 200), 20)
    found = []
    for item in expected:
        again = ItemCampaign.load(file)  # a new process at every step
        assert again.propose().items[0].item_id == item
        found += again.observe({item: answer_of(drawn, 200)(item)})
        before = file.read_bytes()
        with monkeypatch.context() as broken:
            broken.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
            with pytest.raises(DataError, match="cannot be written"):
                again.undo()
        assert file.read_bytes() == before and sorted(os.listdir(tmp_path)) == [
            "bank.nc", "run.json",
        ]  # fmt: skip
    last = ItemCampaign.load(file)
    assert last.propose().stop == "9 items have been asked" == whole.propose().stop
    assert last.score == replace(whole.score, model_id="m")
    assert [step.item_id for step in found] == expected and len(expected) == 9


def test_undo_takes_back_exactly_what_was_done(drawn: SimulatedItems, bank: ItemBank) -> None:
    campaign = ItemCampaign.new(None, bank)
    run_to(campaign, answer_of(drawn, 200), 3)
    before, score = campaign.state, campaign.score
    campaign.propose(2)
    asked = next(iter(before.answers))
    other = Answer(1 - before.answers[asked].correct)
    steps = campaign.observe({asked: other, "item_1": Answer(1, 3)}, correct=True)
    assert [(one.item_id, one.corrects) for one in steps] == [
        (asked, before.answers[asked]), ("item_1", None),
    ]  # fmt: skip
    status = campaign.status()
    assert (status.n_asked, status.n_corrections, status.spent) == (4, 1, 4.0)
    assert campaign.undo(2) == steps
    assert campaign.state.steps == before.steps and campaign.score == score
    with pytest.raises(UsageError, match="to take back: 4, but only 3 have been made"):
        campaign.undo(4)
    with pytest.raises(UsageError, match="1 or more, got 0"):
        campaign.undo(0)


def test_it_stops_by_width_bar_and_budget(drawn: SimulatedItems, bank: ItemBank) -> None:
    answer = answer_of(drawn, 201)
    narrow = ItemCampaign.new(None, bank, stop=ItemStopRules(target_width=25))
    run_to(narrow, answer, ITEMS)
    score = narrow.score
    assert score.upper - score.lower <= 25
    assert "the interval of the full score is" in str(narrow.propose().stop)
    narrow.undo()
    assert narrow.score.upper - narrow.score.lower > 25 and narrow.propose().stop is None

    truth = drawn.responses.subset(models=[201]).scores()[0]
    for bar, side in ((truth + 25, "below"), (truth - 25, "or more")):
        sure = ItemCampaign.new(None, bank, stop=ItemStopRules(bar=bar, sure=0.9))
        run_to(sure, answer, ITEMS)
        above = 1 - NormalDist(sure.score.score, sure.score.sd).cdf(bar)
        assert max(above, 1 - above) >= 0.9 and sure.status().p_above == pytest.approx(above)
        assert side in str(sure.propose().stop)
        sure.undo()
        last = sure.status().p_above
        assert last is not None and 0.1 < last < 0.9

    cheap = ItemCampaign.new(None, bank, stop=ItemStopRules(budget=4.5))
    assert cheap.notes[0] == "the budget counts items: no costs were given"
    assert len(run_to(cheap, answer, ITEMS)) == 4
    assert cheap.propose().stop == "the rest of the budget, 0.5, pays for no item"
    assert cheap.status().budget_left == 0.5
    whole = ItemCampaign.new(None, bank)
    assert len(run_to(whole, answer, 99)) == ITEMS
    assert whole.propose().stop == "no item is left to ask"
    assert whole.score.lower == whole.score.upper == pytest.approx(truth)


def test_a_verdict_about_a_bar_is_wrong_no_more_often_than_it_says() -> None:
    """Although it is looked at after every answer."""
    drawn = simulate_items(500, 100, factors=1, seed=31).responses
    bank = fit_bank(drawn.subset(models=np.arange(300)), factors=1)
    new = drawn.subset(models=np.arange(300, 500))
    truth = new.scores()
    bar = float(np.median(truth)) + 0.5  # between two scores
    wrong, asked = [], []
    for row in range(len(truth)):
        answers = dict(zip(bank.items.index, new.correct[row].astype(float), strict=True))
        campaign = ItemCampaign.new(None, bank, stop=ItemStopRules(bar=bar, sure=0.9))
        run_to(campaign, lambda item, known=answers: Answer(known[item]), 100)  # type: ignore[misc]
        above = campaign.status().p_above
        assert above is not None
        wrong.append((above > 0.5) != (truth[row] >= bar))
        asked.append(campaign.score.answered)
    # 200 campaigns: the standard error of a share of 0.1 is 0.021
    assert np.mean(wrong) < 0.1 + 2.5 * 0.021 and np.median(asked) < 25


def test_costs_move_the_choice_and_count(drawn: SimulatedItems, bank: ItemBank) -> None:
    free = ItemCampaign.new(None, bank).propose(ITEMS).items
    dear, out = free[0].item_id, free[1].item_id
    prices = {one.item_id: 1.0 for one in free if one.item_id != out} | {dear: 50.0}
    priced = ItemCampaign.new(None, bank, costs=Costs(prices, "USD"), stop=ItemStopRules(budget=60))
    assert priced.propose().items[0].item_id not in (dear, out)
    assert "1 item without a known cost are never asked" in priced.notes
    batch = [one.item_id for one in priced.propose(ITEMS).items]
    assert out not in batch and sum(prices[item] for item in batch) <= 60
    priced.observe({dear: Answer(1)})
    priced.observe({batch[0]: Answer(0)}, {batch[0]: 2.5})
    assert (priced.status().spent, priced.status().unit) == (52.5, "USD")
    with pytest.raises(UsageError, match=f"no cost known for item '{out}'"):
        priced.observe({out: Answer(1)})
    assert priced.observe({out: Answer(1)}, {out: 2})[0].price == 2
    with pytest.raises(UsageError, match=r"budget 0\.5 is below the cost of the cheapest item"):
        ItemCampaign.new(None, bank, costs=Costs(prices), stop=ItemStopRules(budget=0.5))


def test_quotas_hold_over_the_whole_campaign(drawn: SimulatedItems, bank: ItemBank) -> None:
    for limits in ({"benchmark_0": (6, 6)}, {"benchmark_1": (0, 1)}, {"benchmark_1": (7, 8)}):
        campaign = ItemCampaign.new(
            None, bank, quotas=Quotas(limits), stop=ItemStopRules(max_items=8)
        )
        asked = run_to(campaign, answer_of(drawn, 202), 99)
        assert len(asked) == 8
        for name, (least, most) in limits.items():
            of = [bank.items.at[item, "benchmark_id"] for item in asked]
            assert least <= of.count(name) <= most
    with pytest.raises(UsageError, match="least number needs a planned number of items"):
        ItemCampaign.new(None, bank, quotas=Quotas({"benchmark_0": (6, 6)}))
    with pytest.raises(UsageError, match="unknown category 'x'"):
        ItemCampaign.new(None, bank, quotas=Quotas({"x": (0, 6)}))


def test_of_one_benchmark_only_its_items_are_asked(bank: ItemBank) -> None:
    campaign = ItemCampaign.new(None, bank, benchmarks=["benchmark_1"], exclude=["item_1"])
    asked = campaign.propose(ITEMS).items
    assert len(asked) == 19 and {one.benchmark_id for one in asked} == {"benchmark_1"}
    campaign.observe({"item_3": Answer(1)})
    known = campaign.responses
    assert campaign.score == full_scores(bank, known, benchmarks=["benchmark_1"])[0]
    assert campaign.status().expected == pytest.approx(campaign.state.steps[0].probability)


def test_known_answers_cost_nothing(bank: ItemBank) -> None:
    campaign = ItemCampaign.new(None, bank, known={"item_0": Answer(1), "item_1": Answer(0)})
    assert campaign.observe({"item_0": Answer(1)}) == ()  # says what is known
    assert (campaign.status().n_known, campaign.status().spent) == (2, 0)
    assert "2 items known at the start, 0 items asked" in campaign.status().sentence
    assert repr(campaign).startswith("ItemCampaign (in memory) of model new: 2 items")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.observe({"item_99": Answer(1)}), "unknown item 'item_99'; nearest: item_9"),
        (lambda c: c.observe({"item_5": Answer(1), "item_0": Answer(0)}),
         "item 'item_0' was answered 1 of 1 and now 0 of 1: correct it on purpose"),
        (lambda c: c.observe({"item_5": Answer(1)}, {"item_5": -1}), "item_5"),
        (lambda c: c.propose(0), "number of items must be 1 or more"),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(
    bank: ItemBank, tmp_path: Path, call: Callable[[ItemCampaign], Any], message: str
) -> None:
    file = tmp_path / "run.json"
    campaign = ItemCampaign.new(file, bank)
    campaign.observe({"item_0": Answer(1)})
    before, state = file.read_bytes(), campaign.state
    with pytest.raises(BayesbenchError, match=message) as caught:
        call(campaign)
    assert "\n" not in str(caught.value)
    assert (file.read_bytes(), campaign.state) == (before, state)


def test_another_bank_and_another_process(bank: ItemBank, tmp_path: Path) -> None:
    file, kept = tmp_path / "run.json", tmp_path / "bank.nc"
    save_bank(bank, kept)
    first = ItemCampaign.new(file, bank, bank_path=kept)
    with pytest.raises(UsageError, match="exists: go on with that campaign"):
        ItemCampaign.new(file, bank)
    second = ItemCampaign.load(file)
    second.observe({"item_0": Answer(1)})
    with pytest.raises(UsageError, match="was changed by another process: load it again"):
        first.observe({"item_1": Answer(1)})
    other = fit_bank(simulate_items(50, ITEMS, factors=2, benchmarks=2, seed=5).responses)
    with pytest.raises(DataError, match="the bank is not the one the campaign"):
        ItemCampaign.load(file, other)
    kept.unlink()
    with pytest.raises(DataError, match=r"is no longer at .*bank.nc: put it back, or give it"):
        ItemCampaign.load(file)
    assert ItemCampaign.load(file, bank).state.answers == {"item_0": Answer(1)}
    memory = tmp_path / "memory.json"
    ItemCampaign.new(memory, bank)
    with pytest.raises(UsageError, match="names no bank file: give the bank"):
        ItemCampaign.load(memory)
    with pytest.raises(UsageError, match="no item may be asked"):
        ItemCampaign.new(None, bank, exclude=list(bank.items.index))
    with pytest.raises(UsageError, match="unknown item 'x'"):
        ItemCampaign.new(None, bank, exclude=["x"])
