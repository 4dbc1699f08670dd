"""All faults of a data directory or a table at once, and what is doubtful about it.

The schema raises at the first fault. Here the row that it names is set aside and the rest is
checked again, so that there is one schema and every fault of it is found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

from ...errors import BayesbenchError, SchemaError
from ..assemble import AUTO, Metadata, assemble, assemble_directory
from ..doubts import column_doubts
from ..headers import name_aliases
from ..identity import same_models
from ..ids import folded
from ..matrix import ScoreMatrix
from ..schema import check_benchmarks, check_models, find_table
from ..tables import Table, read_table

__all__ = ["MOST_FAULTS", "Checked", "Finding", "check_data"]

MOST_FAULTS = 100
"""Faults of one table after which the search ends, which is then said."""
LEAST_TWINS = 0.5
"""Probability of being one model from which on two ids are named."""
NAMED = 5
"""Ids that a line names before it counts the rest."""
_URL = r"https?://[^\s/]+\S*"
_TABLES = ("models", "benchmarks", "scores")

Read = TypeVar("Read")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or doubtful.

    Attributes
    ----------
    level : {"error", "warning"}
    kind : str
        ``schema``, ``names``, ``address``, ``repeat``, ``no scores``, ``column``, ``identity`` or
        ``suspicion``.
    text : str
        One line: where, what, the value, the remedy.
    probability : float or None
        Of an identity, that two ids are one model; of a suspicion, that the score is wrong.
    """

    level: Literal["error", "warning"]
    kind: str
    text: str
    probability: float | None = None


@dataclass(frozen=True, eq=False)
class Checked:
    """What a check found.

    Attributes
    ----------
    findings : tuple of Finding
        Errors first.
    matrix : ScoreMatrix or None
        What is left without the rows at fault; None if nothing is.
    """

    findings: tuple[Finding, ...]
    matrix: ScoreMatrix | None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those that keep the data from being used."""
        return tuple(one for one in self.findings if one.level == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Those to look at."""
        return tuple(one for one in self.findings if one.level == "warning")


def check_data(
    path: str | Path, *, scale: str | None = AUTO, benchmarks: Metadata = None
) -> Checked:
    r"""Check a data directory or a table: every fault of its rows, then what is doubtful.

    Errors are faults of the schema (columns, ids, numbers, dates, scales and bounds, unknown ids,
    readings that stand twice or lack their first), aliases that lead to two ids once case, space
    and punctuation are gone, and source addresses that are none. Warnings are readings that repeat
    another one exactly, readings without a source, models and benchmarks without scores, ids,
    aliases and display names that are spelled as those of others, columns that contradict their
    scale or direction (`column_doubts`) and ids that may be one model (`same_models`).

    Parameters
    ----------
    path : str or Path
    scale, benchmarks
        Of a single table, as for `read_scores`.

    Returns
    -------
    Checked

    Raises
    ------
    DataError
        If there is no such file or directory.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "scores.csv")
    ...     _ = file.write_text("model_id,benchmark_id,score\na,gpqa,-7\na,mmlu,85\nb,mmlu,185")
    ...     for error in check_data(file, scale="percent").errors:
    ...         print(error.text.partition(" scale ")[0])
    scores.csv, row 2: score -7 of gpqa is outside its percent
    scores.csv, row 4: score 185 of mmlu is outside its percent
    """
    path = Path(path)
    findings, matrix = _directory(path) if path.is_dir() else _table(path, scale, benchmarks)
    if matrix is not None:
        findings += [*_names(matrix), *_readings(matrix), *_without_scores(matrix)]
        findings += [Finding("warning", "column", one.sentence) for one in column_doubts(matrix)]
        findings += _identities(matrix)
    ordered = sorted(findings, key=lambda one: one.level != "error")
    return Checked(tuple(ordered), matrix)


# The schema


def _directory(path: Path) -> tuple[list[Finding], ScoreMatrix | None]:
    findings: list[Finding] = []
    tables: dict[str, Table] = {}
    for name in _TABLES:
        try:
            tables[name] = name_aliases(find_table(path, name))
        except SchemaError as error:
            findings.append(Finding("error", "schema", str(error)))
    if findings:
        return findings, None
    models, own = _peeled(tables["models"], check_models)
    benchmarks, others = _peeled(tables["benchmarks"], check_benchmarks)
    findings += own + others
    if models is None or benchmarks is None:
        return findings, None
    scores = _of_known(tables["scores"], tables, models, benchmarks)
    read, faults = _peeled(
        scores, lambda table: assemble_directory(path.name, models, benchmarks, table)
    )
    return findings + faults, None if read is None else ScoreMatrix(*read)


def _table(
    path: Path, scale: str | None, benchmarks: Metadata
) -> tuple[list[Finding], ScoreMatrix | None]:
    try:
        table = read_table(path)
    except BayesbenchError as error:
        return [Finding("error", "schema", str(error))], None
    stated = None if benchmarks is not None and scale == AUTO else scale
    read, faults = _peeled(table, lambda part: assemble(part, stated, benchmarks, None))
    return faults, None if read is None else ScoreMatrix(*read)


def _peeled(table: Table, check: Callable[[Table], Read]) -> tuple[Read | None, list[Finding]]:
    """What a check makes of a table without the rows that it refuses, and why it refused each."""
    findings: list[Finding] = []
    while len(findings) < MOST_FAULTS:
        try:
            return check(table), findings
        except SchemaError as error:
            findings.append(Finding("error", "schema", str(error)))
            at = np.flatnonzero(table.rows == error.row)
            if error.row is None or table.counted != "row" or len(at) != 1:
                return None, findings
            table = _without(table, int(at[0]))
    more = f"{table.source}: more than {MOST_FAULTS} faults; the rest of it was not checked"
    return None, [*findings, Finding("error", "schema", more)]


