"""Cross-fitting: held-out predictions of a training matrix, to recalibrate a posterior with.

One for each kind of prediction that is asked for: missing cells of fitted models (every model's
scores dealt into folds), models the fit never saw (whole models left out, a few of their scores
shown by conditioning), and new models fitted again with the rest (the same, a few of their scores
in the fit). All fits of a matrix share one compiled program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..answers.calibrated import predictive_features
from ..answers.condition import condition
from ..answers.predictive import PREDICTIVE_LEVELS, Predictive, predict_cells, predictive
from ..low_rank.facts import ModelFacts, parse_release_date
from ..low_rank.spec import ModelSpec
from ..posterior.calibration import (
    FEATURES,
    LEAST_CELLS,
    Calibration,
    Recalibration,
    fit_recalibration,
)
from ..posterior.stored import StoredPosterior
from ..progress import Job, Report
from ..scores import ScoreMatrix
from ..scores.splits import Split, per_model_folds
from .chains import run_all
from .engines.contract import Engine
from .sample import sample

__all__ = [
    "USUAL_FITS",
    "HeldOut",
    "condition_on_row",
    "fold_fits",
    "held_out_cells",
    "held_out_models",
    "held_out_releases",
    "learned_calibration",
    "run_fits",
]

CELL_FOLDS = 3
MODEL_BLOCKS = 5
USUAL_FITS = CELL_FOLDS + MODEL_BLOCKS
"""Cross-fits that one recalibration of a posterior takes."""
SHOWN = (0, 1, 2, 3, 5, 8, 10, 15)
"""Numbers of scores shown of a left-out model."""
SHOWN_PER_MODEL = 3
"""How many of `SHOWN` each left-out model gets."""
LEAST_DATED = 0.8
"""Share of models with a release date from which blocks follow time instead of chance."""

FIT_WORK, CONDITIONING_WORK = 1000, 500
"""Shares of a fit and of conditioning a block of models on it, for who watches."""

Rows = NDArray[np.int64]
Cells = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out predictions with their truth.

    Attributes
    ----------
    quantiles : (n, L) array
        Latent scale.
    truth : (n,) array
        Latent scale of the same fit.
    features : (n, F) array
        See `calibration.calibration_features`.
    """

    quantiles: NDArray[np.float64]
    truth: NDArray[np.float64]
    features: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        made: Predictive,
        scores: NDArray[np.float64],
        model_scores: NDArray[np.float64],
        benchmark_scores: NDArray[np.float64],
    ) -> HeldOut:
        """Predictions of cells with the given true scores and numbers of training scores."""
        return cls(
            made.quantiles,
            made.transform.to_latent(scores, made.column),
            predictive_features(made, model_scores, benchmark_scores),
        )

    @classmethod
    def joined(cls, parts: Sequence[HeldOut]) -> HeldOut:
        """All parts, one after the other."""
        return cls(
            np.concatenate([part.quantiles for part in parts]),
            np.concatenate([part.truth for part in parts]),
            np.concatenate([part.features for part in parts]),
        )

    @classmethod
    def none(cls) -> HeldOut:
        """No predictions."""
        levels, features = PREDICTIVE_LEVELS.size, len(FEATURES)
        return cls(np.empty((0, levels)), np.empty(0), np.empty((0, features)))

    def recalibration(self) -> Recalibration | None:
        """What they teach; None if they are too few."""
        if self.truth.size < LEAST_CELLS:
            return None
        return fit_recalibration(self.quantiles, PREDICTIVE_LEVELS, self.truth, self.features)


Made = TypeVar("Made")
"""What is made of a fit that was left without some cells."""
Fit = Callable[[Report], HeldOut]
"""A fit to be run, with what it predicts."""


def run_fits(fits: Sequence[Callable[[Report], Made]], report: Report | None) -> list[Made]:
    """Of every fit, in order; the first runs alone, since it compiles what the others share."""
    return run_all(fits, work=FIT_WORK, report=report, first_alone=True)


def held_out_cells(
    matrix: ScoreMatrix,
    spec: ModelSpec,
    engine: Engine,
    *,
    seed: int,
    n_folds: int = CELL_FOLDS,
    report: Report | None = None,
) -> list[HeldOut]:
    """Per-model folds of the cells: each fold predicted from the others, one item per fold.

    Parameters
    ----------
    matrix : ScoreMatrix
    spec : ModelSpec
    engine : Engine
        Of each fit: a light one (`Engine.lighter`).
    seed : int
    n_folds : int
    report : Report, optional
        Told of all fits together.
    """
    return run_fits(_cell_fits(matrix, spec, engine, seed, n_folds), report)


