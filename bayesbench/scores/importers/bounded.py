"""Reading files one does not trust: in bounded memory and time, or refused in one line."""

from __future__ import annotations

import csv
import io
import json
import lzma
import math
import os
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import DataError

__all__ = [
    "MAX_BYTES",
    "ROW",
    "Archive",
    "csv_rows",
    "json_document",
    "open_archive",
    "parquet_columns",
    "parquet_rows",
    "parse_json",
    "read_bytes",
    "require_file",
    "yaml_document",
]

MAX_BYTES = 64 * 2**20
"""Most bytes of one file or of one member of an archive, after decompression."""
MAX_YAML_BYTES = 2**20
MAX_DEPTH = 100
MAX_VALUES = 5_000_000
"""Most brackets and commas of a JSON text: a bound on the objects that are made of it."""
MAX_DIGITS = 400
MAX_ROWS = 200_000
MAX_MEMBERS = 100_000
MAX_ARCHIVE_BYTES = 4 * 2**30
"""Most bytes of an archive; of most only one small member is read."""
MAX_TOTAL_BYTES = 4 * MAX_BYTES
"""Most bytes of all members of one archive together."""
MAX_TEXT = 10_000
"""Most bytes of one text of a table."""
ZSTANDARD = 93
"""Compression method of a zip member; the standard library reads it from Python 3.14 on."""
LOCAL_HEADER = 30
"""Bytes of a member's own header before its name."""
ROW = ""
"""Key of a CSV row under which its number in the file stands."""

