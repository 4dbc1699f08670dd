"""Reading what is written on the command line: pairs, lists, numbers. Nothing is guessed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from ..errors import ScoreError, UsageError
from .output import note
from .quoting import bare, split_list, split_pair

__all__ = [
    "SEED",
    "Scores",
    "counts",
    "finite",
    "id_lists",
    "ids",
    "key_values",
    "one_score",
    "pairs",
    "probability",
    "scores",
    "shares",
    "sizes",
    "weights",
]

_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


def read_number(written: str, what: str) -> float:
    """Plain finite number; `what` names it in the message.

    Raises
    ------
    ScoreError
        If it is anything else.
    """
    value = float(written) if _PLAIN.fullmatch(written) else math.nan
    if math.isfinite(value):
        return value
    if _PLAIN.fullmatch(written) or _NOT_FINITE.fullmatch(written):
        raise ScoreError(f"{what} is not a finite number: {written!r}")
    raise ScoreError(f"{what} is not a plain number: {written!r}; write it like 70 or 75.5")


class Scores(NamedTuple):
    """Scores by benchmark, and the standard errors of those that have one.

    Attributes
    ----------
    scores, stderr : dict of str to float
    """

    scores: dict[str, float]
    stderr: dict[str, float]


def pairs(written: str, what: str = "score") -> dict[str, float]:
    """``"a=70,b=75.5"`` as a mapping; ``"@file.csv"`` reads columns benchmark_id and `what`.

    Raises
    ------
    ScoreError
        If a pair is malformed, a value is no finite number, or a benchmark stands twice.
    """
    found: dict[str, float] = {}
    for name, value, _ in _items(written, what):
        if name in found:
            raise ScoreError(f"{what} of {name!r} is given twice; give it once")
        found[name] = read_number(value, f"{what} of {name!r}")
    return found


def _items(written: str, what: str) -> list[tuple[str, str, str]]:
    """Name, value and standard error, each as written."""
    if written.startswith("@"):
        return _file_items(Path(written[1:]), what)
    return [(*_split(part, what), "") for part in split_list(written)]


def _split(part: str, what: str) -> tuple[str, str]:
    name, value = split_pair(part)
    if not (name and value):
        raise ScoreError(f"{part!r} is not a pair benchmark={what}; write it like gpqa_diamond=70")
    return name, value


def _file_items(path: Path, what: str) -> list[tuple[str, str, str]]:
    from ..scores.pairs import read_pairs

    found = read_pairs(path, what)
    missing = [one.name for one in found if math.isnan(one.value)]
    if missing:
        note(f"note: {path}: no {what} of {', '.join(missing)}")
    written = [
        (one.name, repr(one.value), "" if math.isnan(one.stderr) else repr(one.stderr))
        for one in found
        if not math.isnan(one.value)
    ]
    if not written:
        raise UsageError(f"{path}: no {what} in the file; it needs at least one")
    return written


def one_score(written: str) -> tuple[str, float, float | None]:
    """Exactly one ``benchmark=score`` or ``benchmark=score+-stderr``: name, score, standard error.

    Raises
    ------
    ScoreError
        If it is malformed or there are several.
    """
    found, errors = scores(written)
    if len(found) > 1:
        raise ScoreError(f"give one pair benchmark=score, got {len(found)}")
    name, score = next(iter(found.items()))
    return name, score, errors.get(name)


def scores(written: str) -> Scores:
    """Option type of score pairs, each with a standard error after ``+-`` or not.

    A file may have a column stderr besides, with empty cells where none is known.

    Raises
    ------
    ScoreError
        As `pairs`; also for a standard error that is not a number of at least 0, or stated twice.
    """
    found = Scores({}, {})
    for name, value, error in _items(str(written), "score"):
        if name in found.scores:
            raise ScoreError(f"score of {name!r} is given twice; give it once")
        score, sign, beside = (part.strip() for part in value.replace("±", "+-").partition("+-"))
        found.scores[name] = read_number(score, f"score of {name!r}")
        if sign and error:
            raise ScoreError(f"standard error of {name!r} is given twice; give it once")
        if sign or error:
            found.stderr[name] = _standard_error(name, beside if sign else error)
    return found


def _standard_error(name: str, written: str) -> float:
    error = read_number(written, f"standard error of {name!r}")
    if error < 0:
        raise ScoreError(f"standard error of {name!r} is below 0: {error:g}")
    return error


def weights(written: str) -> dict[str, float]:
    """Option type of weight pairs."""
    return pairs(str(written), "weight")


def key_values(_context: object, _parameter: object, written: Sequence[str]) -> dict[str, Any]:
    """Callback of an option ``KEY=VALUE`` that may be given several times.

    A value that is JSON is read as such, anything else is text.
    """
    found: dict[str, Any] = {}
    for pair in written:
        name, equals, value = pair.partition("=")
        key = name.strip()
        if not equals or not key.isidentifier():
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE")
        if key in found:
            raise click.BadParameter(f"{key} is given twice; give it once")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def ids(written: str) -> tuple[str, ...]:
    """Option type of ids like ``a,b,c``, a name with a comma in quotes; or of ``@FILE``, a list."""
    if str(written).startswith("@"):
        from ..design.costs import read_allowlist

        return read_allowlist(str(written)[1:])
    found = tuple(bare(part) for part in split_list(str(written)))
    if not all(found):
        raise click.BadParameter(f"{written!r} names an empty id; write ids like a,b,c")
    return found


def id_lists(_context: object, _parameter: object, written: Sequence[str]) -> tuple[str, ...]:
    """Callback of an option of ids that may be given several times, and several at a time."""
    return tuple(name for part in written for name in ids(part))


def counts(written: str) -> tuple[int, ...]:
    """Option type of whole numbers like ``1,5,10``."""
    parts = [part.strip() for part in str(written).split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise click.BadParameter(f"{written!r} is not a list of whole numbers like 1,5,10")
    return tuple(int(part) for part in parts)


def sizes(written: str) -> tuple[tuple[int, int], ...]:
    """Option type of sizes of tables like ``8x6,20x12``."""
    parts = [part.strip().partition("x") for part in str(written).split(",")]
    if not all(one.isascii() and one.isdigit() for part in parts for one in (part[0], part[2])):
        raise click.BadParameter(f"{written!r} is not a list of sizes like 8x6,20x12")
    return tuple((int(rows), int(columns)) for rows, _, columns in parts)


def shares(written: str) -> tuple[float, ...]:
    """Option type of numbers like ``0.3,0.9``."""
    return tuple(finite(part) for part in str(written).split(","))


def finite(written: str | float) -> float:
    """Option type of a plain finite number."""
    plain = str(written).strip()
    value = float(plain) if _PLAIN.fullmatch(plain) else math.nan
    if not math.isfinite(value):
        raise click.BadParameter(f"{plain!r} is not a plain finite number")
    return value


def probability(written: str | float) -> float:
    """Option type of a probability strictly between 0 and 1."""
    value = finite(written)
    if not 0 < value < 1:
        raise click.BadParameter(f"{value:g} does not lie between 0 and 1; write 90 % as 0.9")
    return value


SEED = click.IntRange(0, 2**32 - 1)
