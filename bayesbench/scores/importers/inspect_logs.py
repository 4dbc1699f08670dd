"""Inspect logs: ``.eval`` archives, also compressed by Zstandard, and ``.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import DataError
from .bounded import Archive, parse_json
from .records import (
    Found,
    LeftOut,
    Record,
    as_count,
    as_date,
    as_list,
    as_mapping,
    as_number,
    as_stderr,
    as_text,
    believable_stderr,
)

__all__ = ["FORMAT", "matches", "read", "read_archive"]

FORMAT = "Inspect log"
VERSION = 2
PREFERRED = ("accuracy", "mean", "final_acc", "pass_at_1", "prompt_strict_acc")
SHARES = frozenset({"accuracy", "final_acc", "pass_at_1", "prompt_strict_acc"})
_ERRORS = ("stderr", "std", "var", "bootstrap_stderr", "bootstrap_std", "final_stderr")
_HEADER = "header.json"


def matches(document: Any) -> bool:
    """Whether a JSON document looks like one."""
    return isinstance(document, Mapping) and {"version", "status", "eval"} <= set(document)


def read_archive(archive: Archive, source: str, metrics: Mapping[str, str] | None = None) -> Found:
    """Scores of an ``.eval`` archive: its header alone is read, no sample.

    Raises
    ------
    DataError
        As `read`; also for a log without a header, whose run is not over.
    """
    if _HEADER not in archive.names:
        raise DataError(f"{source}: the log has no {_HEADER}: the run is not over, or was stopped")
    held = archive.read(_HEADER)
    return read(parse_json(held, f"{source}: {_HEADER}"), source, metrics)


def read(document: Any, source: str, metrics: Mapping[str, str] | None = None) -> Found:
    """Scores of a log; one that failed, was cancelled or invalidated gives none, with the reason.

    Parameters
    ----------
    document : JSON value
    source : str
    metrics : mapping of task to metric, optional
        ``"accuracy"`` or, with the scorer, ``"choice/accuracy"``.

    Raises
    ------
    DataError
        Naming the file, the place and the value.
    """
    whole = as_mapping(document, source, "the document")
    about = as_mapping(whole.get("eval"), source, "eval")
    if whole.get("version") != VERSION:
        found = str(whole.get("version"))[:20]
        raise DataError(f"{source}: version {found} of the log is not read; write version 2")
    model = as_text(about.get("model"), source, "eval/model")
    task = as_text(about.get("task"), source, "eval/task")
    over = whole.get("status")
    if over != "success" or whole.get("invalidated") is True:
        reason = "the log is invalidated" if over == "success" else f"status {str(over)[:20]}"
        return Found(FORMAT, (), (LeftOut("status", model, task, reason),))
    results = as_mapping(whole.get("results"), source, "results")
    values = _values(results, source)
    wanted = (metrics or {}).get(task)
    chosen = _chosen(values, wanted)
    if chosen is None:
        asked = f"no metric {wanted}" if wanted else "several metrics" if values else "no metric"
        reason = f"{asked}: {', '.join(values)}; choose with --metric {task}=METRIC"
        return Found(FORMAT, (), (LeftOut("results", model, task, reason),))
    left = tuple(
        LeftOut(f"results/{name}", model, task, f"the metric {chosen} is read")
        for name in values
        if name != chosen
    )
    return Found(FORMAT, (_record(whole, source, model, task, chosen, values[chosen]),), left)


def _values(results: Mapping[str, Any], source: str) -> dict[str, tuple[Any, Mapping[str, Any]]]:
    """Value and score object of every metric, by ``scorer/metric``."""
    found: dict[str, tuple[Any, Mapping[str, Any]]] = {}
    for number, score in enumerate(as_list(results.get("scores") or [], source, "results/scores")):
        place = f"results/scores/{number}"
        score = as_mapping(score, source, place)
        for name, metric in as_mapping(score.get("metrics"), source, f"{place}/metrics").items():
            if name in _ERRORS:
                continue
            value = as_mapping(metric, source, f"{place}/metrics/{name}").get("value")
            scorer = str(score.get("name") or score.get("scorer") or number)
            found[f"{scorer}/{name}"] = (value, score)
    return found


def _chosen(values: Mapping[str, Any], wanted: str | None) -> str | None:
    if wanted is not None:
        alike = [name for name in values if wanted in (name, name.rpartition("/")[2])]
        return alike[0] if len(alike) == 1 else None
    if len(values) == 1:
        return next(iter(values))
    for preferred in PREFERRED:
        alike = [name for name in values if name.rpartition("/")[2] == preferred]
        if alike:
            return alike[0] if len(alike) == 1 else None
    return None


def _record(
    whole: Mapping[str, Any],
    source: str,
    model: str,
    task: str,
    chosen: str,
    found: tuple[Any, Mapping[str, Any]],
) -> Record:
    about = as_mapping(whole["eval"], source, "eval")
    results = as_mapping(whole["results"], source, "results")
    raw, score_object = found
    place = f"results/{chosen}"
    score = as_number(raw, source, place)
    share = chosen.rpartition("/")[2] in SHARES
    config = as_mapping(about.get("config") or {}, source, "eval/config")
    dataset = as_mapping(about.get("dataset") or {}, source, "eval/dataset")
    stats = as_mapping(whole.get("stats") or {}, source, "stats")
    n_items = as_count(score_object.get("scored_samples"), source, f"{place} scored_samples")
    if n_items is None:
        n_items = as_count(results.get("completed_samples"), source, "results/completed_samples")
        epochs = config.get("epochs")
        if n_items is not None and isinstance(epochs, int) and epochs > 1:
            n_items = max(1.0, n_items / epochs)  # every epoch of a sample is counted there
    metric = score_object["metrics"].get("stderr")
    error = metric.get("value") if isinstance(metric, Mapping) else None
    stated = as_stderr(error, source, f"{place} standard error")
    stderr, note = believable_stderr(stated, score if share else None, n_items)
    return Record(
        place=place,
        model=model,
        benchmark=task,
        score=score,
        scale="unit" if share else None,
        metric=chosen,
        others=_others(about, task),
        stderr=stderr,
        n_items=n_items,
        setting=_setting(config, chosen, score_object),
        date=as_date(about.get("created") or stats.get("completed_at")),
        partial=_partial(dataset, n_items),
        note=note,
    )


def _others(about: Mapping[str, Any], task: str) -> tuple[str, ...]:
    registry = about.get("task_registry_name")
    named = [registry] if isinstance(registry, str) and registry and registry != task else []
    return tuple(named)


def _partial(dataset: Mapping[str, Any], n_items: float | None) -> str:
    """Fewer samples run than the data set has (a limit alone may lie above its size)."""
    size = dataset.get("samples")
    if isinstance(size, int) and n_items is not None and n_items < size:
        return f"{n_items:g} of {size} samples"
    return ""


def _setting(config: Mapping[str, Any], chosen: str, score: Mapping[str, Any]) -> str:
    epochs = config.get("epochs")
    reducer = score.get("reducer")
    parts = [
        chosen,
        f"{epochs} epochs" if isinstance(epochs, int) and epochs > 1 else "",
        f"reducer {reducer}" if isinstance(reducer, str) else "",
    ]
    return ", ".join(part for part in parts if part)
