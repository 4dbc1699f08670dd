"""Looking up ids: an unknown one is named together with its nearest known ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import AmbiguousIdError, UnknownIdError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Names", "folded", "id_indices", "look_up", "names_of", "nearest_ids"]


def folded(value: str) -> str:
    """A spelling without case, space and punctuation; ``+`` counts as ``plus``.

    Examples
    --------
    >>> folded("GPQA-Diamond"), folded("HumanEval+")
    ('gpqadiamond', 'humanevalplus')
    """
    spelled = value.replace("+", "plus")
    return "".join(letter for letter in spelled.casefold() if letter.isalnum())


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
    wanted = folded(value)
    if not wanted:
        return ()
    spelled: dict[str, list[str]] = {}
    for known_id in known:
        spelled.setdefault(folded(known_id), []).append(known_id)
    holding = [key for key in spelled if len(wanted) > 2 and wanted in key]
    held = [key for key in spelled if len(key) > 2 and key in wanted]
    alike = get_close_matches(wanted, spelled, n=n, cutoff=0.6)
    keys = dict.fromkeys([*sorted(holding, key=len), *sorted(held, key=len, reverse=True), *alike])
    return tuple(known_id for key in keys for known_id in spelled[key])[:n]


@dataclass(frozen=True, eq=False)
class Names:
    """Ids with the other spellings that lead to them; nothing is guessed.

    Attributes
    ----------
    kind : str
        What they name, for messages: ``"model"``, ``"benchmark"``.
    ids : tuple of str
    others : tuple of (str, str)
        (spelling, id): display names and aliases.
    titles : mapping of id to str
        Display names, where there are any.

    Examples
    --------
    >>> others = (("GPQA (main set)", "gpqa_main"),)
    >>> names = Names("benchmark", ("gpqa_diamond", "gpqa_main"), others)
    >>> names.find("GPQA Diamond"), names.find("gpqa main-set")
    ('gpqa_diamond', 'gpqa_main')
    """

    kind: str
    ids: tuple[str, ...]
    others: tuple[tuple[str, str], ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.ids)

    @cached_property
    def _folded(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        return _by_folded((name, name) for name in self.ids), _by_folded(self.others)

    def find(self, value: str) -> str:
        """The id that a spelling stands for.

        An id stands for itself. Any other spelling must, after folding case and dropping all but
        letters and digits, be that of exactly one id, or else of the display names and aliases of
        exactly one.

        Raises
        ------
        AmbiguousIdError
            Several ids are spelled so; carries them.
        UnknownIdError
            None is; carries the nearest ones.
        """
        found = self.known(value)
        if found is None:
            raise UnknownIdError(self.kind, value, nearest_ids(str(value), self.ids))
        return found

    def known(self, value: str) -> str | None:
        """As `find`, but None where nothing is spelled so."""
        found = self.candidates(value)
        if len(found) > 1:
            raise AmbiguousIdError(self.kind, value, found)
        return found[0] if found else None

    def candidates(self, value: str) -> tuple[str, ...]:
        """Ids that a spelling may stand for, sorted: one if it can be told, none if unknown."""
        if value in self._known:
            return (value,)
        wanted = folded(str(value))
        for spelled in self._folded:
            alike = spelled.get(wanted, set()) if wanted else set()
            if alike:
                return tuple(sorted(alike))
        return ()

    def resolve(self, values: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The ids of several spellings, and a line for each that is not the id itself.

        Raises
        ------
        AmbiguousIdError, UnknownIdError
            As `find`.

        Examples
        --------
        >>> Names("benchmark", ("gpqa_diamond", "hle")).resolve(["GPQA Diamond", "hle"])
        (('gpqa_diamond', 'hle'), ("'GPQA Diamond' is taken for gpqa_diamond",))
        """
        given = list(values)
        found = [self.find(value) for value in given]
        told = [
            f"{value!r} is taken for {own}"
            for value, own in zip(given, found, strict=True)
            if value != own
        ]
        return tuple(found), tuple(dict.fromkeys(told))

    def by_id(
        self,
        numbers: Mapping[str, float],
        what: str,
        *,
        unknown: bool = False,
        own: Collection[str] = (),
    ) -> tuple[dict[str, float], tuple[str, ...]]:
        """Numbers by id from numbers by spelling, and a line for each that is not the id itself.

        Parameters
        ----------
        numbers : mapping of spelling to number
        what : str
            What they are, for messages.
        unknown : bool
            Keep what no id is spelled like, as it is, instead of refusing it.
        own : collection of str
            Further names that stand for themselves.

        Raises
        ------
        AmbiguousIdError, UnknownIdError
            As `find`.
        UsageError
            A number is given twice, in two spellings.

        Examples
        --------
        >>> names = Names("benchmark", ("gpqa_diamond", "hle"))
        >>> names.by_id({"GPQA Diamond": 198.0, "hle": 2500.0}, "cost")
        ({'gpqa_diamond': 198.0, 'hle': 2500.0}, ("'GPQA Diamond' is taken for gpqa_diamond",))
        """
        spelled: dict[str, str] = {}
        for written in numbers:
            if written in own:
                name = written
            else:
                name = (self.known(written) or written) if unknown else self.find(written)
            if name in spelled:
                raise UsageError(
                    f"{what} of {name!r} is given twice, in two spellings ({spelled[name]!r} and "
                    f"{written!r}); give it once"
                )
            spelled[name] = written
        told = [
            f"{written!r} is taken for {name}" for name, written in spelled.items()
            if written != name
        ]  # fmt: skip
        return {name: float(numbers[written]) for name, written in spelled.items()}, tuple(told)

    def title(self, own: str) -> str:
        """The display name of an id where that leads back to it alone, else the id.

        Examples
        --------
        >>> Names("model", ("m1",), (("Model One", "m1"),), titles={"m1": "Model One"}).title("m1")
        'Model One'
        """
        name = self.titles.get(own, own)
        return name if self.candidates(name) == (own,) else own


def names_of(kind: str, table: pd.DataFrame) -> Names:
    """Every spelling of the rows of a table: its index, and its columns name and aliases.

    Parameters
    ----------
    kind : str
    table : pandas.DataFrame
        Index of ids; ``aliases`` are separated by ``|``.
    """
    others: list[tuple[str, str]] = []
    titles: dict[str, str] = {}
    for column in ("name", "aliases"):
        if column in table.columns:
            for own, text in zip(table.index, table[column], strict=True):
                if isinstance(text, str):
                    others += [(part.strip(), str(own)) for part in text.split("|")]
                    if column == "name":
                        titles[str(own)] = text
    return Names(kind, tuple(map(str, table.index)), tuple(others), titles)


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


def _by_folded(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for spelling, own in pairs:
        found.setdefault(folded(spelling), set()).add(own)
    return found
