"""A contribution merged into a data directory: planned, checked, then written whole or not."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...errors import DataError
from ...files import changed_directory
from ..matrix import ScoreMatrix
from ..merging import MergeAccount
from ..tables import is_missing
from .as_written import read_as_written, write_as_written
from .faults import Finding, check_data

__all__ = ["Addition", "add_scores", "planned_addition"]

_KEYS = ["model_id", "benchmark_id", "reading"]


@dataclass(frozen=True, eq=False)
class Addition:
    """What a contribution makes of a data directory.

    Attributes
    ----------
    base, matrix : ScoreMatrix
        Before and after.
    account : MergeAccount
    readings : pandas.DataFrame
        Those that are added.
    findings : tuple of Finding
        What `check_data` finds that it did not find before.
    """

    base: ScoreMatrix
    matrix: ScoreMatrix
    account: MergeAccount
    readings: pd.DataFrame
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that keep it from being added."""
        return tuple(one for one in self.findings if one.level == "error")


def planned_addition(
    directory: str | Path, contribution: ScoreMatrix, *, new_ids: bool = False
) -> Addition:
    """What adding scores to a data directory would do; nothing is changed.

    Names of the contribution are taken for ids of the directory where a spelling is unique. New
    readings of a cell are numbered behind those that are there; one that says nothing new is left
    out. The result is written to a temporary place and checked there.

    Parameters
    ----------
    directory : path
    contribution : ScoreMatrix
    new_ids : bool
        Whether it may bring models and benchmarks that are not there.

    Returns
    -------
    Addition

    Raises
    ------
    UnknownIdError, AmbiguousIdError
        For names, with candidates.
    SchemaError, DataError
        The directory is at fault, or a benchmark stands on another scale.

    Examples
    --------
    >>> import bayesbench as bb
    >>> from bayesbench.shipped import bundled_path
    >>> table = pd.DataFrame({"GPQA Diamond": [61.0]}, index=["GPT-4.1"])
    >>> mine = bb.read_scores(table, scale="percent")
    >>> planned = planned_addition(bundled_path("data", "open_scores"), mine)
    >>> planned.account.shared_models, len(planned.readings), planned.errors
    (('gpt-4.1',), 1, ())
    """
    place = Path(directory).resolve()
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, place.name)
        merged = _merged(place, contribution, new_ids)
        shutil.copytree(place, part, symlinks=True)
        return _written(place, part, contribution, merged)


def add_scores(
    directory: str | Path, contribution: ScoreMatrix, *, new_ids: bool = False
) -> Addition:
    """Add scores to a data directory, as `planned_addition` says; whole or not at all.

    The directory is copied, changed, checked, and takes the old one's place in one step. Rows that
    were there stay as they are written.

    Raises
    ------
    DataError
        The check finds an error, or the directory cannot be written; it stays as it was. Besides,
        as `planned_addition`.
    """
    place = Path(directory).resolve()
    merged = _merged(place, contribution, new_ids)
    with changed_directory(place) as part:
        done = _written(place, part, contribution, merged)
        if done.errors:
            raise DataError(f"{place}: nothing was added; {done.errors[0].text}")
    return done


Merge = tuple[ScoreMatrix, ScoreMatrix, MergeAccount]


def _merged(place: Path, contribution: ScoreMatrix, new_ids: bool) -> Merge:
    base = ScoreMatrix.from_directory(place)
    matrix, account = base.merged_with(contribution, first="base", new_ids=new_ids)
    return base, matrix, account


def _written(place: Path, part: Path, contribution: ScoreMatrix, merged: Merge) -> Addition:
    """Write the tables of a merge into a copy, and check that."""
    base, matrix, account = merged
    there = set(base.readings[_KEYS].itertuples(index=False, name=None))
    keys = matrix.readings[_KEYS].itertuples(index=False, name=None)
    readings = matrix.readings[[key not in there for key in keys]].reset_index(drop=True)
    for name, key, frame, new in (
        ("models", "model_id", matrix.models, account.new_models),
        ("benchmarks", "benchmark_id", matrix.benchmarks, account.new_benchmarks),
    ):
        if new:
            rows = frame.loc[list(new)].rename_axis(key).reset_index()
            written = _columns(read_as_written(part, name), rows, place, name)
            write_as_written(part, name, pd.concat([written, _texts(rows, written)]))
    if len(readings):
        written = read_as_written(part, "scores")
        if "reading" not in written:
            written["reading"] = "1"
        written = _columns(written, readings, place, "scores")
        write_as_written(part, "scores", _in_place(written, _texts(readings, written)))
    known = {(one.kind, one.text) for one in check_data(place).findings}
    found = check_data(part)
    again = found.matrix
    findings = tuple(one for one in found.findings if (one.kind, one.text) not in known)
    if not findings and again is not None and again.data_hash != matrix.data_hash:
        raise DataError(f"{place}: what was written is not what was merged; nothing was added")
    return Addition(base, matrix, account, readings, findings)


def _columns(written: pd.DataFrame, rows: pd.DataFrame, place: Path, name: str) -> pd.DataFrame:
    """The table with the columns that the new rows need, empty where it had none."""
    missing = [key for key in rows.columns if key in _KEYS and key not in written]
    if missing:
        raise DataError(f"{place}/{name}.csv: missing column {', '.join(missing)}; add it")
    stated = [
        key for key in rows.columns if key not in written and not all(map(_is_empty, rows[key]))
    ]
    return written.assign(**dict.fromkeys(stated, ""))


def _texts(rows: pd.DataFrame, written: pd.DataFrame) -> pd.DataFrame:
    """Rows as text, in the columns of a table."""
    shown = {name: [_text(value) for value in rows[name]] for name in rows if name in written}
    return pd.DataFrame(shown, dtype=str).reindex(columns=written.columns).fillna("")


def _text(value: Any) -> str:
    if _is_empty(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _is_empty(value: Any) -> bool:
    return bool(is_missing(value)) or value == ""


def _in_place(written: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """New readings behind the last one of their cell, else of their model, else at the end."""
    last: dict[Hashable, int] = {}
    for at, (model, benchmark) in enumerate(
        zip(written["model_id"], written["benchmark_id"], strict=True)
    ):
        last[model] = last[model, benchmark] = at
    end = len(written)
    behind = [
        last.get((model, benchmark), last.get(model, end))
        for model, benchmark in zip(rows["model_id"], rows["benchmark_id"], strict=True)
    ]
    order = np.argsort([*range(end), *behind], kind="stable")
    return pd.concat([written, rows], ignore_index=True).iloc[order]
