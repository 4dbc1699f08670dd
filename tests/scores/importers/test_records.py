from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from bayesbench.errors import DataError
from bayesbench.scores.importers.records import (
    as_count,
    as_date,
    as_number,
    as_stderr,
    as_text,
    believable_stderr,
    shares_stderr,
)


@pytest.mark.parametrize(
    "value, number", [(1, 1.0), (0.5, 0.5), ("63.3", 63.3), (" -1e2 ", -100.0)]
)
def test_numbers(value: Any, number: float) -> None:
    assert as_number(value, "f", "p") == number


@pytest.mark.parametrize(
    "value",
    [
        True,
        None,
        "",
        "1,5",
        "63 %",
        "nan",
        "inf",
        math.nan,
        math.inf,
        10**400,
        "1e999",
        1e13,
        [1],
        {},
    ],
)
def test_no_numbers(value: Any) -> None:
    with pytest.raises(DataError, match=r"f: p .*must be a finite number") as error:
        as_number(value, "f", "p")
    assert len(str(error.value)) < 120


def test_errors_counts_and_texts() -> None:
    assert [as_stderr(v, "f", "p") for v in ("N/A", None, math.nan, "", 0.1, 0)] == [
        None, None, None, None, 0.1, 0.0,
    ]  # fmt: skip
    with pytest.raises(DataError, match="must be at least 0"):
        as_stderr(-0.1, "f", "p")
    assert (as_count(0, "f", "p"), as_count("", "f", "p"), as_count("12", "f", "p")) == (
        None, None, 12,
    )  # fmt: skip
    assert as_text(" a b ", "f", "p") == "a b"
    for bad in ("", "  ", "a\x1b[31m", "a\nb", 3, None):
        with pytest.raises(DataError, match="must be a printable name"):
            as_text(bad, "f", "p")


@pytest.mark.parametrize(
    "value, date",
    [
        ("2026-01-21T03:44:18+00:00", "2026-01-21"),
        ("2026-01-21", "2026-01-21"),
        ("1768964383.85", "2026-01-21"),
        (1768964383, "2026-01-21"),
        ("2026-13-45", ""),
        ("20260121", "1970-08-23"),  # seconds
        ("unknown", ""),
        ("0", ""),
        (None, ""),
        (math.inf, ""),
        (1e300, ""),
    ],
)
def test_dates(value: Any, date: str) -> None:
    assert as_date(value) == date


def test_the_standard_error_of_a_share_is_that_of_its_answers() -> None:
    answers = np.array([1] * 7 + [0] * 3)
    exact = answers.std(ddof=1) / math.sqrt(10)
    assert shares_stderr(0.7, 10) == pytest.approx(exact)
    # none or all right: as if half an answer were different
    half = pytest.approx(math.sqrt(0.01 * 0.99 / 49))
    assert shares_stderr(0.0, 50) == half and shares_stderr(1.0, 50) == half
    assert shares_stderr(1.0, 1) == 0.5


def test_a_standard_error_of_zero_is_not_believed() -> None:
    assert believable_stderr(0.02, 0.5, 100) == (0.02, "")
    assert believable_stderr(None, 0.5, 100) == (None, "")
    made, note = believable_stderr(0.0, 1.0, 50)
    assert (made, note) == (shares_stderr(1.0, 50), "standard error 0 replaced by that of a share")
    for share, n_items in ((None, 50), (0.5, None), (71.0, 50)):
        assert believable_stderr(0.0, share, n_items) == (None, "standard error 0")
