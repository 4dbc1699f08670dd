"""Work in threads: chains, and fits that hold scores back. One runner for all.

Nothing runs in the calling thread, so that a signal is answered while compiled code runs. Threads
are daemons: what was interrupted does not wait for them, only the end of the process does, since
the interpreter cannot be taken down in good order around compiled code.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from queue import Empty, SimpleQueue
from typing import TypeVar
from weakref import WeakSet

from ..config import usable_cores
from ..progress import Job, Report

__all__ = ["run_all"]

Made = TypeVar("Made")

LOOK_SECONDS = 0.1
"""How often one who waits looks whether those around were stopped."""
LAST_SECONDS = 30.0
"""How long the end of the process waits for threads that are left."""


class _Stopped(Exception):
    """Another thread failed, or whoever waits for this one was interrupted."""


class _Stop:
    """Whether a run, or one that it is part of, has been stopped."""

    def __init__(self, outer: _Stop | None) -> None:
        self._outer, self._event = outer, threading.Event()

    def set(self) -> None:
        """Stop this run and those inside it."""
        self._event.set()

    def check(self) -> None:
        """Raise if stopped."""
        if self._event.is_set():
            raise _Stopped
        if self._outer is not None:
            self._outer.check()


_started: WeakSet[threading.Thread] = WeakSet()

_around = threading.local()
"""Holds, in every thread started here, the `_Stop` of the run it is part of."""


def run_all(
    tasks: Sequence[Callable[[Report], Made]],
    *,
    work: int = 1,
    report: Report | None = None,
    first_alone: bool = False,
) -> list[Made]:
    """Results of all tasks, in order, made by as many threads at a time as there are cores.

    Each task must call its report now and then: there it ends when another task failed or the
    run was interrupted. Tasks may run tasks of their own.

    Parameters
    ----------
    tasks : sequence of callable
        Each is given a `Report` for its own work, in any units.
    work : int
        Units of work of each task: what ``report`` is told in.
    report : Report, optional
        Told of all tasks together.
    first_alone : bool
        Run the first task before the others, because it compiles what they share.

    Raises
    ------
    KeyboardInterrupt
        At once; the threads end at their next report.

    Examples
    --------
    >>> run_all([lambda report: 1, lambda report: 2])
    [1, 2]
    """
    stop = _Stop(getattr(_around, "stop", None))
    own = Job([("", work)] * len(tasks), report).reports

    def one(number: int) -> Made:
        def told(done: int, total: int, note: str = "") -> None:
            stop.check()
            own[number](done, total, note)

        return tasks[number](told)

    made: dict[int, Made] = {}
    first = min(1, len(tasks)) if first_alone else 0
    try:
        for numbers in (range(first), range(first, len(tasks))):
            made |= _round(one, numbers, stop)
    finally:
        stop.set()
    return [made[number] for number in range(len(tasks))]


def _round(one: Callable[[int], Made], numbers: Sequence[int], stop: _Stop) -> dict[int, Made]:
    """Results of some tasks by number."""
    left = iter(numbers)
    finished: SimpleQueue[tuple[int, Made] | BaseException] = SimpleQueue()

    def work() -> None:
        _around.stop = stop
        try:
            for number in left:  # shared by the threads: each takes the next one
                stop.check()
                finished.put((number, one(number)))
        except BaseException as failure:
            finished.put(failure)

    threads = [
        threading.Thread(target=work, daemon=True, name=f"bayesbench-{n}")
        for n in range(min(len(numbers), usable_cores()))
    ]
    _wait_at_exit()
    for thread in threads:
        thread.start()
        _started.add(thread)
    made: dict[int, Made] = {}
    while len(made) < len(numbers):
        stop.check()
        try:
            outcome = finished.get(timeout=LOOK_SECONDS)
        except Empty:
            continue
        if isinstance(outcome, BaseException):
            stop.set()
            if isinstance(outcome, Exception):
                _wait_for(threads)
            raise outcome
        made[outcome[0]] = outcome[1]
    return made


def _wait_for(threads: Sequence[threading.Thread]) -> None:
    """Let nothing go on behind the back of one who handles the failure."""
    for thread in threads:
        while thread.is_alive():
            thread.join(LOOK_SECONDS)


@cache
def _wait_at_exit() -> None:
    """Let threads that were stopped reach the end of their block before the interpreter ends."""

    def wait() -> None:
        last = time.monotonic() + LAST_SECONDS
        for thread in list(_started):
            thread.join(max(0.0, last - time.monotonic()))

    atexit.register(wait)
