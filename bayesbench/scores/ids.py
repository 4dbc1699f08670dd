"""Looking up ids: an unknown one is named together with its nearest known ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from ..errors import UnknownIdError

__all__ = ["look_up", "nearest_ids"]


def nearest_ids(value: str, known: Iterable[str], n: int = 3) -> tuple[str, ...]:
    """Known ids that look most like ``value``, best first.

    Case, spaces, dots, hyphens and underscores are ignored; an id that contains the value, or is
    contained in it, comes before one that is only spelled alike.

    Parameters
    ----------
    value : str
        What was asked for.
    known : iterable of str
        The ids there are.
    n : int
        How many to give at most.

    Returns
    -------
    tuple of str
        At most ``n`` ids; empty when nothing is alike.
    """
    wanted = _plain(value)
    if not wanted:
        return ()
    spelled: dict[str, list[str]] = {}
    for known_id in known:
        spelled.setdefault(_plain(known_id), []).append(known_id)
    holding = [key for key in spelled if len(wanted) > 2 and wanted in key]
    held = [key for key in spelled if len(key) > 2 and key in wanted]
    alike = get_close_matches(wanted, spelled, n=n, cutoff=0.6)
    keys = dict.fromkeys([*sorted(holding, key=len), *sorted(held, key=len, reverse=True), *alike])
    return tuple(known_id for key in keys for known_id in spelled[key])[:n]


def look_up(kind: str, value: str, positions: Mapping[str, int]) -> int:
    """Position of an id.

    Parameters
    ----------
    kind : str
        What is looked up, for the message: ``"model"``, ``"benchmark"``, ...
    value : str
        The id.
    positions : mapping of str to int
        Position of every known id.

    Returns
    -------
    int

    Raises
    ------
    UnknownIdError
        If the id is not known; carries the nearest ones.
    """
    position = positions.get(value)
    if position is None:
        raise UnknownIdError(kind, value, nearest_ids(str(value), positions))
    return position


def _plain(value: str) -> str:
    return "".join(letter for letter in value.casefold() if letter.isalnum())
