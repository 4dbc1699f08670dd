"""Lists and pairs on the command line, in which a name may stand in double quotes."""

from __future__ import annotations

from ..errors import UsageError

__all__ = ["bare", "split_list", "split_pair"]


def split_list(written: str, sign: str = ",") -> list[str]:
    """Parts of a list, without space around; quoted parts keep their quotes.

    >>> split_list('a, "b,c" ,d')
    ['a', '"b,c"', 'd']

    Raises
    ------
    UsageError
        A quote is not closed.
    """
    parts, quoted, start = [], False, 0
    for at, letter in enumerate(written):
        if letter == '"':
            quoted = not quoted
        elif letter == sign and not quoted:
            parts.append(written[start:at].strip())
            start = at + 1
    if quoted:
        raise UsageError(f"{written!r}: a quote is not closed; close it")
    return [*parts, written[start:].strip()]


def split_pair(written: str) -> tuple[str, str]:
    """Name and value of ``name=value``; the name may be quoted. Empty where there is none.

    >>> split_pair('"a=b" = 70')
    ('a=b', '70')
    """
    name, *rest = split_list(written, "=")
    return bare(name), "=".join(rest)


def bare(part: str) -> str:
    """A part without the quotes around it; two quotes inside stand for one."""
    if len(part) > 1 and part.startswith('"') and part.endswith('"'):
        return part[1:-1].replace('""', '"')
    return part
