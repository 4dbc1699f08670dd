"""Numbers as people write them in tables: percent signs, decimal commas, ``85.3 ± 1.2``, marks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Literal

__all__ = [
    "MISSING_MARKS",
    "Decimal",
    "NotANumber",
    "Written",
    "decimal_sign",
    "is_missing_mark",
    "number_like",
    "read_written",
]

MISSING_MARKS = frozenset(
    ["", "na", "n/a", "nan", "<na>", "null", "none", "-", "--", "\u2013", "\u2014", "?", "#n/a"]
)
"""What stands in a cell without a score, in lower case; \u2013 and \u2014 are the dashes."""

Decimal = Literal["point", "comma", "unknown"]

LONGEST = 200
"""Characters of the longest cell that is tried as a number."""

_SPACES = "\u00a0\u2007\u2009\u202f"
_NUMBER = rf"[+-]?(?:\d[\d.,'{_SPACES} ]*|[.,]\d+)(?:[eE][+-]?\d{{1,4}})?"
_MORE_OR_LESS = r"(?:±|\+/?-|\\pm)"
_CELL = re.compile(
    rf"(?P<number>{_NUMBER})\s*(?P<percent>%)?"
    rf"\s*(?:{_MORE_OR_LESS}\s*(?P<error>{_NUMBER})\s*(?P<error_percent>%)?)?"
    r"\s*(?:[(\[](?P<words>[^()\[\]]*)[)\]])?",
    re.ASCII,
)
_IN_BRACKETS = re.compile(rf"{_MORE_OR_LESS}\s*({_NUMBER})\s*(%)?", re.ASCII)
_SPACED = re.compile(rf"[+-]?\d{{1,3}}(?:[{_SPACES} ']\d{{3}})+(?:[.,]\d+)?", re.ASCII)
_ONE_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_COMMA_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
_POINT_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(inf|infinity)", re.IGNORECASE)


class NotANumber(ValueError):
    """A cell that is not one number; the message is the remedy."""


@dataclass(frozen=True)
class Written:
    """What one cell says.

    Attributes
    ----------
    value : float
    stderr : float
        Standard error behind ``±``; NaN without.
    setting : str or None
        Words in brackets, such as ``5-shot``.
    percent : bool
        Whether a percent sign stands behind the number.

    Examples
    --------
    >>> read_written("85.3% ± 1.2 (5-shot)")
    Written(value=85.3, stderr=1.2, setting='5-shot', percent=True)
    """

    value: float
    stderr: float = math.nan
    setting: str | None = None
    percent: bool = False


def is_missing_mark(value: object) -> bool:
    """Whether a cell says that there is nothing: one of `MISSING_MARKS`, None or NaN."""
    if isinstance(value, str):
        return len(value) <= 40 and _stripped(value).casefold() in MISSING_MARKS
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def number_like(text: str) -> bool:
    """Whether a text is written like a number, be it ambiguous or not."""
    return len(text) <= LONGEST and _CELL.fullmatch(_plain(text)) is not None


def decimal_sign(texts: Iterable[str]) -> Decimal:
    """The decimal sign that the numbers of a table have.

    ``85,3`` speaks for the comma and ``85.3`` for the point; ``1,234`` speaks for neither. The
    majority decides; a number of the other kind is then a fault where it is read.

    Examples
    --------
    >>> decimal_sign(["85,3", "1.234"]), decimal_sign(["1,234", "85.3"]), decimal_sign(["1,234"])
    ('comma', 'point', 'unknown')
    """
    points = commas = 0
    for text in texts:
        match = _CELL.fullmatch(_plain(text)) if len(text) <= LONGEST else None
        if match is not None:
            sign = _own_sign(match["number"].strip())
            points += sign == "point"
            commas += sign == "comma"
    if points == commas:
        return "point" if points else "unknown"
    return "point" if points > commas else "comma"


def read_written(value: object, decimal: Decimal = "unknown") -> Written:
    """What a cell says, or why it says no number; nothing is taken for a part of a number.

    Parameters
    ----------
    value : object
        A text, or a number of a frame.
    decimal : {"point", "comma", "unknown"}
        Decimal sign of the table, see `decimal_sign`.

    Raises
    ------
    NotANumber
        With the remedy.

    Examples
    --------
    >>> read_written("1.234,5", "comma").value
    1234.5
    >>> try:
    ...     read_written("85.3 (1.2)")
    ... except NotANumber as remedy:
    ...     print(str(remedy)[:29])
    has a number in brackets that
    """
    if not isinstance(value, str):
        return Written(_finite(value))
    text = _plain(value)
    match = _CELL.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        if _NOT_FINITE.fullmatch(text):
            raise NotANumber("must be a finite number; correct it or leave it empty")
        raise NotANumber(
            "must be a number like 85.3, 85.3%, 85.3 ± 1.2 or 85.3 (5-shot), or empty; correct it"
        )
    number = _value(match["number"].strip(), decimal)
    error, error_percent, words = match["error"], match["error_percent"], match["words"]
    if words is not None and error is None:
        bracketed = _IN_BRACKETS.fullmatch(words.strip())
        if bracketed is not None:
            error, error_percent, words = bracketed[1], bracketed[2], None
    if error_percent and not match["percent"]:
        raise NotANumber("has a percent sign behind one of its two numbers only; write both alike")
    if words is not None:
        words = " ".join(words.split())
        if not any(letter.isalpha() for letter in words):
            raise NotANumber(
                "has a number in brackets that may be anything; write a standard error as "
                "85.3 ± 1.2 and a setting in words, as 85.3 (5-shot)"
            )
    stderr = math.nan if error is None else _value(error.strip(), decimal)
    if stderr < 0:
        raise NotANumber("has a standard error below 0; correct it")
    return Written(number, stderr, words, match["percent"] is not None)


def _plain(text: str) -> str:
    """Without space around it, minus signs as ASCII."""
    return _stripped(text).replace("\u2212", "-")


def _stripped(text: str) -> str:
    return text.strip().strip("\ufeff\u200b").strip()


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or type(value).__name__ == "bool":
        raise NotANumber("must be a number, or empty; correct it")
    number = float(value)
    if not math.isfinite(number):
        raise NotANumber("must be a finite number; correct it or leave it empty")
    return number


def _own_sign(number: str) -> Decimal:
    """The decimal sign that one number shows by itself."""
    mantissa = re.split("[eE]", number)[0]
    points, commas = mantissa.count("."), mantissa.count(",")
    if points and commas:
        return "point" if mantissa.rindex(".") > mantissa.rindex(",") else "comma"
    if points + commas != 1:
        return "unknown" if not points + commas else "comma" if points else "point"
    if _ONE_GROUP.fullmatch(mantissa):
        return "unknown"
    return "point" if points else "comma"


def _value(number: str, decimal: Decimal) -> float:
    mantissa, *exponent = re.split("[eE]", number)
    if re.search(rf"[{_SPACES} ']", mantissa):
        if not _SPACED.fullmatch(mantissa):
            raise NotANumber("must be one number; write it without space inside")
        mantissa = re.sub(rf"[{_SPACES} ']", "", mantissa)
    own = _own_sign(mantissa)
    several = mantissa.count(",") + mantissa.count(".") > 1
    if several and not (_COMMA_GROUPS if own == "point" else _POINT_GROUPS).fullmatch(mantissa):
        raise NotANumber("is not one number; correct it")
    if own != "unknown" and decimal not in ("unknown", own):
        raise NotANumber(
            f"has a decimal {own} where the other numbers have a decimal {decimal}; write it as "
            "they are"
        )
    if own == "unknown" and "," in mantissa and decimal == "unknown":
        raise NotANumber(
            "may be a thousand or a decimal comma, and no other number tells; write it without "
            "the comma or with a point"
        )
    sign = own if own != "unknown" else decimal
    if sign == "comma":
        mantissa = mantissa.replace(".", "").replace(",", ".")
    else:
        mantissa = mantissa.replace(",", "")
    value = float("e".join([mantissa, *exponent]))
    if not math.isfinite(value):
        raise NotANumber("must be a finite number; correct it or leave it empty")
    return value
