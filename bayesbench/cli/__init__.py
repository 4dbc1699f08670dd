"""The command line: ``bayesbench``; commands are loaded when called."""

from __future__ import annotations

from .entry import main

__all__ = ["main"]
