"""The link: scores on their own scale <-> the standardised latent scale.

Which link a benchmark gets is read from its METADATA, never from its scores: both bounds known ->
``logit``, only the lower -> ``log``, only the upper -> ``neglog``, none -> ``identity``. What is
learned from the scores is the centre and the spread of a column on its link scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from ..scores.ids import look_up

if TYPE_CHECKING:
    from ..scores import ScoreMatrix

__all__ = ["LINKS", "Transform"]

LINKS = ("logit", "log", "neglog", "identity")

CLIP_UNKNOWN = 0.002
"""Clip of the unit score where the number of items is unknown."""
CLIP_LEAST, CLIP_LARGEST = 0.0005, 0.05
"""Limits of half an item as a clip: those of 1,000 items and of 10."""
SPREAD_PRIOR_COUNT = 5.0
"""How many scores the median spread of the other columns counts for."""
SPREAD_LEAST_COUNT = 3
"""A column with fewer scores says nothing about its own or the median spread."""
SPREAD_FALLBACK = 1.0
"""Spread on a log or logit scale when no column has enough scores."""
IDENTITY_RELATIVE_SPREAD = 0.1
"""Spread of a thin column without bounds, relative to the size of its centre."""
LINK_LINEAR = 12.0
"""The inverse is exact up to this distance on the link scale; beyond, a bounded bend sets in."""

Floats = NDArray[np.float64]


def _links(lower: Floats, upper: Floats) -> tuple[str, ...]:
    known = zip(np.isfinite(lower), np.isfinite(upper), strict=True)
    names = {
        (True, True): "logit",
        (True, False): "log",
        (False, True): "neglog",
        (False, False): "identity",
    }
    return tuple(names[bool(low), bool(up)] for low, up in known)


def _unit_clip(n_items: Floats) -> Floats:
    """Half an item, at least `CLIP_LEAST` and at most `CLIP_LARGEST`."""
    with np.errstate(divide="ignore"):
        half_item = 0.5 / n_items
    return np.where(
        np.isfinite(n_items), np.clip(half_item, CLIP_LEAST, CLIP_LARGEST), CLIP_UNKNOWN
    )


def _clip(
    link: Sequence[str], lower: Floats, upper: Floats, n_items: Floats, values: Floats
) -> Floats:
    """Clip per column: of the unit score (logit), of the distance to the bound (log, neglog)."""
    clip = _unit_clip(n_items)
    for j, name in enumerate(link):
        if name not in ("log", "neglog"):
            continue
        distance = values[:, j] - lower[j] if name == "log" else upper[j] - values[:, j]
        distance = distance[distance > 0]
        typical = float(np.median(distance)) if distance.size else 1.0
        clip[j] = CLIP_UNKNOWN * typical
    return clip


def _column_moments(linked: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Count, mean and variance (n - 1) of every column; NaN where they do not exist."""
    count = np.isfinite(linked).sum(axis=0)
    total = np.nansum(linked, axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    squares = np.nansum((linked - mean) ** 2, axis=0)
    variance = np.where(count > 1, squares / np.maximum(count - 1, 1), np.nan)
    return count, mean, variance


def _standardisation(link: Sequence[str], linked: Floats) -> tuple[Floats, Floats]:
    """Centre and spread per column on the link scale (see `Transform.from_matrix`)."""
    count, center, variance = _column_moments(linked)
    spread = np.ones(len(link))
    names = np.asarray(link)
    for name in set(link):
        chosen = np.flatnonzero(names == name)
        enough = chosen[count[chosen] >= SPREAD_LEAST_COUNT]
        known = chosen[count[chosen] > 0]
        fallback = float(np.median(center[known])) if known.size and name != "identity" else 0.0
        center[chosen] = np.where(count[chosen] > 0, center[chosen], fallback)
        if name == "identity":
            thin = np.maximum(IDENTITY_RELATIVE_SPREAD * np.abs(center[chosen]), 1e-6)
            own = np.where(count[chosen] >= SPREAD_LEAST_COUNT, variance[chosen], np.nan)
            spread[chosen] = np.where(own > (1e-6 * thin) ** 2, np.sqrt(own), thin)
            continue
        pooled = float(np.median(variance[enough])) if enough.size else SPREAD_FALLBACK**2
        if pooled <= 1e-12:
            pooled = SPREAD_FALLBACK**2
        n = np.where(count[chosen] > 1, count[chosen], 0)
        own = np.where(count[chosen] > 1, variance[chosen], 0.0)
        spread[chosen] = np.sqrt((n * own + SPREAD_PRIOR_COUNT * pooled) / (n + SPREAD_PRIOR_COUNT))
    return center, spread


def _bend(x: Floats) -> Floats:
    """Identity up to `LINK_LINEAR`, then strictly increasing towards twice that.

    Keeps ``expit`` and ``exp`` inside floating point, so that scores far in a tail stay strictly
    inside the bounds and never tie.
    """
    excess = np.maximum(np.abs(x) / LINK_LINEAR - 1.0, 0.0)
    bent = np.sign(x) * LINK_LINEAR * (1.0 + excess / (1.0 + excess))
    return np.where(excess > 0, bent, x)


def _forward(link: str, score: Floats, lower: Floats, upper: Floats, clip: Floats) -> Floats:
    if link == "logit":
        unit = np.clip((score - lower) / (upper - lower), clip, 1.0 - clip)
        return np.asarray(np.log(unit) - np.log1p(-unit))
    if link == "log":
        return np.asarray(np.log(np.maximum(score - lower, clip)))
    if link == "neglog":
        return np.asarray(-np.log(np.maximum(upper - score, clip)))
    return score


def _backward(link: str, x: Floats, lower: Floats, upper: Floats, center: Floats) -> Floats:
    if link == "logit":
        bent = _bend(x)
        part = np.exp(-np.abs(bent))
        tail = (upper - lower) * part / (1.0 + part)
        return np.where(bent < 0, lower + tail, upper - tail)
    if link == "log":
        return lower + np.exp(center + _bend(x - center))
    if link == "neglog":
        return upper - np.exp(-(center + _bend(x - center)))
    return x


@dataclass(frozen=True, eq=False, repr=False)
class Transform:
    """Score <-> latent scale, ``z = sign * (link(score) - center) / spread``.

    The unit score ``u = (score - lower) / (upper - lower)`` of a bounded benchmark is clipped to
    ``[clip, 1 - clip]``, with ``clip = 1 / (2 n_items)`` held within 0.0005 to 0.05, and 0.002
    where `n_items` is unknown. A score within the clip of a bound says "about this or beyond"
    (`beyond`): half an item is as near as a test can tell. On a log link the distance to the bound
    is at least 0.2 % of its median. Only `to_latent` clips; the inverse does not, so quantiles
    never tie at a bound.

    Attributes
    ----------
    benchmark_ids : tuple of str
    link : tuple of str
        One of `LINKS` per benchmark.
    lower, upper : (B,) array
        Bounds on the score scale; NaN where there is none.
    sign : (B,) array
        +1, or -1 where a lower score is better: a higher latent is always better.
    clip : (B,) array
        Least unit score (logit) or least distance to the bound (log, neglog).
    center, spread : (B,) array
        Standardisation on the link scale.
    n_items : (B,) array
        Numbers of items; NaN where unknown.
    """

    benchmark_ids: tuple[str, ...]
    link: tuple[str, ...]
    lower: Floats
    upper: Floats
    sign: Floats
    clip: Floats
    center: Floats
    spread: Floats
    n_items: Floats

    def __post_init__(self) -> None:
        unknown = sorted(set(self.link) - set(LINKS))
        if unknown:
            raise DataError(f"unknown link {unknown[0]!r}; known: {', '.join(LINKS)}")
        size = len(self.benchmark_ids)
        for name in ("link", *_STORED):
            if len(getattr(self, name)) != size:
                raise DataError(f"transform: {name} has not one value per benchmark ({size})")
        if not np.all(np.isfinite(self.spread) & (self.spread > 0)):
            raise DataError("transform: every spread must be positive and finite")

    @classmethod
    def from_matrix(cls, matrix: ScoreMatrix) -> Transform:
        """Links from the metadata of `matrix`, standardisation from its scores.

        The centre is the column's mean on the link scale. The squared spread is
        ``(n v + 5 v_med) / (n + 5)`` with the column's n scores and variance v, and the median
        variance v_med of the columns of the same link with 3 or more scores. Columns without
        bounds are each in a unit of their own: nothing is pooled there.
        """
        table = matrix.benchmarks
        return cls.from_scores(
            matrix.benchmark_ids,
            matrix.values,
            lower=table["lower"].to_numpy(dtype=np.float64),
            upper=table["upper"].to_numpy(dtype=np.float64),
            higher_is_better=table["higher_is_better"].to_numpy(dtype=bool),
            n_items=table["n_items"].to_numpy(dtype=np.float64),
        )

    @classmethod
    def from_scores(
        cls,
        benchmark_ids: Sequence[str],
        values: ArrayLike,
        *,
        lower: ArrayLike,
        upper: ArrayLike,
        higher_is_better: ArrayLike,
        n_items: ArrayLike,
    ) -> Transform:
        """As `from_matrix`, from plain arrays: `values` is (M, B) with NaN where missing."""
        scores = np.asarray(values, dtype=np.float64)
        low, up = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
        items = np.asarray(n_items, dtype=np.float64)
        link = _links(low, up)
        bad = np.flatnonzero(np.isfinite(low) & np.isfinite(up) & ~(low < up))
        if bad.size:
            j = int(bad[0])
            raise DataError(
                f"benchmark {benchmark_ids[j]!r}: lower bound {low[j]:g} is not below the upper "
                f"bound {up[j]:g}; correct its metadata"
            )
        clip = _clip(link, low, up, items, scores)
        columns = [
            _forward(name, scores[:, j], low[j], up[j], clip[j]) for j, name in enumerate(link)
        ]
        linked = np.stack(columns, axis=1) if columns else np.empty((scores.shape[0], 0))
        center, spread = _standardisation(link, linked)
        sign = np.where(np.asarray(higher_is_better, dtype=bool), 1.0, -1.0)
        return cls(tuple(benchmark_ids), link, low, up, sign, clip, center, spread, items)

    def __repr__(self) -> str:
        counts = {name: self.link.count(name) for name in LINKS if name in self.link}
        listed = ", ".join(f"{count} {name}" for name, count in counts.items())
        return f"Transform of {len(self.benchmark_ids)} benchmarks ({listed})"

    @cached_property
    def _code(self) -> NDArray[np.int64]:
        return np.asarray([LINKS.index(name) for name in self.link], dtype=np.int64)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: j for j, name in enumerate(self.benchmark_ids)}

    def index(self, benchmark_id: str) -> int:
        """Column of `benchmark_id`; raises `UnknownIdError`."""
        return look_up("benchmark", benchmark_id, self._index)

    def _columns(
        self, values: ArrayLike, benchmark: ArrayLike | None
    ) -> tuple[Floats, NDArray[np.int64]]:
        array = np.asarray(values, dtype=np.float64)
        if benchmark is not None:
            column = np.asarray(benchmark, dtype=np.int64)
        elif array.ndim and array.shape[-1] == len(self.benchmark_ids):
            column = np.arange(len(self.benchmark_ids))
        else:
            raise ValueError(
                f"last axis must hold the {len(self.benchmark_ids)} benchmarks, got shape "
                f"{array.shape}; or pass `benchmark`"
            )
        shape = np.broadcast_shapes(array.shape, column.shape)
        return np.broadcast_to(array, shape), np.broadcast_to(column, shape)

    def to_latent(self, scores: ArrayLike, benchmark: ArrayLike | None = None) -> Floats:
        """Scores -> latent scale, clipping at the ends of the scale; NaN stays NaN.

        Parameters
        ----------
        scores : (..., B) array, or any shape with `benchmark`
        benchmark : int array, optional
            Column of each score, broadcast against `scores`; default: the last axis.
        """
        array, column = self._columns(scores, benchmark)
        linked = np.empty(array.shape)
        code = self._code[column]
        for k in np.unique(code):
            chosen = code == k
            at = column[chosen]
            linked[chosen] = _forward(
                LINKS[k], array[chosen], self.lower[at], self.upper[at], self.clip[at]
            )
        return np.asarray(self.sign[column] * (linked - self.center[column]) / self.spread[column])

    def to_score(self, latent: ArrayLike, benchmark: ArrayLike | None = None) -> Floats:
        """Latent -> score scale: strictly monotone and strictly inside the bounds.

        Exact inverse of `to_latent` for scores that are not clipped; arguments as there.
        """
        array, column = self._columns(latent, benchmark)
        linked = self.center[column] + self.sign[column] * self.spread[column] * array
        code = self._code[column]
        score = np.empty(array.shape)
        for k in np.unique(code):
            chosen = code == k
            at = column[chosen]
            score[chosen] = _backward(
                LINKS[k], linked[chosen], self.lower[at], self.upper[at], self.center[at]
            )
        return score

    def beyond(self, scores: ArrayLike, benchmark: ArrayLike | None = None) -> NDArray[np.int8]:
        """Which scores say only "this or beyond", and on which side of the latent scale.

        +1 where the latent score is at least `to_latent` of it, -1 where it is at most that, else
        0. So are scores within the clip of a bound: half an item, or what rounding hides.

        Parameters
        ----------
        scores, benchmark : array
            As in `to_latent`.

        Examples
        --------
        >>> link = Transform.from_scores(
        ...     ("aime",), [[50.0]], lower=[0], upper=[100], higher_is_better=[True], n_items=[30]
        ... )
        >>> link.beyond([[100.0], [98.0], [0.0]]).ravel()
        array([ 1,  0, -1], dtype=int8)
        """
        array, column = self._columns(scores, benchmark)
        near_low = array <= self.lower[column] + self._margin[column] * (1.0 + 1e-9)
        near_high = array >= self.upper[column] - self._margin[column] * (1.0 + 1e-9)
        side = near_high.astype(np.int8) - near_low.astype(np.int8)
        return np.asarray(side * self.sign[column].astype(np.int8))

    def error_variance(
        self, scores: ArrayLike, stderr: ArrayLike, benchmark: ArrayLike | None = None
    ) -> Floats:
        """Variance on the latent scale of scores with a standard error, by the delta method.

        ``(stderr dz/dscore)^2`` at the score, clipped as in `to_latent`. A standard error of
        exactly 0 is an artefact of tools: with n items it becomes that of
        ``p = (n u + 1/2) / (n + 1)``, else nothing is known. 0 where `stderr` is NaN.

        Parameters
        ----------
        scores, benchmark : array
            As in `to_latent`.
        stderr : array
            Score scale, broadcast against `scores`.
        """
        array, column = self._columns(scores, benchmark)
        error = np.broadcast_to(np.asarray(stderr, np.float64), array.shape)
        low, up, n = self.lower[column], self.upper[column], self.n_items[column]
        width = np.where(np.isfinite(up - low), up - low, 1.0)
        with np.errstate(invalid="ignore"):
            p = (n * (array - low) / width + 0.5) / (n + 1.0)
            by_items = np.sqrt(np.maximum(p * (1.0 - p), 0.0) / n) * width
        zero = np.where(np.isfinite(low + up), by_items, np.nan)
        error = np.where(error == 0.0, zero, error)
        slope = self._slope(array, column)
        return np.nan_to_num((error * slope / self.spread[column]) ** 2, nan=0.0)

    def binomial_variance(self, latent: ArrayLike, benchmark: ArrayLike | None = None) -> Floats:
        """Variance on the latent scale of a share of n items right, ``1 / (n p (1 - p))``.

        p is the unit score of `latent`, held half an item from the ends. 0 where the number of
        items is unknown or the benchmark has not both bounds.
        """
        array, column = self._columns(latent, benchmark)
        n = self.n_items[column]
        edge = np.minimum(0.5 / np.maximum(n, 1.0), 0.5)
        linked = self.center[column] + self.sign[column] * self.spread[column] * array
        p = np.clip(1.0 / (1.0 + np.exp(-np.clip(linked, -50.0, 50.0))), edge, 1.0 - edge)
        value = 1.0 / (n * p * (1.0 - p) * self.spread[column] ** 2)
        bounded = np.asarray([name == "logit" for name in self.link])[column]
        return np.where(bounded & np.isfinite(n), value, 0.0)

    def _slope(self, array: Floats, column: NDArray[np.int64]) -> Floats:
        """Derivative of the link at scores, clipped as in `to_latent`."""
        low, up, clip = self.lower[column], self.upper[column], self.clip[column]
        unit = np.clip((array - low) / (up - low), clip, 1.0 - clip)
        by_link = {
            "logit": 1.0 / ((up - low) * unit * (1.0 - unit)),
            "log": 1.0 / np.maximum(array - low, clip),
            "neglog": 1.0 / np.maximum(up - array, clip),
            "identity": np.ones(array.shape),
        }
        code = self._code[column]
        return np.asarray(np.select([code == k for k in range(4)], [by_link[n] for n in LINKS]))

    def closed_low(self, scores: ArrayLike, benchmark: ArrayLike | None = None) -> Floats:
        """Scores with those within the clip of the lower bound moved onto it.

        The link cannot tell such scores apart, so an interval that reaches one reaches the bound.
        """
        array, column = self._columns(scores, benchmark)
        near = array <= self.lower[column] + self._margin[column] * (1.0 + 1e-9)
        return np.where(near, self.lower[column], array)

    def closed_high(self, scores: ArrayLike, benchmark: ArrayLike | None = None) -> Floats:
        """As `closed_low`, at the upper bound."""
        array, column = self._columns(scores, benchmark)
        near = array >= self.upper[column] - self._margin[column] * (1.0 + 1e-9)
        return np.where(near, self.upper[column], array)

    @cached_property
    def _margin(self) -> Floats:
        """Clip in score units; NaN compares false, so a side without a bound is left alone."""
        bounded = np.asarray([name == "logit" for name in self.link])
        return np.where(bounded, self.clip * (self.upper - self.lower), self.clip)

    def subset(self, benchmark_ids: Sequence[str]) -> Transform:
        """Keep some benchmarks, in the order given; raises `UnknownIdError`."""
        at = np.asarray([self.index(name) for name in benchmark_ids], dtype=np.int64)
        parts = (getattr(self, name)[at] for name in _STORED)
        return Transform(tuple(benchmark_ids), tuple(self.link[j] for j in at), *parts)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain (B,) arrays for storage; the ids are kept elsewhere (as a coordinate)."""
        numbers = {name: np.asarray(getattr(self, name)) for name in _STORED}
        return {"link": np.asarray(self.link, dtype=object), **numbers}

    @classmethod
    def from_arrays(
        cls, benchmark_ids: Sequence[str], arrays: Mapping[str, NDArray[Any]]
    ) -> Transform:
        """Inverse of `to_arrays`; a file from before `n_items` was stored does not know them."""
        unknown = np.full(len(benchmark_ids), np.nan)
        stored = {"n_items": unknown, **arrays}
        numbers = [np.asarray(stored[name], dtype=np.float64) for name in _STORED]
        return cls(tuple(benchmark_ids), tuple(str(x) for x in arrays["link"]), *numbers)


_STORED = ("lower", "upper", "sign", "clip", "center", "spread", "n_items")
