"""``ItemResponses``: which model answered which item how, labelled and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from ..scores.ids import look_up

__all__ = ["ItemResponses"]

Array = NDArray[Any]
MOST_NAMED = 3
"""Ids that a message lists."""


@dataclass(frozen=True, eq=False, repr=False)
class ItemResponses:
    """Answers of models to items; every item belongs to one benchmark.

    A cell holds ``correct`` of ``trials`` answers: 0 or 1 of 1 where an item was run once, a count
    where it was run several times, and a share times its number of runs where only a share is
    known. No trials: the item was not run.

    Attributes
    ----------
    models : pandas.DataFrame
        Index ``model_id``; any columns, of which ``family`` is used by splits.
    items : pandas.DataFrame
        Index ``item_id``; column ``benchmark_id`` and any other, of which ``category`` is used by
        quotas.
    correct : (models, items) array
        Between 0 and ``trials``.
    trials : (models, items) array
        Whole numbers from 0 on.
    notes : tuple of str
        What is to say about how they were read.

    Raises
    ------
    DataError
        Shapes do not agree, an id stands twice, or a cell is out of range; names it.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesbench.items.responses import ItemResponses
    >>> answers = ItemResponses.of([[1, 0], [1, 1]], ["a", "b"], ["q1", "q2"], "quiz")
    >>> answers.scores()
    array([ 50., 100.])
    """

    models: pd.DataFrame
    items: pd.DataFrame
    correct: Array
    trials: Array
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.models), len(self.items))
        for name in ("correct", "trials"):
            held = getattr(self, name)
            if held.shape != shape:
                raise DataError(
                    f"{name} has shape {held.shape}, the ids say {shape}; give one row per model "
                    "and one column per item"
                )
            held.setflags(write=False)
        if 0 in shape:
            raise DataError(f"{shape[0]} models and {shape[1]} items; at least one of each needed")
        if "benchmark_id" not in self.items:
            raise DataError("items have no column benchmark_id; say which benchmark each is of")
        for frame, kind in ((self.models, "model"), (self.items, "item")):
            twice = frame.index[frame.index.duplicated()]
            if len(twice):
                raise DataError(f"{kind} {twice[0]!r} stands twice; keep one")
        self._check_cells()

    def _check_cells(self) -> None:
        """By rows, so that no second array of the full size is made."""
        for row in range(len(self.models)):
            correct, trials = self.correct[row], self.trials[row]
            with np.errstate(invalid="ignore"):
                good = (correct >= 0) & (correct <= trials) & (trials == np.floor(trials))
            if not good.all():
                at = int(np.argmin(good))
                raise DataError(
                    f"model {self.models.index[row]!r}, item {self.items.index[at]!r}: "
                    f"{correct[at]} correct of {trials[at]}; give 0 to n correct of whole n"
                )

    @classmethod
    def of(
        cls,
        correct: Any,
        model_ids: Sequence[str],
        item_ids: Sequence[str],
        benchmark_ids: str | Sequence[str],
        *,
        trials: Any = None,
        families: Sequence[str] | None = None,
        categories: Sequence[str] | None = None,
        notes: tuple[str, ...] = (),
    ) -> ItemResponses:
        """Make them from arrays.

        Parameters
        ----------
        correct : (models, items) array
            NaN where not run.
        model_ids, item_ids : sequence of str
        benchmark_ids : str or sequence of str
            Of all items, or of each.
        trials : array, optional
            What broadcasts to (models, items); 1 by default.
        families : sequence of str, optional
            Of each model.
        categories : sequence of str, optional
            Of each item.
        notes : tuple of str

        Raises
        ------
        DataError
            As for the class.
        """
        held = np.asarray(correct)
        if held.ndim != 2:
            raise DataError(f"correct has shape {held.shape}; give one row per model")
        run = np.ones(held.shape, dtype=bool) if held.dtype.kind != "f" else ~np.isnan(held)
        number = np.asarray(1 if trials is None else trials)
        try:
            spread = np.broadcast_to(number, held.shape)
        except ValueError:
            raise DataError(f"trials of shape {number.shape} do not fit {held.shape}") from None
        counted = np.where(run, spread, 0)
        models = pd.DataFrame(index=pd.Index(list(model_ids), name="model_id", dtype="str"))
        if families is not None:
            models["family"] = list(families)
        items = pd.DataFrame(index=pd.Index(list(item_ids), name="item_id", dtype="str"))
        items["benchmark_id"] = benchmark_ids if isinstance(benchmark_ids, str) else [
            str(name) for name in benchmark_ids
        ]  # fmt: skip
        if categories is not None:
            items["category"] = list(categories)
        return cls(models, items, smallest(np.where(run, held, 0)), smallest(counted), notes)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of models and items."""
        return len(self.models), len(self.items)

    @property
    def benchmark_ids(self) -> list[str]:
        """Benchmarks in the order of their first item."""
        return list(dict.fromkeys(self.items["benchmark_id"]))

    def __repr__(self) -> str:
        models, items = self.shape
        return f"ItemResponses({models} models x {items} items of {', '.join(self.benchmark_ids)})"

    def shares(self) -> Array:
        """Share correct of every cell, (models, items) float32; NaN where not run."""
        out = np.full(self.shape, np.nan, dtype=np.float32)
        np.divide(self.correct, self.trials, out=out, where=self.trials > 0)
        return out

    def scores(self) -> Array:
        """Mean share over all items in percent, by model; NaN where an item was not run."""
        return np.asarray(100.0 * self.shares().mean(axis=1, dtype=np.float64))

    def complete(self) -> Array:
        """Which models ran every item, (models,) bool."""
        return np.asarray((self.trials > 0).all(axis=1))

    def subset(self, models: Any = None, items: Any = None) -> ItemResponses:
        """The answers of some models to some items.

        Parameters
        ----------
        models, items : index array or boolean mask, optional
            Positions; all by default.
        """
        rows = slice(None) if models is None else np.asarray(models)
        columns = slice(None) if items is None else np.asarray(items)
        return ItemResponses(
            self.models.iloc[rows],
            self.items.iloc[columns],
            self.correct[rows][:, columns].copy(),
            self.trials[rows][:, columns].copy(),
            self.notes,
        )

    def of_benchmarks(self, benchmarks: Sequence[str]) -> ItemResponses:
        """The answers to the items of some benchmarks.

        Raises
        ------
        UnknownIdError
            There is no such benchmark; carries the nearest names.
        UsageError
            None was named.
        """
        if not benchmarks:
            raise UsageError("no benchmark was named; name at least one")
        known = {name: at for at, name in enumerate(self.benchmark_ids)}
        for name in benchmarks:
            look_up("benchmark", name, known)
        wanted = self.items["benchmark_id"].isin(list(benchmarks)).to_numpy()
        return self.subset(items=np.flatnonzero(wanted))

    def doubts(self) -> tuple[str, ...]:
        """What may be wrong although it can be used: one line each.

        Items that nobody ran, items that all who ran them answered alike, models without an answer.
        """
        runs = self.trials.sum(axis=0, dtype=np.int64)
        right = self.correct.sum(axis=0, dtype=np.float64)
        silent = ~np.asarray((self.trials > 0).any(axis=1), dtype=bool)
        found: list[tuple[str, pd.Index[str], str]] = [
            ("item", self.items.index[runs == 0], "nobody ran"),
            ("item", self.items.index[(runs > 0) & (right == 0)], "all answered wrongly"),
            ("item", self.items.index[(runs > 0) & (right == runs)], "all answered correctly"),
            ("model", self.models.index[silent], "without an answer"),
        ]
        return tuple(_named(kind, list(ids), what) for kind, ids, what in found if len(ids))


def smallest(values: Array) -> Array:
    """The values in one byte each where they are whole numbers up to 255, else in float32.

    Examples
    --------
    >>> import numpy as np
    >>> smallest(np.array([0.0, 255.0])).dtype, smallest(np.array([0.5])).dtype
    (dtype('uint8'), dtype('float32'))
    """
    if values.dtype == np.uint8:
        return values.copy()
    with np.errstate(invalid="ignore"):
        small = (values >= 0) & (values <= 255) & (values == np.floor(values))
    return values.astype(np.uint8 if small.all() else np.float32)


def _named(kind: str, ids: list[str], what: str) -> str:
    more = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
    plural = "s" * (len(ids) > 1)
    return f"{len(ids)} {kind}{plural} {what}: {', '.join(ids[:MOST_NAMED])}{more}"
