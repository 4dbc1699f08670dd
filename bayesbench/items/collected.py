"""Answers from any form of file, several at a time; a path's name and content say which form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import DataError, UsageError
from ..scores.importers.bounded import json_document
from ..scores.tables import read_table
from .every_eval_ever_samples import read_every_eval_ever_samples
from .inspect_samples import read_inspect_logs
from .loaders import SAMPLES, read_irw, read_lm_eval_samples, read_long, read_npz
from .responses import ItemResponses, smallest

__all__ = ["FORMS", "joined", "read_collected"]

FORMS = ("long", "npz", "irw", "lm-eval", "inspect", "every-eval-ever")
"""What `form` may be."""
SINGLE = ("long", "npz", "irw")
WITH_METRIC = ("lm-eval", "inspect", "every-eval-ever")


def read_collected(
    paths: Sequence[str | Path],
    *,
    form: str | None = None,
    benchmark: str | None = None,
    metric: str | None = None,
) -> ItemResponses:
    """Read answers from files or directories of one form.

    Parameters
    ----------
    paths : sequence of paths
        Of a directory all files of the form in it, at any depth.
    form : str, optional
        One of `FORMS`; by default as the names say: ``.npz``, ``.eval`` and ``.json`` (Inspect),
        ``samples_TASK_DATE.jsonl`` (lm-evaluation-harness), other ``.jsonl`` (Every Eval Ever),
        else a table, which is one of the Item Response Warehouse if its columns are id, item, resp.
    benchmark : str, optional
        Of all items, for tables and npz that do not say it.
    metric : str, optional
        Which metric or scorer counts, for the forms of other tools.

    Returns
    -------
    ItemResponses

    Raises
    ------
    UsageError
        Files of several forms, or an option that the form has no use for.
    DataError, SchemaError
        As the reader of the form.
    """
    files = _files([Path(path) for path in paths], form)
    own = form or _one_form(files)
    if metric is not None and own not in WITH_METRIC:
        raise UsageError(f"a metric belongs to {', '.join(WITH_METRIC)}; leave it out for {own}")
    if benchmark is not None and own not in SINGLE:
        raise UsageError(f"{own} files say of which benchmark they are; leave out the benchmark")
    if own == "inspect":
        return read_inspect_logs(files, metric or "")
    if own == "every-eval-ever":
        return read_every_eval_ever_samples(files, metric or "is_correct")
    if own == "lm-eval":
        if metric is None:
            raise UsageError("samples of lm-evaluation-harness need a metric, such as acc")
        return _harness(files, metric)
    if own == "irw":
        if benchmark is None:
            raise UsageError("a table of the Item Response Warehouse needs a benchmark's name")
        return joined([(file.name, read_irw(file, benchmark=benchmark)) for file in files])
    read = read_npz if own == "npz" else read_long
    return joined([(file.name, read(file, benchmark=benchmark)) for file in files])


def joined(parts: Sequence[tuple[str, ItemResponses]]) -> ItemResponses:
    """Answers of several files as one.

    Parameters
    ----------
    parts : sequence of (name of the file, ItemResponses)

    Raises
    ------
    DataError
        A cell is in two files, or they say different things of a model or an item.
    """
    if len(parts) == 1:
        return parts[0][1]
    frames: dict[str, pd.DataFrame] = {}
    for kind in ("models", "items"):
        frames[kind] = getattr(parts[0][1], kind)
        for name, part in parts[1:]:
            frames[kind] = _with_rows(frames[kind], getattr(part, kind), f"{name}: {kind[:-1]}")
    models, items = frames["models"], frames["items"]
    held = np.zeros((2, len(models), len(items)), dtype=np.float32)
    for name, part in parts:
        place = np.ix_(models.index.get_indexer(part.models.index),
                       items.index.get_indexer(part.items.index))  # fmt: skip
        both = (held[1][place] > 0) & (part.trials > 0)
        if both.any():
            row, column = np.argwhere(both)[0]
            raise DataError(
                f"{name}: model {part.models.index[row]!r} answered item "
                f"{part.items.index[column]!r} in an earlier file; keep one of the two"
            )
        held[0][place] += part.correct
        held[1][place] += part.trials
    notes = tuple(dict.fromkeys(note for _, part in parts for note in part.notes))
    return ItemResponses(models, items, smallest(held[0]), smallest(held[1]), notes)


def _with_rows(frame: pd.DataFrame, more: pd.DataFrame, what: str) -> pd.DataFrame:
    """Rows of both; those of both must say the same, and have the same columns."""
    if set(frame.columns) != set(more.columns):
        odd = sorted(set(frame.columns) ^ set(more.columns))
        raise DataError(f"{what}s: column {odd[0]} is not in all files; give it in all or in none")
    shared = frame.index.intersection(more.index)
    for column in frame.columns:
        differs = frame.loc[shared, column].ne(more.loc[shared, column]).to_numpy()
        if differs.any():
            name = shared[int(differs.argmax())]
            raise DataError(
                f"{what} {name!r} is of {column} {more.at[name, column]!r} here, and of "
                f"{frame.at[name, column]!r} in an earlier file; keep one"
            )
    return pd.concat([frame, more.loc[more.index.difference(frame.index, sort=False)]])


def _files(paths: Sequence[Path], form: str | None) -> list[Path]:
    if form is not None and form not in FORMS:
        raise UsageError(f"no form {form!r} of answers; there are {', '.join(FORMS)}")
    if not paths:
        raise UsageError("no file with answers was named")
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(one for one in path.rglob("*") if one.is_file())
        known = [one for one in inside if _of_directory(one) in ((form,) if form else WITH_METRIC)]
        if not known:
            raise DataError(f"{path}: no file with answers per item in it; name the files")
        found += known
    return found


def _of_directory(path: Path) -> str | None:
    """Form of a file that stands in a directory, beside results and whatever else; or None."""
    if path.suffix.lower() == ".eval":
        return "inspect"
    if path.suffix.lower() == ".jsonl":
        return _form(path)
    if path.suffix.lower() == ".json" and not path.name.startswith("results_"):
        return "inspect"
    return None


def _one_form(files: Sequence[Path]) -> str:
    forms = {_form(file) for file in files}
    if len(forms) > 1:
        raise UsageError(f"files of several forms ({', '.join(sorted(forms))}); read one at a time")
    return forms.pop()


def _form(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return "npz"
    if suffix in (".eval", ".json"):
        return "inspect"
    if suffix == ".jsonl":
        return "lm-eval" if SAMPLES.fullmatch(path.name) else "every-eval-ever"
    columns = set(read_table(path).frame.columns)
    return "irw" if {"id", "item", "resp"} <= columns and "item_id" not in columns else "long"


def _harness(files: Sequence[Path], metric: str) -> ItemResponses:
    """Samples of the harness by the model that its results beside name, else by their folder."""
    by_model: dict[str, list[Path]] = {}
    for file in files:
        by_model.setdefault(_model(file), []).append(file)
    return read_lm_eval_samples(by_model, metric)


def _model(file: Path) -> str:
    match = SAMPLES.fullmatch(file.name)
    if match is None:
        return file.parent.name
    date = file.stem.removeprefix(f"samples_{match['task']}_")
    results = file.with_name(f"results_{date}.json")
    if results.is_file():
        document = json_document(results)
        named = document.get("model_name") if isinstance(document, dict) else None
        if isinstance(named, str) and named:
            return named
    return file.resolve().parent.name
