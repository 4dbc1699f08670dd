"""The outputs shown in docs/python.md, made again: ``python benchmarks/python_page.py``.

Its ``python`` blocks are run in order in one namespace; a ``text`` block holds what the block
before it prints.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator
from typing import Any

from readme import ROOT, Block, blocks

PAGE = ROOT / "docs" / "python.md"
FITS = "## A table of your own\n"
"""Section from which on the page fits, which takes longer."""


def run(page: list[Block]) -> Iterator[tuple[Block, str]]:
    """Each block with what it prints; files are written to the current directory."""
    names: dict[str, Any] = {"__name__": "python_page"}
    for block in page:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.code, str(PAGE), "exec"), names)
        lines = printed.getvalue().strip("\n").splitlines()
        yield block, "\n".join(line.rstrip() for line in lines) + "\n"


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        made = list(run(blocks(text.split(FITS)[0])))
    for block, printed in reversed(made):
        if block.shown is not None:
            start, end = block.span
            text = text[:start] + printed + text[end:]
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
