"""Data for the page: thinned, quantised draws of the benchmark side, and what JavaScript needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..answers.predictive import PREDICTIVE_LEVELS
from ..errors import UsageError
from ..low_rank.facts import COVARIATES
from ..posterior.stored import StoredPosterior
from ..posterior.unseen import seen_effects
from .encoding import WORD, as_floats, in_steps, seen_only
from .page_random import page_normals

__all__ = ["MOST_DRAWS", "packed", "quantised"]

MOST_DRAWS = 100
"""Draws that travel in the page."""
QUANTISED = ("benchmark_bias", "loading", "weights", "noise_benchmark")
"""Draws that are kept as 16-bit numbers, as are the effects of providers on benchmarks; the other,
smaller ones as they are."""
UNSEEN_SEED = 1_000_000
"""Of the effects that no score depends on, plus the number of the draw; as in ``engine.js``."""
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
        name: in_steps(value, WORD)[1] if name in QUANTISED else value
        for name, value in thinned.draws.items()
    }
    small = replace(thinned, draws=rounded)
    if "group_benchmark" not in rounded:
        return small
    effects = {"group_benchmark": _with_unseen(small)}
    return replace(small, draws={**rounded, **effects})


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
    provided = _provided(posterior)
    draws: dict[str, Any] = {}
    for name in (*QUANTISED, *WHOLE):
        if name not in posterior.draws:
            continue
        value = posterior.stacked(name)
        if name == "group_latent":
            value = value[:, provided]
        draws[name] = in_steps(value, WORD)[0] if name in QUANTISED else as_floats(value)
    if "group_benchmark" in posterior.draws:
        value, seen = posterior.stacked("group_benchmark"), _seen_groups(posterior)
        draws["group_benchmark"] = seen_only(value[:, provided], seen[provided], WORD)[0]
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


def _seen_groups(posterior: StoredPosterior) -> NDArray[np.bool_]:
    """Effects of groups on benchmarks that some score depends on, (G, B)."""
    observed, families = posterior.matrix.observed, posterior.families.members
    return seen_effects(observed, posterior.features.groups, families)["group_benchmark"]


def _provided(posterior: StoredPosterior) -> list[int]:
    names = posterior.features.group_names
    return [at for at, name in enumerate(names) if name.startswith("provider:")]


def _with_unseen(small: StoredPosterior) -> Array:
    """Effects of providers as the page has them: rounded, those without a score drawn again."""
    effects, provided = small.draws["group_benchmark"].copy(), _provided(small)
    value = small.stacked("group_benchmark")[:, provided]
    seen = _seen_groups(small)[provided]
    row, column = np.nonzero(~seen)
    kind = small.features.kinds.index("provider")
    scale = small.stacked("scale_group_benchmark")[:, [kind]] * small.stacked("noise_benchmark")
    seeds = UNSEEN_SEED + np.arange(small.n_draws)
    value[:, seen] = seen_only(value, seen, WORD)[1]
    value[:, row, column] = page_normals(seeds, row.size) * scale[:, column]
    effects[:, :, provided] = value.reshape(*effects.shape[:2], *value.shape[1:])
    return effects


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
