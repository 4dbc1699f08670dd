"""From the names in a file to the ids of a matrix, each with the rule that led there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...errors import AmbiguousIdError, DataError, UsageError
from ..ids import Names, nearest_ids
from ..matrix import ScoreMatrix
from .bounded import ROW, csv_rows, read_bytes
from .records import Record
from .task_names import known_task

__all__ = ["Aliases", "Named", "Naming", "read_aliases"]

ALIAS_FILE, ID, ALIAS, FOLDED = "alias file", "id", "name or alias", "folded spelling"
ORGANISATION, TASK, OWN = "organisation", "task name", "own name"
KINDS = ("model", "benchmark")

Aliases = Mapping[tuple[str, str], str]
"""(kind, name in a file) to id."""


@dataclass(frozen=True)
class Named:
    """What a name was taken for.

    Attributes
    ----------
    id : str or None
        None if it was taken for nothing.
    rule : str
        How: ``"alias file"``, ``"id"``, ``"name or alias"``, ``"folded spelling"``,
        ``"organisation"``, ``"task name"``, ``"own name"``; the reason where there is no id.
    """

    id: str | None
    rule: str


@dataclass(frozen=True, eq=False)
class Naming:
    """Resolves names to the ids of a matrix; exactly, by a table or by folding, never by likeness.

    Attributes
    ----------
    matrix : ScoreMatrix
    aliases : mapping of (kind, name) to id
        The user's own; they come first.
    add : bool
        Whether a benchmark that the matrix does not have keeps its own name.
    """

    matrix: ScoreMatrix
    aliases: Aliases
    add: bool = False

    def model(self, record: Record) -> Named:
        """Model of a record: known ones by id or spelling, any other under its own name."""
        names = (record.model, *record.other_models)
        for name in names:
            found = self._spelled("model", name)
            if found is not None:
                return found
        for name in names:
            found = self._without_organisation(name)
            if found is not None:
                return found
        return Named(record.model, OWN)

    def benchmark(self, kind: str, record: Record) -> Named:
        """Benchmark of a record of a format."""
        names = (record.benchmark, *record.others)
        for name in names:
            if ("benchmark", name) in self.aliases:
                return Named(self.aliases["benchmark", name], ALIAS_FILE)
        for name in names:
            listed, task = known_task(kind, name)
            if listed and task is None:
                return self._unknown(name, "another benchmark than its name says")
            found = None if task is None else self._spelled("benchmark", task)
            if found is not None and found.id is not None:
                return Named(found.id, TASK)
            if listed:
                continue
            found = self._spelled("benchmark", name)
            if found is not None:
                return found
        return self._unknown(record.benchmark, "unknown benchmark")

    def _unknown(self, name: str, why: str) -> Named:
        if self.add:
            return Named(name, OWN)
        near = nearest_ids(name, self.matrix.benchmark_ids)
        hint = f"; nearest: {', '.join(near)}" if near else ""
        return Named(None, f"{why}{hint}")

    def _names(self, kind: str) -> Names:
        return self.matrix.model_names if kind == "model" else self.matrix.benchmark_names

    def _spelled(self, kind: str, name: str) -> Named | None:
        """What a name is spelled like; None if nothing is spelled so."""
        if (kind, name) in self.aliases:
            return Named(self.aliases[kind, name], ALIAS_FILE)
        names = self._names(kind)
        if name in self._ids[kind]:
            return Named(name, ID)
        try:
            found = names.known(name)
        except AmbiguousIdError as error:
            return Named(None, f"may be any of {', '.join(error.suggestions)}; give an alias file")
        if found is None:
            return None
        return Named(found, ALIAS if (name, found) in self._others[kind] else FOLDED)

    def _without_organisation(self, name: str) -> Named | None:
        """``organisation/model`` where that organisation is the model's own maker."""
        organisation, slash, rest = name.partition("/")
        if not slash:
            return None
        found = self._spelled("model", rest.rpartition("/")[2])
        if found is None or found.id is None:
            return None
        makers = self._makers.get(_plain(organisation), frozenset())
        provider = self.matrix.models["provider"].get(found.id)
        own = isinstance(provider, str) and (
            _plain(provider) == _plain(organisation) or provider in makers
        )
        return Named(found.id, ORGANISATION) if own else None

    @cached_property
    def _ids(self) -> dict[str, frozenset[str]]:
        return {
            "model": frozenset(self.matrix.model_ids),
            "benchmark": frozenset(self.matrix.benchmark_ids),
        }

    @cached_property
    def _others(self) -> dict[str, frozenset[tuple[str, str]]]:
        return {kind: frozenset(self._names(kind).others) for kind in KINDS}

    @cached_property
    def _makers(self) -> dict[str, frozenset[str]]:
        """Providers of the models that aliases like ``organisation/model`` name, by organisation.

        One that stands before models of several makers, as those who re-upload do, tells nothing.
        """
        found: dict[str, set[str]] = {}
        providers = self.matrix.models["provider"]
        for spelling, own in self.matrix.model_names.others:
            organisation, slash, _ = spelling.partition("/")
            if slash and isinstance(providers.get(own), str):
                found.setdefault(_plain(organisation), set()).add(str(providers[own]))
        return {name: frozenset(makers) for name, makers in found.items() if len(makers) == 1}


def read_aliases(given: str | Path | Mapping[str, str] | None, matrix: ScoreMatrix) -> Aliases:
    """The user's own names.

    Parameters
    ----------
    given : path, mapping or None
        A CSV with columns ``name,id`` and optionally ``kind`` (model or benchmark), or a mapping of
        name to id. Without a kind, an id of a benchmark names one; any other is a model's.
    matrix : ScoreMatrix

    Raises
    ------
    DataError
        Naming the file, the row and the value.
    UsageError
        For an id that is no text.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return _kinded((("", name, own, "aliases") for name, own in given.items()), matrix)
    source = str(given)
    header, rows = csv_rows(read_bytes(Path(given)), source)
    if not {"name", "id"} <= set(header):
        found = ", ".join(header[:8]) or "none"
        raise DataError(f"{source}: an alias file needs columns name,id (columns found: {found})")
    entries = (
        (row.get("kind", "").strip(), row["name"].strip(), row["id"].strip(),
         f"{source}, row {row[ROW]}")
        for row in rows
    )  # fmt: skip
    return _kinded(entries, matrix)


def _kinded(entries: Iterable[tuple[str, str, str, str]], matrix: ScoreMatrix) -> Aliases:
    found: dict[tuple[str, str], str] = {}
    for kind, name, own, place in entries:
        if not name or not own or not isinstance(own, str):
            raise UsageError(f"{place}: a name and an id are needed, got {name!r} and {own!r}")
        if kind not in ("", *KINDS):
            raise DataError(f"{place}: kind {kind!r} must be model or benchmark")
        if not kind:
            kind = "benchmark" if own in set(matrix.benchmark_ids) else "model"
        if found.setdefault((kind, name), own) != own:
            raise DataError(f"{place}: {name!r} is given two ids; keep one")
    return found


def _plain(text: str) -> str:
    return "".join(letter for letter in str(text).casefold() if letter.isalnum())
