"""Factors that can be named: draws turned onto one another, and the benchmarks at their ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import UsageError
from ..posterior.stored import StoredPosterior

__all__ = ["AlignedFactors", "align_factors", "aligned_factors", "factor_ends", "varimax"]

Floats = NDArray[np.float64]

ALIGNMENT_PASSES = 10
"""Passes of generalised Procrustes; two or three are enough where the factors are identified."""


def varimax(loadings: Floats, *, passes: int = 200, tolerance: float = 1e-10) -> Floats:
    """Orthogonal rotation (K, K) that makes ``loadings @ rotation`` (B, K) as simple as can be.

    Maximises the variance of the squared entries within columns (Kaiser 1958,
    doi:10.1007/BF02289233), by repeated projection.
    """
    size = loadings.shape[1]
    rotation, before = np.eye(size), 0.0
    for _ in range(passes):
        turned = loadings @ rotation
        slope = loadings.T @ (turned**3 - turned * (turned**2).mean(axis=0))
        left, power, right = np.linalg.svd(slope)
        rotation = left @ right
        if power.sum() <= before * (1 + tolerance):
            break
        before = float(power.sum())
    return rotation


@dataclass(frozen=True, eq=False)
class AlignedFactors:
    """Draws of the factors after alignment; a factor is the same thing in every draw.

    Attributes
    ----------
    model_ids, benchmark_ids : tuple of str
    weights : (S, B, K) array
        Of the benchmarks on the factors, latent scale.
    factors : (S, M, K) array
        Of the models, in units of their prior spread.
    congruence : (S, K) array
        Tucker's congruence (cosine) of each draw's weights with their mean. Near 1: the factor
        is pinned down by the data; a factor well below about 0.8 should not be named.
    """

    model_ids: tuple[str, ...]
    benchmark_ids: tuple[str, ...]
    weights: Floats
    factors: Floats
    congruence: Floats

    @property
    def size(self) -> Floats:
        """Spread of eta that a factor accounts for, (S, K), latent scale.

        Root of (mean squared weight over benchmarks x variance of the factor over models).
        """
        return np.asarray(np.sqrt((self.weights**2).mean(axis=1) * self.factors.var(axis=1)))


def align_factors(weights: NDArray[Any], factors: NDArray[Any]) -> tuple[Floats, Floats]:
    """Undo rotations, reflections and permutations of the factors between draws.

    The first reference holds the leading eigenvectors of the mean of ``W W'``, which no rotation
    changes; every draw is turned onto the reference by orthogonal Procrustes, the mean becomes
    the next reference (Assmann, Boysen-Hogrefe & Pape 2016, doi:10.1016/j.jeconom.2015.10.010).
    The mean is then turned to varimax, its factors ordered by their sum of squared weights, and
    signed so that the heavier end of the weights is positive. ``W F'`` is unchanged in each draw.

    Parameters
    ----------
    weights : (S, B, K) array
    factors : (S, M, K) array

    Returns
    -------
    weights, factors : arrays of the same shapes
    """
    w, f = np.asarray(weights, np.float64), np.asarray(factors, np.float64)
    size = w.shape[2]
    power, vectors = np.linalg.eigh(np.tensordot(w, w, axes=([0, 2], [0, 2])) / len(w))
    reference = (vectors * np.sqrt(np.maximum(power, 0.0)))[:, ::-1][:, :size]
    for _ in range(ALIGNMENT_PASSES):
        turns = _procrustes(w, reference)
        mean = (w @ turns).mean(axis=0)
        settled = np.allclose(mean, reference, atol=1e-6 * np.abs(mean).max())
        reference = mean
        if settled:
            break
    last = varimax(reference)
    turned = reference @ last
    last = last[:, np.argsort(-(turned**2).sum(axis=0), kind="stable")]
    last = last * np.where(((reference @ last) ** 3).sum(axis=0) < 0, -1.0, 1.0)
    turns = turns @ last
    return w @ turns, f @ turns


def _procrustes(source: Floats, target: Floats) -> Floats:
    """Orthogonal (S, K, K) Q that minimise ``|source_s Q_s - target|``."""
    left, _, right = np.linalg.svd(source.transpose(0, 2, 1) @ target)
    return np.asarray(left @ right)


def aligned_factors(posterior: StoredPosterior, *, n_draws: int = 1000) -> AlignedFactors:
    """Aligned factor draws of a posterior.

    The ability stays as it is: its loadings have a prior mean away from zero, which fixes it.

    Parameters
    ----------
    posterior : StoredPosterior
    n_draws : int
        Thinned to about so many.

    Raises
    ------
    UsageError
        The low-rank model was fitted without factors.
    """
    if "weights" not in posterior.draws:
        raise UsageError("this posterior has no factors (rank 0); fit with a rank of 1 or more")
    thin = posterior.thin(n_draws)
    weights, factors = align_factors(thin.stacked("weights"), thin.stacked("factors"))
    mean = weights.mean(axis=0)
    norms = np.linalg.norm(weights, axis=1) * np.linalg.norm(mean, axis=0)
    congruence = np.einsum("sbk,bk->sk", weights, mean) / np.maximum(norms, 1e-300)
    return AlignedFactors(
        posterior.model_ids, posterior.benchmark_ids, weights, factors, congruence
    )


def factor_ends(aligned: AlignedFactors, *, n: int = 5, prob: float = 0.9) -> pd.DataFrame:
    """Benchmarks at the two ends of every factor, with credible intervals of their weights.

    Ranked by the end of the interval that lies nearer to zero, so that a benchmark with a large
    but doubtful weight does not name a factor.

    Parameters
    ----------
    aligned : AlignedFactors
    n : int
        Benchmarks per end.
    prob : float
        Probability of the equal-tailed intervals.

    Returns
    -------
    pandas.DataFrame
        ``factor`` (from 1), ``end`` (``"high"`` or ``"low"``), ``benchmark_id``, ``weight``
        (median), ``lower``, ``upper``, ``clear`` (the interval leaves out 0).
    """
    tails = [(1 - prob) / 2, 0.5, (1 + prob) / 2]
    lower, median, upper = np.quantile(aligned.weights, tails, axis=0)
    rows = []
    for k in range(median.shape[1]):
        high = np.argsort(-lower[:, k], kind="stable")[:n]
        low = np.argsort(upper[:, k], kind="stable")[:n]
        for end, chosen in (("high", high), ("low", low)):
            for j in chosen:
                interval = float(lower[j, k]), float(upper[j, k])
                clear = interval[0] > 0 if end == "high" else interval[1] < 0
                rows.append(
                    (k + 1, end, aligned.benchmark_ids[j], float(median[j, k]), *interval, clear)
                )
    names = ["factor", "end", "benchmark_id", "weight", "lower", "upper", "clear"]
    return pd.DataFrame(rows, columns=names)
