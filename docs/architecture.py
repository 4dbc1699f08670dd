"""The table of ARCHITECTURE.md and the list of docs/modules.md: ``python docs/architecture.py``.

Both are made from the first lines of the modules' docstrings, in the order of the layers of
``pyproject.toml``. With ``--check`` nothing is written: a file that differs ends with exit code 1.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "bayesbench"
START, END = "<!-- files -->\n", "<!-- end of files -->\n"
BESIDE = re.compile(r"\s*[:|]\s*")
"""What stands between the modules of one layer."""


def layers(root: Path) -> list[list[str]]:
    """Names below the package by layer, lowest first: the exhaustive contract of the layers."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (order,) = (one["layers"] for one in contracts if one.get("exhaustive"))
    return [BESIDE.split(layer) for layer in reversed(order)]


def first_line(file: Path) -> str:
    """First line of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    if not text:
        raise SystemExit(f"{file}: no docstring; say in one line what it holds")
    return text.splitlines()[0].removesuffix(".").replace("|", "\\|")


def modules(folder: Path) -> list[str]:
    """Modules of a package below its folder, in order; those of a folder of its own behind it."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (path / "__init__.py").is_file():
            found += [f"{path.name}/{name}" for name in ["", *modules(path)]]
        elif path.suffix == ".py" and path.name != "__init__.py":
            found.append(path.stem)
    return found


def names(folder: Path) -> str:
    """The modules of a package as prose; of a package within it the name alone."""
    parts = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (path / "__init__.py").is_file():
            parts.append(f"{path.name}/")
        elif path.suffix == ".py" and path.name != "__init__.py":
            parts.append(path.stem)
    return ", ".join(parts)


def table(root: Path) -> str:
    """One row per name directly below the package, lowest layer first."""
    rows = ["| layer | name | holds | modules |", "|---|---|---|---|"]
    for level, layer in enumerate(layers(root)):
        for name in layer:
            folder = root / PACKAGE / name
            if folder.is_dir():
                holds = first_line(folder / "__init__.py")
                rows.append(f"| {level} | `{name}/` | {holds} | {names(folder)} |")
            else:
                rows.append(f"| {level} | `{name}` | {first_line(folder.with_suffix('.py'))} | |")
    return "\n".join(rows) + "\n"


def listing(root: Path) -> str:
    """Every module with its first line, by package, lowest layer first."""
    parts = [
        "# Modules\n\nOne line each, lowest layer first; made by `python docs/architecture.py` "
        "from the modules' docstrings.\n"
    ]
    single = []
    for name in [name for layer in layers(root) for name in layer]:
        folder = root / PACKAGE / name
        if not folder.is_dir():
            single.append(f"- `{name}`: {first_line(folder.with_suffix('.py'))}")
            continue
        lines = [f"\n## {name}\n{first_line(folder / '__init__.py')}.\n"]
        for module in modules(folder):
            file = folder / (f"{module}__init__.py" if module.endswith("/") else f"{module}.py")
            lines.append(f"- `{module}`: {first_line(file)}")
        parts.append("\n".join(lines) + "\n")
    return parts[0] + "\n" + "\n".join(single) + "\n" + "".join(parts[1:])


def filled(text: str, part: str) -> str:
    """The text with what stands between the two markers replaced."""
    before, rest = text.split(START)
    return before + START + part + END + rest.split(END)[1]


def made(root: Path) -> dict[Path, str]:
    """What the generated files should hold."""
    page = root / "ARCHITECTURE.md"
    return {
        page: filled(page.read_text(encoding="utf-8"), table(root)),
        root / "docs" / "modules.md": listing(root),
    }


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write the files, or with ``--check`` compare them; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if they differ")
    check = parser.parse_args(arguments).check
    wanted = made(root)
    differing = [
        file.relative_to(root).as_posix()
        for file, text in wanted.items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]
    if check and differing:
        print(f"{' and '.join(differing)}: not up to date; run python docs/architecture.py")
        return 1
    if not check:
        for file, text in wanted.items():
            file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
