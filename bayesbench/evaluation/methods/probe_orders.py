"""Probe orders for protocol P4 by the low-rank model.

Those chosen by information or variance come from a fit alone, never from an error: global orders
(one for all models) maximise the expected information about the scores that the models have,
summed over models; the adaptive order of a model asks a fit that never saw the model, conditioned
on the scores shown so far. Two more are chosen by looking at the errors themselves and marked so:
the published rule, greedy on the error of all models, and an oracle that does it for each model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...answers.condition import condition
from ...design import Moments, Targets, information, moments
from ...low_rank.facts import ModelFacts
from ...low_rank.link import Transform
from ...posterior.stored import StoredPosterior
from ...scores.matrix import ScoreMatrix
from ..policies import LOW_COST, Policy, low_cost_of

__all__ = ["by_information", "by_variance", "in_sample_policies", "informed_policies", "own_order"]

Floats = NDArray[np.float64]
Gain = Callable[[Moments, NDArray[np.intp], Targets], Floats]


def by_information(state: Moments, candidates: NDArray[np.intp], about: Targets) -> Floats:
    """Expected information about the other scores of the model."""
    return np.asarray(information(state, candidates, about))


def by_variance(state: Moments, candidates: NDArray[np.intp], about: Targets) -> Floats:
    """Predictive variance of the candidate itself: the naive rule."""
    return np.asarray(state.variance[candidates])


def _prior_moments(posterior: StoredPosterior, matrix: ScoreMatrix) -> list[Moments]:
    """Moments of every model's scores, were it new: from its facts alone."""
    return [
        moments(condition(posterior, {}, seed=row, facts=ModelFacts.of(matrix, row)))
        for row in range(matrix.shape[0])
    ]


def _global_order(
    states: Sequence[Moments],
    matrix: ScoreMatrix,
    allowed: Sequence[str],
    length: int,
    gain: Gain = by_information,
) -> tuple[str, ...]:
    """Greedy order of benchmarks: each adds most, summed over the models that have a score on it.

    Which cells are scored is used, the scores themselves only through the fit.
    """
    current = list(states)
    open_ = [set(np.flatnonzero(row).tolist()) for row in matrix.observed]
    left = [matrix.benchmark_index(name) for name in allowed]
    order: list[int] = []
    while left and len(order) < length:
        total = np.zeros(matrix.shape[1])
        for state, columns in zip(current, open_, strict=True):
            candidates = np.array(sorted(columns & set(left)), dtype=np.intp)
            targets = np.array(sorted(columns), dtype=np.intp)
            if candidates.size:
                about = Targets(targets, np.ones(targets.size), "exclude")
                total[candidates] += gain(state, candidates, about)
        best = max(left, key=lambda column: total[column])
        for model, columns in enumerate(open_):
            if best in columns:
                current[model] = current[model].given(best)
                columns.discard(best)
        left.remove(best)
        order.append(best)
    return tuple(matrix.benchmark_ids[column] for column in order)


def own_order(
    posterior: StoredPosterior, matrix: ScoreMatrix, row: int, length: int, gain: Gain
) -> tuple[str, ...]:
    """Probes of one model, each chosen after the score of the one before is seen.

    Parameters
    ----------
    posterior : StoredPosterior
        Of a fit that never saw a score of the model.
    matrix : ScoreMatrix
    row : int
        The model; candidates are the benchmarks it has a score for.
    length : int
    gain : callable
        What a candidate is worth given the moments so far.
    """
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
        about = Targets(left, np.ones(left.size), "exclude")
        best = int(left[np.argmax(gain(moments(draws), left, about))])
        shown[matrix.benchmark_ids[best]] = float(matrix.values[row, best])
        left = left[left != best]
    return tuple(shown)


def informed_policies(
    posterior: StoredPosterior, matrix: ScoreMatrix, length: int, low_cost: Sequence[str] | None
) -> list[Policy]:
    """Global orders by information and by variance, over all benchmarks and the cheap ones."""
    states = _prior_moments(posterior, matrix)
    every = matrix.benchmark_ids
    cheap = low_cost_of(matrix, low_cost)
    lists = [("epig-global", "max-variance", every)]
    if cheap:
        lists.append((f"epig{LOW_COST}", f"max-variance{LOW_COST}", cheap))
    return [
        Policy(name, (_global_order(states, matrix, allowed, length, gain),))
        for informed, naive, allowed in lists
        for name, gain in ((informed, by_information), (naive, by_variance))
    ]


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


def _guesses(posterior: StoredPosterior, matrix: ScoreMatrix) -> Iterator[_Guess]:
    for row, state in enumerate(_prior_moments(posterior, matrix)):
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
    posterior: StoredPosterior, matrix: ScoreMatrix, length: int
) -> list[Policy]:
    """Orders chosen on the errors themselves: greedy over all models, and model by model.

    Errors are those of the Gaussian moments given the scores shown. ``greedy-in-sample`` is the
    published rule: the benchmark that lowers the pooled median error most, revealed cells out of
    the pool. ``oracle`` does the same for each model alone.
    """
    transform = posterior.transform
    return [
        Policy(
            "greedy-in-sample",
            (_greedy(list(_guesses(posterior, matrix)), matrix, transform, length),),
            in_sample=True,
        ),
        Policy(
            "oracle",
            (
                {
                    matrix.model_ids[guess.row]: _greedy([guess], matrix, transform, length)
                    for guess in _guesses(posterior, matrix)
                    if guess.columns.size
                },
            ),
            in_sample=True,
        ),
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
