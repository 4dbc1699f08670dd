"""Which readings are suspicious: misreported, or on another scale or direction than stated.

Every reading is predicted from the others while it is hidden, so that it cannot vouch for itself.
Then explanations compete for it: it is what it says; it stands on another scale (a share filed as a
percentage, or the other way round), in the other direction; or it is a gross error, anything on
the scale. The posterior probability of the first is one minus the suspicion.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .answers.prediction import cell_draws, degrees_of_freedom, predict_cells
from .fitting.chains import run_all
from .fitting.engines.contract import Engine
from .fitting.engines.settings import Gibbs
from .fitting.sample import sample
from .low_rank.link import Transform
from .low_rank.noise import log_density
from .low_rank.spec import ModelSpec
from .numerics import log_sum_exp
from .posterior.stored import StoredPosterior
from .progress import Report
from .scores import ScoreMatrix
from .scores.splits import Split, per_model_folds

__all__ = ["Suspicion", "audit", "explanation_log_densities", "suspicion"]

FOLDS = 5
FIT_WORK = 1000
"""Units of work of a fit, for who watches."""
PRIOR_GROSS = 0.01
"""Prior share of gross errors: about one reading in a hundred, as curators of such tables find."""
PRIOR_SCALE = 0.002
"""Prior share of each way to be on another scale or in the other direction."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Suspicion:
    """One reading with the evidence.

    Attributes
    ----------
    model_id, benchmark_id : str
    score : float
        As reported.
    median, lower, upper : float
        Prediction from all other readings, and its 90 % interval (not recalibrated).
    probability : float
        Posterior probability that the reading is not what it says.
    explanation : str
        The likeliest explanation: ``as stated``, ``gross error``, ``other direction``,
        ``a share, not a percentage`` or ``a percentage, not a share``.
    corrected : float
        The score under that explanation; NaN for a gross error.
    """

    model_id: str
    benchmark_id: str
    score: float
    median: float
    lower: float
    upper: float
    probability: float
    explanation: str
    corrected: float


def _alternatives(transform: Transform, column: int, score: float) -> dict[str, float]:
    """What the score would be on the stated scale under each explanation that is possible."""
    low, up = float(transform.lower[column]), float(transform.upper[column])
    out = {"as stated": score}
    if transform.link[column] != "logit":
        return out
    out["other direction"] = low + up - score
    if low == 0 and up == 100 and 0 <= score <= 1:
        out["a share, not a percentage"] = 100 * score
    if low == 0 and up == 1 and score > 0.01:
        out["a percentage, not a share"] = score / 100
    return out


def explanation_log_densities(
    eta: Floats, scale: Floats, nu: Floats, transform: Transform, column: int, score: float
) -> dict[str, float]:
    """Log prior plus log density (latent scale) of the reading under each explanation.

    Parameters
    ----------
    eta, scale, nu : (S,) array
        Draws of a fit that has not seen the reading: linear predictor, noise scale and degrees of
        freedom.
    transform : Transform
    column : int
    score : float
        As reported.

    Notes
    -----
    Under another scale the stated score is a deterministic map of the true one, whose density is
    taken at its own latent value; a gross error is uniform over the latent values of the scale.
    """
    other = {
        name: _log_predictive(float(transform.to_latent(value, column)), eta, scale, nu)
        for name, value in _alternatives(transform, column, score).items()
    }
    prior = {name: PRIOR_SCALE for name in other}
    ends = np.array([transform.lower[column], transform.upper[column]])
    if np.isfinite(ends).all():
        span = abs(float(np.diff(transform.to_latent(ends, np.array([column, column])))[0]))
    else:
        span = 12.0  # a reading 6 spreads off its centre is as good as anywhere
    prior["as stated"] = 1.0 - PRIOR_GROSS - PRIOR_SCALE * (len(other) - 1)
    out = {name: float(np.log(prior[name])) + value for name, value in other.items()}
    out["gross error"] = float(np.log(PRIOR_GROSS) - np.log(span))
    return out


def _log_predictive(z: float, eta: Floats, scale: Floats, nu: Floats) -> float:
    density = log_density(z - eta, scale, nu)
    return float(log_sum_exp(density) - np.log(density.size))


def suspicion(log_densities: dict[str, float]) -> tuple[float, str]:
    """Probability that a reading is not as stated, and the likeliest explanation."""
    names = list(log_densities)
    values = np.array([log_densities[name] for name in names])
    weights = np.exp(values - values.max())
    weights /= weights.sum()
    probability = 1.0 - float(weights[names.index("as stated")])
    return min(max(probability, 0.0), 1.0), names[int(np.argmax(weights))]


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
    """
    spec = spec or ModelSpec()
    engine = Gibbs().lighter() if engine is None else engine

    def one(split: Split, report: Report) -> list[Suspicion]:
        posterior = sample(
            matrix.mask(split.mask(matrix.shape)),
            spec,
            engine,
            seed=seed + split.fold,
            report=report,
            n_readings=matrix.n_cells,
            check=False,
        )
        return _suspicions(posterior, matrix, split.cells)

    fits = [partial(one, split) for split in per_model_folds(matrix, n_folds, seed)]
    found = run_all(fits, work=FIT_WORK, report=report, first_alone=True)
    return sorted((one for part in found for one in part), key=lambda one: -one.probability)


def _suspicions(
    posterior: StoredPosterior, matrix: ScoreMatrix, cells: NDArray[np.int64]
) -> list[Suspicion]:
    known = np.asarray(posterior.matrix.observed.any(axis=0))
    cells = cells[known[cells[:, 1]]]
    made = predict_cells(posterior, cells)
    lower, upper = made.interval(0.9)
    eta, scale = cell_draws(posterior, cells[:, 0], cells[:, 1])
    nu = degrees_of_freedom(posterior)
    out = []
    for n, (row, column) in enumerate(cells):
        score = float(matrix.values[row, column])
        evidence = explanation_log_densities(
            eta[:, n].astype(np.float64),
            scale[:, n].astype(np.float64),
            nu,
            posterior.transform,
            int(column),
            score,
        )
        probability, explanation = suspicion(evidence)
        corrected = _alternatives(posterior.transform, int(column), score).get(explanation, np.nan)
        out.append(
            Suspicion(
                matrix.model_ids[row],
                matrix.benchmark_ids[column],
                score,
                float(made.median[n]),
                float(lower[n]),
                float(upper[n]),
                probability,
                explanation,
                corrected,
            )
        )
    return out
