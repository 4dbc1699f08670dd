"""What the bundled tables know of benchmarks and models by name: scales, directions, spellings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import pandas as pd

from ..shipped import bundled_path
from .ids import Names, names_of
from .schema import check_benchmarks, check_models, find_table

__all__ = ["KnownScale", "is_known", "known_benchmark", "known_names", "known_scales"]

Kind = Literal["model", "benchmark"]


@cache
def _table(kind: Kind) -> pd.DataFrame:
    table = find_table(bundled_path("data", "open_scores"), f"{kind}s")
    return check_models(table) if kind == "model" else check_benchmarks(table)


@cache
def known_names(kind: Kind) -> Names:
    """Every spelling of the bundled models or benchmarks."""
    return names_of(kind, _table(kind))


def is_known(kind: Kind, name: str) -> bool:
    """Whether a name is a spelling of exactly one bundled model or benchmark."""
    return len(known_names(kind).candidates(name)) == 1


def known_benchmark(name: str) -> str | None:
    """Id of the bundled benchmark that a name stands for, None if of none or several.

    Examples
    --------
    >>> known_benchmark("GPQA Diamond"), known_benchmark("my own benchmark")
    ('gpqa_diamond', None)
    """
    found = known_names("benchmark").candidates(name)
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class KnownScale:
    """Scale of a known benchmark.

    Attributes
    ----------
    scale : str
    lower, upper : float
        NaN = unbounded.
    higher_is_better : bool
    """

    scale: str
    lower: float
    upper: float
    higher_is_better: bool

    def holds(self, low: float, high: float) -> bool:
        """Whether scores from `low` to `high` lie within the bounds."""
        return not (low < self.lower or high > self.upper)


def known_scales(names: list[str]) -> dict[str, KnownScale]:
    """Scales of those of some benchmarks that are known, by the name given."""
    found = {}
    for name in names:
        own = known_benchmark(name)
        if own is not None:
            row = dict(_table("benchmark").loc[own])
            found[name] = KnownScale(
                str(row["scale"]),
                float(row["lower"]),
                float(row["upper"]),
                bool(row["higher_is_better"]),
            )
    return found
