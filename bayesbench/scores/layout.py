"""Long and wide tables of scores, models in rows or columns, as one long table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..errors import SchemaError, UsageError
from .headers import LONG, column_for, fact_by_name, kind_by_name
from .ids import folded
from .known import is_known
from .metadata import fact_values
from .numerals import is_missing_mark, number_like
from .roles import Role, column_roles, named_columns
from .tables import Table, is_missing, shown

__all__ = ["Laid", "is_long", "laid_out"]

ModelsIn = Literal["rows", "columns"]

_IDS = ("model_id", "benchmark_id")
_SHORT_IDS = frozenset({"benchmarkid", "benchmark", "benchmarks", "benchmarkname"})
SHOWN = 8
"""Columns that a message lists."""
LEAST_KNOWN = 3
"""Headers that must be known models before a table is taken to have its models in columns."""


@dataclass(frozen=True, eq=False)
class Laid:
    """A long table of raw scores, with what else its source held.

    Attributes
    ----------
    table : Table
        Columns model_id, benchmark_id, score as written; optional stderr, n_items, reading,
        setting, source_kind, source_url.
    layout : str
        How the source was laid out, in words.
    models, benchmarks : tuple of str
        All that the source names, with scores or without.
    facts : pandas.DataFrame
        What it says of the models: model_id and columns of the models table.
    taken : tuple of (str, str)
        (header, fact).
    left_out : tuple of (str, str)
        (header or row, why it holds no scores).
    """

    table: Table
    layout: str
    models: tuple[str, ...]
    benchmarks: tuple[str, ...]
    facts: pd.DataFrame
    taken: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def is_long(table: Table) -> bool:
    """Whether a table has one row per reading (else a row or a column per model)."""
    headers = _headers(table)
    model, benchmark, score = (
        column_for(headers, name) for name in ("model_id", "benchmark_id", "score")
    )
    if benchmark is not None and benchmark != model:
        return score is not None or (model is not None and folded(benchmark) in _SHORT_IDS)
    if score is None or model is None:
        return False
    readings = {spelled for names in LONG.values() for spelled in names}
    return all(
        folded(name) in readings or not any(map(_is_number, table.frame.iloc[:, at]))
        for at, name in enumerate(headers)
        if name not in (model, score)
    )


def _is_number(cell: object) -> bool:
    return number_like(cell) if isinstance(cell, str) else not is_missing_mark(cell)


def laid_out(
    table: Table,
    *,
    keep: Iterable[str] = (),
    drop: Iterable[str] = (),
    models_in: ModelsIn | None = None,
) -> Laid:
    """One long table of any table of scores.

    Parameters
    ----------
    table : Table
    keep, drop : iterables of str
        Columns that hold scores, or do not, whatever they look like.
    models_in : {"rows", "columns"}, optional
        Of a wide table. By default rows, unless its corner says ``benchmark`` (or ``task``, ...)
        or its headers are known models.

    Returns
    -------
    Laid

    Raises
    ------
    SchemaError
        There is no column of models or of scores, a column has no name, or an id is empty.
    UnknownIdError, AmbiguousIdError
        For a column to keep or drop.
    """
    if is_long(table):
        if models_in == "columns":
            raise UsageError(f"{table.source}: a long table has no models in columns; leave it out")
        return _from_long(table, tuple(keep), tuple(drop))
    _check_headers(table)
    turned = models_in == "columns" or (models_in is None and _models_in_columns(table))
    if turned:
        table, apart = _turned(table)
        laid = _from_wide(table, tuple(keep), tuple(drop), turned=True)
        return replace(laid, layout="models in columns", left_out=(*apart, *laid.left_out))
    return _from_wide(table, tuple(keep), tuple(drop))


def _headers(table: Table) -> list[str]:
    return ["" if is_missing(name) else str(name) for name in table.frame.columns]


def _clean(value: object) -> object:
    """An id with single spaces inside and none around; anything else as it is."""
    return " ".join(value.split()) if isinstance(value, str) else value


def _ids(table: Table, column: str, unique: bool = False) -> pd.Series[str]:
    cleaned = table.holding(table.frame.assign(**{column: table.frame[column].map(_clean)}))
    return cleaned.unique_ids(column) if unique else cleaned.ids(column)


# Long


def _from_long(table: Table, keep: tuple[str, ...], drop: tuple[str, ...]) -> Laid:
    table = table.holding(table.frame.set_axis(_headers(table), axis=1))
    headers = list(table.frame.columns)
    dropped = named_columns(drop, headers, "drop")
    named_columns(keep, headers, "keep")
    offered = [name for name in headers if name not in dropped]
    found = {name: column_for(offered, name) for name in LONG}
    chosen = {name: column for name, column in found.items() if column is not None}
    for name in ("model_id", "benchmark_id", "score"):
        if name not in chosen:
            table.require([name])
    columns: dict[str, Any] = {
        name: _ids(table, column) if name in _IDS else table.frame[column]
        for name, column in chosen.items()
    }
    frame = pd.DataFrame(columns, index=table.frame.index)
    rest = [name for name in headers if name not in chosen.values()]
    facts, taken, left_out = _facts_of_long(table, frame["model_id"], rest, dropped)
    models = tuple(dict.fromkeys(frame["model_id"]))
    benchmarks = tuple(dict.fromkeys(frame["benchmark_id"]))
    return Laid(table.holding(frame), "long", models, benchmarks, facts, taken, left_out)


def _facts_of_long(
    table: Table, models: pd.Series[str], rest: Sequence[str], dropped: set[str]
) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Facts are columns that say the same of a model in all its rows."""
    facts = pd.DataFrame({"model_id": list(dict.fromkeys(models))})
    taken: list[tuple[str, str]] = []
    left_out: list[tuple[str, str]] = []
    for header in rest:
        fact = fact_by_name(header)
        cells = table.frame[header].map(lambda cell: None if is_missing_mark(cell) else cell)
        told = None
        if header not in dropped and fact is not None and fact not in facts:
            by_model = cells.groupby(models, sort=False)
            if (by_model.nunique() <= 1).all():
                told = fact_values(fact, header, list(by_model.first()))
        if fact is None or told is None:
            why = "asked for" if header in dropped else "no column of readings"
            if cells.notna().any():
                left_out.append((header or "(no name)", why))
            continue
        facts[fact] = pd.Series(told, dtype=object)
        taken.append((header, fact))
    return facts, tuple(taken), tuple(left_out)


