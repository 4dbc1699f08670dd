"""``ScoreMatrix``: the frozen, validated, labelled (models x benchmarks) matrix of scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import DataError, SchemaError, UsageError
from .account import ReadAccount
from .assemble import Metadata, Options, assemble, assemble_directory
from .content import content_hash
from .headers import column_for, name_aliases
from .ids import Names, look_up, names_of
from .layout import is_long
from .merging import First, MergeAccount, merged_tables
from .schema import check_benchmarks, check_models, find_table
from .tables import read_table, table_of

__all__ = ["ScoreMatrix"]

_MODEL_COLUMNS = ("name", "provider", "release_date", "params_b", "open_weights", "reasoning")
_BENCHMARK_COLUMNS = ("name", "scale", "lower", "upper", "higher_is_better", "n_items")
_READING_COLUMNS = ("model_id", "benchmark_id", "score", "reading")


@dataclass(frozen=True, eq=False, repr=False)
class ScoreMatrix:
    """Scores of M models on B benchmarks, most of them missing, with all their readings.

    Build one with :meth:`from_directory`, :meth:`from_csv` or :meth:`from_frame`, which check the
    schema; the constructor only checks that the three tables fit together. Row and column order
    is that of ``models`` and ``benchmarks``.

    Attributes
    ----------
    models : pandas.DataFrame
        Index model_id; columns name, provider, release_date (text), params_b (billions),
        open_weights, reasoning (nullable booleans); optional date_source, active_params_b, family,
        aliases. All but the index may be missing.
    benchmarks : pandas.DataFrame
        Index benchmark_id; columns name, scale (percent, unit, points, rating or distance), lower,
        upper (NaN = unbounded), higher_is_better, n_items; optional cost, category, how, cost_note,
        url, aliases.
    readings : pandas.DataFrame
        One row per reading: model_id, benchmark_id, score, reading (1 = the one to use); optional
        setting, source_kind, source_url, n_items, stderr.
    account : ReadAccount, optional
        What was read, left out and proposed when the matrix was read from a table; a part of the
        matrix has none.

    Raises
    ------
    SchemaError
        If a column is missing, an id stands twice or is unknown, a score is not finite, or a cell
        does not have exactly one reading 1.

    Examples
    --------
    >>> frame = pd.DataFrame({"gpqa": [70.0, 55.0], "ifeval": [85.0, None]}, index=["a", "b"])
    >>> matrix = ScoreMatrix.from_frame(frame, scale="percent")
    >>> matrix
    ScoreMatrix: 2 models x 2 benchmarks, 3 scores (percent)
    >>> float(matrix.values[0, matrix.benchmark_index("ifeval")])
    85.0
    """

    models: pd.DataFrame
    benchmarks: pd.DataFrame
    readings: pd.DataFrame
    account: ReadAccount | None = None

    def __post_init__(self) -> None:
        _require("models", self.models, _MODEL_COLUMNS)
        _require("benchmarks", self.benchmarks, _BENCHMARK_COLUMNS)
        _require("readings", self.readings, _READING_COLUMNS)
        for what, index in (("model", self.models.index), ("benchmark", self.benchmarks.index)):
            if index.has_duplicates:
                twice = index[index.duplicated()][0]
                raise SchemaError(f"{what} {twice!r} stands twice; ids must be unique")
        if (self._row < 0).any() or (self._column < 0).any():
            raise SchemaError("readings name a model or benchmark without metadata; add it")
        if not np.isfinite(self.readings["score"].to_numpy(dtype=np.float64)).all():
            raise SchemaError("readings hold a score that is not a finite number; remove it")
        self._check_numbering()

    def __getstate__(self) -> dict[str, pd.DataFrame]:
        """The three tables alone.

        What is worked out from them may be cached by one thread while another pickles the matrix
        for a worker, and arrays lose their write protection on the way.
        """
        return {
            "models": self.models,
            "benchmarks": self.benchmarks,
            "readings": self.readings,
        }

    @classmethod
    def from_directory(cls, path: str | Path) -> ScoreMatrix:
        """Load models.csv, benchmarks.csv and scores.csv (or .csv.gz) of a directory.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        ScoreMatrix

        Raises
        ------
        SchemaError
            Naming the file, the row, the value and the remedy.
        """
        scores = find_table(path, "scores")
        models = check_models(find_table(path, "models"))
        benchmarks = check_benchmarks(find_table(path, "benchmarks"))
        name = Path(path).name or str(path)
        return cls(*assemble_directory(name, models, benchmarks, name_aliases(scores)))

    @classmethod
    def from_csv(
        cls,
        path: str | Path,
        *,
        scale: str | None = None,
        benchmarks: Metadata = None,
        models: Metadata = None,
        options: Options | None = None,
    ) -> ScoreMatrix:
        """Load one file - CSV, parquet or Excel, long or wide (see :meth:`from_frame`).

        Raises
        ------
        UsageError
            If neither ``scale`` nor ``benchmarks`` states the scale of the scores.
        SchemaError
            Naming the file, the row, the value and the remedy.
        """
        return cls(*assemble(read_table(path), scale, benchmarks, models, options))

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        scale: str | None = None,
        benchmarks: Metadata = None,
        models: Metadata = None,
        options: Options | None = None,
    ) -> ScoreMatrix:
        """Build a matrix from a pandas frame.

        Parameters
        ----------
        frame : pandas.DataFrame
            Long: columns model_id (or model), benchmark_id (or benchmark, task, ...), score (or
            value, ...); optional reading, n_items, stderr, setting, source_kind, source_url. Or
            wide: model ids in the index (or, with a plain index, in their own column), one column
            per benchmark, NaN or a mark such as ``-`` where missing. See docs/tables.md.
        scale : {"percent", "unit", "rating", "auto"}, optional
            Scale of every benchmark that ``benchmarks`` says nothing about: 0-100, 0-1, or
            unbounded, higher is better; "auto" proposes one for each.
        benchmarks : frame or path, optional
            Metadata: benchmark_id, scale, and optionally lower, upper, higher_is_better, n_items,
            name, cost, category. Rows come in this order.
        models : frame or path, optional
            Metadata of the models; when given every model of ``frame`` must be in it.
        options : Options, optional
            Columns to keep or drop, and where the models stand.

        Returns
        -------
        ScoreMatrix

        Raises
        ------
        UsageError
            If neither ``scale`` nor ``benchmarks`` states the scale of the scores.
        SchemaError
            Naming the row, the value and the remedy.
        """
        unnamed = (
            frame.index.nlevels == 1
            and frame.index.name is None
            and not isinstance(frame.index, pd.RangeIndex)
        )
        table = table_of(frame, "frame")
        named = column_for([str(name) for name in frame.columns], "model_id") is not None
        if unnamed and not named and not is_long(table):
            table = table_of(frame.rename_axis("model_id"), "frame")
        return cls(*assemble(table, scale, benchmarks, models, options))

    @cached_property
    def model_ids(self) -> tuple[str, ...]:
        """Ids of the M rows."""
        return tuple(str(model_id) for model_id in self.models.index)

    @cached_property
    def benchmark_ids(self) -> tuple[str, ...]:
        """Ids of the B columns."""
        return tuple(str(benchmark_id) for benchmark_id in self.benchmarks.index)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of models and benchmarks."""
        return len(self.models), len(self.benchmarks)

    @cached_property
    def values(self) -> np.ndarray:
        """Reading-1 scores, each on its benchmark's own scale, (M, B), NaN where missing."""
        return self._spread(self.readings["score"].to_numpy(dtype=np.float64))

    @cached_property
    def observed(self) -> np.ndarray:
        """Which cells have a score, (M, B) bool."""
        return _frozen(np.isfinite(self.values))

    @cached_property
    def n_items(self) -> np.ndarray:
        """Items behind each cell, (M, B): the reading's, else the benchmark's, else NaN."""
        usual = self.benchmarks["n_items"].to_numpy(dtype=np.float64)
        cells = np.broadcast_to(usual, self.shape)
        if "n_items" in self.readings:
            given = self._spread(self.readings["n_items"].to_numpy(dtype=np.float64))
            cells = np.where(np.isnan(given), cells, given)
        return _frozen(np.array(cells))

    @cached_property
    def stderr(self) -> np.ndarray:
        """Standard error of each cell's reading 1, score scale, (M, B); NaN where none is given."""
        if "stderr" not in self.readings:
            return _frozen(np.full(self.shape, np.nan))
        return self._spread(self.readings["stderr"].to_numpy(dtype=np.float64))

    @cached_property
    def n_cells(self) -> int:
        """Number of cells with a score."""
        return int(self.observed.sum())

    @cached_property
    def data_hash(self) -> str:
        """Sha256 of everything a fit may use, whatever the order of rows, columns and readings.

        Covers ids, scores, reading numbers, items, standard errors and metadata; not names,
        settings and sources.
        """
        return content_hash(self.models, self.benchmarks, self.readings)

    def model_index(self, model_id: str) -> int:
        """Row of a model.

        Raises
        ------
        UnknownIdError
            With the nearest ids.
        """
        return look_up("model", model_id, self._model_positions)

    def benchmark_index(self, benchmark_id: str) -> int:
        """Column of a benchmark.

        Raises
        ------
        UnknownIdError
            With the nearest ids.
        """
        return look_up("benchmark", benchmark_id, self._benchmark_positions)

    def subset(
        self, models: Iterable[str] | None = None, benchmarks: Iterable[str] | None = None
    ) -> ScoreMatrix:
        """Keep the named models and benchmarks, in the order given; None keeps all.

        Raises
        ------
        UnknownIdError
            If an id is not in the matrix.
        UsageError
            If an id is named twice.
        """
        rows = _chosen("model", models, self.model_index, len(self.models))
        columns = _chosen("benchmark", benchmarks, self.benchmark_index, len(self.benchmarks))
        kept = np.isin(self._row, rows) & np.isin(self._column, columns)
        return ScoreMatrix(
            self.models.iloc[rows],
            self.benchmarks.iloc[columns],
            self.readings[kept].reset_index(drop=True),
        )

    def filter(
        self, min_scores_per_model: int = 15, min_scores_per_benchmark: int = 8
    ) -> ScoreMatrix:
        """Drop models and benchmarks with few scores, again and again until none is left to drop.

        Parameters
        ----------
        min_scores_per_model, min_scores_per_benchmark : int
            Least number of cells with a score.

        Returns
        -------
        ScoreMatrix

        Raises
        ------
        DataError
            If nothing is left.
        """
        rows, columns = np.ones(self.shape[0], dtype=bool), np.ones(self.shape[1], dtype=bool)
        while True:
            counted = self.observed & rows[:, None] & columns
            keep_rows = rows & (counted.sum(axis=1) >= min_scores_per_model)
            keep_columns = columns & (counted.sum(axis=0) >= min_scores_per_benchmark)
            if (keep_rows == rows).all() and (keep_columns == columns).all():
                break
            rows, columns = keep_rows, keep_columns
        if not (self.observed & rows[:, None] & columns).any():
            raise DataError(
                f"no scores are left with at least {min_scores_per_model} per model and "
                f"{min_scores_per_benchmark} per benchmark; lower the limits or add scores"
            )
        return self.subset(self.models.index[rows], self.benchmarks.index[columns])

    def mask(self, cells: np.ndarray) -> ScoreMatrix:
        """Hide cells with all their readings; rows and columns stay.

        Parameters
        ----------
        cells : numpy.ndarray of bool, shape (M, B)
            True hides the cell.

        Returns
        -------
        ScoreMatrix

        Raises
        ------
        ValueError
            If ``cells`` is not a boolean (M, B) array.
        """
        cells = np.asarray(cells)
        if cells.dtype != np.bool_ or cells.shape != self.shape:
            raise ValueError(
                f"cells must be bool of shape {self.shape}, got {cells.dtype} {cells.shape}"
            )
        kept = ~cells[self._row, self._column]
        return ScoreMatrix(self.models, self.benchmarks, self.readings[kept].reset_index(drop=True))

    def to_frame(self, wide: bool = False) -> pd.DataFrame:
        """Readings as a long frame (a copy), or reading-1 scores as a wide one.

        Parameters
        ----------
        wide : bool
            One row per model and one column per benchmark, NaN where missing.

        Returns
        -------
        pandas.DataFrame
        """
        if wide:
            return pd.DataFrame(
                self.values.copy(), index=self.models.index, columns=self.benchmarks.index
            )
        return self.readings.copy()

    def merged_with(
        self, other: ScoreMatrix, *, first: First = "other", new_ids: bool = True
    ) -> tuple[ScoreMatrix, MergeAccount]:
        """Merge with another matrix, for a fit of both.

        Names of the other are taken for this one's ids where a spelling is unique. In a cell of
        both, the readings of one come first and those of the other stand behind: a fit uses reading
        1. A reading that says nothing that is not there counts once.

        Parameters
        ----------
        other : ScoreMatrix
            Shared benchmarks stand on the same scale.
        first : {"other", "base"}
            Whose readings win where both have one: the other's, or this one's.
        new_ids : bool
            Whether the other may bring models and benchmarks that this one does not have.

        Returns
        -------
        ScoreMatrix, MergeAccount
            The account says what is shared and what is new.

        Raises
        ------
        UnknownIdError, AmbiguousIdError
            For a name, as `new_ids` says, or one that may be several ids.
        SchemaError
            A shared benchmark stands on another scale.

        Examples
        --------
        >>> base = pd.DataFrame({"gpqa": [70.0, 55.0]}, index=["model-a", "model-b"])
        >>> mine = pd.DataFrame({"GPQA": [71.5], "own": [40.0]}, index=["Model A"])
        >>> one, other = (ScoreMatrix.from_frame(t, scale="percent") for t in (base, mine))
        >>> both, account = one.merged_with(other)
        >>> both.values[0].tolist(), account.new_benchmarks
        ([71.5, 40.0], ('own',))
        """
        (models, benchmarks, readings), account = merged_tables(
            (self.models, self.benchmarks, self.readings),
            (other.models, other.benchmarks, other.readings),
            first=first,
            new_ids=new_ids,
        )
        return ScoreMatrix(models, benchmarks, readings), account

    def describe(self) -> dict[str, int | float]:
        """Size of the matrix in a few numbers.

        Returns
        -------
        dict
            models, benchmarks, cells, readings, cells_with_several_readings, share_observed and
            the median number of scores per model and per benchmark.
        """
        per_model, per_benchmark = self.observed.sum(axis=1), self.observed.sum(axis=0)
        several = self.readings.loc[self.readings["reading"] > 1, ["model_id", "benchmark_id"]]
        return {
            "models": self.shape[0],
            "benchmarks": self.shape[1],
            "cells": self.n_cells,
            "readings": len(self.readings),
            "cells_with_several_readings": len(several.drop_duplicates()),
            "share_observed": self.n_cells / max(self.observed.size, 1),
            "median_scores_per_model": float(np.median(per_model)) if per_model.size else 0.0,
            "median_scores_per_benchmark": (
                float(np.median(per_benchmark)) if per_benchmark.size else 0.0
            ),
        }

    @cached_property
    def model_names(self) -> Names:
        """Every spelling of the models: ids, display names, aliases."""
        return names_of("model", self.models)

    @cached_property
    def benchmark_names(self) -> Names:
        """Every spelling of the benchmarks: ids, display names, aliases."""
        return names_of("benchmark", self.benchmarks)

    def __repr__(self) -> str:
        models, benchmarks = self.shape
        scales = sorted({str(scale) for scale in self.benchmarks["scale"]})
        return (
            f"ScoreMatrix: {models} models x {benchmarks} benchmarks, {self.n_cells} scores "
            f"({', '.join(scales)})"
        )

    @cached_property
    def _model_positions(self) -> Mapping[str, int]:
        return {model_id: row for row, model_id in enumerate(self.model_ids)}

    @cached_property
    def _benchmark_positions(self) -> Mapping[str, int]:
        return {benchmark_id: column for column, benchmark_id in enumerate(self.benchmark_ids)}

    @cached_property
    def _row(self) -> np.ndarray:
        return self.models.index.get_indexer(pd.Index(self.readings["model_id"]))

    @cached_property
    def _column(self) -> np.ndarray:
        return self.benchmarks.index.get_indexer(pd.Index(self.readings["benchmark_id"]))

    def _spread(self, per_reading: np.ndarray) -> np.ndarray:
        cells = np.full(self.shape, np.nan)
        first = self.readings["reading"].to_numpy() == 1
        cells[self._row[first], self._column[first]] = per_reading[first]
        return _frozen(cells)

    def _check_numbering(self) -> None:
        number = self.readings["reading"].to_numpy()
        cell = self._row.astype(np.int64) * max(self.shape[1], 1) + self._column
        keyed = np.stack([cell, number], axis=1)
        if len(np.unique(keyed, axis=0)) < len(keyed):
            raise SchemaError("a reading of a cell stands twice; number them 1, 2, ...")
        if len(np.unique(cell)) != np.count_nonzero(number == 1):
            raise SchemaError("a cell has no reading 1; number its best reading 1")


def _require(name: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise SchemaError(f"{name}: missing column {', '.join(missing)}; add it")


def _chosen(
    kind: str, ids: Iterable[str] | None, index: Callable[[str], int], size: int
) -> np.ndarray:
    if ids is None:
        return np.arange(size)
    positions = [index(value) for value in ids]
    if len(set(positions)) < len(positions):
        raise UsageError(f"a {kind} is named twice; name each once")
    return np.array(positions, dtype=np.intp)


def _frozen(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values
