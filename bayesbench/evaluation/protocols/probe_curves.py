"""Curves of probe policies, by probes run and by scores revealed, set against naive ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...scores.matrix import ScoreMatrix
from ..cells import CellTable, ranking_of
from ..figures import counted, scales, short
from ..metrics import RankingCounts
from ..policies import LOW_COST, Policy
from ..predictions import BoolArray, FloatArray, IntArray
from ..resampling import drawn, intervals, weighted_medians
from ..tasks import FinishedFold

__all__ = ["ANCHORS", "MATCHED", "POLICIES", "TABLE", "policy_curves"]

POLICIES, MATCHED = "policies", "matched"
"""Tables of the figures: k probes, of which a model shows what it has; k scores of every model."""
TABLE = "table"
"""Tag and column that say which of them a fold belongs to."""
NAIVE = ("random", "popularity", "max-variance")
"""What a policy is set against."""
ANCHORS = frozenset((*NAIVE, *(f"{name}{LOW_COST}" for name in NAIVE), "max-variance-adaptive"))
"""Policies that others are set against, at every number of scores that those reveal."""
OWN_ANCHORS: Mapping[str, tuple[str, ...]] = {
    "random": (),
    f"random{LOW_COST}": ("random",),
    "popularity": ("random",),
    "max-variance": ("random", "popularity"),
}
"""Policies with others than `NAIVE`."""
MOST_SETS = 12
"""A policy with more orders than this for its models is not listed."""
RESAMPLES = 1000

Ranking = Mapping[float, RankingCounts]
Place = tuple[str, str, int]
"""Table, policy and k."""


def _anchors(name: str) -> tuple[str, ...]:
    """Whom a policy is set against: the low-cost ones of the same list first."""
    if name in OWN_ANCHORS:
        return OWN_ANCHORS[name]
    own = tuple(f"{one}{LOW_COST}" for one in NAIVE) if name.endswith(LOW_COST) else ()
    adaptive = ("max-variance-adaptive",) if "adaptive" in name else ()
    return tuple(one for one in (*own, *NAIVE, *adaptive) if one != name)


@dataclass(frozen=True, eq=False)
class _Errors:
    """Absolute errors of one policy, with model and replicate of each."""

    error: FloatArray
    model: IntArray
    replicate: IntArray

    def of(self, models: IntArray) -> _Errors:
        """Those of some models; itself if it has no others."""
        rows: BoolArray = np.isin(self.model, models)
        if rows.all():
            return self
        return _Errors(self.error[rows], self.model[rows], self.replicate[rows])

    def medians(self) -> FloatArray:
        """(replicates,): median error of each."""
        return np.array(
            [np.median(self.error[self.replicate == r]) for r in np.unique(self.replicate)]
        )

    def resampled(self, weights: IntArray, seed: int) -> FloatArray:
        """(resamples,): mean over replicates of the median error, models weighted.

        Replicates are a sample too, and drawn again with every resample of the models.
        """
        by_set = np.stack(
            [
                weighted_medians(self.error[part], weights, self.model[part])
                for part in (self.replicate == r for r in np.unique(self.replicate))
            ],
            axis=1,
        )
        n, sets = by_set.shape
        chosen = np.random.default_rng([seed, 8]).integers(sets, size=(n, sets))
        return np.asarray(np.take_along_axis(by_set, chosen, axis=1).mean(axis=1))


@dataclass(frozen=True, eq=False)
class _Bootstrap:
    """Draws of models, the same for every policy: what makes differences paired."""

    weights: IntArray
    seed: int
    _made: dict[int, tuple[_Errors, FloatArray]] = field(default_factory=dict)

    def resampled(self, errors: _Errors) -> FloatArray:
        """`_Errors.resampled`, made once."""
        if id(errors) not in self._made:
            self._made[id(errors)] = (errors, errors.resampled(self.weights, self.seed))
        return self._made[id(errors)][1]

    def interval(self, errors: _Errors) -> list[float]:
        """95 % interval of the mean over replicates."""
        return _ends(self.resampled(errors))

    def difference(self, one: _Errors, other: _Errors) -> dict[str, Any]:
        """MedAE of one minus that of the other over the models of both.

        Returns
        -------
        dict
            ``difference``, its ``interval95``, ``n_models``, and ``share_of_sets_worse`` where the
            other has several replicates; empty without common models.
        """
        common = np.intersect1d(one.model, other.model)
        if not common.size:
            return {}
        mine, theirs = one.of(common), other.of(common)
        sets = theirs.medians()
        found = float(mine.medians().mean())
        moved = self.resampled(mine) - self.resampled(theirs)
        out = {
            "difference": found - float(sets.mean()),
            "interval95": _ends(moved),
            "n_models": int(common.size),
        }
        if sets.size > 1:
            out["share_of_sets_worse"] = float(np.mean(sets > found))
        return out


def _ends(values: FloatArray) -> list[float]:
    """A resample that drew none of the models says nothing."""
    known = values[np.isfinite(values)]
    return [float(q) for q in np.quantile(known, (0.025, 0.975))] if known.size else [np.nan] * 2


@dataclass(frozen=True, eq=False)
class _Found:
    """The folds of a run by table, policy and k."""

    table: CellTable
    rows: Mapping[Place, IntArray]
    errors: Mapping[Place, _Errors]
    revealed: Mapping[Place, Mapping[int, int]]

    @classmethod
    def of(
        cls, folds: Sequence[FinishedFold], table: CellTable, model: Mapping[str, int]
    ) -> _Found:
        cells = table.cells
        error = (cells["median"] - cells["truth"]).abs().to_numpy(np.float64)
        number = cells["model_id"].map(model).to_numpy(np.int64)
        replicate = cells["replicate"].to_numpy(np.int64)
        rows: dict[Place, IntArray] = {}
        errors: dict[Place, _Errors] = {}
        groups: Mapping[Any, Any] = cells.groupby([TABLE, "policy", "k"]).indices
        for (which, policy, k), found in groups.items():
            place = (str(which), str(policy), int(k))
            rows[place] = np.asarray(found, np.int64)
            known = rows[place][np.isfinite(error[rows[place]])]
            if known.size:
                errors[place] = _Errors(error[known], number[known], replicate[known])
        revealed: dict[Place, dict[int, int]] = {}
        for fold in folds:
            tags = fold.task.tags
            place = (str(tags[TABLE]), str(tags["policy"]), int(tags["k"]))
            row = int(fold.task.cells[0, 0])
            own = revealed.setdefault(place, {})
            own[row] = own.get(row, 0) + len(fold.task.revealed)
        return cls(table, rows, errors, revealed)

    def part(self, place: Place) -> CellTable:
        """Cells of one policy at one k."""
        return self.table.take(self.rows.get(place, np.empty(0, np.int64)))

    def as_many(self, policy: str, shown: Mapping[int, int]) -> _Errors | None:
        """Errors of a policy that shows of every model as many scores as are given for it."""
        parts = []
        for k in sorted(set(shown.values())):
            errors = self.errors.get((MATCHED, policy, k))
            if errors is not None:
                models = [row for row, own in shown.items() if own == k]
                parts.append(errors.of(np.array(models, dtype=np.int64)))
        if not parts:
            return None
        return _Errors(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("error", "model", "replicate")
            )
        )


def policy_curves(
    matrix: ScoreMatrix,
    policies: Sequence[Policy],
    ks: Sequence[int],
    folds: Sequence[FinishedFold],
    table: CellTable,
    seed: int,
) -> tuple[dict[str, dict[str, dict[str, Any]]], Ranking]:
    """Figures of every policy at every number of probes, and of revealed scores.

    Differences of the MedAE to naive policies come with bootstrap 95 % intervals over models (and
    over sets, for random ones), the models drawn alike for both; negative is better. ``matched``
    compares at k scores revealed of every model, over the models that both policies can show so
    many of; ``against_matched`` of ``policies`` lets the other reveal of each model as many scores
    as k probes of this one do; ``against`` there compares k probes whatever they reveal.

    Parameters
    ----------
    matrix : ScoreMatrix
    policies : sequence of Policy
    ks : sequence of int
    folds : sequence of FinishedFold
        As `Probes.arranged` gives them, finalized.
    table : CellTable
        Of these folds.
    seed : int
        Of the bootstrap.

    Returns
    -------
    curves : dict
        ``policies`` and ``matched``, each by policy and number.
    ranking : mapping of margin to RankingCounts
        Pooled over ``policies``.
    """
    found = _Found.of(folds, table, {name: row for row, name in enumerate(matrix.model_ids)})
    bootstrap = _Bootstrap(_drawn_models(matrix, table, seed), seed)
    out: dict[str, dict[str, dict[str, Any]]] = {
        which: {policy.name: {} for policy in policies} for which in (POLICIES, MATCHED)
    }
    ranking: dict[float, RankingCounts] = {}
    for k in ks:
        for policy in policies:
            place = (POLICIES, policy.name, k)
            pairs = ranking_of(matrix, folds, found.part(place))
            ranking = {m: pairs[m] + ranking[m] if m in ranking else pairs[m] for m in pairs}
            entry = _by_probes(policy, k, found, bootstrap)
            entry["ranking_margin0"] = pairs[0.0].accuracy
            out[POLICIES][policy.name][str(k)] = entry
            if (MATCHED, policy.name, k) in found.rows:
                out[MATCHED][policy.name][str(k)] = _by_scores(policy, k, found, bootstrap)
    return out, ranking


def _drawn_models(matrix: ScoreMatrix, table: CellTable, seed: int) -> IntArray:
    """(resamples, models): how often each tested model is drawn; 0 for the others."""
    tested = np.isin(matrix.model_ids, table.cells["model_id"].unique().tolist())
    weights = np.zeros((RESAMPLES, matrix.shape[0]), dtype=np.int64)
    weights[:, tested] = drawn(int(tested.sum()), RESAMPLES, seed)
    return weights


def _figures(part: CellTable, policy: Policy) -> dict[str, Any]:
    cells = part.cells
    entry: dict[str, Any] = {
        **short(part),
        **intervals(part),
        "n_models": int(cells["model_id"].nunique()),
        "by_scale": scales(part),
    }
    if policy.in_sample:
        entry["in_sample"] = True
    return entry


def _by_probes(policy: Policy, k: int, found: _Found, bootstrap: _Bootstrap) -> dict[str, Any]:
    place = (POLICIES, policy.name, k)
    part, revealed = found.part(place), found.revealed.get(place, {})
    entry = {**_figures(part, policy), **counted(part, sum(revealed.values()))}
    sets = len(policy.orders)
    entry["revealed"] = sum(revealed.values()) / max(sets * len(revealed), 1)
    entry.update(_listed(policy, k))
    errors = found.errors.get(place)
    if errors is None:
        return entry
    if sets > 1:
        entry["medae_replicates"] = errors.medians().tolist()
        entry["medae_band95"] = bootstrap.interval(errors)
    against, matched = {}, {}
    for name in _anchors(policy.name) if k else ():
        other = found.errors.get((POLICIES, name, k))
        if other is not None:
            against[name] = bootstrap.difference(errors, other)
        as_many = None if sets > 1 else found.as_many(name, revealed)
        if as_many is not None:
            matched[name] = bootstrap.difference(errors, as_many)
    for title, differences in (("against", against), ("against_matched", matched)):
        if differences:
            entry[title] = differences
    return entry


def _by_scores(policy: Policy, k: int, found: _Found, bootstrap: _Bootstrap) -> dict[str, Any]:
    place = (MATCHED, policy.name, k)
    entry = _figures(found.part(place), policy)
    errors = found.errors.get(place)
    if errors is None or not k:
        return entry
    against = {
        name: bootstrap.difference(errors, found.errors[MATCHED, name, k])
        for name in _anchors(policy.name)
        if (MATCHED, name, k) in found.errors
    }
    if against:
        entry["against"] = against
    return entry


def _listed(policy: Policy, k: int) -> dict[str, Any]:
    """``probes`` where all models have the same, ``probe_sets`` where a few sets are shared."""
    order = policy.orders[0]
    if len(policy.orders) > 1:
        return {"probes": None}
    if not isinstance(order, Mapping):
        return {"probes": list(order[:k])}
    sets: dict[tuple[str, ...], int] = {}
    for own in order.values():
        probes = tuple(own[:k])
        sets[probes] = sets.get(probes, 0) + 1
    if not k or len(sets) > MOST_SETS:
        return {"probes": None}
    listed = [{"probes": list(probes), "n_models": n} for probes, n in sets.items()]
    return {"probes": None, "probe_sets": listed}
