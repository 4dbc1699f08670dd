"""Recalibration: from the levels a predictive distribution claims to the levels it keeps.

Learned on held-out predictions only. A log-linear multiplier takes out how the error's size
depends on what is known of a cell (its predictive spread, its level, the numbers of scores behind
it); what is left is one distribution of relative errors, read off with the finite-sample
correction of split conformal prediction. Medians stay where they are.

Sources: composite quantile regression, Zou and Yuan (2008) doi:10.1214/07-AOS507; locally weighted
conformal prediction, Lei et al. (2018) doi:10.1080/01621459.2017.1307116.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

__all__ = [
    "FEATURES",
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
)
"""Columns of `calibration_features`."""
TAUS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
"""Levels of the composite quantile regression."""
RIDGE = 0.02
"""Pull of the slopes to zero, per standardised feature and held-out prediction."""
SMOOTHING = 0.05
"""Half-width of the pinball loss's rounded corner, on the log scale of errors."""
LEAST_CELLS = 40
"""Fewer held-out predictions than this teach nothing: better to leave the levels as they are."""
LEAST_ERROR = 1e-4
"""Errors below this (latent scale) count as this: a logarithm is taken."""


def calibration_features(
    quantiles: Floats,
    levels: Floats,
    link_median: Floats,
    bounded: NDArray[np.bool_],
    model_scores: Floats,
    benchmark_scores: Floats,
    eta_sd: Floats,
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
    """
    q05, q25, q75, q95 = (_at(quantiles, levels, p) for p in (0.05, 0.25, 0.75, 0.95))
    level = np.where(bounded, np.clip(link_median, -5.0, 5.0), 0.0)
    return np.stack(
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
        ],
        axis=1,
    )


def _at(quantiles: Floats, levels: Floats, p: float) -> Floats:
    index = int(np.argmin(np.abs(levels - p)))
    return np.asarray(quantiles[:, index])


@dataclass(frozen=True, eq=False)
class Recalibration:
    """A fitted recalibration.

    Attributes
    ----------
    location, scale : (F,) array
        Standardisation of the features; a feature without spread has scale 1.
    slopes : (F,) array
        Of the log of the error's size on the standardised features.
    errors : (n,) array
        Sorted relative errors ``|z - median| / multiplier`` of the held-out predictions.
    """

    location: Floats
    scale: Floats
    slopes: Floats
    errors: Floats

    def multiplier(self, features: Floats) -> Floats:
        """Size of the error, up to the distribution of relative errors, (n,), latent scale."""
        standard = np.clip((features - self.location) / self.scale, -4.0, 4.0)
        return np.asarray(np.exp(standard @ self.slopes))

    def relative_quantiles(self, levels: Floats) -> Floats:
        """Signed quantiles of the relative error at `levels`, symmetric about 0 at 0.5.

        At level p the half-width holds ``ceil((n + 1) |2p - 1|)`` of the n relative errors:
        the finite-sample correction of split conformal prediction.
        """
        n = self.errors.size
        rank = np.abs(2.0 * levels - 1.0) * (n + 1)
        grid = np.concatenate([[0.0], self.errors])
        inside = np.interp(np.minimum(rank, n), np.arange(n + 1), grid)
        beyond = 1.0 + np.maximum(rank - n, 0.0)
        tiny = 1e-9 * (1.0 + np.abs(2.0 * levels - 1.0))
        return np.asarray(np.sign(levels - 0.5) * (inside * beyond + tiny))

    def apply(self, quantiles: Floats, levels: Floats, features: Floats) -> Floats:
        """Recalibrated quantiles (n, L), latent scale; the medians are unchanged."""
        median = _at(quantiles, levels, 0.5)
        relative = self.relative_quantiles(levels)
        return np.asarray(median[:, None] + self.multiplier(features)[:, None] * relative)

    def to_arrays(self) -> dict[str, Floats]:
        """Plain arrays for storage."""
        return {
            "location": self.location,
            "scale": self.scale,
            "slopes": self.slopes,
            "errors": self.errors,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> Recalibration:
        """Inverse of `to_arrays`."""
        return cls(*(np.asarray(arrays[name], np.float64) for name in _STORED))


_STORED = ("location", "scale", "slopes", "errors")

VERSION = 1
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
            raise DataError(
                f"this recalibration was learned by another version of bayesbench ({what}): fit "
                "the posterior again"
            )

        for part in (self.cells, self.models):
            if part is not None and part.slopes.size != len(FEATURES):
                raise DataError(
                    f"this recalibration knows {part.slopes.size} features, this version of "
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

        def part(name: str) -> Recalibration:
            return Recalibration.from_arrays({n: arrays[f"{name}_{n}"] for n in _STORED})

        models = part("models") if "models_errors" in arrays else None
        return cls(part("cells"), models, **about)


def fit_recalibration(
    quantiles: Floats, levels: Floats, truth: Floats, features: Floats
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

    Raises
    ------
    DataError
        Fewer than 40 predictions, or numbers that are not finite.
    """
    if truth.size < LEAST_CELLS:
        raise DataError(f"recalibration needs at least {LEAST_CELLS} held-out cells")
    if not (np.isfinite(quantiles).all() and np.isfinite(truth).all()):
        raise DataError("recalibration: held-out predictions must be finite")
    location, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    standard = np.clip((features - location) / scale, -4.0, 4.0)
    error = np.maximum(np.abs(truth - _at(quantiles, levels, 0.5)), LEAST_ERROR)
    slopes = _composite_quantile_slopes(np.log(error), standard)
    errors = np.sort(error / np.exp(standard @ slopes))
    return Recalibration(location, scale, slopes, errors)


def _composite_quantile_slopes(target: Floats, features: Floats) -> Floats:
    """Slopes shared by the regressions of `target` at all of `TAUS`, each with its intercept."""
    from scipy.optimize import minimize

    n, f = features.shape
    taus = np.asarray(TAUS)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slopes, intercepts = parameters[:f], parameters[f:]
        residual = target[:, None] - (features @ slopes)[:, None] - intercepts
        bend = np.clip(residual / SMOOTHING, -1.0, 1.0)
        hinge = np.where(
            np.abs(residual) < SMOOTHING,
            0.25 * SMOOTHING * (1.0 + bend) ** 2,
            np.maximum(residual, 0.0),
        )
        value = (hinge - (1.0 - taus) * residual).mean(axis=0).sum()
        slope = 0.5 * (1.0 + bend) - (1.0 - taus)
        ridge = RIDGE * float(slopes @ slopes)
        gradient = np.concatenate(
            [-features.T @ slope.sum(axis=1) / n + 2 * RIDGE * slopes, -slope.mean(axis=0)]
        )
        return float(value) + ridge, gradient

    begin = np.concatenate([np.zeros(f), np.quantile(target, taus)])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return np.asarray(found.x[:f], dtype=np.float64)
