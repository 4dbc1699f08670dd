"""The documentation site: its code runs and prints what is shown, every public name is in it."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

import bayesbench
from bayesbench.cli.app import COMMANDS, app
from tests.conftest import REPOSITORY
from tests.test_readme import LINK, NUMBER, script

page = script("pages")
DOCS = REPOSITORY / "docs"
SLOW = {"budget", "campaign", "extend", "imports", "own_model", "own_table", "report", "start"}
"""Pages that take more than about five seconds: many calls, or a fit."""
FENCE = re.compile(r"^ *(?:```|~~~)(.*)$", re.MULTILINE)
DIRECTIVES = {"{eval-rst}", "{math}", "{toctree}", "{command-line}"}
DOCUMENTED = re.compile(r"^\.\. (?:auto\w+|py:data):: (bayesbench\.\S+)$", re.MULTILINE)
NOT_ASKED = {"bayesbench.cli"}
"""Its one public name is what the command line starts."""


def check(text: str, folder: Path) -> int:
    """Run the blocks of a page and compare what they print; how many were run."""
    ran = 0
    for block, printed in page.run(page.blocks(text), folder):
        ran += 1
        if block.shown is not None:
            # Numbers may differ in the last digit shown between machines; words may not.
            assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", block.shown).split(), printed
            pairs = zip(NUMBER.findall(printed), NUMBER.findall(block.shown), strict=True)
            for got, wanted in pairs:
                assert float(got) == pytest.approx(float(wanted), rel=0.03, abs=0.02), printed
    return ran


def name_of(file: Path) -> str:
    return file.relative_to(DOCS).with_suffix("").as_posix()


WITH_CODE = [file for file in page.PAGES if page.blocks(file.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=name_of(file), marks=[pytest.mark.slow] * (file.stem in SLOW))
        for file in WITH_CODE
    ],
)
@pytest.mark.filterwarnings("ignore:diagnostics")  # quick settings; the pages say so
def test_the_blocks_of_a_page_run(file: Path, tmp_path: Path) -> None:
    assert check(file.read_text(encoding="utf-8"), tmp_path) > 0


def test_a_wrong_block_is_found(tmp_path: Path) -> None:
    code = "from pathlib import Path\nprint('so', Path('a').read_text())\n"
    right = f"```sh\nseq 2 > a\n```\n\n```python\n{code}```\n\n"
    shown = "```text\nso 1\n2\n```\n"
    assert check(right + shown, tmp_path) == 2
    for wrong in (shown.replace("so", "or"), shown.replace("2", "3")):
        with pytest.raises(AssertionError):
            check(right + wrong, tmp_path)
    with pytest.raises(RuntimeError, match="exit code"):
        check("```sh\nfalse\ntrue\n```\n", tmp_path)
    with pytest.raises(ValueError, match="cannot be run"):
        check("```bash\ntrue\n```\n", tmp_path)


def unseen(text: str) -> list[str]:
    """What opens a block that is neither run nor known to hold no code."""
    opening = [words.strip() for words in FENCE.findall(text)][::2]
    return [words for words in opening if words not in {"sh", "python", "text", *DIRECTIVES}]


@pytest.mark.parametrize("file", page.PAGES, ids=name_of)
def test_no_block_of_a_page_is_overlooked(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert unseen(text) == []
    found = page.blocks(text)
    shown = sum(block.shown is not None for block in found)
    assert text.count("```sh\n") + text.count("```python\n") == len(found)
    assert text.count("```text\n") == shown


def test_an_overlooked_block_is_found() -> None:
    assert unseen("```\nx\n```\n~~~python\nx\n~~~\n ```sh\nx\n ```\n```{math}\nx\n```\n") == [""]
    assert unseen("```sh title\nx\n```\n```console\nx\n```\n") == ["sh title", "console"]


def test_a_new_page_is_one_that_runs() -> None:
    """Those that do not are older, generated, or have a test of their own."""
    others = {
        "ablation", "checks", "modules", "tables", "formats", "items", "index", "commands",
        "cli", "mcp", "python",
    }  # fmt: skip
    names = {name_of(file) for file in DOCS.rglob("*.md") if file.parent.name != "api"}
    assert names - {name_of(file) for file in page.PAGES} == others


@pytest.mark.parametrize("file", page.PAGES, ids=name_of)
def test_links_lead_somewhere(file: Path) -> None:
    links = [link for link in LINK.findall(file.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (file.parent / link).exists()] == []


def documented() -> list[str]:
    """Dotted names of what the pages on the Python interface hold."""
    pages = sorted((DOCS / "api").glob("*.md"))
    return [name for file in pages for name in DOCUMENTED.findall(file.read_text("utf-8"))]


def value_of(name: str) -> object:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def public_names() -> list[str]:
    """Dotted names of the package and of its packages that say what is public in them."""
    packages = [
        found.name
        for found in pkgutil.walk_packages(bayesbench.__path__, "bayesbench.")
        if found.ispkg or found.name in ("bayesbench.audit", "bayesbench.errors")
    ]
    return [
        f"{name}.{public}"
        for name in ["bayesbench", *packages]
        if name not in NOT_ASKED
        for public in getattr(importlib.import_module(name), "__all__", [])
        if public != "__version__"
    ]


def missing(public: list[str], shown: list[str]) -> list[str]:
    """Public names that are not shown, under this or another public name."""
    held = {id(value_of(name)) for name in shown}
    return [name for name in public if id(value_of(name)) not in held]


def test_every_public_name_is_documented_once() -> None:
    shown = documented()
    assert missing(public_names(), shown) == []
    assert [name for name, times in Counter(shown).items() if times > 1] == []
    assert len({id(value_of(name)) for name in shown}) == len(shown)


def test_a_missing_name_is_found() -> None:
    public, shown = public_names(), documented()
    assert {"bayesbench.fit", "bayesbench.design.greedy", "bayesbench.errors.DataError"} <= {
        *public
    }
    without = [name for name in shown if name != "bayesbench.Folds"]
    assert "bayesbench.evaluation.Folds" in missing(public, without)


@pytest.fixture(scope="module")
def settings() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_settings", DOCS / "conf.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def contexts(context: click.Context) -> Iterator[click.Context]:
    """Of a command and of those within it."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            inner = context.command.get_command(context, name)
            assert inner is not None
            yield from contexts(click.Context(inner, context, info_name=name))


def test_the_page_of_commands_has_every_command_and_option(settings: ModuleType) -> None:
    made = object.__new__(settings.CommandLine).run()
    sections = [found for one in made for found in one.findall(settings.nodes.section)]
    by_title = {one.children[0].astext(): one.astext() for one in sections}
    every = [found for found in contexts(click.Context(app, info_name="bayesbench"))][1:]
    assert {found.command_path for found in every} == set(by_title)
    assert "bayesbench campaign joint observe" in by_title and len(COMMANDS) <= len(every)
    for found in every:
        for parameter in found.command.get_params(found):
            record = parameter.get_help_record(found)
            assert record is None or record[0] in by_title[found.command_path]


def test_what_is_typed_is_code(settings: ModuleType) -> None:
    made = settings.paragraph('Give --a-b or "x=1" (--c), or @FILE.csv; not semi-final--so.')
    typed = [one.astext() for one in made.findall(settings.nodes.literal)]
    assert typed == ["--a-b", '"x=1"', "--c", "@FILE.csv"]
    assert made.astext() == 'Give --a-b or "x=1" (--c), or @FILE.csv; not semi-final--so.'
