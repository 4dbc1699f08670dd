"""``Reconstructor``: bank, local stack, and what simulated campaigns teach of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from ..progress import Report
from .adaptive import ask_adaptively, checked_budgets
from .bank import ItemBank
from .local_stack import LocalStack
from .responses import ItemResponses
from .variational import fit_bank

__all__ = ["BUDGETS", "Reconstructor", "ScoreBand", "conformal_factor", "fit_reconstructor",
           "folds_of", "usual_factors"]  # fmt: skip

Array = NDArray[Any]
BUDGETS = (10, 25, 50, 100, 200)
NORMAL_90 = 1.6448536269514722
ENOUGH = 60
"""Held-out models below which widths of all budgets are learned together."""
WEIGHTS = np.linspace(0, 1, 21)


@dataclass(frozen=True, eq=False, repr=False)
class ScoreBand:
    """Full scores of models with intervals of 90 %.

    Attributes
    ----------
    score, lower, upper : (models,) arrays
        Percent.
    """

    score: Array
    lower: Array
    upper: Array


@dataclass(frozen=True, eq=False, repr=False)
class Reconstructor:
    """Predicts the mean over all items from the answers to some.

    The score is what was observed plus the rest as the bank predicts it, plus ``w_n`` times what
    the local stack says the bank misses. The interval is ``score +- 1.645 c_n s``, s the bank's
    standard deviation, within what the open items allow. ``w_n`` and ``c_n`` are learned by
    simulated campaigns and taken between the budgets by the logarithm of the number of answers.

    Attributes
    ----------
    bank : ItemBank
    stack : LocalStack
    blend : mapping of int to float
        Weight of the stack after so many answers.
    width_factors : mapping of int to float
        Factor of the sd after so many answers.
    about : {"score", "ability"}
        What the choice of items asks about.
    """

    bank: ItemBank
    stack: LocalStack
    blend: Mapping[int, float]
    width_factors: Mapping[int, float]
    about: str = "score"

    def ask(self, responses: ItemResponses, budgets: Sequence[int] = BUDGETS) -> Iterator[Array]:
        """Which items it asks of models whose answers are known, by each of the budgets.

        Yields
        ------
        (models, items) bool array

        Raises
        ------
        UsageError, DataError
            As `ask_adaptively`.
        """
        return ask_adaptively(self.bank, responses, budgets, about=self.about)

    def predict(self, responses: ItemResponses) -> ScoreBand:
        """Scores of models from the answers that there are.

        Parameters
        ----------
        responses : ItemResponses
            Of the bank's items, in its order; no trials where not asked.

        Raises
        ------
        DataError
            The items are not those of the bank.
        """
        found = _parts(self.bank, self.stack, responses, any(self.blend.values()))
        asked = (responses.trials > 0).sum(axis=1)
        score = found.score + _between(self.blend, asked, 0.0) * found.correction
        half = NORMAL_90 * _between(self.width_factors, asked, 1.0) * found.sd
        score = np.clip(score, found.lowest, found.highest)
        return ScoreBand(
            score,
            np.clip(score - half, found.lowest, found.highest),
            np.clip(score + half, found.lowest, found.highest),
        )

    def __repr__(self) -> str:
        return f"Reconstructor({self.bank!r}, {len(self.stack.score)} models in the stack)"


@dataclass(frozen=True, eq=False, repr=False)
class _Parts:
    """What is known of scores before anything is learned from campaigns; (models,) arrays."""

    score: Array
    sd: Array
    correction: Array
    lowest: Array
    highest: Array


def _parts(bank: ItemBank, stack: LocalStack, responses: ItemResponses, stacked: bool) -> _Parts:
    if not responses.items.index.equals(bank.items.index):
        raise DataError("the items are not those of the bank, in its order; take them from it")
    engine = stack.engine
    runs = responses.trials.astype(np.float64)
    right = responses.correct.astype(np.float64)
    ability, cov = engine.found(right, runs, np.zeros((len(runs), engine.slope.shape[1])))
    p = engine.probability(ability)
    asked = runs > 0
    share = np.divide(right, runs, out=np.zeros_like(right), where=asked)
    weight = 100 / len(engine.easiness)
    score = weight * np.where(asked, share, p).sum(axis=1)
    d = np.where(asked, 0.0, p * (1 - p))
    slope = weight * d @ engine.slope
    variance = np.einsum("ij,ijk,ik->i", slope, cov, slope) + weight**2 * d.sum(axis=1)
    correction = np.zeros(len(runs))
    if stacked:
        for row in np.flatnonzero(stack.within(score)):
            correction[row] = stack.correction(right[row], runs[row], ability[row])
    known = weight * share.sum(axis=1)
    highest = known + weight * (~asked).sum(axis=1)
    return _Parts(score, np.sqrt(np.maximum(variance, 0)), correction, known, highest)


def _between(values: Mapping[int, float], answered: Array, without: float) -> Array:
    if not values:
        return np.full(np.shape(answered), without)
    budgets = sorted(values)
    held = [values[n] for n in budgets]
    return np.asarray(np.interp(np.log1p(answered), np.log1p(budgets), held))


def usual_factors(models: int) -> int:
    """Factors of a bank by the number of its models: 2 below 100, 4 below 500, else 6.

    Examples
    --------
    >>> usual_factors(50), usual_factors(200), usual_factors(3000)
    (2, 4, 6)
    """
    return 2 if models < 100 else 4 if models < 500 else 6


def folds_of(groups: Sequence[str], folds: int, rng: np.random.Generator) -> Array:
    """Fold of every model; groups are dealt to folds, so that models of one stay together.

    Raises
    ------
    UsageError
        Fewer than 2 folds, or fewer groups than folds.

    Examples
    --------
    >>> import numpy as np
    >>> found = folds_of(["a", "a", "b", "c"], 2, np.random.default_rng(0))
    >>> bool(found[0] == found[1]), sorted(set(found.tolist()))
    (True, [0, 1])
    """
    names, of = np.unique(np.asarray(groups), return_inverse=True)
    if folds < 2 or len(names) < folds:
        raise UsageError(f"{folds} folds of {len(names)} groups; at least 2, and a group for each")
    fold = np.empty(len(names), dtype=np.int64)
    fold[rng.permutation(len(names))] = np.arange(len(names)) % folds
    return np.asarray(fold[of])


def conformal_factor(ratios: Array, prob: float = 0.9) -> float:
    """The ``ceil(p (n + 1))``-th smallest of n ratios, or the largest where there are too few.

    Examples
    --------
    >>> import numpy as np
    >>> conformal_factor(np.arange(1.0, 20.0))
    18.0
    """
    ordered = np.sort(np.ravel(ratios))
    return float(ordered[min(int(np.ceil(prob * (len(ordered) + 1))), len(ordered)) - 1])


def fit_reconstructor(
    responses: ItemResponses,
    groups: Sequence[str] | None = None,
    budgets: Sequence[int] = BUDGETS,
    *,
    factors: int | None = None,
    about: str = "score",
    stacked: bool = True,
    folds: int = 4,
    most_models: int = 400,
    seed: int = 0,
    report: Report | None = None,
) -> Reconstructor:
    """Fit a bank, and learn weight and widths from campaigns on groups that were left out.

    Groups are dealt to folds. A bank and a stack are fitted without a fold, and campaigns are run
    on its models, choice of items included. Per budget the weight is the one of the least mean
    absolute error, and the factor the ``ceil(0.9 (n + 1))``-th smallest of the n absolute errors in
    units of ``1.645 sd`` (of all budgets together where fewer than 60 models were left out).

    Parameters
    ----------
    responses : ItemResponses
        Of the training models.
    groups : sequence of str, optional
        Author or family of each; by default each model is its own.
    budgets : sequence of int
        Those above the number of items are left out.
    factors : int, optional
        `usual_factors` by default.
    about : {"score", "ability"}
    stacked : bool
        Whether there is a local stack at all.
    folds : int
    most_models : int
        Left-out models in all, drawn at random.
    seed : int
    report : Report, optional

    Returns
    -------
    Reconstructor

    Raises
    ------
    UsageError
        Budgets do not rise, or fewer groups than folds.
    DataError
        No model ran every item.

    Examples
    --------
    >>> from bayesbench.items.simulator import simulate_items
    >>> drawn = simulate_items(60, 30, seed=1).responses
    >>> fit_reconstructor(drawn, budgets=(5, 10), factors=1)
    Reconstructor(ItemBank(30 items, 1 factors, from 60 models), 60 models in the stack)
    """
    models, items = responses.shape
    wanted = checked_budgets([n for n in budgets if n <= items] or [items], items)
    number = usual_factors(models) if factors is None else factors
    rng = np.random.default_rng(seed)
    fold = folds_of(list(responses.models.index) if groups is None else groups, folds, rng)
    complete = np.flatnonzero(responses.complete())
    if not len(complete):
        raise DataError("no model ran every item; give answers of models that did")
    chosen = rng.permutation(complete)[:most_models]
    found: list[list[_Parts]] = [[] for _ in wanted]
    truth = []
    for at in range(folds):
        held = chosen[fold[chosen] == at]
        if len(held):
            rest = responses.subset(models=np.flatnonzero(fold != at))
            bank = fit_bank(rest, factors=number, seed=seed)
            stack = LocalStack.of(bank, rest)
            mine = responses.subset(models=held)
            truth.append(mine.scores())
            for place, asked in enumerate(ask_adaptively(bank, mine, wanted, about=about)):
                found[place].append(_parts(bank, stack, _shown(mine, asked), stacked))
        if report is not None:
            report(at + 1, folds + 1)
    blend, factor = _learned(wanted, found, np.concatenate(truth))
    bank = fit_bank(responses, factors=number, seed=seed)
    if report is not None:
        report(folds + 1, folds + 1)
    return Reconstructor(bank, LocalStack.of(bank, responses), blend, factor, about)


def _shown(responses: ItemResponses, asked: Array) -> ItemResponses:
    """The answers to the items that were asked."""
    return ItemResponses(
        responses.models, responses.items, responses.correct * asked, responses.trials * asked
    )


def _learned(
    budgets: Sequence[int], found: Sequence[Sequence[_Parts]], truth: Array
) -> tuple[dict[int, float], dict[int, float]]:
    blend, ratios = {}, []
    for n, parts in zip(budgets, found, strict=True):
        score, sd, extra, low, high = (
            np.concatenate([getattr(one, name) for one in parts])
            for name in ("score", "sd", "correction", "lowest", "highest")
        )
        errors = np.abs(np.clip(score + WEIGHTS[:, None] * extra, low, high) - truth)
        best = int(errors.mean(axis=1).argmin())
        blend[n] = float(WEIGHTS[best])
        full = sd < 1e-9
        ratios.append(np.where(full, 1.0, errors[best] / np.where(full, 1.0, NORMAL_90 * sd)))
    if len(truth) < ENOUGH:
        same = conformal_factor(np.concatenate(ratios))
        return blend, dict.fromkeys(budgets, same)
    return blend, {n: conformal_factor(one) for n, one in zip(budgets, ratios, strict=True)}
