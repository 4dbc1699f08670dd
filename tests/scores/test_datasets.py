from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bayesbench.errors import DataError, UsageError
from bayesbench.scores import read_scores
from bayesbench.scores.datasets import bundled_path


def test_wide_csv(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",b1,b2\nm1,10,\nm2,NA,30.5\n", encoding="utf-8-sig")
    matrix = read_scores(path, scale="percent")
    np.testing.assert_array_equal(matrix.values, [[10, np.nan], [np.nan, 30.5]])
    assert matrix.benchmark_ids == ("b1", "b2")


def test_a_csv_without_metadata_needs_a_scale(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("model,benchmark,score\nm1,b1,50\n")
    with pytest.raises(UsageError, match="states no scale; say scale percent"):
        read_scores(path)
    with pytest.raises(UsageError, match="'points' is not known; use percent"):
        read_scores(path, scale="points")


def test_read_scores_takes_a_directory() -> None:
    assert read_scores(bundled_path("data", "open_scores")).shape == (625, 189)


def test_a_bundled_file_that_is_missing_is_named() -> None:
    with pytest.raises(DataError, match=r"data/nothing\.csv is not installed"):
        bundled_path("data", "nothing.csv")
