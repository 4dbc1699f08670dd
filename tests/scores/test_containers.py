"""Files that are packed, hostile, or no tables: read in bounded memory or refused in a line."""

from __future__ import annotations

import gzip
import io
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from bayesbench.errors import SchemaError
from bayesbench.scores import containers
from bayesbench.scores.containers import MOST_BYTES, open_content

TABLE = b"Model,GPQA\na,70\n"


def written(tmp_path: Path, data: bytes, name: str = "x.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.dat"])
def test_gzip_is_told_by_its_content(tmp_path: Path, name: str) -> None:
    content = open_content(written(tmp_path, gzip.compress(TABLE), name))
    assert (content.data, content.kind, content.packed) == (TABLE, "text", "gzip")
    twice = gzip.compress(TABLE) + gzip.compress(b"b,60\n")  # members one after another
    assert open_content(written(tmp_path, twice)).data == TABLE + b"b,60\n"


def test_the_one_table_of_a_zip(tmp_path: Path) -> None:
    data = zipped(**{"d/a.csv": TABLE, "__MACOSX/._a.csv": b"x", "d/.b.csv": b"x", "README": b"x"})
    content = open_content(written(tmp_path, data, "x.zip"))
    assert (content.data, content.name, content.packed) == (TABLE, "x.zip/d/a.csv", "zip")


REFUSED = {
    "two tables": (zipped(**{"a.csv": TABLE, "b.csv": TABLE}), "holds 2 tables (a.csv, b.csv)"),
    "no table": (zipped(README=b"x"), "holds no table"),
    "zip in zip": (zipped(**{"a.csv": zipped(**{"b.csv": TABLE})}), "an archive in an archive"),
    "gzip in gzip": (gzip.compress(gzip.compress(TABLE)), "packed twice"),
    "gzip cut": (gzip.compress(TABLE * 99)[:-9], "cut short"),
    "gzip damaged": (b"\x1f\x8b\x08" + bytes(40), "as gzip"),
    "zip damaged": (zipped(**{"a.csv": TABLE})[:60], "as zip"),
    "ods": (zipped(mimetype=b"x", **{"content.xml": b"x"}), "OpenDocument"),
    "xls": (b"\xd0\xcf\x11\xe0" + bytes(99), "old Excel file"),
    "bzip2": (b"BZh9xxx", "bzip2"),
    "xz": (b"\xfd7zXZ\0xx", "packed with xz"),
    "zstandard": (b"\x28\xb5\x2f\xfdxx", "zstandard"),
    "PDF": (b"%PDF-1.7", "is a PDF"),
    "web page": (b"\n<!DOCTYPE HTML><html>", "is a web page"),
    "JSON": (b'{"results": {}}', "is JSON"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    "netCDF": (b"\x89HDF\r\n", "HDF5 or netCDF"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_table_is_refused_by_what_it_is(tmp_path: Path, what: str) -> None:
    data, message = REFUSED[what]
    with pytest.raises(SchemaError) as caught:
        open_content(written(tmp_path, data))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_damaged_checksum_in_a_zip_is_named(tmp_path: Path) -> None:
    data = zipped(**{"a.csv": TABLE * 50})
    at = data.index(b"a.csv") + 8
    broken = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
    with pytest.raises(SchemaError, match=r"a\.csv cannot be read"):
        open_content(written(tmp_path, broken, "x.zip"))


@pytest.mark.parametrize("kind", ["gzip", "zip", "plain"])
def test_what_unpacks_to_too_much_is_refused_in_bounded_memory_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(containers, "MOST_BYTES", 1 << 20)
    bomb = bytes(64 << 20)
    packed = {"gzip": gzip.compress(bomb, 1), "zip": zipped(**{"a.csv": bomb}), "plain": bomb}[kind]
    path = written(tmp_path, packed)
    del bomb, packed
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(SchemaError, match="more than 1 MB"):
        open_content(path)
    assert time.perf_counter() - start < 2
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_a_size_that_is_a_lie_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MOST_BYTES", 1 << 20)
    data = zipped(**{"a.csv": bytes(4 << 20)})
    size = (4 << 20).to_bytes(4, "little")
    assert data.count(size) == 2
    with pytest.raises(SchemaError, match=r"cannot be read|more than"):
        open_content(written(tmp_path, data.replace(size, (99).to_bytes(4, "little")), "x.zip"))


def test_endless_files_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MOST_BYTES", 1 << 16)
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero here")
    with pytest.raises(SchemaError, match="more than"):
        open_content("/dev/zero")


def test_the_bound_holds_ten_million_scores() -> None:
    assert MOST_BYTES >= 10_000_000 * len("gpt-4o,gpqa_diamond,70.5\n")
