"""Answers per item from files: long tables, npz, samples of lm-evaluation-harness, IRW."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError, SchemaError
from ..scores.tables import Table, read_table, shown
from .gathered import changed
from .responses import ItemResponses, smallest

__all__ = [
    "correct_column",
    "json_lines",
    "read_irw",
    "read_lm_eval_samples",
    "read_long",
    "read_npz",
    "read_responses",
    "trials_column",
]

Array = NDArray[Any]
SAMPLES = re.compile(r"samples_(?P<task>.+?)_\d{4}-\d{2}-\d{2}T[\d\-:.]+\.jsonl")
"""How lm-evaluation-harness calls the file of a task's samples."""
HASH_DIGITS = 12
"""Of a document's hash that are kept in the item's id."""
ARRAYS = ("y", "rate", "correct")
"""What the answers may be called in an npz file."""


def read_responses(path: str | Path, *, benchmark: str | None = None) -> ItemResponses:
    """Read answers from a file, by its ending: ``.npz``, or a long table.

    Parameters
    ----------
    path : str or Path
    benchmark : str, optional
        For files that do not say of which benchmark their items are.

    Raises
    ------
    SchemaError
        As `read_npz` and `read_long`.
    """
    if Path(path).suffix.lower() == ".npz":
        return read_npz(path, benchmark=benchmark)
    return read_long(path, benchmark=benchmark)


def read_long(path: str | Path, *, benchmark: str | None = None) -> ItemResponses:
    """Read a long table: ``model_id, item_id, benchmark_id, correct[, n]``, one row per cell.

    Parameters
    ----------
    path : str or Path
        CSV of any dialect, parquet or xlsx. ``correct`` is the number of correct answers of ``n``
        (1 where there is no such column), true and false count as 1 and 0; a column ``share``
        instead of it holds shares of ``n``. A column ``family`` says it of the models, a column
        ``category`` of the items.
    benchmark : str, optional
        Of all items, where there is no column ``benchmark_id``.

    Returns
    -------
    ItemResponses
        An item id that several benchmarks use becomes ``benchmark/item``; its notes say so.

    Raises
    ------
    SchemaError
        Naming the file, the row and the value; also for a cell that stands twice.
    """
    table = read_table(path)
    value = "share" if "share" in table.frame.columns else "correct"
    keys = ["model_id", "item_id"] + ["benchmark_id"] * (benchmark is None)
    table.require([*keys, value])
    if table.frame.empty:
        raise SchemaError(f"{table.source}: no answer in the file; give a row for each")
    trials = trials_column(table)
    correct = correct_column(table, value, trials)
    named = table.ids("benchmark_id") if benchmark is None else benchmark
    frame = pd.DataFrame(
        {
            "model": table.ids("model_id"),
            "item": table.ids("item_id"),
            "benchmark": named,
            "correct": correct,
            "trials": trials,
        }
    )
    has = table.frame.columns
    families = _of_each(table, "family", "model", frame["model"]) if "family" in has else None
    if "category" in has:
        items = frame["benchmark"] + "/" + frame["item"]
        categories = _of_each(table, "category", "item", items)
        frame["category"] = categories.loc[items].to_numpy()
    return _assembled(table, frame, families)


def read_irw(path: str | Path, *, benchmark: str) -> ItemResponses:
    """Read a table of the Item Response Warehouse: ``id, item, resp`` with resp 0 or 1.

    Parameters
    ----------
    path : str or Path
    benchmark : str
        What its items are of, which the table does not say.

    Raises
    ------
    SchemaError
        Also where a response has more than two categories: those are not correct or wrong.
    """
    table = read_table(path)
    table.require(["id", "item", "resp"])
    held = table.frame.rename(columns={"id": "model_id", "item": "item_id", "resp": "correct"})
    table = table.holding(held)
    correct = table.numbers("correct", lambda v: (v == 0) | (v == 1), "resp must be 0 or 1")
    asked = correct.notna().to_numpy()
    if not asked.any():
        raise SchemaError(f"{table.source}: no response at all; check the column resp")
    table = table.holding(table.frame[asked].reset_index(drop=True), table.rows[asked])
    frame = pd.DataFrame(
        {
            "model": table.ids("model_id"),
            "item": table.ids("item_id"),
            "benchmark": benchmark,
            "correct": correct[asked].to_numpy(),
            "trials": 1,
        }
    )
    empty = int((~asked).sum())
    notes = (f"{empty} rows without a response left out",) if empty else ()
    return _assembled(table, frame, None, notes)


