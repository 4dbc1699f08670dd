"""What it costs to run a benchmark, and which benchmarks may be run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BUNDLED_COSTS", "EFFORTS", "ITEM_EQUIVALENTS", "Costs", "read_allowlist"]

BUNDLED_COSTS = "bundled"
"""Source of costs that stands for :meth:`Costs.from_metadata`."""
ITEM_EQUIVALENTS = "item equivalents"
"""Unit of :meth:`Costs.from_metadata`: one item that is graded by exact match."""
EFFORTS: Mapping[str, float] = {
    "exact-match": 1.0,
    "code-execution": 2.0,
    "composite": 3.0,
    "judge": 5.0,
    "agentic": 200.0,
}
"""Effort of one item by how it is scored (column ``how``)."""

_CATEGORY_FACTORS: Mapping[str, float] = {"long-context": 30.0, "multimodal": 2.0}
_ITEMS_IF_UNKNOWN = 1000.0
_AGENTIC_ITEMS_IF_UNKNOWN = 200.0


@dataclass(frozen=True)
class Costs:
    """Cost of running each benchmark.

    Attributes
    ----------
    values : mapping of benchmark id to cost
        Positive and finite. A benchmark not named has no known cost: it is not proposed when
        costs are asked for, and naming it as a candidate is an error.
    unit : str
        ``"items"``, ``"USD"``, ``"minutes"``...; empty if unknown.

    Raises
    ------
    UsageError
        If a cost is not a positive finite number; the message names it.

    Examples
    --------
    >>> Costs({"gpqa_diamond": 198, "hle": 2500}, "items").values["hle"]
    2500
    """

    values: Mapping[str, float]
    unit: str = ""

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            _check(name, value)

    @classmethod
    def from_csv(cls, path: str | Path) -> Costs:
        """Costs from a table with the columns ``benchmark_id,cost[,unit]``.

        Raises
        ------
        UsageError
            If the file cannot be read, lacks a column, repeats a benchmark, mixes units, or
            holds a cost that is not a positive number.
        """
        from ..scores.pairs import read_amounts

        return cls(*read_amounts(path, "cost", "benchmark_id", _check))

    @classmethod
    def from_n_items(cls, benchmarks: pd.DataFrame) -> Costs:
        """Number of items as the cost, from benchmark metadata (index = id, ``n_items``).

        Benchmarks without a known number of items get no cost.
        """
        if "n_items" not in benchmarks:
            return cls({}, "items")
        items = benchmarks["n_items"].dropna()
        return cls({str(name): float(value) for name, value in items.items()}, "items")

    @classmethod
    def from_metadata(cls, benchmarks: pd.DataFrame) -> Costs:
        r"""Load of a run from benchmark metadata, in item equivalents: a rule of thumb.

        .. math:: \text{cost} = \text{items} \times \text{effort} \times \text{factor}

        with the effort of ``how`` it is scored (`EFFORTS`: exact match 1, code execution 2,
        composite 3, judge 5, agentic 200) and the factor of its ``category``: long-context 30,
        multimodal 2, any other 1. Where ``n_items`` is not known 1,000 items are taken, 200 if
        agentic. It tells cheap benchmarks from dear ones; it is no price, and no measured time.

        Parameters
        ----------
        benchmarks : pandas.DataFrame
            Index = id; columns ``category``, ``how`` and, where known, ``n_items``.

        Returns
        -------
        Costs
            Without the benchmarks whose category or ``how`` is empty, or whose ``how`` has no
            effort: humans who vote cannot be counted in items.

        Raises
        ------
        UsageError
            If there is no column ``category`` or ``how``.

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame(
        ...     {
        ...         "category": ["math", "long-context"],
        ...         "how": ["exact-match", "judge"],
        ...         "n_items": [30, None],
        ...     },
        ...     index=["aime_2025", "aa_lcr"],
        ... )
        >>> Costs.from_metadata(table).values
        {'aime_2025': 30.0, 'aa_lcr': 150000.0}
        """
        absent = [name for name in ("category", "how") if name not in benchmarks]
        if absent:
            raise UsageError(
                f"the benchmarks have no column {' and no column '.join(absent)} to tell costs "
                "from: give a CSV file of costs, or n_items"
            )
        kinds = benchmarks[["category", "how"]].dropna()
        kinds = kinds[kinds["how"].isin(EFFORTS)]
        items = benchmarks["n_items"].to_dict() if "n_items" in benchmarks else {}
        values = {}
        for name, category, how in kinds.itertuples():
            known = items.get(name)
            if known is None or math.isnan(known):
                known = _AGENTIC_ITEMS_IF_UNKNOWN if how == "agentic" else _ITEMS_IF_UNKNOWN
            factor = _CATEGORY_FACTORS.get(category, 1.0)
            values[str(name)] = float(known) * EFFORTS[how] * factor
        return cls(values, ITEM_EQUIVALENTS)

    def replaced_by(self, other: Costs) -> Costs:
        """These costs with those of `other` in place of them, and beside them.

        Raises
        ------
        UsageError
            If both have a unit and the units differ: such costs cannot be compared.

        Examples
        --------
        >>> Costs({"a": 1.0, "b": 2.0}, "items").replaced_by(Costs({"b": 5.0})).values
        {'a': 1.0, 'b': 5.0}
        """
        if self.unit and other.unit and self.unit != other.unit:
            raise UsageError(
                f"costs in {other.unit} cannot replace costs in {self.unit}: give all of them in "
                "one unit"
            )
        return Costs({**self.values, **other.values}, self.unit or other.unit)

    @classmethod
    def load(cls, source: str | Path | Mapping[str, float], benchmarks: pd.DataFrame) -> Costs:
        """Costs from ``"n_items"``, ``"bundled"`` (by metadata), a mapping, or a CSV's path."""
        if isinstance(source, Mapping):
            return cls(dict(source))
        if str(source) == BUNDLED_COSTS:
            return cls.from_metadata(benchmarks)
        if str(source) == "n_items":
            return cls.from_n_items(benchmarks)
        return cls.from_csv(source)


def _check(name: str, value: float, where: str = "") -> None:
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{where}cost of {name!r} must be a number above 0, got {value:g}")


def read_allowlist(path: str | Path) -> tuple[str, ...]:
    """Benchmark ids that may be run, from a file.

    A JSON list, a JSON object with ``benchmark_ids``, or plain text with one id a line (blank
    lines and lines from ``#`` on are skipped).

    Raises
    ------
    UsageError
        If the file cannot be read, is malformed or names no benchmark.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UsageError(f"cannot read the allow-list {path}: {reason}") from None
    ids = _json_ids(text, path) if text.lstrip()[:1] in ("[", "{") else _lines(text)
    found = tuple(dict.fromkeys(ids))
    if not found:
        raise UsageError(f"the allow-list {path} names no benchmark")
    return found


def _json_ids(text: str, path: str | Path) -> list[str]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise UsageError(f"the allow-list {path} is not valid JSON: {error}") from None
    ids = content.get("benchmark_ids") if isinstance(content, dict) else content
    if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
        raise UsageError(f"the allow-list {path} must be a list of ids or hold 'benchmark_ids'")
    return ids


def _lines(text: str) -> Iterable[str]:
    stripped = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return [line for line in stripped if line]
