"""Every Eval Ever: one JSON record per model and run, schemas 0.2.2 and 0.3.0."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from ...errors import DataError
from .records import (
    Found,
    LeftOut,
    Record,
    Scale,
    as_count,
    as_date,
    as_list,
    as_mapping,
    as_number,
    as_stderr,
    as_text,
)

__all__ = ["FORMAT", "VERSIONS", "matches", "read"]

FORMAT = "Every Eval Ever record"
VERSIONS = ("0.2", "0.3")
"""Versions of the schema that are read, all patches of each."""

_UNITS: Mapping[str, Scale] = {"proportion": "unit", "percent": "percent", "percentage": "percent"}


def matches(document: Any) -> bool:
    """Whether a JSON document looks like one."""
    return isinstance(document, Mapping) and {"schema_version", "evaluation_results"} <= set(
        document
    )


def read(document: Any, source: str) -> Found:
    """Scores of a record; missing bounds mean unknown, not 0-1.

    Raises
    ------
    DataError
        Naming the file, the place and the value; also for another version of the schema.
    """
    whole = as_mapping(document, source, "the document")
    version = str(whole.get("schema_version"))[:20]
    if not version.startswith(tuple(f"{known}." for known in VERSIONS)):
        raise DataError(
            f"{source}: schema_version {version!r} is not read; give a record of 0.2 or 0.3"
        )
    about = as_mapping(whole.get("model_info"), source, "model_info")
    model = as_text(about.get("id"), source, "model_info/id")
    records: list[Record] = []
    left: list[LeftOut] = []
    results = as_list(whole.get("evaluation_results"), source, "evaluation_results")
    for number, result in enumerate(results):
        place = f"evaluation_results/{number}"
        result = as_mapping(result, source, place)
        metric = as_mapping(result.get("metric_config"), source, f"{place}/metric_config")
        name = as_text(result.get("evaluation_name"), source, f"{place}/evaluation_name")
        if metric.get("has_unknown_level") is True and _unknown_level(result):
            left.append(LeftOut(place, model, name, "an unknown level"))
        else:
            records.append(_record(whole, source, place, model, name, result, metric))
    return Found(f"{FORMAT} {version}", tuple(records), tuple(left))


def _record(
    whole: Mapping[str, Any],
    source: str,
    place: str,
    model: str,
    name: str,
    result: Mapping[str, Any],
    metric: Mapping[str, Any],
) -> Record:
    details = as_mapping(result.get("score_details"), source, f"{place}/score_details")
    unsure = as_mapping(
        details.get("uncertainty") or {}, source, f"{place}/score_details/uncertainty"
    )
    stderr, note = _error(unsure, source, place)
    data = as_mapping(result.get("source_data") or {}, source, f"{place}/source_data")
    dated = result.get("evaluation_timestamp") or whole.get("evaluation_timestamp")
    return Record(
        place=f"{place}/score_details/score",
        model=model,
        benchmark=name,
        score=as_number(details.get("score"), source, f"{place}/score_details/score"),
        scale=_scale(metric),
        metric=str(metric.get("metric_name") or metric.get("metric_id") or "")[:80],
        others=_other_names(name, data, metric),
        stderr=stderr,
        n_items=as_count(unsure.get("num_samples"), source, f"{place} num_samples"),
        setting=_setting(result),
        date=as_date(dated or whole.get("retrieved_timestamp")),
        url=_address(data, whole),
        note=note,
        lower_is_better=metric.get("lower_is_better") is True,
    )


def _unknown_level(result: Mapping[str, Any]) -> bool:
    details = result.get("score_details")
    return isinstance(details, Mapping) and details.get("score") == -1


def _scale(metric: Mapping[str, Any]) -> Scale | None:
    unit = str(metric.get("metric_unit") or "").casefold()
    if unit in _UNITS:
        return _UNITS[unit]
    bounds = metric.get("min_score"), metric.get("max_score")
    if bounds == (0, 1):
        return "unit"
    return "percent" if bounds == (0, 100) else None


def _other_names(name: str, data: Mapping[str, Any], metric: Mapping[str, Any]) -> tuple[str, ...]:
    """Further names of a benchmark; the data set alone, where the name does not say a part of it.

    ``X (overall)`` is X; ``X (Biology)`` is a part of X and never taken for it.
    """
    whole, bracket, part = name.partition("(")
    if bracket and part.strip().casefold() in ("overall)", "average)"):
        return (whole.strip(),)
    plain = name.rpartition(".")[2]  # a record may write source.benchmark
    dataset = data.get("dataset_name")
    same = isinstance(dataset, str) and dataset.casefold() == plain.casefold()
    return (plain,) if plain != name and same else ()


def _setting(result: Mapping[str, Any]) -> str:
    config = result.get("generation_config")
    if not isinstance(config, Mapping):
        return ""
    further = config.get("additional_details")
    told = further.get("setting") if isinstance(further, Mapping) else None
    arguments = config.get("generation_args")
    named = arguments if isinstance(arguments, Mapping) else {}
    plain = {k: v for k, v in named.items() if isinstance(v, str | int | float | bool)}
    parts = [f"{key} {value}"[:60] for key, value in plain.items()]
    return ", ".join([*([told] if isinstance(told, str) else []), *parts])


def _error(unsure: Mapping[str, Any], source: str, place: str) -> tuple[float | None, str]:
    """Standard error, or that of a normal whose interval of that level is the one given."""
    error, interval = unsure.get("standard_error"), unsure.get("confidence_interval")
    given = error.get("value") if isinstance(error, Mapping) else error
    found = as_stderr(given, source, f"{place} standard error")
    if found == 0:
        return None, "standard error 0"
    if found is not None or not isinstance(interval, Mapping):
        return found, ""
    level = interval.get("confidence_level", 0.95)
    ends = [interval.get("lower"), interval.get("upper")]
    if None in ends or not isinstance(level, float) or not 0 < level < 1:
        return None, ""
    low, high = (as_number(end, source, f"{place} confidence_interval") for end in ends)
    if high <= low:
        return None, "an interval without width"
    width = high - low
    sds = 2 * NormalDist().inv_cdf((1 + level) / 2)
    return width / sds, f"standard error from the {100 * level:g} % interval"


def _address(data: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    listed = data.get("url")
    if isinstance(listed, list) and listed and isinstance(listed[0], str):
        return listed[0]
    if isinstance(data.get("hf_repo"), str):
        return f"https://huggingface.co/datasets/{data['hf_repo']}"
    about = whole.get("source_metadata")
    site = about.get("source_organization_url") if isinstance(about, Mapping) else None
    return site if isinstance(site, str) else ""
