"""What new scores change: how they were predicted, what looks wrong, which predictions move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import ScoreError
from ..low_rank.facts import ModelFacts
from ..scores import ScoreMatrix
from .model import Model
from .posterior import Posterior
from .prediction import Prediction

__all__ = ["MOST_MODELS", "Effects", "Foreseen", "Move", "Suspected", "effects"]

MOST_MODELS = 20
"""Models that are looked at; each takes up to a second."""


@dataclass(frozen=True)
class Foreseen:
    """A new score beside what was predicted before it, score points.

    Attributes
    ----------
    model_id, benchmark_id : str
    score : float
    median, lower, upper : float
        Prediction without it, with its 90 % interval.
    distance : float
        From the median, in lengths of the interval on that side: above 1 it lies outside.
    """

    model_id: str
    benchmark_id: str
    score: float
    median: float
    lower: float
    upper: float
    distance: float


@dataclass(frozen=True)
class Move:
    """A prediction before and after the new scores, score points.

    Attributes
    ----------
    model_id, benchmark_id : str
    before, after : float
        Medians.
    width_before, width_after : float
        Of the 90 % intervals.
    """

    model_id: str
    benchmark_id: str
    before: float
    after: float
    width_before: float
    width_after: float


@dataclass(frozen=True)
class Suspected:
    """A new score that looks wrong.

    Attributes
    ----------
    model_id, benchmark_id : str
    probability : float or None
        That it is not what it says; None where it cannot be set against anything.
    text : str
    """

    model_id: str
    benchmark_id: str
    probability: float | None
    text: str


@dataclass(frozen=True)
class Effects:
    """What new scores change.

    Attributes
    ----------
    foreseen : tuple of Foreseen
        The largest surprises first.
    moves : tuple of Move
        Of cells without a score, the largest (in widths of the interval before) first.
    suspected : tuple of Suspected
    notes : tuple of str
        What could not be looked at.
    """

    foreseen: tuple[Foreseen, ...] = ()
    moves: tuple[Move, ...] = ()
    suspected: tuple[Suspected, ...] = ()
    notes: tuple[str, ...] = ()


def effects(
    posterior: Posterior,
    before: ScoreMatrix,
    after: ScoreMatrix,
    added: Mapping[str, Mapping[str, float]],
    *,
    seed: int = 0,
) -> Effects:
    """What scores that come to a matrix change in the predictions of their models.

    A fitted model is known by the scores it was fitted to, any other by its scores in `before` and
    its facts; the new scores are then conditioned on. Benchmarks that were not fitted, or stand on
    another scale there, are named and left out.

    Parameters
    ----------
    posterior : Posterior
    before, after : ScoreMatrix
        Without and with the new scores.
    added : mapping of model id to mapping of benchmark id to score
    seed : int

    Returns
    -------
    Effects

    Examples
    --------
    >>> import bayesbench as bb
    >>> scores, posterior = bb.open_scores(), bb.open_posterior()
    >>> found = effects(posterior, scores, scores, {"gpt-4.1": {"gpqa_diamond": 20.0}})
    >>> found.foreseen[0].distance > 1, found.suspected[0].benchmark_id
    (True, 'gpqa_diamond')
    """
    usable = _usable(posterior, after)
    foreseen: list[Foreseen] = []
    moves: list[tuple[float, Move]] = []
    suspected: list[Suspected] = []
    notes = _left_out(added, usable)
    concerned = {
        model: {name: score for name, score in scores.items() if name in usable}
        for model, scores in added.items()
    }
    concerned = {model: scores for model, scores in concerned.items() if scores}
    if len(concerned) > MOST_MODELS:
        notes.append(f"predictions of the first {MOST_MODELS} of {len(concerned)} models only")
    for model_id, scores in list(concerned.items())[:MOST_MODELS]:
        old = _known(posterior, before, after, model_id, usable, {}, seed)
        foreseen += _foreseen(model_id, old.predict(list(scores)), scores)
        try:
            new = _known(posterior, before, after, model_id, usable, scores, seed)
        except ScoreError as error:
            suspected += [Suspected(model_id, name, None, str(error)) for name in scores]
            continue
        suspected += [
            Suspected(model_id, one.benchmark_id, one.probability, f"{model_id}: {one.sentence}")
            for one in new.warnings
            if one.benchmark_id in scores
        ]
        if new.warnings.unchecked:
            notes.append(f"{model_id}: {new.warnings.unchecked}")
        moves += _moves(model_id, old.predict(), new.predict(), set(new.observed))
    return Effects(
        tuple(sorted(foreseen, key=lambda one: -one.distance)),
        tuple(move for _, move in sorted(moves, key=lambda one: -one[0])),
        tuple(suspected),
        tuple(notes),
    )


def _usable(posterior: Posterior, matrix: ScoreMatrix) -> frozenset[str]:
    """Benchmarks that stand on the same scale in both."""
    theirs, own = posterior.matrix.benchmarks, matrix.benchmarks
    columns = ["scale", "lower", "upper", "higher_is_better"]
    return frozenset(
        str(name)
        for name in own.index.intersection(theirs.index)
        if own.loc[name, columns].astype(str).tolist()
        == theirs.loc[name, columns].astype(str).tolist()
    )


def _left_out(added: Mapping[str, Mapping[str, float]], usable: frozenset[str]) -> list[str]:
    names = sorted({name for scores in added.values() for name in scores} - usable)
    if not names:
        return []
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return [f"the posterior does not know {', '.join(names[:5])}{more} on that scale: not judged"]


def _known(
    posterior: Posterior,
    before: ScoreMatrix,
    after: ScoreMatrix,
    model_id: str,
    usable: frozenset[str],
    scores: Mapping[str, float],
    seed: int,
) -> Model:
    """A model with what is known of it, and some scores besides."""
    if model_id in posterior.model_ids:
        return posterior.condition(scores, id=model_id, seed=seed)
    known: dict[str, float] = {}
    if model_id in before.model_ids:
        values = before.values[before.model_index(model_id)]
        known = {
            name: float(value)
            for name, value in zip(before.benchmark_ids, values, strict=True)
            if np.isfinite(value) and name in usable
        }
    facts = ModelFacts.of(after, after.model_index(model_id))
    return posterior.condition({**known, **scores}, facts=facts, id=model_id, seed=seed)


def _foreseen(model_id: str, predicted: Prediction, scores: Mapping[str, float]) -> list[Foreseen]:
    found = []
    for name, score in scores.items():
        cell = predicted[name]
        lower, upper = cell.interval(0.9)
        side = upper - cell.median if score >= cell.median else cell.median - lower
        distance = abs(score - cell.median) / max(side, 1e-9)
        found.append(Foreseen(model_id, name, score, cell.median, lower, upper, distance))
    return found


def _moves(
    model_id: str, old: Prediction, new: Prediction, known: set[str]
) -> list[tuple[float, Move]]:
    first, then = old.interval(0.9), new.interval(0.9)
    found = []
    for at, name in enumerate(old):
        if str(name) in known:
            continue
        width = float(first[1][at] - first[0][at])
        move = Move(
            model_id,
            str(name),
            float(old.median[at]),
            float(new.median[at]),
            width,
            float(then[1][at] - then[0][at]),
        )
        found.append((abs(move.after - move.before) / max(width, 1e-9), move))
    return found
