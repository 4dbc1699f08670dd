"""The low-rank model as a method of the evaluation.

Raw predictions per fold come first; recalibration is a last step, from held-out predictions that
have nothing to do with the cells it serves: the other folds of the same seed, or cross-fits inside
what the task shows. New releases and probes have methods of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...answers.predictive import predict_cells
from ...fitting.crossfit import HeldOut, held_out_cells
from ...fitting.engines.contract import Engine
from ...fitting.engines.settings import NUTS, SVI
from ...fitting.sample import sample
from ...low_rank.link import Transform
from ...low_rank.spec import ModelSpec
from ...scores.matrix import ScoreMatrix
from ..predictions import CellPredictions, IntArray
from ..tasks import FinishedFold, FoldTask, training_matrix
from .low_rank_options import FOLD_CONFIG, settings
from .raw import held_out, raw_predictions, recalibrated_fold

__all__ = ["LowRank"]

CONFIGS: Mapping[str, Engine] = {
    "low-rank": FOLD_CONFIG,
    "low-rank-nuts": NUTS().lighter(),
    "low-rank-svi": SVI(),
}
"""How each method samples, but for what its options say."""


@dataclass(frozen=True)
class LowRank:
    """Low-rank model fitted to each fold; recalibrated on the seed's other folds.

    Attributes
    ----------
    name : str
    spec : ModelSpec
    config : Engine
    """

    name: str
    spec: ModelSpec = field(default_factory=ModelSpec)
    config: Engine = FOLD_CONFIG

    @classmethod
    def built(cls, name: str, options: Mapping[str, Any]) -> LowRank:
        """The method ``low-rank``, ``low-rank-nuts`` or ``low-rank-svi`` with its options."""
        return cls(name, *settings(name, options, CONFIGS[name]))

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Raw predictions; the latent quantiles and what recalibration needs are in ``extras``."""
        posterior = sample(train, self.spec, self.config, seed=seed % 2**31, check=False)
        made = predict_cells(posterior, cells)
        shown = train.observed
        return raw_predictions(
            made,
            shown.sum(axis=1)[cells[:, 0]].astype(np.float64),
            shown.sum(axis=0)[cells[:, 1]].astype(np.float64),
        )

    def finalize(self, matrix: ScoreMatrix, folds: Sequence[FinishedFold]) -> list[CellPredictions]:
        """Recalibrate each fold on the other folds of its seed, whose cells are disjoint from it.

        A fold alone in its seed is recalibrated on cross-fits inside its own training scores.
        """
        base = Transform.from_matrix(matrix)
        taught = [held_out(matrix, base, fold) for fold in folds]
        out = []
        for number, fold in enumerate(folds):
            others = [
                taught[other]
                for other, candidate in enumerate(folds)
                if other != number and _disjoint(fold.task, candidate.task)
            ]
            if not others:
                train, _ = training_matrix(matrix, fold.task)
                seed = fold.task.random_seed % 2**31
                others = held_out_cells(train, self.spec, self.config.lighter(), seed=seed)
            recalibration = HeldOut.joined(others).recalibration()
            out.append(recalibrated_fold(matrix, base, fold, recalibration))
        return out


def _disjoint(one: FoldTask, other: FoldTask) -> bool:
    return one.seed == other.seed and one.fold != other.fold and one.tags == other.tags