def read_npz(path: str | Path, *, benchmark: str | None = None) -> ItemResponses:
    """Read arrays (nothing in the file is executed).

    Parameters
    ----------
    path : str or Path
        ``model_id`` (M,), ``item_id`` (L,), optionally ``benchmark_id`` and ``category`` (L,) and
        ``family`` (M,);
        and one of: ``y`` (M, L) 0/1 with 255 or the value ``missing`` where not run; ``rate``
        (M, L) shares, NaN where not run, with ``n_samples``; ``correct`` (M, L) with ``n``, 0 or
        NaN of which is not run. Numbers of runs may be (M, L), (M,), (L,) or one for all.
    benchmark : str, optional
        Of all items, where there is no ``benchmark_id``.

    Raises
    ------
    SchemaError
        Naming the file, the array and the remedy.
    """
    source, held = Path(path).name, _arrays(Path(path))
    for name in ("model_id", "item_id"):
        if name not in held:
            raise SchemaError(f"{source}: no array {name}; arrays found: {', '.join(held)}")
    found = [name for name in ARRAYS if name in held]
    if len(found) != 1:
        raise SchemaError(
            f"{source}: {', '.join(found) or 'none'} of the arrays {', '.join(ARRAYS)} is there; "
            "give exactly one"
        )
    shape = (len(held["model_id"]), len(held["item_id"]))
    if held[found[0]].shape != shape or held[found[0]].dtype.kind not in "biuf":
        raise SchemaError(
            f"{source}: {found[0]} has shape {held[found[0]].shape} and type "
            f"{held[found[0]].dtype}; give numbers of shape {shape}"
        )
    if "benchmark_id" in held:
        named: str | list[str] = held["benchmark_id"].astype(str).tolist()
    elif benchmark is not None:
        named = benchmark
    else:
        raise SchemaError(f"{source}: no array benchmark_id; say of which benchmark the items are")
    correct, trials = _npz_cells(source, found[0], held, shape)
    try:
        return ItemResponses.of(
            np.where(trials > 0, correct, np.nan).astype(np.float32),
            held["model_id"].astype(str).tolist(),
            held["item_id"].astype(str).tolist(),
            named,
            trials=trials,
            families=held["family"].astype(str).tolist() if "family" in held else None,
            categories=held["category"].astype(str).tolist() if "category" in held else None,
        )
    except (DataError, ValueError) as error:
        raise SchemaError(f"{source}: {error}") from None


def read_lm_eval_samples(files: Mapping[str, Sequence[str | Path]], metric: str) -> ItemResponses:
    """Read ``samples_TASK_DATE.jsonl`` of lm-evaluation-harness.

    An item is a document: its id is ``task/doc_id:hash``, so that a document that changed between
    two runs is another item.

    Parameters
    ----------
    files : mapping of str to paths
        The files of each model.
    metric : str
        Which metric counts, as ``acc`` or, where a file holds several filters,
        ``exact_match,strict-match``. Values from 0 to 1.

    Returns
    -------
    ItemResponses
        Notes name documents that changed, and prompts that differ between models although the
        document is the same.

    Raises
    ------
    SchemaError
        Naming the file, the line and the value.
    """
    name, _, wanted = metric.partition(",")
    cells: dict[tuple[str, str], float] = {}
    tasks: dict[str, str] = {}
    prompts: dict[str, set[str]] = {}
    for model, paths in files.items():
        for path in map(Path, paths):
            task = _task(path)
            for place, sample in _samples(path, name, wanted):
                item = f"{task}/{sample['doc_id']}:{str(sample['doc_hash'])[:HASH_DIGITS]}"
                if (model, item) in cells:
                    raise SchemaError(f"{place}: model {model!r} answered {item} already; keep one")
                cells[model, item] = _share(sample[name], place, name)
                tasks[item] = task
                prompts.setdefault(item, set()).add(str(sample.get("prompt_hash", "")))
    if not cells:
        raise DataError("no samples; name at least one file with samples")
    models = {model: at for at, model in enumerate(dict.fromkeys(model for model, _ in cells))}
    items = {item: at for at, item in enumerate(tasks)}
    correct = np.full((len(models), len(items)), np.nan, dtype=np.float32)
    for (model, item), share in cells.items():
        correct[models[model], items[item]] = share
    notes = changed(list(items), prompts)
    return ItemResponses.of(correct, list(models), list(items), list(tasks.values()), notes=notes)


