"""Simulated answers follow the probabilities they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import UsageError
from bayesbench.items.simulator import simulate_items


def test_answers_follow_their_probabilities() -> None:
    drawn = simulate_items(300, 200, trials=4, seed=3)
    share = drawn.responses.shares()
    p = drawn.probability
    z = (share - p) / np.sqrt(p * (1 - p) / 4)
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs((z**2).mean() - 1) < 4 * np.sqrt((z**2).var() / z.size)
    linear = drawn.easiness + drawn.ability @ drawn.slope.T
    np.testing.assert_allclose(np.log(p / (1 - p)), linear, atol=1e-6)


def test_the_same_seed_gives_the_same_answers() -> None:
    one, other, third = (simulate_items(20, 10, missing=0.2, seed=n) for n in (1, 1, 2))
    np.testing.assert_array_equal(one.responses.correct, other.responses.correct)
    assert (one.responses.trials != third.responses.trials).any()
    assert 0.1 < 1 - one.responses.trials.mean() < 0.3


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="sizes must be"):
        simulate_items(0, 5, seed=1)
    with pytest.raises(UsageError, match="2 slope scales for 1 factors"):
        simulate_items(5, 5, factors=1, slope_scales=(1.0, 2.0), seed=1)
