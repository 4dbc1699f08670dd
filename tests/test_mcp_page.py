"""docs/mcp.md: its transcript is what the server answers, its links and names lead somewhere."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from tests.cli.test_tools import TOOLS
from tests.conftest import REPOSITORY
from tests.test_readme import LINK, NUMBER, script

page = script("mcp_page")
TEXT = (REPOSITORY / "docs" / "mcp.md").read_text(encoding="utf-8")


def test_the_transcript_is_what_the_server_answers() -> None:
    (shown,), made = page.TRANSCRIPT.findall(TEXT), asyncio.run(page.transcript())
    # Numbers may differ in the last digit shown between machines; words may not.
    assert NUMBER.sub("#", made) == NUMBER.sub("#", shown)
    for got, wanted in zip(NUMBER.findall(made), NUMBER.findall(shown), strict=True):
        assert float(got) == pytest.approx(float(wanted), rel=0.03, abs=0.02)
    assert shown.splitlines()[0] == f"tools: {', '.join(TOOLS)}"


def test_the_page_names_every_tool_and_leads_somewhere() -> None:
    table = TEXT.split("| tool |")[1].split("\n\n")[0]
    assert set(TOOLS) <= set(re.findall(r"`(\w+)`", table))
    links = [link for link in LINK.findall(TEXT) if "://" not in link]
    assert links and all((REPOSITORY / "docs" / link).exists() for link in links)


def test_the_configuration_is_json() -> None:
    (written,) = re.findall(r"^```json\n(.*?)^```$", TEXT, re.M | re.S)
    assert json.loads(written)["mcpServers"]["bayesbench"]["args"] == ["mcp"]
