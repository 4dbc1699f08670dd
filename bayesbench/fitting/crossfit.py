"""Cross-fitting: held-out predictions of a training matrix, to recalibrate a posterior with.

One for each kind of prediction that is asked for: missing cells of fitted models (every model's
scores dealt into folds), models the fit never saw (whole models left out, a few of their scores
shown by conditioning), and new models fitted again with the rest (the same, a few of their scores
in the fit). A model that was left out is asked about as users ask: with all its facts, with some
or with none, under an id of its line or a fresh one, with scores taken at random or in the order
in which benchmarks would be recommended. All fits of a matrix share one compiled program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..answers.calibrated import predictive_features
from ..answers.condition import condition
from ..answers.predictive import (
    PREDICTIVE_LEVELS,
    LatentDraws,
    Predictive,
    predict_cells,
    predictive,
)
from ..design.gain import most_informative
from ..low_rank.facts import ModelFacts, parse_release_date
from ..low_rank.spec import ModelSpec
from ..posterior.calibration import (
    FEATURES,
    LEAST_CELLS,
    USUAL_SLOPES,
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
CHANCE_BLOCKS = 2
"""Blocks of models left out at random beside those that follow time."""
USUAL_FITS = CELL_FOLDS + MODEL_BLOCKS + CHANCE_BLOCKS
"""Cross-fits that one recalibration of a posterior takes, at most."""
SHOWN = (0, 1, 2, 3, 5, 8, 10, 15)
"""Numbers of scores shown of a left-out model."""
SHOWN_PER_MODEL = 3
"""How many of `SHOWN` each left-out model gets of scores taken at random."""
RECOMMENDED = (1, 2, 3, 5, 8)
"""Numbers of scores shown in the order in which they would be recommended: those up to one."""
CHANCE_SHARE = 0.125
"""Share of the models in each of them."""
LEAST_DATED = 4
"""Blocks follow time where so many models a block have a release date."""

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
    part : (n,) int array
        Fold or block that each was predicted in.
    """

    quantiles: NDArray[np.float64]
    truth: NDArray[np.float64]
    features: NDArray[np.float64]
    part: NDArray[np.int64]

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
            np.zeros(made.column.size, dtype=np.int64),
        )

    @classmethod
    def joined(cls, parts: Sequence[HeldOut]) -> HeldOut:
        """All folds or blocks, one after the other, numbered in this order."""
        return cls(
            np.concatenate([part.quantiles for part in parts]),
            np.concatenate([part.truth for part in parts]),
            np.concatenate([part.features for part in parts]),
            np.repeat(np.arange(len(parts)), [part.truth.size for part in parts]),
        )

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> HeldOut:
        """Some of them."""
        return HeldOut(self.quantiles[rows], self.truth[rows], self.features[rows], self.part[rows])

    @classmethod
    def none(cls) -> HeldOut:
        """No predictions."""
        levels, features = PREDICTIVE_LEVELS.size, len(FEATURES)
        none = np.empty(0, dtype=np.int64)
        return cls(np.empty((0, levels)), np.empty(0), np.empty((0, features)), none)

    def recalibration(self, kind: Literal["cells", "models"] = "cells") -> Recalibration | None:
        """What they teach of missing cells, or of new models; None if they are too few."""
        if self.truth.size < LEAST_CELLS:
            return None
        return fit_recalibration(
            self.quantiles,
            PREDICTIVE_LEVELS,
            self.truth,
            self.features,
            self.part,
            USUAL_SLOPES[kind],
        )


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

    Models with a release date, but for the oldest third, make blocks in time order, each predicted
    from the models released before it, as a new release will be; models without a date are dealt
    to these blocks at random. Two more blocks hold models drawn at random whatever their date, as
    an older model is that was never entered. Where few dates are known all blocks are random. The
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

    The blocks are those of `held_out_models` that follow time, several times over: each time every
    model of a block shows a few of its scores, their number drawn from `SHOWN`, and the rest is
    predicted by a fit of the training models and all that the block shows. Parameters as there.
    """
    blocks = _blocks(matrix, n_blocks, np.random.default_rng([seed, 1]), by_chance=0)

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

    def predicted(draws: LatentDraws, shown: NDArray[np.integer]) -> HeldOut:
        rest = np.setdiff1d(own, shown)
        return HeldOut.of(
            predictive(draws, posterior.transform, rest.tolist()),
            matrix.values[model, rest],
            np.full(rest.size, float(len(shown))),
            per_benchmark[rest].astype(np.float64),
        )

    for k in rng.choice(SHOWN, SHOWN_PER_MODEL, replace=False):
        asked, shown = _Asked.at_random(matrix, model, rng), rng.permutation(own)[:k]
        if own.size > k:
            yield predicted(asked.draws(posterior, shown, seed), shown)
    asked, shown = _Asked.at_random(matrix, model, rng), own[:0]
    last = min(int(rng.choice(RECOMMENDED)), own.size - 1)
    draws = asked.draws(posterior, shown, seed)
    while len(shown) < last:
        left = np.setdiff1d(own, shown)
        shown = np.append(shown, left[most_informative(draws, left)])
        draws = asked.draws(posterior, shown, seed)
        if len(shown) in (last, *RECOMMENDED):
            yield predicted(draws, shown)


@dataclass(frozen=True)
class _Asked:
    """How one asks about a model that was left out: under which id, with which facts."""

    matrix: ScoreMatrix
    model: int
    facts: ModelFacts
    model_id: str | None

    @classmethod
    def at_random(cls, matrix: ScoreMatrix, model: int, rng: np.random.Generator) -> _Asked:
        """All facts, none, or each by the toss of a coin; its own id, or none."""
        known = ModelFacts.of(matrix, model)
        share = float(rng.choice([0.0, 0.5, 1.0]))
        kept = {name: value for name, value in known.given.items() if rng.random() < share}
        own_id = matrix.model_ids[model] if rng.random() < 0.5 else None
        return cls(matrix, model, ModelFacts(**kept), own_id)

    def draws(
        self, posterior: StoredPosterior, shown: NDArray[np.integer], seed: int
    ) -> LatentDraws:
        """Draws of the model given these of its scores."""
        names, values = self.matrix.benchmark_ids, self.matrix.values[self.model]
        return condition(
            posterior,
            {names[j]: float(values[j]) for j in shown},
            model_id=self.model_id,
            seed=seed,
            accept_far=True,
            facts=self.facts,
        )


def _blocks(
    matrix: ScoreMatrix,
    n_blocks: int,
    rng: np.random.Generator,
    by_chance: int = CHANCE_BLOCKS,
) -> list[tuple[Rows, Rows]]:
    """(left-out rows, training rows) of every block; rows without scores are in neither."""
    active = np.flatnonzero(matrix.observed.any(axis=1))
    dates = np.full(matrix.shape[0], np.nan)
    for i, text in enumerate(matrix.models["release_date"]):
        if isinstance(text, str) and text:
            dates[i] = parse_release_date(text)
    dated = active[np.isfinite(dates[active])]
    by_time = _time_blocks(dates, dated, n_blocks, least=active.size // 5)
    if dated.size < LEAST_DATED * n_blocks or not by_time:
        parts = np.array_split(rng.permutation(active), min(n_blocks, active.size))
        return [(np.sort(part), np.setdiff1d(active, part)) for part in parts]
    undated = rng.permutation(np.setdiff1d(active, dated))
    blocks = []
    for (block, before), others in zip(by_time, np.array_split(undated, len(by_time)), strict=True):
        train = np.union1d(before, np.setdiff1d(undated, others))
        blocks.append((np.sort(np.union1d(block, others)), train))
    for _ in range(by_chance):
        size = max(1, round(CHANCE_SHARE * active.size))
        block = np.sort(rng.choice(active, size, replace=False))
        blocks.append((block, np.setdiff1d(active, block)))
    return blocks


def _time_blocks(
    dates: NDArray[np.float64], dated: Rows, n_blocks: int, least: int
) -> list[tuple[Rows, Rows]]:
    """Later models in time order with those before each block, if these are at least so many."""
    order = dated[np.argsort(dates[dated], kind="stable")]
    blocks = np.array_split(order[order.size // 3 :], n_blocks)
    by_time = [(block, dated[dates[dated] < dates[block[0]]]) for block in blocks if block.size]
    return [(block, train) for block, train in by_time if train.size >= least]


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
    models = HeldOut.joined(made[len(cell_fits) :] or [HeldOut.none()]).recalibration("models")
    return None if cells is None else Calibration(cells, models, engine=engine.name)
