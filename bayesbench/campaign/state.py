"""The state of a campaign: frozen values, and the JSON file that holds them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from ..files import write_text

__all__ = ["CampaignState", "ModelFacts", "Step", "StopRules", "read_state", "write_state"]

FORMAT = "bayesbench-campaign"
VERSION = 1


@dataclass(frozen=True)
class ModelFacts:
    """What is known of the model under test; ``None`` = unknown.

    ``model_id`` of a fitted model brings its training scores along; see
    :func:`bayesbench.condition.condition`.
    """

    model_id: str | None = None
    provider: str | None = None
    release_date: str | None = None
    reasoning: bool | None = None
    open_weights: bool | None = None
    params_b: float | None = None


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
        If a threshold is not a positive finite number.

    Examples
    --------
    >>> StopRules(target_width=15, max_probes=5).max_probes
    5
    """

    min_gain: float | None = None
    target_width: float | None = None
    budget: float | None = None
    max_probes: int | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None and not (math.isfinite(value) and value > 0):
                raise UsageError(f"stop rule {name} must be above 0, got {value:g}")


@dataclass(frozen=True)
class Step:
    """One observed probe.

    Attributes
    ----------
    benchmark_id : str
    score : float
        As observed, on the benchmark's own scale.
    cost : float or None
    gain_nats : float or None
        What it was expected to tell when proposed; None if it was not the proposal.
    median, lower, upper : float
        What had been predicted before it was run.
    """

    benchmark_id: str
    score: float
    cost: float | None
    gain_nats: float | None
    median: float
    lower: float
    upper: float


@dataclass(frozen=True)
class CampaignState:
    """Everything a campaign is: its plan, and what has been observed.

    Attributes
    ----------
    posterior_path : str or None
        Where the posterior was read from, as it was given; None for one held in memory.
    fingerprint : str
        SHA-256 of the posterior's draws and data.
    model : ModelFacts
    known : mapping of benchmark id to score
        Scores there were at the start.
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
        Of the conditioning.
    steps : tuple of Step
    proposed : mapping of benchmark id to expected gain (nats)
        The last proposal, empty after an observation.
    revision : int
        Number of times it has been saved.
    """

    posterior_path: str | None
    fingerprint: str
    model: ModelFacts = field(default_factory=ModelFacts)
    known: Mapping[str, float] = field(default_factory=dict)
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

    @property
    def scores(self) -> dict[str, float]:
        """Every score known now."""
        return {**self.known, **{step.benchmark_id: step.score for step in self.steps}}

    @property
    def spent(self) -> float:
        """Summed cost of the steps; their number if no costs are kept."""
        if self.costs is None:
            return float(len(self.steps))
        return float(sum(step.cost or 0.0 for step in self.steps))

    def to_json(self) -> str:
        """Readable JSON with the format's name and version."""
        content = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> CampaignState:
        """Inverse of :meth:`to_json`.

        Raises
        ------
        ValueError
            If the text is not the JSON of a campaign state this version can read.
        """
        content = json.loads(text, parse_constant=_no_constant)
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ValueError("it is not a campaign")
        version = content.pop("version", None)
        if version != VERSION:
            raise ValueError(f"it has format version {version!r}, this program reads {VERSION}")
        try:
            return cls(**_typed(content))
        except (TypeError, UsageError) as error:
            raise ValueError(f"a field is missing or wrong ({error})") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"it holds {name}")


_NUMBER = (int, float)
_MAYBE_NUMBER = (int, float, type(None))
_MAYBE_TEXT = (str, type(None))
_MAYBE_BOOL = (bool, type(None))
_STATE_TYPES: dict[str, tuple[type, ...]] = {
    "posterior_path": _MAYBE_TEXT,
    "fingerprint": (str,),
    "model": (dict,),
    "known": (dict,),
    "targets": (list, type(None)),
    "candidates": (list, type(None)),
    "weights": (dict, type(None)),
    "exclude": (list,),
    "costs": (dict, type(None)),
    "cost_unit": (str,),
    "stop": (dict,),
    "prob": _NUMBER,
    "seed": (int,),
    "steps": (list,),
    "proposed": (dict,),
    "revision": (int,),
}
_MODEL_TYPES: dict[str, tuple[type, ...]] = {
    "model_id": _MAYBE_TEXT,
    "provider": _MAYBE_TEXT,
    "release_date": _MAYBE_TEXT,
    "reasoning": _MAYBE_BOOL,
    "open_weights": _MAYBE_BOOL,
    "params_b": _MAYBE_NUMBER,
}
_STOP_TYPES: dict[str, tuple[type, ...]] = {
    "min_gain": _MAYBE_NUMBER,
    "target_width": _MAYBE_NUMBER,
    "budget": _MAYBE_NUMBER,
    "max_probes": (int, type(None)),
}
_STEP_TYPES: dict[str, tuple[type, ...]] = {
    "benchmark_id": (str,),
    "score": _NUMBER,
    "cost": _MAYBE_NUMBER,
    "gain_nats": _MAYBE_NUMBER,
    "median": _NUMBER,
    "lower": _NUMBER,
    "upper": _NUMBER,
}


def _typed(content: dict[str, Any]) -> dict[str, Any]:
    out = dict(_checked(content, _STATE_TYPES))
    out["model"] = ModelFacts(**_checked(out["model"], _MODEL_TYPES))
    out["stop"] = StopRules(**_checked(out["stop"], _STOP_TYPES))
    out["steps"] = tuple(Step(**_checked(step, _STEP_TYPES)) for step in out["steps"])
    for name in ("targets", "candidates", "exclude"):
        for value in out[name] or ():
            _check_type(name, value, (str,))
        out[name] = None if out[name] is None else tuple(out[name])
    for name in ("known", "weights", "costs", "proposed"):
        for key, value in (out[name] or {}).items():
            _check_type(f"{name}.{key}", value, _NUMBER)
    return out


def _checked(content: Any, types: Mapping[str, tuple[type, ...]]) -> dict[str, Any]:
    _check_type("entry", content, (dict,))
    odd = sorted(set(content) ^ set(types))
    if odd:
        raise TypeError(odd[0])
    for name, expected in types.items():
        _check_type(name, content[name], expected)
    return dict(content)


def _check_type(name: str, value: Any, expected: tuple[type, ...]) -> None:
    stray_bool = isinstance(value, bool) and bool not in expected
    if stray_bool or not isinstance(value, expected):
        raise TypeError(f"{name} = {str(value)[:40]!r}")


def read_state(path: str | Path) -> CampaignState:
    """Read a campaign file.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        If it cannot be read, is damaged, foreign, or of a newer format.
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
        return CampaignState.from_json(text)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{place} is not a usable campaign file: {reason}; restore a copy or start a new one"
        ) from None


def write_state(path: str | Path, state: CampaignState) -> None:
    """Write a campaign file so that it is whole at every moment, whatever happens.

    A temporary file beside it is written, flushed to the disk and renamed over it; then the
    directory is flushed too.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    write_text(path, state.to_json())
