"""Fixed forms: the first item against brute force, parallel forms alike, quotas kept."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bayesbench.errors import UsageError
from bayesbench.items.bank import ItemBank
from bayesbench.items.choice import Quotas, attenuated
from bayesbench.items.forms import _can_finish, select_forms
from bayesbench.items.full_score import full_scores
from bayesbench.items.reconstruction import PRIOR_SD
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import SimulatedItems, simulate_items
from bayesbench.items.variational import fit_bank


@pytest.fixture(scope="module")
def drawn() -> SimulatedItems:
    return simulate_items(460, 60, factors=2, benchmarks=3, seed=11)


@pytest.fixture(scope="module")
def bank(drawn: SimulatedItems) -> ItemBank:
    return fit_bank(drawn.responses.subset(models=np.arange(60)), factors=2)


def mean_variance(bank: ItemBank, items: list[int]) -> float:
    """Mean over the bank's models of the variance of the score once the items are answered."""
    b, a = attenuated(bank)
    found = []
    for theta in bank.ability:
        p = 1 / (1 + np.exp(-(b + a @ theta)))
        d = p * (1 - p)
        known = np.zeros((2, 2))
        for at in items:
            known += d[at] * np.outer(a[at], a[at])
        cov = np.linalg.inv(np.eye(2) / PRIOR_SD**2 + known)
        left = np.setdiff1d(np.arange(len(b)), items)
        slope = 100 / len(b) * (d[left] @ a[left])
        found.append(slope @ cov @ slope + (100 / len(b)) ** 2 * d[left].sum())
    return float(np.mean(found))


def test_each_item_is_the_best_next_one_of_all(bank: ItemBank) -> None:
    form = select_forms(bank, 3)[0]
    chosen: list[int] = []
    for item, sd in zip(form.item_ids, form.sd, strict=True):
        tried = {at: mean_variance(bank, [*chosen, at]) for at in range(60) if at not in chosen}
        best = min(tried, key=lambda at: tried[at])
        assert item == bank.items.index[best]
        assert sd == pytest.approx(np.sqrt(tried[best]))
        chosen.append(best)


def test_parallel_forms_share_nothing_and_are_alike(bank: ItemBank) -> None:
    forms = select_forms(bank, 12, forms=3)
    assert len({item for form in forms for item in form.item_ids}) == 36
    last = [form.sd[-1] for form in forms]
    assert max(last) < 1.06 * min(last)
    alone = select_forms(bank, 12)[0]
    assert alone.sd[-1] <= min(last) and list(alone.sd) == sorted(alone.sd, reverse=True)
    assert forms == select_forms(bank, 12, forms=3)


def test_a_form_estimates_better_than_random_items(drawn: SimulatedItems, bank: ItemBank) -> None:
    new = drawn.responses.subset(models=np.arange(60, 460))
    form = select_forms(bank, 12)[0]

    def error(columns: np.ndarray) -> float:
        asked = np.isin(np.arange(60), columns)
        shown = ItemResponses(new.models, new.items, new.correct * asked, new.trials * asked)
        found = [one.score for one in full_scores(bank, shown)]
        return float(np.abs(np.array(found) - new.scores()).mean())

    rng = np.random.default_rng(0)
    chance = [error(rng.permutation(60)[:12]) for _ in range(10)]
    assert error(np.flatnonzero(bank.items.index.isin(form.item_ids))) < min(chance)


def test_quotas_hold_in_every_form(bank: ItemBank) -> None:
    quotas = Quotas({"benchmark_0": (6, 6), "benchmark_1": (0, 2), "benchmark_2": (4, 10)})
    for form in select_forms(bank, 12, forms=3, quotas=quotas):
        of = bank.items.loc[list(form.item_ids), "benchmark_id"]
        counts = [int((of == f"benchmark_{n}").sum()) for n in range(3)]
        assert counts[0] == 6 and counts[1] <= 2 and 4 <= counts[2]
    # all items of a category are needed: none may be taken beyond the least
    tight = select_forms(bank, 20, forms=2, quotas=Quotas({"benchmark_0": (10, 20)}))
    assert [sum("benchmark_0" == bank.items.at[i, "benchmark_id"] for i in form.item_ids)
            for form in tight] == [10, 10]  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_no_form_takes_what_another_cannot_do_without(seed: int) -> None:
    drawn = simulate_items(60, 4, factors=1, seed=seed).responses
    ids = list(drawn.items.index)
    answers = ItemResponses.of(drawn.correct, list(drawn.models.index), ids, "x",
                               categories=list("AABB"))  # fmt: skip
    forms = select_forms(
        fit_bank(answers, factors=1), 2, forms=2, quotas=Quotas({"A": (0, 1)}), seed=seed
    )
    assert sorted(item for form in forms for item in form.item_ids) == sorted(ids)
    assert all(sum(ids.index(item) < 2 for item in form.item_ids) == 1 for form in forms)


def test_whether_forms_can_be_filled_is_what_trying_everything_says() -> None:
    rng = np.random.default_rng(4)
    found = []
    for _ in range(300):
        stock, needs = rng.integers(0, 4, size=3), rng.integers(0, 4, size=2)
        least = rng.integers(0, 2, size=(2, 3))
        most = least + rng.integers(0, 3, size=(2, 3))
        ranges = [range(lo, hi + 1) for lo, hi in zip(least.ravel(), most.ravel(), strict=True)]
        tried = np.array(list(itertools.product(*ranges))).reshape(-1, 2, 3)
        fits = (tried.sum(axis=2) == needs).all(axis=1) & (tried.sum(axis=1) <= stock).all(axis=1)
        assert _can_finish(stock, needs, least, most) == fits.any()
        found.append(fits.any())
    assert 30 < sum(found) < 270


def test_what_cannot_be_chosen_is_refused(bank: ItemBank) -> None:
    with pytest.raises(UsageError, match="61 items wanted, the bank has 60"):
        select_forms(bank, 61)
    with pytest.raises(UsageError, match="items and forms must be 1 or more"):
        select_forms(bank, 0)
    with pytest.raises(UsageError, match="quota of 'benchmark_0': 30 items wanted, 20 are there"):
        select_forms(bank, 20, forms=2, quotas=Quotas({"benchmark_0": (15, 20)}))
