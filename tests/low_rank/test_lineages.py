from __future__ import annotations

import pytest

from bayesbench.low_rank.lineages import lineage, lineages

OTHERS = ["alpha", "beta-max", "gamma", "delta", "epsilon", "zeta"]


@pytest.mark.parametrize(
    ("model_id", "line"),
    [
        ("claude-opus-4.5", "claude-opus"),
        ("claude-opus-4-20250514-thinking", "claude-opus"),
        ("Qwen/Qwen2.5-72B-Instruct", "qwen"),
        ("gpt-5-high", "gpt"),
        ("gemini-2.5-flash-lite-preview", "gemini-flash"),
        ("o3", None),
        ("7b-instruct", None),
        ("", None),
    ],
)
def test_line_of_an_id(model_id: str, line: str | None) -> None:
    assert lineage(model_id) == line


def test_a_line_has_two_models_at_least() -> None:
    ids = ["opus-4", "opus-4.5", "sonnet-4", *OTHERS]
    assert lineages(ids) == ["opus", "opus", None, *[None] * len(OTHERS)]


def test_a_line_of_more_than_a_third_is_a_prefix() -> None:
    three = ["opus-3", "opus-4", "opus-5"]
    assert lineages([*three, *OTHERS])[:3] == ["opus"] * 3  # 3 of 9 is a third, not more
    assert lineages([*three, *OTHERS[:5]])[:3] == [None] * 3


def test_numbered_ids_have_no_lines() -> None:
    assert lineages([f"model_{i}" for i in range(9)]) == [None] * 9
    assert lineages([]) == []
