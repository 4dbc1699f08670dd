"""The simple methods: exact on small cases, one contract for all."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import DataError, UnknownIdError
from bayesbench.items.baselines import ITEM_METHODS, fit_method
from bayesbench.items.responses import ItemResponses
from bayesbench.items.simulator import simulate_items


def shown(responses: ItemResponses, asked: np.ndarray) -> ItemResponses:
    return ItemResponses(
        responses.models, responses.items, responses.correct * asked, responses.trials * asked
    )


@pytest.fixture(scope="module")
def drawn() -> ItemResponses:
    return simulate_items(160, 30, factors=2, seed=4).responses


@pytest.mark.parametrize("name", ITEM_METHODS)
def test_every_method_keeps_the_contract(drawn: ItemResponses, name: str) -> None:
    train, new = drawn.subset(models=np.arange(120)), drawn.subset(models=np.arange(120, 160))
    found = fit_method(name, train, [f"g{n // 3}" for n in range(120)], (4, 30), seed=2)
    four, whole = found.ask(new, (4, 30))
    assert four.dtype == bool and (four.sum(axis=1) == 4).all() and whole.all()
    band, truth = found.predict(shown(new, four)), new.scores()
    assert ((band.lower <= band.score) & (band.score <= band.upper)).all()
    assert np.abs(band.score - truth).mean() < 20
    assert ((band.lower <= truth) & (truth <= band.upper)).mean() > 0.7
    all_of_it = found.predict(new)
    np.testing.assert_allclose(all_of_it.score, truth, atol=1e-6)
    np.testing.assert_allclose(all_of_it.upper - all_of_it.lower, 0, atol=1e-6)
    again = fit_method(name, train, [f"g{n // 3}" for n in range(120)], (4, 30), seed=2)
    np.testing.assert_array_equal(again.predict(shown(new, four)).score, band.score)


def test_what_cannot_be_done_is_refused(drawn: ItemResponses) -> None:
    with pytest.raises(UnknownIdError, match="random-ridge"):
        fit_method("randm-ridge", drawn)
    found = fit_method("greedy-ridge", drawn, budgets=(5,))
    with pytest.raises(UnknownIdError):
        next(iter(found.ask(drawn, (6,))))
    asked = np.zeros(drawn.shape, dtype=bool)
    asked[:, :5] = True
    with pytest.raises(DataError, match="those of no form"):
        found.predict(shown(drawn, asked))
