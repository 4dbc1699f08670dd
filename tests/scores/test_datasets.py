from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
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


@pytest.mark.parametrize(
    ("scores", "scale"),
    [([0.2, 1.0], "unit"), ([0.2, 88.0], "percent"), ([0.2, 100.5], "rating"), ([-1, 5], "rating")],
)
def test_the_scale_of_a_table_that_states_none_is_proposed_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, scores: list[float], scale: str
) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("model,a,b\nm1,{},{}\n".format(*scores))
    with caplog.at_level("INFO"):
        matrix = read_scores(path)
    assert set(matrix.benchmarks["scale"]) == {scale}
    assert caplog.messages == [f"read {matrix!r}"]
    assert repr(matrix) == f"ScoreMatrix: 1 models x 2 benchmarks, 2 scores ({scale})"


def test_a_frame_is_read_too() -> None:
    frame = pd.DataFrame({"a": [50.0, None]}, index=["m1", "m2"])
    assert read_scores(frame).shape == (1, 1)


def test_a_scale_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("model,benchmark,score\nm1,b1,50\n")
    with pytest.raises(UsageError, match="states no scale; say scale percent"):
        read_scores(path, scale=None)
    with pytest.raises(UsageError, match="'points' is not known; use percent"):
        read_scores(path, scale="points")


def test_read_scores_takes_a_directory() -> None:
    assert read_scores(bundled_path("data", "open_scores")).shape == (675, 339)


def test_a_bundled_file_that_is_missing_is_named() -> None:
    with pytest.raises(DataError, match=r"data/nothing\.csv is not installed"):
        bundled_path("data", "nothing.csv")
