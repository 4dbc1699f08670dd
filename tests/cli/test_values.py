"""What is written on the command line: pairs of a key and a value."""

from __future__ import annotations

from typing import Any

import click
import pytest

from bayesbench.cli.values import key_values, shares, sizes


def read(*written: str) -> dict[str, Any]:
    return key_values(None, None, written)


def test_values_are_json_or_text() -> None:
    found = read("rank=4", "student_t=false", 'groups=["provider"]', "update=condition", "path=a=b")
    assert found == {
        "rank": 4,
        "student_t": False,
        "groups": ["provider"],
        "update": "condition",
        "path": "a=b",
    }
    assert read(" rank =2") == {"rank": 2}
    assert read() == {}


@pytest.mark.parametrize("written", ["rank", "=3", "two words=3", "2x=3"])
def test_what_is_no_pair_is_refused(written: str) -> None:
    with pytest.raises(click.BadParameter, match="is not KEY=VALUE"):
        read(written)


def test_a_key_stands_once() -> None:
    with pytest.raises(click.BadParameter, match="rank is given twice"):
        read("rank=3", "rank=4")


def test_sizes_and_shares() -> None:
    assert sizes("8x6, 20x12") == ((8, 6), (20, 12))
    assert shares("0.3, 1") == (0.3, 1.0)


@pytest.mark.parametrize("written", ["8", "8x", "x6", "8x6x4", "8x-6", "8by6", ""])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(click.BadParameter, match="not a list of sizes like 8x6"):
        sizes(written)


@pytest.mark.parametrize("written", ["", "0.3,", "half", "nan"])
def test_what_is_no_share_is_refused(written: str) -> None:
    with pytest.raises(click.BadParameter, match="not a plain finite number"):
        shares(written)
