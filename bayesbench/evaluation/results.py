"""What an evaluation found: the figures of one method, and of several side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import UnknownIdError, UsageError
from ..files import write_bytes
from ..jsonable import plain
from ..scores.ids import nearest_ids
from .cells import CellTable
from .protocols import EvaluationProtocol
from .resampling import INTERVAL, paired

__all__ = ["Evaluation", "EvaluationResult", "different_names"]

SHOWN = ("medae", "medape", "within5", "coverage90", "width90", "n_cells")
"""Figures of the printed table."""
SHOWN_ROWS = 24
"""Longer tables are printed with their middle left out."""


@dataclass(frozen=True, eq=False, repr=False)
class EvaluationResult:
    """What an evaluation found about one method.

    Attributes
    ----------
    protocol : EvaluationProtocol
        As it was run.
    method : str
    figures : dict
        The figures by name, numbers as they are (NaN where undefined).
    table : CellTable
        Held-out cells with their predictions.
    """

    protocol: EvaluationProtocol
    method: str
    figures: dict[str, Any]
    table: CellTable

    def rows(self) -> list[dict[str, Any]]:
        """Plain figures: one row, or one for every k (and policy) of the protocol's tables.

        Each has ``method``, ``table`` where the protocol has several, what sets it apart, then the
        figures that are single values.
        """
        head = {"method": self.method}
        several = len(self.protocol.parts) > 1
        tables = [
            {**({"table": name} if several else {}), **row}
            for name, levels in self.protocol.parts.items()
            for row in _leaves(self.figures[name], levels)
        ]
        return [{**head, **row} for row in tables or [_single(self.figures)]]

    def cells_of(self, row: Mapping[str, Any]) -> CellTable:
        """The cells behind one of the rows: all, or those of its k and policy."""
        chosen = np.ones(len(self.table.cells), dtype=np.bool_)
        for name in _apart(self.protocol):
            if name in self.table.cells:
                chosen &= (self.table.cells[name] == row[name]).to_numpy()
        return self.table.select(chosen)

    def to_frame(self) -> pd.DataFrame:
        """The rows as a table."""
        return pd.DataFrame(self.rows())

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``: protocol, method, then the figures; NaN becomes null."""
        head = {"protocol": self.protocol.name, "method": self.method}
        return {**head, **{str(key): plain(value) for key, value in self.figures.items()}}

    def to_parquet(self, path: str | Path) -> None:
        """Write the per-cell predictions with their quantiles, whole or not at all."""
        write_bytes(path, self.table.with_quantiles().to_parquet(None, index=False))

    def __repr__(self) -> str:
        """The table of the figures."""
        return _printed(self.protocol, self.to_frame())


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What an evaluation found about several methods, given the same tasks.

    ``evaluation["als"]`` is the result of one of them.

    Attributes
    ----------
    protocol : EvaluationProtocol
    results : tuple of EvaluationResult
        One per method, in the order they were given.

    Raises
    ------
    UsageError
        If two methods share a name.

    Examples
    --------
    >>> from bayesbench.evaluation import Folds, evaluate
    >>> from bayesbench.low_rank.simulate import simulate
    >>> scores = simulate(0, 12, 6, fill=0.9).matrix
    >>> found = evaluate(scores, Folds(), methods=["bias", "mean"])
    >>> list(found.to_frame()["method"])
    ['bias', 'mean']
    """

    protocol: EvaluationProtocol
    results: tuple[EvaluationResult, ...]

    def __post_init__(self) -> None:
        different_names([result.method for result in self.results])

    def __getitem__(self, method: str) -> EvaluationResult:
        """The result of one method.

        Raises
        ------
        UnknownIdError
            If it was not evaluated.
        """
        found = {result.method: result for result in self.results}
        if method not in found:
            raise UnknownIdError("method", method, nearest_ids(method, found) or tuple(found))
        return found[method]

    def __iter__(self) -> Iterator[EvaluationResult]:
        """The results in order."""
        return iter(self.results)

    def __len__(self) -> int:
        """Number of methods."""
        return len(self.results)

    def to_frame(self) -> pd.DataFrame:
        """One row per method; with ``k`` (and ``policy``) as columns where the protocol has them.

        Columns are the single figures of `EvaluationResult.to_json`: ``n_cells``,
        ``not_predictable``, ``medae``, ``medape``, ``within5``, ``coverage90``, ``width90`` and
        more, by protocol; ``medae_low95`` and ``medae_high95`` are the ends of its interval. With
        several methods ``medae_difference`` is the difference to the first of them on the cells
        that both predict, with ``medae_difference_low95`` and ``medae_difference_high95``.
        """
        found = {(entry["method"], *_place(self.protocol, entry)): entry for entry in self._first}
        rows = []
        for result in self.results:
            for row in result.rows():
                entry = found.get((result.method, *_place(self.protocol, row)), {})
                rows.append({**row, **_flat(entry.get("figures", {}))})
        return pd.DataFrame(rows)

    def against(self) -> list[dict[str, Any]]:
        """Differences between every two methods, paired over models.

        Returns
        -------
        list of dict
            ``method``, ``other``, what sets the row apart (k, policy), and ``figures``: by figure
            ``difference`` (of `method` minus `other`, on the cells that both predict) and its
            bootstrap ``interval95`` over models. Each pair stands once, the later method first.
        """
        pairs = [
            (one, other)
            for number, other in enumerate(self.results)
            for one in self.results[number + 1 :]
        ]
        return [entry for one, other in pairs for entry in _differences(one, other)]

    @cached_property
    def _first(self) -> list[dict[str, Any]]:
        """Differences of the others to the first method."""
        others = self.results[1:]
        return [entry for one in others for entry in _differences(one, self.results[0])]

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``: protocol, the JSON of every method, and ``against``."""
        return {
            "protocol": self.protocol.name,
            "results": [result.to_json() for result in self.results],
            "against": plain(self.against()),
        }

    def __repr__(self) -> str:
        """The table of the figures."""
        return _printed(self.protocol, self.to_frame())


