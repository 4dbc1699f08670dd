"""lighteval: ``results_*.json`` with ``config_general``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import lm_eval
from .records import Found, LeftOut, Record, as_mapping, as_number, as_stderr, as_text

__all__ = ["FORMAT", "matches", "read"]

FORMAT = "lighteval results"
_ALL = "all"


def matches(document: Any) -> bool:
    """Whether a JSON document looks like one."""
    return isinstance(document, Mapping) and {"config_general", "results"} <= set(document)


def read(document: Any, source: str, metrics: Mapping[str, str] | None = None) -> Found:
    """Scores of a results file: keys ``suite|task|shots`` or ``task|shots``, without ``all``.

    Of several metrics one is taken as `lm_eval.read` does; `metrics` is by task.

    Raises
    ------
    DataError
        Naming the file, the place and the value.
    """
    whole = as_mapping(document, source, "the document")
    general = as_mapping(whole.get("config_general"), source, "config_general")
    told = as_mapping(general.get("model_config") or {}, source, "config_general/model_config")
    named = general.get("model_name") or told.get("model_name")
    model = as_text(named, source, "config_general/model_name")
    cut = general.get("max_samples")
    partial = "" if cut is None else f"at most {cut} samples"
    records: list[Record] = []
    left: list[LeftOut] = []
    for key, row in as_mapping(whole.get("results"), source, "results").items():
        place = f"results/{key}"
        if key == _ALL:
            left.append(LeftOut(place, model, key, "an average over the tasks"))
            continue
        task, shots = _task(key)
        there = {
            name: value
            for name, value in as_mapping(row, source, place).items()
            if not name.endswith("_stderr")
        }
        chosen = _chosen(there, (metrics or {}).get(task))
        if chosen is None:
            reason = f"several metrics: {', '.join(there)}; choose with --metric {task}=METRIC"
            left.append(LeftOut(place, model, task, reason))
            continue
        left += [
            LeftOut(f"{place}/{name}", model, task, f"the metric {chosen} is read")
            for name in there
            if name != chosen
        ]
        error = as_stderr(row.get(f"{chosen}_stderr"), source, f"{place}/{chosen}_stderr")
        records.append(
            Record(
                place=f"{place}/{chosen}",
                model=model,
                benchmark=task,
                score=as_number(row[chosen], source, f"{place}/{chosen}"),
                scale="unit" if lm_eval.is_share(chosen.partition(":")[0]) else None,
                metric=chosen,
                stderr=error or None,
                setting=", ".join(part for part in (shots, chosen) if part),
                partial=partial,
                note="standard error 0" if error == 0 else "",
            )
        )
    return Found(FORMAT, tuple(records), tuple(left))


def _task(key: str) -> tuple[str, str]:
    """Task and number of shots of a key."""
    parts = key.split("|")
    if len(parts) > 1 and parts[-1] in ("0", "1"):
        last_is_flag = len(parts) == 4  # suite|task|shots|truncation, of older versions
        parts = parts[:-1] if last_is_flag else parts
    if len(parts) == 1:
        return key, ""
    shots = f"{parts[-1]}-shot" if parts[-1].isascii() and parts[-1].isdigit() else ""
    task = parts[1] if len(parts) > 2 else parts[0]
    return task.replace(":_average", ""), shots


def _chosen(there: Mapping[str, Any], wanted: str | None) -> str | None:
    if wanted is not None or len(there) == 1:
        name = wanted if wanted is not None else next(iter(there))
        return name if name in there else None
    order = (name.partition(",")[0] for name in lm_eval.PREFERRED)
    return next((name for name in ("extractive_match", *order) if name in there), None)
