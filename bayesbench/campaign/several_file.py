"""The state of a campaign over several models, and the JSON file that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike

from ..answers.condition import NEW_MODEL
from ..errors import UsageError
from ..files import write_text
from ..jsonable import json_text
from .state_file import CampaignState, Step, StopRules, loaded, plain, read_file, structured

__all__ = ["JointState", "read_joint", "write_joint"]

FORMAT = "bayesbench-joint-campaign"
VERSION = 1


@dataclass(frozen=True)
class JointState:
    """Everything a campaign over several models is.

    Attributes
    ----------
    members : tuple of CampaignState
        The plan and the steps of each model, without stop rules of its own.
    stop : StopRules
        Of all models together.
    order : tuple of str
        Model id of every step, in the order they were made.
    revision : int
        Number of times it has been saved.

    Raises
    ------
    UsageError
        No model, one twice, or an order that does not fit the steps.

    Examples
    --------
    >>> state = JointState((CampaignState("5e1f", model_id="a"), CampaignState("5e1f")))
    >>> state.model_ids, JointState.from_json(state.to_json()) == state
    (('a', 'new'), True)
    """

    members: tuple[CampaignState, ...]
    stop: StopRules = field(default_factory=StopRules)
    order: tuple[str, ...] = ()
    revision: int = 0

    def __post_init__(self) -> None:
        ids = self.model_ids
        if not ids:
            raise UsageError("a campaign needs at least one model")
        twice = [name for name in ids if ids.count(name) > 1]
        if twice:
            raise UsageError(f"model {twice[0]!r} is named twice; give each an id of its own")
        if len({one.fingerprint for one in self.members}) > 1:
            raise UsageError("the models of a campaign must be of one posterior")
        made = {name: len(one.steps) for name, one in self.by_id.items()}
        if {name: self.order.count(name) for name in ids} != made or len(self.order) != sum(
            made.values()
        ):
            raise UsageError("order does not fit the steps of the models")

    @property
    def model_ids(self) -> tuple[str, ...]:
        """Ids of the models; ``"new"`` for one without."""
        return tuple(one.model_id or NEW_MODEL for one in self.members)

    @property
    def by_id(self) -> Mapping[str, CampaignState]:
        """The members by model id."""
        return dict(zip(self.model_ids, self.members, strict=True))

    @property
    def probes(self) -> tuple[Step, ...]:
        """The steps of all models that are no corrections, model by model."""
        return tuple(step for one in self.members for step in one.probes)

    @property
    def spent(self) -> float:
        """What the steps of all models did cost."""
        return float(sum(one.spent for one in self.members))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the plan should know."""
        if self.stop.budget is not None and self.members[0].costs is None:
            return ("the budget counts probes: no costs were given",)
        return ()

    def to_json(self) -> str:
        """Readable JSON with the format's name and version."""
        return json_text({"format": FORMAT, "version": VERSION, **plain(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> JointState:
        """Inverse of `to_json`.

        Raises
        ------
        ValueError
            The text is not the JSON of such a state; one line.
        """
        _, content = loaded(text, FORMAT, (VERSION,))
        return structured(content, cls)


def read_joint(path: str | PathLike[str]) -> JointState:
    """Read the file of a campaign over several models.

    Raises
    ------
    UsageError
        There is no such file.
    DataError
        It cannot be read, is damaged, foreign, or of a newer format.
    """
    return read_file(path, JointState.from_json)


def write_joint(path: str | PathLike[str], state: JointState) -> None:
    """Write such a file so that it is whole at every moment.

    Raises
    ------
    DataError
        It cannot be written.
    """
    write_text(path, state.to_json())
