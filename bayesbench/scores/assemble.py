"""From one table of scores, long or wide, to the checked tables of a matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import SchemaError, UsageError
from .account import ReadAccount
from .ids import Names, names_of
from .layout import Laid, ModelsIn, laid_out
from .scales import Proposal, proposed_scales
from .schema import (
    benchmarks_from_scale,
    check_benchmarks,
    check_models,
    check_readings,
    require_rows,
)
from .scored import Scored, as_numbers, in_scale
from .tables import Table, read_table, table_of

__all__ = ["AUTO", "Metadata", "Options", "assemble", "assemble_directory"]

AUTO = "auto"
"""Scale of a table that states none: proposed from what its scores look like, never in silence."""

Metadata = str | Path | pd.DataFrame | None
Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, ReadAccount]


@dataclass(frozen=True)
class Options:
    """What a user says about a table.

    Attributes
    ----------
    keep, drop : tuple of str
        Columns that hold scores, or do not, whatever they look like.
    models_in : {"rows", "columns"}, optional
        Of a wide table.
    """

    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    models_in: ModelsIn | None = None


def assemble(
    table: Table,
    scale: str | None,
    benchmarks: Metadata,
    models: Metadata,
    options: Options | None = None,
) -> Tables:
    """Check a table of scores with its metadata.

    Parameters
    ----------
    table : Table
        Long or wide.
    scale : str or None
        Scale of every benchmark that ``benchmarks`` says nothing about; ``"auto"`` proposes one
        for each.
    benchmarks, models : frame, path or None
        Metadata; models without any are taken from the scores.
    options : Options, optional

    Returns
    -------
    tuple
        models, benchmarks, readings and the account of what was read, as
        :class:`~bayesbench.scores.ScoreMatrix` takes them.

    Raises
    ------
    UsageError
        If neither ``scale`` nor ``benchmarks`` states the scale of the scores.
    SchemaError
        Naming the source, the row, the value and the remedy.
    """
    if scale is None and benchmarks is None:
        raise UsageError(
            f"{table.source} states no scale; say scale percent (0-100), unit (0-1) or rating "
            "(unbounded), or give per-benchmark metadata"
        )
    said = options or Options()
    laid = laid_out(table, keep=said.keep, drop=said.drop, models_in=said.models_in)
    found = as_numbers(laid.table, wide=laid.layout != "long")
    if found.table.frame.empty and found.missing:
        raise SchemaError(f"{table.source}: no readings; every score is missing")
    require_rows(found.table)
    _check_once(table, laid, found.table)
    about_models = None if models is None else check_models(_metadata(models, "models"))
    stated = None
    if benchmarks is not None:
        rest = None if scale == AUTO else scale
        stated = check_benchmarks(_metadata(benchmarks, "benchmarks"), rest)
    scored, taken = _renamed(found, stated, about_models)
    columns, proposal = _benchmarks_for(scored, scale, stated)
    clean = in_scale(scored, _scales(columns))
    rows = _models_from(laid, clean) if about_models is None else about_models
    readings = check_readings(clean, rows, columns)
    basis = "stated" if stated is None else "metadata"
    account = _account(laid, found, columns, readings, proposal, basis)
    facts = account.facts if about_models is None else ()
    return rows, columns, readings, replace(account, facts=facts, taken=taken)


def assemble_directory(
    source: str, models: pd.DataFrame, benchmarks: pd.DataFrame, table: Table
) -> Tables:
    """Check the scores of a data directory against its metadata.

    Its columns have the schema's names; its cells are read as those of any table.

    Raises
    ------
    SchemaError
        Naming the source, the row, the value and the remedy.
    """
    table.require(["model_id", "benchmark_id", "score"])
    require_rows(table)
    scored = as_numbers(table)
    clean = in_scale(scored, _scales(benchmarks))
    readings = check_readings(clean, models, benchmarks)
    with_scores = set(readings["model_id"]), set(readings["benchmark_id"])
    account = ReadAccount(
        source,
        _forms(table, scored),
        "directory",
        len(models),
        len(benchmarks),
        int((readings["reading"] == 1).sum()),
        _count(readings, "stderr"),
        _by_scale(benchmarks),
        "metadata",
        models_without=tuple(str(name) for name in models.index if name not in with_scores[0]),
        benchmarks_without=tuple(
            str(name) for name in benchmarks.index if name not in with_scores[1]
        ),
        left_out=((f"{scored.missing} rows", "no score"),) if scored.missing else (),
    )
    return models, benchmarks, readings, account


def _check_once(table: Table, laid: Laid, scores: Table) -> None:
    """Refuse a cell with two scores by the column that tells them apart, such as a metric."""
    if laid.layout != "long" or "reading" in scores.frame:
        return
    keys = ["model_id", "benchmark_id"]
    twice = scores.frame.duplicated(keys).to_numpy()
    if not twice.any():
        return
    second = int(np.argmax(twice))
    cell = scores.frame.loc[second, keys]
    first = int(np.argmax((scores.frame[keys] == cell).all(axis=1).to_numpy()))
    at = [int(np.argmax(table.rows == scores.rows[row])) for row in (first, second)]
    apart = [
        name
        for name, _ in laid.left_out
        if name in table.frame and len({str(table.frame[name].iloc[row]) for row in at}) > 1
    ]
    if apart:
        raise scores.fault(
            second,
            f"({cell['model_id']}, {cell['benchmark_id']}) has two scores, which differ in "
            f"{', '.join(apart)}; keep the rows of one, or number them in a column `reading`",
        )


def _metadata(given: str | Path | pd.DataFrame, name: str) -> Table:
    return table_of(given, name) if isinstance(given, pd.DataFrame) else read_table(given)


def _renamed(
    scored: Scored, benchmarks: pd.DataFrame | None, models: pd.DataFrame | None
) -> tuple[Scored, tuple[str, ...]]:
    """Names as the metadata spell them, where a spelling is unique; told in a line each."""
    frame, told = scored.table.frame, list[str]()
    for column, metadata in (("benchmark_id", benchmarks), ("model_id", models)):
        if metadata is None:
            continue
        names = names_of(column.removesuffix("_id"), metadata)
        own = {name: _own(names, name) for name in dict.fromkeys(frame[column])}
        told += [f"{name!r} is taken for {found}" for name, found in own.items() if name != found]
        frame = frame.assign(**{column: frame[column].map(own)})
    table = scored.table.holding(frame)
    return Scored(table, scored.percent, scored.decimal, scored.missing), tuple(told)


def _own(names: Names, name: str) -> str:
    found = names.candidates(name)
    return found[0] if len(found) == 1 else name


def _benchmarks_for(
    scored: Scored, scale: str | None, stated: pd.DataFrame | None
) -> tuple[pd.DataFrame, Proposal | None]:
    used = [str(value) for value in scored.table.frame["benchmark_id"].unique()]
    known = set() if stated is None else set(stated.index)
    unstated = [benchmark_id for benchmark_id in used if benchmark_id not in known]
    if scale is None or not unstated:
        assert stated is not None
        return stated, None
    proposal = None
    if scale == AUTO:
        open_ = scored.table.frame["benchmark_id"].isin(unstated).to_numpy()
        proposal = proposed_scales(scored.table.frame[open_], scored.percent[open_])
        own = check_benchmarks(table_of(proposal.benchmarks, scored.table.source))
    else:
        own = benchmarks_from_scale(unstated, scale)
    return (own if stated is None else pd.concat([stated, own])), proposal


def _models_from(laid: Laid, clean: Table) -> pd.DataFrame:
    scored = clean.frame["model_id"].unique()
    facts = laid.facts[laid.facts["model_id"].isin(scored)].reset_index(drop=True)
    facts = facts.set_index("model_id").loc[list(scored)].reset_index()
    return check_models(table_of(facts, "models"))


def _account(
    laid: Laid,
    scored: Scored,
    columns: pd.DataFrame,
    readings: pd.DataFrame,
    proposal: Proposal | None,
    basis: str,
) -> ReadAccount:
    with_scores = {name: set(scored.table.frame[name]) for name in ("model_id", "benchmark_id")}
    return ReadAccount(
        laid.table.source,
        _forms(laid.table, scored),
        laid.layout,
        readings["model_id"].nunique(),
        readings["benchmark_id"].nunique(),
        int((readings["reading"] == 1).sum()),
        _count(readings, "stderr"),
        _by_scale(columns.loc[list(readings["benchmark_id"].unique())]),
        "proposed" if proposal is not None else basis,
        () if proposal is None else proposal.known,
        () if proposal is None else proposal.odd,
        laid.left_out,
        laid.taken,
        tuple(name for name in laid.models if name not in with_scores["model_id"]),
        tuple(name for name in laid.benchmarks if name not in with_scores["benchmark_id"]),
    )


def _forms(table: Table, scored: Scored) -> tuple[str, ...]:
    return (*table.form, *(["decimal comma"] if scored.decimal == "comma" else []))


def _count(readings: pd.DataFrame, column: str) -> int:
    return int(readings[column].notna().sum()) if column in readings else 0


def _scales(benchmarks: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(scale) for name, scale in benchmarks["scale"].items()}


def _by_scale(benchmarks: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, scale in benchmarks["scale"].items():
        found.setdefault(str(scale), []).append(str(name))
    return {scale: tuple(names) for scale, names in found.items()}