def _cell_fits(
    matrix: ScoreMatrix, spec: ModelSpec, engine: Engine, seed: int, n_folds: int
) -> list[Fit]:
    def predicted(posterior: StoredPosterior, cells: Cells) -> HeldOut:
        return held_out_of(posterior, matrix, cells)

    return fold_fits(matrix, spec, engine, predicted, seed=seed, n_folds=n_folds)


def fold_fits(
    matrix: ScoreMatrix,
    spec: ModelSpec,
    engine: Engine,
    make: Callable[[StoredPosterior, Cells], Made],
    *,
    seed: int,
    n_folds: int,
) -> list[Callable[[Report], Made]]:
    """A fit without the cells of each per-model fold in turn, to be run by `run_fits`.

    Parameters
    ----------
    matrix : ScoreMatrix
    spec : ModelSpec
    engine : Engine
        Of each fit: a light one (`Engine.lighter`).
    make : callable
        Given the posterior and the (n, 2) cells it was not shown: what is wanted of them.
    seed : int
    n_folds : int
    """

    def one(split: Split, report: Report) -> Made:
        posterior = sample(
            matrix.mask(split.mask(matrix.shape)),
            spec,
            engine,
            seed=seed + split.fold,
            report=report,
            n_readings=matrix.n_cells,
            check=False,
        )
        return make(posterior, split.cells)

    return [partial(one, split) for split in per_model_folds(matrix, n_folds, seed)]


def held_out_of(
    posterior: StoredPosterior, matrix: ScoreMatrix, cells: NDArray[np.integer]
) -> HeldOut:
    """Predictions of cells of `matrix` that the posterior's own matrix hides.

    Cells on a benchmark without any training score are left out.
    """
    shown = posterior.matrix.observed
    known = np.asarray(shown.any(axis=0))
    cells = cells[known[cells[:, 1]]]
    row, column = cells[:, 0], cells[:, 1]
    return HeldOut.of(
        predict_cells(posterior, cells),
        matrix.values[row, column],
        shown.sum(axis=1)[row].astype(np.float64),
        shown.sum(axis=0)[column].astype(np.float64),
    )


def condition_on_row(
    posterior: StoredPosterior,
    matrix: ScoreMatrix,
    model: int,
    shown: NDArray[np.integer],
    seed: int,
) -> Predictive:
    """Predict a model the posterior never saw from some of its scores and what is known of it."""
    draws = condition(
        posterior,
        {matrix.benchmark_ids[j]: float(matrix.values[model, j]) for j in shown},
        model_id=matrix.model_ids[model],
        seed=seed,
        accept_far=True,
        facts=ModelFacts.of(matrix, model),
    )
    return predictive(draws, posterior.transform)


def held_out_models(
    matrix: ScoreMatrix,
    spec: ModelSpec,
    engine: Engine,
    *,
    seed: int,
    n_blocks: int = MODEL_BLOCKS,
    n_readings: int = 0,
    report: Report | None = None,
) -> list[HeldOut]:
    """Blocks of models left out of a fit and predicted by conditioning, one item per block.

    Where release dates are known the blocks are the later models in time order, each predicted
    from the models released before it, as a new release will be; else the blocks are random. The
    rows of left-out models stay, empty, so that all fits share a compiled program. Blocks of which
    nothing could be predicted are left out.

    Parameters
    ----------
    matrix : ScoreMatrix
    spec : ModelSpec
    engine : Engine
        Of each fit: a light one (`Engine.lighter`).
    seed : int
    n_blocks : int
    n_readings : int
        As in `sample`.
    report : Report, optional
        Told of all fits together.
    """
    fits = _model_fits(matrix, spec, engine, seed, n_blocks, n_readings)
    return [part for part in run_fits(fits, report) if part.truth.size]


def _model_fits(
    matrix: ScoreMatrix,
    spec: ModelSpec,
    engine: Engine,
    seed: int,
    n_blocks: int,
    n_readings: int,
) -> list[Fit]:
    def one(number: int, block: Rows, train_rows: Rows, report: Report) -> HeldOut:
        stages = [("", FIT_WORK), ("", CONDITIONING_WORK)]
        fitted, conditioned = Job(stages, report).reports
        hidden = np.ones(matrix.shape, dtype=bool)
        hidden[train_rows] = False
        posterior = sample(
            matrix.mask(hidden & matrix.observed),
            spec,
            engine,
            seed=seed + number,
            report=fitted,
            n_readings=max(n_readings, matrix.n_cells),
            check=False,
        )
        own = np.random.default_rng([seed, 2, number])
        parts: list[HeldOut] = []
        for done, model in enumerate(block, start=1):
            parts += _left_out(posterior, matrix, int(model), own, seed)
            conditioned(done, len(block))
        return HeldOut.joined(parts) if parts else HeldOut.none()

    blocks = _blocks(matrix, n_blocks, np.random.default_rng([seed, 1]))
    return [partial(one, number, *block) for number, block in enumerate(blocks)]


