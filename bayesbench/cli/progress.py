"""A progress bar on stderr, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Report", "progress"]


class Report(Protocol):
    """Told how much is done, of how much."""

    def __call__(self, done: int, total: int, divergences: int = 0) -> None:
        """Say that `done` of `total` are done, with so many divergent draws."""


@contextmanager
def progress(label: str) -> Iterator[Report | None]:
    """Give a callback that moves a bar; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[doubt]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None, doubt="")

        def report(done: int, total: int, divergences: int = 0) -> None:
            doubt = f"{divergences} divergent" if divergences else ""
            bar.update(task, completed=done, total=total, doubt=doubt)

        yield report
