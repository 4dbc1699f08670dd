"""The group of commands about items: help pages, and what loading it brings along."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesbench.cli.items import items
from tests.cli.conftest import HEAVY, Run, loaded


def test_the_group_alone_shows_its_commands(run: Run) -> None:
    found = run("items")
    assert found.code == 0 and found.out == run("items", "--help").out
    assert all(name in found.out for name in items.commands)


@pytest.mark.parametrize("name", items.commands)
def test_every_command_has_help_with_an_example(run: Run, name: str) -> None:
    found = run("items", name, "--help")
    assert (found.code, found.err) == (0, "")
    assert "Example:" in found.out and f"bayesbench items {name}" in found.out


def test_nothing_heavy_is_loaded(repository: Path, item_files: Path) -> None:
    code = "from bayesbench.cli import main\n"
    modules = loaded(repository, code + "main(['items', '--help'])")
    assert not {"numpy", "pandas", *HEAVY} & modules
    call = ["items", "next", "--bank", str(item_files / "bank.nc"), "--format", "json"]
    assert not HEAVY & loaded(repository, code + f"main({call!r})")


def test_an_unknown_command_is_one_line(run: Run) -> None:
    found = run("items", "fitt")
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
