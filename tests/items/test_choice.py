"""Which items to ask: the gain against conditioning a normal by hand, batches, quotas, costs."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import UnknownIdError, UsageError
from bayesbench.items.bank import ItemBank
from bayesbench.items.choice import Quotas, attenuated, choose, standing, target_weights
from bayesbench.items.given import of_one
from bayesbench.items.reconstruction import estimate_scores
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


@pytest.fixture(scope="module")
def bank() -> ItemBank:
    return fit_bank(simulate_items(300, 14, factors=2, benchmarks=2, seed=5).responses, factors=2)


@pytest.fixture(scope="module")
def some() -> ItemResponses:
    return simulate_items(6, 14, factors=2, missing=0.6, benchmarks=2, seed=8).responses


def joint_covariance(bank: ItemBank, cov: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Of all answers, as a normal: the ability's part and each item's own."""
    d = p * (1 - p)
    a = attenuated(bank)[1] * d[:, None]
    return np.asarray(a @ cov @ a.T + np.diag(d))


def test_with_equal_weights_it_is_the_score_of_the_reconstruction(
    bank: ItemBank, some: ItemResponses
) -> None:
    found, whole = standing(bank, some, target_weights(bank)), estimate_scores(bank, some)
    np.testing.assert_allclose(found.score, whole.score)
    np.testing.assert_allclose(found.variance, whole.variance)
    assert (found.lowest < found.score).all() and (found.score < found.highest).all()
    open_items = (some.trials == 0).mean(axis=1)
    np.testing.assert_allclose(found.highest - found.lowest, 100 * open_items)


@pytest.mark.parametrize("about", [None, ["benchmark_1"]])
def test_variance_and_gain_are_those_of_a_normal_that_is_conditioned(
    bank: ItemBank, some: ItemResponses, about: list[str] | None
) -> None:
    weights = target_weights(bank, about)
    one = some.subset(models=[2])
    now = standing(bank, one, weights)
    joint = joint_covariance(bank, now.ability_covariance[0], now.probability[0])
    open_ = np.flatnonzero(~now.asked[0])
    w, sigma = weights[open_], joint[np.ix_(open_, open_)]
    assert now.variance[0] == pytest.approx(w @ sigma @ w)
    batch = choose(bank, now, weights, len(open_))
    assert len(batch) == len(open_) and len({one.item_id for one in batch}) == len(open_)
    places = list(bank.items.index[open_])
    for chosen in batch:
        falls = (sigma @ w) ** 2 / np.diag(sigma)
        at = places.index(chosen.item_id)
        assert chosen.gain == pytest.approx(falls[at]) == pytest.approx(falls.max())
        rest = np.arange(len(w)) != at
        sigma = (sigma - np.outer(sigma[:, at], sigma[:, at]) / sigma[at, at])[np.ix_(rest, rest)]
        w = w[rest]
        places.pop(at)
        assert chosen.sd_after == pytest.approx(np.sqrt(w @ sigma @ w), abs=1e-6)


def test_about_the_ability_it_is_the_information_of_the_answer(
    bank: ItemBank, some: ItemResponses
) -> None:
    now = standing(bank, some.subset(models=[0]), target_weights(bank))
    first = choose(bank, now, None)[0]
    a, p, cov = attenuated(bank)[1], now.probability[0], now.ability_covariance[0]
    found = []
    for at in range(len(a)):
        after = np.linalg.inv(np.linalg.inv(cov) + p[at] * (1 - p[at]) * np.outer(a[at], a[at]))
        found.append(np.log(np.linalg.det(cov) / np.linalg.det(after)) / 2)
    gains = np.where(now.asked[0], -np.inf, found)
    assert first.item_id == bank.items.index[int(np.argmax(gains))]
    assert first.gain == pytest.approx(gains.max()) and first.sd_after is None


def test_weights_are_of_items_or_of_benchmarks(bank: ItemBank) -> None:
    assert target_weights(bank).tolist() == pytest.approx([100 / 14] * 14)
    first = target_weights(bank, ["benchmark_0"])
    assert first[::2].tolist() == pytest.approx([100 / 7] * 7) and not first[1::2].any()
    assert target_weights(bank, macro=True).sum() == pytest.approx(100)
    with pytest.raises(UnknownIdError, match="unknown benchmark 'benchmark_9'"):
        target_weights(bank, ["benchmark_9"])


def test_costs_and_a_budget(bank: ItemBank) -> None:
    weights = target_weights(bank)
    now = standing(bank, of_one(bank, {}), weights)
    free = choose(bank, now, weights, 14)
    best = list(bank.items.index).index(free[0].item_id)
    dear = np.ones(14)
    dear[best] = 1e6
    assert choose(bank, now, weights, costs=dear)[0].item_id != free[0].item_id
    assert choose(bank, now, weights, 14, costs=dear)[-1].item_id == free[0].item_id
    assert len(choose(bank, now, weights, 14, costs=np.full(14, 2.0), budget=9)) == 4
    assert choose(bank, now, weights, allowed=np.zeros(14, dtype=bool)) == ()
    with pytest.raises(UsageError, match="number of items must be 1 or more"):
        choose(bank, now, weights, 0)


def test_quotas_hold_in_a_batch(bank: ItemBank) -> None:
    weights = target_weights(bank)
    now = standing(bank, of_one(bank, {}), weights)
    for limits in ({"benchmark_0": (4, 4)}, {"benchmark_1": (0, 1)}, {"benchmark_0": (5, 6)}):
        quotas = Quotas(limits)
        batch = choose(bank, now, weights, 6, quotas=quotas)
        for name, (least, most) in limits.items():
            assert least <= sum(one.category == name for one in batch) <= most
        assert len(batch) == 6
    # two are asked already, of five in all
    batch = choose(
        bank, now, weights, 3, quotas=Quotas({"benchmark_0": (4, 5)}), asked=["benchmark_0"] * 2,
        left=3,
    )  # fmt: skip
    assert sum(one.category == "benchmark_0" for one in batch) >= 2


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"x": (1, 1)}, "unknown category 'x'"),
        ({"a": (4, 5)}, "quota of 'a': 4 items wanted, 3 are there"),
        ({"a": (2, 2), "b": (2, 2)}, "quotas ask for 4 items, but there are to be 3"),
        ({"a": (0, 0)}, "3 items wanted, 2 are there within the quotas"),
    ],
)
def test_quotas_that_cannot_be_met_are_refused(
    limits: dict[str, tuple[int, int]], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Quotas(limits).check(["a", "a", "a", "b", "b"], 3)
    with pytest.raises(UsageError, match="must rise from 0 on"):
        Quotas({"a": (3, 2)})
