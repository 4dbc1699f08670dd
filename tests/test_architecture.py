from __future__ import annotations

import ast
import re
from pathlib import Path

PATH = re.compile(r"`(bayesbench/[\w/]+\.py)`")


def mentioned(repository: Path) -> list[str]:
    return PATH.findall((repository / "ARCHITECTURE.md").read_text(encoding="utf-8"))


def line_for(repository: Path, file: str) -> str:
    summary = ast.get_docstring(ast.parse((repository / file).read_text(encoding="utf-8"))) or ""
    return f"| `{file}` | {summary.splitlines()[0].rstrip('.') if summary else ''} |"


def test_every_package_file_is_mentioned(repository: Path) -> None:
    files = {
        path.relative_to(repository).as_posix()
        for path in (repository / "bayesbench").rglob("*.py")
        if path != repository / "bayesbench" / "__init__.py"
    }
    missing = sorted(files - set(mentioned(repository)))
    lines = "\n".join(line_for(repository, file) for file in missing)
    assert not missing, f"add to ARCHITECTURE.md:\n{lines}"


def test_every_mentioned_file_exists_once(repository: Path) -> None:
    names = mentioned(repository)
    assert [name for name in names if not (repository / name).is_file()] == []
    assert sorted(names) == sorted(set(names))
