"""What every column of a wide table is: scores, standard errors, facts about models, or neither."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import AmbiguousIdError, UnknownIdError
from .headers import Kind, fact_by_name, kind_by_name, stderr_of
from .ids import folded, nearest_ids
from .metadata import fact_values, iso_date
from .numerals import is_missing_mark, number_like

__all__ = ["Role", "column_roles", "named_columns"]


@dataclass(frozen=True)
class Role:
    """What one column is.

    Attributes
    ----------
    kind : {"score", "stderr", "fact", "none"}
    why : str
        Why it holds no scores; empty where it does.
    of : str
        The column whose standard errors it holds, or the fact it gives.
    """

    kind: Literal["score", "stderr", "fact", "none"]
    why: str = ""
    of: str = ""


SCORE = Role("score")

_WHY: dict[Kind, str] = {
    "aggregate": "aggregate",
    "rank": "rank",
    "votes": "count",
    "context": "context length",
    "price": "price or speed",
    "date": "date",
    "url": "address",
    "text": "text",
    "compute": "compute",
    "spread": "spread, not a standard error",
}
_PRICE = re.compile(r"[$\u20ac\u00a3]?\s*\d[\d.,]*\s*[a-z$\u20ac/%\u00b5]*(\s*/.*)?", re.IGNORECASE)
_CONTEXT = re.compile(r"\d[\d.,]*\s*[km]?i?b?(\s*tokens)?", re.IGNORECASE)
_URL = re.compile(r"(https?://|www\.|\[.*\]\(|<a )", re.IGNORECASE)


def named_columns(names: Iterable[str], headers: Sequence[str], what: str) -> set[str]:
    """The columns that some names stand for, spelled freely.

    Raises
    ------
    UnknownIdError, AmbiguousIdError
        With the candidates.
    """
    found = set()
    for name in names:
        if name in headers:
            found.add(name)
            continue
        alike = [header for header in headers if folded(header) == folded(name)]
        if not alike:
            raise UnknownIdError(f"column to {what}", name, nearest_ids(name, headers))
        if len(alike) > 1:
            raise AmbiguousIdError(f"column to {what}", name, alike)
        found.add(alike[0])
    return found


def column_roles(
    columns: Mapping[str, Sequence[object]],
    *,
    is_benchmark: Callable[[str], bool],
    keep: Iterable[str] = (),
    drop: Iterable[str] = (),
) -> dict[str, Role]:
    """The role of every column, by its name and by what its cells hold.

    A name alone does not make a column anything: ``Rank`` must hold whole numbers, a date dates,
    a licence text. What is named like a known benchmark, or is to be kept, holds scores.

    Parameters
    ----------
    columns : mapping of header to cells
        All but the column of models.
    is_benchmark : callable
        Whether a header is a spelling of a known benchmark.
    keep, drop : iterables of str
        Headers, spelled freely.

    Raises
    ------
    UnknownIdError, AmbiguousIdError
        For a name to keep or drop.

    Examples
    --------
    >>> table = {"Rank": [1, 2], "GPQA": ["70%", "50%"], "Params": ["7B", "8B"], "Kind": ["a", "b"]}
    >>> found = column_roles(table, is_benchmark=lambda name: False)
    >>> [(role.kind, role.why) for role in found.values()]
    [('none', 'rank'), ('score', ''), ('fact', ''), ('none', 'text')]
    """
    headers = list(columns)
    by_fold = {folded(header): header for header in reversed(headers)}
    kept, dropped = named_columns(keep, headers, "keep"), named_columns(drop, headers, "drop")
    roles = {}
    for header, values in columns.items():
        cells = [value for value in values if not is_missing_mark(value)]
        if header in dropped:
            roles[header] = Role("none", "asked for")
        elif header in kept:
            roles[header] = SCORE
        else:
            roles[header] = _role(header, cells, by_fold, is_benchmark)
    return roles


def _role(
    header: str,
    cells: list[object],
    by_fold: Mapping[str, str],
    is_benchmark: Callable[[str], bool],
) -> Role:
    if not cells or (is_benchmark(header) and any(map(_is_number, cells))):
        return SCORE
    numbers = all(map(_is_number, cells))
    errors_of = stderr_of(header, by_fold)
    if errors_of is not None and numbers:
        return Role("stderr", of=errors_of) if errors_of else Role("none", "standard error alone")
    fact = fact_by_name(header)
    if fact is not None and fact_values(fact, header, cells) is not None:
        return Role("fact", of=fact)
    kind = kind_by_name(header)
    if kind is not None and _holds(kind, cells, numbers):
        return Role("none", _WHY[kind])
    if fact is not None and not numbers:
        return Role("none", f"{fact} in no form that is read")
    return _by_content(cells)


def _by_content(cells: list[object]) -> Role:
    """Text, dates and addresses hold no scores, whatever they are called; doubt is for reading."""
    if any(map(_is_number, cells)):
        return SCORE
    if all(iso_date(cell) is not None for cell in cells):
        return Role("none", "date")
    begun = [str(cell).strip()[:1] for cell in cells]
    alike = sum(sign.isdigit() or sign in "+-.<>~\u2248" for sign in begun)
    if 2 * alike >= len(cells):
        return SCORE  # numbers in a form that is not read: the cell is named when it is
    return Role("none", "text")


def _holds(kind: Kind, cells: list[object], numbers: bool) -> bool:
    texts = [str(cell).strip() for cell in cells]
    if kind in ("aggregate", "spread", "compute"):
        return numbers
    if kind in ("rank", "votes"):
        return all(re.fullmatch(r"#?\d[\d,. ']*\.?", text) for text in texts) and (
            kind == "votes" or all(_whole(text) for text in texts)
        )
    if kind == "price":
        return all(_PRICE.fullmatch(text) for text in texts)
    if kind == "context":
        return all(_CONTEXT.fullmatch(text) for text in texts)
    if kind == "date":
        return all(iso_date(cell) is not None for cell in cells) or not numbers
    if kind == "url":
        return any(_URL.match(text) for text in texts) or not numbers
    return not numbers


def _whole(text: str) -> bool:
    digits = text.strip("#.").removesuffix(".0")
    return digits.isdigit()


def _is_number(cell: object) -> bool:
    if isinstance(cell, str):
        return number_like(cell)
    return isinstance(cell, int | float) or hasattr(cell, "dtype")
