"""Options of a method as ``--option KEY=VALUE`` gives them, checked against what there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from ...errors import UsageError

__all__ = ["checked", "field_names", "only_known"]

T = TypeVar("T")


def field_names(kind: type[Any]) -> tuple[str, ...]:
    """What a dataclass takes."""
    return tuple(field.name for field in fields(kind) if field.init)


def only_known(name: str, options: Iterable[str], known: Iterable[str]) -> None:
    """Check the names of options.

    Raises
    ------
    UsageError
        If one is not known; names those that are.
    """
    there = tuple(known)
    for option in options:
        if option not in there:
            listed = f"it has {', '.join(there)}" if there else "it has none"
            raise UsageError(f"method {name!r} has no option {option!r}; {listed}")


def checked(name: str, kind: type[T], options: Mapping[str, Any]) -> T:
    """Build a dataclass from options: its fields.

    Parameters
    ----------
    name : str
        Of the method, for messages.
    kind : dataclass
    options : mapping

    Raises
    ------
    UsageError
        If an option is not a field, one without a default is missing, or a value is of no use.
    """
    declared: Any = kind
    only_known(name, options, field_names(declared))
    for field in fields(declared):
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed and field.name not in options:
            raise UsageError(f"method {name!r} needs option {field.name!r}")
    try:
        return kind(**options)
    except TypeError as error:
        raise UsageError(f"method {name!r}: {error}; check the values of its options") from None
