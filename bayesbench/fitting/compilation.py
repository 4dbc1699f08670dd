"""Compiled programs: kept between processes, compiled and, if large, run one at a time."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import jax
from filelock import FileLock, Timeout

from ..config import cache_directory

__all__ = ["OPT_OUT", "its_turn", "one_compilation", "use_compilation_cache"]

OPT_OUT = "BAYESBENCH_NO_COMPILE_CACHE"
"""Environment variable: any value but the empty one leaves compiled programs in memory only."""

_ONE = threading.Lock()
_TURN = threading.Lock()
LARGE = 50_000
"""Numbers in the largest array of a program above which it runs alone. XLA spreads the operations
of large programs over its one pool of threads, and two of them at once were seen to wait for each
other for ever (two fits of 3,600 x 6); fits of 245 x 170, below it, never were."""
LEAST_COMPILE_SECONDS = 0.3
"""Programs that compile faster than this are not worth a file."""
LONGEST_WAIT = 60.0
"""Seconds after which a program is compiled beside another process that holds the lock."""


LEAST_ROOM = 2**26
"""Bytes free below which nothing is kept: what is cut off by a full disk stays in the cache for
ever, and is warned of at every fit."""


def use_compilation_cache() -> Path | None:
    """Let jax keep compiled programs on disk; call before the first compilation.

    A cache directory that is already configured stays. A directory that cannot be written, or
    has no room, is harmless: everything is then compiled in memory.

    Returns
    -------
    Path or None
        The directory in use; None without one.
    """
    if os.environ.get(OPT_OUT):
        return None
    settings: Any = jax.config  # its annotations leave out the settings themselves
    configured = settings.jax_compilation_cache_dir
    if configured:
        return Path(configured)
    try:
        directory = cache_directory("compiled")
        if not directory.is_absolute():  # no home directory
            return None
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(directory, os.W_OK) or not _has_room(directory):
        return None
    settings.update("jax_compilation_cache_dir", str(directory))
    settings.update("jax_persistent_cache_min_compile_time_secs", LEAST_COMPILE_SECONDS)
    return directory


def _has_room(directory: Path) -> bool:
    """Whether the disk is not full, and no limit is set on the size of a file."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        limit = None
    else:
        soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        limit = None if soft == resource.RLIM_INFINITY else soft
    enough = shutil.disk_usage(directory).free >= LEAST_ROOM
    return enough and (limit is None or limit >= LEAST_ROOM)


@contextmanager
def one_compilation() -> Iterator[None]:
    """Wait until no other thread or process compiles a large program into the same cache.

    Processes that start together need the same program: the second finds it in the cache sooner
    than it would compile it beside the first. Where the lock cannot be had (no cache, a system
    without file locks, a process that holds it for more than `LONGEST_WAIT`) only threads wait
    for each other.
    """
    directory = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    with _ONE, ExitStack() as held:
        if directory:
            with suppress(OSError, NotImplementedError, Timeout):
                lock = FileLock(Path(directory) / "compiling.lock", timeout=LONGEST_WAIT)
                held.enter_context(lock)
        yield


@contextmanager
def its_turn(size: int) -> Iterator[None]:
    """Run a program whose largest array has `size` numbers: a large one waits for the others."""
    if size < LARGE:
        yield
        return
    with _TURN:
        yield
