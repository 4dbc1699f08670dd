"""Structure analysis of a planted rank: the value, its table, its JSON."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.scores.matrix import ScoreMatrix
from bayesbench.structure import CompletePart, Structure, analyse
from bayesbench.structure.shares import Share
from tests.factories import make_matrix
from tests.structure.structure_cases import low_rank_scores


@pytest.fixture
def rank_two() -> ScoreMatrix:
    """30 x 12 complete percentages of rank 2, and a rating."""
    frame = low_rank_scores(np.random.default_rng(6), 30, 12, rank=2, noise=0.05)
    frame["elo"] = 1000 + 200 * np.random.default_rng(7).normal(size=30)
    benchmarks = pd.DataFrame(
        {
            "benchmark_id": frame.columns,
            "scale": ["rating" if name == "elo" else "percent" for name in frame.columns],
        }
    )
    return ScoreMatrix.from_frame(frame, benchmarks=benchmarks)


def test_a_planted_rank_is_found_on_the_bounded_benchmarks(rank_two: ScoreMatrix) -> None:
    found = analyse(rank_two, seed=1, resamples=50)
    first = found.submatrices[0]
    assert (len(first.models), len(first.benchmarks)) == (30, 12)
    assert "elo" not in first.benchmarks
    assert first.rank90 == 2
    assert first.shares[1].share > 0.98 > first.shares[0].share
    assert found.median_share[2] > 0.98
    assert analyse(rank_two, seed=1, resamples=50) == found


def test_the_seed_moves_the_intervals_and_nothing_else(rank_two: ScoreMatrix) -> None:
    one, other = (analyse(rank_two, seed=seed, resamples=50).submatrices[0] for seed in (1, 2))
    assert [s.share for s in one.shares] == [s.share for s in other.shares]
    assert [s.lower for s in one.shares] != [s.lower for s in other.shares]


def test_no_more_submatrices_than_asked_for() -> None:
    observed = np.random.default_rng(1).random((60, 20)) < 0.8
    frame = low_rank_scores(np.random.default_rng(2), 60, 20, rank=1, noise=0.3)
    matrix = ScoreMatrix.from_frame(frame.where(observed), scale="percent")
    most, one = (analyse(matrix, submatrices=n, resamples=2) for n in (5, 1))
    assert len(most.submatrices) > 1
    assert [p.benchmarks for p in one.submatrices] == [most.submatrices[0].benchmarks]


def two_parts() -> Structure:
    rows = ((0.5, 0.8, 1.0), (0.7, 0.9))
    parts = [
        CompletePart(
            ("m0", "m1"),
            ("b0",),
            2,
            tuple(
                Share(r + 1, share, share - 0.1, share + 0.1, 0.2) for r, share in enumerate(row)
            ),
        )
        for row in rows
    ]
    return Structure(tuple(parts))


def test_the_median_goes_as_far_as_every_submatrix() -> None:
    assert two_parts().median_share == {1: pytest.approx(0.6), 2: pytest.approx(0.85)}


def test_the_table_has_a_row_per_submatrix_and_rank() -> None:
    frame = two_parts().to_frame()
    assert list(frame["submatrix"]) == [1, 1, 1, 2, 2]
    assert list(frame["rank"]) == [1, 2, 3, 1, 2]
    np.testing.assert_allclose(frame["share"], [0.5, 0.8, 1.0, 0.7, 0.9])
    np.testing.assert_allclose(frame["upper"] - frame["lower"], 0.2)


def test_json_says_nothing_of_methods_and_protocols() -> None:
    found = two_parts().to_json()
    json.dumps(found, allow_nan=False)
    assert set(found) == {"submatrices", "median_share"}
    assert found["median_share"] == {"1": pytest.approx(0.6), "2": pytest.approx(0.85)}
    first = found["submatrices"][0]
    assert (first["n_models"], first["n_benchmarks"], first["rank90"]) == (2, 1, 2)
    assert first["models"] == ["m0", "m1"]
    assert first["shares"][2] == {
        "rank": 3, "share": 1.0, "lower": 0.9, "upper": 1.1, "chance": 0.2,
    }  # fmt: skip


def test_repr_is_short_and_holds_the_shares() -> None:
    text = repr(two_parts())
    assert text.splitlines()[1] == "2 models x 1 benchmarks: 0.50, 0.80, 1.00; 90 % at rank 2"
    assert text.splitlines()[-1] == "median: 0.60, 0.85"


def test_it_needs_a_complete_part() -> None:
    with pytest.raises(DataError, match="fuller"):
        analyse(make_matrix())


@pytest.mark.parametrize("name", ["submatrices", "resamples"])
def test_numbers_below_one_are_refused(rank_two: ScoreMatrix, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} must be at least 1, got 0"):
        analyse(rank_two, **{name: 0})


def test_it_needs_neither_jax_nor_numpyro() -> None:
    code = "import sys, bayesbench.structure; print({'jax', 'numpyro'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
