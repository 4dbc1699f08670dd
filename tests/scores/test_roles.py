"""What the columns of a wide table are: by name and content, both."""

from __future__ import annotations

import pytest

from bayesbench.errors import AmbiguousIdError, UnknownIdError
from bayesbench.scores import roles
from bayesbench.scores.roles import Role, column_roles, named_columns
from tests.design.design_helpers import failed_examples


def role(header: str, cells: list[object], *others: str, known: bool = False) -> Role:
    columns: dict[str, list[object]] = {header: cells, **{other: ["50.5"] for other in others}}
    return column_roles(columns, is_benchmark=lambda name: known)[header]


@pytest.mark.parametrize(
    ("header", "cells", "why"),
    [
        ("Rank", ["1", "2", "2"], "rank"), ("Rank", ["#1", "#2"], "rank"),
        ("#", [1.0, 2.0], "rank"),
        ("Average", ["85.3%", "60"], "aggregate"), ("Votes", ["1,234", "12"], "count"),
        ("Context", ["128k", "1M"], "context length"),
        ("Context window", [128000, 8192], "context length"),
        ("Price", ["$3.00", "$0.15 / 1M"], "price or speed"), ("License", ["MIT", "MIT"], "text"),
        ("Kind", ["a", "a"], "text"), ("Anything", ["2025-01-31", "Jan 2025"], "date"),
        ("URL", ["https://a.b"], "address"), ("Notes", ["none of it", None], "text"),
        ("Training compute (FLOP)", ["1e25", "3.8e24"], "compute"),
        ("Training compute notes", ["6e25", "Almost certainly >1e25"], "text"),
        ("Remarks", ["5-shot", "by the maker", "by others"], "text"),
        ("GPQA std", ["1.2"], "spread, not a standard error"),
        ("Params", ["large"], "params_b in no form that is read"),
        ("MMLU_stderr", ["1.2"], "standard error alone"),
    ],
)  # fmt: skip
def test_columns_that_hold_no_scores(header: str, cells: list[object], why: str) -> None:
    assert role(header, cells) == Role("none", why)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Rank", ["85.3", "60.1"]),  # no ranks
        ("Date", ["85.3", "60.1"]),  # no dates
        ("License", ["85.3"]),  # no text
        ("GPQA", ["85.3", "n/a"]),
        ("GPQA", ["85.3*", "84"]),  # a fault that is named when the cell is read
        ("GPQA", ["85.3*", "84*"]),
        ("GPQA", ["~85"]),
        ("GPQA", ["see note", "84"]),
        ("GPQA", [None, "-"]),
    ],
)
def test_columns_that_do_or_may(header: str, cells: list[object]) -> None:
    assert role(header, cells).kind == "score"


def test_what_is_named_like_a_known_benchmark_holds_scores() -> None:
    assert role("Overall", ["85.3"], known=True).kind == "score"
    assert role("Overall", ["text"], known=True).kind == "none"


def test_facts_and_standard_errors() -> None:
    assert role("Organization", ["OpenAI", "Meta"]) == Role("fact", of="provider")
    assert role("Params (B)", [7, 70]) == Role("fact", of="params_b")
    assert role("Released", ["Jan 2025"]) == Role("fact", of="release_date")
    assert role("GPQA_stderr", ["1.2", "N/A"], "GPQA") == Role("stderr", of="GPQA")


def test_columns_to_keep_and_drop() -> None:
    columns = {"Rank": [1, 2], "GPQA": ["70", "80"]}
    found = column_roles(columns, is_benchmark=lambda _: False, keep=["rank"], drop=["G.P.Q.A"])
    assert found == {"Rank": Role("score"), "GPQA": Role("none", "asked for")}
    with pytest.raises(UnknownIdError, match="unknown column to drop 'GPQ'; nearest: GPQA"):
        named_columns(["GPQ"], ["GPQA"], "drop")
    with pytest.raises(AmbiguousIdError, match="may be any of a-1, a_1"):
        named_columns(["a 1"], ["a-1", "a_1"], "keep")


def test_examples() -> None:
    assert failed_examples(roles) == 0
