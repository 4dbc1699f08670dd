"""Gaussian moments of one model's joint score predictive, and information under them.

A score of benchmark j is ``eta_j + noise``: over posterior draws eta has a mean and a covariance
(the *signal*, shared between benchmarks), and the reading noise adds a variance of its own to the
diagonal. All on the latent scale; mutual information does not change under the link, so it is the
information about the score itself, in nats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..low_rank.noise import entropy_power

if TYPE_CHECKING:
    from ..answers.prediction import LatentDraws

__all__ = ["Moments", "gaussian_mi", "moments"]

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

    def given_all(self, indices: Sequence[int]) -> Moments:
        """Moments of eta after readings of several benchmarks."""
        result = self
        for index in indices:
            result = result.given(index)
        return result


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


def gaussian_mi(covariance: npt.ArrayLike, first: Sequence[int], second: Sequence[int]) -> float:
    r"""Exact mutual information of two blocks of a Gaussian vector, in nats.

    .. math:: I = \tfrac12 (\log|K_{AA}| + \log|K_{BB}| - \log|K_{A \cup B}|)

    Parameters
    ----------
    covariance : (D, D) array-like
        Positive definite covariance of the whole vector.
    first, second : sequences of int
        Disjoint indices of the two blocks; an empty block gives 0.

    Raises
    ------
    UsageError
        If the blocks overlap or the covariance is not positive definite.
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    if set(first) & set(second):
        raise UsageError(f"blocks overlap at {sorted(set(first) & set(second))}")
    blocks = [list(first), list(second), [*first, *second]]
    log_dets = []
    for block in blocks:
        sign, log_det = np.linalg.slogdet(matrix[np.ix_(block, block)])
        if block and sign <= 0:
            raise UsageError("the covariance is not positive definite")
        log_dets.append(float(log_det) if block else 0.0)
    return 0.5 * (log_dets[0] + log_dets[1] - log_dets[2])
