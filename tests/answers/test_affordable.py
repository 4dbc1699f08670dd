"""What a level costs: against brute force on small cases, and hand-made ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesbench.answers.affordable import Affordable, Prices, affordable, reaching
from bayesbench.answers.joint import ScoreDraws
from bayesbench.answers.ranking import Comparison
from bayesbench.errors import UsageError
from tests.answers.answer_helpers import IDS, three_scales

LINK = three_scales()
UP = Comparison(("up",))
Asked = list[tuple[str, float | None, tuple[float, float] | None]]


def answer(asked: Asked, probability: float = 0.9) -> Affordable:
    return affordable(asked, UP, at_least=70, probability=probability, unit="USD")


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 10)), min_size=1, max_size=8),
    st.integers(1, 10),
)
def test_the_cheapest_and_the_frontier_are_those_of_brute_force(
    pairs: list[tuple[int, int]], tenths: int
) -> None:
    asked: Asked = [(f"m{n}", float(c), (p / 10, 0.0)) for n, (c, p) in enumerate(pairs)]
    found = answer(asked, tenths / 10)
    enough = [price for price, p in pairs if p >= tenths]
    assert (found.cheapest is None) == (not enough)
    if found.cheapest is not None:
        assert found.cheapest.price == min(enough)
        likeliest = max(p for price, p in pairs if price == min(enough))
        assert found.cheapest.p_reaches == likeliest / 10
    undominated = {
        (c, p) for c, p in pairs
        if not any((d <= c and q > p) or (d < c and q >= p) for d, q in pairs)
    }  # fmt: skip
    assert {(one.price, one.p_reaches) for one in found.frontier} == {
        (float(c), p / 10) for c, p in undominated
    }
    assert len(found.frontier) == len(undominated)


def test_the_probability_is_the_share_of_the_draws_at_or_above_the_level() -> None:
    values = np.array([[10.0, 30, 900], [20, 20, 1000], [30, 10, 1100], [40, 0, 1200]])
    draws = ScoreDraws("a", IDS, values)
    assert reaching(draws, LINK, UP, 30) == (0.5, 25.0)
    assert reaching(draws, LINK, Comparison(("down",)), 10) == (0.5, 15.0)
    mixed = Comparison(("up", "rating"), {"up": 3.0, "rating": 1.0})
    assert reaching(draws, LINK, mixed, 265.0) == (0.75, 281.25)


def test_an_average_of_equal_scores_reaches_their_level() -> None:
    """0.1 + 0.2 + ... of a score is not the score in floating point."""
    names = ("up", "rating")
    draws = ScoreDraws("a", IDS, np.full((5, 3), 70.1))
    for weights in ({"up": 0.1, "rating": 0.7}, {"up": 1.0, "rating": 2.0}):
        assert reaching(draws, LINK, Comparison(names, weights), 70.1)[0] == 1.0


def test_models_without_a_price_or_a_prediction_are_named() -> None:
    asked: Asked = [("c", 2.0, (0.95, 80.0)), ("b", None, (1.0, 90.0)), ("a", 1.0, None),
                    ("d", 1.0, (0.5, 70.0))]  # fmt: skip
    found = answer(asked)
    assert [one.model_id for one in found.models] == ["d", "c", "a", "b"]
    assert (found.without_price, found.without_prediction) == (("b",), ("a",))
    assert found.cheapest is not None and found.cheapest.model_id == "c"
    assert str(found) == (
        "c, at 2 USD, is the cheapest of 2 priced models that reach at least 70 on up with "
        "probability 0.9 or more: 0.95."
    )
    assert str(answer(asked, 0.99)) == (
        "None of 2 priced models reaches at least 70 on up with probability 0.99 or more; the "
        "likeliest is c, at 2 USD: 0.95."
    )


@pytest.mark.parametrize(
    ("comparison", "level", "message"),
    [
        (Comparison(("up",), scale="latent"), 1.0, "a level is a score in points"),
        (Comparison(("up", "down")), 50.0, "lower on others"),
        (UP, 101.0, "level 101 lies outside the scale (0 to 100)"),
    ],
)
def test_a_level_that_cannot_be_meant_is_refused(
    comparison: Comparison, level: float, message: str
) -> None:
    draws = ScoreDraws("a", IDS, np.full((5, 3), 50.0))
    with pytest.raises(UsageError) as caught:
        reaching(draws, LINK, comparison, level)
    assert message in str(caught.value)


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(UsageError, match="no model has both a price and a prediction"):
        answer([("a", 1.0, None), ("b", None, (0.5, 1.0))])
    with pytest.raises(UsageError, match="probability must lie in"):
        answer([("a", 1.0, (0.5, 1.0))], 0.0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,-1,USD", "row 2: price of 'a' must be a number of at least 0, got -1"),
        ("a,1,USD\na,2,USD", "row 3: price of 'a' is given twice"),
        ("a,1,USD\nb,2,EUR", "prices in several units (USD, EUR)"),
        ("a,dear,USD", "row 2: price 'dear' of 'a' must be a number"),
        (",1,USD", "row 2: no model_id; fill it in"),
        ("a,-,USD", "no price in the file"),
    ],
)
def test_bad_prices_are_named(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("model_id,price,unit\n" + rows + "\n")
    with pytest.raises(UsageError) as caught:
        Prices.from_table(path)
    assert message in str(caught.value)


def test_prices_are_read_from_any_table(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("Model;Price;Unit\nGPT-5;10,5;USD\nnone;-;\nfree;0;USD\n")
    assert Prices.from_table(path) == Prices({"GPT-5": 10.5, "free": 0.0}, "USD")
