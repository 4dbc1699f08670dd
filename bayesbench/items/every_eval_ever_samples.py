"""Answers per instance from Every Eval Ever's ``*_samples.jsonl``; repeats are runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import SchemaError
from ..scores.importers.every_eval_ever import VERSIONS
from ..scores.tables import shown
from .gathered import Gathered
from .loaders import HASH_DIGITS, json_lines
from .responses import ItemResponses

__all__ = ["read_every_eval_ever_samples"]

NEEDED = ("schema_version", "model_id", "evaluation_name", "sample_id", "evaluation")
METRICS = ("is_correct", "score")


def read_every_eval_ever_samples(
    files: Sequence[str | Path], metric: str = "is_correct"
) -> ItemResponses:
    """Read instance files of Every Eval Ever, schemas 0.2 and 0.3.

    An item is an instance of an evaluation: its id is ``evaluation_name/sample_id:hash`` (without
    the hash where the file has none), so that an instance that changed is another item. An instance
    that stands several times in one file was run several times.

    Parameters
    ----------
    files : sequence of paths
        JSON Lines.
    metric : {"is_correct", "score"}
        Which field of ``evaluation`` counts; a score must lie between 0 and 1.

    Returns
    -------
    ItemResponses
        Notes count instances that ended in an error, which are left out.

    Raises
    ------
    SchemaError
        Naming the file, the line and the value.
    """
    if metric not in METRICS:
        raise SchemaError(f"no metric {metric!r}; Every Eval Ever has {' and '.join(METRICS)}")
    found = Gathered()
    for file in map(Path, files):
        broken = lines = 0
        for place, line in json_lines(file):
            lines += 1
            missing = [key for key in NEEDED if key not in line]
            if missing:
                raise SchemaError(f"{place}: no {missing[0]}; give instances of Every Eval Ever")
            version = str(line["schema_version"])
            if not version.startswith(tuple(f"{known}." for known in VERSIONS)):
                raise SchemaError(f"{place}: schema_version {version!r:.20}; give 0.2 or 0.3")
            if line.get("error"):
                broken += 1
                continue
            model, task = _text(line, "model_id", place), _text(line, "evaluation_name", place)
            own = line.get("sample_hash")
            item = f"{task}/{line['sample_id']}" + (f":{own[:HASH_DIGITS]}" if own else "")
            found.add(place, file.name, model, item, task, _share(line, metric, place))
        if not lines:
            raise SchemaError(f"{file.name}: the file is empty; give a line for each instance")
        if broken:
            found.notes.append(f"{file.name}: {broken} instances with an error left out")
    return found.responses()


def _text(line: Mapping[str, Any], key: str, place: str) -> str:
    value = line[key]
    if not isinstance(value, str) or not value.strip():
        raise SchemaError(f"{place}: {key} is {shown(value)}; a name is needed")
    return value.strip()


def _share(line: Mapping[str, Any], metric: str, place: str) -> float:
    held = line["evaluation"]
    value = held.get(metric) if isinstance(held, Mapping) else None
    right = isinstance(value, bool if metric == "is_correct" else int | float)
    if not right or not 0 <= float(value or 0) <= 1:
        need = "true or false" if metric == "is_correct" else "a number from 0 to 1"
        raise SchemaError(f"{place}: {metric} is {shown(value)}; {need} is needed")
    return float(value or 0)
