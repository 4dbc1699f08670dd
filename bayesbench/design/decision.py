"""Which probe would tell which model is best: a value of information, by nested Monte Carlo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, UsageError
from ..low_rank.noise import log_density, sample
from ..numerics import log_sum_exp
from .gain import candidate_indices
from .moments import Floats

if TYPE_CHECKING:
    from ..answers.predictive import LatentDraws

__all__ = ["Estimate", "decision_information", "sample_scores"]


@dataclass(frozen=True)
class Estimate:
    """A nested Monte Carlo estimate of an information gain.

    Attributes
    ----------
    value : float
        Nats. May be slightly negative by chance.
    mcse : float
        Monte Carlo standard error of the outer average.
    n_outer : int
        Readings simulated.
    n_inner : int
        Draws that each of them is judged by.
    """

    value: float
    mcse: float
    n_outer: int
    n_inner: int

    @classmethod
    def of(cls, terms: Floats, n_inner: int) -> Estimate:
        """Mean and standard error of one term per simulated reading."""
        mcse = float(terms.std(ddof=1) / np.sqrt(len(terms)))
        return cls(float(terms.mean()), mcse, len(terms), n_inner)


def sample_scores(
    draws: LatentDraws, benchmark: int, rows: npt.NDArray[Any], rng: np.random.Generator
) -> Floats:
    """One predictive reading (latent scale) from each of the draws ``rows``."""
    noise = sample(np.asarray(draws.nu, dtype=np.float64)[rows], (len(rows),), rng)
    eta = np.asarray(draws.eta, dtype=np.float64)[rows, benchmark]
    scores: Floats = eta + np.asarray(draws.noise_scale)[rows, benchmark] * noise
    return scores


def decision_information(
    draws: LatentDraws,
    best: npt.ArrayLike,
    candidates: Sequence[str],
    *,
    n_outer: int = 400,
    seed: int = 0,
) -> tuple[Estimate, ...]:
    r"""Information a probe of one model carries about which of several models is best, in nats.

    .. math:: I(D; y) = E_y \sum_d P(d \mid y) \log \frac{P(d \mid y)}{P(d)}, \quad
       D = \arg\max_m \mu_m

    By Monte Carlo over draws: y is a simulated reading of the candidate by the probed model, and
    P(d | y) weighs the other draws by their density of y (log-sum-exp). The draw that made a
    reading is left out: it would recognise its own. Too large by about (models - 1) / (2 S) nats,
    the floor to compare small gains with.

    Parameters
    ----------
    draws : LatentDraws
        Of the model that would be run.
    best : (S,) int array
        Which model is best in every one of these draws, judged without noise (a reading of its
        own would not settle which model is better): from the ``totals`` of paired draws.
    candidates : sequence of str
        Benchmarks it could be run on. One it has run already tells nothing more: 0.
    n_outer : int
        Simulated readings per candidate.
    seed : int

    Returns
    -------
    tuple of Estimate, one per candidate

    Raises
    ------
    UnknownIdError
        For an unknown candidate.
    UsageError
        Without a candidate; with fewer than 2 simulated readings.
    DataError
        If ``best`` does not have one entry per draw.

    Examples
    --------
    The better the model does on ``arc``, the likelier it is the best; ``ifeval`` is unrelated.

    >>> from bayesbench.answers.predictive import LatentDraws
    >>> eta = np.random.default_rng(0).normal(size=(1000, 2))
    >>> noise, normal, unknown = np.full((1000, 2), 0.3), np.full(1000, np.inf), np.full(2, np.nan)
    >>> draws = LatentDraws("new-model", ("arc", "ifeval"), eta, noise, normal, unknown)
    >>> arc, ifeval = decision_information(draws, eta[:, 0] > 0.0, ["arc", "ifeval"])
    >>> print(f"{arc.value:.1f} {ifeval.value:.1f}")
    0.5 0.0
    """
    if n_outer < 2:
        raise UsageError(f"n_outer must be at least 2, got {n_outer}")
    decided = np.asarray(best, dtype=np.int64)
    if decided.shape != (len(draws.eta),):
        raise DataError(
            f"best has shape {decided.shape}, expected one entry for each of {len(draws.eta)} draws"
        )
    columns = candidate_indices(draws.benchmark_ids, candidates)
    member = decided[None, :] == np.unique(decided)[:, None]
    rng = np.random.default_rng(seed)
    return tuple(_one_candidate(draws, int(c), member, n_outer, rng) for c in columns)


def _one_candidate(
    draws: LatentDraws,
    column: int,
    member: npt.NDArray[np.bool_],
    n_outer: int,
    rng: np.random.Generator,
) -> Estimate:
    n_draws = len(draws.eta)
    if np.isfinite(draws.observed[column]):
        return Estimate(0.0, 0.0, n_outer, n_draws)
    rows = rng.permutation(np.resize(np.arange(n_draws), n_outer))
    y = sample_scores(draws, column, rows, rng)
    eta = np.asarray(draws.eta, dtype=np.float64)[None, :, column]
    scale = np.asarray(draws.noise_scale, dtype=np.float64)[None, :, column]
    nu = np.asarray(draws.nu, dtype=np.float64)[None, :]
    density = log_density(y[:, None] - eta, scale, nu)
    density[np.arange(n_outer), rows] = -np.inf
    weight = np.exp(density - log_sum_exp(density)[:, None])
    posterior = weight @ member.T
    prior = (member.sum(axis=1)[None, :] - member.T[rows]) / (n_draws - 1)
    possible = posterior > 0
    ratio = np.where(possible, posterior, 1.0) / np.where(possible, prior, 1.0)
    return Estimate.of((posterior * np.log(ratio)).sum(axis=1), n_draws)
