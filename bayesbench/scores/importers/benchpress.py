"""BenchPress: its JSON of models, benchmarks and scores, and its CSV template with metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import DataError
from .bounded import ROW
from .records import (
    Found,
    LeftOut,
    Record,
    Scale,
    as_list,
    as_mapping,
    as_number,
    as_text,
)

__all__ = ["FORMAT", "TEMPLATE", "matches", "read", "read_template"]

FORMAT = "BenchPress JSON"
TEMPLATE = "BenchPress CSV template"
_FIRST = "model"
_DOUBTED = ("flagged", "dropped")
_USUAL: Mapping[str, Any] = {"type": "pct", "range": [0, 100]}
"""Metadata of a column of the template that has none."""


def matches(document: Any) -> bool:
    """Whether a JSON document looks like one."""
    return isinstance(document, Mapping) and {"models", "benchmarks", "scores"} <= set(document)


def read(document: Any, source: str) -> Found:
    """Scores with their models' and benchmarks' names and scales; candidates after the primary.

    Scores that its audit flagged or dropped are left out.

    Raises
    ------
    DataError
        Naming the file, the place and the value; also for a score of a model or benchmark that is
        not listed.
    """
    whole = as_mapping(document, source, "the document")
    models = _by_id(whole, "models", source)
    benchmarks = _by_id(whole, "benchmarks", source)
    records: list[Record] = []
    left: list[LeftOut] = []
    for number, row in enumerate(as_list(whole["scores"], source, "scores")):
        place = f"scores/{number}"
        row = as_mapping(row, source, place)
        model = as_text(row.get("model_id"), source, f"{place}/model_id")
        benchmark = as_text(row.get("benchmark_id"), source, f"{place}/benchmark_id")
        if model not in models or benchmark not in benchmarks:
            what = model if model not in models else benchmark
            raise DataError(f"{source}: {place} names {what!r}, which is not listed; add it")
        about = benchmarks[benchmark]
        if row.get("audit_status") in _DOUBTED:
            left.append(LeftOut(place, model, benchmark, f"audit status {row['audit_status']}"))
            continue
        usual = about.get("canonical_setting")
        usual = usual if isinstance(usual, Mapping) else {}
        records.append(_record(row, row, source, place, models[model], about, usual))
        others = as_list(row.get("candidates") or [], source, f"{place}/candidates")
        for at, other in enumerate(others):
            here = f"{place}/candidates/{at}"
            other = as_mapping(other, source, here)
            records.append(_record(row, other, source, here, models[model], about, usual))
    return Found(FORMAT, tuple(records), tuple(left))


def _by_id(whole: Mapping[str, Any], kind: str, source: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for number, entry in enumerate(as_list(whole[kind], source, kind)):
        entry = as_mapping(entry, source, f"{kind}/{number}")
        own = as_text(entry.get("id"), source, f"{kind}/{number}/id")
        if own in found:
            raise DataError(f"{source}: {kind}/{number}: the id {own!r} stands twice; keep one")
        found[own] = entry
    return found


def _scale(about: Mapping[str, Any]) -> Scale | None:
    """Scale of a benchmark's usual setting or a column's metadata."""
    kind = str(about.get("metric_type") or about.get("type") or "")
    bounds = about.get("range")
    if bounds == [0, 1]:
        return "unit"
    if bounds == [0, 100]:
        return "percent"
    return "rating" if kind in ("elo", "rating") else None


def _record(
    cell: Mapping[str, Any],
    row: Mapping[str, Any],
    source: str,
    place: str,
    model: Mapping[str, Any],
    benchmark: Mapping[str, Any],
    usual: Mapping[str, Any],
) -> Record:
    reported = row.get("reported_setting")
    settings = reported if isinstance(reported, Mapping) else {}
    plain = {k: v for k, v in settings.items() if isinstance(v, str | int | float | bool)}
    status = cell.get("audit_status")
    release, provider = model.get("release_date"), model.get("provider")
    url = row.get("reference_url")
    return Record(
        place=place,
        model=str(cell["model_id"]),
        benchmark=str(cell["benchmark_id"]),
        score=as_number(row.get("score"), source, f"{place}/score"),
        scale=_scale(usual),
        others=tuple(n for n in (benchmark.get("name"),) if isinstance(n, str)),
        setting=", ".join(f"{key} {value}"[:80] for key, value in plain.items()),
        url=url if isinstance(url, str) else "",
        note=f"audit status {status}" if isinstance(status, str) else "",
        lower_is_better=usual.get("higher_is_better") is False,
        other_models=tuple(n for n in (model.get("name"),) if isinstance(n, str)),
        provider=provider if isinstance(provider, str) else "",
        release_date=release if isinstance(release, str) else "",
    )


def read_template(
    header: list[str], rows: list[dict[str, str]], meta: Any, source: str, meta_source: str
) -> Found:
    """Scores of the CSV template: the first column is ``model``, blank is missing, 85% is 85.

    Parameters
    ----------
    header, rows
        As `bounded.csv_rows` gives them.
    meta : JSON value
        Of ``scores.meta.json``: ``{benchmark: {type, range, higher_is_better}}``.
    source, meta_source : str
        File names, for messages.

    Raises
    ------
    DataError
        Naming the file, the row, the column and the value; also for a score outside its range,
        metadata of no column, and a model that stands twice.
    """
    about = as_mapping(meta, meta_source, "the document")
    if not header or header[0] != _FIRST:
        raise DataError(f"{source}: the first column must be called model; rename it")
    for name in about:
        if name not in header[1:]:
            raise DataError(f"{meta_source}: {name!r} is no column of {source}; correct it")
    entries = {name: as_mapping(about.get(name, _USUAL), meta_source, name) for name in header[1:]}
    records: list[Record] = []
    seen: set[str] = set()
    for row in rows:
        place = f"row {row[ROW]}"
        model = as_text(row[_FIRST], source, f"{place} model")
        if model in seen:
            raise DataError(f"{source}, {place}: the model {model!r} stands twice; keep one row")
        seen.add(model)
        for name, entry in entries.items():
            written = row[name].strip()
            if not written:
                continue
            here = f"{place}, {name}"
            score = as_number(written.removesuffix("%"), source, here)
            _check_range(score, entry, source, here)
            note = "" if name in about else "a percentage: the template's default"
            lower = entry.get("higher_is_better") is False
            records.append(
                Record(here, model, name, score, _scale(entry), note=note, lower_is_better=lower)
            )
    return Found(TEMPLATE, tuple(records))


def _check_range(score: float, entry: Mapping[str, Any], source: str, place: str) -> None:
    bounds = entry.get("range")
    if not isinstance(bounds, list) or len(bounds) != 2:
        raise DataError(f"{source}: {place}: its metadata need a range of two numbers; add it")
    low, high = (as_number(bound, source, f"{place}, range") for bound in bounds)
    if not low <= score <= high:
        raise DataError(
            f"{source}: {place} {score:g} is outside its range [{low:g}, {high:g}]; correct it"
        )
