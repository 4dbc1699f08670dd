"""Probe orders for protocol P4 by the low-rank model.

Those chosen by a criterion of :mod:`bayesbench.design` come from a fit alone, never from an error:
global orders maximise what is expected to be learned about the scores that the fitted models have,
summed over these models; the adaptive order of a model asks a fit that never saw the model,
conditioned on the scores shown so far. Two more are chosen by looking at the errors themselves and
marked so: the published rule, greedy on the error of all models, and an oracle that does it for
each model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...answers.condition import condition
from ...answers.predictive import LatentDraws
from ...design import Moments, Targets, information, moments, spread_reduction
from ...low_rank.facts import ModelFacts
from ...low_rank.link import Transform
from ...posterior.stored import StoredPosterior
from ...scores.matrix import ScoreMatrix
from ..policies import LOW_COST, Policy, low_cost_of
from ..predictions import IntArray

__all__ = [
    "ADAPTIVE",
    "GLOBAL",
    "Criterion",
    "by_information",
    "by_points",
    "by_variance",
    "global_order",
    "global_orders",
    "in_sample_policies",
    "own_orders",
]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Asked:
    """What is known of one model, and how much a point of each of its scores counts.

    Attributes
    ----------
    state : Moments
    weights : (B,) array
        Of the targets.
    """

    state: Moments
    weights: Floats

    def of(self, columns: Places) -> Asked:
        """Some of the benchmarks."""
        whole = self.state
        state = Moments(
            tuple(whole.benchmark_ids[j] for j in columns),
            whole.mean[columns],
            whole.signal[np.ix_(columns, columns)],
            whole.noise[columns],
            whole.n_draws,
        )
        return Asked(state, self.weights[columns])

    def given(self, place: int) -> Asked:
        """The same after a reading of one benchmark."""
        return replace(self, state=self.state.given(place))


Criterion = Callable[[Asked, Places, Places], Floats]
"""Worth of candidates given the benchmarks still open: places in the state of both."""


def by_information(asked: Asked, candidates: Places, about: Places) -> Floats:
    """Expected information about the other scores of the model, in nats."""
    targets = Targets(about, np.ones(about.size), "exclude")
    return np.asarray(information(asked.state, candidates, targets))


def by_points(asked: Asked, candidates: Places, about: Places) -> Floats:
    """Expected fall of the error of the other scores, in points."""
    targets = Targets(about, asked.weights[about], "exclude")
    return np.asarray(spread_reduction(asked.state, candidates, targets))


def by_variance(asked: Asked, candidates: Places, about: Places) -> Floats:
    """Predictive variance of the candidate itself: the naive rule."""
    return np.asarray(asked.state.variance[candidates])


GLOBAL: Mapping[str, Criterion] = {
    "epig-global": by_information,
    "points-global": by_points,
    "max-variance": by_variance,
}
"""Criteria of the global orders; those of the low-cost list are called ``epig-low-cost``..."""
ADAPTIVE: Mapping[str, Criterion] = {
    "epig-adaptive": by_information,
    "points-adaptive": by_points,
    "max-variance-adaptive": by_variance,
}
"""Criteria of the adaptive orders."""


def _asked(draws: LatentDraws, transform: Transform) -> Asked:
    state = moments(draws)
    return Asked(state, _points(state, transform))


def _points(state: Moments, transform: Transform) -> Floats:
    """Score points per unit of the latent scale, (B,), within a standard deviation of the mean.

    As a percentage of the range; benchmarks without one count like the others in the median.
    """
    column = np.arange(len(state.benchmark_ids))
    sd = np.sqrt(state.variance)
    upper, lower = (transform.to_score(state.mean + side * sd, column) for side in (1, -1))
    extent = np.asarray(transform.upper - transform.lower, dtype=np.float64)
    found = 100 * np.abs(upper - lower) / (2 * sd * extent)
    known = np.isfinite(found)
    return np.where(known, found, np.median(found[known]) if known.any() else 1.0)


def global_orders(
    posterior: StoredPosterior, low_cost: Sequence[str] | None, criteria: Mapping[str, Criterion]
) -> dict[str, tuple[str, ...]]:
    """Orders of all benchmarks, and of the cheap ones, by name.

    Parameters
    ----------
    posterior : StoredPosterior
        Orders are for models it never saw: each adds most, summed over the fitted models that have
        a score on it, were they new and known by their facts alone.
    low_cost : sequence of str or None
    criteria : mapping of str to Criterion
    """
    matrix = posterior.matrix
    known = _known_by_facts(posterior)
    lists = {"": matrix.benchmark_ids}
    cheap = low_cost_of(matrix, low_cost)
    if cheap:
        lists[LOW_COST] = cheap
    return {
        f"{name.removesuffix('-global')}{end}" if end else name: _global_order(
            known, matrix, allowed, criterion
        )
        for end, allowed in lists.items()
        for name, criterion in criteria.items()
    }


def global_order(
    posterior: StoredPosterior, allowed: Sequence[str], criterion: Criterion, length: int
) -> tuple[str, ...]:
    """The first `length` benchmarks of one of `global_orders`."""
    return _global_order(_known_by_facts(posterior), posterior.matrix, allowed, criterion, length)


def _known_by_facts(posterior: StoredPosterior) -> list[tuple[Places, Asked]]:
    """Of every fitted model the benchmarks it has a score on, and what its facts say of them."""
    matrix = posterior.matrix
    known: list[tuple[Places, Asked]] = []
    for row in np.flatnonzero(matrix.observed.any(axis=1)):
        draws = condition(posterior, {}, seed=int(row), facts=ModelFacts.of(matrix, int(row)))
        columns = np.flatnonzero(matrix.observed[row])
        known.append((columns, _asked(draws, posterior.transform).of(columns)))
    return known


def _global_order(
    known: Sequence[tuple[Places, Asked]],
    matrix: ScoreMatrix,
    allowed: Sequence[str],
    criterion: Criterion,
    length: int | None = None,
) -> tuple[str, ...]:
    """Greedy order of the allowed benchmarks, or its first `length`.

    Which cells are scored is used, the scores themselves only through the fit.
    """
    left = [matrix.benchmark_index(name) for name in allowed]
    current = [asked for _, asked in known]
    worth = np.zeros((len(known), matrix.shape[1]))
    open_ = np.zeros(worth.shape, dtype=np.bool_)
    for model, (columns, _) in enumerate(known):
        open_[model, columns] = True
    changed = list(range(len(known)))
    order: list[int] = []
    while left and len(order) != length:
        for model in changed:
            columns = known[model][0]
            about = np.flatnonzero(open_[model, columns])
            candidates = about[np.isin(columns[about], left)]
            worth[model] = 0.0
            if candidates.size:
                worth[model, columns[candidates]] = criterion(current[model], candidates, about)
        total = worth.sum(axis=0)
        best = max(left, key=lambda column: total[column])
        left.remove(best)
        order.append(best)
        changed = np.flatnonzero(open_[:, best]).tolist()
        for model in changed:
            place = int(np.searchsorted(known[model][0], best))
            current[model] = current[model].given(place)
            open_[model, best] = False
    return tuple(matrix.benchmark_ids[column] for column in order)


def own_orders(
    posterior: StoredPosterior,
    matrix: ScoreMatrix,
    row: int,
    length: int,
    criteria: Mapping[str, Criterion],
) -> dict[str, tuple[str, ...]]:
    """Probes of one model, each chosen after the score of the one before is seen, by name.

    Parameters
    ----------
    posterior : StoredPosterior
        Of a fit that never saw a score of the model.
    matrix : ScoreMatrix
    row : int
        The model; candidates are the benchmarks it has a score for.
    length : int
    criteria : mapping of str to Criterion
    """
    return {
        name: _own_order(posterior, matrix, row, length, criterion)
        for name, criterion in criteria.items()
    }


def _own_order(
    posterior: StoredPosterior, matrix: ScoreMatrix, row: int, length: int, criterion: Criterion
) -> tuple[str, ...]:
    left = np.flatnonzero(matrix.observed[row] & posterior.matrix.observed.any(axis=0))
    shown: dict[str, float] = {}
    while left.size and len(shown) < length:
        draws = condition(
            posterior,
            shown,
            model_id=matrix.model_ids[row],
            seed=row,
            accept_far=True,
            facts=ModelFacts.of(matrix, row),
        )
        worth = criterion(_asked(draws, posterior.transform), left, left)
        best = int(left[np.argmax(worth)])
        shown[matrix.benchmark_ids[best]] = float(matrix.values[row, best])
        left = left[left != best]
    return tuple(shown)


@dataclass(frozen=True, eq=False)
class _Guess:
    """One model's scores predicted from those shown, by the Gaussian moments."""

    row: int
    columns: NDArray[np.intp]
    truth: Floats
    latent: Floats
    mean: Floats
    signal: Floats
    noise: Floats

    def errors(self, transform: Transform) -> Floats:
        """(candidate, column): errors in score points if the candidate were shown as well."""
        variance = np.diagonal(self.signal) + self.noise
        gain = self.signal / variance[:, None]
        means = self.mean + gain * (self.latent - self.mean)[:, None]
        found: Floats = np.abs(transform.to_score(means, self.columns) - self.truth)
        found[np.arange(len(found)), np.arange(len(found))] = np.nan  # shown, not predicted
        return found

    def now(self, transform: Transform) -> Floats:
        """(column,): errors with what is shown so far."""
        found: Floats = np.abs(transform.to_score(self.mean, self.columns) - self.truth)
        return found

    def shown(self, place: int) -> _Guess:
        """The same with one score taken in, and out of what is to be predicted."""
        gain = self.signal[:, place] / (self.signal[place, place] + self.noise[place])
        signal = self.signal - np.outer(gain, self.signal[:, place])
        rest = np.delete(np.arange(self.columns.size), place)
        return _Guess(
            self.row,
            self.columns[rest],
            self.truth[rest],
            self.latent[rest],
            (self.mean + gain * (self.latent[place] - self.mean[place]))[rest],
            signal[np.ix_(rest, rest)],
            self.noise[rest],
        )


