"""Which readings of a matrix look wrong to a posterior of it, each set against its model's others.

A reading that the posterior was fitted to vouches for itself. So those that lie off even then are
looked at again: the model's latents are drawn given its other scores alone, as of a model that was
not fitted, and the explanations of `suspicion` compete for the reading. The benchmarks keep what
they learned from it, which is little where many models ran them; `bayesbench audit` fits again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..low_rank.facts import ModelFacts
from ..posterior.stored import StoredPosterior
from ..scores.matrix import ScoreMatrix
from .condition import condition
from .predictive import cell_draws, predictive
from .suspicion import Suspicion, alternatives, explanation_log_densities, suspicion

__all__ = ["Judged", "wrong_readings"]

DRAWS, SWEEPS = 128, 6
LEAST_OFF = 2.5
"""Noise scales off its own median from which on a reading is looked at again."""
LEAST_PROBABILITY = 0.5
LEAST_SHARE = 0.5
"""Share of a matrix's scores that its posterior must know."""
_SCALE = ["scale", "lower", "upper", "higher_is_better"]


@dataclass(frozen=True)
class Judged:
    """What was judged.

    Attributes
    ----------
    found : tuple of Suspicion
        The most suspicious first.
    scores, left_out : int
        Scores that were judged, and those of models and benchmarks the posterior does not know.
    """

    found: tuple[Suspicion, ...]
    scores: int
    left_out: int


def wrong_readings(posterior: StoredPosterior, matrix: ScoreMatrix, *, seed: int = 0) -> Judged:
    """Readings 1 of a matrix that look wrong to a posterior of it.

    Parameters
    ----------
    posterior : StoredPosterior
        Fitted to this matrix, or to one that has most of its scores.
    matrix : ScoreMatrix
    seed : int

    Returns
    -------
    Judged

    Raises
    ------
    DataError
        The posterior knows fewer than half of the scores.

    Examples
    --------
    >>> import bayesbench as bb
    >>> scores = bb.open_scores().subset(models=["gpt-4.1", "gpt-4o-2024-08-06", "o3"])
    >>> wrong_readings(bb.open_posterior(), scores).scores > 50
    True
    """
    thin = posterior.thin(DRAWS)
    columns = _columns(posterior, matrix)
    at = {name: row for row, name in enumerate(posterior.model_ids)}
    judged = matrix.observed & (columns >= 0)
    judged &= np.array([name in at for name in matrix.model_ids])[:, None]
    scores = int(judged.sum())
    if scores < LEAST_SHARE * matrix.n_cells:
        raise DataError(
            f"the posterior knows {scores} of {matrix.n_cells} scores: it is of another matrix; "
            "give one that was fitted to this one"
        )
    found = []
    for row in np.flatnonzero(judged.any(axis=1)):
        model = int(at[matrix.model_ids[row]])
        cells = np.flatnonzero(judged[row])
        values = matrix.values[row, cells]
        off = _off(thin, model, columns[cells], values)
        for one in np.flatnonzero(off > LEAST_OFF):
            looked = _looked_at(thin, matrix, int(row), columns[cells], values, int(one), seed)
            if looked.probability >= LEAST_PROBABILITY:
                found.append(looked)
    ordered = sorted(found, key=lambda one: -one.probability)
    return Judged(tuple(ordered), scores, matrix.n_cells - scores)


def _columns(posterior: StoredPosterior, matrix: ScoreMatrix) -> NDArray[np.int64]:
    """Column of each benchmark of the matrix in the posterior; -1 where it is not there alike."""
    theirs, own = _scales(posterior.matrix), _scales(matrix)
    positions = {name: at for at, name in enumerate(posterior.benchmark_ids)}
    alike = [name in positions and own[name] == theirs[name] for name in matrix.benchmark_ids]
    found = [
        positions[name] if same else -1
        for name, same in zip(matrix.benchmark_ids, alike, strict=True)
    ]
    return np.array(found, dtype=np.int64)


def _scales(matrix: ScoreMatrix) -> dict[str, str]:
    """Scale, bounds and direction of each benchmark, as text."""
    rows = matrix.benchmarks[_SCALE].to_dict("records")
    return {
        name: str(list(row.values())) for name, row in zip(matrix.benchmark_ids, rows, strict=True)
    }


def _off(
    posterior: StoredPosterior,
    model: int,
    columns: NDArray[np.int64],
    values: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How many noise scales a score lies off what the posterior makes of its cell."""
    eta, scale = cell_draws(posterior, np.full(len(columns), model), columns)
    link = posterior.transform
    z = np.array([float(link.to_latent(v, int(c))) for v, c in zip(values, columns, strict=True)])
    distance = np.abs(z - np.median(eta, axis=0)) / np.median(scale, axis=0)
    return np.asarray(distance, dtype=np.float64)


def _looked_at(
    posterior: StoredPosterior,
    matrix: ScoreMatrix,
    row: int,
    columns: NDArray[np.int64],
    values: NDArray[np.float64],
    one: int,
    seed: int,
) -> Suspicion:
    """One score of a model against its other ones."""
    names = [posterior.benchmark_ids[column] for column in columns]
    others = {name: float(v) for at, (name, v) in enumerate(zip(names, values, strict=True))
              if at != one}  # fmt: skip
    draws = condition(
        posterior,
        others,
        facts=ModelFacts.of(matrix, row),
        sweeps=SWEEPS,
        seed=(seed, row),
        reweight=False,
        accept_far=True,
    )
    link, column, score = posterior.transform, int(columns[one]), float(values[one])
    made = predictive(draws, link, [column])
    lower, upper = made.interval(0.9)
    evidence = explanation_log_densities(
        np.asarray(draws.eta[:, column], np.float64),
        np.asarray(draws.noise_scale[:, column], np.float64),
        np.asarray(draws.nu, np.float64),
        link,
        column,
        score,
    )
    probability, explanation = suspicion(evidence)
    return Suspicion(
        matrix.model_ids[row],
        names[one],
        score,
        float(made.median[0]),
        float(lower[0]),
        float(upper[0]),
        probability,
        explanation,
        alternatives(link, column, score).get(explanation, np.nan),
    )
