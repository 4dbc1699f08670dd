"""What may be wrong with a reading: competing explanations, with their probability.

A reading is predicted from others that do not include it; then explanations compete for it: it is
what it says; it stands on another scale (a share filed as a percentage, or the other way round), in
the other direction; or it is a gross error, anything on the scale. A reading at an end of its scale
says "this or beyond" under every explanation, and is judged by the probability of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..low_rank.link import Transform
from ..low_rank.noise import log_density, upper_tail
from ..numerics import log_sum_exp

__all__ = [
    "AS_STATED",
    "DIRECTION",
    "GROSS",
    "PERCENTAGE",
    "SHARE",
    "USUAL",
    "PriorShares",
    "Suspicion",
    "alternatives",
    "explanation_log_densities",
    "learned_shares",
    "suspicion",
]

Floats = NDArray[np.float64]

AS_STATED, GROSS, DIRECTION = "as stated", "gross error", "other direction"
SHARE, PERCENTAGE = "a share, not a percentage", "a percentage, not a share"
STRETCH = {SHARE: 100.0, PERCENTAGE: 0.01}
"""Points of the true score per point as reported; 1 for every other explanation."""
SPAN_WITHOUT_BOUNDS = 12.0
"""Without two bounds a reading 6 spreads off its centre is as good as anywhere."""
PRIOR_READINGS = 100.0
"""How many readings the usual shares count for when a table's own are learned."""

MOST_STEPS = 200
"""Of learning a table's shares; they settle sooner."""


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

    Examples
    --------
    >>> found = Suspicion(
    ...     "m", "gpqa", 0.7, 62.0, 48.0, 74.0, 0.99, "a share, not a percentage", 70.0
    ... )
    >>> found.corrected
    70.0
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

    @property
    def sentence(self) -> str:
        """The suspicion in words, one line."""
        meant = "" if np.isnan(self.corrected) else f": {self.corrected:.4g}?"
        return (
            f"({self.model_id}, {self.benchmark_id}): {self.score:g} where the model's other "
            f"scores say {self.median:.1f} ({self.lower:.1f} to {self.upper:.1f}); "
            f"{self.explanation}{meant}"
        )


@dataclass(frozen=True)
class PriorShares:
    """Shares of readings that are wrong, before one is looked at.

    Attributes
    ----------
    gross : float
        Of gross errors: about one in a hundred, as curators of such tables find.
    other : float
        Of each way to be on another scale or in the other direction.
    """

    gross: float = 0.01
    other: float = 0.002

    def of(self, explanations: Sequence[str]) -> Floats:
        """Prior probability of each explanation of one reading."""
        share = {GROSS: self.gross}
        wrong = [0.0 if one == AS_STATED else share.get(one, self.other) for one in explanations]
        rest = 1.0 - sum(wrong)
        return np.array(
            [rest if one == AS_STATED else p for one, p in zip(explanations, wrong, strict=True)]
        )


USUAL = PriorShares()


def alternatives(transform: Transform, column: int, score: float) -> dict[str, float]:
    """What the score would be on the stated scale under each explanation that is possible."""
    low, up = float(transform.lower[column]), float(transform.upper[column])
    out = {AS_STATED: score}
    if transform.link[column] != "logit":
        return out
    out[DIRECTION] = low + up - score
    if low == 0 and up == 100 and 0 <= score <= 1:
        out[SHARE] = 100 * score
    if low == 0 and up == 1 and score > 0.01:
        out[PERCENTAGE] = score / 100
    return out


