"""What the page says beside draws: names, benchmarks, facts, where the posterior comes from."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from ..campaign import Campaign
from ..low_rank.facts import COVARIATES
from ..posterior.stored import StoredPosterior
from ..scores.ids import Names

__all__ = ["about", "campaign_state"]


def about(posterior: StoredPosterior) -> dict[str, Any]:
    """Plain data about a posterior and its benchmarks.

    Parameters
    ----------
    posterior : StoredPosterior
    """
    matrix, origin = posterior.matrix, posterior.provenance
    diagnostics = posterior.diagnostics
    return {
        "benchmarks": _benchmarks(posterior),
        "facts": [
            {"name": name, "kind": COVARIATES[name].kind.__name__, "help": COVARIATES[name].help}
            for name in posterior.features.covariate_names
        ],
        "origin": {
            "method": origin.method,
            "created": origin.created,
            "seed": origin.seed,
            "data_hash": origin.data_hash,
            "versions": dict(origin.versions),
            "draws": posterior.n_draws,
            "models": len(posterior.model_ids),
            "scores": int(matrix.observed.sum()),
            "recalibrated_by": None
            if posterior.calibration is None
            else posterior.calibration.engine,
        },
        "diagnostics": {
            "verdict": diagnostics.verdict,
            "reasons": list(diagnostics.reasons),
            "summary": {
                name: value
                for name, value in diagnostics.summary.items()
                if isinstance(value, (int, float, str))
            },
        },
    }


def spellings(names: Names) -> dict[str, list[str]]:
    """Display names and aliases of every id that lead to it alone, without repeats."""
    found: dict[str, list[str]] = {own: [] for own in names.ids}
    for spelling, own in names.others:
        if names.candidates(spelling) == (own,) and spelling not in found[own]:
            found[own].append(spelling)
    return found


def _benchmarks(posterior: StoredPosterior) -> list[dict[str, Any]]:
    table, spelled = posterior.matrix.benchmarks, spellings(posterior.matrix.benchmark_names)
    found = []
    for name in posterior.benchmark_ids:
        row = table.loc[name]
        told = {
            key: str(row[key])
            for key in ("scale", "category", "how", "url")
            if key in table.columns and isinstance(row[key], str) and row[key]
        }
        found.append({"id": name, "others": spelled.get(name, []), **told})
    return found


def campaign_state(campaign: Campaign) -> dict[str, Any]:
    """What *My model* starts with: the campaign's scores, facts, costs and what is left.

    Parameters
    ----------
    campaign : Campaign
    """
    state = campaign.state
    model = campaign.model
    budget = state.stop.budget
    return {
        "model": state.model_id,
        "scores": {name: float(score) for name, score in model.observed.items()},
        "facts": model.facts.given,
        "costs": None if state.costs is None else dict(state.costs),
        "unit": state.unit,
        "budget": None if budget is None else max(float(budget) - state.spent, 0.0),
        "exclude": list(state.exclude),
        "steps": [
            {key: value for key, value in asdict(step).items() if np.isscalar(value)}
            for step in state.steps
        ],
    }
