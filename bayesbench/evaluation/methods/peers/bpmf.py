"""Bayesian matrix factorisation by the SMURFF library, if it is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ....errors import UsageError
from ....scores.matrix import ScoreMatrix
from ...predictions import CellPredictions, FloatArray, IntArray
from .columns import StandardColumns

__all__ = ["Smurff"]


@dataclass(frozen=True)
class Smurff:
    """BPMF of the standardised logits: normal latents under Wishart priors, adaptive noise.

    Needs PyPI ``smurff`` (``pip install 'bayesbench-scores[peers]'``). The mean over the draws is
    the prediction. The same seed gives the same draws.

    Attributes
    ----------
    rank : int
        Latents per model and benchmark.
    burnin, draws : int
        Sweeps thrown away and kept.

    References
    ----------
    Salakhutdinov & Mnih (2008), doi:10.1145/1390156.1390267; Vander Aa et al. (2019),
    arXiv:1904.02514.
    """

    rank: int = 4
    burnin: int = 400
    draws: int = 800
    name: ClassVar[str] = "smurff"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict the cells; `seed` draws the chain.

        Raises
        ------
        UsageError
            If the library is not installed.
        """
        columns = StandardColumns.of(train)
        given = np.argwhere(columns.observed)
        # only what is fitted: a column without scores cannot be predicted
        wanted, place = np.unique(cells, axis=0, return_inverse=True)
        drawn = self._drawn(columns.z, given, wanted, seed)
        z = drawn[place.reshape(-1)]
        return CellPredictions(columns.take(cells[:, 1]).to_score(z))

    def _drawn(self, z: FloatArray, given: IntArray, wanted: IntArray, seed: int) -> FloatArray:
        library = _library()
        from scipy.sparse import coo_matrix

        def sparse(values: FloatArray, at: IntArray) -> Any:
            return coo_matrix((values, (at[:, 0], at[:, 1])), shape=z.shape)

        session = library.TrainSession(
            priors=["normal", "normal"],
            num_latent=self.rank,
            burnin=self.burnin,
            nsamples=self.draws,
            seed=seed % 2**31,
            num_threads=1,
            verbose=0,
        )
        session.addTrainAndTest(
            sparse(z[given[:, 0], given[:, 1]], given),
            sparse(np.ones(len(wanted)), wanted),
            noise=library.AdaptiveNoise(1.0, 100.0),
            is_scarce=True,
        )
        # its own run() draws a progress bar
        session.init()
        while session.step() is not None:
            pass
        found = np.full(z.shape, np.nan)
        for one in session.getTestPredictions():
            found[tuple(one.coords)] = one.pred_avg
        out: FloatArray = found[wanted[:, 0], wanted[:, 1]]
        return out


def _library() -> Any:
    try:
        import smurff
    except ImportError:
        raise UsageError(
            "method 'smurff' needs the package smurff; install bayesbench-scores[peers]"
        ) from None
    return smurff
