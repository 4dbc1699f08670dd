"""Joint draws of scores whose margins are the predictions that are printed.

The recalibration acts on draws: a margin is mapped by a monotone map of levels, so ranks within it
stay, and with them the dependence between benchmarks and between models. Averages, gaps,
probabilities of being better and rank distributions are statements about these draws.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from ..low_rank.noise import sample
from .predictive import LatentDraws, Predictive

__all__ = ["KINDS", "LEAST_DRAWS", "Kind", "ScoreDraws", "id_number"]

Floats = NDArray[np.float64]

Kind = Literal["score", "known", "mu"]
KINDS: tuple[Kind, ...] = ("score", "known", "mu")
LEAST_DRAWS = 4000
"""Joint draws are at least so many: each draw of the posterior gets several readings."""


@dataclass(frozen=True, eq=False)
class ScoreDraws:
    """Joint draws of one model's scores on some benchmarks.

    Draw n belongs to the posterior's draw ``n // R``, as far as `prediction.slots` can say so: the
    draws of two models of one posterior are paired, and what both do not know together cancels.

    Attributes
    ----------
    model_id : str
    benchmark_ids : tuple of str
    values : (N, B) array
        Score scale; every column has the quantiles of `Predictive`.
    """

    model_id: str
    benchmark_ids: tuple[str, ...]
    values: Floats

    @classmethod
    def of(
        cls,
        latent: LatentDraws,
        raw: Predictive,
        calibrated: Predictive,
        *,
        kind: Kind = "score",
        seed: int = 0,
    ) -> ScoreDraws:
        """Draws of one model, with margins as `calibrated`.

        Parameters
        ----------
        latent : LatentDraws
        raw, calibrated : Predictive
            Of the same benchmarks in the same order, before and after recalibration.
        kind : {"score", "known", "mu"}
            A new reading, as predicted; the score that is known where there is one, else a
            reading; or the level without reading noise. A level is mapped as a reading of that
            height would be.
        seed : int
            Of the noise; a cell has its own stream, whatever else is drawn.

        Raises
        ------
        DataError
            Draws and predictions are of different benchmarks.
        UsageError
            An unknown kind.
        """
        if not latent.benchmark_ids == raw.benchmark_ids == calibrated.benchmark_ids:
            raise DataError("joint draws: draws and predictions are of different benchmarks")
        if kind not in KINDS:
            raise UsageError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
        latent = latent.in_slots()
        repeats = math.ceil(LEAST_DRAWS / latent.n_draws)
        order = np.repeat(np.arange(latent.n_draws), repeats)
        if kind == "mu":
            values = _levels(latent, raw, calibrated)[order]
        else:
            values = _readings(latent, calibrated, order, seed)
        if kind == "known":
            known = np.isfinite(latent.observed)
            values[:, known] = latent.observed[known]
        return cls(latent.model_id, latent.benchmark_ids, values)


def _readings(
    latent: LatentDraws, calibrated: Predictive, order: NDArray[np.int64], seed: int
) -> Floats:
    """Readings in rank order of their draws with noise, as quantiles of the calibrated law."""
    n = order.size
    nu = np.asarray(latent.nu, np.float64)[order]
    ascending = calibrated.table((np.arange(n) + 0.5) / n)
    ascending[calibrated.transform.sign[calibrated.column] < 0] = ascending[
        calibrated.transform.sign[calibrated.column] < 0, ::-1
    ]
    values = np.empty((n, len(latent.benchmark_ids)))
    for j, benchmark_id in enumerate(latent.benchmark_ids):
        rng = np.random.default_rng([seed, id_number(latent.model_id), id_number(benchmark_id)])
        noise = sample(nu, (n,), rng)
        reading = latent.eta[order, j] + latent.noise_scale[order, j] * noise
        values[np.argsort(reading, kind="stable"), j] = ascending[j]
    return values


def _levels(latent: LatentDraws, raw: Predictive, calibrated: Predictive) -> Floats:
    """Linear predictors moved by the map from raw to calibrated quantiles, (S, B), score scale."""
    eta = np.asarray(latent.eta, np.float64)
    moved = np.empty_like(eta)
    for j in range(eta.shape[1]):
        a, b = raw.quantiles[j], calibrated.quantiles[j]
        inside = np.clip(eta[:, j], a[0], a[-1])
        moved[:, j] = np.interp(inside, a, b) + (eta[:, j] - inside)
    column = np.broadcast_to(calibrated.column, moved.shape)
    return calibrated.transform.to_score(moved, column)


def id_number(name: str) -> int:
    """A number that depends on the id alone, the same in every process."""
    return zlib.crc32(name.encode())
