"""From the records of files to readings of a matrix: names, scales, which reading is first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..matrix import ScoreMatrix
from .naming import OWN, Naming
from .records import LARGEST_SHARE_STDERR, Found, Record, Scale

__all__ = ["LEFT_OUT_COLUMNS", "READING_COLUMNS", "Mapped", "mapped"]

READING_COLUMNS = (
    *("model_id", "benchmark_id", "score", "reading", "stderr", "n_items", "setting", "date"),
    *("source_kind", "source_url", "file", "place", "format", "model_name", "benchmark_name"),
    *("metric", "model_rule", "benchmark_rule", "factor", "note"),
)
LEFT_OUT_COLUMNS = ("file", "place", "model", "benchmark", "reason")
BOUNDS: dict[Scale, tuple[float, float]] = {"unit": (0.0, 1.0), "percent": (0.0, 100.0)}
SAME = ("model_id", "benchmark_id", "score", "setting", "date", "source_url")
"""Two readings that agree in all of these are one."""


@dataclass(frozen=True, eq=False)
class Mapped:
    """Readings on a matrix's own names and scales, and what was left out.

    Attributes
    ----------
    readings : pandas.DataFrame
        Columns `READING_COLUMNS`.
    left_out : pandas.DataFrame
        Columns `LEFT_OUT_COLUMNS`.
    benchmarks : pandas.DataFrame
        Metadata of the benchmarks, as of a ScoreMatrix, those added included.
    models : pandas.DataFrame
    """

    readings: pd.DataFrame
    left_out: pd.DataFrame
    benchmarks: pd.DataFrame
    models: pd.DataFrame


def mapped(
    files: Sequence[tuple[str, Found]], naming: Naming, *, scale: Scale | None, partial: bool
) -> Mapped:
    """Map what files say onto the names and scales of a matrix.

    Parameters
    ----------
    files : sequence of (file, Found)
    naming : Naming
    scale : {"unit", "percent", "rating"} or None
        Of scores whose format states none; None takes those for the benchmark's own, but leaves
        out what may be a share or a percentage.
    partial : bool
        Whether runs that did not cover their benchmark count.

    Returns
    -------
    Mapped
    """
    rows: list[dict[str, object]] = []
    left: list[tuple[str, str, str, str, str]] = []
    added: dict[str, Scale] = {}
    facts: dict[str, tuple[str, str]] = {}
    for file, found in files:
        left += [(file, out.place, out.model, out.benchmark, out.reason) for out in found.left_out]
        for record in found.records:
            row = _row(record, file, found.format, naming, scale, added, partial)
            if isinstance(row, str):
                left.append((file, record.place, record.model, record.benchmark, row))
                continue
            rows.append(row)
            if row["model_rule"] == OWN:
                facts.setdefault(record.model, (record.provider, record.release_date))
    readings = pd.DataFrame(rows, columns=list(READING_COLUMNS))
    readings, repeats = _numbered(readings)
    return Mapped(
        readings,
        pd.DataFrame([*left, *repeats], columns=list(LEFT_OUT_COLUMNS)),
        _benchmarks(naming.matrix, readings, added),
        _models(naming.matrix, readings, facts),
    )


def _row(
    record: Record,
    file: str,
    kind: str,
    naming: Naming,
    scale: Scale | None,
    added: dict[str, Scale],
    partial: bool,
) -> dict[str, object] | str:
    """One reading, or why it is left out."""
    if record.partial and not partial:
        return f"a partial run ({record.partial}); --partial takes it"
    benchmark, model = naming.benchmark(kind, record), naming.model(record)
    if benchmark.id is None:
        return benchmark.rule
    if model.id is None:
        return f"model {model.rule}"
    if benchmark.id in naming.matrix.benchmarks.index:
        higher = bool(naming.matrix.benchmarks.loc[benchmark.id, "higher_is_better"])
    else:
        higher = True
    if record.lower_is_better == higher:
        direction = "lower" if record.lower_is_better else "higher"
        return f"{direction} is better there, the reverse on {benchmark.id}"
    stated = record.scale or scale
    factor = _factor(record.score, stated, benchmark.id, naming.matrix, added)
    if isinstance(factor, str):
        return factor
    stderr, doubt = _stderr(record, stated, factor)
    note = "; ".join(part for part in (record.note, doubt, record.partial) if part)
    return {
        "model_id": model.id,
        "benchmark_id": benchmark.id,
        "score": _times(record.score, factor),
        "reading": 0,
        "stderr": stderr,
        "n_items": np.nan if record.n_items is None else record.n_items,
        "setting": record.setting,
        "date": record.date,
        "source_kind": "other",
        "source_url": record.url,
        "file": file,
        "place": record.place,
        "format": kind,
        "model_name": record.model,
        "benchmark_name": record.benchmark,
        "metric": record.metric,
        "model_rule": model.rule,
        "benchmark_rule": benchmark.rule,
        "factor": factor,
        "note": note,
    }


def _stderr(record: Record, stated: Scale | None, factor: float) -> tuple[float, str]:
    """Standard error on the benchmark's scale; none, and why, where its score is on another."""
    if record.stderr is None:
        return np.nan, ""
    most = LARGEST_SHARE_STDERR * BOUNDS[stated][1] if stated in BOUNDS else np.inf
    if record.stderr > most:
        return np.nan, f"standard error {record.stderr:g} is on another scale, and not read"
    return _times(record.stderr, factor), ""


