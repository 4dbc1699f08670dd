"""Simple ways to a full score from few items, under the signature of the `Reconstructor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..scores.ids import look_up
from .adaptive import Abilities, checked_budgets
from .baseline_fits import Fitted, fit_anchors, fit_kernel, fit_mean, fit_ridge
from .baseline_forms import anchor_forms, greedy_order, mrmr_order
from .reconstructor import BUDGETS, ScoreBand, conformal_factor, fit_reconstructor, folds_of
from .responses import ItemResponses
from .variational import fit_bank

__all__ = ["ITEM_METHODS", "REPEATED", "FormMethod", "ItemMethod", "fit_method"]

Array = NDArray[Any]
FOLDS = 4
ANCHOR_FACTORS = 4


class ItemMethod(Protocol):
    """What asks items of models and predicts their full scores."""

    def ask(self, responses: ItemResponses, budgets: Sequence[int] = BUDGETS) -> Iterator[Array]:
        """Which items it asks, (models, items) bool for each of the budgets."""
        ...

    def predict(self, responses: ItemResponses) -> ScoreBand:
        """Scores with intervals of 90 % from the answers that there are."""
        ...


@dataclass(frozen=True, eq=False, repr=False)
class FormMethod:
    """Asks the same items of everybody, and predicts from those answers.

    Attributes
    ----------
    items : int
        Of the pool.
    forms : mapping of int to index array
        Items by budget.
    fitted : mapping of int to Fitted
        Predicts scores from the shares of a form's items, (models, items) to (models,).
    half : mapping of int to float
        Half width of the interval, points: the ``ceil(0.9 (n + 1))``-th smallest absolute error of
        models whose group had no part, items included.
    """

    items: int
    forms: Mapping[int, Array]
    fitted: Mapping[int, Fitted]
    half: Mapping[int, float]

    def ask(self, responses: ItemResponses, budgets: Sequence[int] = BUDGETS) -> Iterator[Array]:
        """The form of each budget, the same for every model.

        Raises
        ------
        UsageError
            There is no form of that length.
        """
        for n in budgets:
            look_up("form of length", str(n), {str(m): m for m in self.forms})
            asked = np.zeros(responses.shape, dtype=bool)
            asked[:, self.forms[n]] = True
            yield asked

    def predict(self, responses: ItemResponses) -> ScoreBand:
        """Scores of models that answered a form, all the same one.

        Raises
        ------
        DataError
            The items answered are those of no form.
        """
        asked = responses.trials > 0
        n = int(asked[0].sum())
        if (
            n not in self.forms
            or not asked[:, self.forms[n]].all()
            or asked.sum() != n * len(asked)
        ):
            raise DataError(f"the {n} items answered are those of no form; answer a form in full")
        share = responses.shares()[:, self.forms[n]].astype(np.float64)
        low = 100 / self.items * share.sum(axis=1)
        high = low + 100 * (1 - n / self.items)
        score = np.clip(self.fitted[n](share), low, high)
        return ScoreBand(
            score,
            np.clip(score - self.half[n], low, high),
            np.clip(score + self.half[n], low, high),
        )


Plan = tuple[dict[int, Array], dict[int, Fitted]]
Planner = Callable[[ItemResponses, Array, Sequence[int], np.random.Generator], Plan]
"""From complete training models and their groups: forms and what predicts from them."""


def _shares(responses: ItemResponses) -> tuple[Array, Array]:
    return responses.shares().astype(np.float64), responses.scores()


def _random_mean(responses: ItemResponses, groups: Array, budgets: Sequence[int],
                 rng: np.random.Generator) -> Plan:  # fmt: skip
    order = rng.permutation(responses.shape[1])
    return {n: order[:n] for n in budgets}, dict.fromkeys(budgets, fit_mean())


def _by_ridge(order: Array, responses: ItemResponses, groups: Array,
              budgets: Sequence[int]) -> Plan:  # fmt: skip
    share, score = _shares(responses)
    forms = {n: order[:n] for n in budgets}
    return forms, {n: fit_ridge(share[:, form], score, groups) for n, form in forms.items()}


def _random_ridge(responses: ItemResponses, groups: Array, budgets: Sequence[int],
                  rng: np.random.Generator) -> Plan:  # fmt: skip
    return _by_ridge(rng.permutation(responses.shape[1]), responses, groups, budgets)


def _greedy_ridge(responses: ItemResponses, groups: Array, budgets: Sequence[int],
                  rng: np.random.Generator) -> Plan:  # fmt: skip
    order = greedy_order(*_shares(responses), budgets[-1])
    return _by_ridge(order, responses, groups, budgets)


def _mrmr_kernel(responses: ItemResponses, groups: Array, budgets: Sequence[int],
                 rng: np.random.Generator) -> Plan:  # fmt: skip
    share, score = _shares(responses)
    order = mrmr_order(share, score, budgets[-1])
    forms = {n: order[:n] for n in budgets}
    return forms, {n: fit_kernel(share[:, form], score, groups, rng) for n, form in forms.items()}


def _anchor_irt(responses: ItemResponses, groups: Array, budgets: Sequence[int],
                rng: np.random.Generator) -> Plan:  # fmt: skip
    bank = fit_bank(responses, factors=ANCHOR_FACTORS)
    engine, forms, fitted = Abilities.of(bank), dict[int, Array](), dict[int, Fitted]()
    share, score = _shares(responses)
    runs = np.median(responses.trials, axis=0)
    for n in budgets:
        forms[n], weights = anchor_forms(engine.easiness, engine.slope, n, rng)
        fitted[n] = fit_anchors(engine, forms[n], weights, runs, share[:, forms[n]], score)
    return forms, fitted


def _planned(planner: Planner) -> Callable[..., ItemMethod]:
    def fit(
        responses: ItemResponses,
        groups: Sequence[str] | None,
        budgets: Sequence[int],
        seed: int,
    ) -> ItemMethod:
        known = np.flatnonzero(responses.complete())
        if not len(known):
            raise DataError("no model ran every item; give answers of models that did")
        mine = responses.subset(models=known)
        items = responses.shape[1]
        wanted = checked_budgets([n for n in budgets if n <= items] or [items], items)
        of = np.asarray(list(responses.models.index) if groups is None else groups)[known]
        fold = folds_of(of.tolist(), min(FOLDS, len(np.unique(of))), np.random.default_rng(seed))
        errors: dict[int, list[Array]] = {n: [] for n in wanted}
        for at in np.unique(fold):
            rest, held = np.flatnonzero(fold != at), np.flatnonzero(fold == at)
            forms, fitted = planner(
                mine.subset(models=rest), of[rest], wanted, np.random.default_rng(seed)
            )
            new = mine.subset(models=held)
            for n in wanted:
                found = FormMethod(items, forms, fitted, {n: 0.0})
                asked = next(iter(found.ask(new, (n,))))
                given = ItemResponses(
                    new.models, new.items, new.correct * asked, new.trials * asked
                )
                errors[n].append(np.abs(found.predict(given).score - new.scores()))
        forms, fitted = planner(mine, of, wanted, np.random.default_rng(seed))
        half = {n: conformal_factor(np.concatenate(errors[n])) for n in wanted}
        return FormMethod(items, forms, fitted, half)

    return fit


def _campaigns(**settings: Any) -> Callable[..., ItemMethod]:
    def fit(
        responses: ItemResponses,
        groups: Sequence[str] | None,
        budgets: Sequence[int],
        seed: int,
    ) -> ItemMethod:
        return fit_reconstructor(responses, groups, budgets, seed=seed, **settings)

    return fit


ITEM_METHODS: Mapping[str, Callable[..., ItemMethod]] = {
    "recipe": _campaigns(),
    "bank": _campaigns(stacked=False),
    "fluid": _campaigns(factors=1, about="ability", stacked=False),
    "random-mean": _planned(_random_mean),
    "random-ridge": _planned(_random_ridge),
    "greedy-ridge": _planned(_greedy_ridge),
    "mrmr-kernel": _planned(_mrmr_kernel),
    "anchor-irt": _planned(_anchor_irt),
}
"""By name: what fits a method to training models."""
REPEATED = ("random-mean", "random-ridge")
"""Methods whose items are drawn, so that a figure of them needs many draws."""


def fit_method(
    name: str,
    responses: ItemResponses,
    groups: Sequence[str] | None = None,
    budgets: Sequence[int] = BUDGETS,
    *,
    seed: int = 0,
) -> ItemMethod:
    """Fit one of the methods to training models.

    `recipe` is `fit_reconstructor`, `bank` the same without the local stack, `fluid` one factor
    with items of the largest Fisher information (Fluid Benchmarking, arXiv:2509.11106).
    `random-mean` and `random-ridge` take items at random; `greedy-ridge` those that a linear
    regression gains most by; `mrmr-kernel` relevant ones that repeat each other little, with kernel
    ridge (arXiv:2605.25773); `anchor-irt` the centres of clusters of items with gp-IRT
    (tinyBenchmarks, arXiv:2402.14992). All but the first are re-implementations, with intervals by
    errors on groups that were left out.

    Parameters
    ----------
    name : str
    responses : ItemResponses
    groups : sequence of str, optional
        Author or family of each model; by default each is its own.
    budgets : sequence of int
        Those above the number of items are left out.
    seed : int

    Returns
    -------
    ItemMethod

    Raises
    ------
    UnknownIdError
        There is no such method.
    UsageError, DataError
        As `fit_reconstructor`.

    Examples
    --------
    >>> from bayesbench.items.simulator import simulate_items
    >>> drawn = simulate_items(60, 30, seed=1).responses
    >>> found = fit_method("random-ridge", drawn, budgets=(5,))
    >>> next(iter(found.ask(drawn, (5,)))).sum(axis=1).max()
    np.int64(5)
    """
    look_up("method", name, {known: at for at, known in enumerate(ITEM_METHODS)})
    return ITEM_METHODS[name](responses, groups, budgets, seed)
