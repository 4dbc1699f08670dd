"""lm-evaluation-harness: ``results_*.json``, with the metric of a task chosen by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .records import (
    Found,
    LeftOut,
    Record,
    as_count,
    as_date,
    as_mapping,
    as_number,
    as_stderr,
    as_text,
    believable_stderr,
)

__all__ = ["FORMAT", "PREFERRED", "SHARES", "is_share", "matches", "read"]

FORMAT = "lm-evaluation-harness results"

PREFERRED = (
    "acc_norm,none",
    "exact_match,strict-match",
    "exact_match,flexible-extract",
    "exact_match,custom-extract",
    "exact_match,get-answer",
    "exact_match,remove_whitespace",
    "exact_match,none",
    "math_verify,none",
    "prompt_level_strict_acc,none",
    "pass@1,create_test",
    "pass_at_1,none",
    "acc,none",
    "mc2,none",
    "acc_norm",
    "acc",
    "em",
    "exact_match",
    "accuracy_avg",
)
"""Metrics in the order in which one is taken where a task has several."""

SHARES = frozenset(
    {
        "acc",
        "acc_norm",
        "accuracy",
        "accuracy_avg",
        "em",
        "exact_match",
        "extractive_match",
        "inst_level_loose_acc",
        "inst_level_strict_acc",
        "math_verify",
        "mc1",
        "mc2",
        "pass@1",
        "pass_at_1",
        "prefix_quasi_exact_match",
        "prompt_level_loose_acc",
        "prompt_level_strict_acc",
        "quasi_exact_match",
    }
)
"""Metrics that are shares between 0 and 1."""

_MODEL_KEYS = ("peft", "delta", "pretrained", "model", "path", "engine")
_NOT_METRICS = frozenset({"alias", "name", "sample_len", "sample_count", "samples"})


def is_share(metric: str) -> bool:
    """Whether a metric, without its filter, is a share between 0 and 1."""
    return metric in SHARES or "pass@" in metric


def matches(document: Any) -> bool:
    """Whether a JSON document looks like one."""
    if not isinstance(document, Mapping) or "config_general" in document:
        return False
    beside = {"configs", "versions", "n-shot", "n-samples", "lm_eval_version", "config"}
    return "results" in document and len(beside & set(document)) >= 2


def read(document: Any, source: str, metrics: Mapping[str, str] | None = None) -> Found:
    """Scores of a results file.

    A task that has several metrics gives one: that of `metrics`, else the first of `PREFERRED`; the
    others are listed as left out. Rows of a group stand for those of its subtasks, or the reverse
    where the group has no score of its own.

    Parameters
    ----------
    document : JSON value
    source : str
        File name, for messages.
    metrics : mapping of task to metric, optional
        ``"acc"`` or, with the filter, ``"exact_match,strict-match"``.

    Returns
    -------
    Found

    Raises
    ------
    DataError
        Naming the file, the place and the value.
    """
    whole = as_mapping(document, source, "the document")
    results = as_mapping(whole.get("results"), source, "results")
    groups = as_mapping(whole.get("groups") or {}, source, "groups")
    model = _model(whole, source)
    replaced = _replaced(whole, {**results, **groups}, source)
    records: list[Record] = []
    left: list[LeftOut] = []
    for task, row in {**groups, **results}.items():
        row = as_mapping(row, source, f"results/{task}")
        if task in replaced:
            left.append(LeftOut(f"results/{task}", model, task, replaced[task]))
            continue
        made, dropped = _task(whole, source, model, task, row, (metrics or {}).get(task))
        records += made
        left += dropped
    return Found(FORMAT, tuple(records), tuple(left))


def _model(whole: Mapping[str, Any], source: str) -> str:
    if whole.get("model_name"):
        return as_text(whole["model_name"], source, "model_name")
    config = as_mapping(whole.get("config") or {}, source, "config")
    given = config.get("model_args")
    if isinstance(given, str):
        given = dict(part.partition("=")[::2] for part in given.split(","))
    named = given if isinstance(given, Mapping) else {}
    found = next((named[key] for key in _MODEL_KEYS if named.get(key)), config.get("model"))
    return as_text(found, source, "model_name")


def _metrics(row: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics of a task: neither standard errors nor placeholders of a group."""
    return {
        name: value
        for name, value in row.items()
        if name.partition(",")[0] not in _NOT_METRICS
        and not name.partition(",")[0].endswith(("_stderr", "_std_err"))
        and not (isinstance(value, str) and value.strip() in ("", "N/A"))
    }