def different_names(names: Sequence[str]) -> None:
    """Check the names of methods that are to stand side by side.

    Raises
    ------
    UsageError
        If two are the same.
    """
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"two methods are called {twice[0]!r}; give one of them another name")


def _apart(protocol: EvaluationProtocol) -> list[str]:
    """What sets the rows of a protocol's tables apart."""
    levels = [name for table in protocol.parts.values() for name in table]
    return list(dict.fromkeys([*(["table"] if len(protocol.parts) > 1 else []), *levels]))


def _place(protocol: EvaluationProtocol, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in _apart(protocol))


def _differences(one: EvaluationResult, other: EvaluationResult) -> list[dict[str, Any]]:
    apart = _apart(one.protocol)
    there = {_place(other.protocol, row): row for row in other.rows()}
    out = []
    for row in one.rows():
        same = there.get(_place(one.protocol, row))
        if same is not None:
            place = {name: row[name] for name in apart if name in row}
            figures = paired(one.cells_of(row), other.cells_of(same))
            out.append({"method": one.method, "other": other.method, **place, "figures": figures})
    return out


def _flat(figures: Mapping[str, Any]) -> dict[str, float]:
    """Differences and the ends of their intervals, one column each."""
    out = {}
    for name, entry in figures.items():
        out[f"{name}_difference"] = entry["difference"]
        out.update(_ends(f"{name}_difference", entry["interval95"]))
    return out


def _ends(name: str, interval: Sequence[float]) -> dict[str, float]:
    return {f"{name}_low95": interval[0], f"{name}_high95": interval[1]}


def _single(figures: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in figures.items():
        if name.endswith(INTERVAL):
            out.update(_ends(name.removesuffix(INTERVAL), value))
        elif value is not None and (
            isinstance(value, str) or not isinstance(value, (Mapping, list))
        ):
            out[name] = value
    return out


def _leaves(tables: Mapping[str, Any], levels: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of nested tables; keys that are numbers in text become numbers again."""
    for key, inner in tables.items():
        head = {levels[0]: int(key) if levels[0] == "k" else key}
        rows = _leaves(inner, levels[1:]) if len(levels) > 1 else [_single(inner)]
        for row in rows:
            yield {**head, **row}


def _printed(protocol: EvaluationProtocol, frame: pd.DataFrame) -> str:
    columns = ["method", *_apart(protocol), *(name for name in SHOWN if name in frame)]
    text = frame[columns].to_string(
        index=False, max_rows=SHOWN_ROWS, na_rep="-", float_format="{:.2f}".format
    )
    return f"{protocol.name}\n{text}"
