"""Two matrices as one: names resolved, readings numbered on, repeats taken out and named."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..errors import AmbiguousIdError, SchemaError, UnknownIdError
from .ids import Names, names_of, nearest_ids
from .tables import is_missing

__all__ = ["First", "MergeAccount", "Tables", "merged_tables"]

First = Literal["base", "other"]
Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
"""Models, benchmarks and readings of a matrix."""

_SCALE = ("scale", "lower", "upper", "higher_is_better")
_STATED = ("setting", "source_url", "n_items", "stderr")
"""What a reading may say besides its score."""
_KEYS = ["model_id", "benchmark_id"]
LISTED = 5
"""Names that a message lists before it counts the rest."""
DIGITS = 9
"""Scores are decimal numbers: what a later digit says is rounding of the machine."""


@dataclass(frozen=True)
class MergeAccount:
    """What two matrices share, and what the second one brings.

    Attributes
    ----------
    shared_models, new_models, shared_benchmarks, new_benchmarks : tuple of str
    shared_cells, new_cells : int
        Cells of the second matrix that the first one has a score in, and those where it has none.
    readings : int
        Readings that were added.
    repeats : tuple of (model_id, benchmark_id, score)
        Readings that say nothing that is not there; they count once.
    taken : tuple of str
        Spellings that were taken for an id, a line each.

    Examples
    --------
    >>> print(MergeAccount(("a",), ("b",), ("gpqa",), (), 1, 1, 2).line)
    1 shared and 1 new models, 1 shared and 0 new benchmarks, scores in 1 shared and 1 new cells
    """

    shared_models: tuple[str, ...]
    new_models: tuple[str, ...]
    shared_benchmarks: tuple[str, ...]
    new_benchmarks: tuple[str, ...]
    shared_cells: int
    new_cells: int
    readings: int
    repeats: tuple[tuple[str, str, float], ...] = ()
    taken: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Sizes in one line."""
        told = (
            f"{len(self.shared_models)} shared and {len(self.new_models)} new models, "
            f"{len(self.shared_benchmarks)} shared and {len(self.new_benchmarks)} new benchmarks, "
            f"scores in {self.shared_cells} shared and {self.new_cells} new cells"
        )
        return f"{told}; {len(self.repeats)} repeat what is there" if self.repeats else told

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        repeats = [dict(zip((*_KEYS, "score"), one, strict=True)) for one in self.repeats]
        return {**asdict(self), "repeats": repeats}


def merged_tables(
    base: Tables, other: Tables, *, first: First, new_ids: bool = True
) -> tuple[Tables, MergeAccount]:
    """The tables of two matrices as one.

    Names of the second are taken for ids of the first where a spelling is unique (ids, display
    names, aliases; case, space and punctuation do not count). A reading of the second repeats one
    that is there if it has the same score and states no setting, page, items or standard error
    that this one does not state alike; it is left out and named. What the first says of models and
    benchmarks stands; a scale that differs is refused.

    Parameters
    ----------
    base, other : tuple of frames
        Models, benchmarks and readings.
    first : {"base", "other"}
        Whose readings come first in a cell of both: reading 1 is the one that a fit uses. The other
        ones stand behind, numbered on.
    new_ids : bool
        Whether the second may bring models and benchmarks that the first does not have.

    Returns
    -------
    tables : tuple of frames
        In the order of the first, what is new behind.
    account : MergeAccount

    Raises
    ------
    AmbiguousIdError
        A name that may be several ids of the first.
    UnknownIdError
        Without `new_ids`, for names that the first does not have, with the nearest ids.
    SchemaError
        A shared benchmark stands on another scale.
    """
    models, own_models, told = _resolved("model", base[0], other[0], new_ids)
    benchmarks, own_benchmarks, more = _resolved("benchmark", base[1], other[1], new_ids)
    _check_scales(base[1], other[1], own_benchmarks)
    given = other[2].assign(
        model_id=other[2]["model_id"].map(own_models),
        benchmark_id=other[2]["benchmark_id"].map(own_benchmarks),
    )
    readings, repeats, added = _numbered(base[2], given, first)
    cells = {tuple(cell) for cell in given[_KEYS].itertuples(index=False, name=None)}
    there = {tuple(cell) for cell in base[2][_KEYS].itertuples(index=False, name=None)}
    known = set(base[0].index), set(base[1].index)
    account = MergeAccount(
        *_parted(own_models, known[0]),
        *_parted(own_benchmarks, known[1]),
        len(cells & there),
        len(cells - there),
        added,
        repeats,
        (*told, *more),
    )
    return (models, benchmarks, readings), account


