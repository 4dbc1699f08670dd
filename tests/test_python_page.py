"""docs/python.md: its blocks run in order and print what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.test_readme import LINK, NUMBER, script

page = script("python_page")
readme = script("readme")
TEXT = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")


def check(text: str) -> int:
    """Run the blocks and compare what they print; how many were compared."""
    compared = 0
    for block, printed in page.run(readme.blocks(text)):
        if block.shown is not None:
            # Numbers may differ in the last digit shown between machines; words may not.
            assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", block.shown).split(), printed
            pairs = zip(NUMBER.findall(printed), NUMBER.findall(block.shown), strict=True)
            for got, wanted in pairs:
                assert float(got) == pytest.approx(float(wanted), rel=0.03, abs=0.02), printed
            compared += 1
    return compared


def test_the_answers_are_those_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answers, _ = TEXT.split(page.FITS)
    assert check(answers) >= 8


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:diagnostics warn")  # the page says that so short a run may
def test_a_table_of_your_own_is_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, fits = TEXT.split(page.FITS)
    assert check("```python\nimport bayesbench as bb\n```\n" + fits) == 0
    assert {file.name for file in tmp_path.iterdir()} == {"table.csv", "mine.nc"}


def test_every_block_is_python_and_every_link_leads_somewhere() -> None:
    assert {block.language for block in readme.blocks(TEXT)} == {"python"}
    links = [link for link in LINK.findall(TEXT) if "://" not in link]
    assert links and all((REPOSITORY / "docs" / link).exists() for link in links)


def test_a_wrong_output_is_found() -> None:
    right = "```python\nx = 2\n```\n```python\nprint('so', x)\n```\n```text\nso 2\n```\n"
    assert check(right) == 1
    for wrong in ("so 3", "or 2"):
        with pytest.raises(AssertionError):
            check(right.replace("so 2\n", f"{wrong}\n"))