_FOOTER_LIMITS = {"thrift_string_size_limit": 2**24, "thrift_container_size_limit": 2**20}
_TEXT_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Bytes of a regular file of at most `limit` bytes.

    Raises
    ------
    DataError
        If it is not there, is no regular file (a pipe, a device), or is larger.
    """
    require_file(path, limit)
    try:
        with path.open("rb") as stream:
            held = stream.read(limit + 1)
    except OSError as error:
        raise DataError(_unreadable(path, error)) from None
    if len(held) > limit:
        raise DataError(_too_large(str(path), limit))
    return held


def require_file(path: Path, limit: int) -> None:
    """Refuse what is no regular file of at most `limit` bytes, before any of it is read.

    Raises
    ------
    DataError
        As `read_bytes`.
    """
    try:
        about = path.stat()
    except (OSError, ValueError) as error:
        raise DataError(_unreadable(path, error)) from None
    if not stat.S_ISREG(about.st_mode):
        raise DataError(f"{path}: not a regular file; name a file or a directory of results")
    if about.st_size > limit:
        raise DataError(_too_large(str(path), limit))


def _unreadable(path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return f"{path}: cannot be read ({reason}); check the path"


def json_document(path: Path) -> Any:
    """JSON document of a file; refused as by `parse_json`."""
    return parse_json(read_bytes(path), str(path))


def parse_json(held: bytes, source: str) -> Any:
    """JSON value of UTF-8 bytes; NaN and infinity are left to those who need the number.

    Raises
    ------
    DataError
        If it is no JSON, nested more than 100 deep, of too many values, names a key twice in one
        object, or holds a number that cannot be one.
    """
    _check_size(held, source)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            raise DataError(f"{source}: the key {_cut(twice)} stands twice in one object; keep one")
        return found

    def whole(written: str) -> int:
        if len(written) > MAX_DIGITS:
            raise DataError(f"{source}: a number of {len(written)} digits; correct it")
        return int(written)

    def real(written: str) -> float:
        value = float(written)
        if not math.isfinite(value):
            raise DataError(f"{source}: the number {_cut(written)} is too large; correct it")
        return value

    try:
        text = held.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=unique, parse_int=whole, parse_float=real)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source}: not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    except json.JSONDecodeError as error:
        raise DataError(
            f"{source}, line {error.lineno}: not JSON, or cut off ({error.msg}); make it again"
        ) from None


def _check_size(held: bytes, source: str) -> None:
    """Refuse what would exhaust the parser: depth (not of brackets inside texts) or numbers."""
    opened = held.count(b"[") + held.count(b"{")
    if opened + held.count(b",") > MAX_VALUES:
        raise DataError(f"{source}: more than {MAX_VALUES:,} values; not a result file")
    if opened <= MAX_DEPTH:
        return
    depth = 0
    for match in _TEXT_OR_BRACKET.finditer(held):
        mark = match.group()
        if mark in (b"[", b"{"):
            depth += 1
        elif mark in (b"]", b"}"):
            depth -= 1
        if depth > MAX_DEPTH:
            raise DataError(f"{source}: nested more than {MAX_DEPTH} deep; not a result file")


def yaml_document(text: str, source: str) -> Any:
    """YAML value with every scalar left as text: no tag, anchor or alias has any effect.

    Raises
    ------
    DataError
        If it is no YAML, too large or too deep, uses an anchor, or names a key twice in a mapping.
    """
    import yaml

    if len(text) > MAX_YAML_BYTES:
        raise DataError(_too_large(source, MAX_YAML_BYTES))
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            if getattr(event, "anchor", None) is not None:
                raise DataError(f"{source}: YAML anchors are not read; write the value out")
            starts = isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent)
            ends = isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent)
            depth += starts - ends
            if depth > MAX_DEPTH:
                raise DataError(f"{source}: nested more than {MAX_DEPTH} deep; not a result file")
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f", line {mark.line + 1}"
        what = getattr(error, "problem", None) or "more than one document"
        raise DataError(f"{source}{line}: not YAML ({what}); correct it") from None
    except RecursionError:
        raise DataError(f"{source}: nested too deep; not a result file") from None
    return _plain(node, source)


def _plain(node: Any, source: str) -> Any:
    import yaml

    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, source) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return None if node is None else node.value
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is None or name in found:
            raise DataError(
                f"{source}, line {key.start_mark.line + 1}: the key {_cut(str(name))} stands "
                "twice, or is no text; keep one"
            )
        found[name] = _plain(value, source)
    return found


def csv_rows(held: bytes, source: str) -> tuple[list[str], list[dict[str, str]]]:
    """Header and rows of a CSV text; row k of the list is row k + 2 of the file, line breaks apart.

    Raises
    ------
    DataError
        If it is no regular CSV in UTF-8, names a column twice, or has over 200,000 rows.
    """
    try:
        text = held.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source}: not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    if "\0" in text:
        raise DataError(f"{source}: holds a zero byte; not a CSV text")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[dict[str, str]] = []
    try:
        header = [name.strip() for name in next(lines, [])]
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if twice:
            raise DataError(f"{source}, row 1: column {_cut(twice[0])} stands twice; keep one")
        for number, line in enumerate(lines, start=2):
            if not any(line):
                continue
            if len(line) != len(header):
                raise DataError(
                    f"{source}, row {number}: {len(line)} fields under {len(header)} columns; fix "
                    "the row"
                )
            if len(rows) == MAX_ROWS:
                raise DataError(f"{source}: more than {MAX_ROWS:,} rows; split the file")
            rows.append(dict(zip(header, line, strict=True)) | {ROW: str(number)})
    except csv.Error as error:
        raise DataError(f"{source}, line {lines.line_num}: not a regular CSV ({error})") from None
    return header, rows


def parquet_rows(path: Path, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of a Parquet file, those of the `wanted` columns that it has; others are not decoded.

    Raises
    ------
    DataError
        If it is no Parquet file, or holds more than a table of scores would.
    """
    import pyarrow as pa
    from pyarrow import parquet

    require_file(path, MAX_TOTAL_BYTES)
    try:
        with parquet.ParquetFile(path, **_FOOTER_LIMITS) as file:
            schema = file.schema_arrow
        names = [name for name in schema.names if name in wanted]
        texts = [name for name in names if _is_text(path, schema.field(name))]
        # dictionaries stay dictionaries: one long text that stands in every row is not multiplied
        with parquet.ParquetFile(path, read_dictionary=texts, **_FOOTER_LIMITS) as file:
            _check_parquet(path, file.metadata, frozenset(names))
            rows: list[dict[str, Any]] = []
            size = 0
            for batch in file.iter_batches(batch_size=1_000, columns=names):
                size += _text_bytes(path, batch)
                if size > MAX_TOTAL_BYTES or len(rows) + len(batch) > MAX_ROWS:
                    raise DataError(_too_large(str(path), MAX_TOTAL_BYTES))
                rows += batch.to_pylist()
            return rows
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: not a Parquet file, or cut off ({_reason(error)})") from None


def _check_parquet(path: Path, about: Any, names: frozenset[str]) -> None:
    if about.num_rows > MAX_ROWS:
        raise DataError(f"{path}: more than {MAX_ROWS:,} rows; split the file")
    size = 0
    for group in range(about.num_row_groups):
        for number in range(about.num_columns):
            column = about.row_group(group).column(number)
            if column.path_in_schema in names:
                size += column.total_uncompressed_size
    if size > MAX_TOTAL_BYTES:
        raise DataError(_too_large(str(path), MAX_TOTAL_BYTES))


def _is_text(path: Path, field: Any) -> bool:
    """Whether a column is read as a dictionary; one of lists or records is refused."""
    import pyarrow as pa

    kind = field.type
    if pa.types.is_nested(kind):
        raise DataError(f"{path}: column {_cut(field.name)} is nested; not a table of scores")
    return any(
        is_kind(kind)
        for is_kind in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
        )
    )


