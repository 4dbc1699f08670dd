"""Writing a score matrix in other forms: CSV, Parquet, Excel, netCDF, Every Eval Ever."""

from __future__ import annotations

import io
import json
import math
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, UsageError
from ..files import new_directory, write_bytes
from ..jsonable import json_text
from .matrix import ScoreMatrix
from .plain_tables import from_plain, to_plain

__all__ = ["DIRECTORY", "EVERY_EVAL_EVER", "KINDS", "kind_of", "read_matrix", "write_matrix"]

DIRECTORY, EVERY_EVAL_EVER = "directory", "every-eval-ever"
_SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".xlsx": "xlsx", ".nc": "netcdf"}
KINDS = (*_SUFFIXES.values(), DIRECTORY, EVERY_EVAL_EVER)
"""What a matrix can be written as."""

FORMAT, FORMAT_VERSION = "bayesbench-scores", 1
_META = b"bayesbench_scores"
"""Key of the metadata in a Parquet file's footer."""
_TEXTS = ("setting", "source_kind", "source_url")
_NUMBERS = ("n_items", "stderr")
MAX_CELL = 32_767
"""Most characters of a cell of a spreadsheet."""


def kind_of(path: str | os.PathLike[str]) -> str:
    """What the name of a file or directory says it is to be.

    Raises
    ------
    UsageError
        If its suffix says nothing.
    """
    suffix = Path(path).suffix.casefold()
    if not suffix:
        return DIRECTORY
    if suffix not in _SUFFIXES:
        known = ", ".join(_SUFFIXES)
        raise UsageError(
            f"{path}: suffix {suffix} is not known; use {known}, or say what it is to be"
        )
    return _SUFFIXES[suffix]


def write_matrix(
    matrix: ScoreMatrix, path: str | os.PathLike[str], kind: str | None = None
) -> None:
    """Write a score matrix, whole or not at all.

    Parameters
    ----------
    matrix : ScoreMatrix
    path : path
        A file; a new directory for ``directory`` and ``every-eval-ever``.
    kind : str, optional
        By default what the suffix of `path` says. ``csv``: the readings, one per row, without the
        metadata of models and benchmarks. ``directory``: models.csv, benchmarks.csv and scores.csv,
        which `ScoreMatrix.from_directory` reads. ``parquet``: the readings, the metadata in the
        footer. ``xlsx``: a sheet for each of the three tables. ``netcdf``: the matrix by model and
        benchmark, and the readings. ``every-eval-ever``: a record of schema 0.2.2 per model, which
        `read_results` reads.

    Raises
    ------
    DataError
        It cannot be written, or a text does not fit into the format.
    UsageError
        The kind is not known, or a package that it needs is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import bayesbench as bb
    >>> matrix = bb.open_scores().subset(benchmarks=["gsm8k", "ifeval"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bb.write_matrix(matrix, pathlib.Path(folder, "two.parquet"))
    ...     again = bb.read_matrix(pathlib.Path(folder, "two.parquet"))
    >>> again.data_hash == matrix.data_hash
    True
    """
    chosen = kind_of(path) if kind is None else kind
    if chosen not in KINDS:
        raise UsageError(f"kind {chosen!r} is not known; use one of {', '.join(KINDS)}")
    if chosen in (DIRECTORY, EVERY_EVAL_EVER):
        files = _directory(matrix) if chosen == DIRECTORY else _every_eval_ever(matrix)
        with new_directory(path) as part:
            for name, text in files:
                Path(part, name).write_text(text, encoding="utf-8")
        return
    writers: dict[str, Callable[[ScoreMatrix], bytes | memoryview]] = {
        "csv": _csv,
        "parquet": _parquet,
        "xlsx": _xlsx,
        "netcdf": _netcdf,
    }
    write_bytes(path, writers[chosen](matrix))


