"""What the page shows of the fitted models: predictions, joint draws, readings, factors, checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..answers.calibrated import recalibrated
from ..answers.predictive import cell_draws, degrees_of_freedom, predict_cells
from ..answers.psis import smoothed_weights
from ..low_rank.facts import ModelFacts
from ..low_rank.noise import upper_tail
from ..posterior.pointwise import log_likelihood
from ..posterior.stored import StoredPosterior
from ..posterior.unseen import seen_effects
from ..scores.datasets import open_scores
from ..structure.factors import aligned_factors, factor_ends
from .about import spellings
from .encoding import BYTE, WORD, in_steps, seen_only, text

__all__ = ["LEVELS", "fitted", "held_out_levels"]

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Levels of the predictions of fitted models that travel in the page."""
BINS = 20
LARGE_SHAPE = 0.7
"""Pareto shape above which leaving one reading out cannot be told from the draws."""

Array = NDArray[Any]


def fitted(
    posterior: StoredPosterior, small: StoredPosterior, models: Sequence[str] | None = None
) -> dict[str, Any]:
    """Plain data about the fitted models.

    Parameters
    ----------
    posterior : StoredPosterior
        With all its draws: for the predictions and the checks.
    small : StoredPosterior
        With the draws of the page: joint draws.
    models : sequence of str, optional
        Ids to keep; by default all.
    """
    rows = np.arange(len(posterior.model_ids))
    if models is not None:
        rows = np.array([posterior.matrix.model_index(name) for name in dict.fromkeys(models)])
    return {
        "models": _models(posterior, rows),
        "levels": LEVELS,
        "quantiles": _quantiles(posterior, rows),
        "joint": _joint(small, rows),
        **_readings(posterior, rows),
        "factors": _factors(posterior, rows),
        "checks": _checks(posterior),
    }


def _models(posterior: StoredPosterior, rows: Array) -> list[dict[str, Any]]:
    names = posterior.matrix.model_names
    spelled = spellings(names)
    return [
        {
            "id": (name := posterior.model_ids[i]),
            "name": names.title(name),
            "others": spelled.get(name, []),
            "facts": ModelFacts.of(posterior.matrix, int(i)).given,
        }
        for i in rows
    ]


def _quantiles(posterior: StoredPosterior, rows: Array) -> dict[str, Any]:
    """Calibrated score quantiles (models, benchmarks, levels), 16 bits by benchmark."""
    columns = np.arange(len(posterior.benchmark_ids))
    cells = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    made = recalibrated(posterior, predict_cells(posterior, cells), new=False)
    table = made.table(LEVELS).reshape(len(rows), len(columns), len(LEVELS))
    low, high = table.min(axis=(0, 2)), table.max(axis=(0, 2))
    scale = np.where(high > low, (high - low) / np.iinfo(WORD).max, 1.0)
    steps = np.rint((table - low[:, None]) / scale[:, None]).astype(WORD)
    return {"data": text(steps), "low": low.tolist(), "scale": scale.tolist()}


def _joint(small: StoredPosterior, rows: Array) -> dict[str, Any]:
    """Draws of what the models have of their own, in 256 steps: only their order is used."""
    draws, features = small.draws, small.features
    own = np.concatenate(
        [
            small.stacked("ability")[:, rows, None],
            *([small.stacked("factors")[:, rows]] if "factors" in draws else []),
        ],
        axis=2,
    )
    members = features.groups[rows]
    names = features.group_names
    lines = [g for g, name in enumerate(names) if not name.startswith("provider:")]
    used = [g for g in lines if members[:, g].any()]
    providers = [g for g, name in enumerate(names) if name.startswith("provider:")]
    found: dict[str, Any] = {
        "latents": in_steps(own, BYTE)[0],
        "provider": [_first(members[i, providers]) for i in range(len(rows))],
        "lineage": [_first(members[i, used]) for i in range(len(rows))],
        "line_kinds": features.group_kind[used].tolist(),
    }
    seen = seen_effects(small.matrix.observed, features.groups, small.families.members)
    if "group_benchmark" in draws:
        value = small.stacked("group_benchmark")[:, used]
        found["lineage_effect"] = seen_only(value, seen["group_benchmark"][used], BYTE)[0]
    if "family" in draws:
        found["family"] = seen_only(small.stacked("family")[:, rows], seen["family"][rows], BYTE)[0]
    if "noise_model" in draws:
        found["noise"] = in_steps(small.stacked("noise_model")[:, rows], BYTE)[0]
    return found


def _first(members: Array) -> int:
    at = np.flatnonzero(members)
    return int(at[0]) if at.size else -1


def _readings(posterior: StoredPosterior, rows: Array) -> dict[str, Any]:
    """Readings as (model, benchmark, score, source), and the addresses of the sources."""
    readings = posterior.matrix.readings.sort_values("reading", kind="stable")
    urls = _addresses(readings)
    place = {posterior.model_ids[i]: at for at, i in enumerate(rows)}
    column = {name: j for j, name in enumerate(posterior.benchmark_ids)}
    sources: dict[str, int] = {}
    found = []
    for model, benchmark, score, url in zip(
        readings["model_id"], readings["benchmark_id"], readings["score"], urls, strict=True
    ):
        if model in place and benchmark in column:
            source = sources.setdefault(url, len(sources)) if isinstance(url, str) else -1
            found.append((place[model], column[benchmark], float(score), source))
    return {"readings": found, "sources": list(sources)}


