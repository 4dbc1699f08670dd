"""Gaussian moments of one model's joint score predictive.

A score of benchmark j is ``eta_j + noise``: over posterior draws eta has a mean and a covariance
(the *signal*, shared between benchmarks), and the reading noise adds a variance of its own to the
diagonal. All on the latent scale; mutual information does not change under the link, so it is the
information about the score itself, in nats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..low_rank.noise import entropy_power

if TYPE_CHECKING:
    from ..answers.predictive import LatentDraws

__all__ = ["Moments", "moments"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """First two moments of a model's scores over benchmarks (latent scale).

    Attributes
    ----------
    benchmark_ids : tuple of str
    mean : (B,) array
        Mean of eta.
    signal : (B, B) array
        Covariance of eta: what a reading of one benchmark can tell about another.
    noise : (B,) array
        Variance of a reading around eta (for Student-t noise the entropy power, see
        `low_rank.noise.entropy_power`).
    n_draws : int or None
        Draws behind ``signal``; None if it is exact. Used to take the noise of a sample
        covariance out of the information.
    """

    benchmark_ids: tuple[str, ...]
    mean: Floats
    signal: Floats
    noise: Floats
    n_draws: int | None = None

    @property
    def variance(self) -> Floats:
        """(B,) variance of a reading: signal plus noise."""
        total: Floats = np.diagonal(self.signal) + self.noise
        return total

    def given(self, index: int) -> Moments:
        """Moments of eta after a reading of benchmark ``index`` (a rank-one Schur complement).

        The mean is left where it is: its expectation over the reading not yet seen.
        """
        column = self.signal[:, index]
        signal = self.signal - np.outer(column, column) / (column[index] + self.noise[index])
        return Moments(self.benchmark_ids, self.mean, signal, self.noise, self.n_draws)

    def without_chance(self) -> Moments:
        r"""The same with the chance part of a sample covariance taken out, as if exact.

        Between unrelated benchmarks a squared correlation r of S draws is ``1 / (S - 1)`` on
        average. Of its squared correlations with all the others, benchmark i keeps the share that
        lies above that,

        .. math:: q_i = \max(0, 1 - \frac{B - 1}{S - 1} / \sum_{j \ne i} r_{ij}^2)

        and the covariance of i and j is multiplied by :math:`(q_i q_j)^{1/4}`; variances stay.
        Scaling by a vector and filling up the diagonal leaves a covariance: unlike a correction
        pair by pair, no variance given any readings can then fall below the noise.
        """
        if self.n_draws is None:
            return self
        variance = np.maximum(np.diagonal(self.signal), 0.0)
        product = np.outer(variance, variance)
        squared = np.divide(self.signal**2, product, out=np.zeros_like(product), where=product > 0)
        np.fill_diagonal(squared, 0.0)
        found = squared.sum(axis=1)
        chance = (len(variance) - 1) / (self.n_draws - 1)
        share = np.maximum(1.0 - chance / np.where(found > 0, found, np.inf), 0.0)
        share[found == 0] = 0.0
        kept = share**0.25
        signal = self.signal * np.outer(kept, kept)
        np.fill_diagonal(signal, variance)
        return Moments(self.benchmark_ids, self.mean, signal, self.noise)


def moments(draws: LatentDraws) -> Moments:
    """Gaussian moments of the joint predictive over draws.

    Parameters
    ----------
    draws : LatentDraws
        ``eta`` (S, B), ``noise_scale`` (S, B), ``nu`` (S,); at least 3 draws.

    Returns
    -------
    Moments
        ``signal`` is the sample covariance of eta, ``noise`` the mean over draws of
        ``noise_scale**2 * entropy_power(nu)``.

    Raises
    ------
    UsageError
        With fewer than 3 draws.
    """
    n_draws = draws.eta.shape[0]
    if n_draws < 3:
        raise UsageError(f"moments need at least 3 draws, got {n_draws}")
    eta = np.asarray(draws.eta, dtype=np.float64)
    mean = eta.mean(axis=0)
    centred = eta - mean
    signal = centred.T @ centred / (n_draws - 1)
    scale = np.asarray(draws.noise_scale, dtype=np.float64)
    noise = np.einsum("s,sb,sb->b", entropy_power(draws.nu), scale, scale) / n_draws
    return Moments(tuple(draws.benchmark_ids), mean, signal, noise, n_draws)
