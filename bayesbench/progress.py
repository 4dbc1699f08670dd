"""What samplers tell whoever watches them."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Report"]


class Report(Protocol):
    """Called by a sampler, from one thread at a time, after every block of its work."""

    def __call__(self, done: int, total: int, divergences: int = 0) -> None:
        """Tell how much is done.

        Parameters
        ----------
        done, total : int
            Draws (warmup included, over all chains), sweeps, or steps.
        divergences : int
            Divergent draws after the warmup so far.
        """