def _resolved(
    kind: str, base: pd.DataFrame, other: pd.DataFrame, new_ids: bool
) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """The metadata of both, the id of each name of the second, and what was taken for what."""
    names = names_of(kind, base)
    own: dict[str, str] = {}
    for name in map(str, other.index):
        found = names.candidates(name)
        if len(found) > 1:
            raise AmbiguousIdError(kind, name, found)
        own[name] = found[0] if found else name
    new = [name for name in own if own[name] not in set(base.index)]
    if new and not new_ids:
        raise _unknown(kind, new, names)
    told = [f"{kind} {name!r} is taken for {found}" for name, found in own.items() if name != found]
    added = other.loc[new]
    if added.empty:
        return base, own, told
    columns = list(dict.fromkeys([*base.columns, *added.columns]))
    frame = pd.DataFrame(
        {name: _joined(base.get(name), added.get(name), base.index, added.index)
         for name in columns},
        index=pd.Index([*base.index, *added.index], name=base.index.name, dtype="str"),
    )  # fmt: skip
    return frame, own, told


def _joined(
    base: pd.Series | None, added: pd.Series | None, before: pd.Index, after: pd.Index
) -> pd.Series:
    """A column of both, in its own type also where one of them lacks it."""
    kind = (base if base is not None else added).dtype  # type: ignore[union-attr]
    parts = [
        pd.Series(np.nan, index=index).astype(kind) if part is None else part.astype(kind)
        for part, index in ((base, before), (added, after))
    ]
    whole: pd.Series = pd.concat(parts)
    return whole


def _unknown(kind: str, new: Sequence[str], names: Names) -> UnknownIdError:
    """One error for all names that are not there, each with its candidates."""
    near = nearest_ids(new[0], names.ids)
    error = UnknownIdError(kind, new[0], near)
    listed = []
    for name in new[:LISTED]:
        candidates = ", ".join(nearest_ids(name, names.ids)) or "nothing like it"
        listed.append(f"{name!r} (nearest: {candidates})")
    more = f" and {len(new) - LISTED} more" if len(new) > LISTED else ""
    plural = "s" if len(new) > 1 else ""
    error.args = (
        f"unknown {kind}{plural} {', '.join(listed)}{more}; correct the name{plural}, or ask for "
        "new ids (--new-ids)",
    )
    return error


def _check_scales(base: pd.DataFrame, other: pd.DataFrame, own: dict[str, str]) -> None:
    for name, found in own.items():
        if found not in base.index:
            continue
        for field in _SCALE:
            here: Any = base.at[found, field]
            there: Any = other.at[name, field]
            if here != there and not (is_missing(here) and is_missing(there)):
                raise SchemaError(
                    f"benchmark {name!r}: {field} is {there}, but {here} of {found} in the matrix; "
                    "state the scale, or give it a name of its own"
                )


def _parted(own: dict[str, str], known: set[Hashable]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    ids = dict.fromkeys(own.values())
    return (
        tuple(name for name in ids if name in known),
        tuple(name for name in ids if name not in known),
    )


def _numbered(
    base: pd.DataFrame, given: pd.DataFrame, first: First
) -> tuple[pd.DataFrame, tuple[tuple[str, str, float], ...], int]:
    """Readings of both, cell by cell: those that come first, then the others; repeats once."""
    columns = list(dict.fromkeys([*base.columns, *given.columns]))
    both = pd.concat([base.reindex(columns=columns), given.reindex(columns=columns)])
    both = both.reset_index(drop=True)
    new = np.arange(len(both)) >= len(base)
    touched = set(map(tuple, given[_KEYS].itertuples(index=False, name=None)))
    rows = both.to_dict("records")
    by_cell: dict[tuple[str, str], list[int]] = {}
    for at, row in enumerate(rows):
        cell = (str(row["model_id"]), str(row["benchmark_id"]))
        if cell in touched:
            by_cell.setdefault(cell, []).append(at)
    number = both["reading"].to_numpy(copy=True)
    kept = np.ones(len(both), dtype=bool)
    repeats: list[tuple[str, str, float]] = []
    for cell, members in by_cell.items():
        old = sorted((at for at in members if not new[at]), key=lambda at: number[at])
        theirs = sorted((at for at in members if new[at]), key=lambda at: number[at])
        in_order: list[int] = []
        for at in theirs:
            same = next((a for a in [*old, *in_order] if _repeats(rows[at], rows[a])), None)
            if same is None:
                in_order.append(at)
                continue
            kept[at] = False
            repeats.append((*cell, float(rows[at]["score"])))
            if same not in in_order and first == "other":
                in_order.append(same)
        behind = [at for at in old if at not in in_order]
        if first == "other":
            for place, at in enumerate([*in_order, *behind], start=1):
                number[at] = place
        else:
            last = max((int(number[at]) for at in old), default=0)
            for place, at in enumerate(in_order, start=last + 1):
                number[at] = place
    readings = both.assign(reading=number)[kept].reset_index(drop=True)
    return readings.astype({"reading": np.int64}), tuple(repeats), int(kept[new].sum())


def _repeats(one: dict[Hashable, Any], other: dict[Hashable, Any]) -> bool:
    """Whether a reading says nothing that another of its cell does not say."""
    if round(float(one["score"]) - float(other["score"]), DIGITS) != 0:
        return False
    stated = [name for name in _STATED if not (is_missing(one.get(name)) or one[name] == "")]
    return all(one[name] == other.get(name) for name in stated)
