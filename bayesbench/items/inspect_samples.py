"""Answers per sample from Inspect logs: ``.eval`` archives and ``.json``; epochs are runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError, SchemaError
from ..scores.importers.bounded import Archive, json_document, open_archive, parse_json
from ..scores.importers.records import as_list, as_mapping, as_text
from .gathered import Gathered
from .responses import ItemResponses

__all__ = ["read_inspect_logs"]

VERSION = 2
LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Correct, incorrect, partly correct and no answer, as Inspect writes them."""
SUMMARIES, HEADER = "summaries.json", "header.json"


def read_inspect_logs(files: Sequence[str | Path], scorer: str = "") -> ItemResponses:
    """Read the samples of Inspect logs.

    An item is a sample of a task: its id is ``task/sample id``. Every epoch is a run. Of an archive
    the summaries are read where it has them, else sample by sample.

    Parameters
    ----------
    files : sequence of paths
        ``.eval`` (also compressed by Zstandard) or ``.json``, format version 2. A log that failed
        or was invalidated is left out, as are samples without a score; notes say so.
    scorer : str
        Which scorer counts, where a sample has several. Its value is C, I, P (half) or N, true or
        false, or a number from 0 to 1; ``scorer/key`` names one of a value with several.

    Returns
    -------
    ItemResponses

    Raises
    ------
    DataError, SchemaError
        Naming the file, the sample and the value.
    """
    found = Gathered()
    for file in map(Path, files):
        if file.suffix.lower() == ".eval":
            with open_archive(file) as archive:
                head, samples, kind = _of_archive(archive, file)
                _take(found, file, head, samples, kind, scorer)
        else:
            whole = as_mapping(json_document(file), str(file), "the document")
            listed = as_list(whole.get("samples") or [], str(file), "samples")
            _take(found, file, whole, iter(listed), "full", scorer)
    return found.responses()


def _of_archive(archive: Archive, file: Path) -> tuple[Mapping[str, Any], Iterator[Any], str]:
    if HEADER not in archive.names:
        raise DataError(f"{file}: the log has no {HEADER}: the run is not over, or was stopped")
    head = as_mapping(parse_json(archive.read(HEADER), f"{file}: {HEADER}"), str(file), HEADER)
    if SUMMARIES in archive.names:
        held = parse_json(archive.read(SUMMARIES), f"{file}: {SUMMARIES}")
        return head, iter(as_list(held, str(file), SUMMARIES)), "summary"
    names = [name for name in archive.names if name.startswith("samples/")]
    return head, (parse_json(archive.read(one), f"{file}: {one}") for one in names), "full"


def _take(
    found: Gathered,
    file: Path,
    head: Mapping[str, Any],
    samples: Iterator[Any],
    kind: str,
    scorer: str,
) -> None:
    name = file.name
    if head.get("version") != VERSION:
        said = str(head.get("version"))[:20]
        raise SchemaError(f"{name}: version {said} of the log is not read; write version 2")
    about = as_mapping(head.get("eval"), name, "eval")
    model = as_text(about.get("model"), name, "eval/model")
    task = as_text(about.get("task"), name, "eval/task")
    if head.get("status") != "success" or head.get("invalidated") is True:
        why = "invalidated" if head.get("invalidated") is True else f"{head.get('status')!s:.20}"
        found.notes.append(f"{name} left out: status {why}")
        return
    unscored, number = 0, 0
    for number, sample in enumerate(samples, start=1):
        place = f"{name}, sample {number}"
        held = as_mapping(sample, name, f"sample {number}")
        if held.get("id") is None:
            raise SchemaError(f"{place}: no id; give samples as Inspect logs them")
        item = f"{task}/{held['id']}"
        scores = held.get("scores")
        if not scores:
            unscored += 1
            continue
        share = _share(as_mapping(scores, name, f"sample {number} scores"), scorer, place)
        found.add(place, name, model, item, task, share)
        found.prompt(item, f"{kind} {_digest(held.get('input'))}")
    if number == 0:
        raise SchemaError(f"{name}: no samples in the log; write it with log_samples")
    if unscored:
        found.notes.append(f"{name}: {unscored} of {number} samples without a score left out")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _share(scores: Mapping[str, Any], scorer: str, place: str) -> float:
    name, _, key = scorer.partition("/")
    if name and name not in scores:
        raise SchemaError(f"{place}: no scorer {name!r}; scorers found: {', '.join(scores)}")
    if not name and len(scores) > 1:
        raise SchemaError(f"{place}: several scorers ({', '.join(scores)}); name one as metric")
    own = name or next(iter(scores))
    value = as_mapping(scores[own], place, own).get("value")
    if isinstance(value, Mapping):
        if key not in value:
            keys = ", ".join(map(str, value))
            raise SchemaError(f"{place}: {own} has several values; name one as {own}/KEY ({keys})")
        value = value[key]
    if isinstance(value, str) and value in LETTERS:
        return LETTERS[value]
    if isinstance(value, bool | int | float) and 0 <= value <= 1:
        return float(value)
    raise SchemaError(
        f"{place}: {own} is {str(value)!r:.40}; C, I, P, N, true, false or 0 to 1 is needed"
    )
