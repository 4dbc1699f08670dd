"""Writing files: whole or not at all, by a temporary file beside the target that is renamed."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import BayesbenchError, DataError

__all__ = ["changed_directory", "new_directory", "replacing", "write_bytes", "write_text"]


@contextmanager
def replacing(
    path: str | os.PathLike[str], *, error: Callable[[str], BayesbenchError] = DataError
) -> Iterator[Path]:
    """Give the path of a temporary file that takes the place of `path` when the block ends.

    It is flushed to the disk, then renamed; on any failure or interrupt it is removed and what
    stood at `path` stays.

    Parameters
    ----------
    path : path
    error : callable
        Makes the exception for a file that cannot be written, from its one-line message.

    Raises
    ------
    BayesbenchError
        The file cannot be written; `error` says which class.
    """
    target = Path(path)
    part = _beside(target)
    if target.exists() and not target.is_file():  # a directory, or a device: never replaced
        raise error(f"{target}: cannot be written (not a regular file); choose another place")
    try:
        part.open("xb").close()
    except OSError as failure:
        raise error(_message(target, failure)) from failure
    try:
        yield part
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(part, target)
        _flush_directory(target.parent)
    except OSError as failure:
        raise error(_message(target, failure)) from failure
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str, **settings: Any) -> None:
    """Write UTF-8 text, whole or not at all; `settings` as in `replacing`."""
    with replacing(path, **settings) as part:
        part.write_text(text, encoding="utf-8")


def write_bytes(path: str | os.PathLike[str], held: bytes | memoryview, **settings: Any) -> None:
    """Write bytes, whole or not at all; `settings` as in `replacing`.

    What a library makes in memory and this writes cannot fail inside the library, which may end
    the process there.
    """
    with replacing(path, **settings) as part:
        part.write_bytes(held)


@contextmanager
def new_directory(
    path: str | os.PathLike[str], *, error: Callable[[str], BayesbenchError] = DataError
) -> Iterator[Path]:
    """Give a temporary directory that becomes `path` when the block ends.

    On any failure or interrupt it is removed with all it holds.

    Parameters
    ----------
    path : path
    error : callable
        As in `replacing`.

    Raises
    ------
    BayesbenchError
        There is something at `path` already, or it cannot be written.
    """
    target = Path(path)
    part = _beside(target)
    if os.path.lexists(target):
        raise error(f"{target}: exists already; choose another place or remove it")
    try:
        part.mkdir()
        yield part
        for file in part.iterdir():
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())
        part.rename(target)
        _flush_directory(target.parent)
    except OSError as failure:
        raise error(_message(target, failure)) from failure
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def changed_directory(
    path: str | os.PathLike[str], *, error: Callable[[str], BayesbenchError] = DataError
) -> Iterator[Path]:
    """Give a copy of a directory that takes its place when the block ends.

    Both change places in one step where the system can do that (Linux), else in two renames, of
    which the first is undone if the second fails. On any failure or interrupt the copy is removed
    and the directory stays as it was. A link to a directory stays a link to it.

    Parameters
    ----------
    path : path
    error : callable
        As in `replacing`.

    Raises
    ------
    BayesbenchError
        There is no such directory, it cannot be written, or it was changed meanwhile.
    """
    target = Path(path).resolve()
    if not target.is_dir():
        raise error(f"{path}: no such directory; check the path")
    part = _beside(target)
    try:
        before = _state(target)
        shutil.copytree(target, part, symlinks=True)
        yield part
        for file in part.rglob("*"):
            if file.is_file() and not file.is_symlink():
                with file.open("rb+") as stream:
                    os.fsync(stream.fileno())
        if _state(target) != before:
            raise error(f"{target}: was changed meanwhile; nothing was written, try again")
        _swap(part, target)
        _flush_directory(target.parent)
    except (OSError, shutil.Error) as failure:
        reason = failure if isinstance(failure, OSError) else OSError(str(failure))
        raise error(_message(target, reason)) from failure
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _state(directory: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file."""
    found = {}
    for file in directory.rglob("*"):
        about = file.lstat()
        found[str(file.relative_to(directory))] = (about.st_size, about.st_mtime_ns)
    return found


def _swap(one: Path, other: Path) -> None:
    """Let two directories change places."""
    if _exchanged(one, other):
        return
    old = _beside(other)
    other.rename(old)
    try:
        one.rename(other)
    except BaseException:
        old.rename(other)
        raise
    old.rename(one)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False where the system has no such call."""
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of the kernel
    if call is None:
        return False
    return bool(call(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.part")


def _message(target: Path, failure: OSError) -> str:
    reason = failure.strerror or (str(failure).splitlines() or [type(failure).__name__])[0]
    return f"{target}: cannot be written ({reason}); choose another place or make room"


def _flush_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
