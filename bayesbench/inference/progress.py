"""Progress of a fit: what samplers report, and a bar on the terminal that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["Report", "progress_bar"]


class Report(Protocol):
    """Called by a sampler, from one thread at a time, after every block of its work."""

    def __call__(self, done: int, total: int, divergences: int = 0) -> None:
        """Tell how much is done.

        Parameters
        ----------
        done, total : int
            Draws (warmup included, over all chains), or steps.
        divergences : int
            Divergent draws after the warmup so far.
        """


@contextmanager
def progress_bar(description: str, console: Console | None = None) -> Iterator[Report | None]:
    """A bar with draws, divergences and times on standard error; None where that is no terminal.

    Parameters
    ----------
    description : str
    console : rich.console.Console, optional
        Standard error if not given.
    """
    console = Console(stderr=True) if console is None else console
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(description, total=None, note="")

        def report(done: int, total: int, divergences: int = 0) -> None:
            note = f"{divergences} divergent" if divergences else ""
            bar.update(task, completed=done, total=total, note=note)

        yield report
