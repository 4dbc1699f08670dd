"""``bayesbench structure`` is the function of the library, in three forms."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from bayesbench.scores import ScoreMatrix
from bayesbench.structure import analyse
from tests.cli.conftest import Run


def test_it_is_that_of_the_library(run: Run, full_csv: Path) -> None:
    call = ("structure", "--data", full_csv, "--scale", "percent", "--seed", "3", "--submatrices",
            "1", "--resamples", "20")  # fmt: skip
    expected = analyse(
        ScoreMatrix.from_csv(full_csv, scale="percent"), seed=3, submatrices=1, resamples=20
    )
    answer = run(*call, "--format", "json").json()
    assert answer.pop("read")["scores"] == 14 * 7
    assert answer == {"seed": 3, **expected.to_json()}
    rows = list(csv.DictReader(io.StringIO(run(*call, "--format", "csv").out)))
    assert [row["rank"] for row in rows] == [str(s.rank) for s in expected.submatrices[0].shares]
    assert float(rows[0]["share"]) == pytest.approx(expected.submatrices[0].shares[0].share)
    table = run(*call).out
    assert "Share of variance by rank" in table and "Median over the submatrices" in table


def test_a_small_matrix_ends_with_one_line(run: Run, scores_csv: Path) -> None:
    found = run("structure", "--data", scores_csv, "--scale", "percent")
    assert (found.code, found.out) == (1, "")
    assert "no complete submatrix" in found.err and found.err.count("\n") == 1


def test_it_is_no_protocol_any_more(run: Run, full_csv: Path) -> None:
    found = run("evaluate", "--data", full_csv, "--scale", "percent", "--protocol", "structure")
    assert (found.code, found.out) == (2, "")
    assert "unknown protocol 'structure'" in found.err