def read_matrix(path: str | os.PathLike[str]) -> ScoreMatrix:
    """Read what `write_matrix` wrote as a directory, Parquet or netCDF, metadata included.

    Parameters
    ----------
    path : path

    Returns
    -------
    ScoreMatrix

    Raises
    ------
    DataError
        It is damaged, or none of these.
    SchemaError
        For a directory, as `ScoreMatrix.from_directory`.

    Examples
    --------
    See `write_matrix`.

    >>> import bayesbench as bb
    >>> from bayesbench.scores.datasets import bundled_path
    >>> bb.read_matrix(bundled_path("data", "open_scores")).shape == bb.open_scores().shape
    True
    """
    source = Path(path)
    if source.is_dir():
        return ScoreMatrix.from_directory(source)
    if not source.is_file():
        raise DataError(f"{source}: no such file; check the path")
    try:
        with source.open("rb") as stream:
            head = stream.read(4)
        if head == b"PAR1":
            return _from_parquet(source)
        if head == b"\x89HDF":
            return _from_netcdf(source)
    except DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise DataError(f"{source}: damaged or cut off ({reason}); export it again") from None
    raise DataError(f"{source}: not an exported matrix; a table is read by read_scores")


def _readings(matrix: ScoreMatrix) -> pd.DataFrame:
    return matrix.readings.reset_index(drop=True)


def _csv(matrix: ScoreMatrix) -> bytes:
    return _readings(matrix).to_csv(index=False, lineterminator="\n").encode()


def _directory(matrix: ScoreMatrix) -> Iterator[tuple[str, str]]:
    yield "models.csv", _flags_written(matrix.models).to_csv(lineterminator="\n")
    yield "benchmarks.csv", _flags_written(matrix.benchmarks).to_csv(lineterminator="\n")
    yield "scores.csv", _readings(matrix).to_csv(index=False, lineterminator="\n")


