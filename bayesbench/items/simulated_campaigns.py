"""Campaigns on models whose answers are all known, and what they teach of the widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from .bank import ItemBank
from .reconstruction import estimate_scores
from .responses import ItemResponses
from .variational import fit_bank

__all__ = ["Course", "crossfit_widths", "run_campaigns"]

Array = NDArray[Any]
NORMAL_90 = 1.6448536269514722
LEAST_MODELS = 20
"""Held-out models that a factor is learned from at least."""


@dataclass(frozen=True, eq=False, repr=False)
class Course:
    """Estimates of the full scores after so many items.

    Attributes
    ----------
    budgets : tuple of int
    score, sd : (budgets, models) arrays
        Percent; `sd` as the bank states it.
    asked : (models, items) array
        Which items were asked by the last budget.
    """

    budgets: tuple[int, ...]
    score: Array
    sd: Array
    asked: Array


def run_campaigns(bank: ItemBank, responses: ItemResponses, budgets: Sequence[int]) -> Course:
    """Ask every model one item after another, each time the one of the largest gain.

    Parameters
    ----------
    bank : ItemBank
    responses : ItemResponses
        Every item answered by every model; only the answers asked for are used.
    budgets : sequence of int
        Rising, at most the number of items.

    Raises
    ------
    UsageError
        Budgets do not rise, or are below 1 or above the number of items.
    DataError
        An item was not run.
    """
    wanted = tuple(budgets)
    if not wanted or list(wanted) != sorted(set(wanted)):
        raise UsageError(f"budgets must rise, got {', '.join(map(str, wanted)) or 'none'}")
    if wanted[0] < 1 or wanted[-1] > responses.shape[1]:
        raise UsageError(f"budgets must be from 1 to the {responses.shape[1]} items of the bank")
    if not responses.complete().all():
        first = responses.models.index[int(np.argmin(responses.complete()))]
        raise DataError(f"model {first!r} did not run every item; leave it out")
    asked = np.zeros(responses.shape, dtype=np.uint8)
    rows = np.arange(len(asked))
    scores, sds = [], []
    for number in range(wanted[-1] + 1):
        shown = ItemResponses(
            responses.models, responses.items, responses.correct * asked, responses.trials * asked
        )
        found = estimate_scores(bank, shown)
        if number in wanted:
            scores.append(found.score)
            sds.append(np.sqrt(found.variance))
        if number < wanted[-1]:
            asked[rows, found.gain.argmax(axis=1)] = 1
    return Course(wanted, np.array(scores), np.array(sds), asked)


def crossfit_widths(
    responses: ItemResponses,
    groups: Sequence[str],
    budgets: Sequence[int],
    *,
    folds: int = 4,
    most_models: int = 400,
    seed: int,
    **settings: Any,
) -> Mapping[int, float]:
    """Learn per budget by what factor to multiply the sd, from campaigns on held-out groups.

    Groups are dealt to folds; a bank is fitted without a fold, choice of items included, and
    campaigns are run on the fold's models. The factor is the ``ceil(0.9 (n + 1))``-th smallest of
    the n absolute errors in units of ``1.645 sd``.

    Parameters
    ----------
    responses : ItemResponses
    groups : sequence of str
        Author or family of each model: models of one are never on both sides.
    budgets : sequence of int
    folds : int
    most_models : int
        Held-out models in all, drawn at random.
    seed : int
    **settings
        Of `fit_bank`.

    Returns
    -------
    mapping of int to float

    Raises
    ------
    UsageError
        Fewer than 2 folds, or fewer groups than folds.
    DataError
        Fewer than 20 models ran every item.
    """
    of = np.asarray(groups)
    names = np.unique(of)
    if folds < 2 or len(names) < folds:
        raise UsageError(f"{folds} folds of {len(names)} groups; at least 2, and a group for each")
    rng = np.random.default_rng(seed)
    fold_of = dict(zip(rng.permutation(names), np.arange(len(names)) % folds, strict=True))
    fold = np.array([fold_of[name] for name in of])
    known = np.flatnonzero(responses.complete())
    if len(known) < LEAST_MODELS:
        raise DataError(
            f"{len(known)} models ran every item; widths are learned from {LEAST_MODELS} or more"
        )
    chosen = rng.permutation(known)[:most_models]
    ratios = []
    for at in range(folds):
        held = chosen[fold[chosen] == at]
        if len(held):
            bank = fit_bank(responses.subset(models=np.flatnonzero(fold != at)), **settings)
            mine = responses.subset(models=held)
            course = run_campaigns(bank, mine, budgets)
            error = np.abs(course.score - mine.scores())
            full = course.sd < 1e-9  # every item was asked: there is no error
            ratios.append(np.where(full, 1.0, error / np.where(full, 1, NORMAL_90 * course.sd)))
    ordered = np.sort(np.concatenate(ratios, axis=1), axis=1)
    rank = min(int(np.ceil(0.9 * (ordered.shape[1] + 1))), ordered.shape[1])
    return {n: float(ordered[at, rank - 1]) for at, n in enumerate(budgets)}