def explanation_log_densities(
    eta: Floats, scale: Floats, nu: Floats, transform: Transform, column: int, score: float
) -> dict[str, float]:
    """Log density of the score as reported, per point, under each explanation.

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
    With z the latent scale and T what an explanation makes of a reported score y, the density is
    ``p(z(T(y))) |dz/dT| |dT/dy|``. Where T(y) is "this or beyond" (`Transform.beyond`) it is the
    probability of that, spread evenly over the reported scores that say so: at an end of the scale
    the density of the latent score tells nothing. A gross error is uniform over the points of a
    scale with two bounds, else over `SPAN_WITHOUT_BOUNDS` latent units.
    """
    out = {
        name: _log_density(eta, scale, nu, transform, column, value, STRETCH.get(name, 1.0))
        for name, value in alternatives(transform, column, score).items()
    }
    width = float(transform.upper[column] - transform.lower[column])
    if np.isfinite(width):
        out[GROSS] = -float(np.log(width))
    else:
        out[GROSS] = float(np.log(_slope(transform, column, score) / SPAN_WITHOUT_BOUNDS))
    return out


def _slope(transform: Transform, column: int, score: float) -> float:
    """Latent units per point at a score."""
    return float(np.sqrt(transform.error_variance(score, 1.0, column)))


def _log_density(
    eta: Floats,
    scale: Floats,
    nu: Floats,
    transform: Transform,
    column: int,
    value: float,
    stretch: float,
) -> float:
    """Log density per reported point of a reading that stands for the score `value`."""
    z, side = float(transform.to_latent(value, column)), int(transform.beyond(value, column))
    if side:
        mass = float(upper_tail(side * (z - eta) / scale, nu).mean())
        # reported scores in units of the true one that the link cannot tell from the end
        points = float(transform.clip[column])
        if transform.link[column] == "logit":
            points *= float(transform.upper[column] - transform.lower[column])
        return float(np.log(mass * stretch / points))
    density = log_density(z - eta, scale, nu)
    mean = float(log_sum_exp(density) - np.log(density.size))
    return mean + float(np.log(_slope(transform, column, value) * stretch))


def suspicion(log_densities: Mapping[str, float], shares: PriorShares = USUAL) -> tuple[float, str]:
    """Probability that a reading is not as stated, and the likeliest explanation."""
    names = list(log_densities)
    values = np.log(shares.of(names)) + np.array(list(log_densities.values()))
    weights = np.exp(values - log_sum_exp(values))
    probability = float(weights.sum() - weights[names.index(AS_STATED)])
    return min(max(probability, 0.0), 1.0), names[int(np.argmax(weights))]


def learned_shares(evidence: Sequence[Mapping[str, float]]) -> PriorShares:
    """Shares of wrong readings in a table, from all its readings: a table without any has few.

    By expectation-maximisation: the expected numbers of wrong readings, with `PRIOR_READINGS`
    readings of the usual shares added to them, over all that could be wrong.

    Parameters
    ----------
    evidence : sequence of mapping
        From `explanation_log_densities`, one per reading.

    Examples
    --------
    >>> honest = {"as stated": 0.0, "other direction": -9.0, "gross error": -4.0}
    >>> learned_shares([honest] * 1000).gross < USUAL.gross / 4
    True
    """
    others = (DIRECTION, SHARE, PERCENTAGE)
    names = (AS_STATED, GROSS, *others)
    value = np.array([[one.get(name, -np.inf) for name in names] for one in evidence])
    possible = np.isfinite(value).reshape(-1, len(names))
    value = np.where(possible, np.exp(value - value.max(axis=1, keepdims=True)), 0.0)
    ways, shares = possible[:, 2:].sum(axis=1), USUAL
    for _ in range(MOST_STEPS):
        weight = value * [1.0, shares.gross, *[shares.other] * len(others)]
        weight[:, 0] *= 1.0 - shares.gross - shares.other * ways
        weight /= weight.sum(axis=1, keepdims=True)
        wrong, last = weight.sum(axis=0), shares
        shares = PriorShares(
            float(wrong[1] + PRIOR_READINGS * USUAL.gross) / (len(value) + PRIOR_READINGS),
            float(wrong[2:].sum() + PRIOR_READINGS * USUAL.other)
            / float(ways.sum() + PRIOR_READINGS),
        )
        if abs(shares.gross - last.gross) < 1e-4 * last.gross:
            break
    return shares
