"""The outputs shown in the pages of the site, made again: ``python benchmarks/pages.py``.

The blocks of a page are run in order, in an empty folder: ``python`` in one namespace, ``sh`` by a
shell that stops at the first error. A ``text`` block holds what the block before it prints.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from readme import ROOT, Block, blocks

DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *DOCS.glob("concepts/*.md"),
        *DOCS.glob("howto/*.md"),
        *(DOCS / f"{name}.md" for name in ("start", "glossary", "limits", "peers")),
    ]
)
"""Pages whose every block runs; those of before have tests of their own."""


def run(page: list[Block], folder: Path) -> Iterator[tuple[Block, str]]:
    """Each block with what it prints; files are written to the folder."""
    names: dict[str, Any] = {"__name__": "page"}
    with tempfile.TemporaryDirectory() as beside, contextlib.chdir(folder):
        environment = _environment(Path(beside))
        for block in page:
            if block.language == "python":
                printed = _by_python(block.code, names)
            elif block.language == "sh":
                printed = _by_shell(block.code, environment)
            else:
                raise ValueError(f"a block of {block.language} cannot be run:\n{block.code}")
            lines = printed.strip("\n").splitlines()
            yield block, "\n".join(line.rstrip() for line in lines) + "\n"


def _environment(folder: Path) -> dict[str, str]:
    """In which ``bayesbench`` is this Python with the package of this repository."""
    program = folder / "bayesbench"
    call = f'exec {shlex.quote(sys.executable)} -W error -m bayesbench "$@"\n'
    program.write_text(f"#!/bin/sh\n{call}", encoding="utf-8")
    program.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "100",
    }


def _by_python(code: str, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "page", "exec", dont_inherit=True), names)
    return printed.getvalue()


def _by_shell(code: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-e", "-c", code], env=environment, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode} of:\n{code}\n{done.stderr}")
    return done.stdout


def main() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found = blocks(text)
        if not any(block.shown is not None for block in found):
            continue
        with tempfile.TemporaryDirectory() as folder:
            made = list(run(found, Path(folder)))
        for block, printed in reversed(made):
            if block.shown is not None:
                start, end = block.span
                text = text[:start] + printed + text[end:]
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
