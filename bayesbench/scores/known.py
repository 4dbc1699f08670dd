"""What the bundled tables know of benchmarks and models by name: scales, directions, spellings."""

from __future__ import annotations

from functools import cache
from typing import Literal

import pandas as pd

from .bundled import bundled_path
from .ids import Names, names_of
from .schema import check_benchmarks, check_models, find_table

__all__ = ["is_known", "known_benchmark", "known_names", "known_scales"]

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


def known_scales(names: list[str]) -> pd.DataFrame:
    """Scale, bounds and direction of those of some benchmarks that are known, by the name given."""
    found = {name: own for name in names if (own := known_benchmark(name)) is not None}
    columns = ["scale", "lower", "upper", "higher_is_better"]
    return _table("benchmark").loc[list(found.values()), columns].set_axis(list(found), axis=0)
