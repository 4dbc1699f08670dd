"""Slow, independent ways to the numbers of ``bayesbench.design``.

Closed forms by block determinants; nested Monte Carlo, where nothing is assumed Gaussian: every
score is drawn from its own draw's Student-t noise, every density is the mixture over draws (in
logs). The draw that generated a score is left out of the mixtures that score it: left in, it would
recognise its own score and the gain would be too large.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bayesbench.answers.predictive import LatentDraws
from bayesbench.design.decision import Estimate, sample_scores
from bayesbench.low_rank.noise import log_density
from bayesbench.numerics import log_sum_exp

Floats = npt.NDArray[np.float64]


def gaussian_mi(covariance: npt.ArrayLike, first: Sequence[int], second: Sequence[int]) -> float:
    """Mutual information of two disjoint blocks of a Gaussian vector, nats; 0 for an empty one."""
    matrix = np.asarray(covariance, dtype=np.float64)
    log_dets = []
    for block in (list(first), list(second), [*first, *second]):
        sign, log_det = np.linalg.slogdet(matrix[np.ix_(block, block)])
        assert sign > 0
        log_dets.append(float(log_det))
    return 0.5 * (log_dets[0] + log_dets[1] - log_dets[2])


def two_readings(signal: Floats, noise: Floats) -> Floats:
    """Covariance of two independent readings of every benchmark, (2B, 2B)."""
    return np.tile(signal, (2, 2)) + np.diag(np.tile(noise, 2))


def chance_free(signal: Floats, n_draws: int | None) -> Floats:
    """Covariance of eta with the chance part of a sample of ``n_draws`` taken out, in loops."""
    if n_draws is None:
        return signal
    n = len(signal)
    shares = []
    for i in range(n):
        others = [signal[i, j] ** 2 / signal[i, i] / signal[j, j] for j in range(n) if j != i]
        found = sum(others)
        beyond = sum(one - 1 / (n_draws - 1) for one in others)
        shares.append(max(beyond, 0.0) / found if found else 0.0)
    cleaned = signal.copy()
    for i in range(n):
        for j in range(n):
            if i != j:
                cleaned[i, j] *= math.sqrt(math.sqrt(shares[i] * shares[j]))
    return cleaned


def worth(
    signal: Floats,
    noise: Floats,
    batch: Sequence[int],
    weights: Mapping[int, float],
    n_draws: int | None = None,
) -> float:
    """What a batch tells about weighted targets, by determinants; a target run is known."""
    cleaned = chance_free(signal, n_draws)
    covariance = two_readings(cleaned, noise)
    total = 0.0
    for t, weight in weights.items():
        if t in batch:
            total += weight * 0.5 * math.log((signal[t, t] + noise[t]) / noise[t])
        elif batch:
            total += weight * gaussian_mi(covariance, list(batch), [len(noise) + t])
    return total


def nested_epig(
    draws: LatentDraws, candidate: int, target: int, *, n_outer: int = 2000, seed: int = 0
) -> Estimate:
    r"""MI(score of candidate; score of target), two independent readings (maybe of the same).

    .. math:: \frac1N \sum_n \log \frac{\hat p(y_n, y^*_n)}{\hat p(y_n) \hat p(y^*_n)}

    with every density a mixture over the other draws; its error is of order 1/S. Rainforth et
    al., On nesting Monte Carlo estimators, arXiv:1709.06181.
    """
    rng = np.random.default_rng(seed)
    rows = _outer_rows(draws, n_outer, rng)
    y_first = sample_scores(draws, candidate, rows, rng)
    y_second = sample_scores(draws, target, rows, rng)
    log_first = _others(draws, candidate, y_first, rows)
    log_second = _others(draws, target, y_second, rows)
    terms = (
        log_sum_exp(log_first + log_second)
        - log_sum_exp(log_first)
        - log_sum_exp(log_second)
        + np.log(draws.n_draws - 1)
    )
    return Estimate.of(terms, draws.n_draws)


def nested_bald(
    draws: LatentDraws, candidate: int, *, n_outer: int = 2000, seed: int = 0
) -> Estimate:
    r"""MI(score of candidate; its eta).

    .. math:: \frac1N \sum_n \log p(y_n \mid \eta_n) - \log \hat p(y_n)
    """
    rng = np.random.default_rng(seed)
    rows = _outer_rows(draws, n_outer, rng)
    scores = sample_scores(draws, candidate, rows, rng)
    eta, scale, nu = draws.eta[rows, candidate], draws.noise_scale[rows, candidate], draws.nu[rows]
    log_mixture = log_sum_exp(_others(draws, candidate, scores, rows))
    terms = log_density(scores - eta, scale, nu) - log_mixture + np.log(draws.n_draws - 1)
    return Estimate.of(terms, draws.n_draws)


def _others(draws: LatentDraws, index: int, scores: Floats, rows: npt.NDArray[np.int64]) -> Floats:
    """(N, S) log density of each score under every draw but its own (-inf there)."""
    away = scores[:, None] - draws.eta[None, :, index]
    density = log_density(away, draws.noise_scale[None, :, index], draws.nu[None, :])
    density[np.arange(len(scores)), rows] = -np.inf
    return density


def _outer_rows(
    draws: LatentDraws, n_outer: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    return rng.permutation(np.resize(np.arange(draws.n_draws), n_outer))
