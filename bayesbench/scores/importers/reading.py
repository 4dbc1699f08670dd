"""``read_results``: which format a file is of, and everything it says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from ...errors import DataError, UsageError
from ..datasets import open_scores
from ..matrix import ScoreMatrix
from . import (
    artificial_analysis,
    benchpress,
    epoch_hub,
    every_eval_ever,
    helm,
    hugging_face,
    inspect_logs,
    lighteval,
    lm_eval,
    lmarena,
    mteb,
    open_llm_leaderboard,
)
from .bounded import (
    MAX_TOTAL_BYTES,
    csv_rows,
    json_document,
    open_archive,
    parquet_columns,
    parquet_rows,
    read_bytes,
    yaml_document,
)
from .imported import ImportedScores
from .mapping import mapped
from .naming import Naming, read_aliases
from .records import Found, LeftOut, Scale

__all__ = ["SUFFIXES", "read_results", "results_path"]

SUFFIXES = (".json", ".eval", ".zip", ".parquet", ".csv", ".yaml", ".yml", ".md")
MAX_FILES = 20_000
MAX_FOLDERS_DEEP = 12
SPEC, STATS = "run_spec.json", "stats.json"
_COMPANIONS = frozenset(
    {
        STATS,
        mteb.META,
        *("per_instance_stats.json", "scenario.json", "scenario_state.json", "instances.json"),
        *("display_predictions.json", "display_requests.json"),
    }
)
"""Files that are read with another one, or hold single answers."""
_ITEMS = (".jsonl",)

Files = list[tuple[str, Found]]


@dataclass(frozen=True)
class Options:
    """What the readers are told.

    Attributes
    ----------
    model : str or None
        Name of the model of files that name none.
    metrics : mapping of task to metric
    """

    model: str | None
    metrics: Mapping[str, str]


def results_path(written: str) -> Path | None:
    """Path of results that stand where scores are expected, with or without ``@`` before it.

    None for anything else: pairs, or a table, which has a reader of its own.
    """
    named = written.removeprefix("@")
    path = Path(named)
    if path.suffix.casefold() not in (".json", ".eval", ".yaml", ".yml", ".md"):
        return path if written.startswith("@") and named and path.is_dir() else None
    return path if written.startswith("@") or ("=" not in written and path.is_file()) else None


def read_results(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    matrix: ScoreMatrix | None = None,
    aliases: str | Path | Mapping[str, str] | None = None,
    model: str | None = None,
    scale: Scale | None = None,
    metrics: Mapping[str, str] | None = None,
    add: bool = False,
    partial: bool = False,
) -> ImportedScores:
    r"""Read result files of other tools onto the names and scales of a matrix.

    lm-evaluation-harness, Every Eval Ever, Inspect, lighteval, HELM, Hugging Face, BenchPress, Open
    LLM Leaderboard v2, MTEB, Epoch's hub, LMArena and Artificial Analysis are told by their
    content; ``docs/formats.md`` says what is read of each. A name is taken for a benchmark if a
    table, the matrix or the alias file says so, never because it looks alike; a model that the
    matrix does not have keeps its own name. Whatever is not taken is in `left_out` with the reason.

    Parameters
    ----------
    paths : path or sequence of paths
        Files, or directories that are searched; links in them are not followed.
    matrix : ScoreMatrix, optional
        Whose names and scales to use; by default the bundled one.
    aliases : path or mapping, optional
        The user's own names: a CSV ``name,id[,kind]``, or a mapping of name to id.
    model : str, optional
        Model of files that name none.
    scale : {"unit", "percent", "rating"}, optional
        Of scores whose format states none. Without it they stand on the benchmark's own scale, and
        what may be a share or a percentage is left out.
    metrics : mapping of task to metric, optional
        Which metric of a task to read, where it has several.
    add : bool
        Keep benchmarks that the matrix does not have, under their own names.
    partial : bool
        Take runs that did not cover their benchmark.

    Returns
    -------
    ImportedScores

    Raises
    ------
    DataError
        A file named is of no known format, broken, or larger than a file of results would be.
        One found in a directory is left out with the reason instead.
    UsageError
        For an unknown scale, or no path.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import bayesbench as bb
    >>> text = "- dataset: {id: google/IFEval, task_id: ifeval}\n  value: 81.5\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "ifeval.yaml")
    ...     _ = file.write_text(text)
    ...     imported = bb.read_results(file, model="mine")
    >>> imported.readings[["model_id", "benchmark_id", "score"]].values.tolist()
    [['mine', 'ifeval', 81.5]]
    """
    if scale is not None and scale not in get_args(Scale):
        raise UsageError(f"scale {scale!r} is not known; use unit (0-1), percent (0-100) or rating")
    listed = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not listed:
        raise UsageError("no path is given; name files or directories of results")
    options = Options(model, metrics or {})
    files: Files = []
    for path in map(Path, listed):
        files += _directory(path, options) if path.is_dir() else _file(path, options)
    known = open_scores() if matrix is None else matrix
    naming = Naming(known, read_aliases(aliases, known), add)
    found = mapped(files, naming, scale=scale, partial=partial)
    return ImportedScores(
        found.readings, found.left_out, _counted(files, found), found.models, found.benchmarks
    )


def _counted(files: Files, found: Any) -> pd.DataFrame:
    formats: dict[str, str] = {}
    for file, one in files:
        formats.setdefault(file, one.format)
    read = found.readings["file"].value_counts()
    left = found.left_out["file"].value_counts()
    rows = [(f, kind, int(read.get(f, 0)), int(left.get(f, 0))) for f, kind in formats.items()]
    return pd.DataFrame(rows, columns=["file", "format", "readings", "left_out"])


def _directory(top: Path, options: Options) -> Files:
    """Everything below a directory that looks like results; the rest is listed as left out."""
    files: Files = []
    for path, reason in _walk(top):
        if reason:
            files.append((str(path), _nothing(reason)))
            continue
        try:
            files += _file(path, options)
        except DataError as error:
            files.append((str(path), _nothing(str(error).removeprefix(f"{path}: "))))
    if not any(found.records for _, found in files):
        raise DataError(f"{top}: no file of a known result format; see the formats in the manual")
    return files


def _nothing(reason: str) -> Found:
    return Found("not read", (), (LeftOut("", "", "", reason),))


def _walk(top: Path) -> Iterator[tuple[Path, str]]:
    """Files below a directory in order, each with the reason if it is not to be read."""
    seen = 0
    for folder, folders, names in os.walk(top, followlinks=False):
        deep = len(Path(folder).relative_to(top).parts)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") or name == hugging_face.FOLDER
        )
        if deep >= MAX_FOLDERS_DEEP:
            folders.clear()
        for name in [name for name in folders if Path(folder, name).is_symlink()]:
            yield Path(folder, name), "a link; name what it points to"
        for name in sorted(names):
            path = Path(folder, name)
            seen += 1
            if seen > MAX_FILES:
                raise DataError(f"{top}: more than {MAX_FILES:,} files; name fewer")
            if name.startswith(".") or _companion(name):
                continue
            if path.is_symlink():
                yield path, "a link; name what it points to"
            elif path.suffix in _ITEMS:
                yield path, "single answers, no scores"
            elif path.suffix in SUFFIXES and (path.suffix != ".md" or name == "README.md"):
                yield path, ""
            else:
                yield path, "a file of another kind"


def _companion(name: str) -> bool:
    return name in _COMPANIONS or name.endswith(".meta.json")


def _file(path: Path, options: Options) -> Files:
    """Everything one file says; an archive of several gives several."""
    readers = {
        ".eval": _eval,
        ".zip": _hub,
        ".parquet": _parquet,
        ".csv": _csv,
        ".yaml": _yaml,
        ".yml": _yaml,
        ".md": _card,
        ".json": _json,
    }
    if path.suffix in _ITEMS:
        raise DataError(f"{path}: single answers, no scores; name the file of results beside it")
    reader = readers.get(path.suffix)
    if reader is None:
        raise DataError(f"{path}: not a file of results; known are {', '.join(SUFFIXES)}")
    return reader(path, options)


def _json(path: Path, options: Options) -> Files:
    source = str(path)
    if path.name == STATS and path.with_name(SPEC).exists():
        path = path.with_name(SPEC)
    document = json_document(path)
    if every_eval_ever.matches(document):
        found = every_eval_ever.read(document, source)
    elif lighteval.matches(document):
        found = lighteval.read(document, source, options.metrics)
    elif inspect_logs.matches(document):
        found = inspect_logs.read(document, source, options.metrics)
    elif lm_eval.matches(document):
        found = lm_eval.read(document, source, options.metrics)
    elif benchpress.matches(document):
        found = benchpress.read(document, source)
    elif artificial_analysis.matches(document):
        found = artificial_analysis.read(document, source)
    elif mteb.matches(document):
        found = mteb.read(document, source, _mteb_model(path, options))
    elif helm.matches(document):
        stats = _beside(path, STATS)
        found = helm.read(document, json_document(stats), source, options.metrics)
    else:
        raise DataError(f"{path}: JSON of no known result format; the manual lists them")
    return [(source, found)]


def _beside(path: Path, name: str) -> Path:
    other = path.with_name(name)
    if other.is_symlink():
        raise DataError(f"{other}: a link; put the file itself there")
    return other


def _mteb_model(path: Path, options: Options) -> str:
    meta = _beside(path, mteb.META)
    if meta.exists():
        document = json_document(meta)
        named = document.get("name") if isinstance(document, Mapping) else None
        if isinstance(named, str) and named.strip():
            return named.strip()
    return _named(options.model or mteb.folder_model(path), path)


def _named(model: str | None, path: Path) -> str:
    if not model:
        raise DataError(f"{path}: names no model; give --model NAME")
    return model


def _eval(path: Path, options: Options) -> Files:
    with open_archive(path) as archive:
        return [(str(path), inspect_logs.read_archive(archive, str(path), options.metrics))]


def _hub(path: Path, options: Options) -> Files:
    """The CSV files of an archive, all of them the hub's."""
    files: Files = []
    with open_archive(path) as archive:
        total = 0
        for name in archive.names:
            inside = f"{path}/{name}"
            if not name.endswith(".csv"):
                files.append((inside, _nothing("a file of another kind")))
                continue
            held = archive.read(name)
            total += len(held)
            if total > MAX_TOTAL_BYTES:
                raise DataError(f"{path}: its files are larger than a hub's; refused")
            header, rows = csv_rows(held, inside)
            if not epoch_hub.matches(header):
                files.append((inside, _nothing("no table of the hub")))
                continue
            files.append((inside, epoch_hub.read(_stem(name), header, rows, inside)))
    if not any(found.format == epoch_hub.FORMAT for _, found in files):
        raise DataError(f"{path}: holds no table of the hub; unpack other archives first")
    return files


