from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesbench.scores import ScoreMatrix
from tests.scores.test_matrix import small


@given(st.permutations(range(5)), st.permutations(range(3)), st.permutations(range(3)))
def test_hash_does_not_depend_on_order(
    readings: list[int], models: list[int], benchmarks: list[int]
) -> None:
    matrix = small()
    shuffled = ScoreMatrix(
        matrix.models.iloc[models],
        matrix.benchmarks.iloc[benchmarks],
        matrix.readings.iloc[readings].reset_index(drop=True),
    )
    assert shuffled.data_hash == matrix.data_hash
    np.testing.assert_array_equal(shuffled.values, matrix.values[np.ix_(models, benchmarks)])


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("readings", "score", 11.0),
        ("readings", "n_items", 99.0),
        ("benchmarks", "upper", 200.0),
        ("benchmarks", "higher_is_better", False),
        ("models", "provider", "X"),
        ("models", "reasoning", True),
    ],
)
def test_hash_sees_every_change_a_fit_could_see(table: str, column: str, value: object) -> None:
    matrix = small()
    tables = {
        "models": matrix.models.copy(),
        "benchmarks": matrix.benchmarks.copy(),
        "readings": matrix.readings.copy(),
    }
    changed = tables[table]
    changed.iloc[0, changed.columns.get_loc(column)] = value
    assert ScoreMatrix(**tables).data_hash != matrix.data_hash


def test_hash_leaves_names_and_sources_out() -> None:
    matrix = small()
    named = ScoreMatrix(
        matrix.models.assign(name="x"), matrix.benchmarks, matrix.readings.assign(setting="y")
    )
    assert named.data_hash == matrix.data_hash
