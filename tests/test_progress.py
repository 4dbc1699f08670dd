"""Progress: stages add up to one job, a bar says what is left, and only on a terminal."""

from __future__ import annotations

import io
import re
import threading

import pytest

from bayesbench.progress import Job, Report, _said, bar

Told = list[tuple[int, int, str]]


def keeping(told: Told) -> Report:
    def report(done: int, total: int, note: str = "") -> None:
        told.append((done, total, note))

    return report


def test_stages_count_in_their_own_units() -> None:
    told: Told = []
    first, second = Job([("sampling", 300), ("recalibration", 100)], keeping(told)).reports
    first(0, 8, "compiling")
    first(4, 8)
    first(8, 8)
    second(1, 2, "3 divergent")
    second(2, 2)
    assert told == [
        (0, 400, "sampling, compiling"),
        (150, 400, "sampling"),
        (300, 400, "sampling"),
        (350, 400, "recalibration, 3 divergent"),
        (400, 400, "recalibration"),
    ]


def test_what_is_told_never_falls_and_never_exceeds_the_total() -> None:
    told: Told = []
    one, other = Job([("", 10), ("", 10)], keeping(told)).reports
    for done in (3, 1, 9, 12):
        one(done, 10)
    other(5, 0)  # a stage without work of its own
    assert [done for done, *_ in told] == [3, 3, 9, 10, 20]


def test_jobs_nest() -> None:
    told: Told = []
    (whole,) = Job([("recalibration", 600)], keeping(told)).reports
    for part in Job([("", 1)] * 3, whole).reports:
        part(1, 1)
    assert told == [(200 * n, 600, "recalibration") for n in (1, 2, 3)]


def test_a_job_without_anyone_who_watches() -> None:
    (stage,) = Job([("sampling", 3)], None).reports
    stage(3, 3)


def test_stages_side_by_side_tell_one_at_a_time() -> None:
    inside, seen, lock = threading.Semaphore(1), list[int](), threading.Lock()

    def report(done: int, total: int, note: str = "") -> None:
        assert inside.acquire(blocking=False)
        with lock:
            seen.append(done)
        inside.release()

    stages = Job([("", 200)] * 4, report).reports

    def work(stage: Report) -> None:
        for done in range(1, 201):
            stage(done, 200)

    threads = [threading.Thread(target=work, args=(stage,)) for stage in stages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == list(range(1, 801))


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """What was written, without escape codes."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    return Clock()


def test_nothing_off_a_terminal(clock: Clock) -> None:
    stream = io.StringIO()
    with bar("fit", stream=stream, clock=clock) as report:
        assert report is None
        clock.now += 60
    assert stream.getvalue() == ""


def test_the_bar_says_stage_share_and_what_is_left(clock: Clock) -> None:
    stream = Terminal()
    with bar("fit", stream=stream, clock=clock) as report:
        assert report is not None
        clock.now += 30
        report(1, 4, "sampling")
        clock.now += 100
        report(2, 4, "recalibration")
    text = stream.text
    assert "fit" in text
    assert re.search(r"25% +sampling +about 1:30 left", text)  # 30 s for a quarter
    assert re.search(r"50% +recalibration +about 2:10 left", text)
    assert "?" not in text


def test_short_work_shows_nothing(clock: Clock) -> None:
    stream = Terminal()
    with bar("fit", stream=stream, clock=clock) as report:
        assert report is not None
        report(1, 1000)  # within the first half second
        clock.now += 0.6
        report(1, 2)  # 1.2 s in all
        clock.now += 0.5
        report(2, 2)
    assert stream.getvalue() == ""


def test_long_work_is_shown_before_its_first_part_is_done(clock: Clock) -> None:
    stream = Terminal()
    with bar("fit", stream=stream, clock=clock) as report:
        assert report is not None
        clock.now += 0.6
        report(0, 10, "sampling, compiling")
    assert re.search(r"fit .* 0% +sampling, compiling", stream.text)


def test_a_bar_never_goes_back(clock: Clock) -> None:
    stream = Terminal()
    with bar("fit", stream=stream, clock=clock) as report:
        assert report is not None
        clock.now += 10
        report(3, 4)
        report(1, 4)
    assert "75%" in stream.text
    assert "25%" not in stream.text


@pytest.mark.parametrize(("seconds", "said"), [
    (None, ""), (4.4, "about 0:04 left"), (75, "about 1:15 left"), (3725, "about 1:02:05 left"),
])  # fmt: skip
def test_times_are_said_as_clocks_do(seconds: float | None, said: str) -> None:
    assert _said(seconds) == said
