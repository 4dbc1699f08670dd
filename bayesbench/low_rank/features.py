"""What is known about the models beside their scores: covariates and groups, as numbers.

Covariates are standardised over the models that have them and stay NaN where missing (the low-rank
model treats a missing one as unknown); groups are memberships.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import SchemaError, UnknownIdError, UsageError
from .facts import COVARIATES, ModelFacts, covariate_value, is_missing
from .lineages import lineage, lineages
from .spec import ModelSpec

if TYPE_CHECKING:
    from ..scores import ScoreMatrix

__all__ = [
    "GROUPS",
    "ModelFeatures",
    "NewRow",
]

GROUPS = ("provider", "lineage")
LARGEST_DOUBT = 2.0
"""Doubt about a covariate beyond the fitted models, in reaches of its trend."""

Floats = NDArray[np.float64]


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
    kinds : tuple of str
        Names of the kinds.
    doubt : (P,) array
        Standard deviation of each covariate: of what lies beyond the fitted models and is not
        counted in `x`; 0 where it lies among them or is missing.
    excess : (P,) array
        How far each lies beyond the fitted models, in the covariate's own units; 0 among them.
    """

    x: Floats
    groups: Floats
    unknown_kinds: NDArray[np.bool_]
    kinds: tuple[str, ...]
    doubt: Floats
    excess: Floats

    @property
    def told(self) -> tuple[float, float, float]:
        """Share of the covariates that are known; whether provider and lineage are fitted ones.

        1 for what the low-rank model has no use for.
        """
        unknown = dict(zip(self.kinds, self.unknown_kinds, strict=True))
        provider, lineage = (float(not unknown.get(kind, False)) for kind in GROUPS)
        share = float(np.isfinite(self.x).mean()) if self.x.size else 1.0
        return share, provider, lineage


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
            [covariate_value(name, getattr(facts, name)) for name in self.covariate_names],
            dtype=np.float64,
        )
        new, doubt, excess = self._flattened(new)
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
        if "provider" in self.kinds and not is_missing(provider):
            kind = self.kinds.index("provider")
            groups[self.group_kind == kind] = 0.0
            unknown[kind] = not self._join(groups, f"provider:{str(provider).strip()}")
        return NewRow(x, groups, unknown, self.kinds, doubt / self.scale, excess)

    def beyond(self, facts: ModelFacts) -> tuple[str, ...]:
        """One line for each given fact that lies beyond the fitted models."""
        excess = self.row(facts).excess
        return tuple(
            f"{name.replace('_', ' ')} {getattr(facts, name)} lies {abs(far):.1f} "
            f"{COVARIATES[name].unit} {'beyond' if far > 0 else 'before'} the fitted models; its "
            "trend is flattened there"
            for name, far in zip(self.covariate_names, excess, strict=True)
            if far
        )

    def _flattened(self, value: Floats) -> tuple[Floats, Floats, Floats]:
        """Covariates held near the fitted models, the doubt about that, and the excess, (P,) each.

        Beyond the outermost fitted model the trend flattens: an excess e counts as
        ``r (1 - exp(-e / r))``, r being the covariate's reach, and what is not counted is its
        doubt, at most `LARGEST_DOUBT` reaches, so that it spreads a prediction over all that is
        possible and no further. In the covariates' own units.
        """
        reach = np.asarray([COVARIATES[name].reach for name in self.covariate_names])
        fitted = self.x * self.scale + self.location
        low, high = np.nanmin(fitted, axis=0), np.nanmax(fitted, axis=0)
        given = np.where(np.isnan(value), low, value)
        excess = np.where(reach > 0, given - np.clip(given, low, high), 0.0)
        held = np.where(reach > 0, reach, 1.0)
        counted = np.sign(excess) * held * -np.expm1(-np.abs(excess) / held)
        doubt = np.minimum(np.abs(excess - counted), LARGEST_DOUBT * held)
        return value - excess + counted, doubt, excess

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
        return covariate_value(name, value)
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
            None if is_missing(value) else str(value).strip()
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
