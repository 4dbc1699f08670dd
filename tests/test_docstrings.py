"""Docstrings: their examples run and give what they show; every public name has one."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import bayesbench
from tests.conftest import REPOSITORY

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SLOW = {"bayesbench.audit", "bayesbench.fitting.fit", "bayesbench.fitting.sample"}
"""Modules whose examples fit something and take more than about five seconds."""

EXAMPLES = re.compile(r"^Examples\n-{8}\n.*?^>>> ", re.MULTILINE | re.DOTALL)


def module_name(file: Path) -> str:
    parts = file.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def shown_modules() -> list[str]:
    """Modules with an example in one of their docstrings."""
    files = sorted((REPOSITORY / "bayesbench").rglob("*.py"))
    return [module_name(file) for file in files if ">>> " in file.read_text(encoding="utf-8")]


def failures(module: object, globs: dict[str, object] | None = None) -> tuple[list[str], int]:
    """What the examples of a module did not give as shown, and how many were run."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    said: list[str] = []
    for test in finder.find(module, extraglobs=globs):
        runner.run(test, out=said.append)
    return said, runner.tries


def marked(name: str) -> object:
    return pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name


@pytest.mark.parametrize("name", [marked(name) for name in shown_modules()])
def test_examples_give_what_they_show(name: str) -> None:
    said, tried = failures(importlib.import_module(name))
    assert not said, "".join(said)
    assert tried  # an example outside a docstring would not be run


def public_names() -> list[str]:
    stub = REPOSITORY / "bayesbench" / "__init__.pyi"
    nodes = ast.walk(ast.parse(stub.read_text(encoding="utf-8")))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return sorted(item.asname or item.name for node in imports for item in node.names)


def parameters(value: object) -> set[str]:
    """Names of the public parameters; none where Python itself has the constructor."""
    try:
        names = inspect.signature(value).parameters  # type: ignore[arg-type]
    except ValueError:
        return set()
    return {name for name in names if name[0] != "_" and name not in ("self", "args", "kwargs")}


def faults(value: object) -> list[str]:
    """What is missing in the docstring of a public class or function."""
    assert inspect.isclass(value) or inspect.isfunction(value), "neither class nor function"
    text = inspect.getdoc(value) or ""
    own = bool(vars(value).get("__doc__")) if inspect.isclass(value) else bool(value.__doc__)
    found = []
    if not own or not text or not text.splitlines()[0].endswith((".", "?", ":")):
        found.append("a first line that ends in a full stop")
    elif inspect.isclass(value) and text.startswith(f"{value.__name__}("):
        found.append("a docstring of its own")  # a dataclass without one gets its signature
    inherited = {name for base in value.__mro__[1:] for name in parameters(base)} if (
        inspect.isclass(value)
    ) else set()  # fmt: skip
    head = "Parameters" if inspect.isfunction(value) else "(Parameters|Attributes)"
    if parameters(value) - inherited and not re.search(rf"^{head}\n-{{8,}}\n", text, re.MULTILINE):
        found.append(f"a section {head}")
    if not EXAMPLES.search(text):
        found.append("a section Examples")
    return found


def test_the_stub_names_what_the_package_gives() -> None:
    assert public_names() == sorted(bayesbench.__all__)


@pytest.mark.parametrize("name", public_names())
def test_a_public_name_says_what_it_is_and_shows_it(name: str) -> None:
    assert faults(getattr(bayesbench, name)) == []


def test_a_wrong_example_is_found(tmp_path: Path) -> None:
    file = tmp_path / "toy_examples.py"
    text = '"""Toy.\n\n>>> 1 + 1\n{}\n>>> print("a  b ... z")\na b ... z\n"""\n'
    for shown, wrong in (("2", False), ("3", True)):
        file.write_text(text.format(shown), encoding="utf-8")
        spec = importlib.util.spec_from_file_location("toy_examples", file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        source = compile(file.read_text(encoding="utf-8"), str(file), "exec")
        exec(source, vars(module))
        said, tried = failures(module)
        assert tried == 2 and bool(said) == wrong


def test_a_bare_docstring_is_found() -> None:
    def bare(x: int) -> int:
        """Do it."""
        return x

    def full(x: int) -> int:
        """Do it.

        Parameters
        ----------
        x : int

        Examples
        --------
        >>> 1
        1
        """
        return x

    class Heir(bayesbench.Costs):
        pass

    assert faults(bare) == ["a section Parameters", "a section Examples"]
    assert faults(full) == []
    assert "a first line that ends in a full stop" in faults(Heir)
