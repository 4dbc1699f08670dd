"""The bank as a value: its checks, its probabilities against integration by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesbench.errors import DataError
from bayesbench.items.bank import ItemBank
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


@pytest.fixture(scope="module")
def bank() -> ItemBank:
    return fit_bank(simulate_items(60, 12, factors=2, seed=2).responses, factors=2)


def test_uncertainty_of_items_is_integrated_out(bank: ItemBank) -> None:
    ability = np.array([[0.5, -1.0], [2.5, 1.0]])
    rng = np.random.default_rng(0)
    for item in range(3):
        mean = np.r_[bank.easiness[item], bank.slope[item]]
        drawn = rng.multivariate_normal(mean, bank.covariance[item], size=40_000)
        linear = drawn @ np.column_stack([np.ones(2), ability]).T
        exact = (1 / (1 + np.exp(-linear))).mean(axis=0)
        # Monte Carlo error below 0.002; the approximation itself is good to about 0.01
        np.testing.assert_allclose(bank.probability(ability)[:, item], exact, atol=0.015)
    some = bank.probability(ability, np.array([4, 2]))
    np.testing.assert_allclose(some, bank.probability(ability)[:, [4, 2]])


def test_it_is_frozen_and_checked(bank: ItemBank) -> None:
    with pytest.raises(ValueError, match="read-only"):
        bank.slope[0] = 0
    with pytest.raises(DataError, match="easiness has shape"):
        replace(bank, easiness=np.zeros(3))
    with pytest.raises(DataError, match="ability holds a number that is not finite"):
        replace(bank, ability=np.full_like(bank.ability, np.nan))
