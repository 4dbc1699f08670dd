"""``ItemCampaign``: ask a model items one after another, or in batches, until a rule says stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from ..campaign.proposal import many, verdict
from ..design import Costs
from ..errors import DataError, UsageError
from ..scores.ids import look_up
from .bank import ItemBank
from .bank_file import open_bank
from .choice import Array, Chosen, Quotas, Standing, choose, standing, target_weights
from .full_score import FullScore, scored
from .given import of_one
from .item_state import (
    Answer,
    ItemState,
    ItemStep,
    ItemStopRules,
    bank_fingerprint,
    read_item_state,
    revision_of,
    write_item_state,
)
from .responses import ItemResponses

__all__ = ["ItemCampaign", "ItemProposal", "ItemStatus"]


@dataclass(frozen=True)
class ItemProposal:
    """Which items to ask next, and whether to go on.

    Attributes
    ----------
    items : tuple of Chosen
        Best first; also given when a stop rule applies, if anything may still be asked.
    stop : str or None
        Why to stop, in words; None = go on.
    """

    items: tuple[Chosen, ...]
    stop: str | None

    @property
    def sentence(self) -> str:
        """``"Go on."``, or why to stop."""
        return verdict(self.stop)


@dataclass(frozen=True)
class ItemStatus:
    """Where an item campaign stands.

    Attributes
    ----------
    score : FullScore
        What is known of the full score.
    n_known, n_asked, n_corrections : int
        Items answered at the start; items asked since; answers corrected.
    correct, expected : float
        Of the answers to the items asked, how many were correct, and how many were expected to be
        before they were asked.
    spent : float
        Cost so far. Without costs an item counts 1.
    unit : str
        Of `spent`.
    budget_left : float or None
    p_above : float or None
        Probability that the full score is at least the bar; None without a bar.
    stop : str or None
        Why to stop; None = go on.
    """

    score: FullScore
    n_known: int
    n_asked: int
    n_corrections: int
    correct: float
    expected: float
    spent: float
    unit: str
    budget_left: float | None
    p_above: float | None
    stop: str | None

    @property
    def sentence(self) -> str:
        """All of it in words."""
        known = f"{many(self.n_known, 'item')} known at the start, " if self.n_known else ""
        corrected = f", {many(self.n_corrections, 'answer')} corrected" * bool(self.n_corrections)
        left = "" if self.budget_left is None else f", {self.budget_left:g} left"
        above = "" if self.p_above is None else f"; at or above the bar: {self.p_above:.3f}"
        return (
            f"{known}{many(self.n_asked, 'item')} asked, {self.correct:g} correct where "
            f"{self.expected:.3g} were expected{corrected}; spent "
            f"{f'{self.spent:g} {self.unit}'.strip()}{left}; full score {self.score.score:.1f} "
            f"({self.score.lower:.1f} to {self.score.upper:.1f}){above}. {verdict(self.stop)}"
        )


class ItemCampaign:
    """Ask items of a bank, for one model, and learn its full score.

    Built by `new` or `load`. With a path, the state is on disk after every step and a campaign
    killed at any moment goes on from there: everything is computed from the answers alone.

    Parameters
    ----------
    bank : ItemBank
    state : ItemState
    path : path, optional
        The file the state lives in; None keeps it in memory.

    Examples
    --------
    >>> from bayesbench.items.simulator import simulate_items
    >>> from bayesbench.items.variational import fit_bank
    >>> bank = fit_bank(simulate_items(200, 60, factors=1, seed=1).responses, factors=1)
    >>> campaign = ItemCampaign.new(None, bank, stop=ItemStopRules(max_items=3))
    >>> while campaign.propose().stop is None:
    ...     item = campaign.propose().items[0].item_id
    ...     steps = campaign.observe({item: Answer(1)})
    >>> campaign.status().n_asked, campaign.propose().stop
    (3, '3 items have been asked')
    >>> [step.item_id == item for step in campaign.undo()]
    [True]
    """

    def __init__(
        self, bank: ItemBank, state: ItemState, path: str | PathLike[str] | None = None
    ) -> None:
        self.bank = bank
        self.state = state
        self.path = None if path is None else Path(path)
        self.weights = target_weights(bank, state.benchmarks, macro=state.macro)
        self._prices: Array = _prices(bank, state.costs)
        excluded = bank.items.index.isin(list(state.exclude))
        self._allowed: Array = (self.weights > 0) & ~excluded & np.isfinite(self._prices)
        self._quotas = Quotas({name: (low, high) for name, (low, high) in state.quotas.items()})
        self._category = dict(zip(bank.items.index, bank.categories, strict=True))
        self._places = {name: at for at, name in enumerate(bank.items.index)}
        self._now: Standing | None = None

    @classmethod
    def new(
        cls,
        path: str | PathLike[str] | None,
        bank: ItemBank,
        *,
        bank_path: str | PathLike[str] | None = None,
        model_id: str = "new",
        known: Mapping[str, Answer] | None = None,
        benchmarks: Sequence[str] | None = None,
        macro: bool = False,
        exclude: Sequence[str] = (),
        quotas: Quotas | None = None,
        costs: Costs | None = None,
        stop: ItemStopRules | None = None,
        prob: float = 0.9,
    ) -> ItemCampaign:
        """Start a campaign and save its first state.

        Parameters
        ----------
        path : path or None
            A file that does not exist yet; None for a campaign in memory.
        bank : ItemBank
        bank_path : path, optional
            Where it was read from, to find it again in `load`.
        model_id : str
            Of the model under test.
        known : mapping of item id to Answer, optional
            What it answered already; that costs nothing.
        benchmarks : sequence of str, optional
            Whose score matters, and whose items are asked; all by default.
        macro : bool
            Each benchmark counts the same.
        exclude : sequence of str
            Items that are never asked.
        quotas : Quotas, optional
            A least number needs a planned number of items: `max_items`, or a budget without costs.
        costs : Costs, optional
            By item id; items without a known cost are never asked.
        stop : ItemStopRules, optional
        prob : float
            Of the interval.

        Raises
        ------
        UsageError
            The file exists, an id is not in the bank, nothing may be asked, a budget below the
            cheapest item, quotas that cannot be kept.
        DataError
            The file cannot be written.
        """
        if path is not None and Path(path).exists():
            raise UsageError(f"{path} exists: go on with that campaign, or choose another file")
        known, rules = dict(known or {}), stop or ItemStopRules()
        places = dict.fromkeys(bank.items.index, 0)
        for name in (*known, *exclude, *(costs.values if costs else ())):
            look_up("item", name, places)
        state = ItemState(
            fingerprint=bank_fingerprint(bank),
            bank_path=None if bank_path is None else str(Path(bank_path).resolve()),
            model_id=model_id,
            known=known,
            benchmarks=None if benchmarks is None else tuple(benchmarks),
            macro=macro,
            exclude=tuple(exclude),
            quotas={} if quotas is None else dict(quotas.limits),
            costs=None if costs is None else dict(costs.values),
            cost_unit="" if costs is None else costs.unit,
            stop=rules,
            prob=prob,
        )
        campaign = cls(bank, state, path)
        campaign._check_plan()
        campaign._save(state)
        return campaign

    @classmethod
    def load(cls, path: str | PathLike[str], bank: ItemBank | None = None) -> ItemCampaign:
        """Go on with a saved campaign.

        Parameters
        ----------
        path : path
        bank : ItemBank, optional
            By default the one in the file that the campaign names.

        Raises
        ------
        UsageError
            There is no such file, or no bank is given and none is named.
        DataError
            The file is damaged, or the bank is not the one the campaign began with, or no longer
            where it was.
        """
        state = read_item_state(path)
        if bank is None:
            if state.bank_path is None:
                raise UsageError(f"{path} names no bank file: give the bank")
            if not Path(state.bank_path).is_file():
                raise DataError(
                    f"the bank of the campaign {path} is no longer at {state.bank_path}: put it "
                    "back, or give it from where it is now (--bank FILE; in Python as bank)"
                )
            bank = open_bank(state.bank_path)
        if bank_fingerprint(bank) != state.fingerprint:
            raise DataError(
                f"the bank is not the one the campaign {path} began with: give that one, or start "
                "a new campaign"
            )
        return cls(bank, state, path)

    @property
    def responses(self) -> ItemResponses:
        """Every answer that stands now, in the order of the bank."""
        answers = {name: (one.correct, one.n) for name, one in self.state.answers.items()}
        return of_one(self.bank, answers, self.state.model_id)

    @property
    def score(self) -> FullScore:
        """The full score as known now, with the interval of the campaign's probability."""
        now, given = self._standing(), self.responses
        names = (self.state.model_id,)
        return scored(self.bank, names, now, given, self.weights, self.state.prob)[0]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the plan should know."""
        notes, state = [], self.state
        if state.stop.budget is not None and state.costs is None:
            notes.append("the budget counts items: no costs were given")
        unpriced = int(((self.weights > 0) & ~np.isfinite(self._prices)).sum())
        if unpriced:
            notes.append(f"{many(unpriced, 'item')} without a known cost are never asked")
        if not self.bank.width_factors:
            notes.append("the bank has no width factors: intervals are as the bank states them")
        return tuple(notes)

    def propose(self, k: int = 1) -> ItemProposal:
        """Which items to ask next, and whether to stop; changes nothing.

        Parameters
        ----------
        k : int
            At most so many, chosen as a batch that the rest of the budget pays for.

        Raises
        ------
        UsageError
            `k` is below 1.
        """
        now, state = self._standing(), self.state
        open_ = self._allowed & ~now.asked[0]
        if not open_.any():
            return ItemProposal((), "no item is left to ask")
        left = self._budget_left()
        if left is not None and not (open_ & (self._prices <= left)).any():
            return ItemProposal((), f"the rest of the budget, {left:g}, pays for no item")
        planned, done = self._planned(), [self._category[one.item_id] for one in state.asked]
        rest = len(open_) if planned is None else max(planned - len(done), 0)
        stop = self._stop()
        if rest == 0:
            return ItemProposal(
                (), stop or f"{many(len(done), 'item')} have been asked, as planned"
            )
        chosen = choose(
            self.bank,
            now,
            self.weights,
            min(k, rest) if k >= 1 else k,
            allowed=open_,
            costs=None if state.costs is None else self._prices,
            budget=left,
            quotas=self._quotas,
            asked=done,
            left=rest,
        )
        if not chosen and stop is None:
            stop = "the quotas leave no item to ask"
        return ItemProposal(chosen, stop)

    def observe(
        self,
        answers: Mapping[str, Answer],
        costs: Mapping[str, float] | None = None,
        *,
        correct: bool = False,
    ) -> tuple[ItemStep, ...]:
        """Take in answers, all or none; saved before this returns.

        Parameters
        ----------
        answers : mapping of item id to Answer
            Need not be those proposed. One that says what the campaign has already is passed over.
        costs : mapping of item id to cost, optional
            What they did cost, if not what the campaign's costs say.
        correct : bool
            Whether an answer that differs from the one the campaign has takes its place; that costs
            nothing.

        Returns
        -------
        tuple of ItemStep
            The steps that were made; fewer than answers where some were known.

        Raises
        ------
        UnknownIdError
            An item is not in the bank.
        UsageError
            An item has another answer already, or a cost is no number above 0 or not known. In each
            case the campaign is unchanged.
        """
        before, paid = self.state.answers, Costs(dict(costs or {})).values
        p, made = self._standing().probability[0], list[ItemStep]()
        for name, answer in answers.items():
            at, old = look_up("item", name, self._places), before.get(name)
            if old == answer:
                continue
            if old is not None and not correct:
                raise UsageError(
                    f"item {name!r} was answered {old} and now {answer}: correct it on purpose "
                    "(--correct; in Python correct=True), or leave it out"
                )
            price = None if old is not None else self._cost(name, paid.get(name))
            made.append(ItemStep(name, answer, price, float(p[at]), old))
        if made:
            self._save(replace(self.state, steps=(*self.state.steps, *made)))
            self._now = None
        return tuple(made)

    def undo(self, steps: int = 1) -> tuple[ItemStep, ...]:
        """Take back the last answers and corrections; saved before this returns.

        Parameters
        ----------
        steps : int
            How many of the last steps.

        Returns
        -------
        tuple of ItemStep
            Those taken back, oldest first; an answer that one of them corrected stands again.

        Raises
        ------
        UsageError
            Fewer have been made, or `steps` is below 1.
        """
        made = self.state.steps
        if steps < 1:
            raise UsageError(f"steps to take back must be 1 or more, got {steps}")
        if steps > len(made):
            raise UsageError(f"steps to take back: {steps}, but only {len(made)} have been made")
        self._save(replace(self.state, steps=made[:-steps]))
        self._now = None
        return made[-steps:]

    def status(self) -> ItemStatus:
        """Where the campaign stands; changes nothing."""
        state, score = self.state, self.score
        standing_now = state.answers
        return ItemStatus(
            score=score,
            n_known=len(state.known),
            n_asked=len(state.asked),
            n_corrections=len(state.steps) - len(state.asked),
            correct=float(sum(standing_now[one.item_id].correct for one in state.asked)),
            expected=float(sum(one.probability * one.answer.n for one in state.asked)),
            spent=state.spent,
            unit=state.unit,
            budget_left=self._budget_left(),
            p_above=self._above(score),
            stop=self.propose().stop,
        )

    def __repr__(self) -> str:
        where = "in memory" if self.path is None else str(self.path)
        return f"ItemCampaign ({where}) of model {self.state.model_id}: {self.status().sentence}"

    def _check_plan(self) -> None:
        if not self._allowed.any():
            raise UsageError("no item may be asked: all are excluded or have no known cost")
        budget, planned = self.state.stop.budget, self._planned()
        if budget is not None and budget < self._prices[self._allowed].min():
            raise UsageError(f"budget {budget:g} is below the cost of the cheapest item")
        least = any(low for low, _ in self._quotas.limits.values())
        if least and planned is None:
            raise UsageError(
                "a quota with a least number needs a planned number of items: give --max-items "
                "(in Python max_items), or a budget without costs"
            )
        if self._quotas.limits:
            own = [name for name, may in zip(self.bank.categories, self._allowed, strict=True)
                   if may]  # fmt: skip
            self._quotas.check(own, 1 if planned is None else planned)

    def _planned(self) -> int | None:
        """Number of items that will have been asked in the end, if that is known."""
        rules = self.state.stop
        plans = [] if rules.max_items is None else [rules.max_items]
        if rules.budget is not None and self.state.costs is None:
            plans.append(int(rules.budget))
        return min(plans) if plans else None

    def _standing(self) -> Standing:
        if self._now is None:
            self._now = standing(self.bank, self.responses, self.weights)
        return self._now

    def _cost(self, item: str, cost: float | None) -> float | None:
        if cost is not None or self.state.costs is None:
            return cost
        if item not in self.state.costs:
            raise UsageError(f"no cost known for item {item!r}: say what it did cost")
        return self.state.costs[item]

    def _budget_left(self) -> float | None:
        budget = self.state.stop.budget
        return None if budget is None else max(budget - self.state.spent, 0.0)

    def _above(self, score: FullScore) -> float | None:
        bar = self.state.stop.bar
        return None if bar is None else score.probability_above(bar)

    def _stop(self) -> str | None:
        rules, score = self.state.stop, self.score
        if rules.max_items is not None and len(self.state.asked) >= rules.max_items:
            return f"{many(rules.max_items, 'item')} have been asked"
        width = score.upper - score.lower
        if rules.target_width is not None and width <= rules.target_width:
            return f"the interval of the full score is {width:.3g} points wide"
        above = self._above(score)
        if above is not None and above >= rules.sure:
            return f"the full score is {rules.bar:g} or more with probability {above:.3f}"
        if above is not None and 1 - above >= rules.sure:
            return f"the full score is below {rules.bar:g} with probability {1 - above:.3f}"
        return None

    def _save(self, state: ItemState) -> None:
        """Replace the state, on disk first; refuse if another process has moved it on."""
        state = replace(state, revision=self.state.revision + 1)
        if self.path is not None:
            if self.state.revision and revision_of(self.path) != self.state.revision:
                raise UsageError(f"{self.path} was changed by another process: load it again")
            write_item_state(self.path, state)
        self.state = state


def _prices(bank: ItemBank, costs: Mapping[str, float] | None) -> Array:
    """Cost of every item, infinite where it is not known; 1 each without costs."""
    if costs is None:
        return np.ones(len(bank.items))
    return np.array([costs.get(name, np.inf) for name in bank.items.index])
