"""What is known about the models beside their scores: covariates and groups, as numbers.

Covariates are standardised over the models that have them and stay NaN where missing (the low-rank
model treats a missing one as unknown); groups are memberships.
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SchemaError, UnknownIdError, UsageError
from .lineages import lineage, lineages
from .spec import ModelSpec

if TYPE_CHECKING:
    from ..scores import ScoreMatrix

__all__ = [
    "COVARIATES",
    "GROUPS",
    "Covariate",
    "ModelFacts",
    "ModelFeatures",
    "NewRow",
    "parse_release_date",
]

GROUPS = ("provider", "lineage")

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")

Floats = NDArray[np.float64]


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


def _missing(value: object) -> bool:
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    # by name: pandas' own markers refuse to be compared, and pandas is not needed here
    if type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def _flag(value: Any) -> float:
    if isinstance(value, (bool, np.bool_)) or value in (0, 1):
        return float(value)
    raise UsageError(f"must be true or false, got {value!r}")


def _log_size(value: Any) -> float:
    try:
        size = float(value)
    except (TypeError, ValueError):
        size = float("nan")
    if not (0 < size < float("inf")):
        raise UsageError(f"must be a positive number (billions), got {value!r}")
    return float(np.log10(size))


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
    """

    kind: type
    parse: Callable[[Any], float]
    help: str
    metavar: str = ""


COVARIATES: Mapping[str, Covariate] = {
    "release_date": Covariate(
        str, lambda value: parse_release_date(str(value)), "YYYY, YYYY-MM or YYYY-MM-DD.", "DATE"
    ),
    "reasoning": Covariate(bool, _flag, "A reasoning model, or not."),
    "open_weights": Covariate(bool, _flag, "Open weights, or not."),
    "params_b": Covariate(float, _log_size, "Parameters in billions.", "BILLIONS"),
}
"""Covariates by name; the fact of `ModelFacts` and the column of the models table share it."""


def _number(name: str, value: object) -> float:
    """One covariate as a number, NaN where missing."""
    if _missing(value):
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
            _number(name, getattr(self, name))

    @classmethod
    def of(cls, matrix: ScoreMatrix, model: int) -> ModelFacts:
        """What the models table of a matrix says of one of its rows."""
        told = matrix.models.iloc[model]
        known = {f.name: told[f.name] for f in fields(cls) if f.name in told.index}
        return cls(**{name: value for name, value in known.items() if not _missing(value)})

    @property
    def given(self) -> dict[str, Any]:
        """The facts that are known, by name."""
        return {name: value for name, value in vars(self).items() if not _missing(value)}

    def unused(self, features: ModelFeatures) -> tuple[str, ...]:
        """Names of known facts that a posterior with these features takes no notice of."""
        used = {*features.covariate_names, *features.kinds}
        return tuple(name for name in self.given if name not in used)


