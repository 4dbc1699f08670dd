"""Where answers come from: the posterior, the model's draws given what is known, the matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..answers.calibrated import recalibrated
from ..answers.condition import condition
from ..answers.prediction import LatentDraws, Predictive, predictive
from ..errors import UsageError
from ..low_rank.features import ModelFacts
from ..posterior.stored import StoredPosterior
from ..scores.datasets import bundled_path
from ..scores.ids import nearest_ids
from .output import note
from .question import Question

__all__ = ["Answer", "answer", "honest", "load_posterior", "posterior_facts"]

BUNDLED = "open_scores.nc"


def load_posterior(path: str | None) -> StoredPosterior:
    """Read a posterior; None is the bundled one."""
    return StoredPosterior.load(bundled_path("models", BUNDLED) if path is None else path)


def posterior_facts(posterior: StoredPosterior, path: str | None) -> dict[str, Any]:
    """What JSON answers say of the posterior they come from."""
    origin = posterior.provenance
    return {
        "file": BUNDLED if path is None else path,
        "method": origin.method,
        "created": origin.created,
        "data_hash": origin.data_hash,
        "models": len(posterior.model_ids),
        "benchmarks": len(posterior.benchmark_ids),
        "draws": posterior.n_draws,
        "verdict": posterior.diagnostics.verdict,
        "recalibrated": posterior.calibration is not None,
    }


def honest(posterior: StoredPosterior) -> Callable[[Predictive], Predictive]:
    """The recalibration the posterior carries, as a map of predictions of one of its models."""

    def levels_kept(prediction: Predictive) -> Predictive:
        new = prediction.model_ids[0] not in posterior.model_ids
        return recalibrated(posterior, prediction, new=new)

    return levels_kept


@dataclass(frozen=True, eq=False)
class Answer:
    """One model's draws and predictions.

    Attributes
    ----------
    posterior : StoredPosterior
    draws : LatentDraws
    prediction : Predictive
        Of every benchmark, in the posterior's order, recalibrated.
    facts : dict
        About the posterior and the conditioning, for JSON.
    """

    posterior: StoredPosterior
    draws: LatentDraws
    prediction: Predictive
    facts: dict[str, Any]


def check_model(posterior: StoredPosterior, question: Question) -> None:
    """Raise if the model is unknown or nothing is known of it; note a provider never fitted."""
    if question.empty:
        raise UsageError(
            "nothing is known of the model: give --scores, --model, or a fact such as --provider"
        )
    if question.model is not None:
        posterior.matrix.model_index(question.model)
    providers = posterior.features.providers()
    if question.provider is not None and question.provider not in providers:
        near = nearest_ids(question.provider, providers)
        hint = f"; nearest: {', '.join(near)}" if near else ""
        note(f"note: provider {question.provider!r} was not fitted, its effect is unknown{hint}")


def conditioned(
    posterior: StoredPosterior, question: Question, *, reweight: bool = True
) -> LatentDraws:
    """Draws of the model in question."""
    check_model(posterior, question)
    draws = condition(
        posterior,
        question.scores,
        model_id=question.model,
        seed=question.seed,
        reweight=reweight,
        facts=ModelFacts(**question.facts),
    )
    if draws.k_hat is not None and not draws.reweighted:
        note(
            f"note: unusual scores: only {draws.effective_share:.0%} of the draws fit them well "
            f"(k-hat {draws.k_hat:.2f}), so all draws count the same"
        )
    return draws


def answer(question: Question) -> Answer:
    """Load the posterior, condition on what is known, predict every benchmark."""
    posterior = load_posterior(question.posterior)
    draws = conditioned(posterior, question)
    facts = posterior_facts(posterior, question.posterior)
    facts["conditioning"] = {
        "k_hat": draws.k_hat,
        "effective_share": draws.effective_share,
        "reweighted": draws.reweighted,
    }
    prediction = honest(posterior)(predictive(draws, posterior.transform))
    return Answer(posterior, draws, prediction, facts)