def _stem(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".csv")


def _parquet(path: Path, options: Options) -> Files:
    columns = parquet_columns(path)
    if open_llm_leaderboard.matches(columns):
        rows = parquet_rows(path, open_llm_leaderboard.COLUMNS)
        return [(str(path), open_llm_leaderboard.read(rows, str(path)))]
    if lmarena.matches(columns):
        rows = parquet_rows(path, lmarena.COLUMNS)
        return [(str(path), lmarena.read(rows, str(path), lmarena.arena_of(path)))]
    raise DataError(f"{path}: a table of no known leaderboard; give a table of your own as --data")


def _csv(path: Path, options: Options) -> Files:
    source = str(path)
    header, rows = csv_rows(read_bytes(path), source)
    if epoch_hub.matches(header):
        return [(source, epoch_hub.read(_stem(path.name), header, rows, source))]
    if lmarena.matches(header):
        return [(source, lmarena.read(rows, source, lmarena.arena_of(path)))]
    meta = next(
        (file for file in (_beside(path, f"{path.stem}.meta.json"),
                           _beside(path, "scores.meta.json")) if file.exists()),
        None,
    )  # fmt: skip
    if meta is not None:
        about = json_document(meta)
        return [(source, benchpress.read_template(header, rows, about, source, str(meta)))]
    raise DataError(
        f"{path}: a plain table; give it as --data (or, with scores.meta.json beside it, it is "
        "the BenchPress template)"
    )


def _yaml(path: Path, options: Options) -> Files:
    source = str(path)
    document = yaml_document(_text(path), source)
    if not hugging_face.matches_results(document):
        raise DataError(f"{path}: YAML of no known result format; a list with dataset and value is")
    folder = hugging_face.repository_of(path) if path.resolve().parent.name == (
        hugging_face.FOLDER
    ) else None  # fmt: skip
    model = _named(options.model or folder, path)
    return [(source, hugging_face.read_eval_results(document, source, model))]


def _card(path: Path, options: Options) -> Files:
    source = str(path)
    document = yaml_document(hugging_face.front_matter(_text(path), source), source)
    return [(source, hugging_face.read_card(document, source, options.model))]


def _text(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