def trials_column(table: Table) -> Array:
    """Column ``n`` as whole numbers from 1 on; 1 where there is none."""
    if "n" not in table.frame.columns:
        return np.ones(len(table.frame), dtype=np.int64)
    return table.numbers(
        "n", lambda v: (v >= 1) & (v == np.floor(v)), "must be a whole number from 1",
        optional=False,
    ).to_numpy()  # fmt: skip


def correct_column(table: Table, value: str, trials: Array) -> Array:
    """Number of correct answers of `trials`, from a column of numbers or of shares."""
    column = table.frame[value]
    words = {"true": "1", "false": "0"}
    plain = column.map(lambda cell: words.get(str(cell).strip().lower(), cell))
    table = table.holding(table.frame.assign(**{value: plain}))
    if value == "share":
        share = table.numbers(
            value, lambda v: (v >= 0) & (v <= 1), "a share must be from 0 to 1", optional=False
        )
        return share.to_numpy() * trials
    return table.numbers(
        value,
        lambda v: (v >= 0) & (v <= trials) & (v == np.floor(v)),
        "must be a whole number from 0 to n (n is 1 without a column n); shares go in a column "
        "share",
        optional=False,
    ).to_numpy()


def _of_each(table: Table, column: str, what: str, owners: pd.Series[str]) -> pd.Series[str]:
    """What a column says of each owner; one of whom it says two things is an error."""
    said = table.ids(column)
    first = said.groupby(owners.to_numpy(), sort=False).first()
    same = (said.to_numpy() == first.loc[owners].to_numpy()).astype(bool)
    table.check(column, same, f"differs from an earlier row of the {what}; keep one {column}")
    return first


def _assembled(
    table: Table,
    frame: pd.DataFrame,
    families: pd.Series[str] | None,
    notes: tuple[str, ...] = (),
) -> ItemResponses:
    twice = frame.duplicated(["model", "item", "benchmark"]).to_numpy()
    if twice.any():
        at = int(np.argmax(twice))
        raise table.fault(
            at,
            f"model {shown(frame['model'][at])} answered item {shown(frame['item'][at])} in an "
            "earlier row; keep one, or add them up with a column n",
        )
    pairs = frame[["item", "benchmark"]].drop_duplicates()
    shared = set(pairs["item"][pairs["item"].duplicated()])
    if shared:
        several = frame["item"].isin(shared)
        both = frame["benchmark"] + "/" + frame["item"]
        frame = frame.assign(item=frame["item"].where(~several, both))
        notes = (*notes, f"{len(shared)} item ids that several benchmarks use: benchmark/item")
    rows, models = pd.factorize(frame["model"])
    columns, items = pd.factorize(frame["item"])
    correct = np.full((len(models), len(items)), np.nan, dtype=np.float32)
    trials = np.zeros(correct.shape, dtype=np.float32)
    correct[rows, columns] = frame["correct"]
    trials[rows, columns] = frame["trials"]
    first = frame.drop_duplicates("item")
    benchmarks = first["benchmark"].tolist()
    categories = first["category"].tolist() if "category" in frame else None
    named = None if families is None else families.loc[list(models)].tolist()
    return ItemResponses.of(
        correct, list(models), list(items), benchmarks,
        trials=smallest(trials), families=named, categories=categories, notes=notes,
    )  # fmt: skip