def _replaced(whole: Mapping[str, Any], rows: Mapping[str, Any], source: str) -> dict[str, str]:
    """Tasks whose score another row holds: subtasks of a group with a score, groups without."""
    listed = as_mapping(whole.get("group_subtasks") or {}, source, "group_subtasks")
    found: dict[str, str] = {}
    for group, members in listed.items():
        if not isinstance(members, list) or not members or group not in rows:
            continue
        if isinstance(rows[group], Mapping) and _metrics(rows[group]):
            found |= {str(member): f"part of the group {group}" for member in members}
        else:
            found[group] = "a group without a score of its own; its tasks are read"
    return found


def _task(
    whole: Mapping[str, Any],
    source: str,
    model: str,
    task: str,
    row: Mapping[str, Any],
    wanted: str | None,
) -> tuple[list[Record], list[LeftOut]]:
    place = f"results/{task}"
    there = _metrics(row)
    if not there:
        return [], [LeftOut(place, model, task, "no metric with a number")]
    chosen = _chosen(there, wanted)
    if chosen is None:
        asked = f"no metric {wanted}" if wanted else "several metrics"
        reason = f"{asked}: {', '.join(there)}; choose with --metric {task}=METRIC"
        return [], [LeftOut(place, model, task, reason)]
    left = [
        LeftOut(f"{place}/{name}", model, task, f"the metric {chosen} is read")
        for name in there
        if name != chosen
    ]
    bare, _, variant = chosen.partition(",")
    better = as_mapping(whole.get("higher_is_better") or {}, source, "higher_is_better")
    if isinstance(better.get(task), Mapping) and better[task].get(bare) is False:
        return [], [*left, LeftOut(f"{place}/{chosen}", model, task, f"{bare}: lower is better")]
    return [_record(whole, source, model, task, row, chosen, variant)], left


def _chosen(there: Mapping[str, Any], wanted: str | None) -> str | None:
    if wanted is not None:
        alike = [name for name in there if wanted in (name, name.partition(",")[0])]
        return alike[0] if len(alike) == 1 else None
    if len(there) == 1:
        return next(iter(there))
    return next((name for name in PREFERRED if name in there), None)


def _record(
    whole: Mapping[str, Any],
    source: str,
    model: str,
    task: str,
    row: Mapping[str, Any],
    chosen: str,
    variant: str,
) -> Record:
    place = f"results/{task}/{chosen}"
    bare = chosen.partition(",")[0]
    score = as_number(row[chosen], source, place)
    share = is_share(bare)
    n_items, partial = _items(whole, source, task)
    suffix = f",{variant}" if variant else ""
    error = next(
        (row[f"{bare}{end}{suffix}"] for end in ("_stderr", "_std_err")
         if f"{bare}{end}{suffix}" in row),
        row.get("accuracy_std_err") if bare == "accuracy_avg" else None,
    )  # fmt: skip
    stated = as_stderr(error, source, f"{place} standard error")
    stderr, note = believable_stderr(stated, score if share else None, n_items)
    return Record(
        place=place,
        model=model,
        benchmark=task,
        score=score,
        scale="unit" if share else None,
        metric=chosen,
        others=tuple(f"{task}/{variant}" for _ in [0] if variant not in ("", "none")),
        stderr=stderr,
        n_items=n_items,
        setting=_setting(whole, task, chosen),
        date=as_date(whole.get("date")),
        partial=partial,
        note=note,
    )


def _items(whole: Mapping[str, Any], source: str, task: str) -> tuple[float | None, str]:
    samples = as_mapping(whole.get("n-samples") or {}, source, "n-samples").get(task)
    config = as_mapping(whole.get("config") or {}, source, "config")
    if isinstance(samples, Mapping):
        run = as_count(samples.get("effective"), source, f"n-samples/{task}/effective")
        all_ = as_count(samples.get("original"), source, f"n-samples/{task}/original")
        fewer = run is not None and all_ is not None and run < all_
        return run, f"{run:g} of {all_:g} items" if fewer else ""
    limit = config.get("limit")
    return None, "" if limit is None else f"limit {limit}"


def _setting(whole: Mapping[str, Any], task: str, chosen: str) -> str:
    shots = whole.get("n-shot")
    shot = shots.get(task) if isinstance(shots, Mapping) else None
    version = whole.get("versions")
    number = version.get(task) if isinstance(version, Mapping) else None
    parts = [
        "" if not isinstance(shot, int) else f"{shot}-shot",
        chosen.replace(",none", "").replace(",", " "),
        "" if not isinstance(number, int | float | str) else f"task version {number}",
        "chat template" if whole.get("chat_template_sha") else "",
    ]
    return ", ".join(part for part in parts if part)
