"""Fitting: the only code that imports jax and numpyro samplers."""

from __future__ import annotations

from .diagnostics import diagnose

__all__ = ["diagnose"]
