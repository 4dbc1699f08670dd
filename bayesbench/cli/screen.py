"""The screen: how wide it is, tables and sentences that fit it, intervals drawn on their scale."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = [
    "BAR_LEAST",
    "BAR_MOST",
    "LEAST_WIDTH",
    "Strip",
    "draw",
    "interval_bar",
    "screen_width",
    "wrap",
]

LEAST_WIDTH = 40
"""A narrower screen is taken as one of this width: less cannot hold a name and an interval."""
NAME_LEAST, NAME_SHORTEST = 24, 12
"""Up to this width the first column keeps its names on the line of their numbers: as long as there
is a column that is to be left out first, and without one."""
TEXT_LEAST = 20
"""Up to this width a text is not broken to keep other columns."""
BAR_LEAST, BAR_MOST = 10, 24
INDENT, GAP = 1, 2


@dataclass(frozen=True, eq=False)
class Strip:
    """A column of a table, as text.

    Attributes
    ----------
    title : str
    cells : sequence of str
    right : bool
        Right-aligned.
    drop : int or None
        Columns are left out in the order of this number, then from the right; the first never.
    drawn : callable or None
        Cells for a width, of a column that takes any from `BAR_LEAST` to `BAR_MOST`.
    """

    title: str
    cells: Sequence[str]
    right: bool = False
    drop: int | None = None
    drawn: Callable[[int], Sequence[str]] | None = None


def screen_width() -> int | None:
    """Width in characters: that of COLUMNS, else of the terminal; None in a file or a pipe."""
    stated = os.environ.get("COLUMNS", "")
    if stated.isascii() and stated.isdigit() and int(stated) > 0:
        return max(LEAST_WIDTH, int(stated))
    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 0
    except (OSError, ValueError):  # no real file
        width = 0
    return max(LEAST_WIDTH, width) if width else None


def wrap(text: str, width: int | None) -> list[str]:
    """Lines of at most `width`, broken between words alone; a longer word keeps its line."""
    if width is None or _size(text) <= width:
        return [text]
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and _size(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def interval_bar(
    lower: float, median: float, upper: float, ends: tuple[float, float], width: int
) -> str:
    """The scale as a line with the interval heavy on it and its median as a point.

    Examples
    --------
    >>> interval_bar(25.0, 50.0, 70.0, (0.0, 100.0), 10)
    '──━━━●━━──'
    """
    low, high = ends
    span = high - low

    def place(value: float) -> int:
        share = (value - low) / span if span > 0 else 0.5
        return min(width - 1, max(0, int(share * width)))

    line, heavy, point = _signs()
    start, at, stop = place(lower), place(median), place(upper)
    cells = [line] * start + [heavy] * (stop - start + 1) + [line] * (width - 1 - stop)
    cells[at] = point
    return "".join(cells)


def draw(strips: Sequence[Strip], width: int | None) -> tuple[list[str], list[str]]:
    """Lines of a table, and the titles of the columns that `width` has no room for.

    First titles and texts go on in further lines, then columns are left out in their order. No
    name or number is broken: texts (what is left-aligned, behind the first column) break between
    words, and a name of the first that is too long stands on a line above its numbers.
    """
    kept, left_out = list(strips), list[str]()
    while width is not None and len(kept) > 1 and _total(_leasts(kept)) > width:
        gone = _next_to_go(kept)
        left_out.append(gone.title)
        kept.remove(gone)
    sizes = _grown(kept, width)
    cells = [
        one.cells if one.drawn is None else one.drawn(size)
        for one, size in zip(kept, sizes, strict=True)
    ]
    lines: list[str] = []
    if any(one.title for one in kept):
        titles = [wrap(one.title, size) for one, size in zip(kept, sizes, strict=True)]
        height = max(map(len, titles))
        lines += _block([[""] * (height - len(part)) + part for part in titles], kept, sizes)
        lines.append(" " * INDENT + _signs()[0] * (_total(sizes) - INDENT))
    for row in zip(*cells, strict=True):
        lines += _row(row, kept, sizes, width)
    return lines, left_out


def _row(
    row: Sequence[str], kept: Sequence[Strip], sizes: Sequence[int], width: int | None
) -> list[str]:
    first, above = row[0], list[str]()
    if _size(first) > sizes[0]:
        room = None if width is None else width - INDENT
        above = [" " * INDENT + part for part in wrap(first, room)]
        first = ""
    parts = [
        [cell] if one.right else wrap(cell, size)
        for cell, one, size in zip((first, *row[1:]), kept, sizes, strict=True)
    ]
    if above and not any(any(part) for part in parts):
        return above
    return [*above, *_block(parts, kept, sizes)]


def _block(
    parts: Sequence[Sequence[str]], kept: Sequence[Strip], sizes: Sequence[int]
) -> list[str]:
    """Cells of some lines each, side by side."""
    lines = []
    for at in range(max(map(len, parts))):
        cells = []
        for part, one, size in zip(parts, kept, sizes, strict=True):
            cell = part[at] if at < len(part) else ""
            pad = " " * (size - _size(cell))
            cells.append(pad + cell if one.right else cell + pad)
        lines.append((" " * INDENT + (" " * GAP).join(cells)).rstrip())
    return lines


def _next_to_go(kept: Sequence[Strip]) -> Strip:
    ordered = [one for one in kept[1:] if one.drop is not None]
    return min(ordered, key=lambda one: one.drop or 0) if ordered else kept[-1]


def _grown(kept: Sequence[Strip], width: int | None) -> list[int]:
    """Widths: each as wide as it wants while there is room, names first, then texts and bars."""
    wanted = [_natural(one) for one in kept]
    if width is None or _total(wanted) <= width:
        return wanted
    sizes = _leasts(kept)
    order = sorted(range(len(kept)), key=lambda n: (n > 0, kept[n].right, not kept[n].drawn, n))
    for n in order:
        room = sizes[n] + width - _total(sizes)
        if n == 0:  # as wide as the longest name that fits: a longer one has its own line anyway
            room = max([sizes[0], *(size for size in map(_size, kept[0].cells) if size <= room)])
        sizes[n] = max(sizes[n], min(wanted[n], room))
    return sizes


def _natural(one: Strip) -> int:
    body = BAR_MOST if one.drawn else max(map(_size, one.cells), default=0)
    return max(_size(one.title), body)


def _leasts(kept: Sequence[Strip]) -> list[int]:
    """Widths below which something would be broken that must not be."""
    first, *others = kept
    floor = NAME_SHORTEST if all(one.drop is None for one in others) else NAME_LEAST
    longest = max(map(_size, first.cells), default=0)
    return [max(_longest_word(first.title), min(floor, longest)), *map(_least, others)]


def _least(one: Strip) -> int:
    natural = max(map(_size, one.cells), default=0)
    if one.drawn:
        natural = BAR_LEAST
    elif not one.right:
        natural = max([min(natural, TEXT_LEAST), *map(_longest_word, one.cells)])
    return max(_longest_word(one.title), natural)


def _longest_word(text: str) -> int:
    return max(map(_size, text.split(" ")))


def _total(sizes: Sequence[int]) -> int:
    return INDENT + sum(sizes) + GAP * (len(sizes) - 1)


def _size(text: str) -> int:
    """Columns on the screen: two for a wide character, none for a mark that combines."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def _signs() -> tuple[str, str, str]:
    """Line, heavy line and point, in characters that stdout can write."""
    signs = "─", "━", "●"
    try:
        "".join(signs).encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return "-", "=", "o"
    return signs