def _text_bytes(path: Path, batch: Any) -> int:
    """Bytes of all texts of a batch, written out; a single long one is refused."""
    from pyarrow import compute

    size = 0
    for column in batch.columns:
        held = getattr(column, "dictionary", None)
        if held is None or not len(held) or not hasattr(held, "type"):
            continue
        lengths = compute.binary_length(held)
        longest = compute.max(lengths).as_py() or 0
        if longest > MAX_TEXT:
            raise DataError(f"{path}: a text of {longest:,} bytes; not a table of scores")
        size += compute.sum(lengths.take(column.indices)).as_py() or 0
    return size


def parquet_columns(path: Path) -> list[str]:
    """Names of the columns of a Parquet file, none of which is read."""
    import pyarrow as pa
    from pyarrow import parquet

    require_file(path, MAX_TOTAL_BYTES)
    try:
        with parquet.ParquetFile(path, **_FOOTER_LIMITS) as file:
            return list(file.schema_arrow.names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path}: not a Parquet file, or cut off ({_reason(error)})") from None


@dataclass(frozen=True, eq=False)
class Archive:
    """An open zip archive whose members are read one by one, never written to disk.

    Attributes
    ----------
    path : Path
    file : zipfile.ZipFile
    """

    path: Path
    file: zipfile.ZipFile

    @property
    def names(self) -> list[str]:
        """Names of the members, folders apart."""
        return [info.filename for info in self.file.infolist() if not info.is_dir()]

    def read(self, name: str) -> bytes:
        """Bytes of one member, at most `MAX_BYTES` whatever the archive says of its size.

        Raises
        ------
        DataError
            If it is encrypted, damaged, compressed in an unknown way, or larger.
        """
        info = self.file.getinfo(name)
        source = f"{self.path}: {name}"
        if info.flag_bits & 0x1:
            raise DataError(f"{source}: encrypted; give the archive without a password")
        try:
            with self._stream(info) as stream:
                held = bytes(stream.read(MAX_BYTES + 1))
        except (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError,
                zipfile.BadZipFile, NotImplementedError) as error:  # fmt: skip
            raise DataError(f"{source}: damaged or cut off ({_reason(error)})") from None
        if len(held) > MAX_BYTES:
            raise DataError(_too_large(source, MAX_BYTES))
        return held

    def _stream(self, info: zipfile.ZipInfo) -> Any:
        if info.compress_type == ZSTANDARD and sys.version_info < (3, 14):
            return self._zstandard(info)
        return self.file.open(info)

    def _zstandard(self, info: zipfile.ZipInfo) -> Any:
        """A member compressed by Zstandard; its checksum is that of the Zstandard frame, if any."""
        import pyarrow as pa

        with self.path.open("rb") as stream:
            stream.seek(info.header_offset)
            head = stream.read(LOCAL_HEADER)
            if len(head) < LOCAL_HEADER or head[:4] != b"PK\3\4":
                raise zipfile.BadZipFile("no member where the directory says")
            name_length, extra_length = struct.unpack("<HH", head[26:30])
            stream.seek(name_length + extra_length, os.SEEK_CUR)
            if info.compress_size > MAX_BYTES:
                raise DataError(_too_large(f"{self.path}: {info.filename}", MAX_BYTES))
            packed = stream.read(info.compress_size)
        return pa.CompressedInputStream(pa.BufferReader(packed), "zstd")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a zip archive after a look at its directory of members.

    Raises
    ------
    DataError
        If it is no zip archive, or a member is a link, lies outside, stands twice, or there are
        over 100,000.
    """
    require_file(path, MAX_ARCHIVE_BYTES)
    try:
        file = zipfile.ZipFile(path)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{path}: not a zip archive, or cut off ({_reason(error)})") from None
    with file:
        _check_members(path, file.infolist())
        yield Archive(path, file)


def _check_members(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise DataError(f"{path}: more than {MAX_MEMBERS:,} members; not a result archive")
    seen: set[str] = set()
    for info in members:
        name = info.filename
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts or "\\" in name or ":" in name[:2]:
            raise DataError(f"{path}: the member {_cut(name)} lies outside the archive; refused")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise DataError(f"{path}: the member {_cut(name)} is a link; refused")
        if name in seen:
            raise DataError(f"{path}: the member {_cut(name)} stands twice; keep one")
        seen.add(name)


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:100]


def _too_large(source: str, limit: int) -> str:
    return f"{source}: larger than {limit // 2**20} MB; too large for a file of results"


def _cut(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
