"""README.md: its code runs and prints what it shows; the model card is that of the file."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
LINK = re.compile(r"\]\(([^)#]+)\)")


def script(name: str) -> ModuleType:
    """A script of ``benchmarks/`` as a module."""
    file = REPOSITORY / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


readme = script("readme")
BLOCKS = readme.blocks((REPOSITORY / "README.md").read_text(encoding="utf-8"))
RUN = [block for block in BLOCKS if block.programs]


def test_every_block_is_run_or_a_make_target() -> None:
    assert len(RUN) >= 3
    for block in BLOCKS:
        assert block.language in ("sh", "python")
        for call in block.calls if block.language == "sh" else []:
            assert call[0] in ("bayesbench", "make"), call


def test_make_targets_exist() -> None:
    targets = {call[1] for block in BLOCKS if block.language == "sh" for call in block.calls
               if call[0] == "make"}  # fmt: skip
    assert targets == {"demo", "test"}
    for target in targets:
        done = subprocess.run(["make", "--dry-run", target], cwd=REPOSITORY, capture_output=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", RUN, ids=[block.code.split("\n")[0][:30] for block in RUN])
def test_block_prints_what_is_shown(block: object) -> None:
    printed = readme.output(block)
    shown = block.shown  # type: ignore[attr-defined]
    if shown is None:
        return
    # Numbers may differ in the last digit shown between machines; words may not.
    assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", shown).split(), printed
    pairs = zip(NUMBER.findall(printed), NUMBER.findall(shown), strict=True)
    for got, wanted in pairs:
        assert float(got) == pytest.approx(float(wanted), rel=0.03, abs=0.02), printed


@pytest.mark.parametrize("name", ["README.md", "models/README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name: str) -> None:
    page = REPOSITORY / name
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_model_card_is_that_of_the_file() -> None:
    card = script("card")
    text = card.CARD.read_text(encoding="utf-8")
    assert text == card.filled(text, card.card()), "run: python benchmarks/card.py"


def test_blocks_pair_code_with_what_it_prints(tmp_path: Path) -> None:
    text = "```python\nprint(1)\n```\n\n```text\n2\n```\n\n```sh\n# x\nmake a \\\n  b\n```\n"
    first, second = readme.blocks(text)
    assert (first.language, first.shown) == ("python", "2\n")
    assert text[slice(*first.span)] == "2\n"
    assert second.shown is None and second.calls == [["make", "a", "b"]] and not second.programs
    assert readme.output(first) == "1\n"
