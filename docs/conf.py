"""Settings of the documentation site: ``make docs`` writes it to ``build/docs``.

The repository is the source folder, so that pages stand where they are read on their own and their
links hold on the site too. Nothing is fetched: formulas become MathML, which browsers draw
themselves, and the theme has its fonts from the system. No code of a page runs here; the tests run
them (``tests/test_docs_pages.py``), and notebooks are shown as they were committed.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bayesbench.cli.app import COMMANDS, app

ROOT = Path(__file__).resolve().parent.parent
TYPED = re.compile(r"((?<![\w-])--[a-z][a-z-]*|\"[^\"]+\"|@FILE[\w.]*)")
"""What is typed, in the words of a help page: an option, something in quotes, a file."""

project = "bayesbench"
author = "the authors of bayesbench"
project_copyright = "MIT; data and posterior: CC0"
version = release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "data/README.md",
    "models/README.md",
    "benchmarks/RESULTS.md",
    "notebooks/*.ipynb",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
]
exclude_patterns = [
    ".*",
    "build",
    "dist",
    "tests",
    "bayesbench",
    "docs/_*",
    "**/.ipynb_checkpoints",
]

html_theme = "furo"
html_title = "bayesbench"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "start.html"}
templates_path = ["_templates"]

default_role = "code"
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
nb_execution_mode = "off"
nitpicky = True
# Types of numpydoc sections are words ("array", "int, optional"), linked where they name a class.
nitpick_ignore_regex = [("py:class", r"(?!bayesbench\.).*")]
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
suppress_warnings = [
    "myst.header",  # the notebooks and cards have headings of their own depth
    "ref.python",  # fields of different classes share names such as median
]

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "none"  # numpydoc sections say the types
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False


def mathml(self: Any, node: nodes.math | nodes.math_block) -> None:
    """Write a formula as MathML, which browsers draw without any script or font."""
    block = isinstance(node, nodes.math_block)
    text = tex2mathml(node.astext(), as_block=block)
    self.body.append(f'<div class="math">{text}</div>' if block else text)
    raise nodes.SkipNode


class CommandLine(SphinxDirective):
    """Every command with its options, from the help pages of the commands themselves."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Make one section per command, and one within it per command of a group."""
        context = click.Context(app, info_name="bayesbench")
        found: list[nodes.Node] = []
        for name in COMMANDS:
            command = app.get_command(context, name)
            assert command is not None
            found.append(self.section(click.Context(command, context, info_name=name)))
        return found

    def section(self, context: click.Context) -> nodes.section:
        """One command: how it is called, what it does, its options, an example."""
        command, path = context.command, context.command_path
        made = nodes.section(ids=[nodes.make_id(f"command {path}")])
        made += nodes.title(path, path)
        made += literal(command.get_usage(context).removeprefix("Usage: "))
        made += paragraphs(command.help or "")
        options = nodes.definition_list()
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None:
                term = nodes.term("", "", nodes.literal(record[0], record[0]))
                said = nodes.definition("", paragraph(record[1]))
                options += nodes.definition_list_item("", term, said)
        made += options
        made += paragraphs(command.epilog or "")
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                made += self.section(click.Context(inner, context, info_name=name))
        return made


def literal(text: str, language: str = "text") -> nodes.literal_block:
    """A block that is shown as it is written."""
    return nodes.literal_block(text, text, language=language)


def paragraph(text: str) -> nodes.paragraph:
    """Words of a help page, with what is typed as code."""
    made = nodes.paragraph(text)
    for number, part in enumerate(TYPED.split(text)):
        made += nodes.literal(part, part) if number % 2 else nodes.Text(part)
    return made


def paragraphs(text: str) -> list[nodes.Element]:
    r"""Paragraphs of a help page; one that begins with ``\b`` is shown as it is written."""
    return list(_paragraphs(inspect.cleandoc(text)))


def _paragraphs(text: str) -> Iterator[nodes.Element]:
    for part in re.split(r"\n\s*\n", text):
        if not part.startswith("\b"):
            yield paragraph(" ".join(part.split()))
            continue
        head, *lines = part.removeprefix("\b\n").split("\n")
        if head.endswith(":") and lines:
            yield paragraph(head)
        else:
            lines = [head, *lines]
        yield literal(inspect.cleandoc("\n".join(lines)), "sh")


def setup(app: Sphinx) -> None:
    """Register what is made here."""
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
    app.config.html_math_renderer = "mathml"
    app.add_directive("command-line", CommandLine)
    app.add_lexer("mermaid", TextLexer)  # a diagram of ARCHITECTURE.md: shown as text
