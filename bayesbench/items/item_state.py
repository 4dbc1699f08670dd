"""The state of an item campaign, frozen, and the JSON file that holds it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike

import numpy as np

from ..campaign.state_file import loaded, plain, read_file, structured
from ..errors import UsageError
from ..files import write_text
from ..jsonable import json_text
from .bank import ItemBank

__all__ = [
    "Answer",
    "ItemState",
    "ItemStep",
    "ItemStopRules",
    "bank_fingerprint",
    "read_item_state",
    "revision_of",
    "write_item_state",
]

FORMAT = "bayesbench-item-campaign"
VERSION = 1


@dataclass(frozen=True)
class Answer:
    """Answers to one item.

    Attributes
    ----------
    correct : float
        From 0 to `n`.
    n : int
        Runs, 1 or more.

    Raises
    ------
    UsageError
        A number is out of range.
    """

    correct: float
    n: int = 1

    def __post_init__(self) -> None:
        if self.n < 1 or not 0 <= self.correct <= self.n:
            raise UsageError(f"{self}: give 0 to n correct of n, n being 1 or more")

    def __str__(self) -> str:
        return f"{self.correct:g} of {self.n}"


@dataclass(frozen=True)
class ItemStopRules:
    """When an item campaign says it is done; the first rule that applies counts.

    Attributes
    ----------
    target_width : float, optional
        Stop once the interval of the full score is this narrow (points).
    bar : float, optional
        Stop once it is sure on which side of this full score (percent) the model stands.
    sure : float
        How sure: the probability of one side is at least this.
    budget : float, optional
        Stop once the rest pays for no item: summed cost, or number of items without costs.
    max_items : int, optional
        Stop after so many items.

    Raises
    ------
    UsageError
        A threshold is out of range.

    Examples
    --------
    >>> ItemStopRules(bar=70, sure=0.95, max_items=50).budget is None
    True
    """

    target_width: float | None = None
    bar: float | None = None
    sure: float = 0.95
    budget: float | None = None
    max_items: int | None = None

    def __post_init__(self) -> None:
        for name in ("target_width", "budget", "max_items"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise UsageError(f"stop rule {name} must be above 0, got {value:g}")
        if self.bar is not None and not 0 <= self.bar <= 100:
            raise UsageError(f"stop rule bar must be a score from 0 to 100, got {self.bar:g}")
        if not 0.5 < self.sure < 1:
            raise UsageError(f"stop rule sure must lie between 0.5 and 1, got {self.sure:g}")


@dataclass(frozen=True)
class ItemStep:
    """One observation: of an item that was run, or the correction of an answer.

    Attributes
    ----------
    item_id : str
    answer : Answer
    cost : float or None
        None if it is not known.
    probability : float
        Of a correct answer, as the answers before it said.
    corrects : Answer or None
        The answer it takes the place of.

    Examples
    --------
    >>> ItemStep("q7", Answer(1), None, 0.8).price
    1.0
    """

    item_id: str
    answer: Answer
    cost: float | None
    probability: float
    corrects: Answer | None = None

    @property
    def price(self) -> float:
        """What it adds to the spent: its cost; 1 for an item without one, 0 for a correction."""
        if self.cost is not None:
            return self.cost
        return 1.0 if self.corrects is None else 0.0


@dataclass(frozen=True)
class ItemState:
    """Everything an item campaign is: its plan, and what has been observed.

    Attributes
    ----------
    fingerprint : str
        SHA-256 of the bank's items and parameters.
    bank_path : str or None
        Where the bank lies; None for one held in memory.
    model_id : str
        Of the model under test.
    known : mapping of item id to Answer
        Answers that were given at the start.
    benchmarks : tuple of str or None
        Whose score matters, and whose items are asked; None: all.
    macro : bool
        Each benchmark counts the same, whatever its number of items.
    exclude : tuple of str
        Items that are never asked.
    quotas : mapping of category to (least, most)
    costs : mapping of item id to cost, or None
    cost_unit : str
    stop : ItemStopRules
    prob : float
        Probability of the interval.
    steps : tuple of ItemStep
    revision : int
        Number of times it has been saved.

    Raises
    ------
    UsageError
        A probability outside (0, 1).

    Examples
    --------
    >>> state = ItemState("5e1f", known={"q1": Answer(1)}, stop=ItemStopRules(max_items=30))
    >>> state.spent, state.unit, ItemState.from_json(state.to_json()) == state
    (0.0, 'items', True)
    """

    fingerprint: str
    bank_path: str | None = None
    model_id: str = "new"
    known: Mapping[str, Answer] = field(default_factory=dict)
    benchmarks: tuple[str, ...] | None = None
    macro: bool = False
    exclude: tuple[str, ...] = ()
    quotas: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    costs: Mapping[str, float] | None = None
    cost_unit: str = ""
    stop: ItemStopRules = field(default_factory=ItemStopRules)
    prob: float = 0.9
    steps: tuple[ItemStep, ...] = ()
    revision: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.prob < 1:
            raise UsageError(f"interval probability must lie in (0, 1), got {self.prob:g}")
        if any(len(limits) != 2 for limits in self.quotas.values()):
            raise UsageError("a quota is a least and a most number of items")

    @property
    def answers(self) -> dict[str, Answer]:
        """Every answer that stands now, corrections done."""
        return {**self.known, **{step.item_id: step.answer for step in self.steps}}

    @property
    def asked(self) -> tuple[ItemStep, ...]:
        """The steps that are no corrections."""
        return tuple(step for step in self.steps if step.corrects is None)

    @property
    def spent(self) -> float:
        """Summed `ItemStep.price` of the steps."""
        return float(sum(step.price for step in self.steps))

    @property
    def unit(self) -> str:
        """What is spent: ``"items"`` where no costs are kept, else the unit of the costs."""
        return "items" if self.costs is None else self.cost_unit

    def to_json(self) -> str:
        """Readable JSON with the format's name and version."""
        return json_text({"format": FORMAT, "version": VERSION, **plain(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ItemState:
        """Inverse of `to_json`.

        Raises
        ------
        ValueError
            The text is not the JSON of such a state; one line.
        """
        _, content = loaded(text, FORMAT, (VERSION,))
        return structured(content, cls)


def bank_fingerprint(bank: ItemBank) -> str:
    """SHA-256 of a bank's items and parameters: the same for a file and its copy in memory."""
    digest = hashlib.sha256("\n".join(bank.items.index).encode())
    digest.update("\n".join(bank.items["benchmark_id"]).encode())
    for held in (bank.easiness, bank.slope, bank.covariance):
        digest.update(np.ascontiguousarray(held, dtype="<f8").data)
    return digest.hexdigest()


def read_item_state(path: str | PathLike[str]) -> ItemState:
    """Read the file of an item campaign.

    Raises
    ------
    UsageError
        There is no such file.
    DataError
        It cannot be read, is damaged, foreign, or of a newer format.
    """
    return read_file(path, ItemState.from_json)


def revision_of(path: str | PathLike[str]) -> int:
    """How often the file was saved, without reading the rest of the state.

    Raises
    ------
    UsageError, DataError
        As `read_item_state`.
    """

    def revision(text: str) -> int:
        found = loaded(text, FORMAT, (VERSION,))[1].get("revision")
        if type(found) is not int:
            raise ValueError("revision is missing or wrong")
        return found

    return read_file(path, revision)


def write_item_state(path: str | PathLike[str], state: ItemState) -> None:
    """Write such a file so that it is whole at every moment.

    Raises
    ------
    DataError
        It cannot be written.
    """
    write_text(path, state.to_json())
