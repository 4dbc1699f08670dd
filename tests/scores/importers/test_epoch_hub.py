from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.bounded import csv_rows
from bayesbench.scores.importers.epoch_hub import matches, read
from bayesbench.scores.importers.reading import read_results
from bayesbench.scores.importers.records import Found
from tests.scores.importers.samples import DATA, twin

FOLDER = DATA / "epoch_hub"


def one(name: str, old: str = "", new: str = "") -> Found:
    text = (FOLDER / f"{name}.csv").read_text(encoding="utf-8")
    assert old in text
    header, rows = csv_rows(text.replace(old, new).encode(), "f")
    assert matches(header)
    return read(name, header, rows, "f")


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    path = tmp_path / "benchmark_data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for csv in sorted(FOLDER.glob("*.csv")):
            file.write(csv, f"benchmarks/{csv.name}")
        file.writestr("README.md", "Credit: Epoch AI")
    return path


def test_the_zip_and_the_folder_say_the_same(hub: Path) -> None:
    columns = ["model_id", "benchmark_id", "score", "stderr", "setting", "date", "source_url"]
    zipped, folder = read_results(hub), read_results(FOLDER)
    assert zipped.readings[columns].equals(folder.readings[columns])
    assert len(zipped.readings) == 8
    assert f"{hub}/README.md" in set(zipped.left_out["file"])


def test_the_hubs_own_runs_are_shares_with_errors() -> None:
    found = one("gpqa_diamond")
    record = found.records[0]
    assert (record.model, record.score, record.scale, record.stderr) == (
        "model-1_high", 0.7, "unit", 0.03,
    )  # fmt: skip
    assert (record.date, record.url) == ("2026-02-01", "https://example.org/log")
    assert (record.provider, record.release_date) == ("Acme", "2026-01-15")
    assert [out.reason for out in found.left_out] == ["no score"]


def test_the_score_column_and_its_scale_differ_by_file() -> None:
    percent = one("swe_bench_verified_external")
    assert [(r.score, r.scale, r.metric) for r in percent.records] == [
        (64.2, "percent", "% Resolved")
    ]
    assert [out.reason for out in percent.left_out] == ["no model named"]
    shares = one("gsm8k_external")
    assert {r.scale for r in shares.records} == {"unit"} and len(shares.records) == 5
    assert shares.records[0].setting == "8-shot"
    assert shares.records[4].model == "Model 5"  # its name, where the version is blank
    assert one("metr_time_horizons_external").records[0].scale == "rating"  # minutes


def test_few_values_below_1_are_not_called_shares() -> None:
    few = one("swe_bench_verified_external", "64.2", "0.64").records
    assert few[0].scale == "percent"  # row 3 has 12.0, although no model is named there
    header, rows = csv_rows(
        (FOLDER / "swe_bench_verified_external.csv").read_bytes().replace(b"64.2", b"0.64"), "f"
    )
    assert read("swe_bench_verified", header, rows[:1], "f").records[0].scale is None


def test_errors_on_another_scale_are_not_read() -> None:
    found = one("gpqa_diamond", ",0.03,", ",3.0,")
    assert {r.stderr for r in found.records} == {None}
    assert "standard errors are on another scale" in found.records[0].note


def test_an_index_and_an_unknown_score_column_are_left_out() -> None:
    assert one("epoch_capabilities_index").left_out[0].reason == "an index over benchmarks"
    unknown = one("gsm8k_external", "EM,", "Vibes,")
    assert unknown.left_out[0].reason == "its score column is not known: Vibes"


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("0.7,0.7", "high,0.7", "row 2, mean_score 'high' must be a finite number"),
        ("0.7,0.7", "1e999,0.7", "row 2, mean_score '1e999' must be a finite number"),
        (",0.03,", ",-0.03,", "row 2, stderr -0.03 must be at least 0"),
        ("model-3,,", "model-3,", "row 4: 12 fields under 13 columns"),
        ('"two', "two", "row 2: .* fields under 13 columns"),
        ("stderr,Log viewer", "Log viewer,Log viewer", "column 'Log viewer' stands twice"),
    ],
)
def test_broken_twins(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_results(twin(tmp_path, "epoch_hub/gpqa_diamond.csv", old, new))


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match=r"x\.zip: holds no table of the hub"):
        read_results(path)


def test_missing_errors_are_missing(hub: Path) -> None:
    found = read_results(hub).readings
    assert np.isnan(found.loc[found["benchmark_id"] == "gsm8k", "stderr"]).all()
    assert found.loc[found["benchmark_id"] == "gpqa_diamond", "stderr"].tolist() == [3.0, 3.5]
