"""The runner: results in order, the first failure stops the rest, an interrupt waits for nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bayesbench.fitting import chains
from bayesbench.fitting.chains import run_all
from bayesbench.progress import Report


@pytest.fixture(params=[1, 2, 5])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(chains, "usable_cores", lambda: request.param)
    return int(request.param)


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "usable_cores", lambda: 2)


def settled() -> None:
    """Every thread of a runner has ended."""
    for thread in threading.enumerate():
        if thread.name.startswith("bayesbench-"):
            thread.join(20)
            assert not thread.is_alive()


def test_results_come_in_order(cores: int) -> None:
    tasks = [lambda report, n=n: (report(1, 1), n)[1] for n in range(7)]
    told: list[tuple[int, int]] = []
    assert run_all(tasks, work=3, report=lambda a, b, _="": told.append((a, b))) == list(range(7))
    assert told == [(3 * n, 21) for n in range(1, 8)]
    assert run_all([]) == [] == run_all([], first_alone=True)


def test_nothing_runs_in_the_calling_thread(cores: int) -> None:
    found = run_all([lambda _: threading.current_thread() for _ in range(3)])
    assert threading.current_thread() not in found
    assert all(thread.daemon for thread in found)


def test_as_many_at_a_time_as_there_are_cores(cores: int) -> None:
    """All threads meet at a barrier of that size; one more would be seen, one less would hang."""
    meet, lock, inside, most = threading.Barrier(cores, timeout=20), threading.Lock(), 0, 0

    def task(_: Report) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        meet.wait()
        with lock:
            inside -= 1
        meet.wait()

    run_all([task] * (2 * cores))
    assert most == cores


@pytest.mark.parametrize("first_alone", [True, False])
def test_the_first_may_run_alone(two_cores: None, first_alone: bool) -> None:
    began = [threading.Event() for _ in range(3)]
    seen: list[bool] = []

    def first(_: Report) -> None:
        seen.append(began[1].wait(0.2 if first_alone else 20))

    run_all([first, lambda _: began[1].set(), lambda _: began[2].set()], first_alone=first_alone)
    assert seen == [not first_alone]
    assert began[2].is_set()


def test_the_first_failure_stops_the_others_and_is_raised(two_cores: None) -> None:
    running, ended = threading.Event(), threading.Event()

    def endless(report: Report) -> None:
        running.set()
        try:
            while True:
                report(0, 1)
        finally:
            ended.set()

    def failing(_: Report) -> None:
        running.wait(20)
        raise ValueError("no more")

    never = threading.Event()
    with pytest.raises(ValueError, match="no more"):
        run_all([endless, failing, lambda _: never.set()])
    assert ended.is_set()  # waited for: nothing goes on behind who handles the failure
    assert not never.is_set()


def test_an_interrupt_waits_for_nobody(two_cores: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other thread is busy until after the interrupt has been raised."""
    busy, running, stopped = threading.Event(), threading.Event(), threading.Event()

    def long(report: Report) -> None:
        running.set()
        assert busy.wait(20)
        try:
            report(1, 1)
        except BaseException:
            stopped.set()
            raise

    def interrupted(_: Report) -> None:
        running.wait(20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all([long, interrupted])
    assert not stopped.is_set()
    busy.set()
    settled()
    assert stopped.is_set()


def test_a_run_inside_a_run_ends_with_it(two_cores: None) -> None:
    """Even if the inner tasks tell nothing to the outer report."""
    deep, ended = threading.Event(), threading.Event()

    def inner(report: Report) -> None:
        deep.set()
        try:
            while True:
                report(0, 1)
        finally:
            ended.set()

    def outer(_: Report) -> list[None]:
        return run_all([inner])

    def interrupted(_: Report) -> None:
        deep.wait(20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all([outer, interrupted])
    settled()
    assert ended.is_set()


def test_results_of_a_run_inside_a_run_and_its_failures(two_cores: None) -> None:
    told: list[tuple[int, int]] = []

    def outer(report: Report) -> list[int]:
        return run_all([lambda r, n=n: (r(2, 2), n)[1] for n in range(3)], work=5, report=report)

    assert run_all([outer, outer], work=10, report=lambda a, b, _="": told.append((a, b))) == [
        [0, 1, 2], [0, 1, 2]
    ]  # fmt: skip
    assert told[-1] == (20, 20)

    def failing(_: Report) -> None:
        raise ValueError("deep down")

    with pytest.raises(ValueError, match="deep down"):
        run_all([lambda report: run_all([failing], report=report)])


SIGNALLED = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from bayesbench.fitting.chains import run_all

def task(report):
    os.write(1, b"ready\\n")  # whole lines: two threads write
    {task}

try:
    run_all([task, task])
except KeyboardInterrupt:
    print("interrupted", flush=True)
{end}
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")
@pytest.mark.parametrize(("task", "end"), [
    ("time.sleep(600)", "os._exit(5)"),  # nobody waits for who is not listening
    ("while True: report(0, 1); time.sleep(0.01)", "sys.exit(5)"),  # who listens ends in order
])  # fmt: skip
def test_a_signal_is_answered_at_once(repository: Path, task: str, end: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    with subprocess.Popen(
        [sys.executable, "-c", SIGNALLED.format(task=task, end=end)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=60)
            assert (running.returncode, out.splitlines()[-1], err) == (5, "interrupted", "")
        finally:
            running.kill()
