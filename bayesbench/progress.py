"""How far long work is: those who do it tell a `Report`, a `Job` adds up stages, a bar shows it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Job", "Report", "bar"]

QUIET_SECONDS = 0.5
"""Nothing is shown before."""
SHORT_SECONDS = 2.0
"""Work expected to take less than this in all is never shown."""


class Report(Protocol):
    """Told how much is done, as the work goes on."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Tell how much is done.

        Parameters
        ----------
        done, total : int
            Units of work, such as sweeps or draws over all chains; ``total`` is at least 1 and
            known from the start, ``done`` never falls.
        note : str
            What is going on, in a few words; may be empty.
        """


class Job:
    """A whole job as stages with known amounts of work, in one unit.

    Stages may run one after the other or side by side, from any thread; `report` is called by one
    thread at a time, and what it is told never falls.

    Parameters
    ----------
    stages : sequence of (str, int)
        Name, which may be empty, and amount of work of each.
    report : Report, optional
        Told of the whole job; its note is the stage's name with what the stage adds.

    Attributes
    ----------
    reports : tuple of Report
        One per stage. A stage may count in other units than its work is stated in.

    Examples
    --------
    >>> job = Job([("sampling", 300), ("recalibration", 100)], lambda *at: print(*at))
    >>> sampling, recalibration = job.reports
    >>> sampling(1, 2)
    150 400 sampling
    >>> recalibration(100, 100, "all folds")
    250 400 recalibration, all folds
    """

    def __init__(self, stages: Sequence[tuple[str, int]], report: Report | None) -> None:
        self._report = report
        self._done = [0] * len(stages)
        self._total = sum(work for _, work in stages)
        self._lock = threading.Lock()
        self.reports: tuple[Report, ...] = tuple(
            self._stage(number, name, work) for number, (name, work) in enumerate(stages)
        )

    def _stage(self, number: int, name: str, work: int) -> Report:
        def told(done: int, total: int, note: str = "") -> None:
            with self._lock:
                share = min(work, done * work // max(total, 1))
                self._done[number] = max(self._done[number], share)
                if self._report is not None:
                    words = ", ".join(word for word in (name, note) if word)
                    self._report(sum(self._done), self._total, words)

        return told


@contextmanager
def bar(
    label: str,
    *,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Report | None]:
    """Give a report that moves a bar; None where the stream is no terminal.

    The bar shows the share done, the note, and about how long the rest will take: the time so far
    times (1 - share) / share. Work of less than about two seconds shows none.

    Parameters
    ----------
    label : str
    stream : text stream, optional
        By default stderr.
    clock : callable
        Seconds.
    """
    stream = sys.stderr if stream is None else stream
    if not stream.isatty():
        yield None
        return
    shown = _Bar(label, stream, clock)
    late = threading.Timer(QUIET_SECONDS, shown.look)  # when the first report takes long
    late.daemon = True
    late.start()
    try:
        yield shown.report
    finally:
        late.cancel()
        shown.end()


class _Bar:
    def __init__(self, label: str, stream: TextIO, clock: Callable[[], float]) -> None:
        self.label, self.stream, self.clock = label, stream, clock
        self.begun = clock()
        self.share, self.note = 0.0, ""
        self.lock = threading.Lock()
        self.display: Progress | None = None
        self.ended = False

    def report(self, done: int, total: int, note: str = "") -> None:
        """Move the bar."""
        with self.lock:
            self.share = max(self.share, min(1.0, done / max(total, 1)))
            self.note = note
        self.look()

    def look(self) -> None:
        """Show what is known by now, if it is time to."""
        with self.lock:
            seconds = self.clock() - self.begun
            if self.ended or (self.display is None and not _worth_showing(seconds, self.share)):
                return
            if self.display is None:
                self.display = _display(self.label, self.stream, self.clock)
                self.display.start()
            self.display.update(
                self.display.task_ids[0],
                completed=self.share,
                note=self.note,
                left=_said(_seconds_left(seconds, self.share)),
                refresh=True,
            )

    def end(self) -> None:
        """Take the bar away."""
        with self.lock:
            self.ended = True
            if self.display is not None:
                self.display.stop()


def _worth_showing(seconds: float, share: float) -> bool:
    return seconds >= QUIET_SECONDS and seconds >= share * SHORT_SECONDS


def _seconds_left(seconds: float, share: float) -> float | None:
    return seconds * (1.0 - share) / share if share > 0 else None


def _said(seconds: float | None) -> str:
    if seconds is None:
        return ""
    hours, rest = divmod(round(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    clock = f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
    return f"about {clock} left"


def _display(label: str, stream: TextIO, clock: Callable[[], float]) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    display = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TextColumn("{task.fields[left]}"),
        console=Console(file=stream),
        transient=True,
        redirect_stdout=False,
        get_time=clock,
    )
    display.add_task(label, total=1.0, note="", left="")
    return display
