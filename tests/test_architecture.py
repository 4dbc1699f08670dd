"""The shape of the package: its pages, cycles, names and mirrored tests."""

from __future__ import annotations

import ast
import importlib.util
import io
import re
import shutil
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType

import grimp
import pytest

from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "bayesbench"
FILES = sorted(PACKAGE.rglob("*.py"))

SAME_THING = {
    ("answers", "plots/answers"): "answers and their plots",
    ("answers/decide", "cli/decide"): "function and command",
    ("answers/explain", "cli/explain"): "function and command",
    ("audit", "cli/audit"): "function and command",
    ("campaign", "campaign/campaign"): "package and its one class",
    ("campaign/campaign", "cli/campaign"): "class and command",
    ("evaluation/methods/probes", "plots/probes"): "probe curves and their plots",
    ("evaluation/methods/low_rank", "low_rank"): "the model as a method of the evaluation",
    ("cli/fetching", "scores/fetching"): "download and command",
    ("cli/fit", "fitting/fit"): "function and command",
    ("cli/items", "items"): "package and commands",
    ("cli/report", "report"): "package and command",
    ("cli/structure", "structure"): "package and command",
    ("cli/upkeep", "scores/upkeep"): "package and commands",
    ("evaluation/methods/as_shipped", "evaluation/protocols/as_shipped"): "protocol and method",
    ("evaluation/methods/new_release", "evaluation/protocols/new_release"): "protocol and method",
    ("evaluation/methods/small_tables", "evaluation/protocols/small_tables"): "protocol and method",
    ("evaluation/methods/probes", "evaluation/protocols/probes"): "protocol and method",
    ("front/posterior", "posterior"): "what a fit leaves: as asked and as stored",
    ("plots/structure", "structure"): "figures and their plots",
}
"""Modules and packages that may share a name, each pair being one thing in two roles."""

NO_TEST_OF_ITS_OWN = {
    "cli/shapes": "types alone; the tools are compared with the commands by means of them",
    "errors": "classes that hold a message; every test of a bad input reads one",
    "low_rank/parameters": "a table of names; engines and the posterior file are tested with it",
}
"""Modules whose code other tests run, with the reason."""

SMALL = 15
"""Lines of code up to which a module needs no test file of its own."""


def inner(file: Path) -> str:
    """Path below the package without suffix; a package has that of its folder."""
    path = file.relative_to(PACKAGE).with_suffix("")
    return (path.parent if path.name == "__init__" else path).as_posix()


# Pages


def script() -> ModuleType:
    file = REPOSITORY / "docs" / "architecture.py"
    spec = importlib.util.spec_from_file_location("docs_architecture", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


architecture = script()


def test_the_tables_are_those_of_the_docstrings(capsys: pytest.CaptureFixture[str]) -> None:
    assert architecture.main(["--check"]) == 0, capsys.readouterr().out


def test_every_module_is_listed_once() -> None:
    text = (REPOSITORY / "docs" / "modules.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^- `", text, re.M)) + len(re.findall(r"^## ", text, re.M)) == (
        len(FILES) - 1  # the package itself stands nowhere
    )


def test_the_page_is_two_pages_at_most() -> None:
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 110
    assert len(text.split()) <= 1300


def test_the_diagram_names_every_layer_from_low_to_high() -> None:
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    diagram = text.split("```mermaid")[1].split("```")[0]
    nodes = re.findall(r'^ +\w+\["([^:"]*)', diagram, re.M)
    drawn = [name for node in nodes for name in node.split(", ") if name != "the only ones"]
    ordered = architecture.layers(REPOSITORY)
    assert sorted(drawn) == sorted(name for layer in ordered for name in layer)


def test_links_of_the_page_lead_somewhere() -> None:
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert links and all((REPOSITORY / link).is_file() for link in links)


def small_house(root: Path) -> Path:
    (root / "docs").mkdir()
    for name in ("pyproject.toml", "ARCHITECTURE.md"):
        shutil.copy(REPOSITORY / name, root / name)
    for file in FILES:
        copy = root / file.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return root


def test_a_docstring_that_changed_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = small_house(tmp_path)
    assert architecture.main([], root) == 0
    assert architecture.main(["--check"], root) == 0
    changed = root / "bayesbench" / "scores" / "ids.py"
    changed.write_text('"""Something else."""\n', encoding="utf-8")
    assert architecture.main(["--check"], root) == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "docs/modules.md" in said and "ARCHITECTURE" not in said
    assert architecture.main([], root) == 0
    assert "- `ids`: Something else\n" in (root / "docs" / "modules.md").read_text()


# Cycles