def _flags_written(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with its truth values as ``true`` and ``false``."""
    written = frame.copy()
    for name in frame.columns:
        if pd.api.types.is_bool_dtype(frame[name].dtype):
            words = frame[name].map({True: "true", False: "false"}, na_action="ignore")
            written[name] = words.astype("str")
    return written


def _meta(matrix: ScoreMatrix) -> str:
    return json_text(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "models": {"ids": matrix.model_ids, "columns": to_plain(matrix.models)},
            "benchmarks": {"ids": matrix.benchmark_ids, "columns": to_plain(matrix.benchmarks)},
        }
    )


def _from_meta(written: str, readings: pd.DataFrame, source: Path) -> ScoreMatrix:
    meta = json.loads(written)
    if meta.get("format") != FORMAT:
        raise DataError(f"{source}: not an exported matrix; a table is read by read_scores")
    if meta.get("format_version") != FORMAT_VERSION:
        raise DataError(f"{source}: written by a newer version; update bayesbench")
    tables = {
        kind: from_plain(meta[f"{kind}s"]["columns"], meta[f"{kind}s"]["ids"], f"{kind}_id")
        for kind in ("model", "benchmark")
    }
    return ScoreMatrix(tables["model"], tables["benchmark"], readings)


def _parquet(matrix: ScoreMatrix) -> memoryview:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pandas(_readings(matrix), preserve_index=False)
    held = table.schema.metadata or {}
    table = table.replace_schema_metadata({**held, _META: _meta(matrix).encode()})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    return memoryview(sink.getvalue())


def _from_parquet(path: Path) -> ScoreMatrix:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except pa.ArrowException as error:
        raise DataError(
            f"{path}: damaged or cut off ({str(error)[:100]}); export it again"
        ) from None
    written = (table.schema.metadata or {}).get(_META)
    if written is None:
        raise DataError(f"{path}: not an exported matrix; a table is read by read_scores")
    return _from_meta(written.decode(), _typed(table.to_pandas()), path)


def _typed(readings: pd.DataFrame) -> pd.DataFrame:
    texts = {name: "str" for name in ("model_id", "benchmark_id", *_TEXTS) if name in readings}
    numbers = {name: "float64" for name in ("score", *_NUMBERS) if name in readings}
    return readings.astype({**texts, **numbers, "reading": "int64"})


def _xlsx(matrix: ScoreMatrix) -> memoryview:
    try:
        import openpyxl
        from openpyxl.utils.exceptions import IllegalCharacterError
    except ImportError:
        raise UsageError(
            "writing .xlsx needs openpyxl; install bayesbench-scores[xlsx], or write .csv"
        ) from None
    book = openpyxl.Workbook()
    book.remove(book.active)
    sheets = {
        "scores": _readings(matrix),
        "models": _flags_written(matrix.models).reset_index(),
        "benchmarks": _flags_written(matrix.benchmarks).reset_index(),
    }
    for name, frame in sheets.items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(_cells(frame, name), start=1):
            try:
                sheet.append(row)
            except IllegalCharacterError:
                raise DataError(
                    f"{name}, row {number}: a text holds a control character, which .xlsx cannot; "
                    "write .csv"
                ) from None
            for cell in sheet[number]:
                if cell.data_type == "f":  # a text that begins with =: no formula
                    cell.data_type = "s"
    held = io.BytesIO()
    book.save(held)
    return held.getbuffer()


def _cells(frame: pd.DataFrame, name: str) -> Iterator[list[Any]]:
    yield [str(column) for column in frame.columns]
    for number, row in enumerate(frame.astype(object).to_numpy().tolist(), start=2):
        cells = [None if pd.isna(value) else value for value in row]
        if any(isinstance(cell, str) and len(cell) > MAX_CELL for cell in cells):
            raise DataError(f"{name}, row {number}: a text is too long for .xlsx; write .csv")
        yield cells


def _netcdf(matrix: ScoreMatrix) -> memoryview:
    """Scores by model and benchmark with items and errors; and all readings, by position."""
    import xarray as xr

    readings = _readings(matrix)
    variables: dict[str, Any] = {
        "score": (("model", "benchmark"), np.asarray(matrix.values)),
        "n_items": (("model", "benchmark"), np.asarray(matrix.n_items)),
        "reading_model": (
            "reading",
            matrix.models.index.get_indexer(pd.Index(readings["model_id"])).astype(np.int32),
        ),
        "reading_benchmark": (
            "reading",
            matrix.benchmarks.index.get_indexer(pd.Index(readings["benchmark_id"])).astype(
                np.int32
            ),
        ),
        "reading_number": ("reading", readings["reading"].to_numpy(dtype=np.int32)),
        "reading_score": ("reading", readings["score"].to_numpy(dtype=np.float64)),
    }
    for name in _NUMBERS:
        if name in readings:
            variables[f"reading_{name}"] = ("reading", readings[name].to_numpy(dtype=np.float64))
    for name in _TEXTS:
        if name in readings:
            texts = readings[name].astype(object).where(readings[name].notna(), "")
            variables[f"reading_{name}"] = ("reading", texts.to_numpy(dtype=object))
    coordinates = {"model": list(matrix.model_ids), "benchmark": list(matrix.benchmark_ids)}
    dataset = xr.Dataset(variables, coordinates, {"bayesbench": _meta(matrix)})
    return memoryview(dataset.to_netcdf(engine="h5netcdf"))


def _from_netcdf(path: Path) -> ScoreMatrix:
    import h5py

    with h5py.File(path, "r") as file:
        if "bayesbench" not in file.attrs:
            raise DataError(
                f"{path}: not an exported matrix; a posterior is read by open_posterior"
            )
        written = str(file.attrs["bayesbench"])
        ids = {name: file[name].asstr()[...] for name in ("model", "benchmark")}
        readings: dict[str, Any] = {
            "model_id": ids["model"][file["reading_model"][...]],
            "benchmark_id": ids["benchmark"][file["reading_benchmark"][...]],
            "score": file["reading_score"][...],
            "reading": file["reading_number"][...],
        }
        for name in _TEXTS:
            if f"reading_{name}" in file:
                texts = file[f"reading_{name}"].asstr()[...]
                readings[name] = [text or None for text in texts]
        for name in _NUMBERS:
            if f"reading_{name}" in file:
                readings[name] = file[f"reading_{name}"][...]
    return _from_meta(written, _typed(pd.DataFrame(readings)), path)


_UNITS = {"percent": "percent", "unit": "proportion"}


def _every_eval_ever(matrix: ScoreMatrix) -> Iterator[tuple[str, str]]:
    """One record per model, named by a UUID that depends on the model and the matrix alone."""
    models, benchmarks = _rows(matrix.models), _rows(matrix.benchmarks)
    readings = _readings(matrix).astype(object)
    for model_id, group in readings.groupby("model_id", sort=False):
        own = uuid.uuid5(uuid.NAMESPACE_URL, f"{model_id}/{matrix.data_hash}")
        rows = [{str(key): value for key, value in row.items()} for row in group.to_dict("records")]
        results = [_result(row, benchmarks[str(row["benchmark_id"])]) for row in rows]
        record = _record(str(model_id), models[str(model_id)], results, str(own))
        yield f"{own}.json", json_text(record, indent=2) + "\n"


def _rows(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Rows of a table by id."""
    values = frame.astype(object).to_numpy().tolist()
    names = [str(name) for name in frame.columns]
    return {
        str(own): dict(zip(names, row, strict=True))
        for own, row in zip(frame.index, values, strict=True)
    }


def _record(
    model_id: str, about: dict[str, Any], results: list[dict[str, Any]], own: str
) -> dict[str, Any]:
    model: dict[str, Any] = {"name": str(about["name"]), "id": model_id}
    if not pd.isna(about["provider"]):
        model["developer"] = str(about["provider"])
    return {
        "schema_version": "0.2.2",
        "evaluation_id": f"bayesbench/{model_id}/{own}",
        "retrieved_timestamp": "0",
        "source_metadata": {
            "source_name": "bayesbench export",
            "source_type": "documentation",
            "source_organization_name": "unknown",
            "evaluator_relationship": "other",
        },
        "eval_library": {"name": "unknown", "version": "unknown"},
        "model_info": model,
        "evaluation_results": results,
    }


def _result(row: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    benchmark_id = str(row["benchmark_id"])
    source: dict[str, Any] = {"dataset_name": str(about["name"]), "source_type": "other"}
    if not pd.isna(row.get("source_url")):
        source |= {"source_type": "url", "url": [str(row["source_url"])]}
    result: dict[str, Any] = {
        "evaluation_result_id": f"{benchmark_id}/{int(row['reading'])}",
        "evaluation_name": benchmark_id,
        "source_data": source,
        "metric_config": _metric(about, benchmark_id),
        "score_details": _details(row),
    }
    if not pd.isna(row.get("setting")):
        result["generation_config"] = {"additional_details": {"setting": str(row["setting"])}}
    return result


def _metric(about: dict[str, Any], benchmark_id: str) -> dict[str, Any]:
    """The schema wants both bounds of what it calls continuous; a rating has none."""
    lower, upper = float(about["lower"]), float(about["upper"])
    metric: dict[str, Any] = {
        "metric_id": benchmark_id,
        "metric_unit": _UNITS.get(str(about["scale"]), "points"),
        "lower_is_better": not bool(about["higher_is_better"]),
    }
    if not (math.isnan(lower) or math.isnan(upper)):
        metric |= {"score_type": "continuous", "min_score": lower, "max_score": upper}
    return metric


def _details(row: dict[str, Any]) -> dict[str, Any]:
    details: dict[str, Any] = {"score": float(row["score"])}
    unsure: dict[str, Any] = {}
    if not pd.isna(row.get("stderr")):
        unsure["standard_error"] = {"value": float(row["stderr"])}
    if not pd.isna(row.get("n_items")):
        unsure["num_samples"] = int(row["n_items"])
    if unsure:
        details["uncertainty"] = unsure
    return details
