"""The state of a campaign: frozen values, and the JSON file that holds them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from ..errors import DataError, UsageError
from ..files import write_text
from ..jsonable import json_text
from ..low_rank.facts import ModelFacts

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = [
    "CampaignState",
    "Step",
    "StopRules",
    "loaded",
    "plain",
    "read_file",
    "read_state",
    "structured",
    "write_state",
]

FORMAT = "bayesbench-campaign"
VERSION = 3
READABLE = (1, 2, VERSION)
"""Format versions that can be read."""

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class StopRules:
    """When a campaign says it is done; the first rule that applies counts.

    Attributes
    ----------
    min_gain : float, optional
        Stop once the best candidate gains less: nats per unit of cost, or nats without costs.
    target_width : float, optional
        Stop once the mean interval over the targets still unknown is this narrow (score points).
    budget : float, optional
        Stop once the rest pays for no candidate: summed cost, or number of probes without costs.
    max_probes : int, optional

    Raises
    ------
    UsageError
        A threshold is not a positive finite number.

    Examples
    --------
    >>> StopRules(budget=100, max_probes=5).max_probes
    5
    """

    min_gain: float | None = None
    target_width: float | None = None
    budget: float | None = None
    max_probes: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not (math.isfinite(value) and value > 0):
                raise UsageError(f"stop rule {name} must be above 0, got {value:g}")


@dataclass(frozen=True)
class Step:
    """One observation: of a probe that was run, or the correction of a score.

    Attributes
    ----------
    benchmark_id : str
    score : float
        As observed, on the benchmark's own scale.
    cost : float or None
        None if it is not known.
    gain_nats : float or None
        What it was expected to tell when proposed; None if it was not the proposal.
    median, lower, upper : float
        What all the other scores known then predicted for it.
    corrects : float or None
        The score it takes the place of; None for a benchmark without one.
    stderr : float or None
        Standard error of the score; None if it is not known.

    Examples
    --------
    >>> step = Step("hle", 31.0, None, None, median=28.0, lower=20.0, upper=37.0, corrects=13.0)
    >>> step.inside, step.price, step.note
    (True, 0.0, 'hle: 13 is replaced by 31')
    """

    benchmark_id: str
    score: float
    cost: float | None
    gain_nats: float | None
    median: float
    lower: float
    upper: float
    corrects: float | None = None
    stderr: float | None = None

    @property
    def inside(self) -> bool:
        """Whether the score fell into the interval predicted for it."""
        return self.lower <= self.score <= self.upper

    @property
    def price(self) -> float:
        """What it adds to the spent: its cost; 1 for a probe without one, 0 for a correction."""
        if self.cost is not None:
            return self.cost
        return 1.0 if self.corrects is None else 0.0

    @property
    def note(self) -> str:
        """What the correction did; empty for a probe."""
        if self.corrects is None:
            return ""
        return f"{self.benchmark_id}: {self.corrects:g} is replaced by {self.score:g}"


@dataclass(frozen=True)
class CampaignState:
    """Everything a campaign is: its plan, and what has been observed.

    Attributes
    ----------
    fingerprint : str
        SHA-256 of the posterior's draws and data.
    bundled : bool
        Whether the posterior is the one that ships with the package.
    posterior_path : str or None
        Where the posterior lies; None for the bundled one, or one held in memory.
    model_id : str or None
        Id of the model under test; a fitted one brings its training scores along.
    facts : ModelFacts
        What is known of it beside its scores.
    known : mapping of benchmark id to score
        Scores that were given at the start.
    known_stderr : mapping of benchmark id to standard error
        Of those that have one.
    targets, candidates : tuple of str or None
        None: every benchmark.
    weights : mapping of target id to weight, or None
    exclude : tuple of str
    costs : mapping of benchmark id to cost, or None
    cost_unit : str
    stop : StopRules
    prob : float
        Probability of the intervals.
    seed : int
        Of the draws.
    steps : tuple of Step
    proposed : mapping of benchmark id to expected gain (nats)
        The last proposal, empty after an observation.
    revision : int
        Number of times it has been saved.

    Raises
    ------
    UsageError
        A probability outside (0, 1), or a negative seed.

    Examples
    --------
    >>> state = CampaignState("5e1f", known={"mmlu_pro": 75.5}, stop=StopRules(budget=3))
    >>> state.scores, state.spent, state.unit
    ({'mmlu_pro': 75.5}, 0.0, 'probes')
    >>> CampaignState.from_json(state.to_json()) == state
    True
    """

    fingerprint: str
    bundled: bool = False
    posterior_path: str | None = None
    model_id: str | None = None
    facts: ModelFacts = field(default_factory=ModelFacts)
    known: Mapping[str, float] = field(default_factory=dict)
    known_stderr: Mapping[str, float] = field(default_factory=dict)
    targets: tuple[str, ...] | None = None
    candidates: tuple[str, ...] | None = None
    weights: Mapping[str, float] | None = None
    exclude: tuple[str, ...] = ()
    costs: Mapping[str, float] | None = None
    cost_unit: str = ""
    stop: StopRules = field(default_factory=StopRules)
    prob: float = 0.9
    seed: int = 0
    steps: tuple[Step, ...] = ()
    proposed: Mapping[str, float] = field(default_factory=dict)
    revision: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.prob < 1:
            raise UsageError(f"interval probability must lie in (0, 1), got {self.prob:g}")
        if self.seed < 0:
            raise UsageError(f"seed must be 0 or more, got {self.seed}")

    @property
    def scores(self) -> dict[str, float]:
        """Every score given now, corrections done."""
        return {**self.known, **{step.benchmark_id: step.score for step in self.steps}}

    @property
    def stderr(self) -> dict[str, float]:
        """Standard errors of the scores given now that have one."""
        now = {**self.known_stderr, **{step.benchmark_id: step.stderr for step in self.steps}}
        return {name: error for name, error in now.items() if error is not None}

    @property
    def probes(self) -> tuple[Step, ...]:
        """The steps that are no corrections."""
        return tuple(step for step in self.steps if step.corrects is None)

    @property
    def spent(self) -> float:
        """Summed `Step.price` of the steps."""
        return float(sum(step.price for step in self.steps))

    @property
    def unit(self) -> str:
        """What is spent: ``"probes"`` where no costs are kept, else the unit of the costs."""
        return "probes" if self.costs is None else self.cost_unit

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the plan should know."""
        if self.stop.budget is not None and self.costs is None:
            return ("the budget counts probes: no costs were given",)
        return ()

    def to_json(self) -> str:
        """Readable JSON with the format's name and version."""
        content = {"format": FORMAT, "version": VERSION, **plain(self)}
        return json_text(content, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> CampaignState:
        """Inverse of `to_json`; reads the format version before too.

        Raises
        ------
        ValueError
            The text is not the JSON of a campaign state that can be read; one line.
        """
        version, content = loaded(text, FORMAT, READABLE)
        if version == 1:
            content = _of_version_1(content)
        if version < 3:
            content = _of_version_2(content)
        return structured(content, cls)


def loaded(text: str, form: str, readable: Sequence[int]) -> tuple[int, dict[str, Any]]:
    """Version and content of a file of a format.

    Raises
    ------
    ValueError
        It is not JSON, of another format, or of a version that cannot be read; one line.
    """
    content = json.loads(text, parse_constant=_no_constant)
    if not isinstance(content, dict) or content.pop("format", None) != form:
        raise ValueError("it is not a campaign" if form == FORMAT else f"it is no {form}")
    version = content.pop("version", None)
    if type(version) is not int or version not in readable:
        raise ValueError(
            f"it has format version {version!r}, this program reads up to {max(readable)}"
        )
    return version, content


def plain(state: Any) -> dict[str, Any]:
    """A frozen state as JSON's own types."""
    made: dict[str, Any] = _converter().unstructure(state)
    return made


def structured(content: Mapping[str, Any], kind: type[Kind]) -> Kind:
    """Inverse of `plain`.

    Raises
    ------
    ValueError
        A field is missing, unknown or wrong; one line that names it.
    """
    from cattrs import BaseValidationError, transform_error

    try:
        return _converter().structure(content, kind)
    except (BaseValidationError, ValueError, UsageError) as error:
        told = transform_error(error, format_exception=lambda inner, _: str(inner))[0]
        reason, _, place = told.rpartition(" @ $")
        where = f"{place.lstrip('.')}: " if place else ""
        raise ValueError(f"a field is missing or wrong ({where}{reason})") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"it holds {name}")


