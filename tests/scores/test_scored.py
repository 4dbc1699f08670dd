"""Cells to numbers, with the cell named where it is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import SchemaError
from bayesbench.scores.scored import as_numbers, in_scale
from bayesbench.scores.tables import Table, table_of


def long(*scores: object, **columns: list[object]) -> Table:
    n = len(scores)
    frame = pd.DataFrame(
        {
            "model_id": [f"m{i}" for i in range(n)],
            "benchmark_id": ["b"] * n,
            "score": pd.Series(scores, dtype=object),
            **columns,
        }
    )
    return table_of(frame, "t")


def test_missing_scores_are_left_out_and_counted() -> None:
    found = as_numbers(long("70", "N/A", None, "-", "80.5"))
    assert found.table.frame["score"].tolist() == [70.0, 80.5]
    assert found.table.rows.tolist() == [0, 4]
    assert found.missing == 3
    assert list(found.table.frame) == ["model_id", "benchmark_id", "score"]


def test_standard_errors_and_settings_beside_scores() -> None:
    found = as_numbers(long("70 ± 1.5", "80 (5-shot)", "90", setting=["x", "y", None])).table.frame
    np.testing.assert_array_equal(found["stderr"], [1.5, np.nan, np.nan])
    assert found["setting"].tolist()[:2] == ["x", "y; 5-shot"] and found["setting"].isna()[2]


def test_standard_errors_of_their_own_column() -> None:
    found = as_numbers(long("70", "80", "90", stderr=["1.5", "N/A", "0"])).table.frame
    np.testing.assert_array_equal(found["stderr"], [1.5, np.nan, 0.0])
    both = as_numbers(long("70 ± 1.5", stderr=["1.5"])).table.frame
    assert both["stderr"].tolist() == [1.5]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (long("70", "85.3*"), "t, row 1: score '85.3*' of b must be a number like"),
        (long("70", "85,3", "60.5", "61.5"), "row 1: score '85,3' of b has a decimal comma where"),
        (long(None, "70", stderr=["x", "x"]), "row 1: stderr 'x' of b must be a number"),
        (long("70", stderr=["-1"]), "row 0: stderr -1: must be a number of at least 0"),
        (long("70 ± 1", stderr=["2"]), "row 0: two standard errors: 1 and 2; keep one"),
        (long(np.inf), "row 0: score inf of b must be a finite number"),
    ],
)
def test_faults_name_the_cell(table: Table, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        as_numbers(table)
    assert message in str(caught.value)


def test_percentages_on_a_scale_from_0_to_1_are_divided() -> None:
    found = as_numbers(long("70% ± 2%", "0.5"))
    table = in_scale(found, {"b": "unit"})
    np.testing.assert_allclose(table.frame["score"], [0.7, 0.5])
    np.testing.assert_allclose(table.frame["stderr"], [0.02, np.nan])
    whole = in_scale(as_numbers(long("70%", "80")), {"b": "percent"}).frame["score"]
    assert whole.tolist() == [70.0, 80.0]


def test_a_number_without_its_percent_sign_that_may_be_a_share_is_refused() -> None:
    found = as_numbers(long("70%", "0.85"))
    with pytest.raises(
        SchemaError, match=r"row 1: score 0\.85 of b stands without %.*0\.85% or 85%"
    ):
        in_scale(found, {"b": "percent"})
    assert in_scale(as_numbers(long("70%", "0")), {"b": "percent"}).frame["score"].tolist() == [
        70,
        0,
    ]


def test_a_fault_of_a_column_says_how_to_leave_it_out() -> None:
    with pytest.raises(SchemaError, match=r"leave that column out \(--drop 'b'\)"):
        as_numbers(long("2.0.0"), wide=True)
    with pytest.raises(SchemaError) as caught:
        as_numbers(long("2.0.0", "85.3"))
    assert str(caught.value) == "t, row 0: score '2.0.0' of b is not one number; correct it"
