"""What two matrices differ in: models, benchmarks, metadata, readings, and cells by value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from ..matrix import ScoreMatrix

__all__ = ["Difference", "differences", "summed_up"]

Kind = Literal["model", "benchmark", "cell", "reading"]
Change = Literal["added", "removed", "changed"]
_KEYS = ["model_id", "benchmark_id", "reading"]
_PLURAL: dict[Kind, str] = {
    "model": "models",
    "benchmark": "benchmarks",
    "cell": "cells",
    "reading": "readings",
}


@dataclass(frozen=True)
class Difference:
    """One thing that differs.

    Attributes
    ----------
    change : {"added", "removed", "changed"}
    kind : {"model", "benchmark", "cell", "reading"}
        A cell is a model and benchmark with a score in one matrix only; a reading stands in a cell
        of both.
    model_id, benchmark_id : str or None
    field : str or None
        What changed: a column of the metadata or of the readings.
    before, after : str or float or None
        Its values; the score of a cell that came or went.
    """

    change: Change
    kind: Kind
    model_id: str | None = None
    benchmark_id: str | None = None
    field: str | None = None
    before: str | float | None = None
    after: str | float | None = None


def differences(before: ScoreMatrix, after: ScoreMatrix) -> tuple[Difference, ...]:
    """What there is to change to come from one matrix to another.

    Order of rows does not count. A cell counts once, with its reading 1; the other readings of a
    cell that both have are compared by their numbers.

    Parameters
    ----------
    before, after : ScoreMatrix

    Returns
    -------
    tuple of Difference
        Models, benchmarks, cells, readings.

    Examples
    --------
    >>> table = pd.DataFrame({"gpqa": [70.0, 55.0], "mmlu": [85.0, None]}, index=["a", "b"])
    >>> one = ScoreMatrix.from_frame(table, scale="percent")
    >>> table.loc["a", "gpqa"], table.loc["b", "mmlu"] = 71.0, 80.0
    >>> for found in differences(one, ScoreMatrix.from_frame(table, scale="percent")):
    ...     print(found.change, found.kind, found.model_id, found.before, found.after)
    added cell b None 80.0
    changed reading a 70.0 71.0
    """
    found = [*_metadata("model", before.models, after.models)]
    found += _metadata("benchmark", before.benchmarks, after.benchmarks)
    old, new = _by_reading(before), _by_reading(after)
    cells = {key[:2] for key in old}, {key[:2] for key in new}
    for key in [*old, *(key for key in new if key not in old)]:
        found += _reading(key, old.get(key), new.get(key), cells)
    order = {"model": 0, "benchmark": 1, "cell": 2, "reading": 3}
    return tuple(sorted(found, key=lambda one: order[one.kind]))


def summed_up(found: tuple[Difference, ...]) -> str:
    """Differences in one line.

    Examples
    --------
    >>> summed_up((Difference("added", "model", "a"), Difference("added", "cell", "a", "gpqa")))
    'added: 1 model, 1 cell'
    >>> summed_up(())
    'no difference'
    """
    parts = []
    for change in ("added", "removed", "changed"):
        things = {(one.kind, one.model_id, one.benchmark_id) for one in found
                  if one.change == change}  # fmt: skip
        counts = Counter(kind for kind, _, _ in things)
        said = [f"{counts[kind]} {kind if counts[kind] == 1 else _PLURAL[kind]}"
                for kind in _PLURAL if counts[kind]]  # fmt: skip
        if said:
            parts.append(f"{change}: {', '.join(said)}")
    return "; ".join(parts) or "no difference"


Key = tuple[str, str, int]
Row = dict[str, str | float | None]


def _metadata(
    kind: Literal["model", "benchmark"], before: pd.DataFrame, after: pd.DataFrame
) -> list[Difference]:
    old, new = _rows(before), _rows(after)

    def one(
        change: Change,
        own: str,
        field: str | None = None,
        was: str | float | None = None,
        now: str | float | None = None,
    ) -> Difference:
        model, benchmark = (own, None) if kind == "model" else (None, own)
        return Difference(change, kind, model, benchmark, field, was, now)

    found = [one("removed", own) for own in old if own not in new]
    found += [one("added", own) for own in new if own not in old]
    for own in old:
        if own in new:
            fields = dict.fromkeys([*old[own], *new[own]])
            pairs = ((name, old[own].get(name), new[own].get(name)) for name in fields)
            found += [one("changed", own, *pair) for pair in pairs if pair[1] != pair[2]]
    return found


def _rows(frame: pd.DataFrame) -> dict[str, Row]:
    plain = frame.astype(object).where(frame.notna(), None)
    return {str(own): _plain(row) for own, row in plain.to_dict("index").items()}


def _plain(row: Mapping[Hashable, object]) -> Row:
    """Values that compare: numbers as float, anything else as text."""
    return {
        str(name): None if value is None
        else float(value) if isinstance(value, int | float) and not isinstance(value, bool)
        else str(value)
        for name, value in row.items()
    }  # fmt: skip


def _by_reading(matrix: ScoreMatrix) -> dict[Key, Row]:
    frame = matrix.readings
    plain = frame.astype(object).where(frame.notna(), None)
    rows = plain.drop(columns=_KEYS).to_dict("records")
    keys = zip(*(frame[name] for name in _KEYS), strict=True)
    return {
        (str(model), str(benchmark), int(number)): _plain(row)
        for (model, benchmark, number), row in zip(keys, rows, strict=True)
    }


def _reading(
    key: Key, old: Row | None, new: Row | None, cells: tuple[set[tuple[str, str]], ...]
) -> list[Difference]:
    if old is None or new is None:
        change: Change = "added" if old is None else "removed"
        there = all(key[:2] in group for group in cells)
        if not there and key[2] != 1:
            return []
        row = new or old or {}
        ends = (None, row["score"]) if old is None else (row["score"], None)
        return [Difference(change, "reading" if there else "cell", *key[:2],
                           str(key[2]) if there else None, *ends)]  # fmt: skip
    fields = dict.fromkeys([*old, *new])
    return [
        Difference("changed", "reading", *key[:2], name, old.get(name), new.get(name))
        for name in fields
        if old.get(name) != new.get(name)
    ]
