"""Data for the page: thinned, quantised draws of the benchmark side, and what JavaScript needs."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..answers.predictive import PREDICTIVE_LEVELS
from ..errors import UsageError
from ..low_rank.facts import COVARIATES
from ..posterior.stored import StoredPosterior

__all__ = ["MOST_DRAWS", "packed", "quantised"]

MOST_DRAWS = 100
"""Draws that travel in the page."""
STEPS = 65535
"""Steps between the least and the largest number of a quantised array."""
QUANTISED = ("benchmark_bias", "loading", "weights", "noise_benchmark", "group_benchmark")
"""Draws that are kept as 16-bit numbers; the other, smaller ones as they are."""
WHOLE = (
    "coefficients",
    "group_latent",
    "nu",
    "scale_group_benchmark",
    "scale_group_latent",
    "scale_family",
)

Array = NDArray[Any]


def quantised(posterior: StoredPosterior, n: int = MOST_DRAWS) -> StoredPosterior:
    """The posterior with the very draws that the page holds: thinned, and rounded to 16 bits.

    Parameters
    ----------
    posterior : StoredPosterior
    n : int
        At most about so many draws.
    """
    thinned = posterior.thin(n)
    rounded = {
        name: _rounded(value)[0] if name in QUANTISED else value
        for name, value in thinned.draws.items()
    }
    return replace(thinned, draws=rounded)


def packed(posterior: StoredPosterior) -> dict[str, Any]:
    """All that the page's modules need to answer about a new model, as plain data.

    Parameters
    ----------
    posterior : StoredPosterior
        From `quantised`.

    Raises
    ------
    UsageError
        Too few draws: information needs at least 3. Or the posterior was fitted to all readings.
    """
    if posterior.n_draws < 3:
        raise UsageError(f"a page needs at least 3 draws, the posterior has {posterior.n_draws}")
    features, spec = posterior.features, posterior.spec
    if spec.readings != "first":
        raise UsageError(
            "a page does not know the noise between readings of a cell: fit with the first "
            "reading of each (readings='first')"
        )
    provided = [at for at, g in enumerate(features.group_names) if g.startswith("provider:")]
    draws: dict[str, Any] = {}
    for name in (*QUANTISED, *WHOLE):
        if name not in posterior.draws:
            continue
        value = posterior.stacked(name)
        if name.startswith("group_"):
            value = value[:, provided]
        draws[name] = _encoded(value, name in QUANTISED)
    noisy = "noise_model" in posterior.draws
    has_families = "family" in posterior.draws
    members = posterior.families.members if has_families else None
    return {
        "S": posterior.n_draws,
        "B": len(posterior.benchmark_ids),
        "L": posterior.sizes["latent"],
        "families": 0 if members is None else members.shape[1],
        "members": [[] for _ in posterior.benchmark_ids] if members is None else members.tolist(),
        "kinds": list(features.kinds),
        "providers": list(features.providers()),
        "covariates": _covariates(posterior),
        "noise_shape": float(spec.priors.noise_model_shape) if noisy else None,
        "item_noise": float(spec.item_noise),
        "censored": bool(spec.censored),
        "levels": PREDICTIVE_LEVELS.tolist(),
        "calibration": _calibration(posterior),
        "benchmarks": _benchmarks(posterior),
        "draws": draws,
    }


def _rounded(value: Array) -> tuple[Array, NDArray[np.uint16], float, float]:
    low, high = float(value.min(initial=0.0)), float(value.max(initial=0.0))
    scale = (high - low) / STEPS or 1.0
    steps = np.clip(np.rint((value.astype(np.float64) - low) / scale), 0, STEPS)
    return (low + scale * steps).astype(np.float32), steps.astype(np.uint16), scale, low


def _text(value: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")


def _encoded(value: Array, steps: bool) -> dict[str, Any]:
    if not steps:
        return {"data": _text(value.astype("<f4"))}
    _, whole, scale, offset = _rounded(value)
    return {"data": _text(whole.astype("<u2")), "scale": scale, "offset": offset}


def _covariates(posterior: StoredPosterior) -> list[dict[str, Any]]:
    features = posterior.features
    fitted = features.x * features.scale + features.location
    return [
        {
            "name": name,
            "location": float(features.location[p]),
            "scale": float(features.scale[p]),
            "low": float(np.nanmin(fitted[:, p])),
            "high": float(np.nanmax(fitted[:, p])),
            "reach": COVARIATES[name].reach,
        }
        for p, name in enumerate(features.covariate_names)
    ]


def _calibration(posterior: StoredPosterior) -> dict[str, Any] | None:
    """Of new models."""
    made = None if posterior.calibration is None else posterior.calibration.of(new=True)
    if made is None:
        return None
    parts = {name: value.tolist() for name, value in made.to_arrays().items() if name != "errors"}
    return {**parts, "relative": made.relative_quantiles(PREDICTIVE_LEVELS).tolist()}


def _benchmarks(posterior: StoredPosterior) -> list[dict[str, Any]]:
    link, scored = posterior.transform, posterior.matrix.observed.sum(axis=0)
    names = posterior.matrix.benchmark_names
    numbers = ("lower", "upper", "sign", "clip", "center", "spread", "n_items")
    found = []
    for j, benchmark in enumerate(posterior.benchmark_ids):
        values = {name: float(getattr(link, name)[j]) for name in numbers}
        found.append(
            {
                "id": benchmark,
                "name": names.title(benchmark),
                "link": link.link[j],
                "scored": int(scored[j]),
                **{name: v if np.isfinite(v) else None for name, v in values.items()},
            }
        )
    return found
