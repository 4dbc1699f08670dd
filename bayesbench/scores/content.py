"""A hash of what a matrix holds, whatever the order it is held in."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

__all__ = ["content_hash"]

_HASHED = {
    "models": ("provider", "release_date", "params_b", "open_weights", "reasoning"),
    "benchmarks": ("scale", "lower", "upper", "higher_is_better", "n_items"),
    "readings": ("score", "n_items", "stderr"),
}


def content_hash(models: pd.DataFrame, benchmarks: pd.DataFrame, readings: pd.DataFrame) -> str:
    """Sha256 of everything a fit may use, in canonical order and spelling.

    Parameters
    ----------
    models, benchmarks, readings : pandas.DataFrame
        The tables of a :class:`~bayesbench.scores.ScoreMatrix`. A missing column counts as one
        that is all missing.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    keyed = readings.set_index(["model_id", "benchmark_id", "reading"])
    for kind, table in {"models": models, "benchmarks": benchmarks, "readings": keyed}.items():
        digest.update(f"{kind}\n".encode())
        kept = table.reindex(columns=list(_HASHED[kind]))
        columns = [[_canonical(value) for value in kept[name]] for name in kept]
        lines = zip(map(str, table.index), *columns, strict=True)
        digest.update("\n".join("\t".join(line) for line in sorted(lines)).encode())
    return digest.hexdigest()


def _canonical(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | float | np.integer | np.floating):
        return repr(float(value))
    return str(value)
