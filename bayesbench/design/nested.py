"""Nested Monte Carlo information gain: the slow oracle of the Gaussian moments.

Every score is drawn from its own draw's Student-t noise, every density is the mixture over draws
(in logs, log-sum-exp), so nothing is assumed Gaussian. The draw that generated a score is left out
of the mixtures that score it: left in, it would recognise its own score and the gain would be too
large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError
from ..low_rank.noise import log_density, sample
from ..numerics import log_sum_exp
from ..scores.ids import id_indices
from .moments import Floats

if TYPE_CHECKING:
    from ..answers.prediction import LatentDraws

__all__ = [
    "NestedEstimate",
    "nested_bald",
    "nested_epig",
    "sample_scores",
]

_CHUNK = 2_000_000


@dataclass(frozen=True)
class NestedEstimate:
    """A nested Monte Carlo estimate of an information gain.

    Attributes
    ----------
    value : float
        Nats. May be slightly negative by chance.
    mcse : float
        Monte Carlo standard error of the outer average.
    n_outer, n_inner : int
    """

    value: float
    mcse: float
    n_outer: int
    n_inner: int


def sample_scores(
    draws: LatentDraws, benchmark: int, rows: np.ndarray, rng: np.random.Generator
) -> Floats:
    """One predictive reading (latent scale) from each of the draws ``rows``."""
    noise = sample(np.asarray(draws.nu, dtype=np.float64)[rows], (len(rows),), rng)
    eta = np.asarray(draws.eta, dtype=np.float64)[rows, benchmark]
    scores: Floats = eta + np.asarray(draws.noise_scale)[rows, benchmark] * noise
    return scores


def nested_epig(
    draws: LatentDraws, candidate: str, target: str, *, n_outer: int = 2000, seed: int = 0
) -> NestedEstimate:
    r"""Nested Monte Carlo of MI(score of candidate; score of target), two independent readings.

    .. math:: \frac1N \sum_n \log \frac{\hat p(y_n, y^*_n)}{\hat p(y_n) \hat p(y^*_n)}

    with every density a mixture over the other draws, by log-sum-exp.

    Parameters
    ----------
    draws : LatentDraws
        All S draws serve as the inner sample; its error is of order 1/S.
    candidate, target : str
        May be the same benchmark (a second reading of it).
    n_outer : int
        Simulated pairs of scores, at least 2.
    seed : int

    Returns
    -------
    NestedEstimate

    Raises
    ------
    UnknownIdError, UsageError
        For an unknown id; with fewer than 2 draws or outer samples.

    References
    ----------
    Bickford Smith et al., arXiv:2304.08151; Rainforth et al., On nesting Monte Carlo estimators,
    arXiv:1709.06181.
    """
    first = int(id_indices(draws.benchmark_ids, [candidate], "candidate")[0])
    second = int(id_indices(draws.benchmark_ids, [target], "target")[0])
    rng = np.random.default_rng(seed)
    rows = _outer_rows(draws, n_outer, rng)
    y_first = sample_scores(draws, first, rows, rng)
    y_second = sample_scores(draws, second, rows, rng)
    terms = np.empty(n_outer)
    for part in _chunks(n_outer, draws.eta.shape[0]):
        log_first = _others(draws, first, y_first[part], rows[part])
        log_second = _others(draws, second, y_second[part], rows[part])
        n_others = np.log(draws.eta.shape[0] - 1)
        terms[part] = (
            log_sum_exp(log_first + log_second)
            - log_sum_exp(log_first)
            - log_sum_exp(log_second)
            + n_others
        )
    return _estimate(terms, draws)


def nested_bald(
    draws: LatentDraws, candidate: str, *, n_outer: int = 2000, seed: int = 0
) -> NestedEstimate:
    r"""Nested Monte Carlo of MI(score of candidate; its eta).

    .. math:: \frac1N \sum_n \log p(y_n \mid \eta_n) - \log \hat p(y_n)

    Parameters, errors and references as :func:`nested_epig`.
    """
    index = int(id_indices(draws.benchmark_ids, [candidate], "candidate")[0])
    rng = np.random.default_rng(seed)
    rows = _outer_rows(draws, n_outer, rng)
    scores = sample_scores(draws, index, rows, rng)
    eta, scale, nu = _column(draws, index)
    own = log_density(scores - eta[rows], scale[rows], nu[rows])
    terms = np.empty(n_outer)
    for part in _chunks(n_outer, len(eta)):
        log_mixture = log_sum_exp(_others(draws, index, scores[part], rows[part]))
        terms[part] = own[part] - log_mixture + np.log(len(eta) - 1)
    return _estimate(terms, draws)


def _column(draws: LatentDraws, index: int) -> tuple[Floats, Floats, Floats]:
    return (
        np.asarray(draws.eta, dtype=np.float64)[:, index],
        np.asarray(draws.noise_scale, dtype=np.float64)[:, index],
        np.asarray(draws.nu, dtype=np.float64),
    )


def _others(draws: LatentDraws, index: int, scores: Floats, rows: np.ndarray) -> Floats:
    """(N, S) log density of each score under every draw but its own (-inf there)."""
    eta, scale, nu = _column(draws, index)
    density = log_density(scores[:, None] - eta[None, :], scale[None, :], nu[None, :])
    density[np.arange(len(scores)), rows] = -np.inf
    return density


def _outer_rows(draws: LatentDraws, n_outer: int, rng: np.random.Generator) -> np.ndarray:
    n_draws = draws.eta.shape[0]
    if n_outer < 2 or n_draws < 2:
        raise UsageError(f"nested Monte Carlo needs 2 draws or more, got {n_draws} and {n_outer}")
    return rng.permutation(np.resize(np.arange(n_draws), n_outer))


def _chunks(n_outer: int, n_draws: int) -> list[slice]:
    size = max(1, _CHUNK // n_draws)
    return [slice(start, min(start + size, n_outer)) for start in range(0, n_outer, size)]


def _estimate(terms: Floats, draws: LatentDraws) -> NestedEstimate:
    mcse = float(terms.std(ddof=1) / np.sqrt(len(terms)))
    return NestedEstimate(float(terms.mean()), mcse, len(terms), draws.eta.shape[0])
