"""What is known of a model beside its scores: one registry of facts and how each is read."""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ..errors import UsageError

if TYPE_CHECKING:
    from ..scores import ScoreMatrix

__all__ = [
    "COVARIATES",
    "Covariate",
    "ModelFacts",
    "covariate_value",
    "is_missing",
    "parse_release_date",
]

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def parse_release_date(text: str) -> float:
    """``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` -> decimal year at the middle of that period.

    >>> parse_release_date("2025")
    2025.5

    Raises
    ------
    UsageError
        For any other form, or a date that does not exist.
    """
    match = _DATE.fullmatch(text.strip())
    problem = f"release date {text!r} is not YYYY, YYYY-MM or YYYY-MM-DD"
    if match is None:
        raise UsageError(problem)
    year = int(match[1])
    if not 1950 <= year <= 2200:
        raise UsageError(problem)
    if match[2] is None:
        return year + 0.5
    month = int(match[2])
    if not 1 <= month <= 12:
        raise UsageError(problem)
    lengths = [calendar.monthrange(year, m)[1] for m in range(1, 13)]
    before, length = sum(lengths[: month - 1]), lengths[month - 1]
    if match[3] is None:
        return year + (before + length / 2) / sum(lengths)
    day = int(match[3])
    if not 1 <= day <= length:
        raise UsageError(problem)
    return year + (before + day - 0.5) / sum(lengths)


def is_missing(value: object) -> bool:
    """Whether a cell of a table says nothing: None, blank, NaN, pandas' markers."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    # by name: pandas' own markers refuse to be compared, and pandas is not needed here
    if type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def _flag(value: Any) -> float:
    if value in (0, 1):  # of any type of truth, numpy's and pandas' too
        return float(value)
    raise UsageError(f"must be true or false, got {value!r}")


def _log_size(value: Any) -> float:
    try:
        size = float(value)
    except (TypeError, ValueError):
        size = float("nan")
    if not (0 < size < float("inf")):
        raise UsageError(f"must be a positive number (billions), got {value!r}")
    return math.log10(size)


@dataclass(frozen=True)
class Covariate:
    """A covariate of a model's latents: one entry of `COVARIATES`, the only place that knows it.

    Attributes
    ----------
    kind : type
        Of the value a user gives: ``str``, ``bool`` or ``float``.
    parse : callable
        Value to the number that is standardised; raises `UsageError`.
    help : str
        What it is, for the command line.
    metavar : str
        How its value is written.
    reach : float
        How much further its trend may go on beyond the fitted models, in the units of `parse`;
        0 for one without a trend.
    unit : str
        Of `reach`, for people.
    """

    kind: type
    parse: Callable[[Any], float]
    help: str
    metavar: str = ""
    reach: float = 0.0
    unit: str = ""


COVARIATES: Mapping[str, Covariate] = {
    "release_date": Covariate(
        str,
        lambda value: parse_release_date(str(value)),
        "YYYY, YYYY-MM or YYYY-MM-DD.",
        "DATE",
        reach=1.0,  # a trend of two fitted years is not known to go on for more than half of that
        unit="years",
    ),
    "reasoning": Covariate(bool, _flag, "A reasoning model, or not."),
    "open_weights": Covariate(bool, _flag, "Open weights, or not."),
    "params_b": Covariate(
        float,
        _log_size,
        "Parameters in billions.",
        "BILLIONS",
        reach=0.5,  # of a factor of ten
        unit="powers of ten",
    ),
}
"""Covariates by name; the fact of `ModelFacts` and the column of the models table share it."""


def covariate_value(name: str, value: object) -> float:
    """One covariate as a number, NaN where missing."""
    if is_missing(value):
        return float("nan")
    try:
        return COVARIATES[name].parse(value)
    except UsageError as error:
        text = str(error)
        raise UsageError(text if text.startswith("release date") else f"{name} {text}") from None


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model beside its scores; None where it is not.

    Attributes
    ----------
    provider : str, optional
        Who made it.
    release_date : str, optional
        ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``.
    reasoning, open_weights : bool, optional
    params_b : float, optional
        Parameters in billions.

    Raises
    ------
    UsageError
        A value cannot be read.

    Examples
    --------
    >>> ModelFacts(reasoning=True, release_date="2025-03").given
    {'release_date': '2025-03', 'reasoning': True}
    """

    provider: str | None = None
    release_date: str | None = None
    reasoning: bool | None = None
    open_weights: bool | None = None
    params_b: float | None = None

    def __post_init__(self) -> None:
        for name in COVARIATES:
            covariate_value(name, getattr(self, name))

    @classmethod
    def of(cls, matrix: ScoreMatrix, model: int) -> ModelFacts:
        """What the models table of a matrix says of one of its rows."""
        told = matrix.models.iloc[model]
        known = {f.name: told[f.name] for f in fields(cls) if f.name in told.index}
        return cls(**{name: value for name, value in known.items() if not is_missing(value)})

    @property
    def given(self) -> dict[str, Any]:
        """The facts that are known, by name."""
        return {name: value for name, value in vars(self).items() if not is_missing(value)}