def held_out_releases(
    matrix: ScoreMatrix,
    spec: ModelSpec,
    engine: Engine,
    *,
    seed: int,
    n_blocks: int = MODEL_BLOCKS,
    n_readings: int = 0,
    report: Report | None = None,
) -> list[HeldOut]:
    """Blocks of new models fitted together with what they show, one item per fit.

    The blocks are those of `held_out_models`, several times over: each time every model of a
    block shows a few of its scores, their number drawn from `SHOWN`, and the rest is predicted by
    a fit of the training models and all that the block shows. Parameters as there.
    """
    blocks = _blocks(matrix, n_blocks, np.random.default_rng([seed, 1]))

    def one(number: int, turn: int, report: Report) -> HeldOut:
        block, train_rows = blocks[number]
        rng = np.random.default_rng([seed, 2, number, turn])
        shown = np.zeros(matrix.shape, dtype=np.bool_)
        shown[train_rows] = matrix.observed[train_rows]
        for model in block:
            order = rng.permutation(np.flatnonzero(matrix.observed[model]))
            fewer = [k for k in SHOWN if k < order.size]
            shown[model, order[: rng.choice(fewer)]] = True
        posterior = sample(
            matrix.mask(matrix.observed & ~shown),
            spec,
            engine,
            seed=seed + SHOWN_PER_MODEL * number + turn,
            report=report,
            n_readings=max(n_readings, matrix.n_cells),
            check=False,
        )
        left = np.argwhere(matrix.observed[block] & ~shown[block])
        left[:, 0] = block[left[:, 0]]
        return held_out_of(posterior, matrix, left)

    fits = [
        partial(one, number, turn)
        for number in range(len(blocks))
        for turn in range(SHOWN_PER_MODEL)
    ]
    return [part for part in run_fits(fits, report) if part.truth.size]


def _left_out(
    posterior: StoredPosterior, matrix: ScoreMatrix, model: int, rng: np.random.Generator, seed: int
) -> Iterator[HeldOut]:
    """Predictions of one left-out model from a few of its scores, for several numbers of them."""
    per_benchmark = posterior.matrix.observed.sum(axis=0)
    own = np.flatnonzero(matrix.observed[model] & (per_benchmark > 0))
    for k in rng.choice(SHOWN, SHOWN_PER_MODEL, replace=False):
        if own.size <= k:
            continue
        order = rng.permutation(own)
        made = condition_on_row(posterior, matrix, model, order[:k], seed)
        rest = np.sort(order[k:])
        yield HeldOut.of(
            made.take(rest),
            matrix.values[model, rest],
            np.full(rest.size, float(k)),
            per_benchmark[rest].astype(np.float64),
        )


def _blocks(
    matrix: ScoreMatrix, n_blocks: int, rng: np.random.Generator
) -> list[tuple[Rows, Rows]]:
    """(left-out rows, training rows) of every block; rows without scores are in neither."""
    active = np.flatnonzero(matrix.observed.any(axis=1))
    dates = np.full(matrix.shape[0], np.nan)
    for i, text in enumerate(matrix.models["release_date"]):
        if isinstance(text, str) and text:
            dates[i] = parse_release_date(text)
    dated = active[np.isfinite(dates[active])]
    if dated.size >= LEAST_DATED * active.size:
        order = dated[np.argsort(dates[dated], kind="stable")]
        blocks = np.array_split(order[order.size // 3 :], n_blocks)
        by_time = [(block, dated[dates[dated] < dates[block[0]]]) for block in blocks if block.size]
        return [(block, train) for block, train in by_time if train.size >= active.size // 5]
    parts = np.array_split(rng.permutation(active), min(n_blocks, active.size))
    return [(np.sort(part), np.setdiff1d(active, part)) for part in parts]


def learned_calibration(
    matrix: ScoreMatrix,
    spec: ModelSpec,
    engine: Engine,
    *,
    seed: int,
    report: Report | None = None,
) -> Calibration | None:
    """Both recalibrations of a posterior of `matrix`; None if too few cells.

    Parameters
    ----------
    matrix : ScoreMatrix
    spec : ModelSpec
    engine : Engine
        Of each cross-fit: the posterior's own, lighter (`Engine.lighter`).
    seed : int
    report : Report, optional
        Told of all cross-fits together.
    """
    if matrix.n_cells < LEAST_CELLS:
        return None
    cell_fits = _cell_fits(matrix, spec, engine, seed, CELL_FOLDS)
    model_fits = _model_fits(matrix, spec, engine, seed, MODEL_BLOCKS, 0)
    made = run_fits([*cell_fits, *model_fits], report)
    cells = HeldOut.joined(made[: len(cell_fits)]).recalibration()
    models = HeldOut.joined(made[len(cell_fits) :] or [HeldOut.none()]).recalibration()
    return None if cells is None else Calibration(cells, models, engine=engine.name)
