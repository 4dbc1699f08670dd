"""Recalibration: from the levels a predictive distribution claims to the levels it keeps.

Learned on held-out predictions only. A shift of the median, and on either side of it a log-linear
size of the error, take out how errors depend on what is known of a cell (its predictive spread,
its level, the numbers of scores behind it, what was told of the model); what is left is one
distribution of signed relative errors, read off with the finite-sample correction of split
conformal prediction. Relative errors are those of parts of the data that did not teach the sizes
they are relative to. Slopes are pulled to those learned on other tables, the more so the fewer
the predictions.

Sources: composite quantile regression, Zou and Yuan (2008) doi:10.1214/07-AOS507; locally weighted
conformal prediction, Lei et al. (2018) doi:10.1080/01621459.2017.1307116; errors of left-out parts,
Barber et al. (2021) doi:10.1214/20-AOS1965.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

__all__ = [
    "FEATURES",
    "TOLD",
    "USUAL_SLOPES",
    "Calibration",
    "Recalibration",
    "calibration_features",
    "fit_recalibration",
]

Floats = NDArray[np.float64]

FEATURES = (
    "log_spread",
    "tail_ratio",
    "level",
    "level_squared",
    "edge",
    "log_model_scores",
    "log_benchmark_scores",
    "unbounded",
    "no_scores",
    "log_eta_sd",
    "facts_told",
    "provider_told",
    "lineage_told",
)
"""Columns of `calibration_features`."""
TOLD = FEATURES[-3:]
"""Those that say what was told of the model beside its scores."""
TAUS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
"""Levels of the composite quantile regression."""
RIDGE = 0.02
"""Pull of the slopes, per standardised feature and held-out prediction."""
PULL_COUNT = 10.0
"""Pull of the slopes of the error's size for all held-out predictions together."""
FINE_COUNT = 100.0
"""The same for what is finer: the slopes of the shift, and what sets one side apart."""
MOST_CELLS = 8000
"""More held-out predictions than these teach slopes no better, only more slowly."""
MOST_PARTS = 5
"""Parts of the held-out predictions are dealt into so many groups."""
SMOOTHING = 0.05
"""Half-width of the pinball loss's rounded corner, on the log scale of errors."""
LEAST_CELLS = 40
"""Fewer held-out predictions than this teach nothing: better to leave the levels as they are."""
LEAST_ERROR = 1e-4
"""Errors below this (latent scale) count as this: a logarithm is taken."""


USUAL_SLOPES: Mapping[str, Mapping[str, float]] = {
    "cells": {
        "log_spread": 0.7,
        "tail_ratio": 0.05,
        "level": -0.02,
        "level_squared": 0.01,
        "edge": 0.19,
        "log_model_scores": 0.11,
        "log_benchmark_scores": 0.09,
        "unbounded": 0.22,
        "log_eta_sd": 0.65,
    },
    "models": {
        "log_spread": 0.76,
        "tail_ratio": 0.3,
        "level": -0.08,
        "level_squared": 0.03,
        "edge": -0.23,
        "log_model_scores": 0.03,
        "log_benchmark_scores": -0.07,
        "unbounded": 0.35,
        "no_scores": -0.32,
        "log_eta_sd": 0.46,
        "facts_told": 0.16,
        "provider_told": 0.03,
        "lineage_told": 0.06,
    },
}
"""Slopes of the error's size on the features, by kind of prediction: means over cross-fits of
published scores of 300 models on 277 benchmarks and of the public 84 x 133 matrix, made by
``python benchmarks/usual_slopes.py``."""