# Wide


def _check_headers(table: Table) -> None:
    headers = _headers(table)
    if len(headers) < 2:
        raise SchemaError(
            f"{table.source}: one column only; give model_id, benchmark_id, score per row, or "
            "model ids in the first column and a column per benchmark"
        )
    for position, name in enumerate(headers[1:], start=2):
        if not name.strip():
            raise SchemaError(f"{table.source}: column {position} has no benchmark id; name it")
    twice = [name for name, times in Counter(headers).items() if times > 1]
    if twice:
        raise SchemaError(f"{table.source}: column {shown(twice[0])} stands twice; keep one")


def _models_in_columns(table: Table) -> bool:
    headers = _headers(table)
    corner = folded(headers[0])
    if corner in LONG["benchmark_id"]:
        return column_for(headers, "model_id") is None
    if corner or column_for(headers, "model_id") is not None:
        return False
    known = [name for name in headers[1:] if is_known("model", name)]
    if len(known) < LEAST_KNOWN or 2 * len(known) < len(headers) - 1:
        return False
    rows = [str(name) for name in table.frame.iloc[:, 0]]
    return not any(is_known("model", name) for name in rows)


def _turned(table: Table) -> tuple[Table, tuple[tuple[str, str], ...]]:
    """The table with models in rows, and the columns that are no models: text and counts."""
    frame = table.frame.set_axis(_headers(table), axis=1)
    benchmarks = _ids(table.holding(frame), frame.columns[0], unique=True)
    models, apart = [], []
    for header in frame.columns[1:]:
        cells = [cell for cell in frame[header] if not is_missing_mark(cell)]
        numbers = [cell for cell in cells if not isinstance(cell, str) or number_like(cell)]
        kind = kind_by_name(header)
        if (cells and not numbers) or (kind is not None and not is_known("model", header)):
            apart.append((header, "no model: " + ("text" if not numbers else str(kind))))
        else:
            models.append(header)
    if not models:
        raise SchemaError(f"{table.source}: no column of a model; say models_in rows")
    turned = pd.DataFrame(
        frame[models].to_numpy(dtype=object).T, columns=list(benchmarks), dtype=object
    )
    turned.insert(0, "model_id", models)
    rows = np.array([shown(name) for name in models], dtype=object)
    return replace(table, frame=turned, rows=rows, counted="column"), tuple(apart)


def _from_wide(
    table: Table, keep: tuple[str, ...], drop: tuple[str, ...], turned: bool = False
) -> Laid:
    table = table.holding(table.frame.set_axis(_headers(table), axis=1))
    whose = "model_id" if turned else _model_column(table)
    index = [
        (name or "(no name)", "row number") for name in table.frame.columns
        if name != whose and _is_row_number(table, name)
    ]  # fmt: skip
    models = _model_ids(table, whose)
    columns = {
        name: list(table.frame[name])
        for name in table.frame.columns
        if name != whose and (name or "(no name)") not in dict(index)
    }
    roles = column_roles(
        columns, is_benchmark=lambda name: is_known("benchmark", name), keep=keep, drop=drop
    )
    _name_the_models(roles, whose, list(columns))
    shown_rows = ~np.array([kind_by_name(name) == "aggregate" for name in models], dtype=bool)
    scores = [name for name, role in roles.items() if role.kind == "score"]
    if not scores:
        raise _no_scores(table, roles)
    facts, taken = _facts_of_wide(columns, roles, models, shown_rows)
    left_out = [*index, *((name, r.why) for name, r in roles.items() if r.kind == "none")]
    left_out += [(name, "aggregate of models") for name in models[~shown_rows]]
    return Laid(
        _melted(table, models, scores, roles, shown_rows),
        "models in rows",
        tuple(models[shown_rows]),
        tuple(" ".join(name.split()) for name in scores),
        facts,
        taken,
        tuple(left_out),
    )


