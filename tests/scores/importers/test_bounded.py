"""Hostile files: refused in one line, in bounded memory and time."""

from __future__ import annotations

import json
import os
import resource
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from bayesbench.errors import DataError
from bayesbench.scores.importers import bounded
from bayesbench.scores.importers.bounded import (
    csv_rows,
    json_document,
    open_archive,
    parquet_rows,
    parse_json,
    read_bytes,
    yaml_document,
)
from bayesbench.scores.importers.reading import read_results
from tests.scores.importers.test_inspect_logs import write_zstandard

SECONDS, MEGABYTES = 10, 400


@contextmanager
def bounds() -> Iterator[None]:
    """The block takes neither long nor much memory beyond what was used before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    yield
    assert time.monotonic() - start < SECONDS
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MEGABYTES, f"{grown:.0f} MB"


def one_line(error: pytest.ExceptionInfo[DataError]) -> None:
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


# JSON


@pytest.mark.parametrize(
    "text, message",
    [
        ("[" * 200_000, "f: nested more than 100 deep"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "f: nested more than 100 deep"),
        ('{"a": 1, "a": 2}', "f: the key 'a' stands twice in one object"),
        ('{"a": 1e999}', "f: the number '1e999' is too large"),
        ('{"a": ' + "9" * 100_000 + "}", "f: a number of 100000 digits"),
        ('{"a": [1, 2', "f, line 1: not JSON, or cut off"),
        ("\n\n{'a': 1}", "f, line 3: not JSON, or cut off"),
        ("", "f, line 1: not JSON, or cut off"),
    ],
)
def test_json_that_is_refused(text: str, message: str) -> None:
    with bounds(), pytest.raises(DataError, match=message) as error:
        parse_json(text.encode(), "f")
    one_line(error)


def test_json_in_another_encoding() -> None:
    with pytest.raises(DataError, match="f: not UTF-8 text"):
        parse_json('{"a": "é"}'.encode("latin-1"), "f")
    assert parse_json(b'\xef\xbb\xbf{"a": 1}', "f") == {"a": 1}


def test_json_of_many_empty_lists() -> None:
    held = b"[" + b"[]," * 20_000_000 + b"[]]"
    with bounds(), pytest.raises(DataError, match="more than 5,000,000 values"):
        parse_json(held, "f")


def test_brackets_in_texts_are_no_depth() -> None:
    text = json.dumps({"a": "[" * 500 + '\\"{' * 500, "b": ["{" * 200]})
    assert parse_json(text.encode(), "f") == json.loads(text)
    deep = "[" * 99 + "]" * 99
    assert parse_json(deep.encode(), "f")


def test_texts_that_never_end_take_no_time() -> None:
    for text in ('"' + '\\"' * 500_000, '["' + "\\" * 1_000_001, '{"' * 300_000):
        held = ("[" * 60 + "{" * 60 + text).encode()
        with bounds(), pytest.raises(DataError):
            parse_json(held, "f")


# Files


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with path.open("wb") as file:
        file.truncate(200 * 2**30)  # a sparse file
    with bounds(), pytest.raises(DataError, match=r"x\.json: larger than 64 MB"):
        read_results(path)


@pytest.mark.parametrize("name", ["pipe.json", "pipe.eval", "pipe.parquet", "pipe.csv"])
def test_a_pipe_is_not_waited_for(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    os.mkfifo(path)
    with bounds(), pytest.raises(DataError, match="not a regular file"):
        read_results(path)


def test_a_device_and_no_file(tmp_path: Path) -> None:
    with bounds(), pytest.raises(DataError, match="not a regular file"):
        read_bytes(Path("/dev/zero"))
    with pytest.raises(DataError, match=r"a\.json: cannot be read \(No such file"):
        json_document(tmp_path / "a.json")
    with pytest.raises(DataError, match="cannot be read"):
        read_bytes(Path("a\0b"))


# Archives


def zipped(path: Path, fill: Callable[[zipfile.ZipFile], object]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        fill(file)
    return path


def member(name: str, mode: int = 0o644, kind: int = stat.S_IFREG) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | mode) << 16
    return info


def bomb(file: zipfile.ZipFile) -> None:
    with file.open("header.json", "w") as stream:
        for _ in range(300):
            stream.write(b" " * 2**20)


def test_a_zip_bomb(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bomb.eval", bomb)
    assert path.stat().st_size < 2**20
    with bounds(), pytest.raises(DataError, match=r"header\.json: larger than 64 MB") as error:
        read_results(path)
    one_line(error)


def test_a_zip_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bomb.eval", bomb)
    raw = path.read_bytes()
    size = (300 * 2**20).to_bytes(4, "little")
    assert raw.count(size) >= 1
    path.write_bytes(raw.replace(size, (100).to_bytes(4, "little")))
    with bounds(), pytest.raises(DataError, match=r"header\.json"):
        read_results(path)


def test_a_bomb_of_zstandard(tmp_path: Path) -> None:
    path = tmp_path / "bomb.eval"
    write_zstandard(path, "header.json", b" " * (200 * 2**20))
    assert path.stat().st_size < 2**20
    with bounds(), pytest.raises(DataError, match=r"header\.json: larger than 64 MB"):
        read_results(path)


def test_many_small_members_are_bounded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayesbench.scores.importers.reading.MAX_TOTAL_BYTES", 1000)
    row = "Model version,Score,Release date\nm,0.5,2024-01-01\n"
    path = zipped(tmp_path / "hub.zip", lambda f: [f.writestr(f"{n}.csv", row) for n in range(100)])
    with pytest.raises(DataError, match="its files are larger than a hub's"):
        read_results(path)


@pytest.mark.parametrize(
    "name", ["../header.json", "/header.json", "a/../../header.json", "a\\..\\b", "C:/header.json"]
)
def test_a_path_that_leads_outside(name: str, tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.eval", lambda f: f.writestr(member("ok"), "{}"))
    raw = path.read_bytes().replace(b"ok", b"ok")
    with zipfile.ZipFile(path, "w") as file:
        info = member("placeholder")
        info.filename = name
        file.writestr(info, "{}")
    assert raw and not (tmp_path.parent / "header.json").exists()
    with pytest.raises(DataError, match="lies outside the archive; refused"):
        read_results(path)


def test_a_link_a_twin_and_a_password(tmp_path: Path) -> None:
    link = zipped(
        tmp_path / "l.eval",
        lambda f: f.writestr(member("header.json", 0o777, stat.S_IFLNK), "/etc/passwd"),
    )
    with pytest.raises(DataError, match=r"the member 'header\.json' is a link; refused"):
        read_results(link)
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped(tmp_path / "t.eval", lambda f: [f.writestr("a", x) for x in ("1", "2")])
    with pytest.raises(DataError, match="the member 'a' stands twice"):
        read_results(twice)
    path = zipped(tmp_path / "p.eval", lambda f: f.writestr("header.json", "{}"))
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"header\.json: encrypted"):
        read_results(path)


def test_a_member_with_another_checksum(tmp_path: Path) -> None:
    path = zipped(tmp_path / "c.eval", lambda f: f.writestr("header.json", '{"version": 2}'))
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\x01\x02") + 16
    raw[at : at + 4] = b"\1\2\3\4"
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"header\.json: damaged or cut off \(Bad CRC-32"):
        read_results(path)


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MAX_MEMBERS", 2)
    path = zipped(tmp_path / "m.zip", lambda f: [f.writestr(f"{n}", "") for n in range(3)])
    with pytest.raises(DataError, match="more than 2 members"), open_archive(path):
        pass


# YAML


@pytest.mark.parametrize(
    "text, message",
    [
        ("a: &x [1]\nb: *x", "f: YAML anchors are not read"),
        ("[" * 2_000, "f: nested more than 100 deep"),
        ("a: 1\na: 2", "f, line 2: the key 'a' stands twice"),
        ("? [1]\n: 2", "stands twice, or is no text"),
        ("a: [1", "f, line 1: not YAML"),
        ("a: 1\n---\nb: 2", "not YAML"),
        ("a" * (2**20 + 1), "f: larger than 1 MB"),
    ],
)
def test_yaml_that_is_refused(text: str, message: str) -> None:
    with bounds(), pytest.raises(DataError, match=message) as error:
        yaml_document(text, "f")
    one_line(error)


def test_laughs_and_tags_do_nothing() -> None:
    laughs = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    with bounds(), pytest.raises(DataError, match="anchors are not read"):
        yaml_document(laughs, "f")
    assert yaml_document("a: !!python/object/apply:os.getpid []", "f") == {"a": []}
    assert yaml_document("a: no\nb: 1e3\nc: 2024-01-01\n", "f") == {
        "a": "no", "b": "1e3", "c": "2024-01-01",
    }  # fmt: skip


# Tables


@pytest.mark.parametrize(
    "text, message",
    [
        ("a,a\n1,2", "row 1: column 'a' stands twice"),
        ("a,b\n1,2,3", "row 2: 3 fields under 2 columns"),
        ('a,b\n1,"2', "not a regular CSV"),
        ("a\n" + "x" * 200_000, "not a regular CSV .*field larger"),
        ("a\n\0", "holds a zero byte"),
    ],
)
def test_csv_that_is_refused(text: str, message: str) -> None:
    with bounds(), pytest.raises(DataError, match=message) as error:
        csv_rows(text.encode(), "f")
    one_line(error)


def test_csv_rows_know_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    _, rows = csv_rows(b"\xef\xbb\xbfa,b\n1,2\n\n3,4\n", "f")
    assert [(row["a"], row[bounded.ROW]) for row in rows] == [("1", "2"), ("3", "4")]
    monkeypatch.setattr(bounded, "MAX_ROWS", 1)
    with pytest.raises(DataError, match="more than 1 rows"):
        csv_rows(b"a\n1\n2\n", "f")


def test_a_parquet_bomb(tmp_path: Path) -> None:
    path = tmp_path / "b.parquet"
    for text, rows, message in (
        ("x" * 20_000, 2_000, "a text of 20,000 bytes"),
        ("x" * 9_000, 50_000, "larger than 256 MB"),
    ):
        indices = pa.array([0] * rows, type=pa.int32())
        held = pa.DictionaryArray.from_arrays(indices, pa.array([text]))
        parquet.write_table(pa.table({"fullname": held}), path)
        assert path.stat().st_size < 2**17
        with bounds(), pytest.raises(DataError, match=message):
            parquet_rows(path, ["fullname"])
    parquet.write_table(pa.table({"fullname": [["a"]]}), path)
    with pytest.raises(DataError, match="column 'fullname' is nested"):
        parquet_rows(path, ["fullname"])
    many = pa.table({"fullname": pa.array(["x"] * (bounded.MAX_ROWS + 1))})
    parquet.write_table(many, path)
    with bounds(), pytest.raises(DataError, match="more than 200,000 rows"):
        parquet_rows(path, ["fullname"])


def test_columns_that_are_not_wanted_are_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    parquet.write_table(pa.table({"a": ["1"], "big": ["x" * 10**6]}), path)
    assert parquet_rows(path, ["a", "z"]) == [{"a": "1"}]
