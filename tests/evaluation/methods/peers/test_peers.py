"""The contract that all peers share."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from bayesbench.evaluation.methods.peers import PEERS
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.peers.low_rank_cases import hide_some

INTERNAL = [
    pytest.param(name, marks=pytest.mark.skipif(not there, reason=f"{name} is not installed"))
    for name in sorted(set(PEERS) - {"external"})
    for there in (name != "smurff" or find_spec("smurff") is not None,)
]


@pytest.mark.parametrize("name", INTERNAL)
def test_contract(name: str, small_matrix: ScoreMatrix) -> None:
    train, cells = hide_some(small_matrix)
    method = PEERS[name]()
    assert method.name == name
    first, again = (method.predict(train, cells, 3) for _ in range(2))
    assert first.median.shape == (len(cells),) and np.isfinite(first.median).all()
    np.testing.assert_array_equal(first.median, again.median)
    lower = small_matrix.benchmarks["lower"].to_numpy(float)[cells[:, 1]]
    upper = small_matrix.benchmarks["upper"].to_numpy(float)[cells[:, 1]]
    bounded = np.isfinite(lower)
    assert (first.median[bounded] >= lower[bounded]).all()
    assert (first.median[bounded] <= upper[bounded]).all()
    shuffled = np.random.default_rng(0).permutation(len(cells))
    np.testing.assert_allclose(
        method.predict(train, cells[shuffled], 3).median, first.median[shuffled]
    )


@pytest.mark.parametrize("name", INTERNAL)
def test_empty_rows_and_columns(name: str, small_matrix: ScoreMatrix) -> None:
    hidden = np.zeros(small_matrix.shape, dtype=bool)
    hidden[0], hidden[:, 5] = True, True
    hidden &= small_matrix.observed
    cells = np.argwhere(hidden)
    median = PEERS[name]().predict(small_matrix.mask(hidden), cells, 0).median
    np.testing.assert_array_equal(np.isnan(median), cells[:, 1] == 5)
