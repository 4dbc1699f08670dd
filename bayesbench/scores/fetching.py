"""Public matrices from the network: one file, kept only if it is the one that was named."""

from __future__ import annotations

import hashlib
import http.client
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from ..config import cache_directory
from ..errors import DataError, UnknownIdError, UsageError
from ..files import replacing
from ..shipped import bundled_path
from .ids import nearest_ids
from .importers.bounded import ROW, csv_rows, read_bytes

__all__ = ["MOST_BYTES", "Fetched", "Source", "fetch", "public_matrices", "source_of"]

MOST_BYTES = 256 * 1024 * 1024
"""A file larger than this is no matrix of scores."""
TIMEOUT_S = 60.0
"""Without a byte for so long, the server is given up."""
_CHUNK = 1 << 16
_HASH = re.compile(r"[0-9a-f]{64}")
_COLUMNS = ("name", "url", "sha256", "licence")


@dataclass(frozen=True)
class Source:
    """A file on the network and what it has to be.

    Attributes
    ----------
    name : str
    url : str
        http or https.
    sha256 : str
        64 hexadecimal digits.
    licence : str
        Under which its scores may be used; empty if not known.
    licence_url, about : str

    Raises
    ------
    UsageError
        The address or the hash is none.

    Examples
    --------
    >>> Source("mine", "https://example.org/scores.csv", "0" * 64).file_name
    'scores.csv'
    """

    name: str
    url: str
    sha256: str
    licence: str = ""
    licence_url: str = ""
    about: str = ""

    def __post_init__(self) -> None:
        _checked_url(self.url)
        object.__setattr__(self, "sha256", self.sha256.strip().casefold())
        if not _HASH.fullmatch(self.sha256):
            raise UsageError(
                f"SHA-256 {self.sha256[:80]!r} of {self.name} is not 64 hexadecimal digits"
            )

    @property
    def file_name(self) -> str:
        """Last part of the address, without anything that could lead elsewhere."""
        last = unquote(urlsplit(self.url).path).replace("\\", "/").rpartition("/")[2]
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".")
        return plain[-100:].lstrip(".") or "scores"

    @property
    def cached(self) -> Path:
        """Where it is kept by default."""
        return cache_directory("matrices", self.sha256[:16], self.file_name)


@dataclass(frozen=True)
class Fetched:
    """A file that is the one that was named.

    Attributes
    ----------
    path : Path
    size : int
        Bytes.
    downloaded : bool
        False if it was there already.
    """

    path: Path
    size: int
    downloaded: bool


def public_matrices(registry: str | Path | None = None) -> dict[str, Source]:
    """Matrices that can be fetched by name.

    Parameters
    ----------
    registry : path, optional
        A CSV with columns name, url, sha256, licence and optionally licence_url, about; by default
        the one that ships with the package. That holds only files whose hash is known for certain,
        at present none.

    Raises
    ------
    DataError
        Naming the file, the row and the value.
    """
    path = bundled_path("data", "public_matrices.csv") if registry is None else Path(registry)
    header, rows = csv_rows(read_bytes(path), str(path))
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise DataError(f"{path}: missing column {', '.join(missing)}; add it")
    found: dict[str, Source] = {}
    for row in rows:
        stated = {name: row.get(name, "").strip() for name in (*_COLUMNS, "licence_url", "about")}
        place = f"{path}, row {row[ROW]}"
        if not stated["name"] or not stated["licence"]:
            raise DataError(f"{place}: a name and a licence are needed; add them")
        if stated["name"] in found:
            raise DataError(f"{place}: {stated['name']!r} stands twice; keep one")
        try:
            found[stated["name"]] = Source(**stated)
        except UsageError as error:
            raise DataError(f"{place}: {error}") from None
    return found


def source_of(name: str, registry: str | Path | None = None) -> Source:
    """The source of a name.

    Raises
    ------
    UnknownIdError
        With the nearest names.
    """
    known = public_matrices(registry)
    if name not in known:
        raise UnknownIdError("matrix", name, nearest_ids(name, known))
    return known[name]


def fetch(source: Source, to: str | Path | None = None, *, most_bytes: int = MOST_BYTES) -> Fetched:
    """Download a file, unless it is there already; it is kept only if its hash is the stated one.

    Parameters
    ----------
    source : Source
    to : path, optional
        By default the cache directory of this package.
    most_bytes : int
        A larger file is refused, as soon as the server says its size, or so many bytes have come.

    Returns
    -------
    Fetched

    Raises
    ------
    DataError
        It cannot be had, ends early, is too large or is another file than the one named; what
        stood at `to` stays.
    """
    target = source.cached if to is None else Path(to)
    if target.is_file() and _hash_of(target) == source.sha256:
        return Fetched(target, target.stat().st_size, False)
    if to is None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{target.parent}: cannot be made ({error.strerror})") from None
    with replacing(target) as part, part.open("wb") as stream:
        size = _downloaded(source, stream, most_bytes)
    return Fetched(target, size, True)


def _checked_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound or re.search(r"[\x00-\x20\x7f]", url):
        raise UsageError(f"{url!r} is no http(s) address")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to http(s) alone, and never from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        """The next request, if its address may be followed."""
        _checked_url(newurl)
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise DataError(f"{req.full_url}: leads from https to {newurl}; refused")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _downloaded(source: Source, stream: IO[bytes], most_bytes: int) -> int:
    """Bytes that came, all of them and the right ones."""
    request = urllib.request.Request(source.url, headers={"User-Agent": "bayesbench"})
    opener = urllib.request.build_opener(_Redirects)
    digest, size = hashlib.sha256(), 0
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            stated = answer.headers.get("Content-Length")
            expected = int(stated) if stated is not None and stated.isdecimal() else None
            if expected is not None and expected > most_bytes:
                raise _too_large(source, most_bytes)
            while chunk := answer.read(_CHUNK):
                size += len(chunk)
                if size > most_bytes:
                    raise _too_large(source, most_bytes)
                digest.update(chunk)
                stream.write(chunk)
    except urllib.error.HTTPError as error:
        error.close()
        raise DataError(
            f"{source.url}: cannot be had (HTTP {error.code} {error.reason}); check the address"
        ) from None
    except (http.client.HTTPException, urllib.error.URLError, TimeoutError, ConnectionError) as e:
        reason = str(getattr(e, "reason", "") or e or type(e).__name__).splitlines()[0]
        raise DataError(f"{source.url}: cannot be fetched ({reason}); try again later") from None
    if expected is not None and size < expected:
        raise DataError(f"{source.url}: ended after {size:,} of {expected:,} bytes; try again")
    if digest.hexdigest() != source.sha256:
        raise DataError(
            f"{source.url}: its SHA-256 is {digest.hexdigest()}, not {source.sha256}: changed or "
            "damaged, and not kept"
        )
    return size


def _too_large(source: Source, most_bytes: int) -> DataError:
    return DataError(f"{source.url}: larger than {most_bytes:,} bytes; refused (--most-mb)")


def _hash_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
