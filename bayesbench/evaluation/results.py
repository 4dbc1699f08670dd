"""What an evaluation found: the figures of one method, and of several side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import UnknownIdError, UsageError
from ..jsonable import plain
from ..scores.ids import nearest_ids
from .cells import CellTable
from .protocols import EvaluationProtocol

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
    protocol : Folds, NewRelease, Probes or Curve
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

        Each has ``method``, what sets it apart, then the figures that are single values.
        """
        head = {"method": self.method}
        tables = [
            row
            for name, levels in self.protocol.parts.items()
            for row in _leaves(self.figures[name], levels)
        ]
        return [{**head, **row} for row in tables or [_single(self.figures)]]

    def to_frame(self) -> pd.DataFrame:
        """The rows as a table."""
        return pd.DataFrame(self.rows())

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``: protocol, method, then the figures; NaN becomes null."""
        head = {"protocol": self.protocol.name, "method": self.method}
        return {**head, **{str(key): plain(value) for key, value in self.figures.items()}}

    def to_parquet(self, path: str | Path) -> None:
        """Write the per-cell predictions with their quantiles."""
        self.table.with_quantiles().to_parquet(path, index=False)

    def __repr__(self) -> str:
        """The table of the figures."""
        return _printed(self.protocol, self.to_frame())


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What an evaluation found about several methods, given the same tasks.

    ``evaluation["als"]`` is the result of one of them.

    Attributes
    ----------
    protocol : Folds, NewRelease, Probes or Curve
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

        Columns are the single figures of :meth:`EvaluationResult.to_json`: ``n_cells``,
        ``not_predictable``, ``medae``, ``medape``, ``within5``, ``coverage90``, ``width90`` and
        more, by protocol.
        """
        return pd.DataFrame([row for result in self.results for row in result.rows()])

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``: protocol, and the JSON of every method."""
        return {
            "protocol": self.protocol.name,
            "results": [result.to_json() for result in self.results],
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


def _single(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in figures.items()
        if value is not None and (isinstance(value, str) or not isinstance(value, (Mapping, list)))
    }


def _leaves(tables: Mapping[str, Any], levels: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of nested tables; keys that are numbers in text become numbers again."""
    for key, inner in tables.items():
        head = {levels[0]: int(key) if levels[0] == "k" else key}
        rows = _leaves(inner, levels[1:]) if len(levels) > 1 else [_single(inner)]
        for row in rows:
            yield {**head, **row}


def _printed(protocol: EvaluationProtocol, frame: pd.DataFrame) -> str:
    apart = [name for levels in protocol.parts.values() for name in levels]
    columns = ["method", *apart, *(name for name in SHOWN if name in frame)]
    text = frame[columns].to_string(
        index=False, max_rows=SHOWN_ROWS, na_rep="-", float_format="{:.2f}".format
    )
    return f"{protocol.name}\n{text}"
