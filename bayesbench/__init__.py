"""bayesbench: a posterior over a (models x benchmarks) score matrix.

The names below are loaded when they are first used, so that ``import bayesbench`` is fast and
brings neither jax nor pandas. Functions that share their module's name stay there:
``bayesbench.condition.condition`` (a new model from a few scores), ``bayesbench.decide.decide``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers.decide import Decision
    from .answers.prediction import LatentDraws, Predictive, fitted_draws, predict_cells, predictive
    from .answers.ranking import Comparison, Ranking, prob_better, rank_models
    from .campaign import Campaign, StopRules
    from .design import Costs, Recommendation, recommend
    from .errors import BayesbenchError
    from .evaluation import EvaluationResult, evaluate
    from .fitting.engines.settings import NUTS, SVI, Gibbs
    from .low_rank.link import Transform
    from .low_rank.spec import ModelSpec, Priors
    from .posterior.diagnostics import Diagnostics
    from .posterior.provenance import Provenance
    from .posterior.stored import StoredPosterior
    from .scores import ScoreMatrix, open_scores, read_scores

    __version__: str

__all__ = [
    "NUTS",
    "SVI",
    "BayesbenchError",
    "Campaign",
    "Comparison",
    "Costs",
    "Decision",
    "Diagnostics",
    "EvaluationResult",
    "Gibbs",
    "LatentDraws",
    "ModelSpec",
    "Predictive",
    "Priors",
    "Provenance",
    "Ranking",
    "Recommendation",
    "ScoreMatrix",
    "StopRules",
    "StoredPosterior",
    "Transform",
    "__version__",
    "evaluate",
    "fitted_draws",
    "open_posterior",
    "open_scores",
    "predict_cells",
    "predictive",
    "prob_better",
    "rank_models",
    "read_scores",
    "recommend",
]

_MODULES = {
    "campaign": ("Campaign", "StopRules"),
    "config": ("Gibbs", "ModelSpec", "NUTS", "Priors", "SVI"),
    "decide": ("Decision",),
    "design": ("Costs", "Recommendation", "recommend"),
    "errors": ("BayesbenchError",),
    "evaluation": ("EvaluationResult", "evaluate"),
    "posterior": ("Diagnostics", "StoredPosterior", "Provenance"),
    "predict": ("LatentDraws", "Predictive", "fitted_draws", "predict_cells", "predictive"),
    "ranking": ("Comparison", "Ranking", "prob_better", "rank_models"),
    "scores": ("ScoreMatrix", "open_scores", "read_scores"),
    "transforms": ("Transform",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def open_posterior() -> StoredPosterior:
    """Load the bundled posterior, fitted to the bundled scores (see its model card).

    Returns
    -------
    StoredPosterior
    """
    from .posterior.stored import StoredPosterior
    from .scores.datasets import bundled_path

    return StoredPosterior.load(bundled_path("models", "open_scores.nc"))


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    elif name == "__version__":
        value = _version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("bayesbench-scores")
    except metadata.PackageNotFoundError:  # a checkout on the path, not installed
        return "0+checkout"
