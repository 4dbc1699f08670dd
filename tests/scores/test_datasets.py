from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesbench.errors import BayesbenchWarning, UsageError
from bayesbench.scores import read_scores
from bayesbench.scores.datasets import load_scores
from bayesbench.shipped import bundled_path


def test_wide_csv(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",b1,b2\nm1,10,\nm2,NA,30.5\n", encoding="utf-8-sig")
    matrix = read_scores(path, scale="percent")
    np.testing.assert_array_equal(matrix.values, [[10, np.nan], [np.nan, 30.5]])
    assert matrix.benchmark_ids == ("b1", "b2")


@pytest.mark.parametrize(
    ("scores", "scales"),
    [
        ([0.2, 1.0], ["unit", "unit"]),
        ([30.2, 88.0], ["percent", "percent"]),
        ([30.2, 100.5], ["percent", "rating"]),
        ([-1, 5], ["rating", "percent"]),
    ],
)
def test_the_scale_of_a_table_that_states_none_is_proposed_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, scores: list[float], scales: list[str]
) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("model,a,b\nm1,{},{}\n".format(*scores))
    with caplog.at_level("INFO"):
        matrix = read_scores(path)
    assert list(matrix.benchmarks["scale"]) == scales
    assert matrix.account is not None and matrix.account.basis == "proposed"
    assert caplog.messages == [f"read {matrix.account.line}"]
    assert "scale proposed" in matrix.account.line


def test_a_frame_is_read_too_and_what_is_left_out_is_warned_of() -> None:
    frame = pd.DataFrame({"a": [50.0, None]}, index=["m1", "m2"])
    with pytest.warns(BayesbenchWarning, match="1 model without any score: m2"):
        assert read_scores(frame).shape == (1, 1)


def test_what_a_user_says_of_columns_is_passed_on() -> None:
    frame = pd.DataFrame({"Benchmark": ["x", "Rank"], "a": [50.0, 7], "b": [60.0, 8]})
    with pytest.warns(BayesbenchWarning, match=r"left out: x \(asked for\)"):
        matrix = read_scores(frame, keep=["Rank"], drop=["x"], models_in="columns")
    assert matrix.benchmark_ids == ("Rank",) and matrix.model_ids == ("a", "b")


def test_facts_of_a_table_are_those_of_its_models() -> None:
    frame = pd.DataFrame(
        {"Model": ["a", "b"], "Organization": ["X", "Y"], "Params (B)": ["7B", "?"],
         "Released": ["Jan 2025", "2024-03-05"], "Open weights": ["yes", "no"], "g": [50, 60]}
    )  # fmt: skip
    matrix = load_scores(frame)
    assert matrix.models["provider"].tolist() == ["X", "Y"]
    assert matrix.models["params_b"].tolist()[0] == 7.0
    assert matrix.models["release_date"].tolist() == ["2025-01", "2024-03-05"]
    assert matrix.models["open_weights"].tolist() == [True, False]
    stated = pd.DataFrame({"model_id": ["a", "b"], "provider": ["Z", "Z"]})
    assert load_scores(frame, models=stated).models["provider"].tolist() == ["Z", "Z"]


def test_names_are_those_of_the_metadata_where_a_spelling_is_unique() -> None:
    frame = pd.DataFrame({"model": ["M-1"], "GPQA Diamond": [50.0]})
    about = pd.DataFrame({"benchmark_id": ["gpqa_diamond"], "scale": ["percent"]})
    models = pd.DataFrame({"model_id": ["m1"]})
    with pytest.warns(BayesbenchWarning, match="'GPQA Diamond' is taken for gpqa_diamond"):
        matrix = read_scores(frame, benchmarks=about, models=models)
    assert (matrix.model_ids, matrix.benchmark_ids) == (("m1",), ("gpqa_diamond",))


@pytest.mark.parametrize("version", ["open_scores", "open_scores_v1"])
def test_a_directory_of_either_version_is_read(version: str, repository: Path) -> None:
    directory = repository.parent / "shared" / "data" / version
    if not directory.is_dir():
        pytest.skip("the reference tables are not here")
    matrix = load_scores(directory)
    assert matrix.shape in ((675, 339), (625, 189))
    assert matrix.account is not None and matrix.account.layout == "directory"


def test_a_scale_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("model,benchmark,score\nm1,b1,50\n")
    with pytest.raises(UsageError, match="states no scale; say scale percent"):
        read_scores(path, scale=None)
    with pytest.raises(UsageError, match="'points' is not known; use percent"):
        read_scores(path, scale="points")


def test_read_scores_takes_a_directory() -> None:
    assert read_scores(bundled_path("data", "open_scores")).shape == (675, 339)