def calibration_features(
    quantiles: Floats,
    levels: Floats,
    link_median: Floats,
    bounded: NDArray[np.bool_],
    model_scores: Floats,
    benchmark_scores: Floats,
    eta_sd: Floats,
    told: Floats,
) -> Floats:
    """What the size of an error may depend on, (n, F), columns as in `FEATURES`.

    Parameters
    ----------
    quantiles : (n, L) array
        Latent scale.
    levels : (L,) array
    link_median : (n,) array
        Median on the link scale (logit of the unit score), ignored where not `bounded`.
    bounded : (n,) bool array
    model_scores, benchmark_scores : (n,) array
        Numbers of training scores of the cell's model and benchmark.
    eta_sd : (n,) array
        Posterior standard deviation of eta: the doubt that more scores can take away.
    told : (n, 3) array
        What was told of the model, columns as in `TOLD`: share of the covariates, whether its
        provider and its lineage are fitted ones.
    """
    q05, q25, q75, q95 = (_at(quantiles, levels, p) for p in (0.05, 0.25, 0.75, 0.95))
    level = np.where(bounded, np.clip(link_median, -5.0, 5.0), 0.0)
    return np.column_stack(
        [
            np.log(np.maximum(q75 - q25, 1e-6)),
            np.log(np.maximum(q95 - q05, 1e-6) / np.maximum(q75 - q25, 1e-6)),
            level,
            level**2,
            np.maximum(np.abs(level) - 3.0, 0.0),
            np.log(model_scores + 1.0),
            np.log(benchmark_scores + 1.0),
            (~bounded).astype(np.float64),
            (model_scores == 0).astype(np.float64),
            np.log(np.maximum(eta_sd, 1e-6)),
            told,
        ]
    )


def _at(quantiles: Floats, levels: Floats, p: float) -> Floats:
    index = int(np.argmin(np.abs(levels - p)))
    return np.asarray(quantiles[:, index])


@dataclass(frozen=True, eq=False)
class Recalibration:
    """A fitted recalibration.

    The quantile at level p is ``median + spread * shift(x) + size(x) * e(p)``, with the size of the
    side on which the signed relative error e(p) lies.

    Attributes
    ----------
    location, scale : (F,) array
        Standardisation of the features; a feature without spread has scale 1.
    shift : (1 + F,) array
        Of the median in units of the claimed spread: constant, and slopes on the standardised
        features.
    lower, upper : (1 + F,) array
        Of the log of the error's size below and above the shifted median.
    errors : (n,) array
        Sorted signed relative errors of the held-out predictions, median size about 1.
    """

    location: Floats
    scale: Floats
    shift: Floats
    lower: Floats
    upper: Floats
    errors: Floats

    def relative_quantiles(self, levels: Floats) -> Floats:
        """Quantiles of the signed relative error at `levels`, strictly increasing.

        Of n sorted errors the one of rank ``p (n + 1)``, interpolated: the finite-sample
        correction of split conformal prediction. Beyond the outermost errors they grow in
        proportion to what the rank lacks.
        """
        n = self.errors.size
        rank = levels * (n + 1)
        inside = np.interp(rank, np.arange(1, n + 1), self.errors)
        lacking = np.maximum(np.maximum(1.0 - rank, rank - n), 0.0)
        spread = np.maximum(np.abs(self.errors[[0, -1]]), LEAST_ERROR)
        outward = np.where(rank < 1.0, -spread[0], spread[1]) * lacking
        return np.asarray(inside + outward + 1e-9 * (levels - 0.5))

    def apply(self, quantiles: Floats, levels: Floats, features: Floats) -> Floats:
        """Recalibrated quantiles (n, L), latent scale, strictly increasing."""
        standard = self._standard(features)
        middle = self._middle(quantiles, levels, standard)
        below, above = (_linear(side, standard) for side in (self.lower, self.upper))
        relative = self.relative_quantiles(levels)
        size = np.where(relative < 0, np.exp(below)[:, None], np.exp(above)[:, None])
        return np.asarray(middle[:, None] + size * relative)

    def relative_errors(
        self, quantiles: Floats, levels: Floats, truth: Floats, features: Floats
    ) -> Floats:
        """Signed errors of scores (n,) in units of their expected size, not sorted."""
        standard = self._standard(features)
        error = truth - self._middle(quantiles, levels, standard)
        side = np.where(error < 0, _linear(self.lower, standard), _linear(self.upper, standard))
        return np.asarray(error / np.exp(side))

    def _standard(self, features: Floats) -> Floats:
        return np.clip((features - self.location) / self.scale, -4.0, 4.0)

    def _middle(self, quantiles: Floats, levels: Floats, standard: Floats) -> Floats:
        shift = _linear(self.shift, standard) * _spread(quantiles, levels)
        return np.asarray(_at(quantiles, levels, 0.5) + shift)

    def to_arrays(self) -> dict[str, Floats]:
        """Plain arrays for storage."""
        return {name: getattr(self, name) for name in _STORED}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> Recalibration:
        """Inverse of `to_arrays`."""
        return cls(*(np.asarray(arrays[name], np.float64) for name in _STORED))


