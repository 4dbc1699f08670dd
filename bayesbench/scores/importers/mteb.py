"""MTEB: one JSON file per task, in ``<organisation>__<model>/<revision>/``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .records import Found, LeftOut, Record, as_list, as_mapping, as_number, as_text

__all__ = ["FORMAT", "META", "folder_model", "matches", "read"]

FORMAT = "MTEB result"
META = "model_meta.json"
_SPLITS = ("test", "validation", "dev")


def matches(document: Any) -> bool:
    """Whether a JSON document looks like one."""
    if not isinstance(document, Mapping) or not {"task_name", "scores"} <= set(document):
        return False
    return bool({"mteb_version", "dataset_revision"} & set(document))


def folder_model(path: Path) -> str | None:
    """Model of the folder a result lies in: ``org__model/revision/Task.json``."""
    for folder in path.resolve().parents[:2]:
        if "__" in folder.name:
            return folder.name.replace("__", "/", 1)
    return None


def read(document: Any, source: str, model: str) -> Found:
    """Score of a task: the mean main score over its subsets, on the test split.

    Raises
    ------
    DataError
        Naming the file, the place and the value.
    """
    whole = as_mapping(document, source, "the document")
    task = as_text(whole.get("task_name"), source, "task_name")
    scores = as_mapping(whole.get("scores"), source, "scores")
    split = next((name for name in _SPLITS if name in scores), None)
    if split is None:
        split = next(iter(scores)) if len(scores) == 1 else None
    if split is None:
        reason = f"no test split among {', '.join(scores) or 'no splits'}"
        return Found(FORMAT, (), (LeftOut("scores", model, task, reason),))
    place = f"scores/{split}"
    values = []
    for number, subset in enumerate(as_list(scores[split], source, place)):
        here = f"{place}/{number}"
        subset = as_mapping(subset, source, here)
        values.append(as_number(subset.get("main_score"), source, f"{here}/main_score"))
    left = tuple(
        LeftOut(f"scores/{name}", model, task, f"the {split} split is read")
        for name in scores
        if name != split
    )
    if not values:
        return Found(FORMAT, (), (*left, LeftOut(place, model, task, "no subset")))
    record = Record(
        place=place,
        model=model,
        benchmark=task,
        score=sum(values) / len(values),
        scale="unit",
        metric="main_score",
        setting=f"{split} split, mteb {str(whole.get('mteb_version') or '?')[:20]}",
        note=f"mean over {len(values)} subsets" if len(values) > 1 else "",
    )
    return Found(FORMAT, (record,), left)
