"""Compiled programs: kept between processes, compiled and, if large, run one at a time."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax

__all__ = ["OPT_OUT", "cache_directory", "its_turn", "one_compilation", "use_compilation_cache"]

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


def cache_directory() -> Path:
    """Directory of the compiled programs, below the user's cache directory."""
    if os.environ.get("XDG_CACHE_HOME"):
        base = Path(os.environ["XDG_CACHE_HOME"])
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        base = Path(os.environ["LOCALAPPDATA"])
    else:
        base = Path.home() / ".cache"
    return base / "bayesbench" / "compiled"


def use_compilation_cache() -> Path | None:
    """Let jax keep compiled programs on disk; call before the first compilation.

    A cache directory that is already configured stays. A directory that cannot be written is
    harmless: everything is then compiled in memory.

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
        directory = cache_directory()
        directory.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: no home directory
        return None
    if not os.access(directory, os.W_OK):
        return None
    settings.update("jax_compilation_cache_dir", str(directory))
    settings.update("jax_persistent_cache_min_compile_time_secs", LEAST_COMPILE_SECONDS)
    return directory


@contextmanager
def one_compilation() -> Iterator[None]:
    """Wait until no other thread or process compiles a large program into the same cache.

    Processes that start together need the same program: the second finds it in the cache sooner
    than it would compile it beside the first. Without a cache, or without file locks on the
    system, only threads wait for each other.
    """
    directory = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    with _ONE:
        try:
            import fcntl

            lock = (Path(directory) / "compiling.lock").open("w") if directory else None
        except (ImportError, OSError):
            lock = None
        if lock is None:
            yield
            return
        with lock:  # closing the file releases it
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def its_turn(size: int) -> Iterator[None]:
    """Run a program whose largest array has `size` numbers: a large one waits for the others."""
    if size < LARGE:
        yield
        return
    with _TURN:
        yield
