"""The low-rank model as a method of the evaluation.

Raw predictions per fold come first; recalibration is a last step, from held-out predictions that
have nothing to do with the cells it serves: the other folds of the same seed (protocol ``folds``),
or cross-fits inside what the task shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..baselines.base import CellPredictions, IntArray
from ..calibrate import Recalibration
from ..config import GibbsConfig, ModelSpec, NUTSConfig, SVIConfig
from ..crossfit import (
    CROSSFIT_CONFIG,
    FOLD_CONFIG,
    HeldOut,
    condition_on_row,
    held_out_cells,
    held_out_models,
)
from ..errors import UsageError
from ..inference.gibbs import fit_gibbs
from ..posterior import Posterior
from ..predict import PREDICTIVE_LEVELS, predict_cells
from ..scores.matrix import ScoreMatrix
from ..transforms import Transform
from .probes_method import ProbesLowRank
from .raw import held_out, raw_predictions, recalibrated_fold
from .tasks import FinishedFold, FoldTask, training_matrix

__all__ = ["LowRank", "NewReleaseLowRank", "build"]

ENGINES = {"low-rank": "gibbs", "low-rank-nuts": "nuts", "low-rank-svi": "svi"}
CONDITIONED = ("new-release", "probes")
"""Protocols about models the fit has not seen: answered by conditioning."""
FOLD_NUTS = NUTSConfig(chains=1, warmup=300, draws=400, max_tree_depth=8)

Floats = NDArray[np.float64]


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
        Fields of `ModelSpec` (``rank=4``), or ``draws``, ``warmup``, ``thin`` of the engine.

    Raises
    ------
    UsageError
        An option is not one of these.
    """
    engine = ENGINES[name]
    sampling = {key: options.pop(key) for key in ("draws", "warmup", "thin") if key in options}
    try:
        spec = ModelSpec(**options)
        if engine == "gibbs":
            config: Any = replace(FOLD_CONFIG, **sampling)
        elif engine == "nuts":
            config = replace(FOLD_NUTS, **sampling)
        else:
            config = SVIConfig(**sampling)
    except TypeError as error:
        raise UsageError(f"method {name!r}: {error}") from error
    if protocol in CONDITIONED:
        if engine != "gibbs":
            raise UsageError(f"protocol {protocol!r} runs with low-rank, not {name!r}")
        if protocol == "probes":
            planning = replace(CROSSFIT_CONFIG, **sampling)
            return ProbesLowRank(name, spec, config, planning)
        return NewReleaseLowRank(name, spec, config)
    return LowRank(name, spec, config)


def _fit(train: ScoreMatrix, spec: ModelSpec, config: Any, seed: int) -> Posterior:
    if isinstance(config, GibbsConfig):
        return fit_gibbs(train, spec, config, seed=seed, check=False)
    if isinstance(config, NUTSConfig):
        from ..inference.nuts import fit_nuts

        return fit_nuts(train, spec, config, seed=seed)
    from ..inference.svi import fit_svi

    return fit_svi(train, spec, config, seed=seed)


