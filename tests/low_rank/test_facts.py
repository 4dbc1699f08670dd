from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

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
from bayesbench.scores import ScoreMatrix
from bayesbench.scores.schema import check_models
from bayesbench.scores.tables import read_table
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


@pytest.mark.parametrize("value", [None, "", "  ", float("nan"), np.float64("nan"), pd.NA, pd.NaT])
def test_a_cell_that_says_nothing_is_missing(value: object) -> None:
    assert is_missing(value)
    for name in COVARIATES:
        assert math.isnan(covariate_value(name, value))


@pytest.mark.parametrize("value", [0, False, "0", "no", np.False_, 0.0])
def test_a_cell_that_says_no_is_not_missing(value: object) -> None:
    assert not is_missing(value)


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("reasoning", True, 1.0),
        ("reasoning", np.False_, 0.0),
        ("open_weights", 1, 1.0),
        ("params_b", 100, 2.0),
        ("params_b", "0.5", math.log10(0.5)),
        ("release_date", "2025", 2025.5),
        ("release_date", 2025, 2025.5),
    ],
)
def test_covariates_as_numbers(name: str, value: object, number: float) -> None:
    assert covariate_value(name, value) == pytest.approx(number)


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ({"params_b": -1}, "params_b must be a positive number (billions), got -1"),
        ({"params_b": 0}, "params_b must be a positive number (billions), got 0"),
        ({"params_b": float("inf")}, "params_b must be a positive number (billions), got inf"),
        ({"params_b": "big"}, "params_b must be a positive number (billions), got 'big'"),
        ({"reasoning": 2}, "reasoning must be true or false, got 2"),
        ({"open_weights": "yes"}, "open_weights must be true or false, got 'yes'"),
        ({"release_date": "soon"}, "release date 'soon' is not YYYY, YYYY-MM or YYYY-MM-DD"),
    ],
)
def test_a_fact_that_cannot_be_read_is_named_in_one_line(
    fact: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        ModelFacts(**fact)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_given_facts_are_those_that_are_known() -> None:
    assert ModelFacts().given == {}
    facts = ModelFacts(provider="Aleph", reasoning=False, params_b=7)
    assert facts.given == {"provider": "Aleph", "reasoning": False, "params_b": 7}
    assert ModelFacts(provider=" ", release_date="").given == {}
    with pytest.raises(AttributeError):
        facts.params_b = 8  # type: ignore[misc]


def test_facts_of_a_row_of_the_models_table() -> None:
    matrix = make_matrix()
    facts = ModelFacts.of(matrix, 1)
    assert facts.given == {
        "provider": "Beth",
        "release_date": "2024-02",
        "reasoning": True,
        "open_weights": False,
    }
    assert ModelFacts.of(matrix, 5) == ModelFacts()
    scores = pd.DataFrame({"model_id": ["a"], "benchmark_id": "x", "score": 1.0})
    models = pd.DataFrame({"model_id": ["a"], "params_b": [70.0]})
    bare = ScoreMatrix.from_frame(scores, scale="percent", models=models)
    assert ModelFacts.of(bare, 0).given == {"params_b": 70.0}


def test_every_covariate_is_a_fact_and_a_column_of_the_models_table(tmp_path: Path) -> None:
    known = {item.name for item in fields(ModelFacts)}
    assert set(COVARIATES) == known - {"provider"}
    path = tmp_path / "models.csv"
    path.write_text("model_id\na\n")
    columns = check_models(read_table(path)).columns
    assert known <= set(columns)


def test_every_covariate_reads_a_value_of_its_kind_and_says_what_it_is() -> None:
    example: dict[type, object] = {str: "2025", bool: True, float: 7.0}
    for covariate in COVARIATES.values():
        assert math.isfinite(covariate.parse(example[covariate.kind]))
        assert covariate.help.endswith(".")
        # flags are written by their presence, all else by a value
        assert bool(covariate.metavar) == (covariate.kind is not bool)
