"""Predictions: draws of the linear predictor and noise, and the quantiles of a reading's score.

What is predicted is a READING, linear predictor plus reading noise, or on request the MEAN over
readings of a cell, linear predictor plus interaction. Its distribution is the mixture over draws of
Student-t distributions; the quantiles of that mixture are computed from
stratified noise levels, without random numbers. Neither jax nor scipy is imported here (scipy
alone would take as long as everything else in answering from a saved posterior).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, UsageError
from ..low_rank.eta import ETA_PARAMETERS, linear_predictor_at
from ..low_rank.link import Transform
from ..low_rank.noise import stratified_points
from ..posterior.stored import StoredPosterior

__all__ = [
    "PREDICTIVE_LEVELS",
    "LatentDraws",
    "Predictive",
    "Target",
    "cell_draws",
    "check_target",
    "fitted_draws",
    "mixture_quantiles",
    "predict_cells",
    "predictive",
    "slots",
    "with_reading_noise",
]

Floats = NDArray[np.float64]
Array = NDArray[Any]

Target = Literal["reading", "mean"]
"""What is predicted of a cell: a new reading, or the mean over readings."""

PREDICTIVE_LEVELS: Floats = np.array(
    [0.001, 0.0025, 0.005, *(np.arange(1, 100) / 100), 0.995, 0.9975, 0.999]
)
"""Probability levels at which predictive distributions are kept; symmetric about a half."""
PREDICTIVE_LEVELS.setflags(write=False)

MIXTURE_POINTS = 16384
"""Least number of points (draws x noise levels) that stand for one cell's distribution."""
CHUNK_POINTS = 2_000_000
"""Points handled at once: bounds memory to some tens of megabytes."""


