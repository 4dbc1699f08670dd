"""Small tables cut out of a large matrix at random, with scores held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..predictions import BoolArray, IntArray

__all__ = ["TableCut", "cut_table"]

ATTEMPTS = 30
ROUNDS = 3
"""Times that rows are chosen for the columns and columns for the rows."""


@dataclass(frozen=True, eq=False)
class TableCut:
    """A small table.

    Attributes
    ----------
    rows : (R,) int
    columns : (C,) int
        Positions in the large matrix, sorted.
    shown, held_out : (n, 2) int
        Positions in the large matrix of the table's scores that are shown and held out.
    """

    rows: IntArray
    columns: IntArray
    shown: IntArray
    held_out: IntArray


def cut_table(
    observed: BoolArray,
    n_rows: int,
    n_columns: int,
    fill: float,
    share: float,
    rng: np.random.Generator,
) -> TableCut | None:
    """Cut a table of a size and a fill out of a matrix.

    Rows and columns are drawn at random, the more by their number of scores the less a random
    choice reaches the fill; then scores are thinned at random to the fill exactly, and a share of
    those held out. Every row and column keeps a score that is shown.

    Parameters
    ----------
    observed : (M, B) bool
    n_rows, n_columns : int
    fill : float
        Share of the table's cells that have a score, held-out ones included.
    share : float
        Of these, how many are held out, at least one.
    rng : numpy.random.Generator

    Returns
    -------
    TableCut or None
        None where the matrix has no such table that was found, or too few of its scores could be
        held out.
    """
    if observed.shape[0] < n_rows or observed.shape[1] < n_columns:
        return None
    wanted = round(fill * n_rows * n_columns)
    out = max(1, round(share * wanted))
    for attempt in range(ATTEMPTS):
        rows, columns = _chosen(observed, n_rows, n_columns, 1 - attempt / (ATTEMPTS - 1), rng)
        cells = rng.permutation(np.argwhere(observed[np.ix_(rows, columns)]))
        if len(cells) < wanted:
            continue
        cover, rest = _cover(cells)
        covered = len(np.unique(cells[cover, 0])), len(np.unique(cells[cover, 1]))
        if covered != (n_rows, n_columns) or cover.size + out > wanted:
            continue
        held_out, also = np.split(rest[: wanted - cover.size], [out])
        shown = np.concatenate([cover, also])
        place = np.stack([rows[cells[:, 0]], columns[cells[:, 1]]], axis=1)
        return TableCut(rows, columns, _sorted(place[shown]), _sorted(place[held_out]))
    return None


def _chosen(
    observed: BoolArray, n_rows: int, n_columns: int, noise: float, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Rows and columns, those with many scores in one another first; `noise` 1 is by chance."""
    columns = _top(observed.mean(axis=0), n_columns, noise, rng)
    rows = np.arange(0)
    for _ in range(ROUNDS):
        rows = _top(observed[:, columns].mean(axis=1), n_rows, noise, rng)
        columns = _top(observed[rows].mean(axis=0), n_columns, noise, rng)
    return np.sort(rows), np.sort(columns)


def _top(filled: np.ndarray, n: int, noise: float, rng: np.random.Generator) -> IntArray:
    # never quite without noise: the densest part would be the only table of its size
    score = filled + (0.1 + noise) * rng.random(filled.size)
    return np.asarray(np.argsort(-score, kind="stable")[:n], dtype=np.int64)


def _cover(cells: IntArray) -> tuple[IntArray, IntArray]:
    """Positions of cells that touch every row and column there is, and of the rest, in order."""
    rows: set[int] = set()
    columns: set[int] = set()
    taken = np.zeros(len(cells), dtype=np.bool_)
    for at, (row, column) in enumerate(cells.tolist()):
        if row not in rows or column not in columns:
            taken[at] = True
            rows.add(row)
            columns.add(column)
    return np.flatnonzero(taken), np.flatnonzero(~taken)


def _sorted(cells: IntArray) -> IntArray:
    return np.asarray(cells[np.lexsort((cells[:, 1], cells[:, 0]))], dtype=np.int64)
