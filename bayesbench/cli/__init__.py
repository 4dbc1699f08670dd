"""The command line: ``bayesbench``. Commands are loaded when called, so that each starts fast."""

from __future__ import annotations

from .entry import main

__all__ = ["main"]
