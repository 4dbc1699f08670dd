"""Items that do not behave: mis-keyed, off their curve, changed, or unlike between groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, UsageError
from ..progress import Report
from .bank import ItemBank
from .choice import attenuated
from .reconstruction import estimate_scores
from .responses import ItemResponses
from .variational import fit_bank

__all__ = ["AuditedItem", "audit_bank", "audit_items"]

Array = NDArray[Any]
LEAST_VARIANCE = 5.0
"""Summed ``n p (1 - p)`` of a group of models that is compared with what was expected."""
MOST_GROUPS = 10
LEAST_GROUPS = 3
TOO_NARROW = 1.8
"""Variances of slopes that `fit_bank` states are too small by this factor (docs/items.md)."""
LEAST_GAP = 5.0
"""Points of the share correct."""
VERDICTS = {
    "key": "mis-keyed",
    "fit": "does not fit its curve",
    "change": "changed since the bank",
    "group": "differs between groups",
}
"""What each statistic finds."""


@dataclass(frozen=True)
class AuditedItem:
    """An item and what speaks against it; a statistic is None where too few answers tell.

    Attributes
    ----------
    item_id, benchmark_id : str
    answers : int
        Trials in all.
    share : float or None
        Correct of them.
    key_z : float or None
        Correlation of the item with the mean of the others in units of its sd under no relation; in
        a bank alone the slope of the main factor over its sd. Below 0: mis-keyed.
    fit_z : float or None
        Distance between answers and probabilities over groups of equal ability.
    change_z : float or None
        Mean answer above what the bank says; None without a bank of other models.
    group_z : float or None
        Mean answer of `group` above what the others' says, the largest in absolute value.
    group : str
        Empty where no group is large enough.
    fit_gap, change_gap, group_gap : float or None
        How large the difference is, in points of the share correct: root mean square over the
        groups of equal ability less what chance gives; above the bank; of `group` above the others.
    key_q, fit_q, change_q, group_q : float or None
        Each statistic's p-value after Benjamini and Hochberg's correction over items.
    verdicts : tuple of str
        In words, those with a q-value up to the level and a gap from the least one on.
    """

    item_id: str
    benchmark_id: str
    answers: int
    share: float | None
    key_z: float | None
    fit_z: float | None
    change_z: float | None
    group_z: float | None
    group: str
    fit_gap: float | None
    change_gap: float | None
    group_gap: float | None
    key_q: float | None
    fit_q: float | None
    change_q: float | None
    group_q: float | None
    verdicts: tuple[str, ...]


@dataclass(frozen=True)
class _Raw:
    """Statistics of every item, NaN where there are too few answers; groups as (groups, items).

    Gaps are in points.
    """

    key: Array
    fit: Array
    change: Array
    groups: Array
    fit_gap: Array
    change_gap: Array
    group_gaps: Array


def audit_items(
    responses: ItemResponses,
    bank: ItemBank | None = None,
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.05,
    least_gap: float = LEAST_GAP,
    replicates: int = 8,
    factors: int = 4,
    seed: int = 0,
    report: Report | None = None,
) -> tuple[AuditedItem, ...]:
    """Audit every item, by its fit to the bank and by how groups of models answer it.

    Four statistics. *Key*: the correlation over models of the item with the mean of their other
    answers, times ``sqrt(M - 1)``; below 0 the better models answer it wrongly. *Fit*: models are
    sorted by the item's probability and dealt to up to 10 groups of equal ``V = sum n p (1 - p)``;
    ``X^2 = sum (observed - expected)^2 / V``, brought near a normal by its cube root (Wilson and
    Hilferty 1931). *Change*, with a bank of other models: ``sum (y - n p)`` over its sd, which has
    the item's own uncertainty in it. *Groups*: the same for one group less its share of the sum
    over all models, over its sd.

    With many models every small departure is significant: a finding of the last three also needs a
    difference of `least_gap` points.

    Null calibration: answers are simulated from the bank and treated in the same way (abilities,
    and where the bank was fitted here the bank too, are estimated again) `replicates` times. Fit,
    change and groups are standardised by the mean and sd that they have there over all items; what
    is left is taken as normal. The key's null (no relation) is that of a permutation, whose sd is
    known. p-values are two-sided but for key and fit.

    Parameters
    ----------
    responses : ItemResponses
    bank : ItemBank, optional
        Of the same items in the same order; fitted to the answers by default.
    groups : sequence of str, optional
        Of each model: its family by default, where there are families.
    level : float
        Share of false findings that is accepted.
    least_gap : float
        In points of the share correct.
    replicates : int
    factors : int
        Of the bank that is fitted.
    seed : int
    report : Report, optional
        Told of every replicate.

    Returns
    -------
    tuple of AuditedItem
        The most suspicious first.

    Raises
    ------
    UsageError
        `level`, `least_gap` or `replicates` is out of range.
    DataError
        The items are not those of the bank.
    """
    if not 0 < level < 1 or replicates < 2:
        raise UsageError("level must lie in (0, 1) and replicates be 2 or more")
    if not 0 <= least_gap <= 100:
        raise UsageError(f"least gap must be from 0 to 100 points, got {least_gap:g}")
    if bank is not None and not responses.items.index.equals(bank.items.index):
        raise DataError("the items are not those of the bank, in its order; take them from it")
    names = groups if groups is not None else _families(responses)
    given = bank is not None
    own = bank if bank is not None else fit_bank(responses, factors=factors, seed=seed)
    labels = np.array(names, dtype=object) if names is not None else None
    found, ability = _statistics(responses, own, given, labels)
    rng = np.random.default_rng(seed)
    nulls = []
    for number in range(replicates):
        if report is not None:
            report(number + 1, replicates + 1)
        again = _simulated(responses, own, ability, given, rng)
        refitted = own if given else fit_bank(again, factors=own.factors, seed=seed)
        nulls.append(_statistics(again, refitted, given, labels)[0])
    return _reported(responses, found, nulls, labels, level, least_gap)


def audit_bank(bank: ItemBank, *, level: float = 0.05) -> tuple[AuditedItem, ...]:
    """Audit the items of a bank by their parameters alone: which have a negative main slope.

    ``z = a / sd`` of the first factor, the stated variance times 1.8, since `fit_bank` states too
    small ones; one-sided normal p-values.

    Parameters
    ----------
    bank : ItemBank
    level : float

    Returns
    -------
    tuple of AuditedItem
        The most suspicious first; only `key_z` is known.
    """
    z = bank.slope[:, 0] / np.sqrt(TOO_NARROW * bank.covariance[:, 1, 1])
    none = np.full(len(z), np.nan)
    p = _normal_cdf(z)
    columns = {"key": (z, p, none)}
    columns |= dict.fromkeys(("fit", "change", "group"), (none, none, none))
    return _items(bank.items, none, none, columns, [""] * len(z), level, LEAST_GAP)


def _families(responses: ItemResponses) -> list[str] | None:
    if "family" not in responses.models:
        return None
    return [str(name) for name in responses.models["family"]]


def _ability(responses: ItemResponses, bank: ItemBank, given: bool) -> Array:
    return estimate_scores(bank, responses).ability if given else bank.ability


def _statistics(
    responses: ItemResponses, bank: ItemBank, given: bool, labels: Array | None
) -> tuple[_Raw, Array]:
    ability = _ability(responses, bank, given)
    b, a = attenuated(bank)
    p = 1 / (1 + np.exp(-(b + ability @ a.T)))
    trials = responses.trials.astype(np.float64)
    rest = responses.correct - trials * p
    variance = trials * p * (1 - p)
    full = np.concatenate([np.ones((len(ability), 1)), ability], axis=1)
    change = np.full(len(b), np.nan)
    if given:
        own = variance.T @ full
        unsure = TOO_NARROW * np.einsum("lj,ljk,lk->l", own, bank.covariance, own)
        total = variance.sum(axis=0)
        enough = total >= LEAST_VARIANCE
        change[enough] = (rest.sum(axis=0) / np.sqrt(total + unsure))[enough]
    fit = np.array(
        [_fit(p[:, at], rest[:, at], variance[:, at], trials[:, at]) for at in range(len(b))]
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = 100 * rest.sum(axis=0) / trials.sum(axis=0)
    groups, gaps = _groups(rest, variance, trials, labels)
    return _Raw(_key(responses), fit[:, 0], change, groups, fit[:, 1], shift, gaps), ability


def _key(responses: ItemResponses) -> Array:
    """Correlation with the mean of the other answers, in units of ``1 / sqrt(M - 1)``."""
    shares = responses.shares().astype(np.float64)
    asked = ~np.isnan(shares)
    filled = np.where(asked, shares, 0.0)
    right, number = filled.sum(axis=1, keepdims=True), asked.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        others = (right - filled) / (number - 1)
        both = asked & np.isfinite(others)
        models = both.sum(axis=0)
        x = np.where(both, filled, 0.0)
        y = np.where(both, others, 0.0)
        x = np.where(both, x - x.sum(axis=0) / models, 0.0)
        y = np.where(both, y - y.sum(axis=0) / models, 0.0)
        z = (x * y).sum(axis=0) / np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))
        z = z * np.sqrt(models - 1)
    return np.where((models >= 10) & np.isfinite(z), z, np.nan)


def _fit(p: Array, rest: Array, variance: Array, trials: Array) -> tuple[float, float]:
    """Statistic and gap of one item."""
    total = float(variance.sum())
    groups = min(MOST_GROUPS, int(total / LEAST_VARIANCE))
    if groups < LEAST_GROUPS:
        return float("nan"), float("nan")
    order = np.argsort(p, kind="stable")
    passed = np.cumsum(variance[order]) - variance[order] / 2
    of = np.minimum((passed / total * groups).astype(int), groups - 1)
    off = np.bincount(of, rest[order], groups)
    spread = np.bincount(of, variance[order], groups)
    square = float((off**2 / np.maximum(spread, 1e-9)).sum())
    z = ((square / groups) ** (1 / 3) - (1 - 2 / (9 * groups))) / np.sqrt(2 / (9 * groups))
    number = np.maximum(np.bincount(of, trials[order], groups), 1)
    excess = float(np.mean((off**2 - spread) / number**2))
    return float(z), 100 * float(np.sqrt(max(excess, 0.0)))


def _groups(
    rest: Array, variance: Array, trials: Array, labels: Array | None
) -> tuple[Array, Array]:
    """``(group, item)`` statistics and gaps, NaN where a group or the rest is too small."""
    if labels is None:
        return np.full((0, rest.shape[1]), np.nan), np.full((0, rest.shape[1]), np.nan)
    names = sorted(set(labels))
    member = np.array([labels == name for name in names], dtype=np.float64)
    off, spread, number = member @ rest, member @ variance, member @ trials
    total = variance.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = spread / total
        z = (off - share * rest.sum(axis=0)) / np.sqrt(spread * (1 - share))
        gap = off / number - (rest.sum(axis=0) - off) / (trials.sum(axis=0) - number)
    enough = (spread >= LEAST_VARIANCE) & (total - spread >= LEAST_VARIANCE)
    return np.where(enough, z, np.nan), np.where(enough, 100 * gap, np.nan)


def _simulated(
    responses: ItemResponses, bank: ItemBank, ability: Array, given: bool, rng: np.random.Generator
) -> ItemResponses:
    b, a = bank.easiness, bank.slope
    if given:  # items as they may be in truth, which the bank does not know exactly
        root = np.linalg.cholesky(TOO_NARROW * bank.covariance)
        moved = np.einsum("ljk,lk->lj", root, rng.normal(size=root.shape[:2]))
        b, a = b + moved[:, 0], a + moved[:, 1:]
    p = 1 / (1 + np.exp(-(b + ability @ a.T)))
    drawn = rng.binomial(responses.trials.astype(np.int64), p)
    return replace(responses, correct=drawn.astype(np.float32))


def _reported(
    responses: ItemResponses,
    found: _Raw,
    nulls: list[_Raw],
    labels: Array | None,
    level: float,
    least_gap: float,
) -> tuple[AuditedItem, ...]:
    fit = _standard(found.fit, [null.fit for null in nulls])
    change = _standard(found.change, [null.change for null in nulls])
    groups = _standard(found.groups, [null.groups for null in nulls])
    names = [] if labels is None else sorted(set(labels))
    group_z, group_p, worst = _worst(groups, names)
    trials = responses.trials.sum(axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = responses.correct.sum(axis=0, dtype=np.float64) / trials
    places = [names.index(name) if name else -1 for name in worst]
    none = np.full(len(trials), np.nan)
    gaps = np.vstack([found.group_gaps, none])[places, np.arange(len(trials))]
    shift = np.where(np.isfinite(change), found.change_gap, np.nan)
    columns = {
        "key": (found.key, _normal_cdf(found.key), none),
        "fit": (fit, 1 - _normal_cdf(fit), found.fit_gap),
        "change": (change, 2 * _normal_cdf(-np.abs(change)), shift),
        "group": (group_z, group_p, gaps),
    }
    return _items(responses.items, trials, share, columns, worst, level, least_gap)


def _standard(values: Array, nulls: list[Array]) -> Array:
    """Values in units of what the null's replicates have over all items."""
    pooled = np.concatenate([null.ravel() for null in nulls]) if nulls else np.zeros(0)
    pooled = pooled[np.isfinite(pooled)]
    if len(pooled) < 2:
        return np.full_like(values, np.nan)
    return np.asarray((values - pooled.mean()) / pooled.std())


