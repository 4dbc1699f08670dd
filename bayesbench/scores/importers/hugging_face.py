"""Hugging Face: ``.eval_results/*.yaml`` of a model's repository, and ``model-index`` of a card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import DataError
from .records import (
    Found,
    LeftOut,
    Record,
    as_date,
    as_list,
    as_mapping,
    as_number,
    as_text,
)

__all__ = [
    "CARD",
    "FOLDER",
    "RESULTS",
    "front_matter",
    "matches_results",
    "read_card",
    "read_eval_results",
    "repository_of",
]

RESULTS = "Hugging Face evaluation results"
CARD = "Hugging Face model card"
FOLDER = ".eval_results"
_CACHE = re.compile(r"models--([^/]+?)--([^/]+)")
_PLUS_MINUS = re.compile(r"(?P<value>[^±]+?)(?:±|\+/-)(?P<error>[^±]+)")
_SHOTS = re.compile(r"\s*\((\d+)[- ]shot\)\s*$", re.IGNORECASE)
TOOLS = "with tools"
"""In the notes of a run whose scores are not those of the benchmark without."""
_NORMALISED = "open-llm-leaderboard/"
"""In the source of scores that version 2 of that leaderboard rescaled: 0 is guessing there."""


def repository_of(path: Path) -> str | None:
    """Name of the model whose repository holds a file: from the cache's or the clone's folder."""
    folder = path.resolve().parent
    if folder.name == FOLDER:
        folder = folder.parent
    for part in (folder.name, folder.parent.parent.name):
        cached = _CACHE.fullmatch(part)
        if cached:
            return f"{cached[1]}/{cached[2]}"
    return folder.name.replace("__", "/", 1) or None


def matches_results(document: Any) -> bool:
    """Whether a YAML document looks like a list of evaluation results."""
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, Mapping) and {"dataset", "value"} <= set(first)


def read_eval_results(document: Any, source: str, model: str) -> Found:
    """Scores of an ``.eval_results`` file; it says neither model, metric nor scale.

    Raises
    ------
    DataError
        Naming the file, the place and the value.
    """
    records = []
    for number, entry in enumerate(as_list(document, source, "the document")):
        place = f"entry {number + 1}"
        entry = as_mapping(entry, source, place)
        data = as_mapping(entry.get("dataset"), source, f"{place} dataset")
        named = as_text(data.get("id"), source, f"{place} dataset/id")
        names = _dataset_names(named, str(data.get("task_id") or ""))
        origin = entry.get("source")
        url = origin.get("url") if isinstance(origin, Mapping) else None
        notes = entry.get("notes")
        if isinstance(notes, str) and TOOLS in notes.casefold():
            names = tuple(f"{name}_tools" for name in names)
        records.append(
            Record(
                place=place,
                model=model,
                benchmark=names[0],
                score=as_number(entry.get("value"), source, f"{place} value"),
                scale=None,
                others=names[1:],
                setting=" ".join(str(notes).split())[:200] if isinstance(notes, str) else "",
                date=as_date(entry.get("date")),
                url=url if isinstance(url, str) else f"https://huggingface.co/datasets/{named}",
                note=f"the model is that of the folder, {model}",
            )
        )
    return Found(RESULTS, tuple(records))


def _dataset_names(dataset: str, task: str) -> tuple[str, ...]:
    """Names of a task of a data set; the data set alone only where the task is all of it."""
    short = dataset.rpartition("/")[2]
    if not task or task in ("default", "all"):
        return dataset, short
    whole = _plain(task) == _plain(short)
    alone = (task,) if _plain(task).startswith(_plain(short)) else ()
    return (f"{dataset}/{task}", *alone, *((short,) if whole else (f"{short}_{task}",)))


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def front_matter(text: str, source: str) -> str:
    """YAML between the dashes at the head of a card.

    Raises
    ------
    DataError
        If there is none.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---" or "---" not in map(str.strip, lines[1:]):
        raise DataError(f"{source}: no YAML between dashes at its head; a model card has one")
    end = next(n for n, line in enumerate(lines[1:], start=1) if line.strip() == "---")
    return "\n".join(lines[1:end])


def read_card(document: Any, source: str, model: str | None) -> Found:
    """Scores of the ``model-index`` of a card's front matter; no scale is stated there.

    Parameters
    ----------
    document : YAML value
    source : str
    model : str or None
        Repository of the card, where known: it comes before the name in the index.

    Raises
    ------
    DataError
        Naming the file, the place and the value.
    """
    whole = as_mapping(document, source, "the front matter")
    if "model-index" not in whole:
        raise DataError(f"{source}: no model-index in the front matter; this card has no scores")
    records: list[Record] = []
    left: list[LeftOut] = []
    for entry in as_list(whole["model-index"], source, "model-index"):
        entry = as_mapping(entry, source, "model-index")
        name = as_text(entry.get("name"), source, "model-index name")
        results = as_list(entry.get("results") or [], source, f"model-index {name} results")
        for number, result in enumerate(results):
            place = f"model-index/{name}/results/{number}"
            made, dropped = _card_result(
                as_mapping(result, source, place), source, place, (model or name, name)
            )
            records += made
            left += dropped
    return Found(CARD, tuple(records), tuple(left))


def _card_result(
    result: Mapping[str, Any], source: str, place: str, models: tuple[str, str]
) -> tuple[list[Record], list[LeftOut]]:
    data = as_mapping(result.get("dataset"), source, f"{place} dataset")
    written = as_text(data.get("name") or data.get("type"), source, f"{place} dataset/name")
    shots = _SHOTS.search(written)
    named = _SHOTS.sub("", written)
    origin = result.get("source")
    url = origin.get("url") if isinstance(origin, Mapping) else None
    if isinstance(url, str) and _NORMALISED in url:
        reason = "rescaled so that guessing is 0; take the Raw columns of the leaderboard's file"
        return [], [LeftOut(place, models[0], named, reason)]
    metrics = as_list(result.get("metrics"), source, f"{place} metrics")
    records, left = [], []
    for number, metric in enumerate(metrics):
        here = f"{place}/metrics/{number}"
        metric = as_mapping(metric, source, here)
        kind = str(metric.get("name") or metric.get("type") or "")
        if number:
            left.append(LeftOut(here, models[0], named, "the first metric is read"))
            continue
        score, stderr = _value(metric.get("value"), source, f"{here} value")
        records.append(
            Record(
                place=here,
                model=models[0],
                benchmark=named,
                score=score,
                scale=None,
                metric=kind,
                others=_card_names(data, named),
                stderr=stderr,
                setting=", ".join(p for p in (f"{shots[1]}-shot" if shots else "", kind) if p),
                url=url if isinstance(url, str) else "",
                other_models=(models[1],) if models[1] != models[0] else (),
            )
        )
    return records, left


def _card_names(data: Mapping[str, Any], named: str) -> tuple[str, ...]:
    """The data set's own name, where its configuration is not a part of it."""
    kind, config = data.get("type"), data.get("config")
    if isinstance(kind, str) and kind != named and config in (None, "", "default", "all", "main"):
        return (kind, kind.rpartition("/")[2])
    return ()


def _value(value: Any, source: str, place: str) -> tuple[float, float | None]:
    """A number, or a text like ``20.0 ± 1.2``: both parts, never one of them."""
    both = _PLUS_MINUS.fullmatch(value) if isinstance(value, str) else None
    if both is None:
        return as_number(value, source, place), None
    return (
        as_number(both["value"].strip(), source, place),
        as_number(both["error"].strip(), source, place),
    )