def _guesses(posterior: StoredPosterior, matrix: ScoreMatrix, rows: IntArray) -> Iterator[_Guess]:
    for row in rows.tolist():
        state = moments(condition(posterior, {}, seed=row, facts=ModelFacts.of(matrix, row)))
        columns = np.flatnonzero(matrix.observed[row])
        truth = np.asarray(matrix.values[row, columns], np.float64)
        yield _Guess(
            row,
            columns,
            truth,
            np.asarray(posterior.transform.to_latent(truth, columns)),
            np.asarray(state.mean[columns], np.float64),
            np.asarray(state.signal[np.ix_(columns, columns)], np.float64),
            np.asarray(state.noise[columns], np.float64),
        )


def in_sample_policies(
    posterior: StoredPosterior, matrix: ScoreMatrix, rows: IntArray, length: int
) -> list[Policy]:
    """Orders chosen on the errors themselves: greedy over all models, and model by model.

    Errors are those of the Gaussian moments given the scores shown. ``greedy-in-sample`` is the
    published rule: the benchmark that lowers the pooled median error most, revealed cells out of
    the pool. ``oracle`` does the same for each model alone.
    """
    transform = posterior.transform
    guesses = list(_guesses(posterior, matrix, rows))
    own = {
        matrix.model_ids[guess.row]: _greedy([guess], matrix, transform, length)
        for guess in guesses
    }
    return [
        Policy("greedy-in-sample", (_greedy(guesses, matrix, transform, length),), in_sample=True),
        Policy("oracle", (own,), in_sample=True),
    ]


def _greedy(
    guesses: list[_Guess], matrix: ScoreMatrix, transform: Transform, length: int
) -> tuple[str, ...]:
    order: list[int] = []
    while len(order) < length:
        candidates = sorted({int(c) for guess in guesses for c in guess.columns} - set(order))
        if not candidates:
            break
        now = [guess.now(transform) for guess in guesses]
        then = [guess.errors(transform) for guess in guesses]
        best, least = candidates[0], np.inf
        for column in candidates:
            pool = [
                errors[place[0]] if (place := np.flatnonzero(guess.columns == column)).size else own
                for guess, errors, own in zip(guesses, then, now, strict=True)
            ]
            error = float(np.nanmedian(joined)) if _any(joined := np.concatenate(pool)) else 0.0
            if error < least:
                best, least = column, error
        guesses = [
            guess.shown(int(place[0]))
            if (place := np.flatnonzero(guess.columns == best)).size
            else guess
            for guess in guesses
        ]
        order.append(best)
    return tuple(matrix.benchmark_ids[column] for column in order)


def _any(errors: Floats) -> bool:
    return bool(np.isfinite(errors).any())
