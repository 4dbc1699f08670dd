from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesbench.cli import quoting
from bayesbench.cli.quoting import bare, split_list, split_pair
from bayesbench.errors import UsageError
from tests.design.design_helpers import failed_examples

NAMES = st.text("ab,= \"'", max_size=8).filter(lambda name: name == name.strip())


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_every_name_is_reachable_in_quotes(names: list[str]) -> None:
    assert [bare(part) for part in split_list(",".join(map(quoted, names)))] == names


@given(NAMES)
def test_every_name_of_a_pair_is_reachable_in_quotes(name: str) -> None:
    assert split_pair(f"{quoted(name)}=7") == (name, "7")


def test_plain_lists_and_pairs() -> None:
    assert split_list(" a , b c,") == ["a", "b c", ""]
    assert split_pair("a") == ("a", "") and split_pair("a==5") == ("a", "=5")
    with pytest.raises(UsageError, match="a quote is not closed; close it"):
        split_list('a,"b')


def test_examples() -> None:
    assert failed_examples(quoting) == 0
