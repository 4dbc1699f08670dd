"""Models that a posterior was not fitted to, on its benchmarks, beside those it was fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...errors import AmbiguousIdError, DataError
from ...posterior.stored import StoredPosterior
from ...scores.ids import Names
from ...scores.matrix import ScoreMatrix

__all__ = ["with_outsiders"]

SAME = ("scale", "lower", "upper", "higher_is_better")
"""What must agree for two columns to be one benchmark."""
KEPT = ("model_id", "benchmark_id", "score", "reading")


def with_outsiders(posterior: StoredPosterior, data: ScoreMatrix) -> ScoreMatrix:
    """The posterior's own scores, and below them the models of other data it never saw.

    A model is new if neither its id nor its display name is a spelling of a fitted one. A benchmark
    is taken for the posterior's if its id is a spelling of that one and scale, bounds and direction
    agree; others are left out, and so are models without a score on those that remain.

    Parameters
    ----------
    posterior : StoredPosterior
    data : ScoreMatrix

    Returns
    -------
    ScoreMatrix
        Rows of the posterior in its order, then the new models; columns of the posterior.

    Raises
    ------
    DataError
        If no model of the data is new with a score the posterior can use.
    """
    own = posterior.matrix
    column = _columns(own, data)
    new = [
        row
        for row, model_id in enumerate(data.model_ids)
        if not any(_is_known(own.model_names, name) for name in _spellings(data, row, model_id))
    ]
    row, at = np.nonzero(data.observed & (column >= 0))
    chosen = np.isin(row, new)
    row, at = row[chosen], at[chosen]
    if not row.size:
        raise DataError(
            "no model outside the posterior has a score on one of its benchmarks; give --data with "
            "others, or another posterior"
        )
    kept = sorted(set(row.tolist()))
    names = np.asarray(own.benchmark_ids, dtype=object)
    readings = pd.DataFrame(
        {
            "model_id": np.asarray(data.model_ids, dtype=object)[row],
            "benchmark_id": names[column[at]],
            "score": data.values[row, at],
            "reading": 1,
        }
    )
    told = [name for name in own.models.columns if name in data.models.columns]
    models = pd.concat(
        [own.models[told].astype(object), data.models.iloc[kept][told].astype(object)]
    )
    return ScoreMatrix(
        models.astype({name: own.models[name].dtype for name in told}),
        own.benchmarks,
        pd.concat([own.readings[list(KEPT)], readings], ignore_index=True),
    )


def _spellings(data: ScoreMatrix, row: int, model_id: str) -> Sequence[str]:
    name = data.models["name"].iloc[row]
    return [model_id, name] if isinstance(name, str) else [model_id]


def _is_known(names: Names, spelling: str) -> bool:
    try:
        return names.known(spelling) is not None
    except AmbiguousIdError:
        return True


def _columns(own: ScoreMatrix, data: ScoreMatrix) -> np.ndarray:
    """Column of the posterior's matrix for every one of the data, -1 where there is none.

    Where several stand for one, that with the very id comes first, then the first of them.
    """
    found = np.full(data.shape[1], -1)
    order = sorted(
        range(data.shape[1]), key=lambda j: data.benchmark_ids[j] not in own.benchmark_ids
    )
    for j in order:
        try:
            name = own.benchmark_names.known(data.benchmark_ids[j])
        except AmbiguousIdError:
            continue
        if name is None:
            continue
        position = own.benchmark_index(name)
        mine, theirs = (
            matrix.benchmarks[list(SAME)].iloc[at].tolist()
            for matrix, at in ((own, position), (data, j))
        )
        agree = all(
            a == b or (pd.isna(a) and pd.isna(b)) for a, b in zip(mine, theirs, strict=True)
        )
        if agree and position not in found:
            found[j] = position
    return found
