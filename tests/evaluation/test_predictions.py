"""Predictions of cells belong to the same cells."""

from __future__ import annotations

import numpy as np
import pytest

from bayesbench.errors import UsageError
from bayesbench.evaluation.predictions import CellPredictions, pick


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"median": np.zeros((2, 1))}, "median must have one entry per cell"),
        ({"median": np.zeros(2), "quantiles": np.zeros((3, 5))}, "quantiles must have 2 rows"),
        ({"median": np.zeros(2), "lower": np.zeros(2)}, "both lower and upper"),
        (
            {"median": np.zeros(2), "lower": np.zeros(2), "upper": np.zeros(3)},
            "interval bounds must have 2 entries",
        ),
    ],
)
def test_arrays_of_other_cells_are_refused(parts: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CellPredictions(**parts)


def test_pick_takes_model_and_benchmark() -> None:
    completed = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(pick(completed, np.array([[2, 1], [0, 3]])), [9.0, 3.0])
