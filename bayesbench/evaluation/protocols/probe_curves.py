"""A curve for every probe policy, set against random and naive probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...scores.matrix import ScoreMatrix
from ..cells import CellTable, ranking_of
from ..figures import counted, short
from ..metrics import RankingCounts
from ..policies import LOW_COST, Policy
from ..tasks import FinishedFold

__all__ = ["policy_curves"]

ANCHORS = ("random", "max-variance")
"""What a policy is set against: random sets and the naive rule."""
OWN_ANCHORS: Mapping[str, tuple[str, ...]] = {
    "random": (),
    f"random{LOW_COST}": (),
    "epig-adaptive": ("random", "max-variance-adaptive"),
    f"epig{LOW_COST}": (f"random{LOW_COST}", f"max-variance{LOW_COST}", *ANCHORS),
    f"max-variance{LOW_COST}": (f"random{LOW_COST}",),
}
"""Policies with others, or none: like is set against like, the low-cost list first with itself."""
RESAMPLES = 1000

Floats = NDArray[np.float64]
Ranking = Mapping[float, RankingCounts]


@dataclass(frozen=True, eq=False)
class _Errors:
    """Absolute errors of one policy at one k, and which model and replicate each belongs to."""

    error: Floats
    model: NDArray[np.int64]
    replicate: NDArray[np.int64]

    def resampled(self, weights: Floats) -> Floats:
        """(resamples, replicates): median errors with the models weighted."""
        return np.stack(
            [
                _weighted_medians(self.error[part], weights[:, self.model[part]])
                for part in (self.replicate == r for r in np.unique(self.replicate))
            ],
            axis=1,
        )


def _weighted_medians(values: Floats, weights: Floats) -> Floats:
    """Lower weighted median of `values` (n,) for every row of `weights` (resamples, n).

    A resample that drew none of these values weighs them all alike.
    """
    order = np.argsort(values, kind="stable")
    weights = np.where(weights.any(axis=1, keepdims=True), weights, 1.0)
    total = np.cumsum(weights[:, order], axis=1)
    place = (total < 0.5 * total[:, -1:]).sum(axis=1)
    return np.asarray(values[order][np.minimum(place, values.size - 1)])


def policy_curves(
    matrix: ScoreMatrix,
    policies: Sequence[Policy],
    ks: Sequence[int],
    folds: Sequence[FinishedFold],
    table: CellTable,
    seed: int,
) -> tuple[dict[str, dict[str, dict[str, Any]]], Ranking]:
    """Figures of every policy at every number of probes.

    Beside the figures of the hidden cells and those counted as published, ``against`` holds the
    difference of the MedAE to the mean over random sets and to the naive policy, with bootstrap
    95 % intervals over models (and over sets, for random ones); negative is better.

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
        By policy and number of probes.
    ranking : mapping of margin to RankingCounts
        Pooled over all of them.
    """
    cells = table.cells
    index = {name: number for number, name in enumerate(matrix.model_ids)}
    model = cells["model_id"].map(index).to_numpy(np.int64)
    error = (cells["median"] - cells["truth"]).abs().to_numpy(np.float64)
    replicate = cells["replicate"].to_numpy(np.int64)
    groups = cells.groupby(["policy", "k"], sort=False).indices
    revealed: dict[tuple[str, int], int] = {}
    for fold in folds:
        at = (str(fold.task.tags["policy"]), int(fold.task.tags["k"]))
        revealed[at] = revealed.get(at, 0) + len(fold.task.revealed)
    weights = np.random.default_rng([seed, 7]).multinomial(
        matrix.shape[0], np.full(matrix.shape[0], 1 / matrix.shape[0]), size=RESAMPLES
    )
    out: dict[str, dict[str, dict[str, Any]]] = {policy.name: {} for policy in policies}
    ranking: dict[float, RankingCounts] = {}
    for k in ks:
        errors: dict[str, _Errors] = {}
        resampled: dict[str, Floats] = {}
        for policy in policies:
            rows = np.asarray(groups.get((policy.name, k), np.empty(0)), np.int64)
            part = table.take(rows)
            known = rows[np.isfinite(error[rows])]
            entry = _entry(policy, k, part, revealed.get((policy.name, k), 0))
            pairs = ranking_of(matrix, folds, part)
            entry["ranking_margin0"] = pairs[0.0].accuracy
            ranking = {m: pairs[m] + ranking[m] if m in ranking else pairs[m] for m in pairs}
            out[policy.name][str(k)] = entry
            if known.size:
                own = _Errors(error[known], model[known], replicate[known])
                errors[policy.name] = own
                resampled[policy.name] = own.resampled(weights.astype(np.float64))
        for name, moved in resampled.items():
            entry = out[name][str(k)]
            if moved.shape[1] > 1:
                entry["medae_replicates"] = _by_replicate(errors[name])
                entry["medae_band95"] = _interval(_mean_over_sets(moved, seed))
            if k and OWN_ANCHORS.get(name, ANCHORS):
                entry["against"] = _against(name, errors, resampled, seed)
    return out, ranking


def _entry(policy: Policy, k: int, part: CellTable, revealed: int) -> dict[str, Any]:
    order = policy.orders[0]
    probes = None if isinstance(order, Mapping) or len(policy.orders) > 1 else list(order[:k])
    entry: dict[str, Any] = {**short(part), **counted(part, revealed), "probes": probes}
    if policy.in_sample:
        entry["in_sample"] = True
    return entry


def _by_replicate(errors: _Errors) -> list[float]:
    return [
        float(np.median(errors.error[errors.replicate == r])) for r in np.unique(errors.replicate)
    ]


def _mean_over_sets(resampled: Floats, seed: int) -> Floats:
    """Mean over replicates, the replicates themselves resampled, (resamples,)."""
    n, sets = resampled.shape
    chosen = np.random.default_rng([seed, 8]).integers(sets, size=(n, sets))
    return np.asarray(np.take_along_axis(resampled, chosen, axis=1).mean(axis=1))


def _interval(values: Floats) -> list[float]:
    return [float(q) for q in np.quantile(values, (0.025, 0.975))]


def _against(
    name: str, errors: Mapping[str, _Errors], resampled: Mapping[str, Floats], seed: int
) -> dict[str, Any]:
    out = {}
    for other in OWN_ANCHORS.get(name, ANCHORS):
        if other not in errors or other == name:
            continue
        mine = float(np.mean(_by_replicate(errors[name])))
        sets = _by_replicate(errors[other])
        moved = _mean_over_sets(resampled[other], seed)
        interval = _interval(_mean_over_sets(resampled[name], seed) - moved)
        found = {"difference": mine - float(np.mean(sets)), "interval95": interval}
        if len(sets) > 1:
            found["share_of_sets_worse"] = float(np.mean(np.asarray(sets) > mine))
        out[other] = found
    return out
