"""The entry point: every failure becomes one line on stderr and an exit code."""

from __future__ import annotations

import io
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import click

from ..errors import BayesbenchError, BayesbenchWarning
from .app import app
from .completing import COMPLETE
from .output import note, one_line

__all__ = ["main"]

INTERRUPTED = 130
BROKEN_PIPE = 141
DEBUG = "--debug"


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line.

    Called without arguments, as the entry of a process, it ends the process itself when that was
    interrupted: a sampler's threads may be inside compiled code, and the interpreter cannot be
    taken down in good order around them.

    Parameters
    ----------
    args : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        0; 1 for bad data or a failed run; 2 for a wrong call; 3 for failed diagnostics under
        ``--strict``; 130 when interrupted; 141 when the reader of stdout went away.
    """
    code = _run(list(sys.argv[1:] if args is None else args))
    if args is None and code == INTERRUPTED:
        _leave(code)
    return code


def _run(given: list[str]) -> int:
    debug = DEBUG in given[: given.index("--") if "--" in given else None]
    if debug:
        given.remove(DEBUG)
    if sys.stdout is None:
        return _say("standard output is closed", 1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    asked = os.environ.get(COMPLETE)
    if asked:
        from .completion import answer

        return answer(app, asked)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            warnings.simplefilter("always", BayesbenchWarning)
            # not app.main: it answers an interrupt and a broken pipe in its own way
            with app.make_context("bayesbench", given) as context:
                app.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:  # --help, --version
        return end.exit_code
    except BrokenPipeError:
        _drop_stdout()
        return BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted", INTERRUPTED)
    except Exception as error:  # the last line of defence: nothing may end in a traceback
        return _failed(error, debug)
    return 0


def _leave(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed, or its reader is gone
            stream.flush()
    os._exit(code)


def _failed(error: Exception, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    if isinstance(error, click.ClickException):
        return _say(error.format_message(), error.exit_code)
    if isinstance(error, BayesbenchError):
        return _say(str(error), error.exit_code)
    _drop_stdout()
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror}", 1)
    hint = "" if debug else f" (run again with {DEBUG} for the traceback)"
    return _say(f"{type(error).__name__}: {error}{hint}", 1)


def _say(message: str, code: int) -> int:
    note(f"error: {one_line(message)}")
    return code


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    note(f"warning: {one_line(str(message))}")


def _drop_stdout() -> None:
    """What could not be written must not fail once more when the process ends."""
    try:
        target = sys.stdout.fileno()
    except (OSError, ValueError):  # not a real file
        return
    if target == 1:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, target)
        os.close(sink)