def _without(table: Table, at: int) -> Table:
    """Without a row; where a cell loses its reading 1 so, without its other readings."""
    kept = np.ones(len(table.frame), dtype=bool)
    kept[at] = False
    keys = ["model_id", "benchmark_id"]
    if {*keys, "reading"} <= set(table.frame.columns):
        row = table.frame.iloc[at]
        cell = (table.frame[keys] == row[keys]).all(axis=1).to_numpy()
        first = table.frame["reading"].astype(str).isin(["1", "1.0"]).to_numpy()
        if not (cell & first & kept).any():
            kept &= ~cell
    return table.holding(table.frame[kept].reset_index(drop=True), table.rows[kept])


def _of_known(
    scores: Table, tables: dict[str, Table], models: pd.DataFrame, benchmarks: pd.DataFrame
) -> Table:
    """Scores without the rows of models and benchmarks that are there, but were at fault."""
    kept = np.ones(len(scores.frame), dtype=bool)
    for name, checked in (("models", models), ("benchmarks", benchmarks)):
        column = f"{name[:-1]}_id"
        if column in scores.frame and column in tables[name].frame:
            faulty = set(tables[name].frame[column]) - set(checked.index)
            kept &= ~scores.frame[column].isin(faulty).to_numpy()
    return scores.holding(scores.frame[kept].reset_index(drop=True), scores.rows[kept])


# Beyond the schema


def _names(matrix: ScoreMatrix) -> Iterator[Finding]:
    for kind, table in (("models", matrix.models), ("benchmarks", matrix.benchmarks)):
        ids = _owners((str(own), str(own)) for own in table.index)
        names = _owners((str(text), str(own)) for own, text in table["name"].dropna().items())
        listed = table["aliases"].dropna().items() if "aliases" in table else ()
        aliases = _owners((part, str(own)) for own, text in listed for part in text.split("|"))
        for own in ids.values():
            if len(own) > 1:
                yield Finding(
                    "warning", "names", f"{kind}: {_listed(own)} are spelled alike; merge them?"
                )
        for spelling, owners in aliases.items():
            first = ids.get(spelling, set())
            if not first and len(owners) > 1:
                text = f"{kind}: the alias {spelling!r} leads to {_listed(owners)}; leave it to one"
                yield Finding("error", "names", text)
            elif first and owners - first:
                text = f"{kind}: an alias of {_listed(owners - first)} is the id {_listed(first)}"
                yield Finding("warning", "names", f"{text}, which it leads to; merge them?")
        for spelling, owners in names.items():
            if len(owners) > 1:
                text = f"{kind}: {_listed(owners)} have one display name ({spelling!r} folded)"
                yield Finding("warning", "names", f"{text}; tell them apart")


def _owners(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Ids by folded spelling, sorted."""
    found = defaultdict[str, set[str]](set)
    for spelling, own in pairs:
        found[folded(spelling)].add(own)
    return dict(sorted(found.items()))


def _readings(matrix: ScoreMatrix) -> Iterator[Finding]:
    readings = matrix.readings
    if "source_url" in readings:
        url = readings["source_url"]
        bad = url.notna() & ~url.str.fullmatch(_URL, na=False)
        for at in np.flatnonzero(bad.to_numpy())[:MOST_FAULTS]:
            yield Finding(
                "error",
                "address",
                f"{_reading(readings, int(at))}: source_url {url.iloc[at]!r} must be the http(s) "
                "address of a public page",
            )
        if url.isna().any() and url.notna().any():
            yield Finding(
                "warning",
                "address",
                f"{int(url.isna().sum())} of {len(url)} readings have no source_url, the first "
                f"being {_reading(readings, int(np.argmax(url.isna())))}",
            )
    same = ["model_id", "benchmark_id", "score", "source_url", "setting"]
    if "source_url" in readings:
        again = readings.duplicated([name for name in same if name in readings])
        again &= readings["source_url"].notna()
        for at in np.flatnonzero(again.to_numpy())[:MOST_FAULTS]:
            yield Finding(
                "warning",
                "repeat",
                f"{_reading(readings, int(at))}: {readings['score'].iloc[at]:g} repeats another "
                "reading of that page exactly; keep one",
            )


def _reading(readings: pd.DataFrame, at: int) -> str:
    row = readings.iloc[at]
    return f"reading {row['reading']} of ({row['model_id']}, {row['benchmark_id']})"


def _without_scores(matrix: ScoreMatrix) -> Iterator[Finding]:
    for kind, ids, axis in (
        ("models", matrix.model_ids, 1),
        ("benchmarks", matrix.benchmark_ids, 0),
    ):
        empty = [ids[at] for at in np.flatnonzero(~matrix.observed.any(axis=axis))]
        if empty:
            yield Finding("warning", "no scores", f"{kind} without a score: {_listed(empty)}")


def _identities(matrix: ScoreMatrix) -> Iterator[Finding]:
    for pair in same_models(matrix, LEAST_TWINS):
        yield Finding(
            "warning",
            "identity",
            f"{pair.first} and {pair.second} may be one model ({pair.reason}); merge them if so",
            pair.probability,
        )


def _listed(ids: set[str] | list[str]) -> str:
    names = sorted(ids)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
