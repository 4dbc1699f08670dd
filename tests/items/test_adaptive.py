"""Asking adaptively: modes, and the first item by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.items.adaptive import Abilities, ask_adaptively
from bayesbench.items.reconstruction import estimate_scores
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items
from bayesbench.items.variational import fit_bank


@pytest.fixture(scope="module")
def drawn() -> ItemResponses:
    return simulate_items(120, 40, factors=2, seed=4).responses


def test_modes_are_where_the_posterior_is_flat_and_agree_with_the_estimate(
    drawn: ItemResponses,
) -> None:
    bank = fit_bank(drawn, factors=2)
    engine = Abilities.of(bank)
    right, runs = drawn.correct.astype(float), drawn.trials.astype(float)
    found, cov = engine.found(right, runs, np.full((120, 2), 0.7))
    np.testing.assert_allclose(found, estimate_scores(bank, drawn).ability, atol=1e-5)
    np.testing.assert_allclose(cov, estimate_scores(bank, drawn).ability_covariance, atol=1e-5)


def test_the_first_item_is_the_one_of_the_largest_fall_by_brute_force(drawn: ItemResponses) -> None:
    bank = fit_bank(drawn, factors=2)
    engine = Abilities.of(bank)
    b, a = engine.easiness, engine.slope
    p = 1 / (1 + np.exp(-b))
    d, w = p * (1 - p), 100 / 40
    s = 4 * np.eye(2)
    # joint normal of (score, answer) at theta = 0
    cross = a @ (s @ ((w * d) @ a)) * d + w * d
    fall = cross**2 / (d + d**2 * np.einsum("lk,kj,lj->l", a, s, a))
    (asked,) = ask_adaptively(bank, drawn.subset(models=np.arange(3)), (1,))
    assert (asked.argmax(axis=1) == fall.argmax()).all() and (asked.sum(axis=1) == 1).all()