def _model_ids(table: Table, whose: str) -> pd.Series[str]:
    """The models of a wide table, each of which stands once."""
    models = _ids(table, whose)
    twice = models.duplicated().to_numpy()
    if twice.any():
        first = int(np.argmax(twice))
        raise table.fault(
            first,
            f"{whose or 'model'} {shown(models.iloc[first])}: this id stands twice; keep one row, "
            "or call the columns of a table with a row per score model, benchmark and score",
        )
    return models


def _model_column(table: Table) -> str:
    """The column that names the models: by its header, else the first that is no row number."""
    frame = table.frame
    named = column_for(list(frame.columns), "model_id")
    if named is not None and not all(isinstance(cell, int | float) for cell in frame[named]):
        return named
    first = str(frame.columns[0])
    if frame.shape[1] > 2 and _is_row_number(table, first):
        second = [cell for cell in frame.iloc[:, 1] if not is_missing_mark(cell)]
        if second and not any(not isinstance(c, str) or number_like(c) for c in second):
            return str(frame.columns[1])
    return first


def _is_row_number(table: Table, header: str) -> bool:
    """Whether a column without a name of its own counts the rows, as pandas writes its index."""
    if header and folded(header) not in ("index", "unnamed0", "id", "row"):
        return False
    cells = [str(cell).strip().removesuffix(".0") for cell in table.frame[header]]
    counted = [[str(at + start) for at in range(len(cells))] for start in (0, 1)]
    return len(cells) > 0 and cells in counted


def _name_the_models(roles: dict[str, Role], whose: str, headers: Sequence[str]) -> None:
    """A second column of names beside one of ids holds the display names."""
    if folded(whose) in ("modelid", "id", "fullname", "slug"):
        for header in headers:
            if folded(header) in ("model", "modelname", "name") and roles[header].why == "text":
                roles[header] = Role("fact", of="name")
                return


def _facts_of_wide(
    columns: dict[str, list[object]], roles: dict[str, Role], models: pd.Series[str], rows: Any
) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    facts = pd.DataFrame({"model_id": list(models[rows])})
    taken = []
    for header, role in roles.items():
        if role.kind != "fact":
            continue
        if role.of in facts:
            roles[header] = Role("none", f"{role.of} once more")
            continue
        cells = [cell for cell, row in zip(columns[header], rows, strict=True) if row]
        told = fact_values(role.of, header, cells)
        facts[role.of] = pd.Series(told, dtype=object, index=facts.index)
        taken.append((header, role.of))
    return facts, tuple(taken)


def _melted(
    table: Table, models: pd.Series[str], scores: Sequence[str], roles: dict[str, Role], rows: Any
) -> Table:
    cells = table.frame[list(scores)].to_numpy(dtype=object)
    filled = np.array([[not is_missing_mark(cell) for cell in row] for row in cells], dtype=bool)
    at, column = np.nonzero(filled.reshape(cells.shape) & rows[:, None])
    ids = np.array([" ".join(name.split()) for name in scores], dtype=object)
    frame = pd.DataFrame(
        {
            "model_id": models.to_numpy(dtype=object)[at],
            "benchmark_id": ids[column],
            "score": pd.Series(cells[at, column], dtype=object),
        }
    )
    errors = {role.of: name for name, role in roles.items() if role.kind == "stderr"}
    if set(errors) & set(scores):
        beside = np.full(cells.shape, None, dtype=object)
        for j, name in enumerate(scores):
            if name in errors:
                beside[:, j] = table.frame[errors[name]].to_numpy(dtype=object)
        frame["stderr"] = pd.Series(beside[at, column], dtype=object)
    return table.holding(frame, table.rows[at])


def _no_scores(table: Table, roles: dict[str, Role]) -> SchemaError:
    for header, role in roles.items():
        if role.why == "text":
            cells = [not is_missing_mark(cell) for cell in table.frame[header]]
            first = int(np.argmax(cells))
            value = shown(table.frame[header].iloc[first])
            return table.fault(
                first,
                f"score {value} of {header}: must be a number, and no other column holds scores; "
                "correct it",
            )
    told = ", ".join(f"{name} ({r.why or r.of})" for name, r in list(roles.items())[:SHOWN])
    told += f" and {len(roles) - SHOWN} more" if len(roles) > SHOWN else ""
    return SchemaError(
        f"{table.source}: no column of scores among {told}; name one to keep (--keep)"
    )
