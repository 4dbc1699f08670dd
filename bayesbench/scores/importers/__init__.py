"""Importers: result files of other tools, read with their errors, settings, dates and sources."""

from __future__ import annotations

from .imported import ImportedScores
from .reading import read_results

__all__ = ["ImportedScores", "read_results"]
