"""The bytes of a table, out of a file, gzip or zip archive, in bounded memory."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import SchemaError

__all__ = ["MOST_BYTES", "MOST_CELLS", "Content", "open_content"]

MOST_BYTES = 256 * 1024 * 1024
"""Bytes of a table, unpacked: about ten million scores. More is refused."""
MOST_CELLS = 10_000_000
"""Cells of a table; more is refused before it is read."""

Kind = Literal["text", "parquet", "xlsx"]

_REFUSED = (
    (b"BZh", "is packed with bzip2; unpack it, or pack it with gzip or zip"),
    (b"\xfd7zXZ", "is packed with xz; unpack it, or pack it with gzip or zip"),
    (b"\x28\xb5\x2f\xfd", "is packed with zstandard; unpack it, or pack it with gzip or zip"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel file (.xls); save it as .xlsx or CSV"),
    (b"%PDF", "is a PDF, not a table; give the table as CSV"),
    (b"version https://git-lfs", "is a Git LFS pointer, not the table itself; fetch the file"),
    (b"\x89HDF", "is an HDF5 or netCDF file, not a table; give a table of scores"),
)
_TABLES = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq", ".xlsx", ".xlsm")


@dataclass(frozen=True, eq=False)
class Content:
    """What a file holds, unpacked.

    Attributes
    ----------
    name : str
        Of the file, with that of the member of an archive.
    data : bytes
    kind : {"text", "parquet", "xlsx"}
    packed : str
        How it was packed: ``"gzip"``, ``"zip"`` or empty.
    """

    name: str
    data: bytes
    kind: Kind
    packed: str = ""


def open_content(path: str | Path) -> Content:
    """Read a file, unpacking one layer of gzip or zip.

    What a file is, its first bytes say, not its name. At most `MOST_BYTES` are ever held.

    Raises
    ------
    SchemaError
        There is no such file, it is larger, damaged, an archive without one table, or something
        else than a table.
    """
    path = Path(path)
    name = path.name or str(path)
    data = _read(path, name)
    packed = ""
    if path.suffix.lower() == ".gz" or data[:2] == b"\x1f\x8b":
        data, packed = _gunzipped(data, name), "gzip"
    elif data[:4] == b"PK\x03\x04" and not _is_spreadsheet(data, name):
        member, data = _only_table(data, name)
        name, packed = f"{name}/{member}", "zip"
    return Content(name, data, _kind(data, name), packed)


def _read(path: Path, name: str) -> bytes:
    if path.is_dir():
        raise SchemaError(f"{name}: is a directory; name a CSV file")
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise SchemaError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise SchemaError(f"{name}: cannot be read ({reason}); check the file") from None
    return _bounded(data, name)


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MOST_BYTES:
        raise _too_large(name)
    return data


def _too_large(name: str) -> SchemaError:
    return SchemaError(
        f"{name}: more than {MOST_BYTES // 2**20} MB; give the scores alone, or in parts"
    )


def _gunzipped(data: bytes, name: str) -> bytes:
    found = bytearray()
    try:
        while data:
            unpacker = zlib.decompressobj(wbits=31)
            while data and not unpacker.eof:
                found += unpacker.decompress(data, MOST_BYTES + 1 - len(found))
                if len(found) > MOST_BYTES:
                    raise _too_large(name)
                data = unpacker.unconsumed_tail
            if not unpacker.eof:
                raise SchemaError(f"{name}: cannot be read (it is cut short); check the file")
            data = unpacker.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise SchemaError(f"{name}: cannot be read as gzip ({error}); check the file") from None
    return bytes(found)


def _archive(data: bytes, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise SchemaError(f"{name}: cannot be read as zip ({error}); check the file") from None


def _is_spreadsheet(data: bytes, name: str) -> bool:
    with _archive(data, name) as archive:
        names = archive.namelist()
    if any(each == "mimetype" for each in names) and "content.xml" in names:
        raise SchemaError(f"{name}: is an OpenDocument table; save it as .xlsx or CSV")
    return "xl/workbook.xml" in names


def _only_table(data: bytes, name: str) -> tuple[str, bytes]:
    with _archive(data, name) as archive:
        members = [
            one
            for one in archive.infolist()
            if not one.is_dir()
            and not one.filename.startswith("__MACOSX/")
            and not one.filename.rpartition("/")[2].startswith(".")
            and one.filename.lower().endswith(_TABLES)
        ]
        if len(members) != 1:
            found = ", ".join(one.filename for one in members[:5])
            found = f"{len(members)} tables ({found})" if members else "no table"
            raise SchemaError(f"{name}: holds {found}; unpack it and name one file")
        member = members[0]
        if member.file_size > MOST_BYTES:
            raise _too_large(name)
        try:
            with archive.open(member) as stream:
                found_data = stream.read(MOST_BYTES + 1)
        except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, zlib.error) as error:
            detail = " ".join(str(error).split())
            raise SchemaError(
                f"{name}: {member.filename} cannot be read ({detail}); check the file"
            ) from None
    return member.filename, _bounded(found_data, name)


def _kind(data: bytes, name: str) -> Kind:
    if data[:4] == b"PAR1":
        return "parquet"
    if data[:4] == b"PK\x03\x04":
        if _is_spreadsheet(data, name):
            return "xlsx"
        raise SchemaError(f"{name}: an archive in an archive; unpack it")
    if data[:2] == b"\x1f\x8b":
        raise SchemaError(f"{name}: packed twice; unpack it")
    for start, remedy in _REFUSED:
        if data.startswith(start):
            raise SchemaError(f"{name}: {remedy}")
    head = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise SchemaError(f"{name}: is a web page, not a table; download the file itself")
    if head.startswith((b'{"', b"{\n", b"{ ", b"[{", b"[\n")):
        raise SchemaError(f"{name}: is JSON, not a table; give a table of scores")
    return "text"
