"""Conditioning a posterior on a new model's scores against a fit that has them (issue's oracle)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bayesbench.answers.predictive import Predictive, predict_cells
from bayesbench.fitting.crossfit import condition_on_row
from bayesbench.fitting.engines.settings import NUTS, Gibbs
from bayesbench.fitting.sample import sample
from bayesbench.low_rank.spec import ModelSpec
from bayesbench.posterior.stored import StoredPosterior
from bayesbench.scores import ScoreMatrix

pytestmark = pytest.mark.slow

N_MODELS, N_BENCHMARKS, HELD_OUT = 30, 25, 5
KS = (3, 5, 10)
SPEC = ModelSpec(rank=2)
CONFIG = Gibbs(chains=1, warmup=600, draws=500, thin=8)
REFERENCE = NUTS(chains=2, warmup=300, draws=300)
MOST_POINTS, LEAST_RATIO, MOST_RATIO = 0.5, 0.9, 1.1

Engine = Callable[[ScoreMatrix, int, int], StoredPosterior]


@pytest.fixture(scope="module")
def corner(open_matrix: ScoreMatrix) -> ScoreMatrix:
    """A dense part of the bundled matrix."""
    observed = open_matrix.observed
    columns = np.argsort(-observed.sum(axis=0), kind="stable")[:N_BENCHMARKS]
    rows = np.argsort(-observed[:, columns].sum(axis=1), kind="stable")[:N_MODELS]
    return open_matrix.subset(
        models=[open_matrix.model_ids[i] for i in rows],
        benchmarks=[open_matrix.benchmark_ids[j] for j in columns],
    )


def showing(matrix: ScoreMatrix, row: int, shown: np.ndarray) -> ScoreMatrix:
    hidden = np.zeros(matrix.shape, dtype=bool)
    hidden[row] = matrix.observed[row]
    hidden[row, shown] = False
    return matrix.mask(hidden)


def gibbs(matrix: ScoreMatrix, seed: int, n_readings: int) -> StoredPosterior:
    return sample(matrix, SPEC, CONFIG, seed=seed, n_readings=n_readings, check=False)


def held_out(matrix: ScoreMatrix) -> list[tuple[int, np.ndarray]]:
    """Rows to hold out with their scored columns in random order."""
    rng = np.random.default_rng(6)
    enough = np.flatnonzero(matrix.observed.sum(axis=1) >= max(KS) + 3)
    rows = rng.choice(enough, HELD_OUT, replace=False)
    return [(int(row), rng.permutation(np.flatnonzero(matrix.observed[row]))) for row in rows]


def compared(one: Predictive, other: Predictive) -> tuple[float, float]:
    """Median |difference of medians| in points, median ratio of 90 % widths; raw intervals."""
    (low, high), (low_other, high_other) = one.interval(0.9), other.interval(0.9)
    points = float(np.median(np.abs(one.median - other.median)))
    return points, float(np.median((high - low) / (high_other - low_other)))


@pytest.fixture(scope="module")
def without(corner: ScoreMatrix) -> dict[int, StoredPosterior]:
    """A fit without each held-out model; all fits share one compiled program."""
    none = np.array([], dtype=int)
    return {
        row: gibbs(showing(corner, row, none), 10 + row, corner.n_cells)
        for row, _ in held_out(corner)
    }


def both(
    corner: ScoreMatrix, base: StoredPosterior, refit: StoredPosterior, row: int, shown: np.ndarray
) -> tuple[Predictive, Predictive]:
    percent = (corner.benchmarks["scale"] == "percent").to_numpy()
    rest = np.setdiff1d(np.flatnonzero(percent), shown)
    given = condition_on_row(base, corner, row, shown, 0).take(rest)
    return given, predict_cells(refit, np.stack([np.full(rest.size, row), rest], axis=1))


def by_gibbs(matrix: ScoreMatrix, row: int, n_readings: int) -> StoredPosterior:
    return gibbs(matrix, 100 + row, n_readings)


def by_nuts(matrix: ScoreMatrix, row: int, n_readings: int) -> StoredPosterior:
    return sample(matrix, SPEC, REFERENCE, seed=200 + row)


# fifteen refits by NUTS take longer than all other tests: those run at night
@pytest.mark.parametrize("engine", [by_gibbs, pytest.param(by_nuts, marks=pytest.mark.nightly)])
def test_conditioning_agrees_with_full_refits(
    corner: ScoreMatrix, without: dict[int, StoredPosterior], engine: Engine
) -> None:
    points, ratios = [], []
    for row, order in held_out(corner):
        for k in KS:
            refit = engine(showing(corner, row, order[:k]), row, corner.n_cells)
            found = compared(*both(corner, without[row], refit, row, order[:k]))
            points.append(found[0])
            ratios.append(found[1])
    assert len(points) == HELD_OUT * len(KS)
    assert np.median(points) <= MOST_POINTS, np.round(points, 2)
    assert LEAST_RATIO <= np.median(ratios) <= MOST_RATIO, np.round(ratios, 2)


def test_ignoring_the_scores_would_be_seen(
    corner: ScoreMatrix, without: dict[int, StoredPosterior]
) -> None:
    """The check has teeth: the same posterior without the ten scores is far from a refit."""
    row, order = held_out(corner)[0]
    given, blind = (
        condition_on_row(without[row], corner, row, shown, 0).take(order[10:])
        for shown in (order[:10], order[:0])
    )
    points, ratio = compared(blind, given)
    assert points > 2 * MOST_POINTS
    assert ratio > MOST_RATIO
