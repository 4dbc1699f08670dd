"""What the machine gives: cores, and a directory for what can be made again."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

__all__ = ["cache_directory", "usable_cores"]


def usable_cores() -> int:
    """Cores this process may run on: those it is bound to where the system tells, else all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_directory(*parts: str) -> Path:
    """Directory of this package below the user's cache directory; it is not made here.

    On Linux ``$XDG_CACHE_HOME/bayesbench``, by default ``~/.cache/bayesbench``; elsewhere where
    the system keeps such files.

    Parameters
    ----------
    *parts : str
        Names of folders below it.

    Examples
    --------
    >>> cache_directory("evaluate").name
    'evaluate'
    """
    return user_cache_path("bayesbench", appauthor=False).joinpath(*parts)
