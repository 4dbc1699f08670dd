"""Looking up ids: an unknown one is named together with its nearest known ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt

from ..errors import UnknownIdError, UsageError

__all__ = ["id_indices", "look_up", "nearest_ids"]


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


def id_indices(known: Sequence[str], wanted: Sequence[str], kind: str) -> npt.NDArray[np.intp]:
    """Positions of ``wanted`` in ``known``.

    Raises
    ------
    UnknownIdError
        For an id that is not known, with the nearest ones.
    UsageError
        For an id named twice.
    """
    positions = {name: index for index, name in enumerate(known)}
    seen: set[str] = set()
    for name in wanted:
        look_up(kind, name, positions)
        if name in seen:
            raise UsageError(f"{kind} {name!r} is named twice")
        seen.add(name)
    return np.array([positions[name] for name in wanted], dtype=np.intp)


def _plain(value: str) -> str:
    return "".join(letter for letter in value.casefold() if letter.isalnum())
