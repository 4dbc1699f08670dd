from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesbench.errors import UsageError
from bayesbench.low_rank.facts import (
    COVARIATES,
    ModelFacts,
    covariate_value,
    is_missing,
    parse_release_date,
)
from tests.factories import make_matrix


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2025", 2025.5),
        ("2025-01", 2025 + 15.5 / 365),
        ("2024-12", 2024 + (366 - 15.5) / 366),
        ("2025-01-01", 2025 + 0.5 / 365),
        ("2024-12-31", 2024 + 365.5 / 366),
        (" 2025-7 ", 2025 + (181 + 15.5) / 365),
    ],
)
def test_release_date_is_the_middle_of_its_period(text: str, year: float) -> None:
    assert parse_release_date(text) == pytest.approx(year, abs=1e-12)


@given(st.dates(min_value=pd.Timestamp("1960-01-01").date()).filter(lambda d: d.year <= 2200))
def test_release_date_lies_within_its_month_and_year(day: object) -> None:
    text = str(day)
    month = parse_release_date(text[:7])
    assert abs(parse_release_date(text) - month) < 16 / 365
    assert int(parse_release_date(text)) == int(month) == int(text[:4])


@pytest.mark.parametrize("text", ["25-01", "2025-13", "2025-02-29", "2025/01", "soon", "", "0007"])
def test_bad_release_date(text: str) -> None:
    with pytest.raises(UsageError, match="is not YYYY, YYYY-MM or YYYY-MM-DD"):
        parse_release_date(text)


@pytest.mark.parametrize("value", [None, "", "  ", float("nan"), np.nan, pd.NA, pd.NaT])
def test_what_says_nothing_is_missing(value: object) -> None:
    assert is_missing(value)
    assert math.isnan(covariate_value("reasoning", value))


@pytest.mark.parametrize("value", [0, False, "x", 0.0, np.False_])
def test_a_value_that_is_false_is_not_missing(value: object) -> None:
    assert not is_missing(value)


def test_values_become_numbers() -> None:
    assert covariate_value("reasoning", np.True_) == 1.0
    assert covariate_value("open_weights", False) == 0.0
    assert covariate_value("params_b", "100") == pytest.approx(2.0)
    assert covariate_value("release_date", 2025) == 2025.5


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ({"params_b": -1}, r"params_b must be a positive number \(billions\), got -1"),
        ({"params_b": "many"}, "params_b must be a positive number"),
        ({"params_b": math.inf}, "params_b must be a positive number"),
        ({"reasoning": 2}, "reasoning must be true or false, got 2"),
        ({"release_date": "soon"}, "^release date 'soon' is not"),
    ],
)
def test_facts_that_cannot_be_read_are_named(fact: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ModelFacts(**fact)  # type: ignore[arg-type]


def test_every_covariate_is_a_fact_a_user_can_give() -> None:
    assert set(COVARIATES) == {item.name for item in fields(ModelFacts)} - {"provider"}


def test_facts_of_a_row_are_those_that_are_known() -> None:
    matrix = make_matrix()
    assert ModelFacts.of(matrix, 1).given == {
        "provider": "Beth", "release_date": "2024-02", "reasoning": True, "open_weights": False,
    }  # fmt: skip
    assert ModelFacts.of(matrix, 5) == ModelFacts()