def _arrays(path: Path) -> dict[str, Array]:
    try:
        opened = np.load(path, allow_pickle=False)
        if isinstance(opened, np.ndarray):
            raise SchemaError(f"{path.name}: a single array; give a npz file with names")
        with opened as held:
            return {name: held[name] for name in held.files}
    except FileNotFoundError:
        raise SchemaError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise SchemaError(f"{path.name}: cannot be read as npz ({reason}); check it") from None


def _npz_cells(
    source: str, name: str, held: Mapping[str, Array], shape: tuple[int, int]
) -> tuple[Array, Array]:
    values = held[name]
    if name == "y":
        code = int(held.get("missing", np.array(255)))
        run = values != code
        if values.dtype.kind == "f":
            run &= ~np.isnan(values)
        wrong = run & (values != 0) & (values != 1)
        if wrong.any():
            at = np.argwhere(wrong)[0]
            raise SchemaError(
                f"{source}: y[{at[0]}, {at[1]}] is {values[tuple(at)]}; give 0, 1 or {code} for "
                "not run"
            )
        return values, run.astype(np.uint8)
    number = "n_samples" if name == "rate" else "n"
    if number not in held:
        raise SchemaError(f"{source}: {name} without {number}; say of how many runs")
    trials = _spread(source, number, held[number], shape)
    run = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(shape, dtype=bool)
    counted = np.where(run, trials, 0)
    return (values * trials if name == "rate" else values), counted


def _spread(source: str, name: str, number: Array, shape: tuple[int, int]) -> Array:
    if number.dtype.kind not in "iuf":
        raise SchemaError(f"{source}: {name} is not numbers; give whole numbers")
    if number.shape == (shape[0],) and shape[0] == shape[1]:
        raise SchemaError(f"{source}: {name} may be of models or items; give it for each cell")
    if number.shape == (shape[0],):
        number = number[:, None]
    if number.shape not in ((), (1,), shape, (shape[0], 1), (shape[1],)):
        raise SchemaError(f"{source}: {name} has shape {number.shape}, not that of {shape}")
    return np.asarray(np.broadcast_to(number, shape))


def _task(path: Path) -> str:
    match = SAMPLES.fullmatch(path.name)
    if match is None:
        raise SchemaError(f"{path.name}: not called samples_TASK_DATE.jsonl; restore its name")
    return match["task"]


def _samples(path: Path, name: str, wanted: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Samples of a file with their place; of several filters only the one that is wanted."""
    filters: set[str] = set()
    for place, sample in json_lines(path):
        missing = [key for key in ("doc_id", "doc_hash") if key not in sample]
        if missing:
            raise SchemaError(f"{place}: no {missing[0]}; give samples as the harness logs them")
        own = str(sample.get("filter", "none"))
        filters.add(own)
        if wanted and own != wanted:
            continue
        if len(filters) > 1 and not wanted:
            raise SchemaError(
                f"{place}: several filters ({', '.join(sorted(filters))}); name one as "
                f"{name},FILTER"
            )
        if name not in sample:
            numbers = [key for key in sample if isinstance(sample[key], int | float)]
            raise SchemaError(
                f"{place}: no metric {name!r}; numbers found: {', '.join(sorted(numbers))}"
            )
        yield place, sample
    if wanted and wanted not in filters:
        found = ", ".join(sorted(filters)) or "none"
        raise SchemaError(f"{path.name}: no filter {wanted!r}; filters found: {found}")


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of a JSON Lines file, each with its place for messages.

    Raises
    ------
    SchemaError
        The file cannot be read, or a line is no JSON object.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    place = f"{path.name}, line {number}"
                    sample = json.loads(line)
                    if not isinstance(sample, dict):
                        raise SchemaError(f"{place}: not a sample; give one JSON object per line")
                    yield place, sample
    except json.JSONDecodeError as error:
        raise SchemaError(f"{place}: not JSON ({error.msg}); check the file") from None
    except FileNotFoundError:
        raise SchemaError(f"{path}: no such file; check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path.name}: cannot be read ({error}); check the file") from None


def _share(value: Any, place: str, name: str) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise SchemaError(f"{place}: {name} is {shown(value)}; a metric from 0 to 1 is needed")
    return float(value)