@dataclass(frozen=True, eq=False)
class NewRow:
    """Features of one model that need not be among the fitted ones.

    Attributes
    ----------
    x : (P,) array
        Standardised covariates, NaN = missing.
    groups : (G,) array
        Memberships of known groups.
    unknown_kinds : (kinds,) bool array
        True where the model's group of that kind is not known, or was never seen.
    """

    x: Floats
    groups: Floats
    unknown_kinds: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ModelFeatures:
    """Covariates and groups of the fitted models, and the scaling to make new rows.

    Attributes
    ----------
    covariate_names : tuple of str
        The covariates kept: those with at least two distinct known values.
    location, scale : (P,) array
        Mean and sd over the models that have the covariate.
    x : (M, P) array
        Standardised covariates, NaN = missing.
    group_names : tuple of str
        For instance ``"provider:OpenAI"``.
    group_kind : (G,) int array
        Index into `kinds`.
    kinds : tuple of str
    groups : (M, G) array
        Memberships 0 / 1; a model with no provider has none.
    model_ids : tuple of str
        Order of the rows.
    """

    covariate_names: tuple[str, ...]
    location: Floats
    scale: Floats
    x: Floats
    group_names: tuple[str, ...]
    group_kind: NDArray[np.int64]
    kinds: tuple[str, ...]
    groups: Floats
    model_ids: tuple[str, ...] = ()

    @classmethod
    def from_matrix(cls, matrix: ScoreMatrix, spec: ModelSpec) -> ModelFeatures:
        """Features of the models of `matrix` that `spec` names.

        Raises
        ------
        UsageError
            `spec` names an unknown covariate or grouping.
        SchemaError
            A model's value cannot be read.
        """
        for kind, names, known in (
            ("covariate", spec.covariates, COVARIATES),
            ("grouping", spec.groups, GROUPS),
        ):
            for name in names:
                if name not in known:
                    raise UnknownIdError(kind, name, tuple(known))
        table = {name: list(matrix.models[name]) for name in matrix.models.columns}
        ids = matrix.model_ids
        table["lineage"] = list(lineages(ids))
        names, location, scale, columns = _covariates(table, spec.covariates, ids)
        group_names, group_kind, kinds, groups = _memberships(table, spec.groups, len(ids))
        x = np.stack(columns, axis=1) if columns else np.empty((len(ids), 0))
        return cls(names, location, scale, x, group_names, group_kind, kinds, groups, ids)

    def row(self, facts: ModelFacts | None = None, model_id: str | None = None) -> NewRow:
        """Features of one model; what is not given is missing.

        With the `model_id` of a fitted model its own features are the start, and what is given
        replaces them. A provider that is not given or was never fitted is flagged unknown, and so
        is the lineage of an id that continues no fitted one, or of no id: their effects then come
        from their prior, as those of the fitted ones did.
        """
        facts = facts or ModelFacts()
        provider = facts.provider
        new = np.asarray(
            [_number(name, getattr(facts, name)) for name in self.covariate_names],
            dtype=np.float64,
        )
        x = (new - self.location) / self.scale
        groups = np.zeros(len(self.group_names))
        unknown = np.ones(len(self.kinds), dtype=bool)
        if model_id is not None and model_id in self.model_ids:
            at = self.model_ids.index(model_id)
            x = np.where(np.isnan(x), self.x[at], x)
            groups, unknown = self.groups[at].copy(), np.zeros(len(self.kinds), dtype=bool)
        elif "lineage" in self.kinds:
            kind = self.kinds.index("lineage")
            unknown[kind] = not self._join(groups, f"lineage:{lineage(model_id or '')}")
        if "provider" in self.kinds and not _missing(provider):
            kind = self.kinds.index("provider")
            groups[self.group_kind == kind] = 0.0
            unknown[kind] = not self._join(groups, f"provider:{str(provider).strip()}")
        return NewRow(x, groups, unknown)

    def _join(self, groups: Floats, name: str) -> bool:
        """Make the row a member of the named group, if there is one."""
        if name not in self.group_names:
            return False
        groups[self.group_names.index(name)] = 1.0
        return True

    def providers(self) -> tuple[str, ...]:
        """Names of the fitted providers."""
        return tuple(
            name.removeprefix("provider:")
            for name in self.group_names
            if name.startswith("provider:")
        )


def _covariates(
    table: Mapping[str, Sequence[object]], wanted: Sequence[str], ids: Sequence[str]
) -> tuple[tuple[str, ...], Floats, Floats, list[Floats]]:
    names: list[str] = []
    location: list[float] = []
    scale: list[float] = []
    columns: list[Floats] = []
    for name in wanted:
        cells = table.get(name, [None] * len(ids))
        column = np.asarray(
            [_read(name, value, model) for value, model in zip(cells, ids, strict=True)],
            dtype=np.float64,
        )
        known = column[np.isfinite(column)]
        if np.unique(known).size < 2:
            continue
        names.append(name)
        location.append(float(known.mean()))
        scale.append(float(known.std()))
        columns.append((column - location[-1]) / scale[-1])
    return tuple(names), np.asarray(location), np.asarray(scale), columns


def _read(name: str, value: object, model_id: str) -> float:
    try:
        return _number(name, value)
    except UsageError as error:
        raise SchemaError(f"models table, model {model_id!r}: {error}") from error


def _memberships(
    table: Mapping[str, Sequence[object]], wanted: Sequence[str], n_models: int
) -> tuple[tuple[str, ...], NDArray[np.int64], tuple[str, ...], Floats]:
    names: list[str] = []
    kind_of: list[int] = []
    kinds: list[str] = []
    columns: list[list[float]] = []
    for kind in wanted:
        cells = [
            None if _missing(value) else str(value).strip()
            for value in table.get(kind, [None] * n_models)
        ]
        members = sorted({cell for cell in cells if cell is not None})
        if not members:
            continue
        kinds.append(kind)
        for member in members:
            names.append(f"{kind}:{member}")
            kind_of.append(len(kinds) - 1)
            columns.append([float(cell == member) for cell in cells])
    groups = np.asarray(columns).T if columns else np.empty((n_models, 0))
    return tuple(names), np.asarray(kind_of, dtype=np.int64), tuple(kinds), groups
