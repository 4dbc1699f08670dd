"""Answers from any form of file, several at a time; a path's name and content say which form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError, UsageError
from ..scores.importers.bounded import json_document
from ..scores.tables import read_table
from .every_eval_ever_samples import read_every_eval_ever_samples
from .inspect_samples import read_inspect_logs
from .loaders import SAMPLES, read_irw, read_lm_eval_samples, read_long, read_npz
from .responses import ItemResponses

__all__ = ["FORMS", "read_collected"]

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
    if own in SINGLE and len(files) > 1:
        raise UsageError(f"{len(files)} files of the form {own}; put all answers into one")
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
        return read_irw(files[0], benchmark=benchmark)
    if own == "npz":
        return read_npz(files[0], benchmark=benchmark)
    return read_long(files[0], benchmark=benchmark)


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
