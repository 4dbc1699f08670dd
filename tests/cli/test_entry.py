"""The entry point: every failure is one line on stderr and an exit code."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from bayesbench.errors import UnknownIdError
from tests.cli.conftest import Run


def test_an_unforeseen_error_is_one_line_with_a_hint(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: object) -> None:
        raise ZeroDivisionError("one\ntwo")

    monkeypatch.setattr("bayesbench.front.posterior.Posterior.load", broken)
    found = run("models", "--posterior", "x.nc")
    assert (found.code, found.out) == (1, "")
    assert found.err == (
        "error: ZeroDivisionError: one two (run again with --debug for the traceback)\n"
    )
    shown = run("models", "--posterior", "x.nc", "--debug")
    assert shown.code == 1
    assert shown.err.startswith("Traceback") and "in broken" in shown.err


def test_an_interrupt_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bayesbench.front.posterior.Posterior.load", interrupted)
    found = run("models", "--posterior", "x.nc")
    assert (found.code, found.out, found.err) == (130, "", "error: interrupted\n")


def test_warnings_are_one_line_on_stderr(
    ask: Run, monkeypatch: pytest.MonkeyPatch, posterior_file: Path
) -> None:
    from bayesbench.front.posterior import Posterior

    load = Posterior.load

    def warns(path: str) -> Posterior:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("the file\nis old", UserWarning, stacklevel=1)
        return load(path)

    monkeypatch.setattr("bayesbench.front.posterior.Posterior.load", warns)
    found = ask("models", "--format", "csv")
    assert found.err == "warning: the file is old\n"


def test_a_reader_that_goes_away_is_no_error(repository: Path, posterior_file: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    call = [sys.executable, "-m", "bayesbench", "models", "--posterior", str(posterior_file)]
    with subprocess.Popen(
        call, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line(repository: Path, posterior_file: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    call = [sys.executable, "-m", "bayesbench", "models", "--posterior", str(posterior_file)]
    with open("/dev/full", "wb") as full:
        found = subprocess.run(
            call, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (found.returncode, found.stderr) == (1, "error: No space left on device\n")


# a shell starts background jobs with SIGINT ignored, and tests may be one
SLEEPER = """
import atexit, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from bayesbench.cli import main
from bayesbench.front.posterior import Posterior

def load(path):
    print("ready", flush=True)
    time.sleep(600)

Posterior.load = load
atexit.register(lambda: print("late", flush=True))
sys.argv[1:] = ["models", "--posterior", "x.nc"]
sys.exit(main())
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")
def test_an_interrupted_process_ends_in_one_line(repository: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGINT)
        out, err = running.communicate()
        # and at once: what stands at the end of the interpreter is not waited for
        assert (running.returncode, out, err) == (130, b"", b"error: interrupted\n")


def test_errors_survive_the_way_from_another_process() -> None:
    error = UnknownIdError("benchmark", "mmul", ["mmlu"])
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.suggestions) == (str(error), ("mmlu",))