def _of_version_1(content: Mapping[str, Any]) -> dict[str, Any]:
    """Content of a file of format version 1, as this version writes it.

    There the model's id and facts stood together, no score could be corrected, and a campaign
    with the bundled posterior named none.
    """
    now = dict(content)
    model = now.pop("model", None)
    if not isinstance(model, dict):
        raise ValueError(
            f"a field is missing or wrong (model: must be an object, got {model!r:.40})"
        )
    facts = dict(model)
    now |= {"model_id": facts.pop("model_id", None), "facts": facts}
    if isinstance(steps := now.get("steps"), list):
        now["steps"] = [{**s, "corrects": None} if isinstance(s, dict) else s for s in steps]
    now["bundled"] = now.get("posterior_path") is None
    return now


def _of_version_2(content: Mapping[str, Any]) -> dict[str, Any]:
    """Content of a file of format version 2, which knew no standard errors."""
    now = {**content, "known_stderr": {}}
    if isinstance(steps := now.get("steps"), list):
        now["steps"] = [{**s, "stderr": None} if isinstance(s, dict) else s for s in steps]
    return now


@cache
def _converter() -> Converter:
    """Between the values and JSON's own types; strict, nothing is converted in silence."""
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn

    made = Converter()
    for kind, read in ((float, _number), (int, _whole), (str, _text), (bool, _truth)):
        made.register_structure_hook(kind, lambda value, _, read=read: read(value))

    def a_tuple(value: Any, kind: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(f"must be a list, got {_shown(value)}")
        items: Any = list[get_args(kind)[0]]  # type: ignore[misc]
        return tuple(made.structure(value, items))

    def a_mapping(value: Any, kind: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError(f"must be an object, got {_shown(value)}")
        items: Any = dict[str, get_args(kind)[1]]  # type: ignore[misc]
        return dict(made.structure(value, items))

    def of_fields(kind: Any) -> Any:
        names = [item.name for item in fields(kind)]
        inner = make_dict_structure_fn(kind, made)

        def read(value: Any, _: Any) -> Any:
            if not isinstance(value, dict):
                raise ValueError(f"must be an object, got {_shown(value)}")
            for name in names:
                if name not in value:
                    raise ValueError(f"{name} is missing")
            for name in value:
                if name not in names:
                    raise ValueError(f"{_shown(name)} is unknown")
            return inner(value, kind)

        return read

    made.register_structure_hook_func(_has_origin(tuple), a_tuple)
    made.register_structure_hook_func(_has_origin(Mapping), a_mapping)
    made.register_structure_hook_factory(is_dataclass, of_fields)
    return made


def _has_origin(origin: Any) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is origin


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"must be a number, got {_shown(value)}")
    # a JSON number may be too large for a float, as 1e999 is
    number = float(value) if abs(value) < 1e300 else math.inf
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, got {_shown(value)}")
    return number


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"must be a whole number, got {_shown(value)}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text, got {_shown(value)}")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, got {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    return repr(value)[:40]


def read_state(path: str | PathLike[str]) -> CampaignState:
    """Read a campaign file.

    Raises
    ------
    UsageError
        There is no such file.
    DataError
        It cannot be read, is damaged, foreign, or of a newer format.
    """
    return read_file(path, CampaignState.from_json)


def read_file(path: str | PathLike[str], parse: Callable[[str], Kind]) -> Kind:
    """Read a campaign file of any kind by what `parse` makes of its text.

    Raises
    ------
    UsageError
        There is no such file.
    DataError
        It cannot be read, or `parse` raises a ValueError.
    """
    place = Path(path)
    try:
        text = place.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"no campaign file {place}: start one with a new campaign") from None
    except OSError as error:
        raise DataError(f"cannot read the campaign file {place}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{place} is not a usable campaign file: it is not text") from None
    try:
        return parse(text)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{place} is not a usable campaign file: {reason}; restore a copy or start a new one"
        ) from None


def write_state(path: str | PathLike[str], state: CampaignState) -> None:
    """Write a campaign file so that it is whole at every moment, whatever happens.

    Raises
    ------
    DataError
        It cannot be written.
    """
    write_text(path, state.to_json())
