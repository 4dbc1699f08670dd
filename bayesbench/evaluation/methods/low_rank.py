"""The low-rank model as a method of the evaluation.

Raw predictions per fold come first; recalibration is a last step, from held-out predictions that
have nothing to do with the cells it serves: the other folds of the same seed, or cross-fits inside
what the task shows. New releases and probes have methods of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...answers.prediction import predict_cells
from ...errors import UsageError
from ...fitting.crossfit import FOLD_CONFIG, HeldOut, held_out_cells
from ...fitting.engines.contract import Engine
from ...fitting.engines.settings import NUTS, SVI, Gibbs
from ...fitting.sample import sample
from ...low_rank.link import Transform
from ...low_rank.spec import ModelSpec
from ...scores.matrix import ScoreMatrix
from ..tasks import FinishedFold, FoldTask, training_matrix
from .new_release import NewReleaseLowRank
from .peers.base import CellPredictions, IntArray
from .probes import ProbesLowRank
from .raw import held_out, raw_predictions, recalibrated_fold

__all__ = ["LowRank", "build"]

ENGINES = {"low-rank": "gibbs", "low-rank-nuts": "nuts", "low-rank-svi": "svi"}
OF_NEW_MODELS = ("new-release", "probes")
"""Protocols about models of which little is known: each has a method of its own."""


def build(
    name: str, *, protocol: str = "folds", **options: Any
) -> LowRank | NewReleaseLowRank | ProbesLowRank:
    """Build a low-rank method.

    Parameters
    ----------
    name : str
        ``low-rank`` (blocked Gibbs), ``low-rank-nuts`` or ``low-rank-svi``.
    protocol : str
    **options
        Fields of `ModelSpec` (``rank=4``), or ``draws``, ``warmup``, ``thin`` of the engine, or
        for ``new-release`` how ``update``: ``"refit"`` or ``"condition"``.

    Raises
    ------
    UsageError
        An option is not one of these.
    """
    engine = ENGINES[name]
    sampling = {key: options.pop(key) for key in ("draws", "warmup", "thin") if key in options}
    update = options.pop("update", "refit") if protocol == "new-release" else "refit"
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in options.items()}
    try:
        spec = ModelSpec(**options)
        if engine == "gibbs":
            config: Engine = replace(FOLD_CONFIG, **sampling)
        elif engine == "nuts":
            config = replace(NUTS().lighter(), **sampling)
        else:
            config = SVI(**sampling)
    except TypeError as error:
        raise UsageError(f"method {name!r}: {error}") from error
    if protocol in OF_NEW_MODELS:
        if engine != "gibbs":
            raise UsageError(f"protocol {protocol!r} runs with low-rank, not {name!r}")
        if protocol == "probes":
            planning = replace(Gibbs().lighter(), **sampling)
            return ProbesLowRank(name, spec, config, planning)
        return NewReleaseLowRank(name, spec, config, update)
    return LowRank(name, spec, config)


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
