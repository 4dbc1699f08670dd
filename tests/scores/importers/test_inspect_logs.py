from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.inspect_logs import matches, read
from bayesbench.scores.importers.reading import read_results
from tests.scores.importers.samples import changed, document

SAMPLE = "inspect/data_pubmedqa_gpt4o_mini.json"


def header() -> bytes:
    """The real log as an archive's header holds it: without samples."""
    return json.dumps(changed(SAMPLE, lambda d: (d.pop("samples"), d.pop("reductions")))).encode()


def archive(path: Path, held: bytes | None, *, zstandard: bool = False) -> Path:
    if not zstandard:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("_journal/start.json", "{}")
            if held is not None:
                file.writestr("header.json", held)
        return path
    assert held is not None
    write_zstandard(path, "header.json", held)
    return path


def write_zstandard(path: Path, name: str, held: bytes) -> None:
    """A zip whose one member is compressed by method 93: stored, then its method renamed."""
    packed = pa.compress(held, codec="zstd", asbytes=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr(name, packed)
        info = file.getinfo(name)
        info.compress_type = 93
        info.file_size = len(held)
        info.CRC = zlib.crc32(held)
        where = info.header_offset
    raw = bytearray(path.read_bytes())
    raw[where + 8 : where + 10] = (93).to_bytes(2, "little")
    path.write_bytes(bytes(raw))


def test_the_real_log() -> None:
    assert matches(document(SAMPLE))
    found = read(document(SAMPLE), "f")
    record = found.records[0]
    assert (record.model, record.benchmark) == (
        "openai/azure/gpt-4o-mini",
        "inspect_evals/pubmedqa",
    )
    assert (record.score, record.scale, record.n_items) == (1.0, "unit", 2)
    assert record.partial == "2 of 500 samples" and record.date == "2025-07-03"
    assert record.stderr == pytest.approx((0.75 * 0.25) ** 0.5) and "replaced" in record.note


@pytest.mark.parametrize("zstandard", [False, True])
def test_an_archive_holds_the_same(zstandard: bool, tmp_path: Path) -> None:
    path = archive(tmp_path / "log.eval", header(), zstandard=zstandard)
    found = read_results(path, partial=True, add=True).readings
    assert found[["model_id", "benchmark_id", "score"]].to_numpy().tolist() == [
        ["gpt-4o-mini", "inspect_evals/pubmedqa", 1.0]
    ]
    assert found["format"].tolist() == ["Inspect log"]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda d: d.update(version=1), "version 1 of the log is not read"),
        (lambda d: d["eval"].pop("model"), r"eval/model \(missing\) must be"),
        (lambda d: d.update(results=None), r"results \(missing\) must be an object"),
        (
            lambda d: d["results"]["scores"][0]["metrics"]["accuracy"].update(value=None),
            r"results/choice/accuracy \(missing\) must be a finite number",
        ),
        (lambda d: d["results"].update(scores="many"), "results/scores 'many' must be a list"),
    ],
)
def test_broken_twins(change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(changed(SAMPLE, change), "f")


def test_a_log_that_is_not_over_or_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"log\.eval: the log has no header\.json: the run is not"):
        read_results(archive(tmp_path / "log.eval", None))
    whole = archive(tmp_path / "whole.eval", header()).read_bytes()
    (tmp_path / "cut.eval").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.eval: not a zip archive, or cut off"):
        read_results(tmp_path / "cut.eval")
    packed = archive(tmp_path / "z.eval", header(), zstandard=True).read_bytes()
    (tmp_path / "bad.eval").write_bytes(packed.replace(b"\x28\xb5\x2f\xfd", b"\0\0\0\0"))
    with pytest.raises(DataError, match=r"header\.json: damaged or cut off"):
        read_results(tmp_path / "bad.eval")


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda d: d.update(status="cancelled"), "status cancelled"),
        (lambda d: d.update(invalidated=True), "the log is invalidated"),
    ],
)
def test_a_failed_run_gives_no_score(change: Any, reason: str) -> None:
    found = read(changed(SAMPLE, change), "f")
    assert found.records == () and found.left_out[0].reason == reason


def test_one_of_several_metrics() -> None:
    def more(whole: Any) -> None:
        score = whole["results"]["scores"][0]
        score["metrics"]["f1"] = {"name": "f1", "value": 0.3}
        score.update(scored_samples=400)
        whole["eval"]["config"]["epochs"] = 4

    found = read(changed(SAMPLE, more), "f")
    assert [r.metric for r in found.records] == ["choice/accuracy"]
    assert found.records[0].n_items == 400 and "4 epochs" in found.records[0].setting
    assert found.left_out[0].reason == "the metric choice/accuracy is read"
    task = "inspect_evals/pubmedqa"
    assert read(changed(SAMPLE, more), "f", {task: "f1"}).records[0].score == 0.3
    assert "no metric x" in read(changed(SAMPLE, more), "f", {task: "x"}).left_out[0].reason


def test_epochs_are_not_items() -> None:
    def epochs(whole: Any) -> None:
        whole["eval"]["config"]["epochs"] = 4
        whole["results"]["completed_samples"] = 2000

    assert read(changed(SAMPLE, epochs), "f").records[0].n_items == 500
