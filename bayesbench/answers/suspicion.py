"""What may be wrong with a reading: competing explanations, with their probability.

A reading is predicted from others that do not include it; then explanations compete for it: it is
what it says; it stands on another scale (a share filed as a percentage, or the other way round), in
the other direction; or it is a gross error, anything on the scale.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..low_rank.link import Transform
from ..low_rank.noise import log_density
from ..numerics import log_sum_exp

__all__ = ["alternatives", "explanation_log_densities", "suspicion"]

Floats = NDArray[np.float64]

PRIOR_GROSS = 0.01
"""Prior share of gross errors: about one reading in a hundred, as curators of such tables find."""
PRIOR_SCALE = 0.002
"""Prior share of each way to be on another scale or in the other direction."""


def alternatives(transform: Transform, column: int, score: float) -> dict[str, float]:
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
        for name, value in alternatives(transform, column, score).items()
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
