"""Every way in which people write a number, or none, in a table."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesbench.scores import numerals
from bayesbench.scores.numerals import (
    MISSING_MARKS,
    Decimal,
    NotANumber,
    decimal_sign,
    is_missing_mark,
    number_like,
    read_written,
)
from tests.design.design_helpers import failed_examples


@pytest.mark.parametrize(
    "mark",
    ["", " ", "\u00a0", "NA", "na", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "-", "--",
     "\u2013", "\u2014", " \u2014 ", "?", "#N/A", None, float("nan"), pd.NA, pd.NaT],
)  # fmt: skip
def test_one_list_of_missing_marks(mark: object) -> None:
    assert is_missing_mark(mark)


@pytest.mark.parametrize("word", ["0", "x", "no", "---", "-1", "...", 0, False, "*", "n.a.x"])
def test_what_is_no_mark(word: object) -> None:
    assert not is_missing_mark(word)


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("85.3", "unknown", 85.3), (" 85.3 ", "point", 85.3), ("85", "comma", 85.0),
        ("85,3", "comma", 85.3), ("85,3", "unknown", 85.3), ("0,853", "unknown", 0.853),
        (".5", "point", 0.5), ("5.", "point", 5.0), ("+7", "unknown", 7.0), ("-3e2", "point", -300),
        ("\u22123.5", "point", -3.5), ("1e-3", "point", 0.001),
        ("1,234", "point", 1234.0), ("1.234", "comma", 1234.0), ("1.234", "unknown", 1.234),
        ("1,234.5", "unknown", 1234.5), ("1.234,5", "unknown", 1234.5),
        ("1,234,567", "unknown", 1234567.0), ("1.234.567", "unknown", 1234567.0),
        ("1 234", "unknown", 1234.0), ("1\u202f234,5", "unknown", 1234.5),
        ("1'234.5", "point", 1234.5),
    ],
)  # fmt: skip
def test_numbers(text: str, decimal: Decimal, value: float) -> None:
    assert read_written(text, decimal).value == value
    assert number_like(text)


@pytest.mark.parametrize("value", [7, 7.5, np.float32(7.5), np.int64(7)])
def test_numbers_of_frames(value: float) -> None:
    assert read_written(value).value == float(value)


@pytest.mark.parametrize(
    ("text", "value", "stderr", "setting", "percent"),
    [
        ("85.3%", 85.3, None, None, True),
        ("85.3 %", 85.3, None, None, True),
        ("85.3 \u00b1 1.2", 85.3, 1.2, None, False),
        ("85.3\u00b11.2", 85.3, 1.2, None, False),
        ("85.3 +/- 1.2", 85.3, 1.2, None, False),
        ("85.3 +- 1.2", 85.3, 1.2, None, False),
        ("85.3 (\u00b1 1.2)", 85.3, 1.2, None, False),
        ("85.3% \u00b1 1.2%", 85.3, 1.2, None, True),
        ("85.3% \u00b1 1.2", 85.3, 1.2, None, True),
        ("85.3 (5-shot)", 85.3, None, "5-shot", False),
        ("85.3% (5-shot,  CoT)", 85.3, None, "5-shot, CoT", True),
        ("85.3 [maj@32]", 85.3, None, "maj@32", False),
        ("85.3 \u00b1 1.2 (5-shot)", 85.3, 1.2, "5-shot", False),
    ],
)  # fmt: skip
def test_a_number_with_what_stands_beside_it(
    text: str, value: float, stderr: float | None, setting: str | None, percent: bool
) -> None:
    found = read_written(text)
    assert (found.value, found.setting, found.percent) == (value, setting, percent)
    assert found.stderr == stderr if stderr is not None else math.isnan(found.stderr)


@pytest.mark.parametrize(
    ("cell", "remedy"),
    [
        ("85.3*", "must be a number like"), ("~85", "must be a number like"),
        (">90", "must be a number like"), ("85/100", "must be a number like"),
        ("85.3 pass@1", "must be a number like"), ("**85.3**", "must be a number like"),
        ("85.3 (1.2)", "write a standard error as"), ("85.3 [84.1, 86.5]", "number in brackets"),
        ("85.3 \u00b1 1.2%", "percent sign behind one"), ("85.3 \u00b1 -1", "below 0"),
        ("85 3", "without space inside"), ("8 5.3", "without space inside"),
        ("1.2.3", "is not one number"), ("1,2,3", "is not one number"),
        ("12,34,567", "is not one number"), ("1,234.567.8", "is not one number"),
        ("inf", "finite"), ("-Infinity", "finite"), ("1e999", "finite"), (float("inf"), "finite"),
        ("\u0664\u0660", "must be a number"), ("0x1F", "must be a number"), ("1_0", "must be a"),
        ("9" * 300, "must be a number"), ("9" * 190 + "e9999", "finite"),
        (True, "must be a number"), (np.bool_(1), "must be a number"), (1j, "must be a number"),
        ([1], "must be a number"), (pd.Timestamp(0), "must be a number"),
    ],
)  # fmt: skip
def test_what_is_not_one_number_is_refused_with_the_remedy(cell: object, remedy: str) -> None:
    with pytest.raises(NotANumber, match=remedy.replace("(", r"\(")):
        read_written(cell)


@pytest.mark.parametrize(
    ("text", "decimal"), [("85,3", "point"), ("85.3", "comma"), ("1.234,5", "point")]
)
def test_a_number_unlike_the_others_of_its_table_is_refused(text: str, decimal: Decimal) -> None:
    with pytest.raises(NotANumber, match="where the other numbers have a decimal"):
        read_written(text, decimal)


def test_a_comma_that_may_be_either_is_refused() -> None:
    with pytest.raises(NotANumber, match="may be a thousand or a decimal comma"):
        read_written("85,312")


@pytest.mark.parametrize(
    ("texts", "sign"),
    [
        (["85.3", "1,234"], "point"), (["85,3", "1.234"], "comma"), (["1,234"], "unknown"),
        (["0.853"], "point"), (["0,853"], "comma"), (["85"], "unknown"), ([], "unknown"),
        (["85.3", "85.4", "85,5"], "point"), (["x", "2025-01-31"], "unknown"),
        (["1.234,5"], "comma"), (["1,234,567"], "point"),
    ],
)  # fmt: skip
def test_the_decimal_sign_of_a_table(texts: list[str], sign: str) -> None:
    assert decimal_sign(texts) == sign


@given(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), st.sampled_from([".", ","]))
def test_a_number_written_with_its_sign_is_read_back(value: float, sign: str) -> None:
    text = f"{value:.4f}".replace(".", sign)  # four digits: no group of three
    assert read_written(text).value == pytest.approx(value, abs=1e-9)
    assert decimal_sign([text]) == ("point" if sign == "." else "comma")


@given(st.text("0123456789.,'eE+-\u00b1%()[] x", max_size=60))
def test_any_text_is_one_finite_number_or_refused(text: str) -> None:
    try:
        found = read_written(text)
    except NotANumber:
        return
    assert math.isfinite(found.value)
    digits = [letter for letter in text if letter.isdigit()]
    assert digits, "a number has digits"


def test_the_marks_are_folded() -> None:
    assert all(mark == mark.casefold().strip() for mark in MISSING_MARKS)


def test_examples() -> None:
    assert failed_examples(numerals) == 0