_STORED = ("location", "scale", "shift", "lower", "upper", "errors")


def _linear(coefficients: Floats, standard: Floats) -> Floats:
    return np.asarray(coefficients[0] + standard @ coefficients[1:])


def _spread(quantiles: Floats, levels: Floats) -> Floats:
    """Standard deviation of a normal law with the claimed quartiles, (n,)."""
    half = _at(quantiles, levels, 0.75) - _at(quantiles, levels, 0.25)
    return np.maximum(half / 1.349, 1e-3)


VERSION = 2
"""Of the way a calibration is learned and applied; one of another version is refused."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """The recalibrations that a posterior carries.

    Attributes
    ----------
    cells : Recalibration
        For missing cells of fitted models.
    models : Recalibration, optional
        For models the fit never saw; None where too little was left out to learn one.
    engine : str
        Whose cross-fits taught it.
    features : tuple of str
        Names of the features it was learned on, in order.
    version : int

    Raises
    ------
    DataError
        It was learned on other features or by another version.
    """

    cells: Recalibration
    models: Recalibration | None = None
    engine: str = "gibbs"
    features: tuple[str, ...] = FEATURES
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION or self.features != FEATURES:
            odd = sorted(set(self.features) ^ set(FEATURES))
            what = f"features {', '.join(odd)} differ" if odd else "the order of features differs"
            if self.version != VERSION:
                what = f"version {self.version} is not {VERSION}"
            raise DataError(_of_another_version(what))

        for part in (self.cells, self.models):
            if part is not None and part.location.size != len(FEATURES):
                raise DataError(
                    f"this recalibration knows {part.location.size} features, this version of "
                    f"bayesbench has {len(FEATURES)}: fit the posterior again"
                )

    def of(self, *, new: bool) -> Recalibration | None:
        """The recalibration for a new model, or for a fitted one; None if there is none."""
        return self.models if new else self.cells

    def to_arrays(self) -> dict[str, Floats]:
        """Plain arrays for storage, named ``cells_location`` and so on."""
        parts = {"cells": self.cells, "models": self.models}
        return {
            f"{part}_{name}": value
            for part, recalibration in parts.items()
            if recalibration is not None
            for name, value in recalibration.to_arrays().items()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats], **about: Any) -> Calibration:
        """Inverse of `to_arrays`; `about` holds engine, features and version."""
        if about.get("version", VERSION) != VERSION:
            raise DataError(_of_another_version(f"version {about['version']} is not {VERSION}"))

        def part(name: str) -> Recalibration:
            return Recalibration.from_arrays({n: arrays[f"{name}_{n}"] for n in _STORED})

        models = part("models") if "models_errors" in arrays else None
        return cls(part("cells"), models, **about)


def _of_another_version(what: str) -> str:
    return (
        f"this recalibration was learned by another version of bayesbench ({what}): fit the "
        "posterior again"
    )


def fit_recalibration(
    quantiles: Floats,
    levels: Floats,
    truth: Floats,
    features: Floats,
    parts: NDArray[np.integer] | None = None,
    usual: Mapping[str, float] | None = None,
) -> Recalibration:
    """Learn a recalibration from held-out predictions.

    Parameters
    ----------
    quantiles : (n, L) array
        Claimed quantiles of held-out cells, latent scale.
    levels : (L,) array
        Must hold 0.05, 0.25, 0.5, 0.75 and 0.95.
    truth : (n,) array
        Their scores, latent scale.
    features : (n, F) array
        From `calibration_features`.
    parts : (n,) int array, optional
        Part of the data that each prediction belongs to (a fold, a block of models). The relative
        errors of a fifth of the parts (of the predictions where there are fewer than five parts)
        are taken under slopes that the others taught; without parts under slopes that they taught
        themselves.
    usual : mapping of feature to slope, optional
        What the slopes of the error's size are pulled to, by default 0; see `USUAL_SLOPES`.

    Raises
    ------
    DataError
        Fewer than 40 predictions, or numbers that are not finite.
    """
    if truth.size < LEAST_CELLS:
        raise DataError(f"recalibration needs at least {LEAST_CELLS} held-out cells")
    if not (np.isfinite(quantiles).all() and np.isfinite(truth).all()):
        raise DataError("recalibration: held-out predictions must be finite")
    goal = np.asarray([(usual or {}).get(name, 0.0) for name in FEATURES])
    goal = goal if features.shape[1] == len(FEATURES) else np.zeros(features.shape[1])

    def learned(rows: NDArray[np.bool_]) -> Recalibration:
        chosen = np.flatnonzero(rows)
        chosen = chosen[:: max(1, -(-chosen.size // MOST_CELLS))]
        return _sized(quantiles[chosen], levels, truth[chosen], features[chosen], goal)

    def relative(made: Recalibration, chosen: NDArray[np.bool_]) -> Floats:
        return made.relative_errors(quantiles[chosen], levels, truth[chosen], features[chosen])

    everything = np.ones(truth.size, dtype=np.bool_)
    made = learned(everything)
    errors = relative(made, everything)
    for group in _groups(parts, truth.size):
        errors[group] = relative(learned(~group), group)
    return replace(made, errors=np.sort(errors))


def _groups(parts: NDArray[np.integer] | None, n: int) -> list[NDArray[np.bool_]]:
    """Masks of `MOST_PARTS` groups of parts; of predictions in turn where parts are too few."""
    if parts is None:
        return []
    names, number = np.unique(parts, return_inverse=True)
    dealt = (number if names.size >= MOST_PARTS else np.arange(n)) % MOST_PARTS
    groups = [dealt == at for at in range(MOST_PARTS)]
    enough = all(n - int(group.sum()) >= LEAST_CELLS // 2 for group in groups)
    return groups if enough else []


def _sized(
    quantiles: Floats, levels: Floats, truth: Floats, features: Floats, usual: Floats
) -> Recalibration:
    """Standardisation, shift and sizes, without errors: their median size is 1 on either side."""
    location, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    standard = np.clip((features - location) / scale, -4.0, 4.0)
    n, f = standard.shape
    spread, error = _spread(quantiles, levels), truth - _at(quantiles, levels, 0.5)
    slopes, constants = _composite_quantile_slopes(
        error / spread, standard, (0.5,), np.zeros(f), RIDGE + FINE_COUNT / n
    )
    shift = np.concatenate([constants, slopes])
    error = error - spread * _linear(shift, standard)
    size = np.log(np.maximum(np.abs(error), LEAST_ERROR))
    both, _ = _composite_quantile_slopes(
        size, standard, TAUS, usual * scale, RIDGE + PULL_COUNT / n
    )
    sides = []
    for chosen in (error < 0, error >= 0):
        own = RIDGE + FINE_COUNT / max(int(chosen.sum()), 1)
        found = both
        if chosen.sum() >= LEAST_CELLS // 4:
            found, _ = _composite_quantile_slopes(size[chosen], standard[chosen], TAUS, both, own)
        middle = np.median(size[chosen] - standard[chosen] @ found) if chosen.any() else 0.0
        sides.append(np.concatenate([[middle], found]))
    lower, upper = sides
    return Recalibration(location, scale, shift, lower, upper, np.empty(0))


def _composite_quantile_slopes(
    target: Floats, features: Floats, taus: Sequence[float], goal: Floats, pull: float
) -> tuple[Floats, Floats]:
    """Slopes shared by the regressions of `target` at all of `taus`, and a constant for each.

    The loss is the mean pinball loss summed over levels plus ``pull * |slopes - goal|^2``.
    """
    from scipy.optimize import minimize

    n, f = features.shape
    level = np.asarray(taus)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slopes, constants = parameters[:f], parameters[f:]
        residual = target[:, None] - (features @ slopes)[:, None] - constants
        bend = np.clip(residual / SMOOTHING, -1.0, 1.0)
        hinge = np.where(
            np.abs(residual) < SMOOTHING,
            0.25 * SMOOTHING * (1.0 + bend) ** 2,
            np.maximum(residual, 0.0),
        )
        value = (hinge - (1.0 - level) * residual).mean(axis=0).sum()
        slope = 0.5 * (1.0 + bend) - (1.0 - level)
        away = slopes - goal
        gradient = np.concatenate(
            [-features.T @ slope.sum(axis=1) / n + 2 * pull * away, -slope.mean(axis=0)]
        )
        return float(value) + pull * float(away @ away), gradient

    begin = np.concatenate([goal, np.quantile(target - features @ goal, level)])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return np.asarray(found.x[:f]), np.asarray(found.x[f:])
