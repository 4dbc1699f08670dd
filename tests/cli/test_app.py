"""The root command: its help page, commands loaded when called, unknown names."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest

import bayesbench
from bayesbench.cli.app import COMMANDS, app
from tests.cli.conftest import HEAVY, Run, loaded


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run: Run, name: str) -> None:
    found = run(name, "--help")
    assert (found.code, found.err) == (0, "")
    assert "Example:" in found.out and f"bayesbench {name}" in found.out


def test_the_help_page_lists_all_commands_without_loading_them(repository: Path) -> None:
    modules = loaded(repository, "from bayesbench.cli import main\nmain(['--help'])")
    assert not {"numpy", "pandas", *HEAVY} & modules
    assert (
        not {f"bayesbench.cli.{target.split(':')[0]}" for target, _ in COMMANDS.values()} & modules
    )


def test_no_arguments_shows_the_help_page(run: Run) -> None:
    assert run().out == run("--help").out
    assert all(name in run().out for name in COMMANDS)
    assert list(app.commands) == []


def test_version(run: Run) -> None:
    found = run("--version")
    assert (found.code, found.out) == (0, f"bayesbench {bayesbench.__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_is_that_of_a_command_of_that_name(name: str) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = app.get_command(click.Context(app), name)
    assert command is getattr(importlib.import_module(f"bayesbench.cli.{module}"), attribute)
    assert command.name == name and command.help
    assert COMMANDS[name][1].endswith((".", "?")) and len(COMMANDS[name][1]) < 80


OF_A_GROUP = {
    "adding", "fetching", "item_banks", "item_campaigns", "item_scores", "joint_campaign",
}  # fmt: skip
"""Modules of commands below ``data``, ``campaign`` and ``items``."""


def test_every_module_with_a_command_is_listed() -> None:
    files = (Path(bayesbench.__file__).parent / "cli").glob("*.py")
    own = {
        path.stem
        for path in files
        if re.search(r"^@click\.(command|group)", path.read_text(), re.M)
    }
    assert own - {"app", *OF_A_GROUP} == {
        target.partition(":")[0] for target, _ in COMMANDS.values()
    }


@pytest.mark.parametrize(("typed", "near"), [("predcit", "predict"), ("audti", "audit")])
def test_an_unknown_command_is_answered_with_the_nearest(run: Run, typed: str, near: str) -> None:
    found = run(typed)
    assert (found.code, found.out) == (2, "")
    assert found.err == f"error: unknown command {typed!r}; nearest: {near}\n"
    assert app.get_command(click.Context(app), typed) is None


def test_nothing_near_is_nothing_proposed(run: Run) -> None:
    assert run("zzzzzz").err == "error: unknown command 'zzzzzz'\n"
