"""SMURFF: an exact low rank, its seed, and a message where it is not installed."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import UsageError
from bayesbench.evaluation.methods.peers.bpmf import Smurff
from bayesbench.evaluation.methods.peers.simple import BenchmarkMean
from bayesbench.scores.matrix import ScoreMatrix
from tests.evaluation.methods.peers.low_rank_cases import hide_some


def test_a_low_rank_matrix_is_recovered() -> None:
    pytest.importorskip("smurff")
    rng = np.random.default_rng(0)
    whole = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 20)) + 0.02 * rng.normal(size=(60, 20))
    frame = pd.DataFrame(1000 + 50 * whole, index=[f"m{i}" for i in range(60)]).rename(columns=str)
    matrix = ScoreMatrix.from_frame(frame, scale="rating")
    train, cells = hide_some(matrix)
    truth = matrix.values[tuple(cells.T)]

    def error(method: Smurff | BenchmarkMean, seed: int) -> float:
        return float(np.median(np.abs(method.predict(train, cells, seed).median - truth)))

    method = Smurff(rank=3, burnin=100, draws=100)
    assert error(method, 1) < 0.2 * error(BenchmarkMean(), 1)
    assert error(method, 1) != error(method, 2)


def test_without_the_library_the_message_says_what_to_install(
    small_matrix: ScoreMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "smurff", None)
    with pytest.raises(UsageError, match=r"install bayesbench-scores\[peers\]"):
        Smurff().predict(small_matrix, np.array([[0, 0]]), 0)
