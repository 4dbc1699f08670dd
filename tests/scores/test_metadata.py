"""Facts about models as tables write them."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest

from bayesbench.scores import metadata
from bayesbench.scores.metadata import fact_values, iso_date
from tests.design.design_helpers import failed_examples


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2025", "2025"), (2025, "2025"), ("2025.0", "2025"), ("2025-01", "2025-01"),
        ("2025-1-3", "2025-01-03"), ("2025/01/03", "2025-01-03"),
        ("2025-01-31 00:00:00", "2025-01-31"),
        ("2025-01-31T10:00:00Z", "2025-01-31"), ("Jan 2025", "2025-01"),
        ("January 2025", "2025-01"),
        ("Sept. 2024", "2024-09"), ("31 January 2025", "2025-01-31"),
        ("January 31, 2025", "2025-01-31"),
        ("Mar-2025", "2025-03"), (pd.Timestamp(2025, 3, 4), "2025-03-04"),
        (datetime.date(2025, 3, 4), "2025-03-04"),
        ("03/04/2025", None), ("2025-13", None), ("2025-02-30", None), ("soon", None),
        ("85.3", None),
        ("25", None), ("Foo 2025", None), (0.5, None),
    ],
)  # fmt: skip
def test_dates(written: object, date: str | None) -> None:
    assert iso_date(written) == date


@pytest.mark.parametrize(
    ("header", "cells", "sizes"),
    [
        ("Params", ["7B", "70b", "1.5T", "350M", "-"], [7, 70, 1500, 0.35, None]),
        ("Params (B)", ["7", 70.5, ""], [7, 70.5, None]),
        ("#Params (M)", ["7000", "350"], [7, 0.35]),
        ("Parameters", ["7,000,000,000", "7e9"], None),
        ("Parameters", ["7000000000", 70000000000], [7, 70]),
        ("Parameters", ["7000000000", "70"], None),
        ("Size", ["7B", "70"], None),
        ("Size", ["8x7B"], None),
        ("Size", ["large", "small"], None),
        ("Size", ["0"], None),
    ],
)  # fmt: skip
def test_sizes(header: str, cells: list[object], sizes: list[float | None] | None) -> None:
    found = fact_values("params_b", header, cells)
    assert found == (None if sizes is None else pytest.approx(sizes))


def test_flags_and_texts() -> None:
    assert fact_values("open_weights", "Open", ["Yes", "closed", "?", 1]) == [
        True,
        False,
        None,
        True,
    ]
    assert fact_values("reasoning", "Thinking", ["high"]) is None
    assert fact_values("provider", "Org", [" Open  AI", None]) == ["Open AI", None]
    assert fact_values("provider", "Org", [1, 2]) is None


def test_examples() -> None:
    assert failed_examples(metadata) == 0
