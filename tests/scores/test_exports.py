"""What is exported comes back: readings, errors, settings and metadata."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesbench.errors import DataError, UsageError
from bayesbench.scores import ScoreMatrix, read_scores
from bayesbench.scores.exports import KINDS, kind_of, read_matrix, write_matrix
from bayesbench.scores.importers import read_results
from tests.factories import make_matrix


@pytest.fixture
def matrix() -> ScoreMatrix:
    """All a matrix can hold: errors, items, settings, addresses, second readings, odd texts."""
    plain = make_matrix()
    first = plain.readings
    again = first.iloc[:4].assign(reading=2, score=first["score"].iloc[:4] + 0.1)
    readings = pd.concat([first, again], ignore_index=True)
    n = len(readings)
    texts = ["=1+1", None, 'a, "b"\nc', "5-shot"] * n
    return ScoreMatrix(
        plain.models,
        plain.benchmarks,
        readings.assign(
            setting=pd.array(texts[:n], dtype="str"),
            source_kind=pd.array(["other"] * n, dtype="str"),
            source_url=pd.array(["https://example.org/a", None] * (n // 2), dtype="str"),
            n_items=np.where(np.arange(n) % 3, np.nan, 200.0),
            stderr=np.where(np.arange(n) % 2, np.nan, 1.25),
        ),
    )


def assert_same(one: ScoreMatrix, other: ScoreMatrix) -> None:
    for name in ("models", "benchmarks", "readings"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("name", ["m.parquet", "m.nc", "m"])
def test_everything_comes_back(name: str, matrix: ScoreMatrix, tmp_path: Path) -> None:
    write_matrix(matrix, tmp_path / name)
    assert_same(read_matrix(tmp_path / name), matrix)


@pytest.mark.parametrize("name", ["m.parquet", "m.nc", "m"])
def test_the_bundled_matrix_comes_back(name: str, open_matrix: ScoreMatrix, tmp_path: Path) -> None:
    write_matrix(open_matrix, tmp_path / name)
    assert_same(read_matrix(tmp_path / name), open_matrix)


def test_a_long_csv_holds_the_readings(matrix: ScoreMatrix, tmp_path: Path) -> None:
    write_matrix(matrix, tmp_path / "m.csv")
    again = ScoreMatrix.from_csv(
        tmp_path / "m.csv",
        benchmarks=matrix.benchmarks.reset_index(),
        models=matrix.models.reset_index(),
    )
    assert again.data_hash == matrix.data_hash
    assert again.readings["setting"].tolist()[2] == 'a, "b"\nc'


def test_a_directory_is_one_that_other_commands_take(matrix: ScoreMatrix, tmp_path: Path) -> None:
    write_matrix(matrix, tmp_path / "m")
    assert read_scores(tmp_path / "m").data_hash == matrix.data_hash
    with pytest.raises(DataError, match="exists already"):
        write_matrix(matrix, tmp_path / "m")


def test_records_of_every_eval_ever_come_back(matrix: ScoreMatrix, tmp_path: Path) -> None:
    write_matrix(matrix, tmp_path / "records", "every-eval-ever")
    again = read_results(tmp_path / "records", matrix=matrix)
    assert len(again.left_out) == 0 and len(again.files) == matrix.shape[0]
    key = ["model_id", "benchmark_id", "score"]
    columns = [*key, "stderr", "n_items", "setting", "source_url"]
    one, other = (
        frame.assign(setting=frame["setting"].fillna(""), source_url=frame["source_url"].fillna(""))
        .sort_values(key)[columns]
        .reset_index(drop=True)
        for frame in (again.readings, matrix.readings)
    )
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_records_have_what_their_schema_asks_for(matrix: ScoreMatrix, tmp_path: Path) -> None:
    write_matrix(matrix, tmp_path / "records", "every-eval-ever")
    record = json.loads(next((tmp_path / "records").iterdir()).read_text())
    assert {
        "schema_version", "evaluation_id", "retrieved_timestamp", "source_metadata", "model_info",
        "eval_library", "evaluation_results",
    } == set(record)  # fmt: skip
    for result in record["evaluation_results"]:
        metric = result["metric_config"]
        bounded = metric.get("score_type") == "continuous"
        assert bounded == ("min_score" in metric) == (result["evaluation_name"] != "bench_2")
        source = result["source_data"]
        assert ("url" in source) == (source["source_type"] == "url")
    again = tmp_path / "again"
    write_matrix(matrix, again, "every-eval-ever")
    assert sorted(p.name for p in again.iterdir()) == sorted(
        p.name for p in (tmp_path / "records").iterdir()
    )


def test_netcdf_is_a_labelled_matrix(matrix: ScoreMatrix, tmp_path: Path) -> None:
    write_matrix(matrix, tmp_path / "m.nc")
    with xr.open_dataset(tmp_path / "m.nc", engine="h5netcdf") as held:
        assert held["score"].dims == ("model", "benchmark")
        cell = float(held["score"].sel(model="model_1", benchmark="bench_0"))
        assert cell == matrix.to_frame(wide=True).loc["model_1", "bench_0"]
        assert held["model"].to_numpy().tolist() == list(matrix.model_ids)


def test_parquet_is_a_plain_table_to_others(matrix: ScoreMatrix, tmp_path: Path) -> None:
    write_matrix(matrix, tmp_path / "m.parquet")
    frame = pd.read_parquet(tmp_path / "m.parquet")
    assert frame["score"].tolist() == matrix.readings["score"].tolist()
    assert list(frame) == list(matrix.readings)


def test_a_spreadsheet_has_three_sheets(matrix: ScoreMatrix, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    write_matrix(matrix, tmp_path / "m.xlsx")
    sheets = pd.read_excel(tmp_path / "m.xlsx", sheet_name=None)
    assert list(sheets) == ["scores", "models", "benchmarks"]
    # a spreadsheet holds 16 digits
    scores = matrix.readings["score"].tolist()
    assert sheets["scores"]["score"].tolist() == pytest.approx(scores, rel=1e-14)
    assert sheets["scores"]["setting"].tolist()[0] == "=1+1"  # a text, no formula
    again = ScoreMatrix.from_frame(
        sheets["scores"], benchmarks=sheets["benchmarks"], models=sheets["models"]
    )
    np.testing.assert_allclose(again.values, matrix.values, rtol=1e-14)
    assert (again.model_ids, again.benchmark_ids) == (matrix.model_ids, matrix.benchmark_ids)


@pytest.mark.parametrize(
    "setting, message", [("\x07", "a control character"), ("x" * 40_000, "long")]
)
def test_texts_that_a_spreadsheet_cannot_hold(
    setting: str, message: str, matrix: ScoreMatrix, tmp_path: Path
) -> None:
    pytest.importorskip("openpyxl")
    odd = ScoreMatrix(
        matrix.models, matrix.benchmarks, matrix.readings.assign(setting=[setting] * 24)
    )
    with pytest.raises(DataError, match=message):
        write_matrix(odd, tmp_path / "m.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_spreadsheet_needs_a_package(
    matrix: ScoreMatrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **settings: Any) -> Any:
        if name.partition(".")[0] == "openpyxl":
            raise ImportError(name)
        return real(name, *args, **settings)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"needs openpyxl; install bayesbench-scores\[xlsx\]"):
        write_matrix(matrix, tmp_path / "m.xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path, kind",
    [("a.csv", "csv"), ("a.PARQUET", "parquet"), ("a.xlsx", "xlsx"), ("a.nc", "netcdf"),
     ("a", "directory")],
)  # fmt: skip
def test_the_suffix_says_the_kind(path: str, kind: str) -> None:
    assert kind_of(path) == kind and kind in KINDS


def test_kinds_that_are_not_known(matrix: ScoreMatrix, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"suffix \.txt is not known; use \.csv, \.parquet"):
        kind_of("a.txt")
    with pytest.raises(UsageError, match="kind 'pdf' is not known; use one of csv"):
        write_matrix(matrix, tmp_path / "a.csv", "pdf")


@pytest.mark.parametrize("name", ["m.parquet", "m.nc"])
def test_broken_twins(name: str, matrix: ScoreMatrix, tmp_path: Path) -> None:
    path = tmp_path / name
    write_matrix(matrix, path)
    raw = path.read_bytes()
    for held in (raw[: len(raw) // 2], raw[:4], raw[:4] + b"\0" * 5_000):
        path.write_bytes(held)
        with pytest.raises(DataError, match=r"damaged or cut off|not an exported"):
            read_matrix(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_matrix(tmp_path / "no.nc")
    (tmp_path / "x.txt").write_text("model,score\n")
    with pytest.raises(DataError, match="not an exported matrix; a table is read by read_scores"):
        read_matrix(tmp_path / "x.txt")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="not an exported matrix"):
        read_matrix(tmp_path / "t.parquet")
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    with pytest.raises(DataError, match="not an exported matrix; a posterior is read by"):
        read_matrix(tmp_path / "t.nc")


def test_a_newer_version_is_named(matrix: ScoreMatrix, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    write_matrix(matrix, tmp_path / "m.parquet")
    table = parquet.read_table(tmp_path / "m.parquet")
    meta = {
        key: value.replace(b'"format_version": 1', b'"format_version": 2')
        for key, value in table.schema.metadata.items()
    }
    parquet.write_table(table.replace_schema_metadata(meta), tmp_path / "m.parquet")
    assert isinstance(table, pa.Table)
    with pytest.raises(DataError, match="written by a newer version; update bayesbench"):
        read_matrix(tmp_path / "m.parquet")
