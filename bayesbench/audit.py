"""Which readings are suspicious: misreported, or on another scale or direction than stated.

Every reading is predicted from the others while it is hidden, so that it cannot vouch for itself.
Then explanations compete for it: it is what it says; it stands on another scale (a share filed as a
percentage, or the other way round), in the other direction; or it is a gross error, anything on
the scale. The posterior probability of the first is one minus the suspicion. How many readings are
wrong in the first place is learned from the table. A reading at an end of its scale says no more
than "this or beyond", and is judged by the probability of that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .answers.predictive import cell_draws, degrees_of_freedom, predict_cells
from .answers.suspicion import (
    PriorShares,
    Suspicion,
    alternatives,
    explanation_log_densities,
    learned_shares,
    suspicion,
)
from .fitting.crossfit import fold_fits, run_fits
from .fitting.engines.contract import Engine
from .fitting.engines.settings import Gibbs
from .low_rank.spec import ModelSpec
from .posterior.stored import StoredPosterior
from .progress import Report
from .scores import ScoreMatrix

__all__ = ["Suspicion", "audit"]

FOLDS = 5

Floats = NDArray[np.float64]


def audit(
    matrix: ScoreMatrix,
    spec: ModelSpec | None = None,
    *,
    seed: int = 0,
    engine: Engine | None = None,
    n_folds: int = FOLDS,
    report: Report | None = None,
) -> list[Suspicion]:
    """Every reading's suspicion, the most suspicious first.

    Parameters
    ----------
    matrix : ScoreMatrix
    spec : ModelSpec, optional
    seed : int
    engine : Engine, optional
        Of each of the `n_folds` fits; by default a short Gibbs run.
    n_folds : int
    report : Report, optional
        Told of all fits together.

    Returns
    -------
    list of Suspicion
        Readings alone on their benchmark are left out: nothing speaks for or against them.

    Examples
    --------
    >>> from bayesbench.low_rank.simulate import simulate
    >>> scores = simulate(0, 8, 6, ModelSpec(rank=0), fill=1.0).matrix
    >>> found = audit(scores, ModelSpec(rank=0))
    >>> len(found) == scores.n_cells
    True
    >>> found[0].probability >= found[-1].probability
    True
    """
    spec = spec or ModelSpec()
    engine = Gibbs().lighter() if engine is None else engine

    def looked_at(posterior: StoredPosterior, cells: NDArray[np.int64]) -> list[_Evidence]:
        return _evidence(posterior, matrix, cells)

    fits = fold_fits(matrix, spec, engine, looked_at, seed=seed, n_folds=n_folds)
    found = [one for part in run_fits(fits, report) for one in part]
    shares = learned_shares([one.log_densities for one in found])
    judged = [_judged(one, matrix, shares) for one in found]
    return sorted(judged, key=lambda one: -one.probability)


@dataclass(frozen=True)
class _Evidence:
    """A reading, its prediction from the others and the log densities of its explanations.

    `alternatives` are the scores under these explanations.
    """

    row: int
    column: int
    score: float
    prediction: tuple[float, float, float]
    log_densities: dict[str, float]
    alternatives: dict[str, float]


def _evidence(
    posterior: StoredPosterior, matrix: ScoreMatrix, cells: NDArray[np.int64]
) -> list[_Evidence]:
    known = np.asarray(posterior.matrix.observed.any(axis=0))
    cells = cells[known[cells[:, 1]]]
    made = predict_cells(posterior, cells)
    lower, upper = made.interval(0.9)
    eta, scale = cell_draws(posterior, cells[:, 0], cells[:, 1])
    eta, scale = eta.astype(np.float64), scale.astype(np.float64)
    nu, link = degrees_of_freedom(posterior), posterior.transform
    out = []
    for n, (row, column) in enumerate(cells.tolist()):
        score = float(matrix.values[row, column])
        out.append(
            _Evidence(
                row,
                column,
                score,
                (float(made.median[n]), float(lower[n]), float(upper[n])),
                explanation_log_densities(eta[:, n], scale[:, n], nu, link, column, score),
                alternatives(link, column, score),
            )
        )
    return out


def _judged(one: _Evidence, matrix: ScoreMatrix, shares: PriorShares) -> Suspicion:
    probability, explanation = suspicion(one.log_densities, shares)
    return Suspicion(
        matrix.model_ids[one.row],
        matrix.benchmark_ids[one.column],
        one.score,
        *one.prediction,
        probability,
        explanation,
        one.alternatives.get(explanation, np.nan),
    )