def mixture_quantiles(
    eta: ArrayLike, scale: ArrayLike, nu: ArrayLike, levels: ArrayLike = PREDICTIVE_LEVELS
) -> Floats:
    """Quantiles of the mixture over draws s of ``eta_s + scale_s * t(nu_s)``.

    Every draw stands for its distribution by R stratified points (R so that S R is at least
    `MIXTURE_POINTS`); the quantiles interpolate the sorted points. Deterministic.

    Parameters
    ----------
    eta, scale : (S, n) arrays
        Location and scale of every draw and cell, latent scale.
    nu : (S,) array
        Degrees of freedom per draw; infinite for normal noise.
    levels : (L,) array
        Probability levels.

    Returns
    -------
    (n, L) array
        Strictly increasing along the levels.
    """
    location, spread = np.asarray(eta, np.float32), np.asarray(scale, np.float32)
    n_draws, n_cells = location.shape
    wanted = np.asarray(levels, dtype=np.float64)
    n_levels = max(4, math.ceil(MIXTURE_POINTS / n_draws))
    noise = stratified_points(np.broadcast_to(np.asarray(nu, np.float64), (n_draws,)), n_levels)
    total = n_draws * n_levels
    position = np.clip(wanted * total - 0.5, 0, total - 1)
    below = np.minimum(position.astype(np.int64), total - 2)
    part = position - below
    result = np.empty((n_cells, wanted.size))
    step = max(1, CHUNK_POINTS // total)
    for start in range(0, n_cells, step):
        at = slice(start, start + step)
        points = spread.T[at, :, None] * noise
        points += location.T[at, :, None]
        points = points.reshape(-1, total)
        points.sort(axis=1)
        result[at] = points[:, below] * (1.0 - part) + points[:, below + 1] * part
    # a ramp far below any meaning keeps the quantiles of a degenerate mixture apart
    return np.asarray(np.maximum.accumulate(result, axis=1) + 1e-6 * (wanted - 0.5))


def slots(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order in which draws stand beside the posterior draw they came from.

    Resampled draws hold some posterior draws twice and others not at all. The first copy of draw s
    goes to place s, further copies to the places left over: two sets of draws in this order share
    the posterior's draw wherever they can, each being the same set as before.

    Parameters
    ----------
    rows : (S,) int array
        Posterior draw behind each draw, 0 .. S-1.

    Returns
    -------
    (S,) int array
        ``rows[slots(rows)]`` equals ``arange(S)`` wherever that draw is there.

    Examples
    --------
    >>> slots(np.array([1, 1, 2]))
    array([1, 0, 2])
    """
    size = rows.size
    taken, first = np.unique(rows, return_index=True)
    order = np.full(size, -1, dtype=np.int64)
    order[taken] = first
    order[order < 0] = np.setdiff1d(np.arange(size), first)
    return order


@dataclass(frozen=True, eq=False, repr=False)
class LatentDraws:
    """One model's joint draws over the benchmarks; all draws weigh the same.

    Attributes
    ----------
    model_id : str
    benchmark_ids : tuple of str
    eta : (S, B) array
        Linear predictor, latent scale.
    noise_scale : (S, B) array
        Scale of the noise of what is predicted, a reading or the mean over readings; latent scale.
    nu : (S,) array
        Degrees of freedom of the noise; infinite for normal noise.
    observed : (B,) array
        Scores the draws were conditioned on, score scale; NaN where there is none.
    k_hat : float, optional
        Pareto shape of the importance weights of the draws, before they were tempered: above 0.7
        the benchmark side has more to learn from the scores than weights can tell. None where none
        were needed.
    effective_share : float
        Effective share of the draws under those weights, before they were tempered; 1 without
        weights.
    reweighted : bool
        Whether weights were used (by resampling).
    power : float
        Power of the weights that was used: 1 for the weights themselves, less where they were too
        uneven, 0 without weights.
    rows : (S,) int array, optional
        Draw of the posterior behind each of these; by default 0, 1, ... in order. Draws of several
        models of one posterior are paired by it.
    told : tuple of float
        What was told of the model beside its scores, see `posterior.calibration.TOLD`.
    """

    model_id: str
    benchmark_ids: tuple[str, ...]
    eta: Array
    noise_scale: Array
    nu: Array
    observed: Floats
    k_hat: float | None = None
    effective_share: float = 1.0
    reweighted: bool = False
    rows: NDArray[np.int64] | None = None
    power: float = 0.0
    told: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        shape = (self.nu.shape[0], len(self.benchmark_ids))
        if self.rows is None:
            object.__setattr__(self, "rows", np.arange(shape[0]))
        for name in ("eta", "noise_scale"):
            if getattr(self, name).shape != shape:
                raise DataError(f"{name} has shape {getattr(self, name).shape}, expected {shape}")
        if self.observed.shape != shape[1:]:
            raise DataError(f"observed has shape {self.observed.shape}, expected {shape[1:]}")

    def __repr__(self) -> str:
        return (
            f"LatentDraws of {self.model_id}: {self.n_draws} draws x "
            f"{len(self.benchmark_ids)} benchmarks"
        )

    @property
    def n_draws(self) -> int:
        """Number of draws S."""
        return int(self.eta.shape[0])

    def in_slots(self) -> LatentDraws:
        """The same draws, each at the place of its posterior draw where it can be; see `slots`."""
        assert self.rows is not None
        at = slots(self.rows)
        return replace(
            self,
            eta=self.eta[at],
            noise_scale=self.noise_scale[at],
            nu=self.nu[at],
            rows=self.rows[at],
        )

    def take(self, columns: Sequence[int]) -> LatentDraws:
        """Keep some benchmarks, in the order given."""
        at = list(columns)
        return replace(
            self,
            benchmark_ids=tuple(self.benchmark_ids[j] for j in at),
            eta=self.eta[:, at],
            noise_scale=self.noise_scale[:, at],
            observed=self.observed[at],
        )


@dataclass(frozen=True, eq=False, repr=False)
class Predictive:
    """Predictive distributions of n cells, kept as quantiles on the latent scale.

    Attributes
    ----------
    model_ids, benchmark_ids : tuple of str
        Of every cell, n each.
    transform : Transform
        Must know all the benchmarks.
    levels : (L,) array
        Increasing probability levels, symmetric about a half.
    quantiles : (n, L) array
        Latent scale, strictly increasing along the levels.
    observed : (n,) array
        Score known for the cell, score scale; NaN where there is none.
    eta_sd : (n,) array
        Posterior standard deviation of eta, latent scale: the doubt beside the noise.
    told : (n, 3) array, optional
        What was told of each cell's model, see `posterior.calibration.TOLD`; by default all.
    """

    model_ids: tuple[str, ...]
    benchmark_ids: tuple[str, ...]
    transform: Transform
    levels: Floats
    quantiles: Floats
    observed: Floats
    eta_sd: Floats
    told: Floats | None = None

    def __post_init__(self) -> None:
        n = len(self.model_ids)
        if self.told is None:
            object.__setattr__(self, "told", np.ones((n, 3)))
        per_cell = {self.observed.shape, self.eta_sd.shape, (len(self.benchmark_ids),)}
        if per_cell != {(n,)}:
            raise DataError("predictive: ids, observed scores and sds must have one entry per cell")
        if self.quantiles.shape != (n, self.levels.size):
            raise DataError(
                f"predictive: quantiles have shape {self.quantiles.shape}, expected "
                f"({n}, {self.levels.size})"
            )
        if not np.allclose(self.levels + self.levels[::-1], 1.0):
            raise DataError("predictive: levels must be symmetric about a half")

    def __repr__(self) -> str:
        return f"Predictive distributions of {len(self.model_ids)} cells"

    @cached_property
    def column(self) -> NDArray[np.int64]:
        """Index of every cell's benchmark in the transform, (n,)."""
        index = {name: self.transform.index(name) for name in set(self.benchmark_ids)}
        return np.asarray([index[name] for name in self.benchmark_ids], dtype=np.int64)

    @cached_property
    def score_quantiles(self) -> Floats:
        """Quantiles at `levels` on the score scale, not decreasing, (n, L).

        Where a lower score is better the latent quantiles run the other way and are turned round.
        A tail that reaches a score which the link cannot tell from a bound reaches the bound.
        """
        scores = self.transform.to_score(self.quantiles, self.column[:, None])
        turned = self.transform.sign[self.column] < 0
        scores[turned] = scores[turned, ::-1]
        low, high = self.levels < 0.5, self.levels > 0.5
        scores[:, low] = self.transform.closed_low(scores[:, low], self.column[:, None])
        scores[:, high] = self.transform.closed_high(scores[:, high], self.column[:, None])
        return scores

    def at(self, level: float) -> Floats:
        """Quantile of the score at one level, (n,), score scale.

        Raises
        ------
        UsageError
            The level lies outside `levels`.
        """
        if not self.levels[0] - 1e-9 <= level <= self.levels[-1] + 1e-9:
            raise UsageError(
                f"level {level:g} lies outside {self.levels[0]:g} to {self.levels[-1]:g}"
            )
        return np.asarray(self.table([level])[:, 0])

    def table(self, levels: ArrayLike) -> Floats:
        """Quantiles of the score at several levels, (n, K), score scale; ends are held.

        Between the kept levels the latent quantiles are interpolated linearly.
        """
        wanted = np.atleast_1d(np.asarray(levels, dtype=np.float64))
        latent = np.empty((len(self.model_ids), wanted.size))
        for sign in (1.0, -1.0):
            chosen = self.transform.sign[self.column] == sign
            level = wanted if sign > 0 else 1.0 - wanted
            right = np.clip(np.searchsorted(self.levels, level), 1, self.levels.size - 1)
            low, high = self.levels[right - 1], self.levels[right]
            part = np.clip((level - low) / (high - low), 0.0, 1.0)
            kept = self.quantiles[chosen]
            latent[chosen] = (1 - part) * kept[:, right - 1] + part * kept[:, right]
        column = self.column[:, None]
        score = self.transform.to_score(latent, column)
        lower, upper = wanted < 0.5, wanted > 0.5
        score[:, lower] = self.transform.closed_low(score[:, lower], column)
        score[:, upper] = self.transform.closed_high(score[:, upper], column)
        return score

    @cached_property
    def median(self) -> Floats:
        """Median score, (n,)."""
        return self.at(0.5)

    def interval(self, prob: float = 0.9) -> tuple[Floats, Floats]:
        """Equal-tailed interval of the score: lower and upper end, (n,) each.

        Raises
        ------
        UsageError
            `prob` is not between 0 and the widest the kept levels allow.
        """
        widest = float(self.levels[-1] - self.levels[0])
        if not 0 < prob <= widest + 1e-9:
            raise UsageError(f"interval probability must lie in (0, {widest:g}], got {prob:g}")
        return self.at((1.0 - prob) / 2.0), self.at((1.0 + prob) / 2.0)

    def cdf(self, scores: ArrayLike) -> Floats:
        """Probability of a score at or below `scores`, (n,); 0 and 1 beyond the outer quantiles."""
        given = np.broadcast_to(np.asarray(scores, np.float64), (len(self.model_ids),))
        rows = zip(given, self.score_quantiles, strict=True)
        return np.asarray([np.interp(x, q, self.levels, left=0.0, right=1.0) for x, q in rows])

    def p_at_least(self, scores: ArrayLike) -> Floats:
        """Probability of a score of at least `scores`, (n,)."""
        return 1.0 - self.cdf(np.nextafter(np.asarray(scores, np.float64), -np.inf))

    def p_within(self, points: float = 10.0) -> Floats:
        """Probability that the score lies within `points` (score units) of its median, (n,)."""
        if not points > 0:
            raise UsageError(f"points must be positive, got {points:g}")
        return self.cdf(self.median + points) - self.cdf(self.median - points)

    @cached_property
    def mean(self) -> Floats:
        """Mean score, (n,), by integrating the quantile function."""
        return np.asarray(self.score_quantiles @ self._weights)

    @cached_property
    def sd(self) -> Floats:
        """Standard deviation of the score, (n,), by integrating the quantile function."""
        deviation = self.score_quantiles - self.mean[:, None]
        return np.asarray(np.sqrt(deviation**2 @ self._weights))

    @cached_property
    def _weights(self) -> Floats:
        """Probability that each kept quantile stands for."""
        middle = (self.levels[1:] + self.levels[:-1]) / 2
        return np.diff(middle, prepend=0.0, append=1.0)

    def take(self, index: ArrayLike) -> Predictive:
        """Keep some cells, by integer index or boolean mask."""
        at = np.arange(len(self.model_ids))[np.asarray(index)]
        return replace(
            self,
            model_ids=tuple(self.model_ids[i] for i in at),
            benchmark_ids=tuple(self.benchmark_ids[i] for i in at),
            quantiles=self.quantiles[at],
            observed=self.observed[at],
            eta_sd=self.eta_sd[at],
            told=None if self.told is None else self.told[at],
        )


def predictive(
    latent: LatentDraws, transform: Transform, columns: Sequence[int] | None = None
) -> Predictive:
    """Predictive distribution on the benchmarks of `latent`, or on some `columns`.

    Of a reading, or of the mean over readings where the noise scale of `latent` is that.
    """
    # of all columns: a sum over one alone would be rounded in another order
    eta_sd = np.asarray(latent.eta.std(axis=0), np.float64)
    part = latent
    if columns is not None:
        part, eta_sd = latent.take(columns), eta_sd[list(columns)]
    return Predictive(
        (part.model_id,) * len(part.benchmark_ids),
        part.benchmark_ids,
        transform,
        PREDICTIVE_LEVELS,
        mixture_quantiles(part.eta, part.noise_scale, part.nu),
        part.observed,
        eta_sd,
        np.tile(part.told, (len(part.benchmark_ids), 1)),
    )


def degrees_of_freedom(posterior: StoredPosterior) -> Floats:
    """Degrees of freedom of the noise per draw, (S,); infinite for normal noise."""
    if "nu" in posterior.draws:
        return posterior.stacked("nu").astype(np.float64)
    return np.full(posterior.n_draws, np.inf)


def check_target(posterior: StoredPosterior, target: Target) -> None:
    """Whether a posterior can predict what is asked for.

    A reading is ``z = eta + u + e``: the interaction u of model and benchmark is the same in all
    readings of a cell, the noise e (`with_reading_noise`) new in each. The mean over readings is
    ``eta + u``, and needs a fit that told u from e by cells with several readings.

    Parameters
    ----------
    posterior : StoredPosterior
    target : {"reading", "mean"}

    Raises
    ------
    UsageError
        An unknown target; or the mean, and the fit took the first reading of every cell alone, or
        found too few cells with several.
    """
    if target not in get_args(Target):
        raise UsageError(f"target must be {' or '.join(get_args(Target))}, got {target!r}")
    if target == "reading":
        return
    if posterior.spec.readings == "first":
        raise UsageError(
            "this posterior cannot tell the mean over readings from a reading, it was fitted to "
            "the first of each cell: fit with --readings all (ModelSpec(readings='all'))"
        )
    if not posterior.reporting.any():
        raise UsageError(
            "this posterior cannot tell the mean over readings from a reading, too few of its "
            "cells have several: fit with --readings all to a table with repeated readings"
        )


def cell_draws(
    posterior: StoredPosterior,
    row: ArrayLike,
    column: ArrayLike,
    *,
    target: Target = "reading",
) -> tuple[Array, Array]:
    """Linear predictor and noise scale of some cells of fitted models.

    Parameters
    ----------
    posterior : StoredPosterior
    row, column : (n,) int arrays
        Model and benchmark of every cell.
    target : {"reading", "mean"}
        Whether the scale is that of a new reading, or of the interaction alone.

    Returns
    -------
    eta, noise_scale : (S, n) float32 arrays
        Latent scale.
    """
    i, j = np.asarray(row, dtype=np.int64), np.asarray(column, dtype=np.int64)
    params = {name: posterior.stacked(name) for name in ETA_PARAMETERS if name in posterior.draws}
    members = posterior.families.members
    eta = linear_predictor_at(params, i, j, posterior.features.groups, members)
    scale = posterior.stacked("noise_benchmark")[:, j]
    if "noise_model" in posterior.draws:
        scale = scale * posterior.stacked("noise_model")[:, i]
    if target == "mean":
        return np.asarray(eta), np.asarray(scale)
    return np.asarray(eta), with_reading_noise(posterior, np.asarray(scale), np.asarray(eta), j)


def with_reading_noise(
    posterior: StoredPosterior, scale: Array, eta: Array, column: NDArray[np.int64]
) -> Array:
    """Noise scales of new readings: those fitted, with the noise that is new in every reading.

    ``sqrt(scale^2 + tau^2 + item_noise * b)``: the variance tau^2 of the reporting noise
    (`StoredPosterior.reporting`), and b the binomial variance of a share of n items right at `eta`
    (`Transform.binomial_variance`), none where the number of items is unknown. `scale` itself where
    the model has neither part (`ModelSpec.readings`, `ModelSpec.item_noise`).

    Parameters
    ----------
    posterior : StoredPosterior
    scale, eta : (S, n) array
        Fitted noise scales and linear predictor, latent scale.
    column : (n,) int array
        Benchmark of every cell.
    """
    share, link = posterior.spec.item_noise, posterior.transform
    added = np.broadcast_to(posterior.reporting[column], scale.shape).copy()
    at = np.flatnonzero(np.isfinite(link.n_items[column]))
    if share:
        added[:, at] += share * link.binomial_variance(eta[:, at], column[at])
    noisier = added > 0
    out = scale.copy()
    out[noisier] = np.sqrt(np.square(scale[noisier], dtype=np.float64) + added[noisier])
    return out


def fitted_draws(
    posterior: StoredPosterior, model_id: str, *, target: Target = "reading"
) -> LatentDraws:
    """Draws of one fitted model over all benchmarks, straight from the posterior.

    `target` is as in `cell_draws`.

    Raises
    ------
    UnknownIdError
        The model was not fitted.
    """
    row = posterior.matrix.model_index(model_id)
    column = np.arange(len(posterior.benchmark_ids))
    eta, scale = cell_draws(posterior, np.full(column.size, row), column, target=target)
    return LatentDraws(
        model_id,
        posterior.benchmark_ids,
        eta,
        scale,
        degrees_of_freedom(posterior),
        np.array(posterior.matrix.values[row]),
    )


def predict_cells(
    posterior: StoredPosterior,
    cells: ArrayLike | Sequence[tuple[int, int]],
    *,
    target: Target = "reading",
) -> Predictive:
    """Predictive distributions of many cells of fitted models, in chunks.

    Parameters
    ----------
    posterior : StoredPosterior
    cells : (n, 2) int array
        Model and benchmark index of every cell.
    target : {"reading", "mean"}
        As in `cell_draws`.
    """
    index = np.asarray(cells, dtype=np.int64).reshape(-1, 2)
    nu = degrees_of_freedom(posterior)
    quantiles, eta_sd = np.empty((len(index), PREDICTIVE_LEVELS.size)), np.empty(len(index))
    step = max(1, CHUNK_POINTS // posterior.n_draws)
    for start in range(0, len(index), step):
        part = index[start : start + step]
        eta, scale = cell_draws(posterior, part[:, 0], part[:, 1], target=target)
        quantiles[start : start + step] = mixture_quantiles(eta, scale, nu)
        eta_sd[start : start + step] = eta.std(axis=0)
    return Predictive(
        tuple(posterior.model_ids[i] for i in index[:, 0]),
        tuple(posterior.benchmark_ids[j] for j in index[:, 1]),
        posterior.transform,
        PREDICTIVE_LEVELS,
        quantiles,
        np.asarray(posterior.matrix.values)[index[:, 0], index[:, 1]],
        eta_sd,
    )