@dataclass(frozen=True)
class LowRank:
    """Low-rank model fitted to each fold; recalibrated on the seed's other folds.

    Attributes
    ----------
    name : str
    spec : ModelSpec
    config : GibbsConfig, NUTSConfig or SVIConfig
    """

    name: str
    spec: ModelSpec = field(default_factory=ModelSpec)
    config: Any = FOLD_CONFIG

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Raw predictions; the latent quantiles and what recalibration needs are in ``extras``."""
        posterior = _fit(train, self.spec, self.config, seed % 2**31)
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
                others = list(held_out_cells(train, self.spec, seed=seed))
            recalibration = HeldOut.joined(others).recalibration()
            out.append(recalibrated_fold(matrix, base, fold, recalibration))
        return out


def _disjoint(one: FoldTask, other: FoldTask) -> bool:
    return one.seed == other.seed and one.fold != other.fold and one.tags == other.tags


@dataclass(frozen=True)
class NewReleaseLowRank:
    """Low-rank model of the other models, conditioned on the scores each new model shows.

    One fit serves all tasks that share their other models. Recalibrated on cross-fits of whole
    models inside the training scores, in time order where dates are known.

    Attributes
    ----------
    name : str
    spec : ModelSpec
    config : GibbsConfig
    padding : int
        Readings of every fit are padded to this number; 0 takes the matrix's own.
    """

    name: str
    spec: ModelSpec = field(default_factory=ModelSpec)
    config: GibbsConfig = FOLD_CONFIG
    padding: int = 0

    batch = "group"

    def predict(self, train: ScoreMatrix, cells: IntArray, seed: int) -> CellPredictions:
        """Predict models by conditioning a fit of the models that have no cell to predict."""
        rest = np.setdiff1d(np.flatnonzero(train.observed.any(axis=1)), cells[:, 0])
        posterior, recalibration = self._fitted(train, rest, seed)
        return self._conditioned(posterior, recalibration, train, cells, seed)

    def predict_tasks(
        self, matrix: ScoreMatrix, tasks: Sequence[FoldTask]
    ) -> list[CellPredictions]:
        """One fit for the tasks that share their other models; every task by conditioning."""
        fits: dict[tuple[int, ...], tuple[Posterior, Recalibration | None]] = {}
        out = []
        for task in tasks:
            rows = np.arange(matrix.shape[0]) if task.rows is None else task.rows
            rest = np.setdiff1d(rows, task.cells[:, 0])
            key = tuple(rest.tolist())
            train = matrix.mask(task.hidden)
            if key not in fits:
                fits[key] = self._fitted(train, rest, tasks[0].random_seed)
            posterior, recalibration = fits[key]
            out.append(
                self._conditioned(posterior, recalibration, train, task.cells, task.random_seed)
            )
        return out

    def _fitted(
        self, matrix: ScoreMatrix, rest: IntArray, seed: int
    ) -> tuple[Posterior, Recalibration | None]:
        """Fit the scores of the models `rest`; all other rows stay, empty, to keep the shape."""
        hidden = matrix.observed.copy()
        hidden[rest] = False
        others = matrix.mask(hidden)
        seed %= 2**31
        n = int(self.padding or matrix.n_cells)
        posterior = fit_gibbs(others, self.spec, self.config, seed=seed, n_readings=n, check=False)
        parts = list(
            held_out_models(others, self.spec, seed=seed, config=self.config, n_readings=n)
        )
        return posterior, HeldOut.joined(parts).recalibration() if parts else None

    def _conditioned(
        self,
        posterior: Posterior,
        recalibration: Recalibration | None,
        train: ScoreMatrix,
        cells: IntArray,
        seed: int,
    ) -> CellPredictions:
        median = np.full(len(cells), np.nan)
        quantiles = np.full((len(cells), PREDICTIVE_LEVELS.size), np.nan)
        per_benchmark = posterior.matrix.observed.sum(axis=0)
        for model in np.unique(cells[:, 0]):
            rows = np.flatnonzero(cells[:, 0] == model)
            columns = cells[rows, 1]
            shown = np.flatnonzero(train.observed[model])
            made = condition_on_row(posterior, train, int(model), shown, seed % 2**31)
            made = made.take(columns)
            if recalibration is not None:
                part = HeldOut.of(
                    made,
                    np.full(rows.size, np.nan),
                    np.full(rows.size, float(shown.size)),
                    per_benchmark[columns].astype(np.float64),
                )
                fixed = recalibration.apply(made.quantiles, PREDICTIVE_LEVELS, part.features)
                made = replace(made, quantiles=fixed)
            median[rows], quantiles[rows] = made.median, made.score_quantiles
        return CellPredictions(median, quantiles)