def cycles(package: str) -> list[list[str]]:
    """Groups of modules that reach one another by imports, wherever these stand in the file."""
    graph = grimp.build_graph(package, exclude_type_checking_imports=False, cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    return strongly_connected(imports)


def strongly_connected(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Strongly connected components of more than one node, by Kosaraju's two searches."""
    back: dict[str, list[str]] = defaultdict(list)
    for start, ends in edges.items():
        for end in ends:
            back[end].append(start)
    finished: list[str] = []
    seen: set[str] = set()
    for start in sorted(edges):
        _walk(start, edges, seen, finished)
    found, seen = [], set()
    for start in reversed(finished):
        group: list[str] = []
        _walk(start, back, seen, group)
        if len(group) > 1:
            found.append(sorted(group))
    return sorted(found)


def _walk(
    start: str, edges: Mapping[str, Iterable[str]], seen: set[str], finished: list[str]
) -> None:
    """Depth first from a node, by hand: nodes are appended once all they lead to are."""
    if start in seen:
        return
    seen.add(start)
    open_nodes = [(start, iter(sorted(edges.get(start, ()))))]
    while open_nodes:
        node, ends = open_nodes[-1]
        following = next((end for end in ends if end not in seen), None)
        if following is None:
            finished.append(node)
            open_nodes.pop()
        else:
            seen.add(following)
            open_nodes.append((following, iter(sorted(edges.get(following, ())))))


def test_no_import_cycles() -> None:
    assert cycles("bayesbench") == []


@pytest.mark.parametrize(
    "closing",
    [
        "from .first import f",
        "def g():\n    from .first import f\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .first import f\n",
    ],
    ids=["plain", "in a function", "for types only"],
)
def test_a_cycle_is_found_wherever_the_import_stands(
    closing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "toy_house"
    toy = tmp_path / name
    toy.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    for file, text in {
        "__init__": "",
        "first": "from .second import g",
        "second": "from . import third",
        "third": "",
        "outside": "from .first import f",
    }.items():
        (toy / f"{file}.py").write_text(text, encoding="utf-8")
    assert cycles(name) == []
    (toy / "third.py").write_text(closing, encoding="utf-8")
    assert cycles(name) == [[f"{name}.{part}" for part in ("first", "second", "third")]]


def imports_by_string(file: Path) -> list[str]:
    """Calls that import a module whose name is data."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__"):
                found.append(f"{inner(file)}:{node.lineno}")
    return found


def test_only_the_table_of_commands_imports_by_string() -> None:
    found = [place for file in FILES for place in imports_by_string(file)]
    others = [place for place in found if not place.startswith("cli/app:")]
    assert len(found) > len(others)
    assert others == [], "import the module, in the function if it is heavy"


# Names


def namesakes(paths: Iterable[str]) -> set[tuple[str, str]]:
    """Pairs of modules or packages whose last part is the same."""
    by_name = defaultdict(list)
    for path in sorted(paths):
        by_name[path.rpartition("/")[2]].append(path)
    return {
        (one, other)
        for group in by_name.values()
        for n, one in enumerate(group)
        for other in group[n + 1 :]
    }


def explained(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Pairs that follow from others: what is the same as the same thing is the same."""
    groups: list[set[str]] = []
    for pair in pairs:
        touching = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touching]
        groups.append(set(pair).union(*touching))
    return {
        (one, other) for group in groups for one in group for other in group if one < other
    }  # fmt: skip


def test_two_files_never_share_a_name_for_different_things() -> None:
    found = namesakes(inner(file) for file in FILES if file != PACKAGE / "__init__.py")
    unexplained = sorted(found - explained(SAME_THING))
    assert not unexplained, f"name one of them for what it holds: {unexplained}"


def test_every_pair_that_may_share_a_name_exists() -> None:
    there = {inner(file) for file in FILES}
    assert [pair for pair in SAME_THING if not set(pair) <= there] == []


def test_namesakes_are_found() -> None:
    assert namesakes(["a/state", "b/c/state", "state", "a/other"]) == {
        ("a/state", "b/c/state"), ("a/state", "state"), ("b/c/state", "state"),
    }  # fmt: skip
    assert explained([("a", "b"), ("c", "d"), ("b", "c")]) >= {("a", "d"), ("b", "d")}
    assert ("a", "c") not in explained([("a", "b"), ("c", "d")])


# Tests


def lines_of_code(text: str) -> int:
    """Lines with code: neither blank, comment, docstring, import nor a list of names."""
    tree = ast.parse(text)
    skipped: set[int] = set()
    for node in ast.walk(tree):
        bare = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        names = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        if bare or names or isinstance(node, ast.Import | ast.ImportFrom):
            assert isinstance(node, ast.stmt)
            skipped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    nothing = (
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENDMARKER,
    )  # fmt: skip
    used: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in nothing:
            used.update(range(token.start[0], token.end[0] + 1))
    return len(used - skipped)


def mirror(file: Path) -> Path:
    """Where the tests of a module stand; those of a package's own code bear its name."""
    below = file.relative_to(PACKAGE)
    stem = below.stem if below.stem != "__init__" else file.parent.name
    return REPOSITORY / "tests" / below.parent / f"test_{stem}.py"


LARGE = [file for file in FILES if lines_of_code(file.read_text(encoding="utf-8")) > SMALL]


def test_every_module_has_its_test_file() -> None:
    wanted = [mirror(file) for file in LARGE if inner(file) not in NO_TEST_OF_ITS_OWN]
    missing = [file.relative_to(REPOSITORY).as_posix() for file in wanted if not file.is_file()]
    assert not missing, "add\n" + "\n".join(missing)


def test_what_needs_no_test_file_exists_and_has_none() -> None:
    large = {inner(file): file for file in LARGE}
    assert set(NO_TEST_OF_ITS_OWN) <= set(large)
    assert [name for name in NO_TEST_OF_ITS_OWN if mirror(large[name]).is_file()] == []


def test_lines_of_code_are_counted() -> None:
    text = '"""Doc\nstring."""\n\nimport a\nfrom b import (\n    c,\n)\n\n# why\n__all__ = [\n'
    text += '    "f",\n]\n\n\ndef f(x):\n    """Say."""\n    return """a\nb"""  # so\n'
    assert lines_of_code(text) == 3


# Heavy imports


def test_using_brings_no_jax() -> None:
    """A package's ``__init__`` runs before its modules: import contracts do not see that."""
    code = (
        "import sys\n"
        "from bayesbench import answers, campaign, design, front, plots, posterior\n"
        "import bayesbench.front.posterior, bayesbench.structure.factors\n"
        "print(*[name for name in ('jax', 'numpyro', 'optax') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