def _worst(groups: Array, names: list[str]) -> tuple[Array, Array, list[str]]:
    """Statistic of the group that differs most, its p-value over all groups, and its name."""
    items = groups.shape[1]
    if not names:
        return np.full(items, np.nan), np.full(items, np.nan), [""] * items
    size = np.where(np.isfinite(groups), np.abs(groups), -1.0)
    at = size.argmax(axis=0)
    z = groups[at, np.arange(items)]
    tested = np.isfinite(groups).sum(axis=0)
    p = 1 - (1 - np.minimum(1.0, 2 * _normal_cdf(-np.abs(z)))) ** np.maximum(tested, 1)
    return z, p, [names[which] if ok else "" for which, ok in zip(at, tested > 0, strict=True)]


def _normal_cdf(z: Array) -> Array:
    cdf = NormalDist().cdf
    return np.array([cdf(value) if np.isfinite(value) else np.nan for value in z])


def _adjusted(p: Array) -> Array:
    """q-values of Benjamini and Hochberg (1995); NaN stays."""
    out = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    out[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return out


def _items(
    items: Any,
    trials: Array,
    share: Array,
    columns: Any,
    worst: Sequence[str],
    level: float,
    least_gap: float,
) -> tuple[AuditedItem, ...]:
    q = {name: _adjusted(p) for name, (_, p, _) in columns.items()}
    large = {name: ~(np.abs(gap) < least_gap) for name, (_, _, gap) in columns.items()}
    least = np.nanmin(np.array([np.where(np.isnan(one), 1.0, one) for one in q.values()]), axis=0)

    def number(values: Array, at: int) -> float | None:
        return float(values[at]) if np.isfinite(values[at]) else None

    found = []
    named = np.any([(q[name] <= level) & large[name] for name in q], axis=0)
    for at in np.lexsort((least, ~named)):
        # an item with a negative slope need not fit any worse: each finding stands for itself
        said = tuple(
            text for name, text in VERDICTS.items() if q[name][at] <= level and large[name][at]
        )
        found.append(
            AuditedItem(
                item_id=str(items.index[at]),
                benchmark_id=str(items["benchmark_id"].iloc[at]),
                answers=int(np.nan_to_num(trials[at])),
                share=number(share, at),
                key_z=number(columns["key"][0], at),
                fit_z=number(columns["fit"][0], at),
                change_z=number(columns["change"][0], at),
                group_z=number(columns["group"][0], at),
                group=str(worst[at]),
                fit_gap=number(columns["fit"][2], at),
                change_gap=number(columns["change"][2], at),
                group_gap=number(columns["group"][2], at),
                key_q=number(q["key"], at),
                fit_q=number(q["fit"], at),
                change_q=number(q["change"], at),
                group_q=number(q["group"], at),
                verdicts=said,
            )
        )
    return tuple(found)