def _addresses(readings: pd.DataFrame) -> list[Any]:
    """Address of every reading's source; of the bundled matrix where all of them stand there."""
    if "source_url" in readings.columns:
        return list(readings["source_url"])
    keys = ["model_id", "benchmark_id", "reading", "score"]
    bundled = open_scores().readings
    if "source_url" not in bundled.columns:
        return [None] * len(readings)
    known = dict(zip(bundled[keys].itertuples(index=False, name=None), bundled["source_url"],
                     strict=True))  # fmt: skip
    found = [known.get(key) for key in readings[keys].itertuples(index=False, name=None)]
    return found if all(isinstance(url, str) for url in found) else [None] * len(readings)


def _factors(posterior: StoredPosterior, rows: Array) -> dict[str, Any] | None:
    """Named ends of the factors, and where the models lie, with 90 % intervals."""
    if "weights" not in posterior.draws:
        return None
    aligned = aligned_factors(posterior)
    levels = [0.05, 0.5, 0.95]
    own = np.quantile(aligned.factors[:, rows], levels, axis=0)
    ability = np.quantile(posterior.stacked("ability")[:, rows], levels, axis=0)
    return {
        "ends": factor_ends(aligned).to_dict("records"),
        "congruence": np.median(aligned.congruence, axis=0).tolist(),
        "models": np.round(np.concatenate([ability[..., None], own], axis=2), 3).tolist(),
    }


def held_out_levels(posterior: StoredPosterior) -> tuple[Array, Array, Array, Array]:
    r"""Level of every reading under the draws reweighted as if it had been left out.

    .. math:: u_n = \sum_s w_{ns} P(y \le y_n \mid \theta_s), \quad
       w_{ns} \propto 1 / p(y_n \mid \theta_s)

    with the weights smoothed (Vehtari et al. 2024, arXiv:1507.02646). Before recalibration.
    Readings at an end of their scale say "this or beyond" and have no level: NaN.

    Parameters
    ----------
    posterior : StoredPosterior

    Returns
    -------
    row, column : (n,) int arrays
    level : (n,) array
    shape : (n,) array
        Pareto shape of the weights.
    """
    matrix, link = posterior.matrix, posterior.transform
    row, column = np.nonzero(matrix.observed)
    score = np.asarray(matrix.values)[row, column]
    like = log_likelihood(posterior).reshape(posterior.n_draws, -1)
    eta, scale = cell_draws(posterior, row, column)
    nu = np.asarray(degrees_of_freedom(posterior), np.float64)
    level, shape = np.full(row.size, np.nan), np.full(row.size, np.nan)
    for n in range(row.size):
        if link.beyond(score[n], int(column[n])):
            continue
        z = float(link.to_latent(score[n], int(column[n])))
        weights, shape[n] = smoothed_weights(-like[:, n])
        above = upper_tail((z - eta[:, n].astype(np.float64)) / scale[:, n], nu)
        level[n] = min(max(1.0 - float(weights @ above), 0.0), 1.0)
    return row, column, level, shape


def _checks(posterior: StoredPosterior) -> dict[str, Any]:
    row, column, level, shape = held_out_levels(posterior)
    kept = np.isfinite(level)
    inner, strata = level[kept], _strata(posterior, row[kept], column[kept])
    central = np.abs(2 * inner - 1)
    nominal = np.linspace(0.05, 0.95, 19)
    return {
        "n": int(kept.sum()),
        "at_ends": int((~kept).sum()),
        "doubtful": int((shape[kept] > LARGE_SHAPE).sum()),
        "histogram": np.histogram(inner, bins=BINS, range=(0.0, 1.0))[0].tolist(),
        "nominal": nominal.tolist(),
        "inside": [float((central <= p).mean()) for p in nominal] if inner.size else [],
        "strata": [
            {
                "name": name,
                "n": int(chosen.sum()),
                "inside50": float((central[chosen] <= 0.5).mean()),
                "inside90": float((central[chosen] <= 0.9).mean()),
            }
            for name, chosen in strata.items()
            if chosen.any()
        ],
    }


def _strata(posterior: StoredPosterior, row: Array, column: Array) -> Mapping[str, Array]:
    observed = posterior.matrix.observed
    found = {}
    for what, counts in (
        ("scores of the model", observed.sum(axis=1)[row]),
        ("scores of the benchmark", observed.sum(axis=0)[column]),
    ):
        low, high = np.quantile(counts, [1 / 3, 2 / 3]) if counts.size else (0, 0)
        found[f"few {what} (up to {low:.0f})"] = counts <= low
        found[f"some {what}"] = (counts > low) & (counts <= high)
        found[f"many {what} (over {high:.0f})"] = counts > high
    links = np.array(posterior.transform.link)[column]
    for link in sorted(set(links.tolist())):
        found[f"scale: {'two bounds' if link == 'logit' else 'open'} ({link})"] = links == link
    return found
