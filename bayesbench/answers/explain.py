"""Which known scores drive a prediction, and which do not fit the others.

Both by leave-one-out conditioning: the model is conditioned on all its given scores but one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pandas as pd

from ..errors import UsageError
from ..low_rank.link import Transform
from .predictive import LatentDraws, Predictive
from .suspicion import alternatives, explanation_log_densities, suspicion

__all__ = ["Explanation", "Surprise", "Surprises", "explain", "surprises"]

Answer = Callable[[Mapping[str, float]], tuple[LatentDraws, Predictive]]
"""Scores of the model -> its draws and calibrated predictions."""


@dataclass(frozen=True)
class Explanation:
    """How each given score moves one prediction.

    Attributes
    ----------
    benchmark_id : str
        What is predicted.
    median, lower, upper : float
        The prediction from all scores, with its 90 % interval.
    given : tuple of str
        Benchmarks of the given scores, the most telling first.
    scores, shifts, narrower : tuple of float
        For each: the score; how far it moves the median (with it less without it); by how much it
        narrows the 90 % interval. Score points.
    """

    benchmark_id: str
    median: float
    lower: float
    upper: float
    given: tuple[str, ...]
    scores: tuple[float, ...]
    shifts: tuple[float, ...]
    narrower: tuple[float, ...]

    @property
    def sentence(self) -> str:
        """The most telling score in words."""
        shift = self.shifts[0]
        moved = "raises" if shift > 0 else "lowers"
        return (
            f"{self.benchmark_id} is predicted at {self.median:.1f} ({self.lower:.1f} to "
            f"{self.upper:.1f}); most telling is {self.given[0]} = {self.scores[0]:g}, which "
            f"{moved} it by {abs(shift):.1f} points."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per given score: benchmark_id, score, shift, narrower_by."""
        return pd.DataFrame(
            {
                "benchmark_id": self.given,
                "score": self.scores,
                "shift": self.shifts,
                "narrower_by": self.narrower,
            }
        )

    def __repr__(self) -> str:
        return self.sentence


def explain(answer: Answer, scores: Mapping[str, float], benchmark_id: str) -> Explanation:
    """How each given score moves the prediction of one benchmark.

    Parameters
    ----------
    answer : callable
        Conditions and predicts.
    scores : mapping of benchmark id to score
        Given scores, at least one.
    benchmark_id : str

    Raises
    ------
    UsageError
        No score was given.
    """
    if not scores:
        raise UsageError("no scores were given: there is nothing to explain the prediction by")
    median, lower, upper = _of(answer(scores)[1], benchmark_id)
    found = []
    for name, score in scores.items():
        rest = {other: value for other, value in scores.items() if other != name}
        without, low, high = _of(answer(rest)[1], benchmark_id)
        found.append((name, score, median - without, (high - low) - (upper - lower)))
    found.sort(key=lambda row: -abs(row[2]))
    given, values, shifts, narrower = zip(*found, strict=True)
    return Explanation(benchmark_id, median, lower, upper, given, values, shifts, narrower)


def _of(made: Predictive, benchmark_id: str) -> tuple[float, float, float]:
    cell = made.take([made.benchmark_ids.index(benchmark_id)])
    lower, upper = cell.interval(0.9)
    return float(cell.median[0]), float(lower[0]), float(upper[0])


@dataclass(frozen=True)
class Surprise:
    """One given score set against what the others say.

    Attributes
    ----------
    benchmark_id : str
    score : float
    median, lower, upper : float
        Prediction from the other given scores, and its 90 % interval.
    tail : float
        Probability of a score at least as far out, on either side; small is surprising.
    suspicion : float
        Probability that the score is not what it says.
    explanation : str
        The likeliest one: ``as stated``, ``gross error``, ``other direction``,
        ``a share, not a percentage`` or ``a percentage, not a share``.
    corrected : float
        The score under it; NaN for a gross error.
    """

    benchmark_id: str
    score: float
    median: float
    lower: float
    upper: float
    tail: float
    suspicion: float
    explanation: str
    corrected: float

    @property
    def sentence(self) -> str:
        """The surprise in words."""
        place = "inside" if self.lower <= self.score <= self.upper else "outside"
        reason = "" if self.explanation == "as stated" else f"; likeliest: {self.explanation}"
        return (
            f"{self.benchmark_id} = {self.score:g} lies {place} what the other scores say, "
            f"{self.median:.1f} ({self.lower:.1f} to {self.upper:.1f}){reason}."
        )

    def __repr__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Surprises(Sequence[Surprise]):
    """Given scores set against each other, the most suspicious first; prints a line each.

    Attributes
    ----------
    items : tuple of Surprise
    """

    items: tuple[Surprise, ...]

    @overload
    def __getitem__(self, index: int) -> Surprise: ...
    @overload
    def __getitem__(self, index: slice) -> Surprises: ...
    def __getitem__(self, index: int | slice) -> Surprise | Surprises:
        """One of them, or some in the same form."""
        return Surprises(self.items[index]) if isinstance(index, slice) else self.items[index]

    def __len__(self) -> int:
        """Number of given scores."""
        return len(self.items)

    def to_frame(self) -> pd.DataFrame:
        """One row per given score, columns as the attributes of `Surprise`."""
        return pd.DataFrame([vars(one) for one in self.items])

    def __repr__(self) -> str:
        return "\n".join(one.sentence for one in self.items)


def surprises(answer: Answer, transform: Transform, scores: Mapping[str, float]) -> Surprises:
    """Every given score predicted from the others, the most suspicious first.

    Parameters
    ----------
    answer : callable
        Conditions and predicts.
    transform : Transform
    scores : mapping of benchmark id to score
        Given scores, at least two.

    Raises
    ------
    UsageError
        Fewer than two scores were given.
    """
    if len(scores) < 2:
        raise UsageError("fewer than two scores were given: there is nothing to compare them with")
    found = []
    for name, score in scores.items():
        rest = {other: value for other, value in scores.items() if other != name}
        draws, made = answer(rest)
        found.append(_surprise(draws, made, transform, name, float(score)))
    return Surprises(tuple(sorted(found, key=lambda one: (-one.suspicion, one.tail))))


def _surprise(
    draws: LatentDraws, made: Predictive, transform: Transform, name: str, score: float
) -> Surprise:
    j, column = draws.benchmark_ids.index(name), transform.index(name)
    evidence = explanation_log_densities(
        np.asarray(draws.eta[:, j], np.float64),
        np.asarray(draws.noise_scale[:, j], np.float64),
        np.asarray(draws.nu, np.float64),
        transform,
        column,
        score,
    )
    probability, explanation = suspicion(evidence)
    corrected = alternatives(transform, column, score).get(explanation, float("nan"))
    at_most, at_least = made.cdf(score)[j], made.p_at_least(score)[j]
    median, lower, upper = _of(made, name)
    tail = min(1.0, 2.0 * float(min(at_most, at_least)))
    return Surprise(name, score, median, lower, upper, tail, probability, explanation, corrected)