def _times(value: float, factor: float) -> float:
    """The product as it would be written: 0.412 is 41.2 %, not 41.199999999999996 %."""
    return value if factor == 1 else float(f"{value * factor:.13g}")


def _factor(
    score: float,
    stated: Scale | None,
    benchmark_id: str,
    matrix: ScoreMatrix,
    added: dict[str, Scale],
) -> float | str:
    """What a score is multiplied by to stand on its benchmark's scale, or why it cannot."""
    if stated in BOUNDS and not BOUNDS[stated][0] <= score <= BOUNDS[stated][1]:
        return f"{score:g} is outside its {stated} scale"
    if benchmark_id in matrix.benchmarks.index:
        about = matrix.benchmarks.loc[benchmark_id]
        own = str(about["scale"])
        lower, upper = (float(str(about[bound])) for bound in ("lower", "upper"))
    else:
        if stated is None and benchmark_id not in added:
            return "no scale is stated for it; give --scale"
        own = added.setdefault(benchmark_id, stated or "rating")
        lower, upper = BOUNDS.get(own, (np.nan, np.nan))
    factor = _between(score, stated, own)
    if isinstance(factor, str):
        return factor
    value = _times(score, factor)
    if value < lower or value > upper:
        return f"{value:g} is outside the {own} scale of {benchmark_id}"
    return factor


def _between(score: float, stated: Scale | None, own: str) -> float | str:
    """Factor from a stated scale to a benchmark's own."""
    if stated is None:
        if own == "percent" and 0 <= score <= 1:
            return f"{score:g} may be a share or a percentage; give --scale"
        return 1.0
    if stated == own or (stated == "rating" and own not in BOUNDS):
        return 1.0
    if (stated, own) == ("unit", "percent"):
        return 100.0
    if (stated, own) == ("percent", "unit"):
        return 0.01
    what = {"unit": "a share", "percent": "a percentage", "rating": "a rating"}[stated]
    return f"{what}, but the benchmark is on a {own} scale"


def _numbered(
    readings: pd.DataFrame,
) -> tuple[pd.DataFrame, list[tuple[str, str, str, str, str]]]:
    """Number the readings of every cell, the latest first; repeats of one are taken out."""
    repeated = readings.duplicated(list(SAME))
    repeats = [
        (str(file), str(place), str(model), str(benchmark), "the same reading stands before")
        for file, place, model, benchmark in readings.loc[
            repeated, ["file", "place", "model_name", "benchmark_name"]
        ].to_numpy()
    ]
    kept = readings[~repeated].sort_values("date", ascending=False, kind="stable")
    number = kept.groupby(["model_id", "benchmark_id"]).cumcount() + 1
    kept = kept.assign(reading=number.astype(np.int64)).sort_index().reset_index(drop=True)
    return kept.astype({"score": float, "stderr": float, "n_items": float}), repeats


def _benchmarks(
    matrix: ScoreMatrix, readings: pd.DataFrame, added: dict[str, Scale]
) -> pd.DataFrame:
    used = set(readings["benchmark_id"])
    known = matrix.benchmarks[[name in used for name in matrix.benchmarks.index]]
    new = [name for name in added if name in used]
    if not new:
        return known
    bounds = [BOUNDS.get(added[name], (np.nan, np.nan)) for name in new]
    frame = pd.DataFrame(
        {
            "name": new,
            "scale": [added[name] for name in new],
            "lower": [low for low, _ in bounds],
            "upper": [high for _, high in bounds],
            "higher_is_better": True,
            "n_items": np.nan,
        },
        index=pd.Index(new, name="benchmark_id", dtype="str"),
    )
    frame = frame.astype({"name": "str", "scale": "str"})
    return pd.concat([known, frame])


def _models(
    matrix: ScoreMatrix, readings: pd.DataFrame, facts: dict[str, tuple[str, str]]
) -> pd.DataFrame:
    used = dict.fromkeys(readings["model_id"])
    known = matrix.models[[name in used for name in matrix.models.index]]
    new = [name for name in used if name not in matrix.models.index]
    if not new:
        return known
    given = [facts.get(name, ("", "")) for name in new]
    frame = pd.DataFrame(
        {
            "name": pd.array(new, dtype="str"),
            "provider": pd.array([maker or None for maker, _ in given], dtype="str"),
            "release_date": pd.array([day or None for _, day in given], dtype="str"),
            "params_b": np.nan,
            "open_weights": pd.array([None] * len(new), dtype="boolean"),
            "reasoning": pd.array([None] * len(new), dtype="boolean"),
        },
        index=pd.Index(new, name="model_id", dtype="str"),
    )
    return pd.concat([known, frame])
