"""Tasks that hide all but k scores of some models, or of some benchmarks, in random order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ...scores.matrix import ScoreMatrix
from ..predictions import IntArray
from ..tasks import FoldTask, task_seed

__all__ = ["partly_revealed"]


def partly_revealed(
    matrix: ScoreMatrix,
    of: Literal["models", "benchmarks"],
    taken: IntArray,
    *,
    per_fit: int,
    ks: Sequence[int],
    seeds: int,
    seed: int,
) -> list[FoldTask]:
    """One task per draw, group of models (or benchmarks) and k, in this order.

    One with no more than k scores sits out at k; the scores shown at a smaller k are among those
    shown at a larger one.

    Parameters
    ----------
    matrix : ScoreMatrix
    of : {"models", "benchmarks"}
        What is partly revealed.
    taken : (n,) int array
        Which of them.
    per_fit : int
        So many, drawn at random, are hidden together; all others stay.
    ks : sequence of int
        Numbers of revealed scores.
    seeds : int
        Random orders.
    seed : int
        The first one; of the methods too.
    """
    # a task is worked out with what is revealed as rows
    turn = slice(None) if of == "models" else slice(None, None, -1)
    observed = matrix.observed if of == "models" else matrix.observed.T
    tasks = []
    for draw in range(seeds):
        rng = np.random.default_rng([seed, draw])
        shuffled = rng.permutation(taken)
        orders = {int(i): rng.permutation(np.flatnonzero(observed[i])) for i in shuffled}
        for number, start in enumerate(range(0, shuffled.size, per_fit)):
            group = sorted(int(i) for i in shuffled[start : start + per_fit])
            for k in ks:
                hidden = np.zeros(observed.shape, dtype=np.bool_)
                shown: list[tuple[int, int]] = []
                for i in group:
                    if orders[i].size > k:
                        hidden[i, orders[i][k:]] = True
                        shown.extend((i, int(j)) for j in sorted(orders[i][:k]))
                if not hidden.any():
                    continue
                hidden = hidden if of == "models" else hidden.T
                tasks.append(
                    FoldTask(
                        seed=seed + draw,
                        fold=number,
                        cells=np.argwhere(hidden).astype(np.int64),
                        hidden=hidden,
                        random_seed=task_seed(seed, draw, number, k),
                        revealed=np.array(shown, dtype=np.int64).reshape(-1, 2)[:, turn],
                        label=f"k={k}",
                        group=f"{draw}/{number}",
                        tags={"k": k},
                    )
                )
    return tasks
