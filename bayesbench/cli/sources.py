"""Where answers come from: the posterior, and the model in question given what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import UnknownIdError, UsageError
from ..front.model import Model
from ..front.posterior import BUNDLED, Posterior, open_posterior
from ..posterior.stored import StoredPosterior
from ..scores.ids import nearest_ids
from .output import note
from .question import Question

__all__ = [
    "Answer",
    "answer",
    "answer_facts",
    "each_left_out",
    "model_of",
    "noted",
    "posterior_facts",
    "warned",
]

MOST_LEFT_OUT = 40
"""Scores that are left out in turn: as many answers, of a second or so each."""


def posterior_facts(posterior: StoredPosterior, path: str | None) -> dict[str, Any]:
    """What JSON answers say of the posterior they come from."""
    origin, calibration = posterior.provenance, posterior.calibration
    return {
        "file": BUNDLED if path is None else path,
        "method": origin.method,
        "created": origin.created,
        "data_hash": origin.data_hash,
        "models": len(posterior.model_ids),
        "benchmarks": len(posterior.benchmark_ids),
        "draws": posterior.n_draws,
        "verdict": posterior.diagnostics.verdict,
        "recalibrated": calibration is not None,
        "recalibrated_by": None if calibration is None else calibration.engine,
    }


def answer_facts(model: Model, path: str | None) -> dict[str, Any]:
    """What JSON answers about a model say of its posterior and its conditioning."""
    draws = model.latent
    conditioning = {
        "k_hat": draws.k_hat,
        "effective_share": draws.effective_share,
        "reweighted": draws.reweighted,
        "power": draws.power,
    }
    return {**posterior_facts(model.posterior, path), "conditioning": conditioning}


@dataclass(frozen=True, eq=False)
class Answer:
    """One model with the posterior it comes from.

    Attributes
    ----------
    posterior : Posterior
    model : Model
    facts : dict
        About the posterior and the conditioning, for JSON.
    """

    posterior: Posterior
    model: Model
    facts: dict[str, Any]


def model_of(posterior: Posterior, question: Question) -> Model:
    """The model in question.

    Raises
    ------
    UsageError
        Nothing is known of it, or ``--id`` names a fitted one.
    UnknownIdError
        ``--model`` is not fitted and nothing else is known of it.
    """
    if question.model is not None and question.id is not None:
        raise UsageError("--model names a fitted model, --id a new one: give one of them")
    if question.empty:
        raise UsageError(
            "nothing is known of the model: give --scores, --model, or a fact such as --provider"
        )
    if question.id is not None and posterior.matrix.model_names.known(question.id) is not None:
        raise UsageError(f"--id {question.id!r} is a fitted model: give it as --model")
    return Model.of(
        posterior,
        question.scores,
        stderr=question.stderr,
        facts=question.facts,
        id=question.id if question.model is None else question.model,
        seed=question.seed,
        notes=() if question.model is None else _not_fitted(posterior, question.model, question),
    )


def _not_fitted(posterior: Posterior, name: str, question: Question) -> tuple[str, ...]:
    """What to note of a ``--model`` that is a new one; refused if nothing else is known of it."""
    names = posterior.matrix.model_names
    if names.known(name) is not None:
        return ()
    near = nearest_ids(name, names.ids)
    if not (question.scores or question.facts.given):
        raise UnknownIdError("model", name, near)
    hint = f"; nearest fitted: {', '.join(near)}" if near else ""
    return (f"model {name!r} was not fitted: it is taken as a new one{hint}",)


def noted(model: Model) -> None:
    """Print a model's notes."""
    for text in model.notes:
        note(f"note: {text}")


def warned(model: Model) -> list[dict[str, Any]]:
    """What JSON answers say of given scores that look wrong."""
    return [one.to_json() for one in model.warnings]


def answer(question: Question, posterior: Posterior | None = None) -> Answer:
    """Condition on what is known; the posterior of the question is opened unless it is given."""
    posterior = posterior or open_posterior(question.posterior)
    model = model_of(posterior, question)
    noted(model)
    return Answer(posterior, model, answer_facts(model, question.posterior))


def each_left_out(model: Model, what: str) -> None:
    """Refuse more scores than can be left out in turn, each with an answer of its own, in a minute.

    Raises
    ------
    UsageError
    """
    if len(model.scores) > MOST_LEFT_OUT:
        raise UsageError(
            f"{what} leaves each score out in turn: {len(model.scores)} scores are given, give at "
            f"most {MOST_LEFT_OUT}"
        )
