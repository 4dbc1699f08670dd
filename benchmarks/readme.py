"""The outputs shown in README.md, made again: ``python benchmarks/readme.py``.

A ``text`` block holds what the ``sh`` or ``python`` block before it prints. In ``sh`` blocks the
lines that start with ``bayesbench`` are run by this Python, with the bundled posterior.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One code block; `shown` is the text of the ``text`` block behind it, if there is one."""

    language: str
    code: str
    shown: str | None
    span: tuple[int, int]

    @property
    def calls(self) -> list[list[str]]:
        """Command lines of a ``sh`` block."""
        lines = self.code.replace("\\\n", " ").splitlines()
        found = [shlex.split(line, comments=True) for line in lines]
        return [call for call in found if call]

    @property
    def programs(self) -> list[list[str]]:
        """Arguments for the Python interpreter, one list per program of the block."""
        if self.language == "python":
            return [["-c", self.code]]
        calls = self.calls if self.language == "sh" else []
        return [["-m", *call] for call in calls if call[0] == "bayesbench"]


def blocks(text: str) -> list[Block]:
    """Code blocks in order, those of ``text`` attached to the one before."""
    found = list(BLOCK.finditer(text))
    made = []
    for this, after in zip(found, [*found[1:], None], strict=False):  # also of a page without one
        if this[1] == "text":
            continue
        follows = after is not None and after[1] == "text"
        shown, span = (after[2], after.span(2)) if after is not None and follows else (None, (0, 0))
        made.append(Block(this[1], this[2], shown, span))
    return made


def output(block: Block) -> str:
    """What the block prints on stdout."""
    parts = []
    for arguments in block.programs:
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "COLUMNS": "100"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"exit code {done.returncode} of:\n{block.code}\n{done.stderr}")
        parts.append("\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines()))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    text = README.read_text(encoding="utf-8")
    for block in reversed(blocks(text)):
        if block.shown is not None:
            start, end = block.span
            text = text[:start] + output(block) + text[end:]
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
